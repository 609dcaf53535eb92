//! The audit log: lines, the tree over them, checkpoints and questions.

use crate::sql::{Arg, Connection, Row, params, snapshot};
use domain::audit_log::{
    AuditWrite, Checkpoint, Hash, Line, LinesOf, Note, START, Verified, Witness,
};
use domain::change::Refused;
use domain::ids::AccountId;
use domain::ports::{AuditRows, Read};
use domain::time::Timestamp;

use crate::audit_chain::{self, Verifier};
use crate::database::Database;
use crate::merkle;
use crate::sql::cells::{Cells, exists, many, one};
use crate::sql::fault::Fault;

const LINE: &str =
    "id, seq, at, account_id, actor, action, object, reason, details, previous, hash";

/// The guards of a write, by reads alone.
pub(crate) fn check(conn: &dyn Connection, write: &AuditWrite) -> Result<(), Fault> {
    match write {
        AuditWrite::Note(_) => Ok(()),
        AuditWrite::Checkpoint(one) => {
            let sql = "SELECT 1 FROM audit_checkpoint WHERE size = ?1";
            let there = exists(conn, sql, params![cell(one.size)])?;
            (!there).then_some(()).ok_or(Fault::Refused(Refused::Stale))
        }
    }
}

/// The rows of a write whose guards have passed.
pub(crate) fn write(conn: &dyn Connection, write: &AuditWrite, at: Timestamp) -> Result<(), Fault> {
    match write {
        AuditWrite::Note(note) => append(conn, note, at),
        AuditWrite::Checkpoint(one) => conn.write(
            "INSERT INTO audit_checkpoint (size, root, at) VALUES (?1, ?2, ?3)",
            params![cell(one.size), one.root, one.at.0],
        ),
    }
}

/// Sizes and places stay far below what a cell holds.
fn cell(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// The chain's cell of a line: 0 is the house.
fn chain(account: Option<AccountId>) -> i64 {
    account.map_or(0, |account| account.0)
}

fn append(conn: &dyn Connection, note: &Note, at: Timestamp) -> Result<(), Fault> {
    let sql = "SELECT seq, hash FROM audit_log WHERE account_id = ?1 ORDER BY seq DESC LIMIT 1";
    let last = one(conn, sql, params![chain(note.account)], |row| {
        let cells = &mut Cells::new("audit_log", row);
        Ok((cells.take::<i64>()?, cells.take::<Hash>()?))
    })?;
    let (seq, previous) = last.unwrap_or((0, START));
    let mut line = Line {
        id: newest(conn)? + 1,
        seq: seq + 1,
        at,
        note: note.clone(),
        previous,
        hash: START,
    };
    line.hash = audit_chain::hash(&line);
    let sql = "INSERT INTO audit_log (id, seq, at, account_id, actor, action, object, reason, \
               details, previous, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    conn.write(
        sql,
        params![
            line.id,
            line.seq,
            line.at.0,
            chain(note.account),
            note.actor,
            note.action,
            note.object,
            note.reason,
            note.details,
            line.previous,
            line.hash,
        ],
    )?;
    grow(conn, &line)
}

fn newest(conn: &dyn Connection) -> Result<i64, Fault> {
    let sql = "SELECT COALESCE(MAX(id), 0) FROM audit_log";
    let found = one(conn, sql, &[], |row| Cells::new("audit_log", row).take())?;
    Ok(found.unwrap_or(0))
}

/// Adds a line's leaf to the tree: every whole tree it completes gets its node.
fn grow(conn: &dyn Connection, line: &Line) -> Result<(), Fault> {
    let mut place = u64::try_from(line.id - 1).unwrap_or(0);
    let mut hash = merkle::leaf(&line.hash);
    let mut level = 0;
    while place & 1 == 1 {
        let left = at(conn, (level, place - 1))?;
        hash = merkle::node(&left, &hash);
        (level, place) = (level + 1, place >> 1);
        let sql = "INSERT INTO audit_node (level, place, hash) VALUES (?1, ?2, ?3)";
        conn.write(sql, params![level, cell(place), hash])?;
    }
    Ok(())
}

/// A whole tree's root.
fn at(conn: &dyn Connection, (level, place): (u32, u64)) -> Result<Hash, Fault> {
    let hash = |row: &Row<'_>| Cells::new("audit_node", row).take::<Hash>();
    let found = match level {
        0 => {
            let sql = "SELECT hash FROM audit_log WHERE id = ?1";
            let line = one(conn, sql, params![cell(place) + 1], hash)?;
            line.map(|line| merkle::leaf(&line))
        }
        _ => {
            let sql = "SELECT hash FROM audit_node WHERE level = ?1 AND place = ?2";
            one(conn, sql, params![level, cell(place)], hash)?
        }
    };
    found.ok_or_else(|| {
        Fault::Wrong(format!(
            "the tree over the audit log lacks its node {place} of level {level}"
        ))
    })
}

/// Lines, and the root over them as it is stored.
fn head(conn: &dyn Connection) -> Result<(u64, Hash), Fault> {
    let size = u64::try_from(newest(conn)?).unwrap_or(0);
    let peaks = merkle::peaks(size).into_iter();
    let peaks = peaks
        .map(|peak| at(conn, peak))
        .collect::<Result<Vec<_>, _>>()?;
    Ok((size, merkle::root(&peaks)))
}

fn line(row: &Row<'_>) -> Result<Line, Fault> {
    let cells = &mut Cells::new("audit_log", row);
    let (id, seq, at) = (cells.take()?, cells.take()?, cells.time()?);
    let account: i64 = cells.take()?;
    let note = Note {
        account: (account != 0).then_some(AccountId(account)),
        actor: cells.take()?,
        action: cells.take()?,
        object: cells.take()?,
        reason: cells.take()?,
        details: cells.take()?,
    };
    Ok(Line {
        id,
        seq,
        at,
        note,
        previous: cells.take()?,
        hash: cells.take()?,
    })
}

fn checkpoint(row: &Row<'_>) -> Result<Checkpoint, Fault> {
    let cells = &mut Cells::new("audit_checkpoint", row);
    Ok(Checkpoint {
        size: cells.count()?,
        root: cells.take()?,
        at: cells.time()?,
    })
}

fn listed(conn: &dyn Connection, wanted: &LinesOf) -> Result<Vec<Line>, Fault> {
    let mut sql = format!("SELECT {LINE} FROM audit_log WHERE 1 = 1");
    let mut args: Vec<Arg<'_>> = Vec::new();
    let mut filter = |condition: &str, arg: Option<Arg<'static>>| {
        if let Some(arg) = arg {
            args.push(arg);
            let place = format!("?{}", args.len());
            sql.push_str(&format!(" AND {}", condition.replace('?', &place)));
        }
    };
    let text = |text: &Option<String>| text.as_ref().map(|text| Arg::Text(text.clone().into()));
    filter("account_id = ?", wanted.account.map(|one| Arg::Int(one.0)));
    filter("substr(actor, 1, length(?)) = ?", text(&wanted.actor));
    filter("action = ?", text(&wanted.action));
    filter("at >= ?", wanted.since.map(|at| Arg::Int(at.0)));
    filter("at < ?", wanted.until.map(|at| Arg::Int(at.0)));
    filter("id < ?", wanted.before.map(Arg::Int));
    args.push(Arg::Int(wanted.limit.into()));
    sql.push_str(&format!(" ORDER BY id DESC LIMIT ?{}", args.len()));
    many(conn, &sql, &args, line)
}

fn verify(conn: &dyn Connection, kept: &[Witness]) -> Result<Verified, Fault> {
    let sql = "SELECT size, root, at FROM audit_checkpoint ORDER BY size";
    let here = many(conn, sql, &[], checkpoint)?.into_iter();
    let here = here.map(|checkpoint| Witness {
        checkpoint,
        hashes: Vec::new(),
    });
    let all: Vec<Witness> = here.chain(kept.iter().cloned()).collect();
    let mut verifier = Verifier::new(&all);
    let mut lines = 0;
    let sql = format!("SELECT {LINE} FROM audit_log ORDER BY id");
    conn.stream(&sql, &mut |row| {
        lines += 1;
        verifier.line(&line(row)?);
        Ok(())
    })?;
    // a tree that lost a node has no root
    let stored = head(conn).map_or(START, |(_, root)| root);
    Ok(Verified {
        lines,
        checkpoints: all.len() as u64,
        bad: verifier.finish(Some(stored)),
    })
}

impl AuditRows for Database {
    fn audit_lines<'a>(&'a self, wanted: &'a LinesOf) -> Read<'a, Vec<Line>> {
        let wanted = wanted.clone();
        self.ask(move |conn| listed(conn, &wanted))
    }

    fn audit_head(&self) -> Read<'_, (u64, Hash)> {
        self.ask(|conn| snapshot(conn, head))
    }

    fn audit_hashes(&self, after: u64, limit: u32) -> Read<'_, Vec<Hash>> {
        let sql = "SELECT hash FROM audit_log WHERE id > ?1 ORDER BY id LIMIT ?2";
        self.ask(move |conn| {
            many(conn, sql, params![cell(after), limit], |row| {
                Cells::new("audit_log", row).take()
            })
        })
    }

    fn audit_checkpoint(&self) -> Read<'_, Option<Checkpoint>> {
        let sql = "SELECT size, root, at FROM audit_checkpoint ORDER BY size DESC LIMIT 1";
        self.ask(move |conn| one(conn, sql, &[], checkpoint))
    }

    fn verify_audit_log(&self, kept: Vec<Witness>) -> Read<'_, Verified> {
        self.ask(move |conn| snapshot(conn, |conn| verify(conn, &kept)))
    }
}
