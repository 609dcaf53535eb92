//! What was asked to be loosened of the rules, and what came of it.

use crate::sql::cells::{Cells, exists, many, one};
use crate::sql::fault::Fault;
use crate::sql::{Arg, Connection, Row, params};
use domain::change::Refused;
use domain::ids::PersonId;
use domain::policy::{Loosening, LooseningState, RuleChange};

macro_rules! changes {
    ($rest:literal) => {
        concat!(
            "SELECT id, subject, figure, reason, asked_by, asked_at, state, decided_by, decided_at \
             FROM rule_change ",
            $rest
        )
    };
}

/// Whether somebody has asked for the same without an answer.
pub(crate) fn is_asked(conn: &dyn Connection, change: &RuleChange) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM rule_change WHERE subject = ?1 AND state = 'asked'";
    exists(conn, sql, params![change.what.parts().0])
}

/// The state a row must be in to become what it is now.
fn before(change: &RuleChange) -> &'static str {
    match change.state {
        LooseningState::Ended => LooseningState::Granted.slug(),
        _ => LooseningState::Asked.slug(),
    }
}

/// Whether it may be decided on like this.
pub(crate) fn may_become(conn: &dyn Connection, change: &RuleChange) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM rule_change WHERE id = ?1 AND state = ?2";
    exists(conn, sql, params![change.id, before(change)])
}

/// It is asked for.
pub(crate) fn ask(conn: &dyn Connection, change: &RuleChange) -> Result<(), Fault> {
    let (subject, figure) = change.what.parts();
    let sql = "INSERT INTO rule_change (id, subject, figure, reason, asked_by, asked_at, state) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'asked')";
    conn.write(
        sql,
        params![
            change.id,
            subject,
            figure,
            change.reason,
            change.asked_by.0,
            change.asked_at.0
        ],
    )
}

/// It is granted, refused or ended.
pub(crate) fn decide(conn: &dyn Connection, change: &RuleChange) -> Result<(), Fault> {
    let sql = "UPDATE rule_change SET state = ?2, decided_by = ?3, decided_at = ?4 \
               WHERE id = ?1 AND state = ?5";
    conn.write_one(
        sql,
        params![
            change.id,
            change.state.slug(),
            change.decided_by.map(|person| person.0),
            change.decided_at.map(|at| at.0),
            before(change)
        ],
        Refused::Stale,
    )?;
    conn.announce_access()
}

/// What is in force, oldest first.
pub(crate) fn granted(conn: &dyn Connection) -> Result<Vec<RuleChange>, Fault> {
    known(
        conn,
        changes!("WHERE state = 'granted' ORDER BY id"),
        params![],
    )
}

/// All of them, newest first.
pub(crate) fn list(conn: &dyn Connection, limit: u32) -> Result<Vec<RuleChange>, Fault> {
    known(conn, changes!("ORDER BY id DESC LIMIT ?1"), params![limit])
}

/// One of them.
pub(crate) fn by_id(conn: &dyn Connection, id: i64) -> Result<Option<RuleChange>, Fault> {
    Ok(one(conn, changes!("WHERE id = ?1"), params![id], read)?.flatten())
}

fn known(conn: &dyn Connection, sql: &str, args: &[Arg<'_>]) -> Result<Vec<RuleChange>, Fault> {
    let rows = many(conn, sql, args, read)?;
    Ok(rows.into_iter().flatten().collect())
}

/// A row; nothing for one that a later version wrote: what is not known here loosens nothing.
fn read(row: &Row<'_>) -> Result<Option<RuleChange>, Fault> {
    let cells = &mut Cells::new("rule_change", row);
    let (id, subject): (i64, String) = (cells.take()?, cells.take()?);
    let figure: Option<u32> = cells.take()?;
    let Some(what) = Loosening::parse(&subject, figure) else {
        tracing::warn!(
            row = id,
            subject,
            "rule_change {id} loosens {subject:?}, which this version does not know: skipped"
        );
        return Ok(None);
    };
    Ok(Some(RuleChange {
        id,
        what,
        reason: cells.take()?,
        asked_by: PersonId(cells.take()?),
        asked_at: cells.time()?,
        state: cells.word(LooseningState::from_slug)?,
        decided_by: cells.take::<Option<i64>>()?.map(PersonId),
        decided_at: cells.maybe_time()?,
    }))
}
