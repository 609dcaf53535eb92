//! `order_status`: how far an order has come.

use crate::api_v1::Call;
use crate::api_v1::money::Number;
use crate::api_v1::problem::Problem;
use crate::api_v1::reply::Reply;
use domain::smm_order::SmmOrder;
use serde::Serialize;

#[derive(Serialize)]
struct View {
    status: &'static str,
    remains: u64,
    start_count: i64,
    order_id: String,
    charged: Number,
    refunded: Number,
}

impl From<SmmOrder> for View {
    fn from(order: SmmOrder) -> Self {
        Self {
            status: order.public_progress().word(),
            remains: order.remains,
            start_count: order.start_count,
            order_id: order.id.to_string(),
            charged: Number(order.price),
            refunded: Number(order.returned),
        }
    }
}

pub(crate) async fn handle(call: Call) -> Result<Reply, Problem> {
    let id = call.members.order_id()?;
    let order = call.engine.order_status(&call.caller, id).await?;
    Reply::ok(View::from(order))
}
