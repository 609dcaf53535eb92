//! How others speak: each protocol once, in both directions, as pure functions over text.
//! Nothing here awaits, reads a clock or knows a socket.
#![deny(clippy::float_arithmetic)]

pub mod amount;
pub mod answer;
pub mod bank;
pub mod btcpay;
pub mod fivesim;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod handler_api;
pub mod inbound;
pub mod json;
mod mac;
pub mod nowpayments;
pub mod panel_v2;
pub mod smspool;
pub mod stripe;
pub mod telnyx;
pub mod twilio;
