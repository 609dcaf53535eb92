//! Which tables there are: asked of both schemas, which must agree.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection as SqliteConnection;
use tokio_postgres::types::Type;

use super::{Link, Server, TransferError};
use crate::sql::cells::{Cells, exists, many};
use crate::sql::fault::Fault;
use crate::sql::params;

/// The note of migrations, which each side keeps for itself.
const HISTORY: &str = "refinery_schema_history";

/// A table as both sides have it.
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
}

/// A column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) of: Type,
}

impl Table {
    /// Its columns, in the order in which they are copied.
    pub(super) fn list(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|one| one.name.as_str()).collect();
        names.join(", ")
    }
}

/// Every table, those that others refer to first; the target's are empty.
pub(super) fn both(
    source: &SqliteConnection,
    target: &Link,
    server: &Server,
) -> Result<Vec<Table>, TransferError> {
    let refused = |fault: Fault| TransferError::from(server.refused(fault.to_string()));
    let mut there = on_server(target).map_err(refused)?;
    let here = in_file(source).map_err(refused)?;
    let mut tables = Vec::with_capacity(here.len());
    for name in in_order(source, here.keys().cloned().collect()).map_err(refused)? {
        let columns = there.remove(&name);
        let columns = columns.ok_or_else(|| TransferError::Schema(name.clone()))?;
        let named: BTreeSet<_> = columns.iter().map(|one| one.name.clone()).collect();
        if here.get(&name) != Some(&named) {
            return Err(TransferError::Schema(name));
        }
        let any = format!("SELECT 1 FROM {name} LIMIT 1");
        if exists(target, &any, &[]).map_err(refused)? {
            return Err(TransferError::NotEmpty(name));
        }
        tables.push(Table { name, columns });
    }
    match there.into_keys().next() {
        Some(name) => Err(TransferError::Schema(name)),
        None => Ok(tables),
    }
}

/// The server's tables with their columns and types.
fn on_server(link: &Link) -> Result<BTreeMap<String, Vec<Column>>, Fault> {
    let sql = "SELECT c.table_name::text, c.column_name::text, c.data_type::text \
               FROM information_schema.columns c JOIN information_schema.tables t \
               ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
               WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' \
               AND c.table_name <> ?1 ORDER BY c.table_name, c.ordinal_position";
    let rows = many(link, sql, params![HISTORY], |row| {
        let cells = &mut Cells::new("columns", row);
        let (table, name): (String, String) = (cells.take()?, cells.take()?);
        let of = cells.word(type_named)?;
        Ok((table, Column { name, of }))
    })?;
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for (table, column) in rows {
        tables.entry(table).or_default().push(column);
    }
    Ok(tables)
}

fn type_named(name: &str) -> Option<Type> {
    match name {
        "bigint" => Some(Type::INT8),
        "text" => Some(Type::TEXT),
        "bytea" => Some(Type::BYTEA),
        _ => None,
    }
}

fn in_file(conn: &SqliteConnection) -> Result<BTreeMap<String, BTreeSet<String>>, Fault> {
    let sql = "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
               WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
               AND t.name <> ?1";
    let rows = many(conn, sql, params![HISTORY], |row| {
        let cells = &mut Cells::new("sqlite_schema", row);
        Ok((cells.take()?, cells.take()?))
    })?;
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (table, column) in rows {
        tables.entry(table).or_default().insert(column);
    }
    Ok(tables)
}

/// Tables after those that they refer to: the server may check a reference at once.
fn in_order(conn: &SqliteConnection, mut left: BTreeSet<String>) -> Result<Vec<String>, Fault> {
    let sql = "SELECT t.name, f.\"table\" FROM sqlite_schema t \
               JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table'";
    let references = many(conn, sql, &[], |row| {
        let cells = &mut Cells::new("foreign_key_list", row);
        Ok::<(String, String), Fault>((cells.take()?, cells.take()?))
    })?;
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits = |name: &String| {
            let mut others = references
                .iter()
                .filter(|(from, to)| from == name && from != to);
            others.any(|(_, to)| left.contains(to))
        };
        let (later, free): (BTreeSet<_>, BTreeSet<_>) = left.iter().cloned().partition(waits);
        if free.is_empty() {
            return Err(Fault::Wrong(format!(
                "tables refer to each other: {later:?}"
            )));
        }
        ordered.extend(free);
        left = later;
    }
    Ok(ordered)
}
