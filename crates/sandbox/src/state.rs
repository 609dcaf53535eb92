//! The books: balances, activations, orders. They change by events and by the passing of time
//! alone, so that replaying a state file leads to the very same books.

use crate::accounts::{AccountIndex, PANEL, accounts};
use crate::activation::{Activation, Ending};
use crate::catalogue::panel_services::panel_service;
use crate::event::Event;
use crate::mix::pick;
use crate::panel_order::PanelOrder;
use domain::usd::{Rate, Usd};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};

/// Balance of every account at the start.
const START_BALANCE: Usd = Usd(100_000_000_000);
/// Ids of activations start above this.
const FIRST_ACTIVATION: u64 = 635_468_000;
/// Ids of SMM orders start above this.
const FIRST_ORDER: u64 = 90_200;
/// Ids of refills start above this.
const FIRST_REFILL: u64 = 16;
/// Ids grow by 1 to this much: other customers buy, too.
const ID_GAP_MAX: u64 = 7;

/// A refill that was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refill {
    /// Id.
    pub(crate) id: u64,
    /// When, unix milliseconds.
    pub(crate) asked_at: i64,
    /// The order.
    pub(crate) order: u64,
}

/// What happens by itself at a known time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// An activation reaches its own end.
    Activation(u64),
    /// An order may owe money.
    Order(u64),
    /// Somebody posts, and a subscription makes an order for it.
    Post(u64),
}

/// The books.
pub(crate) struct State {
    /// From which codes, numbers and ids follow.
    pub(crate) seed: u64,
    now: i64,
    balances: Vec<Usd>,
    /// By ascending id.
    activations: Vec<Activation>,
    active: Vec<BTreeSet<u64>>,
    /// Activations by the buyer's own id of the purchase.
    sold_as: HashMap<(AccountIndex, String), u64>,
    alive_numbers: HashSet<u64>,
    /// By ascending id.
    orders: Vec<PanelOrder>,
    /// By ascending id.
    refills: Vec<Refill>,
    due: BinaryHeap<Reverse<(i64, Due)>>,
}

impl State {
    /// Fresh books.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            now: i64::MIN,
            balances: vec![START_BALANCE; accounts().len()],
            activations: Vec::new(),
            active: vec![BTreeSet::new(); accounts().len()],
            sold_as: HashMap::new(),
            alive_numbers: HashSet::new(),
            orders: Vec::new(),
            refills: Vec::new(),
            due: BinaryHeap::new(),
        }
    }

    /// Lets time pass until `now` and returns the time that holds: it never goes back.
    pub(crate) fn advance(&mut self, now: i64) -> i64 {
        self.now = self.now.max(now);
        while let Some(Reverse((at, due))) = self.due.peek().copied() {
            if at > self.now {
                break;
            }
            self.due.pop();
            match due {
                Due::Activation(id) => self.reach_own_end(id),
                Due::Order(id) => self.settle(id, at),
                Due::Post(id) => self.enter_post(id, at),
            }
        }
        self.now
    }

    /// Enters an event, after letting time pass until it happened.
    pub(crate) fn apply(&mut self, event: &Event) {
        if let Some(at) = event.at() {
            self.advance(at);
        }
        match *event {
            Event::Begun { seed } => self.seed = seed,
            Event::NumberSold { .. } => self.enter_sale(event),
            Event::RetryAsked { at, id } => {
                if let Some(activation) = self.activation_mut(id) {
                    activation.retry_asked(at);
                }
            }
            Event::NumberFinished { at, id } => self.end(id, Ending::Finished, at),
            Event::NumberCancelled { at, id } => self.end(id, Ending::Cancelled, at),
            Event::OrderPlaced { .. } => self.enter_order(event),
            Event::FalsePartialSeen { at, id } => {
                if let Some(order) = self.order_mut(id) {
                    order.partial_seen_at.get_or_insert(at);
                }
            }
            Event::OrderCancelAsked { at, id } => self.enter_cancel(id, at),
            Event::RefillAsked { at, id, order } => self.refills.push(Refill {
                id,
                asked_at: at,
                order,
            }),
            Event::BalanceSet {
                account,
                balance_micros,
                ..
            } => {
                self.balances[account] = balance_micros;
            }
        }
    }

    /// Balance of an account.
    pub(crate) fn balance(&self, account: AccountIndex) -> Usd {
        self.balances[account]
    }

    /// The activation this account bought under an id of its own.
    pub(crate) fn sold_as(&self, account: AccountIndex, reference: &str) -> Option<&Activation> {
        let id = self.sold_as.get(&(account, reference.to_owned()))?;
        self.activation(account, *id)
    }

    /// The SMM order that was placed under an id of its buyer's.
    pub(crate) fn ordered_as(&self, reference: &str) -> Option<&PanelOrder> {
        let id = self.sold_as.get(&(PANEL, reference.to_owned()))?;
        self.order(*id)
    }

    /// An activation of this account.
    pub(crate) fn activation(&self, account: AccountIndex, id: u64) -> Option<&Activation> {
        let at = self
            .activations
            .binary_search_by_key(&id, |activation| activation.id)
            .ok()?;
        self.activations
            .get(at)
            .filter(|activation| activation.account == account)
    }

    /// Activations of this account that have not ended, oldest first.
    pub(crate) fn active(&self, account: AccountIndex) -> impl Iterator<Item = &Activation> {
        self.active[account]
            .iter()
            .filter_map(move |&id| self.activation(account, id))
    }

    /// Everything that was ever sold, oldest first.
    pub(crate) fn activations(&self) -> &[Activation] {
        &self.activations
    }

    /// An SMM order.
    pub(crate) fn order(&self, id: u64) -> Option<&PanelOrder> {
        let at = self
            .orders
            .binary_search_by_key(&id, |order| order.id)
            .ok()?;
        self.orders.get(at)
    }

    /// Every SMM order, oldest first.
    pub(crate) fn orders(&self) -> &[PanelOrder] {
        &self.orders
    }

    /// A refill.
    pub(crate) fn refill(&self, id: u64) -> Option<&Refill> {
        let at = self
            .refills
            .binary_search_by_key(&id, |refill| refill.id)
            .ok()?;
        self.refills.get(at)
    }

    /// Whether a number belongs to an activation that has not ended, on any server.
    pub(crate) fn is_alive(&self, number: u64) -> bool {
        self.alive_numbers.contains(&number)
    }

    /// The next activation's id.
    pub(crate) fn next_activation_id(&self) -> u64 {
        self.next_id(
            self.activations
                .last()
                .map_or(FIRST_ACTIVATION, |last| last.id),
        )
    }

    /// The next SMM order's id.
    pub(crate) fn next_order_id(&self) -> u64 {
        self.next_id(self.orders.last().map_or(FIRST_ORDER, |last| last.id))
    }

    /// The next refill's id.
    pub(crate) fn next_refill_id(&self) -> u64 {
        self.next_id(self.refills.last().map_or(FIRST_REFILL, |last| last.id))
    }

    fn next_id(&self, last: u64) -> u64 {
        last + 1 + pick(ID_GAP_MAX, &[self.seed, last])
    }

    fn enter_sale(&mut self, event: &Event) {
        let Event::NumberSold {
            at,
            id,
            account,
            country,
            service,
            pool,
            phone,
            cost_micros,
            ref reference,
        } = *event
        else {
            return;
        };
        let activation = Activation {
            id,
            account,
            country_id: country,
            service,
            pool,
            phone,
            cost: cost_micros,
            sold_at: at,
            retries: None,
            ended: None,
        };
        if let Some(reference) = reference {
            self.sold_as.insert((account, reference.clone()), id);
        }
        self.balances[account].0 -= cost_micros.0;
        self.alive_numbers.insert(phone);
        self.active[account].insert(id);
        self.due
            .push(Reverse((activation.own_end().0, Due::Activation(id))));
        self.activations.push(activation);
    }

    fn enter_order(&mut self, event: &Event) {
        let Event::OrderPlaced {
            at,
            id,
            service,
            link,
            units,
            cost_micros,
            subscription,
            reference,
        } = event
        else {
            return;
        };
        if let Some(reference) = reference {
            self.sold_as.insert((PANEL, reference.clone()), *id);
        }
        if let Some(subscription) = subscription {
            for post in subscription.posts_at(*at) {
                self.due.push(Reverse((post, Due::Post(*id))));
            }
        }
        self.place(PanelOrder {
            id: *id,
            service: *service,
            link: link.clone(),
            units: *units,
            cost: *cost_micros,
            placed_at: *at,
            cancel_at: None,
            partial_seen_at: None,
            settled: false,
            subscription: *subscription,
            parent: None,
        });
    }

    fn place(&mut self, order: PanelOrder) {
        self.balances[PANEL].0 -= order.cost.0;
        for at in order.settles_at().into_iter().flatten() {
            self.due.push(Reverse((at, Due::Order(order.id))));
        }
        self.orders.push(order);
    }

    /// The order that a subscription makes for a post, where its account can pay it.
    fn enter_post(&mut self, subscription: u64, at: i64) {
        let id = self.next_order_id();
        let made = self.order(subscription).and_then(|parent| {
            let units = parent.subscription?.units_of(parent.cancel_at, id, at)?;
            let service = panel_service(&parent.service.to_string())?;
            let cost = Rate::per_1000(service.rate)?.charge(units)?;
            Some(PanelOrder {
                id,
                units,
                cost,
                placed_at: at,
                subscription: None,
                parent: Some(parent.id),
                ..parent.clone()
            })
        });
        if let Some(order) = made.filter(|order| order.cost <= self.balance(PANEL)) {
            self.place(order);
        }
    }

    fn enter_cancel(&mut self, id: u64, at: i64) {
        let Some(order) = self.order_mut(id) else {
            return;
        };
        order.cancel_at.get_or_insert(at);
        if let [_, Some(settles_at)] = order.settles_at() {
            self.due.push(Reverse((settles_at, Due::Order(id))));
        }
    }

    fn activation_mut(&mut self, id: u64) -> Option<&mut Activation> {
        let at = self
            .activations
            .binary_search_by_key(&id, |activation| activation.id)
            .ok()?;
        self.activations.get_mut(at)
    }

    fn order_mut(&mut self, id: u64) -> Option<&mut PanelOrder> {
        let at = self
            .orders
            .binary_search_by_key(&id, |order| order.id)
            .ok()?;
        self.orders.get_mut(at)
    }

    fn reach_own_end(&mut self, id: u64) {
        if let Some(activation) = self.activation_mut(id) {
            let (at, ending) = activation.own_end();
            self.end(id, ending, at);
        }
    }

    fn end(&mut self, id: u64, ending: Ending, at: i64) {
        let Some(activation) = self.activation_mut(id) else {
            return;
        };
        if activation.ended.is_some() {
            return;
        }
        activation.ended = Some((ending, at));
        let (account, phone, cost) = (activation.account, activation.phone, activation.cost);
        self.active[account].remove(&id);
        self.alive_numbers.remove(&phone);
        if ending != Ending::Finished {
            self.balances[account].0 += cost.0;
        }
    }

    fn settle(&mut self, id: u64, at: i64) {
        let Some(order) = self.order_mut(id) else {
            return;
        };
        let back = order.due_back(at);
        if order.settled || back == Usd::ZERO {
            return;
        }
        order.settled = true;
        self.balances[PANEL].0 += back.0;
    }
}
