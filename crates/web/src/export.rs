//! What is kept of an account, as one JSON object for its holder.

use app::{AdminError, ApiLog, Engine, Lawful, People, RedeemCodes, TopUps};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::activation::{Activation, PublicStatus};
use domain::api_log::{CallLine, CallsOf};
use domain::ids::{AccountId, OrderId};
use domain::people::Session;
use domain::policy::AccountCase;
use domain::ports::{Movement, Page, PageRows, StoredMessage};
use domain::redeem::RedeemCode;
use domain::smm_order::SmmOrder;
use domain::smm_request::{RequestKind, SmmRequest};
use domain::time::Timestamp;
use domain::top_up::{self, Processor, Proof, TopUp};
use serde_json::{Value, json};

/// Orders, lines and events of each kind at most: the newest.
const MOST: usize = 100_000;
/// Top-ups and redeemed codes at most: the newest.
const FEW: u32 = 1_000;
/// Rows read at once.
const AT_ONCE: u32 = 100;

/// Whom the export asks.
pub struct Sources<'a> {
    /// Accounts, keys and orders.
    pub engine: &'a Engine,
    /// Purposes and cases.
    pub lawful: &'a Lawful,
    /// Sessions.
    pub people: &'a People,
    /// Top-ups.
    pub top_ups: &'a TopUps,
    /// Redeemed codes.
    pub redeem: &'a RedeemCodes,
    /// Requests.
    pub log: &'a ApiLog,
    /// Messages and movements.
    pub pages: &'a dyn PageRows,
}

/// The export of an account. Money is text in US dollars, times are RFC 3339 in UTC. Secrets are in no
/// form part of it, nor is what upstreams are called.
///
/// # Errors
/// There is no such account, or the store cannot answer.
pub async fn account_export(of: &Sources<'_>, id: AccountId) -> Result<Value, AdminError> {
    let store = of.engine.store();
    let account = store.account(id).await?;
    let account = account.ok_or_else(|| AdminError::NotFound(format!("account {id}")))?;
    let wallet = store.wallet(id).await?.ok_or(AdminError::Storage)?;
    let keys = store.keys(id).await?;
    let purposes = of.lawful.attestations(id).await?;
    let cases = of.lawful.account_cases(Some(id), false).await?;
    let top_ups = of.top_ups.newest_of(id, FEW).await?;
    let redeemed = of.redeem.redeemed_by(id, FEW).await?;
    Ok(json!({
        "account": {
            "id": account.id.0,
            "email": account.email,
            "tier": account.tier,
            "api_access": account.api_access,
            "suspended": account.suspended,
            "created_at": time(account.created_at),
        },
        "wallet": {
            "available": wallet.available.to_string(),
            "uncleared": wallet.uncleared.to_string(),
            "held": wallet.held.to_string(),
            "due": wallet.receivable.to_string(),
        },
        "keys": keys.iter().map(|key| json!({
            "id": key.id.0,
            "name": key.name,
            "last4": key.last4,
            "allowed_addresses": key.allowed_addresses,
            "revoked": key.revoked,
            "created_at": time(key.created_at),
        })).collect::<Vec<_>>(),
        "sessions": sessions(of.people, id).await?,
        "purposes": purposes.iter().map(|one| json!({
            "purpose": one.purpose,
            "statement_version": one.version,
            "at": time(one.at),
        })).collect::<Vec<_>>(),
        "cases": cases.iter().map(case).collect::<Vec<_>>(),
        "activations": activations(of, id).await?,
        "smm_orders": smm_orders(of.engine, id).await?,
        "top_ups": top_ups_with_proofs(of.top_ups, &top_ups).await?,
        "redeemed_codes": redeemed.iter().map(redeemed_code).collect::<Vec<_>>(),
        "statement": statement(of.pages, id).await?,
        "api_log": calls(of.log, id).await?,
    }))
}

async fn sessions(people: &People, id: AccountId) -> Result<Vec<Value>, AdminError> {
    let rows = people.rows();
    let Some(person) = rows.person_of(id).await? else {
        return Ok(Vec::new());
    };
    let sessions = rows.sessions(person.id).await?;
    Ok(sessions.iter().map(session).collect())
}

fn session(one: &Session) -> Value {
    json!({
        "signed_in_at": time(one.created_at),
        "last_used_at": time(one.seen_at),
        "address": one.address,
        "browser": one.agent,
    })
}

/// A case as its holder may know it: neither what was seen nor who decided.
fn case(one: &AccountCase) -> Value {
    json!({
        "id": one.id,
        "since": time(one.opened_at),
        "why": one.signal.explained(),
        "means": one.measure.explained(),
        "appeal": one.appeal.as_ref().map(|appeal| json!({
            "text": appeal.text,
            "at": time(appeal.at),
        })),
        "closed_at": one.closed_at.map(time),
    })
}

async fn top_ups_with_proofs(of: &TopUps, rows: &[TopUp]) -> Result<Vec<Value>, AdminError> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let proof = match row.processor {
            Processor::Manual => of.rows().proof(row.id).await?,
            _ => None,
        };
        all.push(top_up(row, proof.as_ref()));
    }
    Ok(all)
}

fn top_up(one: &TopUp, proof: Option<&Proof>) -> Value {
    json!({
        "proof": proof.map(|proof| json!({
            "media_type": proof.kind.media_type(),
            "at": time(proof.at),
            "base64": STANDARD.encode(&proof.bytes),
        })),
        "reference": top_up::reference(one.id),
        "paid_by": one.processor.slug(),
        "state": one.state.slug(),
        "amount": one.amount.to_string(),
        "fee": one.fee.to_string(),
        "bonus": one.bonus.to_string(),
        "credited": one.credited.to_string(),
        "refunded": one.refunded.to_string(),
        "created_at": time(one.created_at),
        "credited_at": one.credited_at.map(time),
    })
}

fn redeemed_code(one: &RedeemCode) -> Value {
    json!({
        "amount": one.amount.to_string(),
        "at": one.redeemed.map(|(_, at)| time(at)),
    })
}

async fn calls(log: &ApiLog, id: AccountId) -> Result<Vec<Value>, AdminError> {
    let mut all = Vec::new();
    let mut wanted = CallsOf {
        limit: AT_ONCE,
        ..CallsOf::default()
    };
    while all.len() < MOST {
        let found = log.lines(id, &wanted).await?;
        let Some(last) = found.last() else {
            break;
        };
        wanted.before = Some((last.last_at, last.id));
        all.extend(found.iter().map(call));
    }
    Ok(all)
}

fn call(line: &CallLine) -> Value {
    json!({
        "first_at": time(line.first_at),
        "last_at": time(line.last_at),
        "count": line.count,
        "key_id": line.key.0,
        "service": line.service,
        "action": line.action,
        "status": line.status,
        "error": line.error,
        "order_id": line.order.map(|order| order.to_string()),
    })
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

async fn activations(of: &Sources<'_>, id: AccountId) -> Result<Vec<Value>, AdminError> {
    let (mut all, mut before) = (Vec::new(), None);
    while all.len() < MOST {
        let found = of.engine.store().activations(id, &page(before)).await?;
        let Some(last) = found.last() else {
            break;
        };
        before = Some(last.id);
        for order in &found {
            all.push(activation(order, &messages(of.pages, order).await?));
        }
    }
    Ok(all)
}

/// Every message that its buyer could read; those that are gone without their words.
async fn messages(
    pages: &dyn PageRows,
    order: &Activation,
) -> Result<Vec<StoredMessage>, AdminError> {
    match order.public_status() {
        PublicStatus::Received => Ok(pages.messages(order.id).await?),
        _ => Ok(Vec::new()),
    }
}

fn activation(order: &Activation, messages: &[StoredMessage]) -> Value {
    let shown = order.disclosed_at.and(order.phone.as_ref());
    let messages = messages.iter().map(|(sms, at)| {
        json!({
            "at": time(*at),
            "code": Some(&sms.code).filter(|_| !sms.is_forgotten()),
            "text": sms.text,
        })
    });
    json!({
        "order_id": order.id.to_string(),
        "service": order.wanted.service_name,
        "country": order.wanted.country_key,
        "server": order.wanted.server,
        "status": order.public_status().word(),
        "phone_number": shown.map(ToString::to_string),
        "messages": messages.collect::<Vec<_>>(),
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
        for order in &found {
            all.push(smm_order(
                order,
                &engine.store().smm_requests(order.id).await?,
            ));
        }
    }
    Ok(all)
}

fn smm_order(order: &SmmOrder, requests: &[SmmRequest]) -> Value {
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
        "requests": requests.iter().map(smm_request).collect::<Vec<_>>(),
    })
}

/// A cancel or a refill that was asked for.
fn smm_request(one: &SmmRequest) -> Value {
    json!({
        "kind": one.kind.slug(),
        "state": one.state.slug(),
        "refill_id": (one.kind == RequestKind::Refill).then(|| one.id.to_string()),
        "at": time(one.created_at),
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
