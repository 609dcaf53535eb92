//! Rows of both engines: what is read, guarded, written and audited, over any
//! [`Connection`](crate::sql::Connection).

pub(crate) mod abuse;
pub(crate) mod access;
pub(crate) mod account_case;
pub(crate) mod activation;
mod api_log;
mod attempt;
pub(crate) mod audit;
pub(crate) mod audit_log;
mod audit_orders;
mod audit_top_ups;
mod balance;
mod derive;
mod desk;
mod desk_rows;
pub(crate) mod group;
mod guard;
pub(crate) mod journal;
mod low_balance;
mod movements;
mod own_number;
mod page;
mod pages;
pub(crate) mod people;
mod people_rows;
#[cfg(test)]
pub(crate) mod plans;
mod policy;
pub(crate) mod proofs;
mod redeem;
pub(crate) mod restoration;
mod retention;
pub(crate) mod rule_change;
mod smm_order;
mod smm_request;
mod smm_service;
mod spending;
mod statement;
mod store;
mod top_up;
mod top_up_rows;
mod touch;
mod write;
