//! `balance`: what can be spent now. The same wallet, and the same answer, on both paths.

use crate::api_v1::Call;
use crate::api_v1::problem::Problem;
use crate::api_v1::reply::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct View {
    wallet_balance: String,
    currency: &'static str,
}

pub(crate) async fn handle(call: Call) -> Result<Reply, Problem> {
    let wallet = call.engine.balance(&call.caller).await?;
    Reply::ok(View {
        wallet_balance: wallet.available.to_string(),
        currency: "USD",
    })
}
