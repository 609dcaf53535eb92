//! Opening: the folder, the settings that safety rests on, the schema, the checks.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection as SqliteConnection, OpenFlags};

use crate::open_error::OpenError;
use crate::sql::Connection;
use crate::sql::cells::{Cells, exists, one};
use crate::sql::fault::Fault;

mod schema {
    refinery::embed_migrations!("schema/sqlite");
}

/// How long a statement waits for a lock that only a foreign program can hold.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Statements kept prepared for each connection.
const PREPARED_MAX: usize = 128;

/// Name of the database in its folder.
const DATABASE: &str = "tollgate.db";

/// Path of the database in its folder.
pub(crate) fn database(directory: &Path) -> PathBuf {
    directory.join(DATABASE)
}

/// Makes the folder, readable by its owner alone, unless it is there.
pub(crate) fn create_directory(path: &Path) -> Result<(), OpenError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|cause| OpenError::File {
        path: path.to_owned(),
        cause,
    })
}

/// Opens a file that is its owner's alone, whatever the umask says; makes it unless it is there and
/// tightens it where others may read or write it.
pub(crate) fn private_file(path: &Path) -> Result<File, OpenError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, OWNER_ONLY);
    let opened = options.open(path).and_then(|file| {
        #[cfg(unix)]
        tighten(&file)?;
        Ok(file)
    });
    opened.map_err(|cause| OpenError::File {
        path: path.to_owned(),
        cause,
    })
}

/// Reading and writing for the owner, nothing for others.
#[cfg(unix)]
const OWNER_ONLY: u32 = 0o600;

#[cfg(unix)]
fn tighten(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & 0o777 == OWNER_ONLY {
        return Ok(());
    }
    permissions.set_mode(OWNER_ONLY);
    file.set_permissions(permissions)
}

/// Makes the database file private before the engine opens it: the log and the index of the log
/// take their modes from it, and those that a crash left behind are tightened as well.
pub(crate) fn make_private(database: &Path) -> Result<(), OpenError> {
    private_file(database)?;
    for end in ["-wal", "-shm"] {
        let mut path = database.as_os_str().to_owned();
        path.push(end);
        let path = PathBuf::from(path);
        if path.exists() {
            private_file(&path)?;
        }
    }
    Ok(())
}

/// The connection that writes, with the schema up to date.
pub(crate) fn writer(path: &Path) -> Result<SqliteConnection, OpenError> {
    let mut conn = SqliteConnection::open(path)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    prepare(&conn)?;
    migrate(&mut conn)?;
    check_setting(&conn, "journal_mode", "wal")?;
    check_settings(&conn)?;
    Ok(conn)
}

/// A connection that only reads.
pub(crate) fn reader(path: &Path) -> Result<SqliteConnection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = SqliteConnection::open_with_flags(path, flags)?;
    prepare(&conn)?;
    Ok(conn)
}

/// A database that lives in memory.
pub(crate) fn in_memory() -> Result<SqliteConnection, OpenError> {
    let mut conn = SqliteConnection::open_in_memory()?;
    prepare(&conn)?;
    migrate(&mut conn)?;
    check_settings(&conn)?;
    Ok(conn)
}

fn prepare(conn: &SqliteConnection) -> Result<(), OpenError> {
    conn.set_prepared_statement_cache_capacity(PREPARED_MAX);
    conn.busy_timeout(BUSY_TIMEOUT)?;
    // plans do not depend on bound values, so a prepared statement is never planned again
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; \
         PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536; \
         PRAGMA wal_autocheckpoint = 16000; PRAGMA journal_size_limit = 134217728;",
    )?;
    Ok(())
}

fn migrate(conn: &mut SqliteConnection) -> Result<(), OpenError> {
    // in one transaction: by default a migration and the note that it was made are two, and a start
    // that is cut between them leaves a database that no start can open
    schema::migrations::runner().set_grouped(true).run(conn)?;
    Ok(())
}

/// A library or a build may override what was asked for: it is read back.
pub(crate) fn check_settings(conn: &SqliteConnection) -> Result<(), OpenError> {
    check_setting(conn, "synchronous", "2")?;
    check_setting(conn, "foreign_keys", "1")?;
    check_setting(conn, "recursive_triggers", "1")
}

fn check_setting(
    conn: &SqliteConnection,
    name: &'static str,
    wanted: &'static str,
) -> Result<(), OpenError> {
    let found = conn.pragma_query_value(None, name, |row| {
        Ok(match row.get_ref(0)? {
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            other => other.as_str().unwrap_or("?").to_owned(),
        })
    })?;
    if found == wanted {
        Ok(())
    } else {
        Err(OpenError::Setting {
            name,
            wanted,
            found,
        })
    }
}

/// Whether a write reaches the device: a database on a file system that takes none still opens and
/// reads well. The number is ours to use and is used for nothing else.
pub(crate) fn check_writes(conn: &SqliteConnection) -> Result<(), OpenError> {
    conn.pragma_update(None, "user_version", 1)?;
    Ok(())
}

/// Integrity and references of the whole file; reads all of it.
pub(crate) fn check_whole(conn: &dyn Connection) -> Result<(), OpenError> {
    let verdict = one(conn, "PRAGMA integrity_check(1)", &[], |row| {
        Cells::new("integrity_check", row).take::<String>()
    });
    let dangling = verdict.and_then(|verdict| match verdict.as_deref() {
        Some("ok") => exists(conn, "PRAGMA foreign_key_check", &[]),
        other => Err(Fault::Wrong(other.unwrap_or("no verdict").to_owned())),
    });
    match dangling {
        Ok(false) => Ok(()),
        Ok(true) => Err(OpenError::Damaged("a reference leads nowhere".into())),
        Err(fault) => Err(OpenError::Damaged(fault.to_string())),
    }
}

/// Where ids of orders stand.
pub(super) const ORDER_IDS: [(&str, &str); 4] = [
    ("activation", "id"),
    ("smm_order", "id"),
    ("hold", "order_id"),
    ("restoration", "after_order"),
];

/// Where ids of all other numbered rows stand.
pub(super) const ROW_IDS: [(&str, &str); 25] = [
    ("account", "id"),
    ("api_key", "id"),
    ("credit", "id"),
    ("orphan", "id"),
    ("person", "id"),
    ("session", "id"),
    ("mail", "id"),
    ("smm_request", "id"),
    ("balance_reading", "id"),
    ("ticket", "id"),
    ("redeem_code", "id"),
    ("topup", "id"),
    ("topup_event", "id"),
    ("processor_movement", "id"),
    ("attestation", "id"),
    ("blocked", "id"),
    ("money_request", "id"),
    ("debit", "id"),
    ("account_note", "id"),
    ("announcement", "id"),
    ("abuse_case", "id"),
    ("legal_hold", "id"),
    ("account_case", "id"),
    ("rule_change", "id"),
    ("restoration", "after_row"),
];

/// Largest ids in use: of orders, and of all other numbered rows.
pub(crate) fn largest_ids(conn: &SqliteConnection) -> Result<(i64, i64), OpenError> {
    let largest = |tables: &[(&'static str, &str)]| -> Result<i64, Fault> {
        let mut largest = 0;
        for (table, column) in tables {
            let sql = format!("SELECT COALESCE(MAX({column}), 0) FROM {table}");
            let found = one(conn, &sql, &[], |row| Cells::new(table, row).take())?;
            largest = largest.max(found.unwrap_or(0));
        }
        Ok(largest)
    };
    let both = largest(&ORDER_IDS).and_then(|orders| Ok((orders, largest(&ROW_IDS)?)));
    both.map_err(|fault| OpenError::Damaged(fault.to_string()))
}
