//! `cancel`: gives a waiting number back.

use crate::api_v1::Call;
use crate::api_v1::problem::Problem;
use crate::api_v1::reply::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct View {
    refunded: bool,
    amount: String,
}

pub(crate) async fn handle(call: Call) -> Result<Reply, Problem> {
    let order = call.members.order_id()?;
    let answer = call.engine.cancel(&call.caller, order, call.key).await;
    let replayed = answer.replayed;
    match answer.outcome {
        Ok(amount) => Reply::ok(View {
            refunded: true,
            amount: amount.to_string(),
        }),
        Err(refusal) => Err(Problem::from(refusal).replayed(replayed)),
    }
    .map(|reply| reply.replayed(replayed))
}
