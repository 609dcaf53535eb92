//! `/api/v1/smm`: one file for each action.

pub(super) mod balance;
pub(super) mod cancel_order;
pub(super) mod order_status;
pub(super) mod orders;
pub(super) mod place_order;
pub(super) mod refill;
pub(super) mod refill_status;
pub(super) mod services;
