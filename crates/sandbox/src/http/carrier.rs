//! `POST /carrier/messages`: somebody writes to a number of the pool, and its webhook is told.

use super::json;
use crate::carrier::Letter;
use axum::http::StatusCode;
use axum::response::Response;

pub(super) async fn messages(body: String) -> Response {
    let letter: Letter = match serde_json::from_str(&body) {
        Ok(letter) => letter,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match letter.deliver().await {
        Ok(()) => json(StatusCode::OK, "{\"delivered\":true}".to_owned()),
        Err(error) => refuse(StatusCode::BAD_GATEWAY, &error.to_string()),
    }
}

fn refuse(status: StatusCode, why: &str) -> Response {
    json(status, serde_json::json!({ "error": why }).to_string())
}
