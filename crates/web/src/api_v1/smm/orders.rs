//! `orders`: the caller's SMM orders, page by page.

use crate::api_v1::money::{Number, time};
use crate::api_v1::problem::Problem;
use crate::api_v1::reply::Reply;
use crate::api_v1::{Call, page};
use domain::smm_order::SmmOrder;
use domain::upstream::Progress;
use serde::Serialize;

#[derive(Serialize)]
struct View {
    orders: Vec<Order>,
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct Order {
    order_id: String,
    status: &'static str,
    remains: u64,
    start_count: i64,
    service_id: String,
    link: String,
    quantity: u64,
    charged: Number,
    refunded: Number,
    created_at: String,
}

impl From<SmmOrder> for Order {
    fn from(order: SmmOrder) -> Self {
        Self {
            order_id: order.id.to_string(),
            status: order.public_progress().word(),
            remains: order.remains,
            start_count: order.start_count,
            quantity: order.quantity,
            charged: Number(order.price),
            refunded: Number(order.returned),
            created_at: time(order.created_at),
            service_id: order.service_id,
            link: order.link,
        }
    }
}

pub(crate) async fn handle(call: Call) -> Result<Reply, Problem> {
    let mut page = page::read(&call.members)?;
    let words = Progress::ALL.map(|progress| (progress.word(), progress.word()));
    page.progress.extend(page::status(&call.members, &words)?);
    let found = call.engine.list_smm_orders(&call.caller, &page).await?;
    let mut next_cursor = None;
    if let Some(last) = found.get(page.limit as usize - 1).map(|last| last.id) {
        let beyond = page::beyond(&page, last);
        let more = call.engine.list_smm_orders(&call.caller, &beyond).await?;
        next_cursor = (!more.is_empty()).then(|| page::cursor_after(last));
    }
    Reply::ok(View {
        orders: found.into_iter().map(Order::from).collect(),
        next_cursor,
    })
}
