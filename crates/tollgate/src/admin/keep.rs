//! Keeping the data: `backup`, in the running server or on the store, and `restore`, while no server
//! runs.

use super::Office;
use crate::clock::SteadyClock;
use crate::settings::{Engine, Settings};
use anyhow::bail;
use app::AdminError;
use domain::ports::{Audit, Clock};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{BackupError, Database, PostgresSettings};

/// What an operator keeps apart from the database.
const NOT_IN_IT: &str = "not in it: tollgate.toml, tollgate.pepper, tollgate.keys, the audit log's key \
                         (audit.key), the files of upstreams' and other keys, and DATA/catalogue with \
                         your own classes; keep them too, and apart from it. The keys of days are left \
                         out on purpose";

/// Copies the store into a file.
pub async fn back_up(office: &Office, file: PathBuf) -> Result<Value, AdminError> {
    let (store, now) = (Arc::clone(&office.store), office.engine.now());
    let object = file.display().to_string();
    if let Err(error) = office.audit.note("back_up", None, object).await {
        // a store that takes no writes is one to copy at once
        tracing::error!(%error, "this backup stands in no audit log");
    }
    let copying = {
        let file = file.clone();
        tokio::task::spawn_blocking(move || store.back_up(&file, now))
    };
    let copied = copying.await.map_err(|_| AdminError::Storage)?;
    let copied = copied.map_err(|error| AdminError::Invalid(sentence(&error)))?;
    let mut view = books(&copied.audit);
    view["file"] = json!(file.display().to_string());
    view["bytes"] = json!(copied.bytes);
    view["note"] = json!(NOT_IN_IT);
    Ok(view)
}

/// Brings a backup back, or marks a database that `pg_restore` has brought back.
pub fn restore(settings: &Settings, file: Option<&Path>, force: bool) -> anyhow::Result<Value> {
    let now = SteadyClock::start().now();
    let restored = match (&settings.store.engine, file) {
        (Engine::Sqlite { directory }, Some(file)) => {
            Database::restore(directory, file, now, force)
        }
        (Engine::Postgres(server), None) => Database::mark_restored(server, now),
        (Engine::Postgres(_), Some(_)) => Err(BackupError::OnServer),
        (Engine::Sqlite { .. }, None) => bail!("name the backup that is to be brought back"),
    };
    let restored = restored.map_err(|error| anyhow::anyhow!(sentence(&error)))?;
    let mut view = books(&restored.audit);
    let aside = restored.kept_aside.map(|path| path.display().to_string());
    view["kept_aside"] = json!(aside);
    view["orders_after"] = json!(restored.orders_after);
    view["next"] = json!(
        "tollgate serve; purchases that were open are settled by what their upstreams list, then look \
         at tollgate ledger tickets"
    );
    Ok(view)
}

/// Moves a whole installation to PostgreSQL. `told` hears of each table.
pub fn transfer(
    from: &str,
    to: &str,
    told: &mut (dyn FnMut(&str, u64) + Send),
) -> anyhow::Result<Value> {
    let Some(source) = from.strip_prefix("sqlite:").filter(|path| !path.is_empty()) else {
        bail!("--from: must be sqlite:DIRECTORY or sqlite:FILE");
    };
    let target = PostgresSettings::new(to);
    if let Err(why) = target.check() {
        bail!("--to: {why}");
    }
    let now = SteadyClock::start().now();
    let moved = store::transfer(Path::new(source), &target, now, told);
    let moved = moved.map_err(|error| anyhow::anyhow!(sentence(&error)))?;
    let rows: u64 = moved.tables.iter().map(|(_, rows)| rows).sum();
    let mut view = books(&moved.audit);
    view["tables"] = json!(moved.tables.len());
    view["rows"] = json!(rows);
    view["next"] = json!(
        "set store.url to the new address on every node, keep the secret files, then tollgate serve; \
         never start a server on the old directory again"
    );
    Ok(view)
}

fn books(audit: &Audit) -> Value {
    json!({
        "ok": true,
        "accounts": audit.accounts,
        "entries": audit.entries,
        "open_holds": audit.open_holds,
    })
}

/// An error with its causes.
pub fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
