//! Rows become types here; a word that no rule knows is an error with table, row and column.

use domain::time::Timestamp;
use domain::usd::Usd;

use super::arg::FromValue;
use super::fault::Fault;
use super::{Arg, Connection, Due, Row};

/// The cells of one row, taken from left to right. The first one names the row in errors.
pub(crate) struct Cells<'r> {
    row: &'r Row<'r>,
    table: &'static str,
    next: usize,
}

impl<'r> Cells<'r> {
    /// Starts at the first cell.
    pub(crate) fn new(table: &'static str, row: &'r Row<'r>) -> Self {
        Self {
            row,
            table,
            next: 0,
        }
    }

    /// Starts at a later cell.
    pub(crate) fn from(table: &'static str, row: &'r Row<'r>, first: usize) -> Self {
        Self {
            row,
            table,
            next: first,
        }
    }

    /// A value as it is stored.
    pub(crate) fn take<T: FromValue>(&mut self) -> Result<T, Fault> {
        let at = self.next;
        self.next += 1;
        let value = self.row.cell(at)?;
        T::from_value(value).ok_or_else(|| self.corrupt(at, &format!("{value:?}")))
    }

    /// An amount.
    pub(crate) fn usd(&mut self) -> Result<Usd, Fault> {
        self.take().map(Usd)
    }

    /// An amount that may be missing.
    pub(crate) fn maybe_usd(&mut self) -> Result<Option<Usd>, Fault> {
        Ok(self.take::<Option<i64>>()?.map(Usd))
    }

    /// A point in time.
    pub(crate) fn time(&mut self) -> Result<Timestamp, Fault> {
        self.take().map(Timestamp)
    }

    /// A point in time that may be missing.
    pub(crate) fn maybe_time(&mut self) -> Result<Option<Timestamp>, Fault> {
        Ok(self.take::<Option<i64>>()?.map(Timestamp))
    }

    /// A count: never negative.
    pub(crate) fn count(&mut self) -> Result<u64, Fault> {
        let at = self.next;
        let value: i64 = self.take()?;
        u64::try_from(value).map_err(|_| self.corrupt(at, &value.to_string()))
    }

    /// A word that a rule knows.
    pub(crate) fn word<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        let at = self.next;
        let word: String = self.take()?;
        parse(&word).ok_or_else(|| self.corrupt(at, &word))
    }

    /// A word that may be missing.
    pub(crate) fn maybe_word<T>(
        &mut self,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let at = self.next;
        let word: Option<String> = self.take()?;
        word.map(|word| parse(&word).ok_or_else(|| self.corrupt(at, &word)))
            .transpose()
    }

    fn corrupt(&self, at: usize, found: &str) -> Fault {
        Fault::Wrong(format!(
            "corrupt row: table {}, row {:?}, column {}: {found:?}",
            self.table,
            self.row.cell(0),
            self.row.column(at),
        ))
    }
}

/// The one row of a query, if there is one.
pub(crate) fn one<T>(
    conn: &dyn Connection,
    sql: &str,
    args: &[Arg<'_>],
    read: impl FnOnce(&Row<'_>) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let (mut read, mut found) = (Some(read), None);
    conn.query(sql, args, &mut |row| {
        found = read.take().map(|read| read(row)).transpose()?;
        Ok(false)
    })?;
    Ok(found)
}

/// All rows of a query.
pub(crate) fn many<T>(
    conn: &dyn Connection,
    sql: &str,
    args: &[Arg<'_>],
    read: impl Fn(&Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut all = Vec::new();
    conn.query(sql, args, &mut |row| {
        all.push(read(row)?);
        Ok(true)
    })?;
    Ok(all)
}

/// Due rows that are claimed for this node: see [`Connection::claim`].
pub(crate) fn claimed<T>(
    conn: &dyn Connection,
    due: Due<'_>,
    args: &[Arg<'_>],
    read: impl Fn(&Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut all = Vec::new();
    conn.claim(&due, args, &mut |row| {
        all.push(read(row)?);
        Ok(true)
    })?;
    Ok(all)
}

/// Whether a query finds anything.
pub(crate) fn exists(conn: &dyn Connection, sql: &str, args: &[Arg<'_>]) -> Result<bool, Fault> {
    let mut found = false;
    conn.query(sql, args, &mut |_| {
        found = true;
        Ok(false)
    })?;
    Ok(found)
}
