//! `orders`: the caller's activations, page by page.

use super::get_status::shown_phone;
use crate::api_v1::money::{Number, time};
use crate::api_v1::problem::Problem;
use crate::api_v1::reply::Reply;
use crate::api_v1::{Call, page};
use domain::activation::{Activation, ActivationState, PublicStatus};
use serde::Serialize;

#[derive(Serialize)]
struct View {
    orders: Vec<Order>,
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct Order {
    order_id: String,
    phone_number: Option<String>,
    service_id: String,
    country_id: String,
    provider_source: String,
    charged_usd: Number,
    status: &'static str,
    created_at: String,
    expires_at: Option<String>,
}

impl From<Activation> for Order {
    fn from(activation: Activation) -> Self {
        Self {
            order_id: activation.id.to_string(),
            phone_number: shown_phone(&activation),
            status: activation.public_status().word(),
            service_id: activation.wanted.service_id,
            country_id: activation.wanted.country_id,
            provider_source: activation.wanted.server,
            charged_usd: Number(activation.price),
            created_at: time(activation.created_at),
            expires_at: activation.expires_at.map(time),
        }
    }
}

/// The states behind each word.
const STATES: [(PublicStatus, &[ActivationState]); 4] = {
    use ActivationState as S;
    [
        (PublicStatus::Waiting, &[S::Active, S::CancelRequested]),
        (PublicStatus::Received, &[S::Received]),
        (PublicStatus::Cancelled, &[S::Cancelled, S::Failed]),
        (PublicStatus::Pending, &[S::Calling, S::InDoubt, S::Undo]),
    ]
};

pub(crate) async fn handle(call: Call) -> Result<Reply, Problem> {
    let mut page = page::read(&call.members)?;
    let words = STATES.map(|(status, states)| (status.word(), states));
    if let Some(states) = page::status(&call.members, &words)? {
        page.states = states.iter().map(|state| state.slug()).collect();
    }
    let found = call.engine.list_activations(&call.caller, &page).await?;
    let mut next_cursor = None;
    if let Some(last) = found.get(page.limit as usize - 1).map(|last| last.id) {
        let beyond = page::beyond(&page, last);
        let more = call.engine.list_activations(&call.caller, &beyond).await?;
        next_cursor = (!more.is_empty()).then(|| page::cursor_after(last));
    }
    Reply::ok(View {
        orders: found.into_iter().map(Order::from).collect(),
        next_cursor,
    })
}
