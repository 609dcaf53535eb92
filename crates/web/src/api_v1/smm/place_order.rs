//! `place_order`: places an order.

use crate::api_v1::members::{Given, Members};
use crate::api_v1::money::Number;
use crate::api_v1::problem::Problem;
use crate::api_v1::reply::Reply;
use crate::api_v1::{Call, purchase};
use app::{PlaceOrder, Purchased, Refusal, TEXT_MEMBERS};
use domain::catalogue::SmmService;
use domain::link::Link;
use domain::smm_order::SmmOrder;
use domain::upstream::Progress;
use serde::Serialize;
use std::collections::BTreeMap;

/// Longest text member, in bytes.
const TEXT_MAX: usize = 32 * 1024;

/// Facts of the purchase alone: they never change, so that a replay says the same.
#[derive(Serialize)]
struct View {
    order_id: String,
    charged: Number,
    status: &'static str,
}

impl From<SmmOrder> for View {
    fn from(placed: SmmOrder) -> Self {
        Self {
            order_id: placed.id.to_string(),
            charged: Number(placed.price),
            status: Progress::Pending.word(),
        }
    }
}

pub(crate) async fn handle(call: Call) -> Result<Reply, Problem> {
    let service_id = call.members.needed_id("service_id")?;
    let catalogue = call.engine.catalogue();
    let service = catalogue.smm_service(&service_id);
    let request = request(&call.members, service_id.clone(), service)?;
    let placing = call
        .engine
        .place_order(&call.caller, &request, call.key.clone());
    let answer = purchase::while_awaited(&call, placing).await;
    let replayed = answer.replayed;
    match answer.outcome {
        Ok(Purchased::Done(placed)) => {
            let id = placed.id;
            Reply::ok(View::from(placed)).map(|reply| reply.about(id))
        }
        Ok(Purchased::Pending(order)) => Reply::pending(order),
        Err(refusal) => Err(Problem::from(refusal).replayed(replayed)),
    }
    .map(|reply| reply.replayed(replayed))
}

/// Reads what the service's type has a use for; whatever else is there is ignored.
fn request(
    members: &Members,
    service_id: String,
    service: Option<&SmmService>,
) -> Result<PlaceOrder, Problem> {
    let used = |name: &str| {
        service.is_some_and(|service| {
            service.kind.needed().contains(&name) || service.kind.optional().contains(&name)
        })
    };
    // what need not be there may as well be there empty
    let left_out = |name: &str| {
        let optional = service.is_some_and(|service| service.kind.optional().contains(&name));
        optional && members.get(name) == Some(&Given::Other("null".to_owned()))
    };
    let drips = service.is_some_and(|service| service.dripfeed);
    let span = |name: &'static str| match members
        .whole(name)
        .filter(|_| drips && used(name) && !left_out(name))
    {
        Some(Err(())) => Err(Problem::invalid(name, "must be a whole number")),
        given => Ok(given.and_then(Result::ok)),
    };
    let mut texts = BTreeMap::new();
    for name in TEXT_MEMBERS.into_iter().filter(|name| used(name)) {
        if !left_out(name) {
            texts.extend(text(members, name)?.map(|text| (name, text)));
        }
    }
    Ok(PlaceOrder {
        service_id,
        link: link(members, service.is_none() || used("link"))?,
        quantity: quantity(members, service.is_none() || used("quantity"))?,
        runs: span("runs")?,
        interval: span("interval")?,
        texts,
        max_price: members.money("max_price_usd")?,
    })
}

fn link(members: &Members, used: bool) -> Result<String, Problem> {
    if !used {
        return Ok(String::new());
    }
    let given = members.get("link").ok_or(Problem::missing("link"))?;
    let parsed = match given {
        Given::Text(text) => Link::parse(text),
        _ => Err("must be text"),
    };
    match parsed {
        Ok(link) => Ok(link.text().to_owned()),
        Err(why) => Err(Refusal::InvalidLink(why).into()),
    }
}

fn quantity(members: &Members, used: bool) -> Result<Option<i128>, Problem> {
    match members.signed("quantity").filter(|_| used) {
        Some(Ok(units)) => Ok(Some(units)),
        Some(Err(())) => {
            let why = "must be a whole number".to_owned();
            Err(Refusal::InvalidParameter("quantity", why).into())
        }
        None => Ok(None),
    }
}

/// A member of the richer types: text, a number, or one line for each item of a list.
fn text(members: &Members, name: &'static str) -> Result<Option<String>, Problem> {
    let text = match members.get(name) {
        None => return Ok(None),
        Some(Given::Text(text) | Given::Number(text)) => text.clone(),
        Some(Given::Lines(lines)) => lines.join("\n"),
        Some(Given::Other(_)) => {
            return Err(Problem::invalid(name, "must be text or a list of texts"));
        }
    };
    if text.len() > TEXT_MAX {
        return Err(Problem::too_long(name, TEXT_MAX));
    }
    Ok(Some(text))
}
