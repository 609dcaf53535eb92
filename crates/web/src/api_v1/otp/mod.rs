//! `/api/v1/otp`: one file for each action.

pub(super) mod balance;
pub(super) mod buy_number;
pub(super) mod cancel;
pub(super) mod countries;
pub(super) mod get_status;
pub(super) mod orders;
pub(super) mod services;

/// Seconds between two polls of an order. Constant, so that a replayed purchase says the same.
const POLL_AFTER_S: u32 = 3;
