//! What processors moved of our money: lines of their lists that are booked, and what is open at each.

use domain::time::Timestamp;
use domain::top_up::{Clearing, MovementKind, Processor, ProcessorMovement};
use domain::usd::Usd;

use crate::sql::cells::{Cells, exists, many, one};
use crate::sql::fault::Fault;
use crate::sql::{Connection, Row, params};

const MOVEMENT: &str = "SELECT id, processor, reference, kind, amount, word, moved_at \
                        FROM processor_movement";

fn movement(row: &Row<'_>) -> Result<ProcessorMovement, Fault> {
    let cells = &mut Cells::new("processor_movement", row);
    Ok(ProcessorMovement {
        id: cells.take()?,
        processor: cells.word(Processor::from_slug)?,
        reference: cells.take()?,
        kind: cells.word(MovementKind::from_slug)?,
        amount: cells.usd()?,
        word: cells.take()?,
        moved_at: cells.time()?,
    })
}

/// Whether this part of a line is booked.
pub(super) fn is_booked(
    conn: &dyn Connection,
    movement: &ProcessorMovement,
) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM processor_movement \
               WHERE processor = ?1 AND reference = ?2 AND kind = ?3";
    let ProcessorMovement {
        processor,
        reference,
        kind,
        ..
    } = movement;
    exists(conn, sql, params![processor.slug(), reference, kind.slug()])
}

/// A part of a line is booked.
pub(super) fn insert(
    conn: &dyn Connection,
    movement: &ProcessorMovement,
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO processor_movement (id, processor, reference, kind, amount, word, \
               moved_at, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    conn.write(
        sql,
        params![
            movement.id,
            movement.processor.slug(),
            movement.reference,
            movement.kind.slug(),
            movement.amount.0,
            movement.word,
            movement.moved_at.0,
            at.0,
        ],
    )
}

/// The one in this row.
pub(super) fn of_row(conn: &dyn Connection, id: i64) -> Result<Option<ProcessorMovement>, Fault> {
    one(
        conn,
        &format!("{MOVEMENT} WHERE id = ?1"),
        params![id],
        movement,
    )
}

/// What of a processor's list is booked and moved in a span.
pub(super) fn between(
    conn: &dyn Connection,
    processor: Processor,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<ProcessorMovement>, Fault> {
    let sql = format!(
        "{MOVEMENT} WHERE processor = ?1 AND moved_at >= ?2 AND moved_at < ?3 \
         ORDER BY moved_at, id"
    );
    let slug = processor.slug();
    many(conn, &sql, params![slug, from.0, until.0], movement)
}

/// Payouts of all processors, the newest first.
pub(super) fn payouts(conn: &dyn Connection, limit: u32) -> Result<Vec<ProcessorMovement>, Fault> {
    let sql = format!("{MOVEMENT} WHERE kind = 'payout' ORDER BY moved_at DESC LIMIT ?1");
    many(conn, &sql, params![limit], movement)
}

/// What stands between us and each processor, from the rows that its entries follow from.
pub(super) fn clearings(conn: &dyn Connection) -> Result<Vec<Clearing>, Fault> {
    let mut all = Processor::ALL.map(|processor| (Clearing::of(processor), false));
    let mut add = |sql: &str, put: &dyn Fn(&mut Clearing, &str, Usd)| {
        let sums = many(conn, sql, params![], |row| {
            let cells = &mut Cells::new("processor_movement", row);
            let processor = cells.word(Processor::from_slug)?;
            Ok((processor, cells.take::<String>()?, cells.usd()?))
        })?;
        for (processor, word, sum) in sums {
            for (clearing, is_used) in &mut all {
                if clearing.processor == processor {
                    put(clearing, &word, sum);
                    *is_used = processor != Processor::Manual;
                }
            }
        }
        Ok::<_, Fault>(())
    };
    add(
        "SELECT processor, kind, CAST(SUM(amount + fee) AS BIGINT) FROM topup_credit \
         WHERE kind = 'credit' GROUP BY processor, kind",
        &|clearing, _, sum| clearing.credited = sum,
    )?;
    add(
        "SELECT t.processor, '', CAST(SUM(r.amount + r.fee) AS BIGINT) FROM topup_reversal r \
         JOIN topup t ON t.id = r.topup_id GROUP BY t.processor",
        &|clearing, _, sum| clearing.returned = sum,
    )?;
    add(
        "SELECT processor, kind, CAST(SUM(amount) AS BIGINT) FROM processor_movement \
         GROUP BY processor, kind",
        &|clearing, word, sum| match word {
            "fee" => clearing.fees = sum,
            _ => clearing.paid_out = sum,
        },
    )?;
    let used = all.into_iter().filter(|(_, is_used)| *is_used);
    Ok(used.map(|(clearing, _)| clearing).collect())
}
