//! What the console writes of its own: requests for money, notes, announcements, paused upstreams.

use super::{account_case, rule_change};
use crate::sql::{Connection, Row, params};
use domain::change::Refused;
use domain::desk::{
    AccountNote, Announcement, DeskWrite, InForce, MoneyRequest, MoneyState, Pause,
};
use domain::ids::{AccountId, PersonId};
use domain::time::Timestamp;

use crate::sql::cells::{Cells, exists, many, one};
use crate::sql::fault::Fault;

const REQUEST: &str = "id, once, account_id, amount, reason, asked_by, asked_at, state, decided_by, \
                       decided_at";

/// The account a write is about.
pub(crate) fn account_of(write: &DeskWrite) -> Option<AccountId> {
    match write {
        DeskWrite::Ask(request) => Some(request.account),
        DeskWrite::Note(note) => Some(note.account),
        _ => None,
    }
}

/// The guards of a write, by reads alone.
pub(crate) fn check(conn: &dyn Connection, write: &DeskWrite) -> Result<(), Fault> {
    let holds = match write {
        DeskWrite::Ask(request) => {
            let sql = "SELECT 1 FROM money_request WHERE once = ?1";
            !exists(conn, sql, params![request.once])?
        }
        DeskWrite::Decide(request) => {
            let sql = "SELECT 1 FROM money_request WHERE id = ?1 AND state = 'open'";
            exists(conn, sql, params![request.id])?
        }
        DeskWrite::EndAnnouncement { id, at } => {
            let sql = "SELECT 1 FROM announcement WHERE id = ?1 \
                       AND (shows_until IS NULL OR shows_until > ?2)";
            exists(conn, sql, params![id, at.0])?
        }
        DeskWrite::Pause(pause) => !is_paused(conn, &pause.upstream)?,
        DeskWrite::Resume { upstream, .. } => is_paused(conn, upstream)?,
        DeskWrite::Note(_) | DeskWrite::Announce(_) => true,
    };
    holds.then_some(()).ok_or(Fault::Refused(Refused::Stale))
}

/// The rows of a write whose guards have passed.
pub(crate) fn write(conn: &dyn Connection, write: &DeskWrite) -> Result<(), Fault> {
    match write {
        DeskWrite::Ask(request) => ask(conn, request),
        DeskWrite::Decide(request) => conn.write_one(
            "UPDATE money_request SET state = ?2, decided_by = ?3, decided_at = ?4 WHERE id = ?1 \
             AND state = 'open'",
            params![
                request.id,
                request.state.slug(),
                request.decided_by.map(|person| person.0),
                request.decided_at.map(|at| at.0),
            ],
            Refused::Stale,
        ),
        DeskWrite::Note(note) => conn.write(
            "INSERT INTO account_note (id, account_id, person_id, text, at) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![note.id, note.account.0, note.by.0, note.text, note.at.0],
        ),
        DeskWrite::Announce(one) => conn.write(
            "INSERT INTO announcement (id, text, person_id, shows_from, shows_until) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                one.id,
                one.text,
                one.by.0,
                one.from.0,
                one.until.map(|at| at.0)
            ],
        ),
        DeskWrite::EndAnnouncement { id, at } => conn.write_one(
            "UPDATE announcement SET shows_until = ?2 WHERE id = ?1",
            params![id, at.0],
            Refused::Stale,
        ),
        DeskWrite::Pause(pause) => {
            conn.write(
                "INSERT INTO upstream_pause (upstream, actor, why, since) VALUES (?1, ?2, ?3, ?4)",
                params![pause.upstream, pause.actor, pause.why, pause.since.0],
            )?;
            conn.announce_access()
        }
        DeskWrite::Resume { upstream, .. } => {
            conn.write_one(
                "DELETE FROM upstream_pause WHERE upstream = ?1",
                params![upstream.as_str()],
                Refused::Stale,
            )?;
            conn.announce_access()
        }
    }
}

fn is_paused(conn: &dyn Connection, upstream: &str) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM upstream_pause WHERE upstream = ?1";
    exists(conn, sql, params![upstream])
}

/// Everything that purchases have to know.
pub(crate) fn in_force(conn: &dyn Connection) -> Result<InForce, Fault> {
    Ok(InForce {
        pauses: pauses(conn)?,
        loosened: rule_change::granted(conn)?,
        measures: account_case::measures(conn)?,
    })
}

/// Paused upstreams, by name.
fn pauses(conn: &dyn Connection) -> Result<Vec<Pause>, Fault> {
    let sql = "SELECT upstream, actor, why, since FROM upstream_pause ORDER BY upstream";
    many(conn, sql, params![], |row| {
        let cells = &mut Cells::new("upstream_pause", row);
        Ok(Pause {
            upstream: cells.take()?,
            actor: cells.take()?,
            why: cells.take()?,
            since: cells.time()?,
        })
    })
}

fn ask(conn: &dyn Connection, request: &MoneyRequest) -> Result<(), Fault> {
    let sql = "INSERT INTO money_request (id, once, account_id, amount, reason, asked_by, asked_at, \
               state, decided_by, decided_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    conn.write(
        sql,
        params![
            request.id,
            request.once,
            request.account.0,
            request.amount.0,
            request.reason,
            request.asked_by.0,
            request.asked_at.0,
            request.state.slug(),
            request.decided_by.map(|person| person.0),
            request.decided_at.map(|at| at.0),
        ],
    )
}

fn request(row: &Row<'_>) -> Result<MoneyRequest, Fault> {
    let cells = &mut Cells::new("money_request", row);
    Ok(MoneyRequest {
        id: cells.take()?,
        once: cells.take()?,
        account: AccountId(cells.take()?),
        amount: cells.usd()?,
        reason: cells.take()?,
        asked_by: PersonId(cells.take()?),
        asked_at: cells.time()?,
        state: cells.word(MoneyState::from_slug)?,
        decided_by: cells.take::<Option<i64>>()?.map(PersonId),
        decided_at: cells.maybe_time()?,
    })
}

/// One request.
pub(crate) fn money_request(conn: &dyn Connection, id: i64) -> Result<Option<MoneyRequest>, Fault> {
    let sql = format!("SELECT {REQUEST} FROM money_request WHERE id = ?1");
    one(conn, &sql, params![id], request)
}

/// The request that a form made.
pub(crate) fn money_request_once(
    conn: &dyn Connection,
    once: &str,
) -> Result<Option<MoneyRequest>, Fault> {
    let sql = format!("SELECT {REQUEST} FROM money_request WHERE once = ?1");
    one(conn, &sql, params![once], request)
}

/// Requests, newest first.
pub(crate) fn money_requests(
    conn: &dyn Connection,
    account: Option<AccountId>,
    open_only: bool,
    limit: u32,
) -> Result<Vec<MoneyRequest>, Fault> {
    let state = if open_only { "AND state = 'open' " } else { "" };
    let of_account = match account {
        Some(_) => "account_id = ?2",
        None => "0 = ?2",
    };
    let sql = format!(
        "SELECT {REQUEST} FROM money_request WHERE {of_account} {state}ORDER BY id DESC LIMIT ?1"
    );
    let account = account.map_or(0, |account| account.0);
    many(conn, &sql, params![limit, account], request)
}

/// Notes about an account, newest first.
pub(crate) fn account_notes(
    conn: &dyn Connection,
    account: AccountId,
    limit: u32,
) -> Result<Vec<AccountNote>, Fault> {
    let sql = "SELECT id, account_id, person_id, text, at FROM account_note \
               WHERE account_id = ?1 ORDER BY id DESC LIMIT ?2";
    many(conn, sql, params![account.0, limit], |row| {
        let cells = &mut Cells::new("account_note", row);
        Ok(AccountNote {
            id: cells.take()?,
            account: AccountId(cells.take()?),
            by: PersonId(cells.take()?),
            text: cells.take()?,
            at: cells.time()?,
        })
    })
}

/// Announcements, newest first; those that show at a time, or all.
pub(crate) fn announcements(
    conn: &dyn Connection,
    at: Option<Timestamp>,
    limit: u32,
) -> Result<Vec<Announcement>, Fault> {
    let shows = match at {
        Some(_) => "shows_from <= ?2 AND (shows_until IS NULL OR shows_until > ?2)",
        None => "0 = ?2",
    };
    let sql = format!(
        "SELECT id, text, person_id, shows_from, shows_until FROM announcement WHERE {shows} \
         ORDER BY id DESC LIMIT ?1"
    );
    let at = at.map_or(0, |at| at.0);
    many(conn, &sql, params![limit, at], |row| {
        let cells = &mut Cells::new("announcement", row);
        Ok(Announcement {
            id: cells.take()?,
            text: cells.take()?,
            by: PersonId(cells.take()?),
            from: cells.time()?,
            until: cells.maybe_time()?,
        })
    })
}
