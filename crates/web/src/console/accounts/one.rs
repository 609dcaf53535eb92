//! `/console/accounts/{id}`: one account with its money, keys, orders, notes and what was done to it.

use crate::console::Operator;
use crate::console::audit::line_view;
use crate::console::cases::case_view;
use crate::console::ledger::event_view;
use crate::console::money::request_view;
use crate::console::orders::line as order_line;
use crate::console::prices::rule_view;
use crate::dashboard::once;
use crate::dashboard::page::Failed;
use crate::door::Door;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::{Account, ApiKey};
use domain::audit_log::LinesOf;
use domain::desk::{Deed, EventsOf, OrdersOf};
use domain::ids::AccountId;
use minijinja::{Value, context};
use std::sync::Arc;

/// Rows of each list.
const ROWS: u32 = 20;

/// `GET /console/accounts/{id}`.
pub(super) async fn show(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    operator: Operator,
) -> Response {
    page(&door, &operator, AccountId(id), (None, None)).await
}

/// The page, perhaps with a link to the dashboard as its customer sees it, or with what was wrong
/// about one of its forms.
pub(super) async fn page(
    door: &Door,
    operator: &Operator,
    id: AccountId,
    (look, failed): (Option<String>, Option<Failed>),
) -> Response {
    let title = format!("Account {id}");
    let page = operator.page(&title, "accounts").with_failure(failed);
    let values = values(door, operator, id).await;
    let values = values.map(|values| context! { look, ..values });
    page.showing("console/account.html", values)
}

/// The account, or that there is none.
pub(super) async fn known(door: &Door, id: AccountId) -> Result<Account, Failed> {
    let found = door.engine.store().account(id).await?;
    found.ok_or_else(|| Failed::new(StatusCode::NOT_FOUND, "There is no such account."))
}

async fn values(door: &Door, operator: &Operator, id: AccountId) -> Result<Value, Failed> {
    let account = known(door, id).await?;
    let store = door.engine.store();
    let rows = door.desk.rows();
    let wallet = store.wallet(id).await?.unwrap_or_default();
    let keys = store.keys(id).await?;
    let orders = OrdersOf {
        account: Some(id),
        limit: ROWS,
        ..OrdersOf::default()
    };
    let orders = rows.orders_like(&orders).await?;
    let notes = rows.account_notes(id, ROWS).await?;
    let cases = door.lawful.account_cases(Some(id), false).await?;
    let attested = door.lawful.attestations(id).await?;
    let books = operator.may(Deed::SeeLedger);
    let events = match books {
        true => events(door, id).await?,
        false => Vec::new(),
    };
    let requests = match books {
        true => rows.money_requests(Some(id), false, ROWS).await?,
        false => Vec::new(),
    };
    let lines = match operator.may(Deed::SeeAudit) {
        true => lines(door, id).await?,
        false => Vec::new(),
    };
    let markups = door.stock.markups();
    let prices: Vec<Value> = match operator.may(Deed::SeeCatalogue) {
        true => markups.of_account(id).map(rule_view).collect(),
        false => Vec::new(),
    };
    Ok(context! {
        id => id.0,
        email => &account.email,
        customer => &account.email,
        tier => account.tier,
        api_access => account.api_access,
        suspended => account.suspended,
        since => account.created_at.0,
        available => wallet.available.0,
        held => wallet.held.0,
        uncleared => wallet.uncleared.0,
        due => wallet.receivable.0,
        keys => keys.iter().map(key_view).collect::<Vec<_>>(),
        orders => orders.iter().map(order_line).collect::<Vec<_>>(),
        notes => notes.iter().map(|note| context! {
            by => note.by.0,
            text => &note.text,
            at => note.at.0,
        }).collect::<Vec<_>>(),
        cases => cases.iter().map(|case| case_view(case, operator)).collect::<Vec<_>>(),
        attested => attested.iter().map(|one| context! {
            version => one.version,
            purpose => &one.purpose,
            at => one.at.0,
        }).collect::<Vec<_>>(),
        prices,
        books,
        events,
        requests => requests.iter().map(|one| request_view(one, operator)).collect::<Vec<_>>(),
        lines,
        cap => door.desk.cap().0,
        once => once::key()?,
    })
}

async fn events(door: &Door, id: AccountId) -> Result<Vec<Value>, Failed> {
    let wanted = EventsOf {
        account: Some(id),
        limit: ROWS,
        ..EventsOf::default()
    };
    let events = door.desk.rows().events(&wanted).await?;
    Ok(events.iter().map(event_view).collect())
}

async fn lines(door: &Door, id: AccountId) -> Result<Vec<Value>, Failed> {
    let wanted = LinesOf {
        account: Some(id),
        limit: ROWS,
        ..LinesOf::default()
    };
    let lines = door.audit.lines(&wanted).await?;
    Ok(lines.iter().map(line_view).collect())
}

fn key_view(key: &ApiKey) -> Value {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.slug()).collect();
    let state = match (key.revoked, key.disabled) {
        (true, _) => "revoked",
        (false, true) => "disabled",
        (false, false) => "works",
    };
    context! {
        id => key.id.0,
        name => &key.name,
        public_id => &key.public_id,
        last4 => &key.last4,
        scopes => if scopes.is_empty() { "all".to_owned() } else { scopes.join(", ") },
        state,
        at => key.created_at.0,
    }
}
