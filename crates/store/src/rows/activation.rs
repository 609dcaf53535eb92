//! Activations: rows, writes and questions.

use crate::sql::{Connection, Due, Row, params};
use domain::activation::{Activation, ActivationState, Wanted};
use domain::change::{Reason, Refused};
use domain::ids::{AccountId, OrderId};
use domain::order::{Failure, Told};
use domain::phone::Phone;
use domain::ports::{EndedActivation, Page};
use domain::time::Timestamp;
use domain::upstream::Sms;

use super::page;
use crate::sql::cells::{Cells, claimed, exists, many, one};
use crate::sql::fault::Fault;

macro_rules! columns {
    () => {
        "id, account_id, version, state, told, server, provider_type, country_id, country_key, \
         service_id, service_name, pool_id, price, cost_quote, policy_class, policy_version, \
         upstream, attempt, upstream_id, phone, cost, disclosed_at, code, code_text, messages, \
         created_at, in_doubt_until, expires_at, cancel_allowed_at, due_at, tries, failure, late_code_at"
    };
}

/// How many cells an activation has.
const CELLS: usize = 33;

const INSERT: &str = concat!(
    "INSERT INTO activation (",
    columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, \
     ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33)"
);

const UPDATE: &str = "UPDATE activation SET version = version + 1, state = ?3, told = ?4, \
    server = ?5, provider_type = ?6, country_id = ?7, country_key = ?8, service_id = ?9, \
    service_name = ?10, pool_id = ?11, cost_quote = ?12, upstream = ?13, attempt = ?14, \
    upstream_id = ?15, phone = ?16, cost = ?17, disclosed_at = ?18, \
    code = CASE WHEN ?19 = '' AND COALESCE(?20, '') = '' THEN COALESCE(code, '') ELSE ?19 END, \
    code_text = CASE WHEN ?19 = '' AND COALESCE(?20, '') = '' THEN code_text ELSE ?20 END, \
    messages = ?21, in_doubt_until = ?22, expires_at = ?23, cancel_allowed_at = ?24, \
    due_at = ?25, claimed_until = NULL, tries = ?26, failure = ?27, price = ?28, policy_class = ?29, \
    policy_version = ?30, late_code_at = ?31 WHERE id = ?1 AND version = ?2";

/// A new row.
pub(crate) fn insert(conn: &dyn Connection, a: &Activation) -> Result<(), Fault> {
    let message = a.message.as_ref();
    conn.write(
        INSERT,
        params![
            a.id.0,
            a.account.0,
            a.version,
            a.state.slug(),
            a.told.slug(),
            a.wanted.server,
            a.wanted.provider_type,
            a.wanted.country_id,
            a.wanted.country_key,
            a.wanted.service_id,
            a.wanted.service_name,
            a.wanted.pool_id,
            a.price.0,
            a.cost_quote.0,
            a.policy.0,
            a.policy.1,
            a.upstream,
            a.attempt,
            a.upstream_id,
            a.phone.as_ref().map(Phone::digits),
            a.cost.map(|cost| cost.0),
            a.disclosed_at.map(|at| at.0),
            message.map(|sms| sms.code.as_str()),
            message.and_then(|sms| sms.text.as_deref()),
            a.messages,
            a.created_at.0,
            a.in_doubt_until.map(|at| at.0),
            a.expires_at.map(|at| at.0),
            a.cancel_allowed_at.map(|at| at.0),
            a.due_at.map(|at| at.0),
            a.tries,
            a.failure.map(Failure::slug),
            a.late_code_at.map(|at| at.0),
        ],
    )
}

/// Everything that may change. Guard: the version that was read. An empty code is one that whoever
/// writes cannot read, or that is not this change's business: it never takes the place of a stored one.
pub(crate) fn update(conn: &dyn Connection, a: &Activation) -> Result<(), Fault> {
    let message = a.message.as_ref();
    conn.write_one(
        UPDATE,
        params![
            a.id.0,
            a.version,
            a.state.slug(),
            a.told.slug(),
            a.wanted.server,
            a.wanted.provider_type,
            a.wanted.country_id,
            a.wanted.country_key,
            a.wanted.service_id,
            a.wanted.service_name,
            a.wanted.pool_id,
            a.cost_quote.0,
            a.upstream,
            a.attempt,
            a.upstream_id,
            a.phone.as_ref().map(Phone::digits),
            a.cost.map(|cost| cost.0),
            a.disclosed_at.map(|at| at.0),
            message.map(|sms| sms.code.as_str()),
            message.and_then(|sms| sms.text.as_deref()),
            a.messages,
            a.in_doubt_until.map(|at| at.0),
            a.expires_at.map(|at| at.0),
            a.cancel_allowed_at.map(|at| at.0),
            a.due_at.map(|at| at.0),
            a.tries,
            a.failure.map(Failure::slug),
            a.price.0,
            a.policy.0,
            a.policy.1,
            a.late_code_at.map(|at| at.0),
        ],
        Refused::Stale,
    )
}

/// Whether the row still has this version.
pub(crate) fn is_current(conn: &dyn Connection, a: &Activation) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM activation WHERE id = ?1 AND version = ?2";
    exists(conn, sql, params![a.id.0, a.version])
}

/// Whether another account's activation with this number lives.
pub(crate) fn number_lives_elsewhere(
    conn: &dyn Connection,
    phone: &Phone,
    account: AccountId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM activation WHERE phone = ?1 AND account_id <> ?2 \
               AND (state IN ('active', 'cancel_requested') \
                    OR (state = 'received' AND expires_at > ?3))";
    exists(conn, sql, params![phone.digits(), account.0, now.0])
}

fn read(row: &Row<'_>) -> Result<Activation, Fault> {
    let cells = &mut Cells::new("activation", row);
    Ok(Activation {
        id: OrderId(cells.take()?),
        account: AccountId(cells.take()?),
        version: cells.take()?,
        state: cells.word(ActivationState::from_slug)?,
        told: cells.word(Told::from_slug)?,
        wanted: read_wanted(cells)?,
        price: cells.usd()?,
        cost_quote: cells.usd()?,
        policy: (cells.take()?, cells.take()?),
        upstream: cells.take()?,
        attempt: cells.take()?,
        upstream_id: cells.take()?,
        phone: cells.maybe_word(Phone::parse)?,
        cost: cells.maybe_usd()?,
        disclosed_at: cells.maybe_time()?,
        message: read_message(cells)?,
        messages: cells.take()?,
        created_at: cells.time()?,
        in_doubt_until: cells.maybe_time()?,
        expires_at: cells.maybe_time()?,
        cancel_allowed_at: cells.maybe_time()?,
        due_at: cells.maybe_time()?,
        tries: cells.take()?,
        failure: cells.maybe_word(Failure::from_slug)?,
        late_code_at: cells.maybe_time()?,
    })
}

/// What was asked for: seven cells, as they are kept.
pub(crate) fn read_wanted(cells: &mut Cells<'_>) -> Result<Wanted, Fault> {
    Ok(Wanted {
        server: cells.take()?,
        provider_type: cells.take()?,
        country_id: cells.take()?,
        country_key: cells.take()?,
        service_id: cells.take()?,
        service_name: cells.take()?,
        pool_id: cells.take()?,
    })
}

fn read_message(cells: &mut Cells<'_>) -> Result<Option<Sms>, Fault> {
    let (code, text): (Option<String>, Option<String>) = (cells.take()?, cells.take()?);
    Ok(code.map(|code| Sms { code, text }))
}

/// One activation.
pub(crate) fn by_id(conn: &dyn Connection, id: OrderId) -> Result<Option<Activation>, Fault> {
    let sql = concat!("SELECT ", columns!(), " FROM activation WHERE id = ?1");
    one(conn, sql, params![id.0], read)
}

/// A page of an account's activations that their client may know of.
pub(crate) fn listed(
    conn: &dyn Connection,
    account: AccountId,
    page: &Page,
) -> Result<Vec<Activation>, Fault> {
    let listed = page::Listed {
        table: "activation",
        columns: columns!(),
        shown: None,
    };
    let query = page::query(&listed, account, page);
    many(conn, &query.sql, query.args(), read)
}

/// Those of an upstream whose time has come, claimed for this node.
pub(crate) fn claimed_due(
    conn: &dyn Connection,
    upstream: &str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Activation>, Fault> {
    let due = Due {
        select_from: concat!("SELECT ", columns!(), " FROM activation"),
        also: "AND upstream = ?2",
        limit,
    };
    claimed(conn, due, params![now.0, upstream], read)
}

/// Upstreams at which the time of an activation or an orphan has come, by name.
pub(crate) fn upstreams_due(conn: &dyn Connection, now: Timestamp) -> Result<Vec<String>, Fault> {
    // from one upstream to the next by the index, past however many rows are due at each
    let sql = "WITH RECURSIVE \
         active (place) AS (SELECT MIN(upstream) FROM activation WHERE due_at IS NOT NULL \
             UNION ALL SELECT (SELECT MIN(upstream) FROM activation \
                 WHERE due_at IS NOT NULL AND upstream > place) FROM active WHERE place IS NOT NULL), \
         left_over (place) AS (SELECT MIN(upstream) FROM orphan WHERE due_at IS NOT NULL \
             UNION ALL SELECT (SELECT MIN(upstream) FROM orphan \
                 WHERE due_at IS NOT NULL AND upstream > place) FROM left_over WHERE place IS NOT NULL) \
         SELECT place FROM active \
             WHERE EXISTS (SELECT 1 FROM activation WHERE upstream = place AND due_at <= ?1) \
         UNION SELECT place FROM left_over \
             WHERE EXISTS (SELECT 1 FROM orphan WHERE upstream = place AND due_at <= ?1) \
         ORDER BY 1";
    many(conn, sql, params![now.0], |row| {
        Cells::new("activation", row).take()
    })
}

/// Due ones, the longest due first.
pub(crate) fn due(
    conn: &dyn Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Activation>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM activation WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2"
    );
    many(conn, sql, params![now.0, limit], read)
}

/// Those that may still receive something.
pub(crate) fn live(conn: &dyn Connection, upstream: &str) -> Result<Vec<Activation>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM activation WHERE upstream = ?1 AND state IN ('active', 'cancel_requested') \
          AND upstream_id IS NOT NULL UNION ALL SELECT ",
        columns!(),
        " FROM activation WHERE upstream = ?1 AND state = 'received' AND due_at IS NOT NULL"
    );
    many(conn, sql, params![upstream], read)
}

/// In doubt, oldest first.
pub(crate) fn in_doubt(conn: &dyn Connection, upstream: &str) -> Result<Vec<Activation>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM activation WHERE upstream = ?1 AND state = 'in_doubt' ORDER BY id"
    );
    many(conn, sql, params![upstream], read)
}

/// The latest that ended after a number was shown.
pub(crate) fn ended(conn: &dyn Connection, limit: u32) -> Result<Vec<EndedActivation>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        ", reason, at FROM activation JOIN resolution ON order_id = id \
          WHERE state IN ('received', 'cancelled') AND disclosed_at IS NOT NULL \
          ORDER BY id DESC LIMIT ?1"
    );
    many(conn, sql, params![limit], |row| {
        let ended = &mut Cells::from("resolution", row, CELLS);
        Ok((read(row)?, ended.word(Reason::from_slug)?, ended.time()?))
    })
}
