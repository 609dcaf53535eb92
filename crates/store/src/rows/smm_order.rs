//! SMM orders and what panels said of them: rows, writes and questions.

use crate::sql::arg::ToArg;
use crate::sql::{Arg, Connection, Due, Row, params};
use domain::change::Refused;
use domain::ids::{AccountId, OrderId};
use domain::link;
use domain::order::{Failure, Told};
use domain::ports::{AtPanels, Page};
use domain::smm_order::{Candidate, Observation, SmmOrder, SmmState};
use domain::time::Timestamp;
use domain::upstream::Progress;

use super::page;
use crate::sql::cells::{Cells, claimed, exists, many, one};
use crate::sql::fault::Fault;

macro_rules! columns {
    () => {
        "id, account_id, version, state, told, service_id, service_name, link, members, quantity, \
         flat, price, cost_quote, policy_class, policy_version, upstream, upstream_service, \
         attempt, upstream_id, progress, remains, start_count, charge, candidate_progress, \
         candidate_remains, candidate_since, observations, returned, adjustments, created_at, \
         in_doubt_until, resolved_at, due_at, tries, failure"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO smm_order (",
    columns!(),
    ", target) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, \
     ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36)"
);

const UPDATE: &str = "UPDATE smm_order SET version = version + 1, state = ?3, told = ?4, \
    cost_quote = ?5, upstream = ?6, upstream_service = ?7, attempt = ?8, upstream_id = ?9, \
    progress = ?10, remains = ?11, start_count = ?12, charge = ?13, candidate_progress = ?14, \
    candidate_remains = ?15, candidate_since = ?16, observations = ?17, returned = ?18, \
    adjustments = ?19, in_doubt_until = ?20, resolved_at = ?21, due_at = ?22, \
    claimed_until = NULL, tries = ?23, \
    failure = ?24 WHERE id = ?1 AND version = ?2";

/// The word the client sees, as the rules derive it from state and progress.
const SHOWN: &str = "CASE WHEN state IN ('calling', 'in_doubt', 'undo') THEN 'Pending' \
    WHEN state = 'failed' THEN 'Canceled' ELSE progress END";

fn stored(count: u64) -> Result<i64, Fault> {
    i64::try_from(count).map_err(|_| Fault::Wrong(format!("a count of {count} cannot be stored")))
}

/// A new row.
pub(crate) fn insert(conn: &dyn Connection, o: &SmmOrder) -> Result<(), Fault> {
    let candidate = o.candidate.as_ref();
    conn.write(
        INSERT,
        params![
            o.id.0,
            o.account.0,
            o.version,
            o.state.slug(),
            o.told.slug(),
            o.service_id,
            o.service_name,
            o.link,
            o.members,
            stored(o.quantity)?,
            o.flat,
            o.price.0,
            o.cost_quote.0,
            o.policy.0,
            o.policy.1,
            o.upstream,
            o.upstream_service,
            o.attempt,
            o.upstream_id,
            o.progress.word(),
            stored(o.remains)?,
            o.start_count,
            o.charge.map(|charge| charge.0),
            candidate.map(|seen| seen.progress.word()),
            candidate.and_then(|seen| seen.remains),
            candidate.map(|seen| seen.since.0),
            o.observations,
            o.returned.0,
            o.adjustments,
            o.created_at.0,
            o.in_doubt_until.map(|at| at.0),
            o.resolved_at.map(|at| at.0),
            o.due_at.map(|at| at.0),
            o.tries,
            o.failure.map(Failure::slug),
            link::target(&o.link),
        ],
    )
}

/// Everything that may change. Guard: the version that was read.
pub(crate) fn update(conn: &dyn Connection, o: &SmmOrder) -> Result<(), Fault> {
    let candidate = o.candidate.as_ref();
    conn.write_one(
        UPDATE,
        params![
            o.id.0,
            o.version,
            o.state.slug(),
            o.told.slug(),
            o.cost_quote.0,
            o.upstream,
            o.upstream_service,
            o.attempt,
            o.upstream_id,
            o.progress.word(),
            stored(o.remains)?,
            o.start_count,
            o.charge.map(|charge| charge.0),
            candidate.map(|seen| seen.progress.word()),
            candidate.and_then(|seen| seen.remains),
            candidate.map(|seen| seen.since.0),
            o.observations,
            o.returned.0,
            o.adjustments,
            o.in_doubt_until.map(|at| at.0),
            o.resolved_at.map(|at| at.0),
            o.due_at.map(|at| at.0),
            o.tries,
            o.failure.map(Failure::slug),
        ],
        Refused::Stale,
    )
}

/// Looked at again later. Guard: it is there.
pub(crate) fn postpone(
    conn: &dyn Connection,
    order: OrderId,
    due_at: Timestamp,
) -> Result<(), Fault> {
    let sql = "UPDATE smm_order SET due_at = ?2, claimed_until = NULL WHERE id = ?1";
    conn.write_one(sql, params![order.0, due_at.0], Refused::Stale)
}

/// What a panel said, appended.
pub(crate) fn observe(conn: &dyn Connection, seen: &Observation) -> Result<(), Fault> {
    let sql = "INSERT INTO observation (order_id, seq, raw_status, remains, start_count, charge, \
               at, progress) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    conn.write(
        sql,
        params![
            seen.order.0,
            seen.seq,
            seen.raw_status,
            seen.remains,
            seen.start_count,
            seen.charge.map(|charge| charge.0),
            seen.at.0,
            seen.progress.map(Progress::word),
        ],
    )
}

/// Whether the row still has this version.
pub(crate) fn is_current(conn: &dyn Connection, o: &SmmOrder) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM smm_order WHERE id = ?1 AND version = ?2";
    exists(conn, sql, params![o.id.0, o.version])
}

/// Whether an order for the same service and target is open.
pub(crate) fn is_open(conn: &dyn Connection, service_id: &str, link: &str) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM smm_order WHERE service_id = ?1 AND target = ?2 \
               AND state IN ('calling', 'in_doubt', 'active', 'undo', 'review')";
    exists(conn, sql, params![service_id, link::target(link)])
}

fn read(row: &Row<'_>) -> Result<SmmOrder, Fault> {
    let cells = &mut Cells::new("smm_order", row);
    Ok(SmmOrder {
        id: OrderId(cells.take()?),
        account: AccountId(cells.take()?),
        version: cells.take()?,
        state: cells.word(SmmState::from_slug)?,
        told: cells.word(Told::from_slug)?,
        service_id: cells.take()?,
        service_name: cells.take()?,
        link: cells.take()?,
        members: cells.take()?,
        quantity: cells.count()?,
        flat: cells.take()?,
        price: cells.usd()?,
        cost_quote: cells.usd()?,
        policy: (cells.take()?, cells.take()?),
        upstream: cells.take()?,
        upstream_service: cells.take()?,
        attempt: cells.take()?,
        upstream_id: cells.take()?,
        progress: cells.word(Progress::from_word)?,
        remains: cells.count()?,
        start_count: cells.take()?,
        charge: cells.maybe_usd()?,
        candidate: read_candidate(cells)?,
        observations: cells.take()?,
        returned: cells.usd()?,
        adjustments: cells.take()?,
        created_at: cells.time()?,
        in_doubt_until: cells.maybe_time()?,
        resolved_at: cells.maybe_time()?,
        due_at: cells.maybe_time()?,
        tries: cells.take()?,
        failure: cells.maybe_word(Failure::from_slug)?,
    })
}

fn read_candidate(cells: &mut Cells<'_>) -> Result<Option<Candidate>, Fault> {
    let progress = cells.maybe_word(Progress::from_word)?;
    let remains = cells.take()?;
    let since = cells.maybe_time()?;
    Ok(progress.zip(since).map(|(progress, since)| Candidate {
        progress,
        remains,
        since,
    }))
}

/// One order.
pub(crate) fn by_id(conn: &dyn Connection, id: OrderId) -> Result<Option<SmmOrder>, Fault> {
    let sql = concat!("SELECT ", columns!(), " FROM smm_order WHERE id = ?1");
    one(conn, sql, params![id.0], read)
}

/// A page of an account's orders that their client may know of.
pub(crate) fn listed(
    conn: &dyn Connection,
    account: AccountId,
    page: &Page,
) -> Result<Vec<SmmOrder>, Fault> {
    let listed = page::Listed {
        table: "smm_order",
        columns: columns!(),
        shown: Some(SHOWN),
    };
    let query = page::query(&listed, account, page);
    many(conn, &query.sql, query.args(), read)
}

/// Those whose time has come at some panels, claimed for this node.
pub(crate) fn claimed_due(
    conn: &dyn Connection,
    at: &AtPanels,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<SmmOrder>, Fault> {
    let select_from = concat!("SELECT ", columns!(), " FROM smm_order");
    claimed_at(conn, select_from, at, (now, limit), read)
}

/// Due rows of a table that names a panel in each of them.
pub(super) fn claimed_at<T>(
    conn: &dyn Connection,
    select_from: &str,
    at: &AtPanels,
    (now, limit): (Timestamp, u32),
    read: impl Fn(&Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let (names, also) = match at {
        AtPanels::One(name) => (std::slice::from_ref(name), "AND upstream = ?2".to_owned()),
        AtPanels::NoneOf(names) if names.is_empty() => (&[][..], String::new()),
        AtPanels::NoneOf(names) => {
            let places: Vec<_> = (2..names.len() + 2).map(|at| format!("?{at}")).collect();
            let also = format!("AND upstream NOT IN ({})", places.join(", "));
            (names.as_slice(), also)
        }
    };
    let mut args: Vec<Arg<'_>> = params![now.0].to_vec();
    args.extend(names.iter().map(ToArg::arg));
    let due = Due {
        select_from,
        also: &also,
        limit,
    };
    claimed(conn, due, &args, read)
}

/// Due ones, the longest due first.
pub(crate) fn due(
    conn: &dyn Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<SmmOrder>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM smm_order WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2"
    );
    many(conn, sql, params![now.0, limit], read)
}

/// In doubt, oldest first.
pub(crate) fn in_doubt(conn: &dyn Connection, upstream: &str) -> Result<Vec<SmmOrder>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM smm_order WHERE upstream = ?1 AND state = 'in_doubt' ORDER BY id"
    );
    many(conn, sql, params![upstream], read)
}
