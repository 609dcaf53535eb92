//! The list of services: by category, and by what is typed.

use crate::dashboard::page::Page;
use crate::dashboard::session::Customer;
use crate::door::Door;
use app::Refusal;
use axum::extract::State;
use axum::response::Response;
use domain::access::Caller;
use domain::catalogue::SmmService;
use minijinja::{Value, context};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Services shown at once; a search narrows them.
const SERVICES_MAX: usize = 100;

pub(super) async fn show(State(door): State<Arc<Door>>, customer: Customer) -> Response {
    let page = Page::new(&customer.visitor, "SMM").under("smm");
    let caller = Caller::signed_in(customer.account.clone());
    let wanted = customer.visitor.asked("category");
    let text = customer.visitor.asked("q").trim().to_owned();
    match listed(&door, &caller, (&wanted, &text)) {
        Ok(values) => page.show("smm.html", values),
        Err(refusal) => page.failed(&refusal.into()),
    }
}

fn listed(door: &Door, caller: &Caller, (wanted, text): (&str, &str)) -> Result<Value, Refusal> {
    let mut services = door.engine.list_smm_services(caller)?;
    let categories: BTreeSet<String> = services
        .iter()
        .map(|service| service.category.to_string())
        .collect();
    let folded = text.to_lowercase();
    services.retain(|service| {
        let in_category = wanted.is_empty() || &*service.category == wanted;
        let named = |name: &str| name.to_lowercase().contains(&folded);
        in_category && (named(&service.name) || named(&service.category) || &*service.id == text)
    });
    // stable: within a category they stay in the order of the catalogue
    services.sort_by(|one, other| one.category.cmp(&other.category));
    let more = services.len().saturating_sub(SERVICES_MAX);
    services.truncate(SERVICES_MAX);
    let groups: Vec<Value> = services
        .chunk_by(|one, other| one.category == other.category)
        .map(|group| {
            context! {
                name => &*group[0].category,
                services => group.iter().map(row).collect::<Vec<_>>(),
            }
        })
        .collect();
    Ok(context! { q => text, category => wanted, categories, groups, more })
}

/// A service as pages show it.
pub(super) fn row(service: &SmmService) -> Value {
    context! {
        id => &*service.id,
        name => &*service.name,
        category => &*service.category,
        kind => service.kind.title(),
        flat => service.kind.is_flat(),
        rate => service.rate.0,
        min => service.min,
        max => service.max,
        refill => service.refill,
        cancel => service.cancel,
        dripfeed => service.dripfeed,
    }
}
