//! The SMM panel protocol ("API v2"): one form POST per call, JSON back, both directions. The
//! server direction also serves our own compatible door.

mod actions;
mod failure;
mod orders;
mod purchase;
mod request;
mod services;
mod status;
mod words;

pub use actions::{
    Balance, Cancels, PerId, Refill, RefillStatus, RefillStatuses, Refills, UNKNOWN_ORDER,
    UNKNOWN_REFILL, print_cancel_single,
};
pub use domain::order_type::{OrderType, Units, lines};
pub use failure::{Failure, open, print_error};
pub use orders::{OrderRow, Orders};
pub use purchase::{Added, Profile, purchase};
pub use request::{Add, BadRequest, Call, IDS_MAX, Ids, Request};
pub use services::{ServiceRow, Services};
pub use status::{OrderStatus, Statuses, progress, progress_word, refill_progress};
pub use words::{Class, class_of, without_sent};

#[cfg(test)]
mod tests;
