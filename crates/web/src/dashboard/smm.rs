//! `/smm`: what can be ordered, by the form of one service or by a line for each order; and what
//! can be asked for afterwards.

mod mass;
mod members;
mod order;
mod requests;
mod services;

use crate::door::Door;
use axum::Router;
use axum::routing::{get, post};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/smm", get(services::show))
        .route("/smm/order", get(order::show).post(order::place))
        .route("/smm/quote", post(order::quote))
        .route("/smm/mass", get(mass::show).post(mass::send))
        .route("/smm/cancel", post(requests::cancel))
        .route("/smm/refill", post(requests::refill))
}
