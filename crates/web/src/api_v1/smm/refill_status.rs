//! `refill_status`: how far a refill has come.

use crate::api_v1::Call;
use crate::api_v1::problem::Problem;
use crate::api_v1::reply::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct View {
    refill_id: String,
    order_id: String,
    status: &'static str,
}

pub(crate) async fn handle(call: Call) -> Result<Reply, Problem> {
    let id = call.members.refill_id()?;
    let refill = call.engine.refill_status(&call.caller, id).await?;
    Reply::ok(View {
        refill_id: refill.id.to_string(),
        order_id: refill.order.to_string(),
        status: refill.state.refill_word(),
    })
}
