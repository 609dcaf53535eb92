//! What is true: money, wallet, orders, catalogue, prices, policy. Pure rules over std only:
//! nothing here awaits, reads a clock, draws randomness, or knows SQL or JSON.
#![deny(clippy::float_arithmetic)]

pub mod countries;
pub mod ids;
pub mod phone;
pub mod policy;
pub mod time;
pub mod upstream;
pub mod usd;
pub mod window;
