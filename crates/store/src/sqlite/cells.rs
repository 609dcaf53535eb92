//! Rows become types here; a word that no rule knows is an error with table, row and column.

use domain::time::Timestamp;
use domain::usd::Usd;
use rusqlite::types::FromSql;
use rusqlite::{Connection, Params, Row};

use super::fault::Fault;

/// The cells of one row, taken from left to right. The first one names the row in errors.
pub(super) struct Cells<'r, 's> {
    row: &'r Row<'s>,
    table: &'static str,
    next: usize,
}

impl<'r, 's> Cells<'r, 's> {
    /// Starts at the first cell.
    pub(super) fn new(table: &'static str, row: &'r Row<'s>) -> Self {
        Self {
            row,
            table,
            next: 0,
        }
    }

    /// Starts at a later cell.
    pub(super) fn from(table: &'static str, row: &'r Row<'s>, first: usize) -> Self {
        Self {
            row,
            table,
            next: first,
        }
    }

    /// A value as it is stored.
    pub(super) fn take<T: FromSql>(&mut self) -> Result<T, Fault> {
        let at = self.next;
        self.next += 1;
        self.row.get(at).map_err(|error| match error {
            rusqlite::Error::SqliteFailure(..) => Fault::Sql(error),
            other => self.corrupt(at, &other.to_string()),
        })
    }

    /// An amount.
    pub(super) fn usd(&mut self) -> Result<Usd, Fault> {
        self.take().map(Usd)
    }

    /// An amount that may be missing.
    pub(super) fn maybe_usd(&mut self) -> Result<Option<Usd>, Fault> {
        Ok(self.take::<Option<i64>>()?.map(Usd))
    }

    /// A point in time.
    pub(super) fn time(&mut self) -> Result<Timestamp, Fault> {
        self.take().map(Timestamp)
    }

    /// A point in time that may be missing.
    pub(super) fn maybe_time(&mut self) -> Result<Option<Timestamp>, Fault> {
        Ok(self.take::<Option<i64>>()?.map(Timestamp))
    }

    /// A count: never negative.
    pub(super) fn count(&mut self) -> Result<u64, Fault> {
        let at = self.next;
        let value: i64 = self.take()?;
        u64::try_from(value).map_err(|_| self.corrupt(at, &value.to_string()))
    }

    /// A word that a rule knows.
    pub(super) fn word<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        let at = self.next;
        let word: String = self.take()?;
        parse(&word).ok_or_else(|| self.corrupt(at, &word))
    }

    /// A word that may be missing.
    pub(super) fn maybe_word<T>(
        &mut self,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let at = self.next;
        let word: Option<String> = self.take()?;
        word.map(|word| parse(&word).ok_or_else(|| self.corrupt(at, &word)))
            .transpose()
    }

    fn corrupt(&self, at: usize, found: &str) -> Fault {
        let column = self.row.as_ref().column_name(at).unwrap_or("?");
        let first = self.row.get_ref(0).map(|value| format!("{value:?}"));
        Fault::Wrong(format!(
            "corrupt row: table {}, row {}, column {column}: {found:?}",
            self.table,
            first.unwrap_or_default(),
        ))
    }
}

/// The one row of a query, if there is one.
pub(super) fn one<T>(
    conn: &Connection,
    sql: &str,
    args: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(args)?;
    rows.next()?.map(read).transpose()
}

/// All rows of a query.
pub(super) fn many<T>(
    conn: &Connection,
    sql: &str,
    args: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(args)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

/// Whether a query finds anything.
pub(super) fn exists(conn: &Connection, sql: &str, args: impl Params) -> Result<bool, Fault> {
    Ok(conn.prepare_cached(sql)?.exists(args)?)
}
