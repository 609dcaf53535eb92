//! The simulation's own record of what was committed, kept by no code of the product: every check
//! compares with it.

use domain::activation::Activation;
use domain::attempt::AttemptState;
use domain::balance::BalanceReading;
use domain::change::{Change, Write};
use domain::ids::{AccountId, OrderId};
use domain::ledger::{Book, Cause, Entry};
use domain::orphan::{Orphan, OrphanState};
use domain::smm_order::{Observation, SmmOrder, SmmState};
use domain::smm_request::SmmRequest;
use domain::ticket::Ticket;
use domain::time::{Millis, Timestamp};
use domain::usd::Usd;
use std::collections::{BTreeMap, BTreeSet};

/// After this long an order under review is a person's.
const REVIEWED: Millis = Millis::minutes(60);

/// One order's money.
#[derive(Clone, Debug)]
pub struct Money {
    /// Whose.
    pub account: AccountId,
    /// The hold.
    pub held: Usd,
    /// Each resolution: posted part and when.
    pub resolved: Vec<(Usd, Timestamp)>,
    /// Each adjustment: amount and when.
    pub adjusted: Vec<(Usd, Timestamp)>,
}

/// One purchase attempt.
#[derive(Clone, Debug)]
pub struct Try {
    /// Upstream.
    pub upstream: String,
    /// When it was written.
    pub begun_at: Timestamp,
    /// Each end: state and when.
    pub ends: Vec<(AttemptState, Timestamp)>,
    /// What the last end was derived from.
    pub evidence: String,
}

/// What an upstream id was linked to (an order or nobody), and when.
pub type Linked = (Option<OrderId>, Timestamp);

/// Everything that was committed.
#[derive(Default)]
pub struct Truth {
    /// Money of each order.
    pub money: BTreeMap<OrderId, Money>,
    /// Activations as last written, and the versions written so far.
    pub activations: BTreeMap<OrderId, Activation>,
    /// SMM orders as last written.
    pub smm_orders: BTreeMap<OrderId, SmmOrder>,
    /// Cancels and refills as last written.
    pub requests: BTreeMap<i64, SmmRequest>,
    /// What was kept of the panel's words about each SMM order.
    pub observed: BTreeMap<OrderId, Vec<Observation>>,
    /// Orphans as last written.
    pub orphans: BTreeMap<i64, Orphan>,
    /// Attempts by order and number.
    pub tries: BTreeMap<(OrderId, i64), Try>,
    /// Orders (or nobody) each upstream id was linked to, and when.
    pub links: BTreeMap<(String, String), Vec<Linked>>,
    /// When each activation's messages were stored.
    pub messages: BTreeMap<OrderId, Vec<(String, Timestamp)>>,
    /// What the books say an upstream took for each order, net.
    pub taken_for_order: BTreeMap<OrderId, i64>,
    /// What the books say an upstream took for each orphan, net.
    pub taken_for_orphan: BTreeMap<i64, i64>,
    /// What the books call a loss, by order.
    pub lost_for_order: BTreeMap<OrderId, i64>,
    /// Sum of each book of the house.
    pub books: BTreeMap<String, i64>,
    /// Readings of balances, in order.
    pub readings: Vec<BalanceReading>,
    /// Tickets as last written.
    pub tickets: BTreeMap<i64, Ticket>,
    /// SMM orders that were ever under review.
    pub reviewed: BTreeSet<OrderId>,
    /// Credits of each account.
    pub credits: BTreeMap<AccountId, i64>,
    /// Orders behind idempotency keys: account, endpoint and key.
    pub claims: BTreeMap<(AccountId, String, String), Vec<domain::access::KeptAnswer>>,
    /// What broke a rule at the very commit.
    pub broken: Vec<(&'static str, String)>,
}

impl Truth {
    /// Takes a committed change over.
    pub fn apply(&mut self, change: &Change) {
        let at = change.at;
        for write in &change.writes {
            self.order_rows(write);
            self.purchase_rows(write, at);
            self.money_rows(write, at);
        }
    }

    fn order_rows(&mut self, write: &Write) {
        match write {
            Write::InsertActivation(row) => {
                self.activations.insert(row.id, (**row).clone());
            }
            Write::UpdateActivation(row) => {
                let mut row = (**row).clone();
                self.fence(
                    row.id,
                    row.version,
                    self.activations.get(&row.id).map(|a| a.version),
                );
                row.version += 1;
                self.activations.insert(row.id, row);
            }
            Write::InsertSmmOrder(row) => {
                self.smm_orders.insert(row.id, (**row).clone());
            }
            Write::UpdateSmmOrder(row) => {
                let mut row = (**row).clone();
                let before = self.smm_orders.get(&row.id);
                self.fence(row.id, row.version, before.map(|order| order.version));
                if let Some(before) = self.smm_orders.get(&row.id)
                    && row.public_progress() < before.public_progress()
                    && !row.public_progress().is_final()
                {
                    self.broken
                        .push(("I-21", format!("order {} went back a rank", row.id)));
                }
                if row.state == SmmState::Review {
                    self.reviewed.insert(row.id);
                }
                row.version += 1;
                self.smm_orders.insert(row.id, row);
            }
            Write::PostponeSmmOrder { order, due_at } => {
                if let Some(row) = self.smm_orders.get_mut(order) {
                    row.due_at = Some(*due_at);
                }
            }
            Write::Observe(seen) => {
                let of_order = self.observed.entry(seen.order).or_default();
                of_order.push(seen.clone());
            }
            Write::InsertSmmRequest(row) => {
                self.requests.insert(row.id, (**row).clone());
            }
            Write::UpdateSmmRequest(row) => {
                let row = (**row).clone().stored();
                self.requests.insert(row.id, row);
            }
            Write::InsertOrphan(row) => {
                self.orphans.insert(row.id, (**row).clone());
            }
            Write::UpdateOrphan(row) => {
                let mut row = (**row).clone();
                row.version += 1;
                self.orphans.insert(row.id, row);
            }
            _ => {}
        }
    }

    fn fence(&mut self, order: OrderId, written: i64, stored: Option<i64>) {
        if stored != Some(written) {
            let detail = format!("order {order}: version {written} was written over {stored:?}");
            self.broken.push(("I-23", detail));
        }
    }

    fn purchase_rows(&mut self, write: &Write, at: Timestamp) {
        match write {
            Write::BeginAttempt(attempt) => {
                self.live_attempts(attempt.order);
                let begun = Try {
                    upstream: attempt.upstream.clone(),
                    begun_at: attempt.sent_at,
                    ends: Vec::new(),
                    evidence: String::new(),
                };
                self.tries.insert((attempt.order, attempt.seq), begun);
            }
            Write::EndAttempt(end) => {
                if let Some(begun) = self.tries.get_mut(&(end.order, end.seq)) {
                    begun.ends.push((end.state, at));
                    begun.evidence.clone_from(&end.evidence);
                }
            }
            Write::ReadBalance(reading) => self.readings.push((**reading).clone()),
            Write::OpenTicket(ticket) => {
                let about = (ticket.kind, ticket.reference);
                let mut known = self.tickets.values_mut();
                match known.find(|one| (one.kind, one.reference) == about) {
                    None => {
                        self.tickets.insert(ticket.id, (**ticket).clone());
                    }
                    Some(known) => {
                        if let Some(row) = ticket.in_place_of(known) {
                            *known = row;
                        }
                    }
                }
            }
            Write::CloseTicket { ticket, .. } => {
                if let Some(ticket) = self.tickets.get_mut(ticket) {
                    ticket.closed_at = Some(at);
                }
            }
            Write::Link {
                upstream,
                upstream_id,
                order,
            } => {
                let place = (upstream.clone(), upstream_id.clone());
                self.links.entry(place).or_default().push((*order, at));
            }
            Write::Message {
                order,
                sms,
                received_at,
                ..
            } => {
                self.messages
                    .entry(*order)
                    .or_default()
                    .push((sms.code.clone(), *received_at));
            }
            Write::Claim(claim) => {
                let place = (claim.account, claim.endpoint.clone(), claim.key.clone());
                self.claims
                    .entry(place)
                    .or_default()
                    .push(claim.answer.clone());
            }
            _ => {}
        }
    }

    /// I-13: another attempt begins only once all before are over.
    fn live_attempts(&mut self, order: OrderId) {
        let of_order = self.tries.range((order, i64::MIN)..=(order, i64::MAX));
        let live = of_order.filter(|(_, one)| {
            let end = one.ends.last().map(|(end, _)| *end);
            end.is_none_or(|end| end == AttemptState::InDoubt)
        });
        for ((_, seq), _) in live {
            let detail = format!("order {order}: attempt {seq} lives while the next begins");
            self.broken.push(("I-13", detail));
        }
    }

    fn money_rows(&mut self, write: &Write, at: Timestamp) {
        match write {
            Write::Hold {
                account,
                order,
                amount,
            } => {
                let money = Money {
                    account: *account,
                    held: *amount,
                    resolved: Vec::new(),
                    adjusted: Vec::new(),
                };
                self.money.insert(*order, money);
            }
            Write::Rehold { order, to, .. } => {
                if let Some(money) = self.money.get_mut(order) {
                    money.held = *to;
                }
            }
            Write::Resolve { order, posted, .. } => {
                if let Some(money) = self.money.get_mut(order) {
                    money.resolved.push((*posted, at));
                }
            }
            Write::Adjust { order, amount, .. } => {
                if let Some(money) = self.money.get_mut(order) {
                    money.adjusted.push((*amount, at));
                }
            }
            Write::Credit {
                account, amount, ..
            } => {
                *self.credits.entry(*account).or_default() += amount.0;
            }
            Write::Book(entry) => self.house(entry),
            _ => {}
        }
    }

    fn house(&mut self, entry: &Entry) {
        for leg in &entry.postings {
            let name = match leg.book.upstream() {
                Some(upstream) => format!("{}:{upstream}", leg.book.slug()),
                None => leg.book.slug().to_owned(),
            };
            *self.books.entry(name).or_default() += leg.amount.0;
            match (&leg.book, entry.cause) {
                (Book::Prepaid(_), Cause::UpstreamCost(order, _)) => {
                    *self.taken_for_order.entry(order).or_default() -= leg.amount.0;
                }
                (Book::Prepaid(_), Cause::OrphanCost(row) | Cause::OrphanEnd(row)) => {
                    *self.taken_for_orphan.entry(row).or_default() -= leg.amount.0;
                }
                (Book::WriteOff, Cause::UpstreamCost(order, _)) => {
                    *self.lost_for_order.entry(order).or_default() += leg.amount.0;
                }
                _ => {}
            }
        }
    }

    /// Purchase attempts written for an upstream so far.
    pub fn tries_at(&self, upstream: &str) -> usize {
        self.tries
            .values()
            .filter(|one| one.upstream == upstream)
            .count()
    }

    /// Whether nothing waits for a background step any more. An order under review for an hour
    /// waits for a person.
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        let activations = self.activations.values().all(|row| row.due_at.is_none());
        let orders = self.smm_orders.values().all(|row| {
            let for_a_person = row.state == SmmState::Review && now - row.created_at > REVIEWED;
            row.due_at.is_none() || for_a_person
        });
        let orphans = self
            .orphans
            .values()
            .all(|row| row.state != OrphanState::Open);
        let requests = self.requests.values().all(|row| {
            let order = self.smm_orders.get(&row.order);
            let for_a_person = order.is_some_and(|order| order.state == SmmState::Review);
            row.due_at.is_none() || for_a_person
        });
        activations && orders && orphans && requests
    }

    /// When the next background step is due, if one is.
    pub fn next_due(&self) -> Option<Timestamp> {
        let activations = self.activations.values().filter_map(|row| row.due_at);
        let orders = self.smm_orders.values().filter_map(|row| row.due_at);
        let orphans = self.orphans.values().filter_map(|row| row.due_at);
        let requests = self.requests.values().filter_map(|row| row.due_at);
        let due = activations.chain(orders).chain(orphans);
        due.chain(requests).min()
    }
}
