//! Everything that is kept of an account, as one JSON object for its holder.

use app::{AdminError, Engine, Lawful};
use domain::activation::Activation;
use domain::ids::{AccountId, OrderId};
use domain::ports::{Movement, Page, PageRows};
use domain::smm_order::SmmOrder;
use domain::time::Timestamp;
use serde_json::{Value, json};

/// Orders and events of each kind at most: the newest.
const MOST: usize = 100_000;
/// Rows read at once.
const AT_ONCE: u32 = 100;

/// The export of an account. Money is text in US dollars, times are RFC 3339 in UTC. Secrets are in no
/// form part of it, nor is what upstreams are called.
///
/// # Errors
/// There is no such account, or the store cannot answer.
pub async fn account_export(
    engine: &Engine,
    lawful: &Lawful,
    pages: &dyn PageRows,
    id: AccountId,
) -> Result<Value, AdminError> {
    let store = engine.store();
    let account = store.account(id).await?;
    let account = account.ok_or_else(|| AdminError::NotFound(format!("account {id}")))?;
    let wallet = store.wallet(id).await?.ok_or(AdminError::Storage)?;
    let keys = store.keys(id).await?;
    let purposes = lawful.attestations(id).await?;
    Ok(json!({
        "account": {
            "id": account.id.0,
            "email": account.email,
            "tier": account.tier,
            "suspended": account.suspended,
            "created_at": time(account.created_at),
        },
        "wallet": {
            "available": wallet.available.to_string(),
            "held": wallet.held.to_string(),
            "due": wallet.receivable.to_string(),
        },
        "keys": keys.iter().map(|key| json!({
            "name": key.name,
            "last4": key.last4,
            "revoked": key.revoked,
            "created_at": time(key.created_at),
        })).collect::<Vec<_>>(),
        "purposes": purposes.iter().map(|one| json!({
            "purpose": one.purpose,
            "statement_version": one.version,
            "at": time(one.at),
        })).collect::<Vec<_>>(),
        "activations": activations(engine, id).await?,
        "smm_orders": smm_orders(engine, id).await?,
        "statement": statement(pages, id).await?,
    }))
}

fn page(before: Option<OrderId>) -> Page {
    Page {
        limit: AT_ONCE,
        before,
        since: None,
        states: Vec::new(),
        progress: Vec::new(),
    }
}

async fn activations(engine: &Engine, id: AccountId) -> Result<Vec<Value>, AdminError> {
    let (mut all, mut before) = (Vec::new(), None);
    while all.len() < MOST {
        let found = engine.store().activations(id, &page(before)).await?;
        let Some(last) = found.last() else {
            break;
        };
        before = Some(last.id);
        all.extend(found.iter().map(activation));
    }
    Ok(all)
}

fn activation(order: &Activation) -> Value {
    let shown = order.disclosed_at.and(order.phone.as_ref());
    let message = order.message.as_ref().filter(|sms| !sms.is_forgotten());
    json!({
        "order_id": order.id.to_string(),
        "service": order.wanted.service_name,
        "country": order.wanted.country_key,
        "server": order.wanted.server,
        "status": order.public_status().word(),
        "phone_number": shown.map(ToString::to_string),
        "code": message.map(|sms| &sms.code),
        "text": message.and_then(|sms| sms.text.as_ref()),
        "price": order.price.to_string(),
        "created_at": time(order.created_at),
    })
}

async fn smm_orders(engine: &Engine, id: AccountId) -> Result<Vec<Value>, AdminError> {
    let (mut all, mut before) = (Vec::new(), None);
    while all.len() < MOST {
        let found = engine.store().smm_orders(id, &page(before)).await?;
        let Some(last) = found.last() else {
            break;
        };
        before = Some(last.id);
        all.extend(found.iter().map(smm_order));
    }
    Ok(all)
}

fn smm_order(order: &SmmOrder) -> Value {
    json!({
        "order_id": order.id.to_string(),
        "service": order.service_name,
        "link": order.link,
        "quantity": order.quantity,
        "remains": order.remains,
        "status": order.public_progress().word(),
        "price": order.price.to_string(),
        "returned": order.returned.to_string(),
        "created_at": time(order.created_at),
    })
}

async fn statement(pages: &dyn PageRows, id: AccountId) -> Result<Vec<Value>, AdminError> {
    let (mut all, mut from) = (Vec::new(), None);
    while all.len() < MOST {
        let found = pages.statement(id, from, AT_ONCE).await?;
        let next = found.last().and_then(|last| last.previous);
        all.extend(found.iter().map(movement));
        from = next;
        if from.is_none() {
            break;
        }
    }
    Ok(all)
}

fn movement(one: &Movement) -> Value {
    json!({
        "at": time(one.at),
        "kind": one.kind,
        "order_id": one.order.as_ref().map(|(order, _)| order.to_string()),
        "available": one.available.to_string(),
        "held": one.held.to_string(),
    })
}

fn time(at: Timestamp) -> String {
    crate::api_v1::money::time(at)
}
