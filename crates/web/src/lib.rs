//! How people ask: the only room that speaks HTTP to callers. Endpoint files translate in and
//! view out; every rule lies behind [`app::Engine`].

mod address;
mod admin;
mod api_v1;
mod around;
mod assets;
mod connection;
mod console;
mod csp_report;
mod dashboard;
pub mod docs;
mod door;
mod export;
mod gateway;
mod headers;
mod hooks;
mod lists;
mod request_id;
mod router;
pub mod serve;
pub mod strict_head;

pub use admin::{Drawing, Metrics, admin_router};
pub use console::{ConsoleDoor, console_router};
pub use dashboard::Streams;
pub use door::{AccountFigures, Door, DoorSettings, Figure};
pub use export::{Sources, account_export};
pub use hooks::Hooks;
pub use lists::Lists;
pub use router::router;
/// Reads a statement of a bank account; see [`wire::bank`].
pub use wire::bank::read as read_bank_statement;

#[cfg(test)]
mod tests;
