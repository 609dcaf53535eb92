//! How a node takes due rows so that no other one works on them meanwhile.

use crate::sql::Due;
use crate::sql::fault::Fault;

/// How long a row is claimed: longer than one call to an upstream takes (rows that wait
/// for several are claimed one at a time), and not so long that the rows of
/// a node that died wait for it.
const CLAIMED_MS: i64 = 35_000;

/// Now, by the clock that all nodes share.
macro_rules! now {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    };
}

/// Notes a turn, unless the last one is too near.
pub(super) const TURN: &str = concat!(
    "INSERT INTO turn (name, at) VALUES (?1, ",
    now!(),
    ") ON CONFLICT (name) DO UPDATE SET at = excluded.at \
     WHERE turn.at + ?2 <= excluded.at RETURNING at"
);

/// The statements of one kind of rows.
pub(super) struct Claim {
    /// Whether any are due and free.
    pub(super) looks: String,
    /// Takes them, past those that somebody is at, and shows them.
    pub(super) takes: String,
}

impl Claim {
    /// The statements for rows that are due.
    pub(super) fn of(due: &Due<'_>) -> Result<Self, Fault> {
        let Due {
            select_from,
            also,
            limit,
        } = *due;
        let parts = || {
            let (select, table) = select_from.rsplit_once(" FROM ")?;
            let (key, _) = select.strip_prefix("SELECT ")?.split_once(',')?;
            Some((select, table, key.trim()))
        };
        let Some((select, table, key)) = parts() else {
            return Err(Fault::Wrong(format!("no rows to claim in {select_from}")));
        };
        let now = now!();
        let free = format!(
            "FROM {table} WHERE due_at <= ?1 {also} AND (claimed_until IS NULL OR claimed_until <= {now})"
        );
        Ok(Self {
            looks: format!("SELECT 1 {free} LIMIT 1"),
            takes: format!(
                "WITH free AS (SELECT {key} {free} ORDER BY due_at LIMIT {limit} FOR UPDATE SKIP LOCKED), \
                 taken AS (UPDATE {table} SET claimed_until = {now} + {CLAIMED_MS} FROM free \
                 WHERE {table}.{key} = free.{key} RETURNING {table}.*) \
                 {select} FROM taken ORDER BY due_at"
            ),
        })
    }
}
