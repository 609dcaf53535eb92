//! A card processor to practise with: Checkout Sessions, refunds, payouts, what moved, a page to pay on, signed events.
//! Events go to `/hooks/stripe` of whoever the browser returns to.

use super::json;
use super::payments::{base_of, call, header_text, page_over, pay, pay_page, pressed, tell};
use crate::payments::stripe::{STRIPE_KEY, STRIPE_PATH};
use crate::payments::{Told, Wanted};
use crate::sandbox::Sandbox;
use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use domain::top_up::{Processor, Sum};
use std::sync::Arc;
use wire::stripe::{self, CreateSession, Refund};

/// What a page offers.
const BUTTONS: [(&str, &str); 1] = [("pay", "Pay by card")];

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    let path = |end: &str| format!("{STRIPE_PATH}{end}");
    Router::new()
        .route(&path("/v1/checkout/sessions"), get(sessions).post(create))
        .route(&path("/v1/checkout/sessions/{id}"), get(read))
        .route(&path("/v1/checkout/sessions/{id}/expire"), post(expire))
        .route(&path("/v1/refunds"), post(refund))
        .route(&path("/v1/balance_transactions"), get(moved))
        .route(&path("/v1/payouts"), post(pay_out))
        .route_layer(from_fn(with_key))
        .route(&path("/pay/{id}"), get(page).post(press))
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    let error = stripe::error("invalid_request_error", code, message, None);
    json(status, error.to_string())
}

/// Lets those in who have our key.
async fn with_key(request: Request, next: Next) -> Response {
    let given = header_text(request.headers(), "authorization");
    if given != format!("Bearer {STRIPE_KEY}") {
        let status = StatusCode::UNAUTHORIZED;
        return refuse(status, "api_key_invalid", "Invalid API key.");
    }
    next.run(request).await
}

fn missing() -> Response {
    refuse(
        StatusCode::NOT_FOUND,
        "resource_missing",
        "No such checkout.session.",
    )
}

fn in_use() -> Response {
    let message = "There is currently another in-progress request using this idempotency key.";
    refuse(StatusCode::CONFLICT, "idempotency_key_in_use", message)
}

/// A call under a key that is not answered yet: no second one goes beside it.
struct AtWork<'a> {
    sandbox: &'a Sandbox,
    key: &'a str,
}

impl<'a> AtWork<'a> {
    /// Nothing where a call with this key is at work. Calls without a key go beside each other.
    fn begin(sandbox: &'a Sandbox, key: &'a str) -> Option<Self> {
        let begun = key.is_empty() || sandbox.payments().0.stripe.begins(key);
        begun.then(|| Self { sandbox, key })
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.sandbox.payments().0.stripe.ends(self.key);
    }
}

async fn create(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, form: String) -> Response {
    let Some(order) = CreateSession::parse(&form) else {
        let message = "Missing or unusable parameters.";
        return refuse(StatusCode::BAD_REQUEST, "parameter_missing", message);
    };
    let key = header_text(&headers, stripe::IDEMPOTENCY_HEADER);
    let Some(_until_answered) = AtWork::begin(&sandbox, key) else {
        return in_use();
    };
    let opened = async {
        let (mut payments, now) = sandbox.payments();
        let base = base_of(&headers);
        let session = payments.stripe.open(order, key, (&base, now));
        json(StatusCode::OK, session.json().to_string())
    };
    call(&sandbox, opened).await
}

async fn read(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>) -> Response {
    let found = async {
        let (mut payments, now) = sandbox.payments();
        let found = payments.stripe.find(&id, now);
        let session = found.map(|sold| sold.session.json().to_string());
        session.map_or_else(missing, |session| json(StatusCode::OK, session))
    };
    call(&sandbox, found).await
}

/// Which page of a list is asked for.
struct Paged {
    from: i64,
    until: i64,
    limit: usize,
    after: Option<String>,
}

impl Paged {
    fn of(query: Option<String>) -> Self {
        let pairs = stripe::pairs(&query.unwrap_or_default());
        let text = |name: &str| {
            let found = pairs.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        };
        let number =
            |name: &str, default| text(name).and_then(|t| t.parse().ok()).unwrap_or(default);
        let limit = usize::try_from(number("limit", 10)).unwrap_or(10);
        Self {
            from: number("created[gte]", 0),
            until: number("created[lt]", i64::MAX),
            limit: limit.clamp(1, 100),
            after: text("starting_after"),
        }
    }

    /// The page, and whether more follow.
    fn page<T>(&self, mut all: Vec<T>, id: impl Fn(&T) -> &str) -> (Vec<T>, bool) {
        if let Some(after) = &self.after {
            let place = all.iter().position(|one| id(one) == after);
            all.drain(..place.map_or(0, |place| place + 1));
        }
        let has_more = all.len() > self.limit;
        all.truncate(self.limit);
        (all, has_more)
    }
}

async fn sessions(State(sandbox): State<Arc<Sandbox>>, RawQuery(query): RawQuery) -> Response {
    let asked = Paged::of(query);
    let all = sandbox.payments().0.stripe.between(asked.from, asked.until);
    let (page, has_more) = asked.page(all, |one| &one.id);
    json(
        StatusCode::OK,
        stripe::sessions(&page, has_more).to_string(),
    )
}

/// What moved of the balance, newest first.
async fn moved(State(sandbox): State<Arc<Sandbox>>, RawQuery(query): RawQuery) -> Response {
    let asked = Paged::of(query);
    let listed = async {
        let all = sandbox.payments().0.stripe.moved(asked.from, asked.until);
        let (page, has_more) = asked.page(all, |one| &one.id);
        let body = stripe::balance_transactions(&page, has_more);
        json(StatusCode::OK, body.to_string())
    };
    call(&sandbox, listed).await
}

/// Sends some of the balance to the bank.
async fn pay_out(State(sandbox): State<Arc<Sandbox>>, form: String) -> Response {
    let status = StatusCode::BAD_REQUEST;
    let Some((cents, currency)) = stripe::payout(&form) else {
        let message = "Missing or unusable parameters.";
        return refuse(status, "parameter_missing", message);
    };
    let (mut payments, now) = sandbox.payments();
    let Some(sent) = payments.stripe.pay_out((cents, &currency), now) else {
        let message = "You have insufficient funds in your Stripe account.";
        return refuse(status, "balance_insufficient", message);
    };
    let answer = serde_json::json!({
        "id": sent.source,
        "object": "payout",
        "amount": cents,
        "balance_transaction": sent.id,
        "created": sent.created,
        "currency": currency,
        "status": "paid",
    });
    json(StatusCode::OK, answer.to_string())
}

async fn expire(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>) -> Response {
    let told = {
        let (mut payments, now) = sandbox.payments();
        payments.stripe.act(&Wanted::on_page(&id, "expire"), now)
    };
    match told {
        Some(told) => {
            tell(&sandbox, told).await;
            read(State(sandbox), Path(id)).await
        }
        None => missing(),
    }
}

async fn refund(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, form: String) -> Response {
    let Some(refund) = Refund::parse(&form) else {
        let message = "Missing or unusable parameters.";
        return refuse(StatusCode::BAD_REQUEST, "parameter_missing", message);
    };
    let key = header_text(&headers, stripe::IDEMPOTENCY_HEADER);
    let Some(_until_answered) = AtWork::begin(&sandbox, key) else {
        return in_use();
    };
    let refunded = async {
        let (answer, told) = refunded(&sandbox, &refund, key);
        if let Some(told) = told {
            tell(&sandbox, told).await;
        }
        answer
    };
    call(&sandbox, refunded).await
}

/// Gives back once for each key, and never more than was paid.
fn refunded(sandbox: &Sandbox, refund: &Refund, key: &str) -> (Response, Option<Told>) {
    let (mut payments, now) = sandbox.payments();
    let Some(sold) = payments.stripe.find(&refund.payment_intent, now) else {
        return (missing(), None);
    };
    let left = sold.session.amount_total.unwrap_or_default() - sold.refunded;
    let cents = refund.minor.unwrap_or(left);
    if let Some(answer) = sold.answered(key, now) {
        return (json(StatusCode::OK, answer.to_owned()), None);
    }
    let (status, code) = (StatusCode::BAD_REQUEST, "charge_already_refunded");
    if cents <= 0 || cents > left {
        let message = "Refund amount is greater than what is left of the charge.";
        return (refuse(status, code, message), None);
    }
    let answer = serde_json::json!({
        "id": format!("re_{}_{}", refund.payment_intent, sold.refunds.len() + 1),
        "object": "refund",
        "amount": cents,
        "currency": sold.session.currency,
        "payment_intent": refund.payment_intent,
        "status": "succeeded",
    });
    let answer = answer.to_string();
    sold.returned(key, now, &answer);
    let wanted = Wanted {
        cents: Some(cents),
        ..Wanted::on_page(&refund.payment_intent, "refund")
    };
    match payments.stripe.act(&wanted, now) {
        Some(told) => (json(StatusCode::OK, answer), Some(told)),
        None => (refuse(status, code, "This payment was not made."), None),
    }
}

/// The page to pay on.
async fn page(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>) -> Response {
    let (mut payments, now) = sandbox.payments();
    let found = payments.stripe.find(&id, now);
    let open = found.filter(|sold| sold.session.status == "open");
    open.map_or_else(page_over, |sold| {
        let sum = Sum {
            minor: sold.session.amount_total.unwrap_or_default(),
            currency: sold.session.currency.clone(),
        };
        pay_page(&sum.to_string(), &BUTTONS)
    })
}

async fn press(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    form: String,
) -> Response {
    pay(&sandbox, Processor::Stripe, &id, pressed(&form, &BUTTONS)).await
}
