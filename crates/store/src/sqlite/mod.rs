//! The embedded store: SQLite in one folder, or in memory for tests and simulation.

mod access;
mod activation;
mod attempt;
mod audit;
mod audit_orders;
mod balance;
mod cells;
mod derive;
mod fault;
mod group;
mod guard;
mod health;
mod journal;
mod lock;
mod low_balance;
mod open;
mod own_number;
mod page;
mod pages;
mod people;
mod people_rows;
mod readers;
mod redeem;
#[cfg(feature = "simulation")]
mod rewind;
mod smm_order;
mod smm_request;
mod smm_service;
mod statement;
mod triggers;
mod write;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::access::{Account, ApiKey, Caller, KeyClaim};
use domain::activation::Activation;
use domain::attempt::Attempt;
use domain::balance::{Position, Suspects};
use domain::books::HouseLeg;
use domain::change::{Change, CommitError};
use domain::ids::{AccountId, KeyId, OrderId};
use domain::ledger::Wallet;
use domain::orphan::Orphan;
use domain::ports::{Audit, EndedActivation, Page, Read, Store};
use domain::smm_order::SmmOrder;
use domain::smm_request::SmmRequest;
use domain::ticket::Ticket;
use domain::time::Timestamp;
use domain::upstream::Pending;
use rusqlite::Connection;

use fault::Fault;
use group::{Outcome, apply_group};
use health::Health;
use lock::Lock;
pub use open::OpenError;
use readers::Readers;
use writer::Writer;

/// Order ids start above this.
const FIRST_ORDER: i64 = 100_000;

/// The SQLite store. `commit` hands a change over when its future is first polled.
pub struct Sqlite {
    engine: Engine,
    health: Arc<Health>,
    last_order: AtomicI64,
    last_row: AtomicI64,
    /// False only for the simulation's store, whose rows can be taken away again.
    append_only: bool,
    newest_entry: Option<Timestamp>,
    // Declared last, so that it is freed after the threads have ended.
    lock: Option<Lock>,
}

/// Who does the work.
enum Engine {
    /// One thread writes, a few read. The writer ends last: the last connection to close folds the
    /// log back into the database, and readers may not.
    Threads { readers: Readers, writer: Writer },
    /// The caller, at once: one seed gives one run.
    Inline(Mutex<Connection>),
}

impl Sqlite {
    /// Opens the database in a folder, which is made if need be, and brings its schema up to date.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        open::create_directory(directory)?;
        let lock = lock::take(directory)?;
        let path = open::database(directory);
        open::make_private(&path)?;
        let conn = open::writer(&path)?;
        let largest = open::largest_ids(&conn)?;
        let newest_entry = open::newest_entry(&conn)?;
        let health = Arc::new(Health::default());
        let readers = Readers::start(&path, &health)?;
        if lock.was_unclean() {
            readers.check_whole();
        }
        let writer = Writer::start(path, conn, Arc::clone(&health))?;
        let engine = Engine::Threads { readers, writer };
        let mut store = Self::of(engine, health, largest);
        store.newest_entry = newest_entry;
        store.lock = Some(lock);
        Ok(store)
    }

    /// A database in memory, without threads: every future is ready when it is first polled.
    pub fn in_memory() -> Result<Self, OpenError> {
        let conn = open::in_memory()?;
        let largest = open::largest_ids(&conn)?;
        let engine = Engine::Inline(Mutex::new(conn));
        Ok(Self::of(engine, Arc::default(), largest))
    }

    fn of(engine: Engine, health: Arc<Health>, (order, row): (i64, i64)) -> Self {
        Self {
            engine,
            health,
            last_order: AtomicI64::new(order.max(FIRST_ORDER)),
            last_row: AtomicI64::new(row),
            append_only: true,
            newest_entry: None,
            lock: None,
        }
    }

    /// When the newest entry of the books had been made as they were opened: a clock that shows an
    /// earlier time is wrong, or that entry is.
    pub fn newest_entry(&self) -> Option<Timestamp> {
        self.newest_entry
    }

    fn ask<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Read<'_, T> {
        Box::pin(async move {
            match &self.engine {
                Engine::Threads { readers, .. } => readers.ask(query).await,
                Engine::Inline(conn) => {
                    let conn = conn.lock().unwrap_or_else(PoisonError::into_inner);
                    query(&conn).map_err(|fault| readers::report(fault, &self.health))
                }
            }
        })
    }

    fn commit_inline(&self, conn: &Mutex<Connection>, change: &Change) -> Outcome {
        let conn = conn.lock().unwrap_or_else(PoisonError::into_inner);
        let applied = apply_group(&conn, &[change]);
        if applied.storage_failed {
            self.health.fall_ill();
        }
        let mut outcomes = applied.outcomes;
        outcomes.pop().unwrap_or_else(|| Err(not_healthy()))
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.as_mut().filter(|_| self.health.is_good()) {
            lock.end_clean();
        }
    }
}

/// Answer while money is stopped.
fn not_healthy() -> CommitError {
    CommitError::Storage("the storage failed; nothing is written until it was checked".into())
}

impl Store for Sqlite {
    fn commit(&self, change: Change) -> Pending<'_, Result<(), CommitError>> {
        Box::pin(async move {
            if !self.health.is_good() {
                return Err(not_healthy());
            }
            match &self.engine {
                Engine::Threads { writer, .. } => writer.commit(change).await,
                Engine::Inline(conn) => self.commit_inline(conn, &change),
            }
        })
    }

    fn next_order_id(&self) -> OrderId {
        OrderId(self.last_order.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn next_row_id(&self) -> i64 {
        self.last_row.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn caller<'a>(&'a self, public_id: &'a str) -> Read<'a, Option<Caller>> {
        let public_id = public_id.to_owned();
        self.ask(move |conn| access::caller(conn, &public_id))
    }

    fn account(&self, id: AccountId) -> Read<'_, Option<Account>> {
        self.ask(move |conn| access::account(conn, id))
    }

    fn accounts(&self) -> Read<'_, Vec<Account>> {
        self.ask(access::accounts)
    }

    fn keys(&self, account: AccountId) -> Read<'_, Vec<ApiKey>> {
        self.ask(move |conn| access::keys(conn, account))
    }

    fn key(&self, id: KeyId) -> Read<'_, Option<ApiKey>> {
        self.ask(move |conn| access::key(conn, id))
    }

    fn wallet(&self, account: AccountId) -> Read<'_, Option<Wallet>> {
        self.ask(move |conn| journal::wallet(conn, account))
    }

    fn claim<'a>(
        &'a self,
        account: AccountId,
        endpoint: &'a str,
        key: &'a str,
        now: Timestamp,
    ) -> Read<'a, Option<KeyClaim>> {
        let (endpoint, key) = (endpoint.to_owned(), key.to_owned());
        self.ask(move |conn| access::claim(conn, account, &endpoint, &key, now))
    }

    fn activation(&self, id: OrderId) -> Read<'_, Option<Activation>> {
        self.ask(move |conn| activation::by_id(conn, id))
    }

    fn activations<'a>(&'a self, account: AccountId, page: &'a Page) -> Read<'a, Vec<Activation>> {
        let page = page.clone();
        self.ask(move |conn| activation::listed(conn, account, &page))
    }

    fn activations_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<Activation>> {
        self.ask(move |conn| activation::due(conn, now, limit))
    }

    fn activations_live<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<Activation>> {
        let upstream = upstream.to_owned();
        self.ask(move |conn| activation::live(conn, &upstream))
    }

    fn activations_in_doubt<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<Activation>> {
        let upstream = upstream.to_owned();
        self.ask(move |conn| activation::in_doubt(conn, &upstream))
    }

    fn activations_ended(&self, limit: u32) -> Read<'_, Vec<EndedActivation>> {
        self.ask(move |conn| activation::ended(conn, limit))
    }

    fn smm_order(&self, id: OrderId) -> Read<'_, Option<SmmOrder>> {
        self.ask(move |conn| smm_order::by_id(conn, id))
    }

    fn smm_orders<'a>(&'a self, account: AccountId, page: &'a Page) -> Read<'a, Vec<SmmOrder>> {
        let page = page.clone();
        self.ask(move |conn| smm_order::listed(conn, account, &page))
    }

    fn smm_orders_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<SmmOrder>> {
        self.ask(move |conn| smm_order::due(conn, now, limit))
    }

    fn smm_orders_in_doubt<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<SmmOrder>> {
        let upstream = upstream.to_owned();
        self.ask(move |conn| smm_order::in_doubt(conn, &upstream))
    }

    fn smm_request(&self, id: i64) -> Read<'_, Option<SmmRequest>> {
        self.ask(move |conn| smm_request::by_id(conn, id))
    }

    fn smm_requests(&self, order: OrderId) -> Read<'_, Vec<SmmRequest>> {
        self.ask(move |conn| smm_request::of_order(conn, order))
    }

    fn smm_requests_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<SmmRequest>> {
        self.ask(move |conn| smm_request::due(conn, now, limit))
    }

    fn smm_service_ids(&self) -> Read<'_, Vec<(String, String, String)>> {
        self.ask(smm_service::all)
    }

    fn attempts(&self, order: OrderId) -> Read<'_, Vec<Attempt>> {
        self.ask(move |conn| attempt::of_order(conn, order))
    }

    fn linked<'a>(&'a self, upstream: &'a str, ids: &'a [String]) -> Read<'a, Vec<String>> {
        let (upstream, ids) = (upstream.to_owned(), ids.to_vec());
        self.ask(move |conn| attempt::linked(conn, &upstream, &ids))
    }

    fn first_attempt_at<'a>(&'a self, upstream: &'a str) -> Read<'a, Option<Timestamp>> {
        let upstream = upstream.to_owned();
        self.ask(move |conn| attempt::first_at(conn, &upstream))
    }

    fn orphans_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<Orphan>> {
        self.ask(move |conn| attempt::orphans_due(conn, now, limit))
    }

    fn position<'a>(&'a self, upstream: &'a str) -> Read<'a, Position> {
        let upstream = upstream.to_owned();
        self.ask(move |conn| balance::position(conn, &upstream))
    }

    fn suspects<'a>(&'a self, upstream: &'a str, since: Timestamp) -> Read<'a, Suspects> {
        let upstream = upstream.to_owned();
        self.ask(move |conn| balance::suspects(conn, &upstream, since))
    }

    fn house_events(&self, from: Timestamp, until: Timestamp) -> Read<'_, Vec<Vec<HouseLeg>>> {
        self.ask(move |conn| balance::house_events(conn, from, until))
    }

    fn tickets(&self, open_only: bool, limit: u32) -> Read<'_, Vec<Ticket>> {
        self.ask(move |conn| balance::tickets(conn, open_only, limit))
    }

    fn audit(&self, now: Timestamp) -> Read<'_, Audit> {
        let append_only = self.append_only;
        self.ask(move |conn| audit::run(conn, now, append_only))
    }

    fn healthy(&self) -> bool {
        self.health.is_good()
    }
}
