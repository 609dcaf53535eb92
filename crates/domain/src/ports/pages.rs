//! What pages read of orders and money beside what the engine needs.

use super::Read;
use crate::ids::{AccountId, OrderId};
use crate::smm_order::Observation;
use crate::time::Timestamp;
use crate::upstream::Sms;
use crate::usd::Usd;

/// Money of one order as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderMoney {
    /// What was set aside.
    pub held: Usd,
    /// When.
    pub held_at: Timestamp,
    /// What was taken, what went back, why and when, once that was decided.
    pub resolution: Option<(Usd, Usd, String, Timestamp)>,
    /// What went back since, and when.
    pub adjustments: Vec<(Usd, Timestamp)>,
}

/// One event of a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The event's row in the journal.
    pub event: i64,
    /// The account's event before it.
    pub previous: Option<i64>,
    /// When.
    pub at: Timestamp,
    /// The journal's word for its kind.
    pub kind: String,
    /// The order it is about, and what was bought by it; hostile text.
    pub order: Option<(OrderId, String)>,
    /// Change of what can be spent.
    pub available: Usd,
    /// Change of what is on hold.
    pub held: Usd,
    /// What can be spent now, after the newest event of all.
    pub available_now: Usd,
}

/// Money on hold for one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenHold {
    /// The order.
    pub order: OrderId,
    /// What was bought; hostile text.
    pub service: String,
    /// How much.
    pub amount: Usd,
    /// When it was ordered.
    pub at: Timestamp,
    /// Whether its owner can look the order up: not one that counts as failed for them.
    pub shown: bool,
}

/// What was paid for orders of one day and service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Days since 1970-01-01, in UTC, by when it was ordered.
    pub day: i64,
    /// Service; hostile text.
    pub service: String,
    /// Orders paid for.
    pub orders: u64,
    /// Amount, without what came back.
    pub amount: Usd,
}

/// A message of an activation: code, whole text where known, when it was first seen.
pub type StoredMessage = (Sms, Timestamp);

/// Reads that only pages need: bounded, and by index.
pub trait PageRows: Send + Sync {
    /// Money of an order; nothing if nothing was ever held for it.
    fn order_money(&self, order: OrderId) -> Read<'_, Option<OrderMoney>>;
    /// Messages of an activation, first one first.
    fn messages(&self, order: OrderId) -> Read<'_, Vec<StoredMessage>>;
    /// An account's events from this one backwards, or from its newest; newest first.
    fn statement(
        &self,
        account: AccountId,
        from: Option<i64>,
        limit: u32,
    ) -> Read<'_, Vec<Movement>>;
    /// What an account's money is on hold for, newest first.
    fn open_holds(&self, account: AccountId, limit: u32) -> Read<'_, Vec<OpenHold>>;
    /// What an account paid for orders from one day to another, both included, each as in
    /// [`Spent::day`]; newest day first.
    fn spent(&self, account: AccountId, days: (i64, i64)) -> Read<'_, Vec<Spent>>;
    /// What the panel said of an SMM order, newest first.
    fn observations(&self, order: OrderId, limit: u32) -> Read<'_, Vec<Observation>>;
    /// The account's activations on a number, newest first.
    fn activations_on<'a>(
        &'a self,
        account: AccountId,
        phone: &'a str,
        limit: u32,
    ) -> Read<'a, Vec<OrderId>>;
    /// The account's SMM orders for a target (see [`crate::link::target`]), newest first, among its
    /// newest ten thousand.
    fn smm_orders_for<'a>(
        &'a self,
        account: AccountId,
        target: &'a str,
        limit: u32,
    ) -> Read<'a, Vec<OrderId>>;
}
