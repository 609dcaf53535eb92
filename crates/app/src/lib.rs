//! What one can ask for: one file for each use case, over the ports of `domain`. Every door calls
//! these; no rule lives in a door.

mod accounts;
pub mod api_key;
mod balances;
mod buy_number;
mod cancel;
mod clock_check;
mod engine;
mod get_status;
mod health;
mod idempotency;
mod key_cache;
pub mod limits;
mod list_services;
mod measured;
mod open_work;
mod own_numbers;
pub mod people;
mod place_order;
mod probe;
mod purchase;
mod redeem;
mod refresh_catalogue;
mod refusal;
mod settle_in_doubt;
mod smm_request;
mod sync_activations;
mod sync_requests;
mod sync_smm;
mod tickets;
mod watch;

pub use accounts::{AdminError, IssuedKey, KeyOrder};
pub use buy_number::{BuyNumber, Place};
pub use engine::{CatalogueSettings, Engine, Outside, Routing, Settings};
pub use health::{Closed, UpstreamHealth, UpstreamLimits};
pub use idempotency::KeyedRequest;
pub use list_services::{CountryView, ServerChoice, ServiceList, ServiceView, ServicesOf};
pub use open_work::{OpenWork, Queue};
pub use own_numbers::{Added, OwnNumbers};
pub use people::People;
pub use place_order::{LineProblem, OrderLine, OrderQuote, PlaceOrder, TEXT_MEMBERS, TooManyLines};
pub use redeem::{CodeOrder, MadeCodes, NotRedeemed, RedeemCodes, Redeemed};
pub use refresh_catalogue::{ListingState, Refreshed};
pub use refusal::{Answer, Purchased, Refusal};
pub use smm_request::RefillAsked;
