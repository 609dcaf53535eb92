//! `/keys`: API access and the account's keys.

use super::account::to_proof;
use super::fields::{Fields, Form};
use super::once;
use super::page::{Failed, Page};
use super::session::{Away, Customer, Visitor};
use crate::door::Door;
use app::KeyOrder;
use app::people::PeopleError;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::access::{Account, ApiKey, Scope};
use domain::api_log::KeyUse;
use domain::ids::KeyId;
use domain::time::{Millis, Timestamp};
use minijinja::{Value, context};
use std::sync::Arc;

/// How long a key works on after it was replaced, in hours, where a form does not say.
const OVERLAP_HOURS: i32 = 24;

/// Longest life that a key is given, in days.
const DAYS_MAX: i64 = 3650;

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/keys", get(show).post(create))
        .route("/keys/access", post(access))
        .route("/keys/change", post(change))
        .route("/keys/rotate", post(rotate))
        .route("/keys/revoke", post(revoke))
}

async fn show(State(door): State<Arc<Door>>, customer: Customer) -> Response {
    keys_page(
        &door,
        &customer.visitor,
        &customer.account,
        Shown::default(),
    )
    .await
}

/// What the page shows beside the keys.
#[derive(Default)]
struct Shown<'a> {
    /// The text of a key just made, this once.
    fresh: Option<&'a str>,
    /// What was wrong, and the form as it was filled in.
    failed: Option<(Failed, &'a Fields)>,
}

async fn keys_page(
    door: &Door,
    visitor: &Visitor,
    account: &Account,
    Shown { fresh, failed }: Shown<'_>,
) -> Response {
    let page = Page::new(visitor, "API access").under("keys");
    let (failed, fields) = failed.unzip();
    match values(door, account, fields).await {
        Ok(values) => page.with_failure(failed).show(
            "keys.html",
            context! { fresh, example_key => fresh.unwrap_or("your_api_key_here"), ..values },
        ),
        Err(failed) => page.failed(&failed),
    }
}

async fn values(door: &Door, account: &Account, typed: Option<&Fields>) -> Result<Value, Failed> {
    let (account, keys) = known(door, account).await?;
    let uses = door.log.key_uses(account.id).await?;
    let row = |key| row(key, &uses);
    let now = door.engine.now();
    let (over, keys): (Vec<_>, Vec<_>) = keys.iter().partition(|key| is_over(key, now));
    Ok(context! {
        once => once::key()?,
        typed => as_typed(typed),
        api_access => account.api_access,
        suspended => account.suspended,
        base_url => door.people.base_url(),
        general_limit => door.settings.requests_of(account.id),
        keys => keys.into_iter().map(row).collect::<Vec<_>>(),
        over => over.into_iter().map(row).collect::<Vec<_>>(),
    })
}

/// The form of a new key: as it was filled in, where it came back.
fn as_typed(fields: Option<&Fields>) -> Value {
    // forms about a key that is there name it
    let fields = fields.filter(|fields| fields.filled("id").is_none());
    let none = Fields::default();
    let again = fields.is_some();
    let fields = fields.unwrap_or(&none);
    context! {
        again,
        name => fields.text("name"),
        scopes => fields.all("scope").map(str::to_owned).collect::<Vec<_>>(),
        rate_limit => fields.text("rate_limit"),
        addresses => [fields.text("addresses").to_owned()],
        days => fields.text("days"),
    }
}

/// The account and its keys as they are now, newest first.
async fn known(door: &Door, account: &Account) -> Result<(Account, Vec<ApiKey>), Failed> {
    let store = door.engine.store();
    let mut keys = store.keys(account.id).await?;
    keys.reverse();
    let account = store.account(account.id).await?.unwrap_or(account.clone());
    Ok((account, keys))
}

fn is_over(key: &ApiKey, now: Timestamp) -> bool {
    key.revoked || key.expires_at.is_some_and(|end| end <= now)
}

fn row(key: &ApiKey, uses: &[KeyUse]) -> Value {
    let used = uses.iter().find(|used| used.key == key.id);
    context! {
        id => key.id.0,
        name => &key.name,
        hint => format!("{}\u{2026}{}", key.public_id, key.last4),
        scopes => key.scopes.iter().map(|scope| scope.slug()).collect::<Vec<_>>(),
        rate_limit => key.rate_limit,
        addresses => &key.allowed_addresses,
        from_anywhere => key.allowed_addresses.iter().any(|one| one.ends_with("/0")),
        created_at => key.created_at.0,
        expires_at => key.expires_at.map(|at| at.0),
        disabled => key.disabled,
        revoked => key.revoked,
        requests => used.map(|used| used.requests),
        last_used => used.map(|used| used.last_at.0),
    }
}

/// What the form orders; `most` is the highest limit that a customer may give the key.
fn order(fields: &Fields, now: Timestamp, most: u32) -> Result<KeyOrder, Failed> {
    let scopes: Option<Vec<Scope>> = fields.all("scope").map(Scope::from_slug).collect();
    let scopes = scopes.ok_or_else(|| Failed::field("scope", "There is no such scope."))?;
    let rate_limit = fields.filled("rate_limit").map(str::parse).transpose();
    let rate_limit = rate_limit.map_err(|_| {
        Failed::field(
            "rate_limit",
            "The limit is a number of requests per minute.",
        )
    })?;
    if rate_limit.is_some_and(|limit| limit > most) {
        let why = format!(
            "Your keys may ask {most} times a minute: give a lower number, or ask the operator for more."
        );
        return Err(Failed::field("rate_limit", &why));
    }
    let days = fields.filled("days").map(|days| match days.parse() {
        Ok(days) if (1..=DAYS_MAX).contains(&days) => Ok(days),
        _ => {
            let why = format!("A key ends after 1 to {DAYS_MAX} days, or never if this is empty.");
            Err(Failed::field("days", &why))
        }
    });
    let days: Option<i64> = days.transpose()?;
    let parts = |c: char| c == ',' || c.is_whitespace();
    let addresses = fields.text("addresses").split(parts);
    Ok(KeyOrder {
        name: fields.text("name").to_owned(),
        rate_limit,
        scopes,
        allowed_addresses: addresses
            .filter(|one| !one.is_empty())
            .map(str::to_owned)
            .collect(),
        expires_at: days.map(|days| now + Millis::minutes(days * 24 * 60)),
    })
}

/// The highest limit that a customer may give this key: the general one, or what the operator gave it above
/// that.
async fn most_of(door: &Door, account: &Account, id: KeyId) -> Result<u32, Failed> {
    let (_, keys) = known(door, account).await?;
    let key = keys.iter().find(|key| key.id == id);
    let own = key.and_then(|key| key.rate_limit).unwrap_or(0);
    Ok(own.max(door.settings.requests_of(account.id)))
}

async fn create(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let most = door.settings.requests_of(customer.account.id);
    let order = match order(&form.fields, door.engine.now(), most) {
        Ok(order) => order,
        Err(failed) => return Ok(again(&door, &form, &customer, failed).await),
    };
    let once = match once::request("/keys", &form.fields) {
        Ok(once) => once,
        Err(failed) => return Ok(again(&door, &form, &customer, failed).await),
    };
    let made = door
        .people
        .issue_key(&customer.signed, (order, once), door.environment);
    Ok(shown_once(&door, &form, &customer, made.await).await)
}

/// The page with the key that was made, this once; or why none was.
async fn shown_once(
    door: &Door,
    form: &Form,
    customer: &Customer,
    made: Result<app::IssuedKey, PeopleError>,
) -> Response {
    match made {
        Ok(issued) => {
            let shown = Shown {
                fresh: Some(issued.text.as_str()),
                failed: None,
            };
            keys_page(door, &form.visitor, &customer.account, shown).await
        }
        Err(PeopleError::ProofNeeded) => to_proof("/keys"),
        Err(error) => again(door, form, customer, error.into()).await,
    }
}

/// The page again with what was wrong.
async fn again(door: &Door, form: &Form, customer: &Customer, failed: Failed) -> Response {
    let shown = Shown {
        fresh: None,
        failed: Some((failed, &form.fields)),
    };
    keys_page(door, &form.visitor, &customer.account, shown).await
}

async fn rotate(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let hours = match form.fields.whole::<i32>("overlap_hours") {
        Ok(hours) => i64::from(hours.unwrap_or(OVERLAP_HOURS)),
        Err(failed) => return Ok(again(&door, &form, &customer, failed).await),
    };
    let how = (Millis::minutes(hours * 60), door.environment);
    let made = door
        .people
        .rotate_key(&customer.signed, key_id(&form.fields), how);
    Ok(shown_once(&door, &form, &customer, made.await).await)
}

fn key_id(fields: &Fields) -> KeyId {
    KeyId(fields.number("id").unwrap_or(0))
}

async fn access(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let on = form.fields.text("on") == "1";
    let done = door.engine.set_api_access(customer.account.id, on).await;
    let notice = if on { "api-on" } else { "api-off" };
    Ok(back(
        &door,
        &form,
        &customer,
        done.map(|()| notice).map_err(PeopleError::from),
    )
    .await)
}

async fn change(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let fields = &form.fields;
    let most = match most_of(&door, &customer.account, key_id(fields)).await {
        Ok(most) => most,
        Err(failed) => return Ok(again(&door, &form, &customer, failed).await),
    };
    let order = match order(fields, door.engine.now(), most) {
        Ok(order) => order,
        Err(failed) => return Ok(again(&door, &form, &customer, failed).await),
    };
    let change = (order, fields.ticked("disabled"));
    let done = door
        .people
        .change_key(&customer.signed, key_id(fields), change)
        .await;
    Ok(back(&door, &form, &customer, done.map(|()| "key-changed")).await)
}

async fn revoke(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let id = key_id(&form.fields);
    let done = door.engine.revoke_own_key(customer.account.id, id).await;
    Ok(back(
        &door,
        &form,
        &customer,
        done.map(|()| "key-revoked").map_err(PeopleError::from),
    )
    .await)
}

async fn back(
    door: &Door,
    form: &Form,
    customer: &Customer,
    done: Result<&str, PeopleError>,
) -> Response {
    match done {
        Ok(notice) => Redirect::to(&format!("/keys?notice={notice}")).into_response(),
        Err(PeopleError::ProofNeeded) => to_proof("/keys"),
        Err(error) => again(door, form, customer, error.into()).await,
    }
}
