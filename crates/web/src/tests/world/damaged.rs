//! The store as the engine has it, with what is in force unreadable where a test wants it so.

use domain::access::{Account, ApiKey, Caller, KeyClaim};
use domain::activation::Activation;
use domain::attempt::Attempt;
use domain::balance::{Position, Suspects};
use domain::books::HouseLeg;
use domain::change::{Change, CommitError};
use domain::desk::InForce;
use domain::ids::{AccountId, KeyId, OrderId};
use domain::ledger::Wallet;
use domain::orphan::Orphan;
use domain::ports::{AtPanels, Audit, EndedActivation, Page, Read, Store, StoreError};
use domain::smm_order::SmmOrder;
use domain::smm_request::SmmRequest;
use domain::ticket::{Ticket, TicketKind};
use domain::time::{Millis, Timestamp};
use domain::upstream::Pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::Database;

pub(in crate::tests) struct Damaged {
    rows: Arc<Database>,
    /// Whether what is in force cannot be read.
    pub in_force: AtomicBool,
}

impl Damaged {
    pub fn not_yet(rows: &Arc<Database>) -> Self {
        Self {
            rows: Arc::clone(rows),
            in_force: AtomicBool::new(false),
        }
    }
}

macro_rules! as_stored {
    ($($name:ident($($arg:ident: $type:ty),*) -> $found:ty;)+) => {$(
        fn $name<'a>(&'a self, $($arg: $type),*) -> Read<'a, $found> {
            self.rows.$name($($arg),*)
        }
    )+};
}

impl Store for Damaged {
    fn in_force(&self) -> Read<'_, InForce> {
        if self.in_force.load(Ordering::SeqCst) {
            let why = StoreError("a row that no release wrote".to_owned());
            return Box::pin(async { Err(why) });
        }
        self.rows.in_force()
    }

    fn commit(&self, change: Change) -> Pending<'_, Result<(), CommitError>> {
        self.rows.commit(change)
    }

    fn next_order_id(&self) -> OrderId {
        self.rows.next_order_id()
    }

    fn next_row_id(&self) -> i64 {
        self.rows.next_row_id()
    }

    fn access_version(&self) -> u64 {
        self.rows.access_version()
    }

    fn healthy(&self) -> bool {
        self.rows.healthy()
    }

    as_stored! {
        caller(public_id: &'a str) -> Option<Caller>;
        account(id: AccountId) -> Option<Account>;
        accounts() -> Vec<Account>;
        keys(account: AccountId) -> Vec<ApiKey>;
        key(id: KeyId) -> Option<ApiKey>;
        wallet(account: AccountId) -> Option<Wallet>;
        claim(account: AccountId, endpoint: &'a str, key: &'a str, now: Timestamp)
            -> Option<KeyClaim>;
        activation(id: OrderId) -> Option<Activation>;
        activations(account: AccountId, page: &'a Page) -> Vec<Activation>;
        activations_due(now: Timestamp, limit: u32) -> Vec<Activation>;
        upstreams_due(now: Timestamp) -> Vec<String>;
        claim_activations(upstream: &'a str, now: Timestamp, limit: u32) -> Vec<Activation>;
        activations_live(upstream: &'a str) -> Vec<Activation>;
        activations_in_doubt(upstream: &'a str) -> Vec<Activation>;
        activations_ended(limit: u32) -> Vec<EndedActivation>;
        smm_order(id: OrderId) -> Option<SmmOrder>;
        smm_orders(account: AccountId, page: &'a Page) -> Vec<SmmOrder>;
        smm_orders_due(now: Timestamp, limit: u32) -> Vec<SmmOrder>;
        claim_smm_orders(at: &'a AtPanels, now: Timestamp, limit: u32) -> Vec<SmmOrder>;
        smm_orders_in_doubt(upstream: &'a str) -> Vec<SmmOrder>;
        smm_request(id: i64) -> Option<SmmRequest>;
        smm_requests(order: OrderId) -> Vec<SmmRequest>;
        smm_requests_due(now: Timestamp, limit: u32) -> Vec<SmmRequest>;
        claim_smm_requests(at: &'a AtPanels, now: Timestamp, limit: u32) -> Vec<SmmRequest>;
        smm_service_ids() -> Vec<(String, String, String)>;
        attempts(order: OrderId) -> Vec<Attempt>;
        linked(upstream: &'a str, ids: &'a [String]) -> Vec<String>;
        linked_order(upstream: &'a str, id: &'a str) -> Option<OrderId>;
        first_attempt_at(upstream: &'a str) -> Option<Timestamp>;
        list_known_at(upstream: &'a str) -> Option<Timestamp>;
        orphans_due(now: Timestamp, limit: u32) -> Vec<Orphan>;
        claim_orphans(upstream: &'a str, now: Timestamp, limit: u32) -> Vec<Orphan>;
        take_turn(name: &'a str, pause: Millis) -> bool;
        position(upstream: &'a str) -> Position;
        suspects(upstream: &'a str, since: Timestamp) -> Suspects;
        settled_before(upstream: &'a str, at: Timestamp) -> Option<Timestamp>;
        house_events(from: Timestamp, until: Timestamp) -> Vec<Vec<HouseLeg>>;
        tickets(open_only: bool, limit: u32) -> Vec<Ticket>;
        open_tickets(kind: TicketKind) -> Vec<Ticket>;
        audit(now: Timestamp) -> Audit;
    }
}
