//! The port of orders and money, over the same connections.

use std::sync::atomic::Ordering;

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
use domain::ports::{AtPanels, Audit, EndedActivation, Page, Read, Store};
use domain::smm_order::SmmOrder;
use domain::smm_request::SmmRequest;
use domain::ticket::{Ticket, TicketKind};
use domain::time::{Millis, Timestamp};
use domain::upstream::Pending;

use super::{
    access, activation, attempt, audit, balance, desk, journal, smm_order, smm_request, smm_service,
};
use crate::database::Database;
use crate::sql::snapshot;

impl Store for Database {
    fn commit(&self, change: Change) -> Pending<'_, Result<(), CommitError>> {
        Box::pin(self.hand_over(change))
    }

    fn next_order_id(&self) -> OrderId {
        OrderId(self.ids.orders.next())
    }

    fn next_row_id(&self) -> i64 {
        self.ids.rows.next()
    }

    fn in_force(&self) -> Read<'_, InForce> {
        self.ask(|conn| snapshot(conn, desk::in_force))
    }

    fn access_version(&self) -> u64 {
        self.access.load(Ordering::Acquire)
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
        self.unsealed(self.ask(move |conn| activation::by_id(conn, id)))
    }

    fn activations<'a>(&'a self, account: AccountId, page: &'a Page) -> Read<'a, Vec<Activation>> {
        let page = page.clone();
        self.unsealed(self.ask(move |conn| activation::listed(conn, account, &page)))
    }

    fn activations_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<Activation>> {
        self.unsealed(self.ask(move |conn| activation::due(conn, now, limit)))
    }

    fn upstreams_due(&self, now: Timestamp) -> Read<'_, Vec<String>> {
        self.ask(move |conn| activation::upstreams_due(conn, now))
    }

    fn claim_activations<'a>(
        &'a self,
        upstream: &'a str,
        now: Timestamp,
        limit: u32,
    ) -> Read<'a, Vec<Activation>> {
        let at = upstream.to_owned();
        self.unsealed(self.ask(move |conn| activation::claimed_due(conn, &at, now, limit)))
    }

    fn activations_live<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<Activation>> {
        let upstream = upstream.to_owned();
        self.unsealed(self.ask(move |conn| activation::live(conn, &upstream)))
    }

    fn activations_in_doubt<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<Activation>> {
        let upstream = upstream.to_owned();
        self.unsealed(self.ask(move |conn| activation::in_doubt(conn, &upstream)))
    }

    fn activations_ended(&self, limit: u32) -> Read<'_, Vec<EndedActivation>> {
        self.unsealed(self.ask(move |conn| activation::ended(conn, limit)))
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

    fn claim_smm_orders<'a>(
        &'a self,
        at: &'a AtPanels,
        now: Timestamp,
        limit: u32,
    ) -> Read<'a, Vec<SmmOrder>> {
        let at = at.clone();
        self.ask(move |conn| smm_order::claimed_due(conn, &at, now, limit))
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

    fn claim_smm_requests<'a>(
        &'a self,
        at: &'a AtPanels,
        now: Timestamp,
        limit: u32,
    ) -> Read<'a, Vec<SmmRequest>> {
        let at = at.clone();
        self.ask(move |conn| smm_request::claimed_due(conn, &at, now, limit))
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

    fn linked_order<'a>(&'a self, upstream: &'a str, id: &'a str) -> Read<'a, Option<OrderId>> {
        let (upstream, id) = (upstream.to_owned(), id.to_owned());
        self.ask(move |conn| attempt::linked_order(conn, &upstream, &id))
    }

    fn first_attempt_at<'a>(&'a self, upstream: &'a str) -> Read<'a, Option<Timestamp>> {
        let upstream = upstream.to_owned();
        self.ask(move |conn| attempt::first_at(conn, &upstream))
    }

    fn list_known_at<'a>(&'a self, upstream: &'a str) -> Read<'a, Option<Timestamp>> {
        let upstream = upstream.to_owned();
        self.ask(move |conn| attempt::list_known_at(conn, &upstream))
    }

    fn orphans_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<Orphan>> {
        self.ask(move |conn| attempt::orphans_due(conn, now, limit))
    }

    fn claim_orphans<'a>(
        &'a self,
        upstream: &'a str,
        now: Timestamp,
        limit: u32,
    ) -> Read<'a, Vec<Orphan>> {
        let at = upstream.to_owned();
        self.ask(move |conn| attempt::orphans_claimed(conn, &at, now, limit))
    }

    fn take_turn<'a>(&'a self, name: &'a str, pause: Millis) -> Read<'a, bool> {
        let name = name.to_owned();
        self.ask(move |conn| conn.take_turn(&name, pause.0))
    }

    fn position<'a>(&'a self, upstream: &'a str) -> Read<'a, Position> {
        let upstream = upstream.to_owned();
        self.ask(move |conn| balance::position(conn, &upstream))
    }

    fn suspects<'a>(&'a self, upstream: &'a str, since: Timestamp) -> Read<'a, Suspects> {
        let upstream = upstream.to_owned();
        self.ask(move |conn| balance::suspects(conn, &upstream, since))
    }

    fn settled_before<'a>(
        &'a self,
        upstream: &'a str,
        at: Timestamp,
    ) -> Read<'a, Option<Timestamp>> {
        let upstream = upstream.to_owned();
        self.ask(move |conn| balance::settled_before(conn, &upstream, at))
    }

    fn house_events(&self, from: Timestamp, until: Timestamp) -> Read<'_, Vec<Vec<HouseLeg>>> {
        self.ask(move |conn| balance::house_events(conn, from, until))
    }

    fn tickets(&self, open_only: bool, limit: u32) -> Read<'_, Vec<Ticket>> {
        self.ask(move |conn| balance::tickets(conn, open_only, limit))
    }

    fn open_tickets(&self, kind: TicketKind) -> Read<'_, Vec<Ticket>> {
        self.ask(move |conn| balance::open_tickets(conn, kind))
    }

    fn audit(&self, now: Timestamp) -> Read<'_, Audit> {
        let append_only = self.append_only;
        self.ask(move |conn| audit::run(conn, now, append_only))
    }

    fn healthy(&self) -> bool {
        self.health.is_good()
    }
}
