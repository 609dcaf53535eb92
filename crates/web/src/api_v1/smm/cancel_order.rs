//! `cancel_order`: asks for a cancel, whose outcome shows in `order_status`.

use crate::api_v1::Call;
use crate::api_v1::problem::Problem;
use crate::api_v1::reply::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct View {
    order_id: String,
    cancel: &'static str,
}

pub(crate) async fn handle(call: Call) -> Result<Reply, Problem> {
    let order = call.members.order_id()?;
    let answer = call
        .engine
        .cancel_order(&call.caller, order, call.key)
        .await;
    answer.outcome?;
    let reply = Reply::ok(View {
        order_id: order.to_string(),
        cancel: "requested",
    })?;
    Ok(reply.replayed(answer.replayed))
}
