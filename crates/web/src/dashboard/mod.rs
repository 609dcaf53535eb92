//! The dashboard: pages for the people who buy. Forms work without scripts; scripts add comfort.
//!
//! Each page file offers `routes()`; no rule lives here, only what [`app::Engine`] and
//! [`app::People`] answer, laid out.

mod account;
mod agent;
pub(crate) mod fields;
mod keys;
pub(crate) mod link;
mod log;
mod look;
mod mailbox;
mod notice;
mod numbers;
pub(crate) mod once;
mod orders;
mod overview;
pub(crate) mod page;
pub(crate) mod policy;
pub(crate) mod session;
mod sign_in;
mod sign_up;
mod smm;
mod standing;
pub(crate) mod templates;
pub(crate) mod upload;
pub(crate) mod view;
mod wallet;

pub(crate) use account::qr;
pub use numbers::Streams;
pub(crate) use page::{HEADERS, Page};
pub(crate) use session::Visitor;

use crate::door::Door;
use axum::Router;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tower_http::csrf::CsrfLayer;

/// The page for an address that leads nowhere, whoever asks.
pub(crate) fn not_found() -> Response {
    page::not_found(&session::Visitor::unknown())
}

/// The page for an address that only takes a form, or only shows one, whoever asks.
pub(crate) fn method_not_allowed() -> Response {
    page::method_not_allowed(&session::Visitor::unknown())
}

/// The page for an address that leads nowhere, in the frame of whoever asks.
pub(crate) async fn not_found_for(parts: &mut Parts, door: &Arc<Door>) -> Response {
    match Visitor::of(parts, door).await {
        Ok(visitor) => page::not_found(&visitor),
        Err(away) => away.into_response(),
    }
}

/// The page for an address that is asked in the wrong way, in the frame of whoever asks.
pub(crate) async fn method_not_allowed_for(parts: &mut Parts, door: &Arc<Door>) -> Response {
    match Visitor::of(parts, door).await {
        Ok(visitor) => page::method_not_allowed(&visitor),
        Err(away) => away.into_response(),
    }
}

/// Every page of the dashboard.
pub(crate) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .merge(overview::routes())
        .merge(sign_in::routes())
        .merge(sign_up::routes())
        .merge(account::routes())
        .merge(standing::routes())
        .merge(keys::routes())
        .merge(log::routes())
        .merge(look::routes())
        .merge(numbers::routes())
        .merge(orders::routes())
        .merge(wallet::routes())
        .merge(smm::routes())
        .merge(mailbox::routes())
        .merge(policy::routes())
        .layer(CsrfLayer::new().with_rejection_response(|_| page::crossed()))
}
