//! The rows of one table: sent as one stream, and counted and summed on both sides.

use std::fmt::Write as _;
use std::pin::pin;

use rusqlite::Connection as SqliteConnection;
use rusqlite::types::ValueRef;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use super::tables::Table;
use super::{Link, PATIENCE, Server, TransferError};
use crate::postgres::error;
use crate::sql::cells::{Cells, one};
use crate::sql::fault::Fault;
use crate::sql::{Arg, Connection};

/// What must be the same on both sides: how many rows, and for each column the sum of its numbers, or
/// of the lengths of its texts and bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) rows: u64,
    columns: Vec<i128>,
}

impl Sums {
    /// What differs, if anything does.
    pub(super) fn difference(&self, other: &Self, table: &Table) -> Option<String> {
        if self.rows != other.rows {
            return Some(format!("{} rows left, {} arrived", self.rows, other.rows));
        }
        let pairs = self.columns.iter().zip(&other.columns).zip(&table.columns);
        let mut differing = pairs.filter(|((left, arrived), _)| left != arrived);
        differing.next().map(|((left, arrived), column)| {
            format!(
                "column {} sums up to {arrived} instead of {left}",
                column.name
            )
        })
    }
}

/// Sends every row of a table.
pub(super) fn copy(
    source: &SqliteConnection,
    target: &mut Link,
    table: &Table,
    server: &Server,
) -> Result<Sums, TransferError> {
    let (name, list) = (&table.name, table.list());
    let into = format!("COPY {name} ({list}) FROM STDIN BINARY");
    let types: Vec<Type> = table.columns.iter().map(|one| one.of.clone()).collect();
    let refused = |why: String| server.refused(format!("table {name}: {why}"));
    let mut statement = source
        .prepare(&format!("SELECT {list} FROM {name}"))
        .map_err(|error| refused(error.to_string()))?;
    let sent = target.with_client(PATIENCE, async |client| -> Result<Sums, String> {
        let words = |error: tokio_postgres::Error| error::words(&error);
        let sink = client.copy_in(&into).await.map_err(words)?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
        let mut sums = Sums {
            rows: 0,
            columns: vec![0; types.len()],
        };
        let mut rows = statement.query([]).map_err(|error| error.to_string())?;
        while let Some(row) = rows.next().map_err(|error| error.to_string())? {
            let mut cells = Vec::with_capacity(types.len());
            for (at, sum) in sums.columns.iter_mut().enumerate() {
                let value = row.get_ref(at).map_err(|error| error.to_string())?;
                let (cell, share) = cell(value)?;
                *sum += share;
                cells.push(cell);
            }
            let cells: Vec<&(dyn ToSql + Sync)> = cells.iter().map(|cell| cell as _).collect();
            writer.as_mut().write(&cells).await.map_err(words)?;
            sums.rows += 1;
        }
        writer.finish().await.map_err(words)?;
        Ok(sums)
    });
    let sent = sent.unwrap_or_else(|| Err("the copy takes too long".into()));
    Ok(sent.map_err(refused)?)
}

/// A value and its share of the sum.
fn cell(value: ValueRef<'_>) -> Result<(Arg<'_>, i128), String> {
    let long = |bytes: &[u8]| i128::try_from(bytes.len()).unwrap_or(i128::MAX);
    Ok(match value {
        ValueRef::Null => (Arg::Null, 0),
        ValueRef::Integer(number) => (Arg::Int(number), number.into()),
        ValueRef::Text(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
            (Arg::Text(text.into()), long(bytes))
        }
        ValueRef::Blob(bytes) => (Arg::Blob(bytes.into()), long(bytes)),
        ValueRef::Real(_) => return Err("a float where none may be".into()),
    })
}

/// The same sums, of what arrived.
pub(super) fn sums(link: &Link, table: &Table) -> Result<Sums, Fault> {
    let mut sql = "SELECT COUNT(*)".to_owned();
    for column in &table.columns {
        let name = &column.name;
        let term = match column.of {
            Type::INT8 => name.clone(),
            _ => format!("octet_length({name})"),
        };
        // writing to a string does not fail
        let _ = write!(sql, ", COALESCE(SUM({term}), 0)::text");
    }
    let _ = write!(sql, " FROM {}", table.name);
    let found = one(link as &dyn Connection, &sql, &[], |row| {
        let cells = &mut Cells::new("sums", row);
        let rows = cells.count()?;
        let columns = table.columns.iter();
        let columns = columns.map(|_| cells.word(|text| text.parse().ok()));
        Ok(Sums {
            rows,
            columns: columns.collect::<Result<_, _>>()?,
        })
    })?;
    found.ok_or_else(|| Fault::Wrong("a count without a row".into()))
}
