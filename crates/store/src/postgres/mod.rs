//! PostgreSQL: one database under any number of nodes.

mod bulk;
mod claim;
mod daily_keys;
mod error;
mod facts;
mod link;
mod reserve;
mod restored;
mod server;
mod settings;
mod transfer;
mod triggers;
mod value;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::database::{Database, Opened};
use crate::ids::{Ids, Series};
use crate::open_error::OpenError;
use crate::rows::{journal, restoration};
use crate::sql::fault::Fault;
use crate::threads::Opener;
use crate::vault::Vault;
use link::Link;
pub(crate) use reserve::Reserve;
use server::{Purpose, Server};
pub use settings::PostgresSettings;
pub use transfer::{Moved, TransferError, transfer};

mod schema {
    refinery::embed_migrations!("schema/postgres");
}

/// How long bringing the schema up to date may take, the wait for another node's doing it included.
const MIGRATION_PATIENCE: Duration = Duration::from_secs(600);

impl Database {
    /// Connects to a server and brings the schema of its database up to date.
    pub fn connect(settings: &PostgresSettings) -> Result<Self, OpenError> {
        let server = Server::new(settings)?;
        on_a_thread(|| open(server, None))?
    }

    /// The same as a node, which seals codes: it must have the daily keys of all others.
    pub fn connect_node(
        settings: &PostgresSettings,
        vault: &Arc<Vault>,
    ) -> Result<Self, OpenError> {
        let server = Server::new(settings)?;
        let store = on_a_thread(|| open(server, Some(vault)))??;
        Ok(store.with_vault(Arc::clone(vault)))
    }
}

/// Does something with connections on a thread of its own: they wait for their answers, which a
/// thread of the executor must not.
fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, OpenError> {
    std::thread::scope(|scope| {
        let working = std::thread::Builder::new()
            .name("store-opener".into())
            .spawn_scoped(scope, work)
            .map_err(OpenError::Thread)?;
        let stopped = |_| OpenError::Damaged("the opening thread panicked".into());
        working.join().map_err(stopped)
    })
}

fn open(server: Server, vault: Option<&Arc<Vault>>) -> Result<Database, OpenError> {
    let mut writer = server.link(Purpose::Writing)?;
    migrate(&server, &mut writer)?;
    let ids = Arc::new(Ids {
        orders: Series::default(),
        rows: Series::default(),
    });
    let refused = |fault: Fault| server.refused(fault.to_string());
    if let Some(vault) = vault
        && let Some(why) = daily_keys::disagreement(&writer, vault).map_err(refused)?
    {
        return Err(server.refused(why));
    }
    let newest_entry = journal::newest_entry(&writer).map_err(refused)?;
    let restored_at = restoration::latest(&writer).map_err(refused)?;
    let access = Arc::default();
    let reserve = reserve::start(server.clone(), &ids, &access)?;
    let opened = Opened {
        ids,
        access,
        newest_entry,
        restored_at,
        file: None,
        check_whole: false,
        lock: None,
        reserve: Some(reserve),
    };
    let opener: Arc<dyn Opener> = Arc::new(server);
    Database::with_threads(opener, Box::new(writer), opened)
}

/// One node at a time; the others wait and find it done.
fn migrate(server: &Server, link: &mut Link) -> Result<(), OpenError> {
    let refused = |fault: Fault| server.refused(fault.to_string());
    let unlimited = "SET statement_timeout = 0; SET lock_timeout = 0; \
                     SELECT pg_advisory_lock(7413830)";
    let done = link.with_client(MIGRATION_PATIENCE, async |client| {
        client.batch_execute(unlimited).await?;
        // every migration with its note in one transaction
        let runner = schema::migrations::runner().set_grouped(true);
        let migrated = runner.run_async(client).await;
        client
            .batch_execute("SELECT pg_advisory_unlock(7413830)")
            .await?;
        Ok(migrated)
    });
    match done {
        None => return Err(server.refused("bringing the schema up to date takes too long".into())),
        Some(Err(error)) => return Err(refused(error::fault(&error))),
        Some(Ok(migrated)) => migrated.map(drop)?,
    }
    link.batch(&server.session(Purpose::Writing))
        .map_err(refused)
}
