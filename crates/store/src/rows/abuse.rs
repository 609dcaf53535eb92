//! Reports of abuse, legal holds and counted denials.

use super::retention;
use crate::sql::cells::{Cells, exists, many, one};
use crate::sql::fault::Fault;
use crate::sql::{Connection, Row, params};
use domain::change::Refused;
use domain::ids::{AccountId, OrderId};
use domain::policy::{
    AbuseCase, Behind, BlockedKind, Counters, Harm, Held, LegalHold, PolicyWrite, REPORT_SLACK,
};
use domain::time::{Millis, Timestamp};

/// Closed reports that the median is taken over.
const MEDIAN_OF: u32 = 1000;

macro_rules! cases {
    () => {
        "SELECT id, receipt, kind, subject, harm, what, contact, happened_at, order_id, account_id, \
         class, suspended, opened_at, closed_at, note FROM abuse_case"
    };
}

/// The rows of a write whose guards have passed.
pub(crate) fn write(
    conn: &dyn Connection,
    write: &PolicyWrite,
    now: Timestamp,
) -> Result<(), Fault> {
    match write {
        PolicyWrite::OpenCase(case) => open(conn, case),
        PolicyWrite::CloseCase { case, note } => close(conn, *case, note, now),
        PolicyWrite::Hold(one) => hold(conn, one),
        PolicyWrite::Release(held) => {
            let (kind, subject) = held.parts();
            let sql = "UPDATE legal_hold SET released_at = ?3 WHERE kind = ?1 AND subject = ?2 \
                       AND released_at IS NULL AND case_id IS NULL";
            conn.write(sql, params![kind, subject, now.0])
        }
        PolicyWrite::CountDenials(denials) => count(conn, denials),
        other => retention::write(conn, other),
    }
}

fn open(conn: &dyn Connection, case: &AbuseCase) -> Result<(), Fault> {
    let behind = case.behind.as_ref();
    let sql = "INSERT INTO abuse_case (id, receipt, kind, subject, harm, what, contact, happened_at, \
               order_id, account_id, class, suspended, opened_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    conn.write(
        sql,
        params![
            case.id,
            case.receipt,
            case.kind.slug(),
            case.subject,
            case.harm.slug(),
            case.what,
            case.contact,
            case.happened_at.map(|at| at.0),
            behind.map(|behind| behind.order.0),
            behind.map(|behind| behind.account.0),
            behind.map_or("", |behind| behind.class.as_str()),
            case.suspended,
            case.opened_at.0,
        ],
    )
}

fn close(conn: &dyn Connection, case: i64, note: &str, now: Timestamp) -> Result<(), Fault> {
    let sql = "UPDATE abuse_case SET closed_at = ?2, note = ?3 WHERE id = ?1 AND closed_at IS NULL";
    conn.write_one(sql, params![case, now.0, note], Refused::Stale)?;
    let sql = "UPDATE legal_hold SET released_at = ?2 WHERE case_id = ?1 AND released_at IS NULL";
    conn.write(sql, params![case, now.0])
}

/// Whoever asks twice for the same is held once: a second row would need a second release.
fn hold(conn: &dyn Connection, one: &LegalHold) -> Result<(), Fault> {
    let (kind, subject) = one.held.parts();
    let sql = "SELECT 1 FROM legal_hold WHERE kind = ?1 AND subject = ?2 AND why = ?3 \
               AND case_id IS NOT DISTINCT FROM ?4 AND released_at IS NULL";
    if exists(conn, sql, params![kind, subject, one.why, one.case])? {
        return Ok(());
    }
    let sql = "INSERT INTO legal_hold (id, kind, subject, why, held_at, case_id) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (id, at) = (one.id, one.at.0);
    conn.write(sql, params![id, kind, subject, one.why, at, one.case])
}

fn count(conn: &dyn Connection, denials: &[(String, u64)]) -> Result<(), Fault> {
    let sql = "INSERT INTO denial (class, count) VALUES (?1, ?2) \
               ON CONFLICT (class) DO UPDATE SET count = denial.count + ?2";
    for (class, more) in denials {
        let more = i64::try_from(*more).unwrap_or(i64::MAX);
        conn.execute(sql, params![class.as_str(), more])?;
    }
    Ok(())
}

/// Whether an operator holds this very row.
pub(crate) fn operator_holds(conn: &dyn Connection, held: Held) -> Result<bool, Fault> {
    let (kind, subject) = held.parts();
    let sql = "SELECT 1 FROM legal_hold WHERE kind = ?1 AND subject = ?2 AND released_at IS NULL \
               AND case_id IS NULL";
    exists(conn, sql, params![kind, subject])
}

/// Reports, newest first.
pub(crate) fn cases(
    conn: &dyn Connection,
    open_only: bool,
    limit: u32,
) -> Result<Vec<AbuseCase>, Fault> {
    let sql = match open_only {
        true => concat!(
            cases!(),
            " WHERE closed_at IS NULL ORDER BY id DESC LIMIT ?1"
        ),
        false => concat!(cases!(), " ORDER BY id DESC LIMIT ?1"),
    };
    many(conn, sql, params![limit], read_case)
}

/// One report.
pub(crate) fn case(conn: &dyn Connection, id: i64) -> Result<Option<AbuseCase>, Fault> {
    one(
        conn,
        concat!(cases!(), " WHERE id = ?1"),
        params![id],
        read_case,
    )
}

fn read_case(row: &Row<'_>) -> Result<AbuseCase, Fault> {
    let cells = &mut Cells::new("abuse_case", row);
    let (id, receipt) = (cells.take()?, cells.take()?);
    let kind = cells.word(BlockedKind::from_slug)?;
    let subject = cells.take()?;
    let harm = cells.word(Harm::from_slug)?;
    let (what, contact) = (cells.take()?, cells.take()?);
    let happened_at = cells.maybe_time()?;
    let (order, account): (Option<i64>, Option<i64>) = (cells.take()?, cells.take()?);
    let class: String = cells.take()?;
    let behind = order.zip(account).map(|(order, account)| Behind {
        order: OrderId(order),
        account: AccountId(account),
        class,
    });
    Ok(AbuseCase {
        id,
        receipt,
        kind,
        subject,
        harm,
        what,
        contact,
        happened_at,
        behind,
        suspended: cells.take()?,
        opened_at: cells.time()?,
        closed_at: cells.maybe_time()?,
        note: cells.take()?,
    })
}

fn read_behind(row: &Row<'_>) -> Result<Behind, Fault> {
    let cells = &mut Cells::new("activation", row);
    Ok(Behind {
        order: OrderId(cells.take()?),
        account: AccountId(cells.take()?),
        class: cells.take()?,
    })
}

/// The latest activation that held a number, at a time where one is known.
pub(crate) fn holding(
    conn: &dyn Connection,
    number: &str,
    hash: &str,
    at: Option<Timestamp>,
) -> Result<Option<Behind>, Fault> {
    let sql = "SELECT id, account_id, policy_class FROM activation \
               WHERE (phone = ?1 OR phone_hash = ?2) AND created_at <= ?3 \
               AND COALESCE(expires_at, created_at) >= ?4 ORDER BY id DESC LIMIT 1";
    let (latest, earliest) = at.map_or((i64::MAX, 0), |at| {
        ((at + REPORT_SLACK).0, (at - REPORT_SLACK).0)
    });
    let asked = params![number, hash, latest, earliest];
    one(conn, sql, asked, read_behind)
}

/// The latest SMM order for a target before a time.
pub(crate) fn ordered_for(
    conn: &dyn Connection,
    target: &str,
    at: Timestamp,
) -> Result<Option<Behind>, Fault> {
    let sql = "SELECT id, account_id, policy_class FROM smm_order \
               WHERE target = ?1 AND created_at <= ?2 AND state <> 'failed' \
               ORDER BY created_at DESC LIMIT 1";
    let latest = at + REPORT_SLACK;
    one(conn, sql, params![target, latest.0], read_behind)
}

/// What is under hold, newest first.
pub(crate) fn holds(conn: &dyn Connection, limit: u32) -> Result<Vec<LegalHold>, Fault> {
    let sql = "SELECT id, kind, subject, why, held_at, case_id FROM legal_hold \
               WHERE released_at IS NULL ORDER BY id DESC LIMIT ?1";
    many(conn, sql, params![limit], |row| {
        let cells = &mut Cells::new("legal_hold", row);
        let (id, kind): (i64, String) = (cells.take()?, cells.take()?);
        let subject = cells.take()?;
        let held = Held::from_parts(&kind, subject)
            .ok_or_else(|| Fault::Wrong(format!("legal_hold {id}: kind {kind:?}")))?;
        Ok(LegalHold {
            id,
            held,
            why: cells.take()?,
            at: cells.time()?,
            case: cells.take()?,
        })
    })
}

/// How the rules work out.
pub(crate) fn counters(conn: &dyn Connection) -> Result<Counters, Fault> {
    let sum = |sql: &str| -> Result<u64, Fault> {
        let found = one(conn, sql, params![], |row| Cells::new("count", row).count())?;
        Ok(found.unwrap_or(0))
    };
    let denials = "SELECT class, count FROM denial ORDER BY class";
    let spans = "SELECT closed_at - opened_at FROM abuse_case WHERE closed_at IS NOT NULL \
                 ORDER BY id DESC LIMIT ?1";
    let mut spans: Vec<i64> = many(conn, spans, params![MEDIAN_OF], |row| {
        Cells::new("abuse_case", row).take()
    })?;
    spans.sort_unstable();
    Ok(Counters {
        orders: sum("SELECT count(*) FROM activation")? + sum("SELECT count(*) FROM smm_order")?,
        denials: many(conn, denials, params![], |row| {
            let cells = &mut Cells::new("denial", row);
            Ok((cells.take()?, cells.count()?))
        })?,
        reports: sum("SELECT count(*) FROM abuse_case")?,
        suspensions: sum("SELECT count(*) FROM abuse_case WHERE suspended = 1")?,
        response: spans.get(spans.len() / 2).copied().map(Millis),
    })
}
