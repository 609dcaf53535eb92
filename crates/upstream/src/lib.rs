//! Whom we buy from: the only outbound HTTP to providers. One transport, one adapter per protocol
//! family; each turns what came back into the words of `domain::upstream`, and says "unknown"
//! where nobody can know.
#![deny(clippy::float_arithmetic)]

mod account;
mod civil;
mod fivesim;
mod handler_api;
mod money;
mod own_numbers;
mod panel_v2;
mod payment;
mod proxy_check;
mod redact;
mod sms;
mod smspool;
mod transport;

#[cfg(test)]
mod test_server;

pub use account::Account;
pub use fivesim::{FiveSim, FiveSimSettings};
pub use handler_api::{
    Dialect, HandlerApi, HandlerApiSettings, PriceList, Profile, PurchaseAction, StatusAction,
};
pub use own_numbers::{CostRule, OwnNumbers, OwnNumbersSettings};
pub use panel_v2::{Panel, PanelSettings, PanelTransport, RateUnit};
pub use payment::{
    BtcPay, BtcPaySettings, NowPayments, NowPaymentsSettings, Stripe, StripeSettings,
};
pub use proxy_check::{ProxyConduct, check_proxy};
pub use smspool::{SmsPool, SmsPoolSettings};
pub use transport::{BadUpstream, USER_AGENT};
