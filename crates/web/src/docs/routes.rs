//! `/docs`, its changelog, and the same for programs to read.

use super::{GUIDE, llms, pages, reference};
use crate::dashboard::{self, Visitor};
use crate::door::Door;
use crate::gateway::base_url;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

/// Everything there is to read about the API.
pub(crate) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/docs", get(show))
        .route("/docs/changelog", get(show_changelog))
        .route("/docs/guide.md", get(show_guide))
        .route("/docs/reference.md", get(show_reference))
        .route("/llms.txt", get(show_llms))
}

async fn show(State(door): State<Arc<Door>>, visitor: Visitor, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    cached(&visitor, pages::page(&visitor, &base_url(&door, &parts)))
}

async fn show_changelog(visitor: Visitor) -> Response {
    cached(&visitor, pages::changelog(&visitor))
}

/// What a stranger is shown is the same for all; a signed-in reader's page is never kept.
fn cached(visitor: &Visitor, mut page: Response) -> Response {
    if visitor.signed.is_none() {
        let again = HeaderValue::from_static("no-cache");
        page.headers_mut().insert(header::CACHE_CONTROL, again);
    }
    page
}

async fn show_guide() -> Response {
    text("text/markdown; charset=utf-8", GUIDE.to_owned())
}

async fn show_reference(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let reference = reference(&base_url(&door, &parts));
    text("text/markdown; charset=utf-8", reference)
}

async fn show_llms(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let text_type = "text/plain; charset=utf-8";
    text(text_type, llms(&base_url(&door, &parts)))
}

fn text(media_type: &'static str, text: String) -> Response {
    let again = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    let mut response = (dashboard::HEADERS, text).into_response();
    for (name, value) in again {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}
