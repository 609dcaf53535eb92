//! The dashboard over the real router: who gets in, and what forms do.

mod browser;
mod keys;
mod log;
mod numbers;
mod people;
mod smm;
mod wallet;

pub(super) use browser::customer;
