//! A success as it leaves the house.

use super::problem::Problem;
use crate::lists::{List, Wishes};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::ids::OrderId;
use serde::Serialize;
use std::sync::Arc;

const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What an endpoint answers.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    body: String,
    replayed: bool,
    list: Option<Arc<List>>,
    order: Option<OrderId>,
}

#[derive(Serialize)]
struct Envelope<T> {
    success: bool,
    data: T,
}

/// The answer to a purchase whose outcome is not known yet.
#[derive(Serialize)]
struct Pending {
    order_id: String,
    status: &'static str,
}

impl Reply {
    /// A plain success.
    ///
    /// # Errors
    /// The view cannot be written, which is a fault of ours.
    pub fn ok(data: impl Serialize) -> Result<Self, Problem> {
        let envelope = Envelope {
            success: true,
            data,
        };
        match serde_json::to_string(&envelope) {
            Ok(body) => Ok(Self {
                status: StatusCode::OK,
                body,
                replayed: false,
                list: None,
                order: None,
            }),
            Err(error) => {
                tracing::error!(%error, "a view cannot be written");
                Err(Problem::internal())
            }
        }
    }

    /// A list that is kept as ready bytes.
    pub fn list(list: Arc<List>) -> Self {
        Self {
            status: StatusCode::OK,
            body: String::new(),
            replayed: false,
            list: Some(list),
            order: None,
        }
    }

    /// The same answer, which is about an order that the request could not name.
    pub fn about(self, order: OrderId) -> Self {
        Self {
            order: Some(order),
            ..self
        }
    }

    /// The order it is about, where the request could not name it.
    pub fn order(&self) -> Option<OrderId> {
        self.order
    }

    /// The text of the answer.
    pub fn into_body(self) -> String {
        self.body
    }

    /// The answer to a caller with these wishes; only lists heed them.
    pub fn answer(self, wishes: &Wishes) -> Response {
        match &self.list {
            Some(list) => list.answer(wishes),
            None => self.into_response(),
        }
    }

    /// A promise: the outcome follows under the order's id and the caller's key.
    pub fn pending(order: OrderId) -> Result<Self, Problem> {
        let promise = Self::ok(Pending {
            order_id: order.to_string(),
            status: "pending",
        })?;
        Ok(Self {
            status: StatusCode::ACCEPTED,
            order: Some(order),
            ..promise
        })
    }

    /// The same answer as the first to its idempotency key, or a new one.
    pub fn replayed(self, replayed: bool) -> Self {
        Self { replayed, ..self }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = json(self.status, self.body);
        mark_replayed(response.headers_mut(), self.replayed);
        response
    }
}

pub(super) fn mark_replayed(headers: &mut HeaderMap, replayed: bool) {
    if replayed {
        headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
}

/// An answer of the API.
pub(super) fn json(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
