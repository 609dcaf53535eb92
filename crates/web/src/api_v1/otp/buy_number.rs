//! `buy_number`: buys a number.

use super::POLL_AFTER_S;
use super::services::COUNTRY_KEY_MAX;
use crate::api_v1::members::{Given, Members};
use crate::api_v1::money::{Number, time};
use crate::api_v1::problem::Problem;
use crate::api_v1::reply::Reply;
use crate::api_v1::{Call, purchase, server};
use app::{BuyNumber, Place, Purchased};
use domain::activation::Activation;
use serde::Serialize;

/// Longest name of a service, in characters.
const SERVICE_MAX: usize = 128;

/// Facts of the purchase alone: they never change, so that a replay says the same.
#[derive(Serialize)]
struct View {
    order_id: String,
    phone_number: Option<String>,
    provider_source: String,
    charged_usd: Number,
    status: &'static str,
    expires_at: Option<String>,
    cancel_allowed_at: Option<String>,
    poll_after_s: u32,
}

impl From<Activation> for View {
    fn from(bought: Activation) -> Self {
        Self {
            order_id: bought.id.to_string(),
            phone_number: bought.phone.map(|phone| phone.to_string()),
            provider_source: bought.wanted.server,
            charged_usd: Number(bought.price),
            status: "waiting",
            expires_at: bought.expires_at.map(time),
            cancel_allowed_at: bought.cancel_allowed_at.map(time),
            poll_after_s: POLL_AFTER_S,
        }
    }
}

pub(crate) async fn handle(call: Call) -> Result<Reply, Problem> {
    let request = request(&call.members)?;
    let buying = call
        .engine
        .buy_number(&call.caller, &request, call.key.clone());
    let answer = purchase::while_awaited(&call, buying).await;
    let replayed = answer.replayed;
    match answer.outcome {
        Ok(Purchased::Done(bought)) => {
            let id = bought.id;
            Reply::ok(View::from(bought)).map(|reply| reply.about(id))
        }
        Ok(Purchased::Pending(order)) => Reply::pending(order),
        Err(refusal) => Err(Problem::from(refusal).replayed(replayed)),
    }
    .map(|reply| reply.replayed(replayed))
}

fn request(members: &Members) -> Result<BuyNumber, Problem> {
    let server = server::named(members)?;
    if server.as_deref() == Some(server::ALL) {
        return everywhere(members);
    }
    Ok(BuyNumber {
        service: members.needed_id("service_id")?,
        place: Place::Route {
            country_id: members.needed_id("country_id")?,
            server,
            provider_type: server::provider_type(members)?,
            pool_id: members.id("pool_id")?,
        },
        max_price: members.money("max_price_usd")?,
    })
}

/// Members that name one route, and so contradict the wish to have the best of all.
const OF_ONE_ROUTE: [&str; 3] = ["country_id", "provider_type", "pool_id"];

/// A service by id or name, wherever in a country it is sold.
fn everywhere(members: &Members) -> Result<BuyNumber, Problem> {
    let country_key = members.text("country_key", COUNTRY_KEY_MAX)?;
    let country_key = country_key.ok_or_else(|| Problem::missing("country_key"))?;
    if let Some(name) = OF_ONE_ROUTE
        .into_iter()
        .find(|name| members.get(name).is_some())
    {
        let sentence = format!("Parameter {name} names one route and contradicts server \"all\".");
        return Err(Problem::bad("conflicting_parameters", sentence));
    }
    let service = match members.get("service_id") {
        Some(Given::Text(_)) => members.text("service_id", SERVICE_MAX)?.map(str::to_owned),
        _ => members.id("service_id")?,
    };
    Ok(BuyNumber {
        service: service.ok_or_else(|| Problem::missing("service_id"))?,
        place: Place::Everywhere {
            country_key: country_key.to_owned(),
        },
        max_price: members.money("max_price_usd")?,
    })
}
