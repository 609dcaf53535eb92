//! Files that customers show of bank transfers: guards, writes and questions.

use domain::change::Refused;
use domain::ids::AccountId;
use domain::time::Timestamp;
use domain::top_up::{PROOFS_OF_ACCOUNT, Processor, Proof, ProofKind, TopUp};

use crate::sql::cells::{Cells, exists, many, one};
use crate::sql::fault::Fault;
use crate::sql::{Connection, params};

/// What is forgotten: files of top-ups that were decided on before `?1`, of no account under hold; the
/// longest decided first.
macro_rules! proofs_over {
    () => {
        "SELECT p.topup_id FROM topup_proof p WHERE p.ended_at < ?1 \
         AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.released_at IS NULL \
             AND h.kind = 'account' AND h.subject = p.account_id) \
         ORDER BY p.ended_at LIMIT ?2"
    };
}

pub(super) fn has_room(conn: &dyn Connection, proof: &Proof) -> Result<(), Fault> {
    let sql = "SELECT COUNT(*) FROM topup_proof WHERE account_id = ?1";
    let kept = one(conn, sql, params![proof.account.0], |row| {
        Cells::new("topup_proof", row).count()
    })?;
    let has_room = kept.unwrap_or_default() < u64::from(PROOFS_OF_ACCOUNT);
    has_room
        .then_some(())
        .ok_or(Fault::Refused(Refused::TooManyProofs))
}

pub(super) fn is_there(conn: &dyn Connection, proof: &Proof) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM topup_proof WHERE topup_id = ?1";
    exists(conn, sql, params![proof.top_up])
}

pub(super) fn insert(conn: &dyn Connection, proof: &Proof) -> Result<(), Fault> {
    let sql = "INSERT INTO topup_proof (topup_id, account_id, kind, size, content, at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    conn.write(
        sql,
        params![
            proof.top_up,
            proof.account.0,
            proof.kind.slug(),
            proof.size,
            proof.bytes,
            proof.at.0,
        ],
    )
}

pub(super) fn reseal(conn: &dyn Connection, proof: &Proof) -> Result<(), Fault> {
    let sql = "UPDATE topup_proof SET content = ?2 WHERE topup_id = ?1";
    conn.write_one(sql, params![proof.top_up, proof.bytes], Refused::Stale)
}

/// The time that a file is kept begins when its top-up is decided on.
pub(super) fn end(conn: &dyn Connection, row: &TopUp, at: Timestamp) -> Result<(), Fault> {
    if row.processor != Processor::Manual || !row.is_decided() {
        return Ok(());
    }
    let sql = "UPDATE topup_proof SET ended_at = ?2 WHERE topup_id = ?1 AND ended_at IS NULL";
    conn.write(sql, params![row.id, at.0])
}

/// What is known of a top-up's file, with it or without.
pub(crate) fn of_top_up(
    conn: &dyn Connection,
    top_up: i64,
    with_file: bool,
) -> Result<Option<Proof>, Fault> {
    let content = if with_file {
        "content"
    } else {
        "SUBSTR(content, 1, 0)"
    };
    let sql = format!(
        "SELECT topup_id, account_id, kind, size, {content}, at FROM topup_proof WHERE topup_id = ?1"
    );
    one(conn, &sql, params![top_up], |row| {
        let cells = &mut Cells::new("topup_proof", row);
        Ok(Proof {
            top_up: cells.take()?,
            account: AccountId(cells.take()?),
            kind: cells.word(ProofKind::from_slug)?,
            size: cells.take()?,
            bytes: cells.take()?,
            at: cells.time()?,
        })
    })
}

/// Every file by its top-up, and the beginning of what is stored.
pub(crate) fn beginnings(conn: &dyn Connection) -> Result<Vec<(i64, Vec<u8>)>, Fault> {
    // the name of the key is there
    let sql = "SELECT topup_id, SUBSTR(content, 1, 24) FROM topup_proof ORDER BY topup_id";
    many(conn, sql, &[], |row| {
        let cells = &mut Cells::new("topup_proof", row);
        Ok((cells.take()?, cells.take()?))
    })
}

pub(super) fn forget(conn: &dyn Connection, before: Timestamp, at_once: u32) -> Result<(), Fault> {
    let sql = concat!(
        "DELETE FROM topup_proof WHERE topup_id IN (",
        proofs_over!(),
        ")"
    );
    conn.execute(sql, params![before.0, at_once]).map(drop)
}

/// Whether one more change has a file to forget.
pub(super) fn is_overdue(conn: &dyn Connection, before: Timestamp) -> Result<bool, Fault> {
    exists(conn, proofs_over!(), params![before.0, 1_u32])
}
