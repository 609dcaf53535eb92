//! Accounts, keys, and idempotency claims: rows, writes and questions.

use crate::sql::{Connection, Row, params};
use domain::access::{Account, ApiKey, Caller, KeptAnswer, KeyClaim, Scope};
use domain::change::Refused;
use domain::ids::{AccountId, KeyId, OrderId};
use domain::time::Timestamp;

use crate::sql::cells::{Cells, exists, many, one};
use crate::sql::fault::Fault;

macro_rules! account_columns {
    () => {
        "a.id, a.email, a.tier, a.api_access, a.suspended, a.created_at"
    };
}
pub(crate) use account_columns;

macro_rules! key_columns {
    () => {
        "k.id, k.account_id, k.public_id, k.mac, k.name, k.last4, k.scopes, k.rate_limit, \
         k.allowed_addresses, k.created_at, k.expires_at, k.disabled, k.revoked"
    };
}

/// How many cells a key has.
const KEY_CELLS: usize = 13;

/// A new account.
pub(crate) fn insert_account(conn: &dyn Connection, account: &Account) -> Result<(), Fault> {
    let sql = "INSERT INTO account (id, email, tier, api_access, suspended, created_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    conn.write(
        sql,
        params![
            account.id.0,
            account.email,
            account.tier,
            account.api_access,
            account.suspended,
            account.created_at.0,
        ],
    )
}

/// What may change of an account. Guard: it is there. Whoever is suspended is signed out.
pub(crate) fn update_account(conn: &dyn Connection, account: &Account) -> Result<(), Fault> {
    if account.suspended {
        let sql = "DELETE FROM session WHERE person_id IN (SELECT p.id FROM person p \
                   JOIN account a ON a.id = p.account_id WHERE a.id = ?1 AND a.suspended = 0)";
        conn.execute(sql, params![account.id.0])?;
    }
    let sql = "UPDATE account SET email = ?2, tier = ?3, api_access = ?4, suspended = ?5 \
               WHERE id = ?1";
    conn.write_one(
        sql,
        params![
            account.id.0,
            account.email,
            account.tier,
            account.api_access,
            account.suspended,
        ],
        Refused::NoSuchAccount,
    )
}

/// Whether the account is there.
pub(crate) fn account_exists(conn: &dyn Connection, id: AccountId) -> Result<bool, Fault> {
    exists(conn, "SELECT 1 FROM account WHERE id = ?1", params![id.0])
}

/// Whether an account other than `id` has this e-mail.
pub(crate) fn email_taken(
    conn: &dyn Connection,
    email: &str,
    id: AccountId,
) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM account WHERE email = ?1 AND id <> ?2";
    exists(conn, sql, params![email, id.0])
}

pub(crate) fn read_account(row: &Row<'_>, first: usize) -> Result<Account, Fault> {
    let cells = &mut Cells::from("account", row, first);
    Ok(Account {
        id: AccountId(cells.take()?),
        email: cells.take()?,
        tier: cells.take()?,
        api_access: cells.take()?,
        suspended: cells.take()?,
        created_at: cells.time()?,
    })
}

/// One account.
pub(crate) fn account(conn: &dyn Connection, id: AccountId) -> Result<Option<Account>, Fault> {
    let sql = concat!(
        "SELECT ",
        account_columns!(),
        " FROM account a WHERE a.id = ?1"
    );
    one(conn, sql, params![id.0], |row| read_account(row, 0))
}

/// All accounts, by id.
pub(crate) fn accounts(conn: &dyn Connection) -> Result<Vec<Account>, Fault> {
    let sql = concat!(
        "SELECT ",
        account_columns!(),
        " FROM account a ORDER BY a.id"
    );
    many(conn, sql, params![], |row| read_account(row, 0))
}

/// A new key.
pub(crate) fn insert_key(conn: &dyn Connection, key: &ApiKey) -> Result<(), Fault> {
    let sql = "INSERT INTO api_key (id, account_id, public_id, mac, name, last4, scopes, \
               rate_limit, allowed_addresses, created_at, expires_at, disabled, revoked) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.slug()).collect();
    conn.write(
        sql,
        params![
            key.id.0,
            key.account.0,
            key.public_id,
            key.mac,
            key.name,
            key.last4,
            scopes.join(","),
            key.rate_limit,
            key.allowed_addresses.join(","),
            key.created_at.0,
            key.expires_at.map(|at| at.0),
            key.disabled,
            key.revoked,
        ],
    )
}

/// What may change of a key. Guard: it is there.
pub(crate) fn update_key(conn: &dyn Connection, key: &ApiKey) -> Result<(), Fault> {
    let sql = "UPDATE api_key SET name = ?2, scopes = ?3, rate_limit = ?4, allowed_addresses = ?5, \
               expires_at = ?6, disabled = ?7 WHERE id = ?1";
    let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.slug()).collect();
    conn.write_one(
        sql,
        params![
            key.id.0,
            key.name,
            scopes.join(","),
            key.rate_limit,
            key.allowed_addresses.join(","),
            key.expires_at.map(|at| at.0),
            key.disabled,
        ],
        Refused::Stale,
    )
}

/// A key is revoked. Guard: it is there.
pub(crate) fn revoke_key(conn: &dyn Connection, key: KeyId) -> Result<(), Fault> {
    let sql = "UPDATE api_key SET revoked = 1 WHERE id = ?1";
    conn.write_one(sql, params![key.0], Refused::Stale)
}

/// Whether the key is there.
pub(crate) fn key_exists(conn: &dyn Connection, key: KeyId) -> Result<bool, Fault> {
    exists(conn, "SELECT 1 FROM api_key WHERE id = ?1", params![key.0])
}

fn list_of<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    parts.map(parse).collect()
}

fn read_key(row: &Row<'_>) -> Result<ApiKey, Fault> {
    let cells = &mut Cells::new("api_key", row);
    Ok(ApiKey {
        id: KeyId(cells.take()?),
        account: AccountId(cells.take()?),
        public_id: cells.take()?,
        mac: cells.take()?,
        name: cells.take()?,
        last4: cells.take()?,
        scopes: cells.word(|text| list_of(text, Scope::from_slug))?,
        rate_limit: cells.take()?,
        allowed_addresses: cells.word(|text| list_of(text, |part| Some(part.to_owned())))?,
        created_at: cells.time()?,
        expires_at: cells.maybe_time()?,
        disabled: cells.take()?,
        revoked: cells.take()?,
    })
}

/// One key.
pub(crate) fn key(conn: &dyn Connection, id: KeyId) -> Result<Option<ApiKey>, Fault> {
    let sql = concat!("SELECT ", key_columns!(), " FROM api_key k WHERE k.id = ?1");
    one(conn, sql, params![id.0], read_key)
}

/// All keys of an account, by id.
pub(crate) fn keys(conn: &dyn Connection, account: AccountId) -> Result<Vec<ApiKey>, Fault> {
    let sql = concat!(
        "SELECT ",
        key_columns!(),
        " FROM api_key k WHERE k.account_id = ?1 ORDER BY k.id"
    );
    many(conn, sql, params![account.0], read_key)
}

/// The key with this public part and its account.
pub(crate) fn caller(conn: &dyn Connection, public_id: &str) -> Result<Option<Caller>, Fault> {
    let sql = concat!(
        "SELECT ",
        key_columns!(),
        ", ",
        account_columns!(),
        " FROM api_key k JOIN account a ON a.id = k.account_id WHERE k.public_id = ?1"
    );
    one(conn, sql, params![public_id], |row| {
        Ok(Caller {
            key: read_key(row)?,
            account: read_account(row, KEY_CELLS)?,
        })
    })
}

const ORDER: &str = "order";
const REQUEST: &str = "request";
const INSUFFICIENT_FUNDS: &str = "insufficient_funds";

/// Takes a key that is free or whose row has expired.
pub(crate) fn take_claim(
    conn: &dyn Connection,
    claim: &KeyClaim,
    now: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO idempotency (account_id, endpoint, key, fingerprint, answer, order_id, \
               expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
               ON CONFLICT (account_id, endpoint, key) DO UPDATE SET \
               fingerprint = excluded.fingerprint, answer = excluded.answer, \
               order_id = excluded.order_id, expires_at = excluded.expires_at \
               WHERE idempotency.expires_at <= ?8";
    let (answer, order) = match claim.answer {
        KeptAnswer::Order(order) => (ORDER, Some(order.0)),
        KeptAnswer::Request(request) => (REQUEST, Some(request)),
        KeptAnswer::InsufficientFunds => (INSUFFICIENT_FUNDS, None),
    };
    conn.write_one(
        sql,
        params![
            claim.account.0,
            claim.endpoint,
            claim.key,
            claim.fingerprint,
            answer,
            order,
            claim.expires_at.0,
            now.0,
        ],
        Refused::KeyTaken,
    )
}

/// A key's claim that has not expired.
pub(crate) fn claim(
    conn: &dyn Connection,
    account: AccountId,
    endpoint: &str,
    key: &str,
    now: Timestamp,
) -> Result<Option<KeyClaim>, Fault> {
    let sql = "SELECT account_id, endpoint, key, fingerprint, answer, order_id, expires_at \
               FROM idempotency WHERE account_id = ?1 AND endpoint = ?2 AND key = ?3 \
               AND expires_at > ?4";
    one(conn, sql, params![account.0, endpoint, key, now.0], |row| {
        let cells = &mut Cells::new("idempotency", row);
        Ok(KeyClaim {
            account: AccountId(cells.take()?),
            endpoint: cells.take()?,
            key: cells.take()?,
            fingerprint: cells.take()?,
            answer: read_answer(cells)?,
            expires_at: cells.time()?,
        })
    })
}

/// Forgets at most `limit` claims that expired by then, the longest expired first; answers how many.
pub(crate) fn forget_claims(
    conn: &dyn Connection,
    until: Timestamp,
    limit: u16,
) -> Result<usize, Fault> {
    let sql = "DELETE FROM idempotency WHERE (account_id, endpoint, key) IN ( \
               SELECT account_id, endpoint, key FROM idempotency WHERE expires_at <= ?1 \
               ORDER BY expires_at LIMIT ?2)";
    conn.execute(sql, params![until.0, limit])
}

fn read_answer(cells: &mut Cells<'_>) -> Result<KeptAnswer, Fault> {
    let word: String = cells.word(|word| {
        let known = [ORDER, REQUEST, INSUFFICIENT_FUNDS].contains(&word);
        known.then(|| word.to_owned())
    })?;
    let order: Option<i64> = cells.take()?;
    match order {
        Some(order) if word == ORDER => Ok(KeptAnswer::Order(OrderId(order))),
        Some(request) if word == REQUEST => Ok(KeptAnswer::Request(request)),
        None if word == INSUFFICIENT_FUNDS => Ok(KeptAnswer::InsufficientFunds),
        _ => Err(Fault::Wrong(
            "corrupt row: table idempotency, columns answer and order_id disagree".into(),
        )),
    }
}
