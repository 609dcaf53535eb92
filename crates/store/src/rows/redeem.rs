//! Redeem codes: rows, guards, the claim and questions.

use crate::sql::{Connection, Row, params};
use domain::change::Refused;
use domain::ids::AccountId;
use domain::ports::{Read, RedeemRows};
use domain::redeem::{CodeSource, RedeemCode, RedeemWrite};
use domain::time::Timestamp;
use domain::usd::Usd;

use crate::database::Database;
use crate::sql::cells::{Cells, exists, many, one};
use crate::sql::fault::Fault;

const CODE: &str = "id, batch, hash, amount, source, note, created_at, expires_at, disabled, \
                    redeemed_by, redeemed_at";

/// The guards of a write, by reads alone.
pub(crate) fn check(conn: &dyn Connection, write: &RedeemWrite) -> Result<(), Fault> {
    match write {
        RedeemWrite::Insert(code) => {
            let sql = "SELECT 1 FROM redeem_code WHERE hash = ?1";
            let known = exists(conn, sql, params![code.hash])?;
            (!known).then_some(()).ok_or(Fault::Refused(Refused::Stale))
        }
        RedeemWrite::Disable { code } => {
            let sql = "SELECT 1 FROM redeem_code WHERE id = ?1 AND redeemed_by IS NULL";
            let found = exists(conn, sql, params![code])?;
            found.then_some(()).ok_or(Fault::Refused(Refused::Stale))
        }
    }
}

/// The rows of a write whose guards have passed.
pub(crate) fn write(conn: &dyn Connection, write: &RedeemWrite) -> Result<(), Fault> {
    match write {
        RedeemWrite::Insert(code) => insert(conn, code),
        RedeemWrite::Disable { code } => {
            let sql = "UPDATE redeem_code SET disabled = 1 WHERE id = ?1 AND redeemed_by IS NULL";
            conn.write_one(sql, params![code], Refused::Stale)
        }
    }
}

fn insert(conn: &dyn Connection, code: &RedeemCode) -> Result<(), Fault> {
    let sql = "INSERT INTO redeem_code (id, batch, hash, amount, source, note, created_at, \
               expires_at, disabled) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    conn.write(
        sql,
        params![
            code.id,
            code.batch,
            code.hash,
            code.amount.0,
            code.source.slug(),
            code.note,
            code.created_at.0,
            code.expires_at.map(|at| at.0),
            code.disabled,
        ],
    )
}

/// Whether a code of this worth can be redeemed.
pub(crate) fn is_open(
    conn: &dyn Connection,
    code: i64,
    (amount, source): (Usd, CodeSource),
    at: Timestamp,
) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM redeem_code WHERE id = ?1 AND amount = ?2 AND source = ?3 \
               AND redeemed_by IS NULL AND disabled = 0 \
               AND (expires_at IS NULL OR expires_at > ?4)";
    exists(conn, sql, params![code, amount.0, source.slug(), at.0])
}

/// Gives a code to whoever comes first: one conditional statement, beside the posting.
pub(crate) fn claim(
    conn: &dyn Connection,
    account: AccountId,
    code: i64,
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "UPDATE redeem_code SET redeemed_by = ?2, redeemed_at = ?3 WHERE id = ?1 \
               AND redeemed_by IS NULL AND disabled = 0 \
               AND (expires_at IS NULL OR expires_at > ?3)";
    conn.write_one(sql, params![code, account.0, at.0], Refused::Stale)
}

fn code(row: &Row<'_>) -> Result<RedeemCode, Fault> {
    let cells = &mut Cells::new("redeem_code", row);
    Ok(RedeemCode {
        id: cells.take()?,
        batch: cells.take()?,
        hash: cells.take()?,
        amount: cells.usd()?,
        source: cells.word(CodeSource::from_slug)?,
        note: cells.take()?,
        created_at: cells.time()?,
        expires_at: cells.maybe_time()?,
        disabled: cells.take()?,
        redeemed: cells
            .take::<Option<i64>>()?
            .map(AccountId)
            .zip(cells.maybe_time()?),
    })
}

impl RedeemRows for Database {
    fn redeem_code<'a>(&'a self, hash: &'a [u8; 32]) -> Read<'a, Option<RedeemCode>> {
        let (hash, sql) = (
            *hash,
            format!("SELECT {CODE} FROM redeem_code WHERE hash = ?1"),
        );
        self.ask(move |conn| one(conn, &sql, params![hash], code))
    }

    fn redeem_codes(&self, limit: u32) -> Read<'_, Vec<RedeemCode>> {
        let sql = format!("SELECT {CODE} FROM redeem_code ORDER BY id DESC LIMIT ?1");
        self.ask(move |conn| many(conn, &sql, params![limit], code))
    }

    fn redeemed_by(&self, account: AccountId, limit: u32) -> Read<'_, Vec<RedeemCode>> {
        let sql = format!(
            "SELECT {CODE} FROM redeem_code WHERE redeemed_by = ?1 \
             ORDER BY redeemed_at DESC, id DESC LIMIT ?2"
        );
        self.ask(move |conn| many(conn, &sql, params![account.0, limit], code))
    }
}
