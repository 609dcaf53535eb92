//! `refill`: asks for a refill of a completed order.

use crate::api_v1::Call;
use crate::api_v1::problem::Problem;
use crate::api_v1::reply::Reply;
use domain::smm_request::RequestState;
use serde::Serialize;

#[derive(Serialize)]
struct View {
    refill_id: String,
    order_id: String,
    status: &'static str,
}

pub(crate) async fn handle(call: Call) -> Result<Reply, Problem> {
    let order = call.members.order_id()?;
    let answer = call.engine.refill(&call.caller, order, call.key).await;
    let asked = answer.outcome?;
    let reply = Reply::ok(View {
        refill_id: asked.id.to_string(),
        order_id: asked.order.to_string(),
        // as it began, so that a replay says the same
        status: RequestState::Asked.refill_word(),
    })?;
    Ok(reply.replayed(answer.replayed))
}
