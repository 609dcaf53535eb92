//! The dashboard over the real router: who gets in, and what forms do.

mod account;
pub(super) mod browser;
mod every_template;
mod hostile;
mod keys;
mod log;
mod numbers;
mod people;
mod proofs;
mod smm;
mod top_ups;
mod wallet;

pub(super) use browser::{Browser, customer, fresh_key, signed_in};
