//! What one can ask for: one file for each use case, over the ports of `domain`. Every door calls
//! these; no rule lives in a door.

mod accounts;
mod acting;
pub mod api_key;
mod api_log;
mod audit_log;
mod balances;
mod buy_number;
mod cancel;
mod clock_check;
mod closed;
mod desk;
mod engine;
mod find_service;
mod get_status;
mod health;
mod idempotency;
mod in_force;
mod key_cache;
mod late_code;
mod lawful;
pub mod limits;
mod list_services;
mod measured;
mod open_work;
mod overdue;
mod own_numbers;
mod pace;
mod panel_reads;
pub mod people;
mod place_order;
mod probe;
mod purchase;
mod reason;
mod redeem;
mod refresh_catalogue;
mod refusal;
mod replace_key;
mod request_digest;
mod restored;
mod settle_in_doubt;
mod signals;
mod smm_request;
mod stock;
mod sync_activations;
mod sync_requests;
mod sync_smm;
mod tickets;
mod top_up;
mod watch;

pub use accounts::{AdminError, IssuedKey, KeyOrder};
pub use acting::acting;
pub use api_log::{ApiLog, KEPT as API_LOG_KEPT};
pub use audit_log::{AuditLog, LogVerified, Notary};
pub use buy_number::{BuyNumber, Place};
pub use closed::Closed;
pub use desk::{Desk, MoneyOrder, OnceKey};
pub use engine::{CatalogueSettings, Engine, Outside, Routing, Settings};
pub use find_service::{ServiceFound, SoldIn};
pub use health::{UpstreamHealth, UpstreamLimits};
pub use idempotency::KeyedRequest;
pub use lawful::{CONTACTS_KEPT, CaseDeed, ClassInForce, Denied, Lawful, RULES_NOTED, Report};
pub use list_services::{CountryView, ServerChoice, ServiceList, ServiceView, ServicesOf};
pub use measured::RouteMeasured;
pub use open_work::{OpenWork, Queue};
pub use own_numbers::{Added, OwnNumbers};
pub use people::People;
pub use place_order::{LineProblem, OrderLine, OrderQuote, PlaceOrder, TEXT_MEMBERS, TooManyLines};
pub use probe::Adapter;
pub use reason::reason;
pub use redeem::{CodeOrder, MadeCodes, NotRedeemed, RedeemCodes, Redeemed};
pub use refresh_catalogue::{ListingState, Refreshed};
pub use refusal::{Answer, Purchased, Refusal};
pub use smm_request::RefillAsked;
pub use stock::{
    Behind, Comparison, Dead, DeadOffer, Drafted, KeyPlace, PriceExample, RouteSheet, ServerSheet,
    Stock, Surroundings, Trial, TrialStep, TriedDraft, UpstreamDraft, UpstreamSheet, Waiting,
};
pub use top_up::{
    ComparedDays, Matched, NotBegun, NotReceived, Offer, OnFraudWarning, RefundOrder,
    TopUpSettings, TopUps, Way,
};
