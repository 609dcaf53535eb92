//! The sandbox over HTTP, on a clock that the test moves.

mod control;
mod dialects;
mod fivesim;
mod handler_api;
mod listener;
mod misbehaving;
mod panel;
mod payments;
mod restart;
mod smspool;
mod stripe;

use super::{HangUp, router};
use crate::accounts::{Protocol, account_named, accounts};
use crate::clock::Clock;
use crate::sandbox::Sandbox;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tower::ServiceExt;

/// A start time with nothing special about it.
const START_MS: i64 = 1_780_335_057_000;
/// Largest answer a test reads.
const BODY_MAX: usize = 64 << 20;

/// A sandbox whose clock stands still until a test moves it.
struct World {
    time_ms: Arc<AtomicI64>,
    sandbox: Arc<Sandbox>,
    router: axum::Router,
}

impl World {
    fn new() -> Self {
        Self::open(None, START_MS)
    }

    fn open(state_file: Option<&Path>, start_ms: i64) -> Self {
        let time_ms = Arc::new(AtomicI64::new(start_ms));
        let told = time_ms.clone();
        let clock: Clock = Arc::new(move || told.load(Ordering::SeqCst));
        let sandbox = Sandbox::open(state_file, 1, clock).unwrap();
        Self::around(sandbox, time_ms)
    }

    fn around(sandbox: Sandbox, time_ms: Arc<AtomicI64>) -> Self {
        let sandbox = Arc::new(sandbox);
        let router = router(sandbox.clone());
        Self {
            time_ms,
            sandbox,
            router,
        }
    }

    fn pass(&self, ms: i64) {
        self.time_ms.fetch_add(ms, Ordering::SeqCst);
    }

    async fn send(&self, method: &str, uri: &str, body: &str) -> Response {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body.to_owned()))
            .unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// A handler_api call with the account's own key; the answer as it comes.
    async fn raw(&self, account: &str, parameters: &str) -> Response {
        let account = &accounts()[account_named(account).unwrap()];
        let (path, key) = (account.path, account.key);
        self.send("GET", &format!("{path}?api_key={key}&{parameters}"), "")
            .await
    }

    /// A handler_api call that is answered with status 200.
    async fn call(&self, account: &str, parameters: &str) -> String {
        let response = self.raw(account, parameters).await;
        assert_eq!(response.status(), StatusCode::OK, "{parameters}");
        text_of(response).await
    }

    /// Buys by `getNumber` and returns id and number.
    async fn buy(&self, account: &str, country: &str, service: &str) -> (String, String) {
        let parameters = format!("action=getNumber&country={country}&service={service}");
        let answer = self.call(account, &parameters).await;
        let mut parts = answer.split(':');
        assert_eq!(parts.next(), Some("ACCESS_NUMBER"), "{answer}");
        (
            parts.next().unwrap().to_owned(),
            parts.next().unwrap().to_owned(),
        )
    }

    /// Id of the first country on an account's list that is an array.
    async fn country_of(&self, account: &str) -> String {
        let list = json_of(&self.call(account, "action=getCountries").await);
        let rows = list.as_array().unwrap().iter();
        let pakistan = rows.into_iter().find(|row| row["eng"] == "Pakistan");
        pakistan.unwrap()["id"].to_string()
    }

    async fn status(&self, account: &str, id: &str) -> String {
        self.call(account, &format!("action=getStatus&id={id}"))
            .await
    }

    async fn set_status(&self, account: &str, id: &str, status: i32) -> String {
        self.call(
            account,
            &format!("action=setStatus&id={id}&status={status}"),
        )
        .await
    }

    async fn balance(&self, account: &str) -> String {
        let answer = self.call(account, "action=getBalance").await;
        answer.strip_prefix("ACCESS_BALANCE:").unwrap().to_owned()
    }

    /// Ids on the account's list of active activations.
    async fn active(&self, account: &str) -> Vec<String> {
        let answer: Value = json_of(&self.call(account, "action=getActiveActivations").await);
        let rows = answer["activeActivations"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        rows.iter()
            .map(|row| row["activationId"].to_string())
            .collect()
    }

    async fn raw_panel(&self, form: &str) -> Response {
        let body = format!("key=sandbox-panel-key&{form}");
        self.send("POST", "/panel/api/v2", &body).await
    }

    async fn panel(&self, form: &str) -> Value {
        let response = self.raw_panel(form).await;
        assert_eq!(response.status(), StatusCode::OK, "{form}");
        json_of(&text_of(response).await)
    }

    /// Places 1000 followers on a link with this script and returns the id.
    async fn place(&self, script: &str) -> u64 {
        let answer = self.panel(&add_form(script)).await;
        answer["order"]
            .as_u64()
            .unwrap_or_else(|| panic!("{answer}"))
    }

    async fn order(&self, id: u64) -> Value {
        self.panel(&format!("action=status&order={id}")).await
    }

    async fn control(&self, method: &str, path: &str, body: &str) -> (StatusCode, Value) {
        let response = self.send(method, path, body).await;
        (response.status(), json_of(&text_of(response).await))
    }

    /// Everything that was sold.
    async fn sold(&self) -> Vec<Value> {
        let (status, body) = self.control("GET", "/_sandbox/orders", "").await;
        assert_eq!(status, StatusCode::OK);
        body["orders"].as_array().unwrap().clone()
    }

    async fn set_faults(&self, body: &str) {
        let (status, shown) = self.control("POST", "/_sandbox/faults", body).await;
        assert_eq!(status, StatusCode::OK, "{shown}");
    }
}

fn add_form(script: &str) -> String {
    let link = format!("https%3A%2F%2Finstagram.com%2Fuser%3Fsandbox%3D{script}");
    format!("action=add&service=1&quantity=1000&link={link}")
}

fn hung_up(response: &Response) -> bool {
    response.extensions().get::<HangUp>().is_some()
}

async fn text_of(response: Response) -> String {
    assert!(!hung_up(&response), "the connection was closed");
    let bytes = to_bytes(response.into_body(), BODY_MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
