//! Cases against accounts, and what the signals that raise them are read from.

use crate::rows::activation::read_wanted;
use crate::sql::cells::{Cells, exists, many, one};
use crate::sql::fault::Fault;
use crate::sql::{Connection, Row, params};
use domain::activation::{ActivationState, Wanted};
use domain::change::{Reason, Refused};
use domain::ids::{AccountId, PersonId};
use domain::policy::{AccountCase, Appeal, Closure, Measure, RecentNumber, SHARED, Signal};
use domain::time::Timestamp;
use std::collections::{BTreeMap, HashMap};

const CASE: &str = "id, version, account_id, signal, evidence, opened_at, measure, due_at, appeal, \
                    appealed_at, closure_by, closure_why, closure_at, decided_by, note, closed_at";

/// Rows of sessions that are looked through for shared devices.
const SESSIONS: u32 = 5000;

/// Whether a case is there as it was read.
pub(crate) fn is_current(conn: &dyn Connection, case: &AccountCase) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM account_case WHERE id = ?1 AND version = ?2";
    exists(conn, sql, params![case.id, case.version])
}

/// A new case. Where one of the same signal is open, that one is raised again.
pub(crate) fn raise(conn: &dyn Connection, new: &AccountCase) -> Result<(), Fault> {
    let sql = format!(
        "SELECT {CASE} FROM account_case WHERE account_id = ?1 AND signal = ?2 AND closed_at IS NULL"
    );
    let open = one(conn, &sql, params![new.account.0, new.signal.slug()], case)?;
    match open {
        None => insert(conn, new),
        Some(open) => step(conn, &open.raised_again(new.clone())),
    }
}

fn insert(conn: &dyn Connection, case: &AccountCase) -> Result<(), Fault> {
    let sql = "INSERT INTO account_case (id, version, account_id, signal, evidence, opened_at, measure, \
               due_at) VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7)";
    conn.write(
        sql,
        params![
            case.id,
            case.account.0,
            case.signal.slug(),
            case.evidence,
            case.opened_at.0,
            case.measure.slug(),
            case.due_at.map(|at| at.0),
        ],
    )?;
    conn.announce_access()
}

/// A case moves on.
pub(crate) fn step(conn: &dyn Connection, case: &AccountCase) -> Result<(), Fault> {
    let (appeal, closure) = (case.appeal.as_ref(), case.closure.as_ref());
    let sql = "UPDATE account_case SET version = version + 1, measure = ?3, due_at = ?4, appeal = ?5, \
               appealed_at = ?6, closure_by = ?7, closure_why = ?8, closure_at = ?9, decided_by = ?10, \
               note = ?11, closed_at = ?12, evidence = ?13 WHERE id = ?1 AND version = ?2";
    conn.write_one(
        sql,
        params![
            case.id,
            case.version,
            case.measure.slug(),
            case.due_at.map(|at| at.0),
            appeal.map(|appeal| appeal.text.clone()),
            appeal.map(|appeal| appeal.at.0),
            closure.map(|closure| closure.by.0),
            closure.map(|closure| closure.why.clone()),
            closure.map(|closure| closure.at.0),
            case.decided_by.map(|person| person.0),
            case.note.clone(),
            case.closed_at.map(|at| at.0),
            case.evidence.clone(),
        ],
        Refused::Stale,
    )?;
    conn.announce_access()
}

/// Whether two persons have closed an account.
pub(crate) fn is_shut(conn: &dyn Connection, account: AccountId) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM account_case WHERE account_id = ?1 AND measure = 'close'";
    exists(conn, sql, params![account.0])
}

/// The open cases of an account hold nothing any longer, and nobody proposes to close it.
pub(crate) fn ease(conn: &dyn Connection, account: AccountId) -> Result<(), Fault> {
    let sql = "UPDATE account_case SET measure = 'log', due_at = NULL, closure_by = NULL, \
               closure_why = NULL, closure_at = NULL, version = version + 1 \
               WHERE account_id = ?1 AND closed_at IS NULL \
               AND (measure <> 'log' OR closure_by IS NOT NULL)";
    conn.execute(sql, params![account.0])?;
    conn.announce_access()
}

fn case(row: &Row<'_>) -> Result<AccountCase, Fault> {
    let cells = &mut Cells::new("account_case", row);
    let (id, version) = (cells.take()?, cells.take()?);
    let account = AccountId(cells.take()?);
    let signal = cells.word(Signal::from_slug)?;
    let (evidence, opened_at) = (cells.take()?, cells.time()?);
    let measure = cells.word(Measure::from_slug)?;
    let due_at = cells.maybe_time()?;
    let appeal = (cells.take::<Option<String>>()?).zip(cells.maybe_time()?);
    let by: Option<i64> = cells.take()?;
    let why: Option<String> = cells.take()?;
    let closure = by.zip(why).zip(cells.maybe_time()?);
    Ok(AccountCase {
        id,
        version,
        account,
        signal,
        evidence,
        opened_at,
        measure,
        due_at,
        appeal: appeal.map(|(text, at)| Appeal { text, at }),
        closure: closure.map(|((by, why), at)| Closure {
            by: PersonId(by),
            why,
            at,
        }),
        decided_by: cells.take::<Option<i64>>()?.map(PersonId),
        note: cells.take()?,
        closed_at: cells.maybe_time()?,
    })
}

/// One case.
pub(crate) fn by_id(conn: &dyn Connection, id: i64) -> Result<Option<AccountCase>, Fault> {
    let sql = format!("SELECT {CASE} FROM account_case WHERE id = ?1");
    one(conn, &sql, params![id], case)
}

/// Cases, newest first.
pub(crate) fn list(
    conn: &dyn Connection,
    account: Option<AccountId>,
    open_only: bool,
    limit: u32,
) -> Result<Vec<AccountCase>, Fault> {
    let of_account = match account {
        Some(_) => "account_id = ?2",
        None => "0 = ?2",
    };
    let open = if open_only {
        "AND closed_at IS NULL "
    } else {
        ""
    };
    let sql = format!(
        "SELECT {CASE} FROM account_case WHERE {of_account} {open}ORDER BY id DESC LIMIT ?1"
    );
    let account = account.map_or(0, |account| account.0);
    many(conn, &sql, params![limit, account], case)
}

/// Cases whose automatic step times out until then, longest due first.
pub(crate) fn due(
    conn: &dyn Connection,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<AccountCase>, Fault> {
    let sql = format!(
        "SELECT {CASE} FROM account_case WHERE due_at IS NOT NULL AND due_at <= ?1 \
         AND closed_at IS NULL ORDER BY due_at LIMIT ?2"
    );
    many(conn, &sql, params![until.0, limit], case)
}

/// The hardest measure against each account that is under any.
pub(crate) fn measures(conn: &dyn Connection) -> Result<HashMap<AccountId, Measure>, Fault> {
    let sql = "SELECT account_id, measure FROM account_case WHERE measure <> 'log' \
               AND (closed_at IS NULL OR measure = 'close')";
    let rows = many(conn, sql, params![], |row| {
        let cells = &mut Cells::new("account_case", row);
        Ok((AccountId(cells.take()?), cells.word(Measure::from_slug)?))
    })?;
    let mut hardest = HashMap::new();
    for (account, measure) in rows {
        let known = hardest.entry(account).or_insert(measure);
        *known = measure.max(*known);
    }
    Ok(hardest)
}

/// What an account bought last, newest first.
pub(crate) fn recent(
    conn: &dyn Connection,
    account: AccountId,
    limit: u32,
) -> Result<Vec<(Wanted, RecentNumber)>, Fault> {
    let sql = "SELECT a.server, a.provider_type, a.country_id, a.country_key, a.service_id, \
               a.service_name, a.pool_id, a.created_at, a.state, r.reason, r.at FROM activation a \
               LEFT JOIN resolution r ON r.order_id = a.id \
               WHERE a.account_id = ?1 AND a.state <> 'failed' ORDER BY a.id DESC LIMIT ?2";
    many(conn, sql, params![account.0, limit], |row| {
        let cells = &mut Cells::new("activation", row);
        let wanted = read_wanted(cells)?;
        let at = cells.time()?;
        let state = cells.word(ActivationState::from_slug)?;
        let reason = cells.maybe_word(Reason::from_slug)?;
        let ended = cells.maybe_time()?;
        let received = match (state, reason) {
            (ActivationState::Received, _) => Some(true),
            (_, Some(Reason::Expired | Reason::ClosedUpstream)) => Some(false),
            _ => None,
        };
        let number = RecentNumber {
            at,
            cancelled_at: ended.filter(|_| reason == Some(Reason::Cancelled)),
            received,
            usual: None,
        };
        Ok((wanted, number))
    })
}

/// How many messages of an account's numbers were withheld since then.
pub(crate) fn withheld(
    conn: &dyn Connection,
    account: AccountId,
    since: Timestamp,
) -> Result<u64, Fault> {
    let sql = "SELECT count(*) FROM ticket t JOIN activation a ON a.id = t.reference \
               WHERE t.kind = 'withheld_message' AND t.opened_at > ?2 AND a.account_id = ?1";
    let counted = one(conn, sql, params![account.0, since.0], |row| {
        Cells::new("ticket", row).count()
    })?;
    Ok(counted.unwrap_or(0))
}

/// The accounts of each device that several were used from since then.
pub(crate) fn shared_devices(
    conn: &dyn Connection,
    since: Timestamp,
) -> Result<Vec<Vec<AccountId>>, Fault> {
    let sql = "SELECT DISTINCT s.address, s.agent, p.account_id FROM session s \
               JOIN person p ON p.id = s.person_id \
               JOIN (SELECT t.address, t.agent FROM session t JOIN person q ON q.id = t.person_id \
                   WHERE t.seen_at > ?1 AND t.address <> '' AND t.agent <> '' \
                   GROUP BY t.address, t.agent HAVING count(DISTINCT q.account_id) >= ?2) d \
               ON d.address = s.address AND d.agent = s.agent \
               WHERE s.seen_at > ?1 AND p.account_id IS NOT NULL \
               ORDER BY s.address, s.agent, p.account_id LIMIT ?3";
    let least = u32::try_from(SHARED).unwrap_or(u32::MAX);
    let rows = many(conn, sql, params![since.0, least, SESSIONS], |row| {
        let cells = &mut Cells::new("session", row);
        let device: (String, String) = (cells.take()?, cells.take()?);
        Ok((device, AccountId(cells.take()?)))
    })?;
    let mut devices: BTreeMap<(String, String), Vec<AccountId>> = BTreeMap::new();
    for (device, account) in rows {
        devices.entry(device).or_default().push(account);
    }
    Ok(devices.into_values().collect())
}
