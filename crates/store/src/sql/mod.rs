//! One way to speak SQL for both engines: the questions and writes of `rows` are written once,
//! with `?1` for the first value, and run on whatever implements [`Connection`].

pub(crate) mod arg;
pub(crate) mod cells;
pub(crate) mod fault;

use domain::change::Refused;

pub(crate) use arg::{Arg, Value, params};

use crate::audit::Findings;
use fault::Fault;

/// A row while it is shown: cells by number.
pub(crate) trait Source {
    /// A cell as it is stored.
    fn cell(&self, at: usize) -> Result<Value<'_>, Fault>;
    /// Name of a column, for errors.
    fn column(&self, at: usize) -> String;
}

/// A row that a statement found.
pub(crate) type Row<'r> = dyn Source + 'r;

/// What looks at rows: answers whether it wants to see more.
pub(crate) type See<'a> = &'a mut dyn FnMut(&Row<'_>) -> Result<bool, Fault>;

/// Rows whose background step is due; the first value of their questions is the moment.
#[derive(Clone, Copy)]
pub(crate) struct Due<'a> {
    /// `SELECT key, … FROM table`; the first column names the row.
    pub(crate) select_from: &'a str,
    /// What else must hold of them, from `AND` on, over the values behind the first; or nothing.
    pub(crate) also: &'a str,
    /// At most so many, the longest due first.
    pub(crate) limit: u32,
}

impl<'a> Due<'a> {
    /// Whatever else they are.
    pub(crate) fn all(select_from: &'a str, limit: u32) -> Self {
        Self {
            select_from,
            also: "",
            limit,
        }
    }

    /// The question for all of them, whoever is at them.
    pub(crate) fn query(&self) -> String {
        let Self {
            select_from,
            also,
            limit,
        } = self;
        format!("{select_from} WHERE due_at <= ?1 {also} ORDER BY due_at LIMIT {limit}")
    }
}

/// One connection to a database, used by one thread at a time.
pub(crate) trait Connection {
    /// Shows the rows of a query until `see` has enough.
    fn query(&self, sql: &str, args: &[Arg<'_>], see: See<'_>) -> Result<(), Fault>;

    /// Shows every row of a large table without holding them all; `see` may ask on this connection
    /// meanwhile.
    fn stream(
        &self,
        sql: &str,
        see: &mut dyn FnMut(&Row<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault>;

    /// Runs a statement now; answers how many rows it touched.
    fn execute(&self, sql: &str, args: &[Arg<'_>]) -> Result<usize, Fault>;

    /// A write of a transaction: done before the next read and before the commit at the latest, so
    /// that an engine far away can be told many at once. Its fault may show then only.
    fn write(&self, sql: &str, args: &[Arg<'_>]) -> Result<(), Fault> {
        self.execute(sql, args).map(drop)
    }

    /// A write that must touch one row: `refused` says what it means if it does not.
    fn write_one(&self, sql: &str, args: &[Arg<'_>], refused: Refused) -> Result<(), Fault> {
        match self.execute(sql, args)? {
            1 => Ok(()),
            _ => Err(Fault::Refused(refused)),
        }
    }

    /// Shows due rows, longest due first, and claims them for a while: no other node is shown them
    /// then. Where one process has the database, it is alone.
    fn claim(&self, due: &Due<'_>, args: &[Arg<'_>], see: See<'_>) -> Result<(), Fault> {
        self.query(&due.query(), args, see)
    }

    /// Whether it is this node's turn to do what one node at a time does, so many milliseconds after
    /// the last one.
    fn take_turn(&self, name: &str, pause_ms: i64) -> Result<bool, Fault> {
        let _alone = (name, pause_ms);
        Ok(true)
    }

    /// Begins a transaction that writes: no other one runs at the same time, on any node.
    fn begin(&self) -> Result<(), Fault>;
    /// Has the guards of a group look at what they need, over and over until nothing new is asked
    /// for: an engine far away then reads it all in a few turns instead of one for each row. What
    /// `look` finds means nothing.
    fn foresee(&self, look: &mut dyn FnMut()) -> Result<(), Fault> {
        let _ = look;
        Ok(())
    }

    /// A change of the group begins. `apart`: no earlier one of the group bears on what it reads.
    fn begin_change(&self, apart: bool) -> Result<(), Fault> {
        let _ = apart;
        Ok(())
    }

    /// Tells other processes, with the commit, that keys or accounts have changed.
    fn announce_access(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// Everything that was to be written has been, and nothing contradicts it: what fails after this
    /// is the storage.
    fn end_writing(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// Makes what was written durable.
    fn commit(&self) -> Result<(), Fault>;
    /// Undoes what was written, if a transaction is open.
    fn roll_back(&self) -> Result<(), Fault>;
    /// Whether a transaction is open, as far as is known.
    fn in_transaction(&self) -> bool;

    /// Begins a transaction that reads one state of everything; [`Connection::commit`] ends it.
    fn begin_snapshot(&self) -> Result<(), Fault>;

    /// The triggers that keep written what happened are all there, and no others.
    fn check_triggers(&self, findings: &mut Findings) -> Result<(), Fault>;
}

/// Reads everything in one state.
pub(crate) fn snapshot<T>(
    conn: &dyn Connection,
    read: impl FnOnce(&dyn Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let found = conn.begin_snapshot().and_then(|()| read(conn));
    let ended = match &found {
        Ok(_) => conn.commit(),
        Err(_) => conn.roll_back(),
    };
    let found = found?;
    ended.map(|()| found)
}
