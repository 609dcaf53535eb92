//! What is true: money, wallet, orders, catalogue, prices, policy. Pure rules over std only:
//! nothing here awaits, reads a clock, draws randomness, or knows SQL or JSON.
#![deny(clippy::float_arithmetic)]

pub mod access;
pub mod activation;
pub mod api_log;
pub mod attempt;
pub mod audit_log;
pub mod balance;
pub mod books;
pub mod breaker;
pub mod catalogue;
pub mod change;
pub mod countries;
pub mod desk;
pub mod failpoint;
pub mod hex;
pub mod ids;
pub mod latency;
pub mod ledger;
pub mod link;
pub mod markup;
pub mod matching;
pub mod mutant;
pub mod order;
pub mod order_type;
pub mod orphan;
pub mod outcomes;
pub mod overdue;
pub mod own_number;
pub mod people;
pub mod phone;
pub mod policy;
pub mod ports;
pub mod redeem;
pub mod routing;
pub mod settlement;
pub mod smm_order;
pub mod smm_request;
pub mod ticket;
pub mod time;
pub mod top_up;
pub mod upstream;
pub mod usd;
pub mod window;
