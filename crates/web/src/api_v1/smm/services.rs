//! `services`: what can be ordered, and at what rate.

use crate::api_v1::Call;
use crate::api_v1::money::Number;
use crate::api_v1::problem::Problem;
use crate::api_v1::reply::Reply;
use crate::lists::Key;
use domain::catalogue::SmmService;
use serde::Serialize;

#[derive(Serialize)]
struct View {
    services: Vec<Service>,
}

#[derive(Serialize)]
struct Service {
    service_id: String,
    name: String,
    category: String,
    rate_usd_per_1000: Number,
    min: u64,
    max: u64,
    r#type: &'static str,
    refill: bool,
    cancel: bool,
    dripfeed: bool,
}

impl From<SmmService> for Service {
    fn from(service: SmmService) -> Self {
        Self {
            service_id: service.id.to_string(),
            name: service.name.to_string(),
            category: service.category.to_string(),
            rate_usd_per_1000: Number(service.rate),
            min: service.min,
            max: service.max,
            r#type: service.kind.title(),
            refill: service.refill,
            cancel: service.cancel,
            dripfeed: service.dripfeed,
        }
    }
}

pub(crate) async fn handle(call: Call) -> Result<Reply, Problem> {
    call.lists.get(&call.engine, Key::SmmServices, || {
        let services = call.engine.list_smm_services(&call.caller)?;
        let reply = Reply::ok(View {
            services: services.into_iter().map(Service::from).collect(),
        })?;
        Ok((reply.into_body(), None))
    })
}
