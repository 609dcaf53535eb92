//! `/console/catalogue`: what is on sale, what waits for a class, what brings nothing, and how costs
//! changed.

use super::upstreams::listings;
use super::{Operator, OperatorsForm, Routes};
use crate::dashboard::page::Failed;
use crate::door::Door;
use app::{Dead, DeadOffer, ListingState, Stock, Waiting};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::catalogue::{SmmNote, SmmRule};
use domain::countries;
use domain::desk::Deed;
use domain::policy::OtpClass;
use domain::ports::{ChangesOf, NotedChange};
use minijinja::{Value, context};
use std::sync::Arc;

/// Rows of a list.
const ROWS: usize = 200;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/catalogue", Deed::SeeCatalogue, get(show))
        .see("/console/catalogue/names", Deed::SeeCatalogue, get(names))
        .see("/console/catalogue/dead", Deed::SeeCatalogue, get(dead))
        .see(
            "/console/catalogue/history",
            Deed::SeeCatalogue,
            get(history),
        )
        .act(
            "/console/catalogue/classify",
            Deed::ChangePolicy,
            post(classify),
        )
}

async fn show(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    page(&door, &operator, None)
}

fn page(door: &Door, operator: &Operator, failed: Option<Failed>) -> Response {
    let page = operator.page("Catalogue", "catalogue").with_failure(failed);
    page.show("console/catalogue.html", values(door))
}

fn values(door: &Door) -> Value {
    let catalogue = door.engine.catalogue();
    let (offers, smm_services) = catalogue.size();
    let listings = listings(door);
    let waiting = door.stock.unclassified();
    let more = waiting.len().saturating_sub(ROWS);
    context! {
        offers,
        smm_services,
        countries => catalogue.countries.len(),
        listings => listings.iter().map(listing_view).collect::<Vec<_>>(),
        waiting => waiting.iter().take(ROWS).map(waiting_view).collect::<Vec<_>>(),
        waiting_in_all => waiting.len(),
        more,
        classes => Stock::classes().map(class_view).collect::<Vec<_>>(),
        notes => catalogue.smm_notes().iter().take(ROWS).map(note_view).collect::<Vec<_>>(),
    }
}

fn listing_view(state: &ListingState) -> Value {
    context! {
        upstream => &state.upstream,
        offers => state.offers,
        bytes => state.bytes,
        read_at => state.read_at.0,
        trouble => &state.trouble,
    }
}

fn waiting_view(one: &Waiting) -> Value {
    let at: Vec<String> = one
        .at
        .iter()
        .map(|(upstream, id)| format!("{upstream} {id}"))
        .collect();
    context! { name => &one.name, offers => one.offers, at => at.join(", ") }
}

fn class_view(class: OtpClass) -> Value {
    context! { slug => class.slug(), title => class.title() }
}

fn note_view(note: &SmmNote) -> Value {
    let source = note.source.as_ref();
    context! {
        service => &*note.service,
        source => source.map(|(upstream, service)| format!("{upstream} {service}")),
        trouble => note.trouble.slug().replace('_', " "),
    }
}

/// `POST …/classify`.
async fn classify(State(door): State<Arc<Door>>, form: OperatorsForm) -> Response {
    let done = async {
        let (name, class) = (form.fields.text("name"), form.fields.text("class"));
        form.because(door.stock.classify(name, class)).await
    };
    match done.await {
        Ok(_) => Redirect::to("/console/catalogue?notice=classified").into_response(),
        Err(failed) => page(&door, &form.operator, Some(failed)),
    }
}

async fn dead(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    let all = door.stock.dead_offers();
    let more = all.len().saturating_sub(ROWS);
    let offers: Vec<Value> = all.iter().take(ROWS).map(dead_view).collect();
    let page = operator.page("Dead offers", "catalogue");
    page.show("console/dead_offers.html", context! { offers, more })
}

fn dead_view(offer: &DeadOffer) -> Value {
    let why = match offer.why {
        Dead::NotSold => "its upstream says it does not sell it".to_owned(),
        Dead::Dear(quote) => format!("took far more than the ${quote} it was quoted at"),
        Dead::Silent(samples) => format!("no code in {samples} numbers"),
    };
    context! {
        place => &offer.place,
        country_id => &offer.country_id,
        service_id => &offer.service_id,
        why,
    }
}

async fn names(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    let naming = door.engine.naming();
    let pairs = |pairs: Vec<(String, String)>| {
        let views = pairs.into_iter();
        views
            .map(|(from, to)| context! { from, to })
            .collect::<Vec<_>>()
    };
    let given = door.engine.classes_given();
    let given = given
        .into_iter()
        .map(|(name, class)| (name, class.slug().to_owned()));
    let rules = door.engine.smm_rules();
    let services = rules.services.iter();
    let values = context! {
        services => pairs(naming.service_aliases()),
        countries => pairs(naming.country_aliases()),
        renamed => pairs(naming.renamed_countries()),
        hidden => naming.hidden(),
        given => pairs(given.collect()),
        smm => services.map(|(id, rule)| smm_view(id, rule)).collect::<Vec<_>>(),
    };
    let page = operator.page("Names and overrides", "catalogue");
    page.show("console/names.html", values)
}

fn smm_view(id: &str, rule: &SmmRule) -> Value {
    let sources: Vec<String> = rule
        .sources
        .iter()
        .map(|(upstream, service)| format!("{upstream} {service}"))
        .collect();
    context! {
        id,
        name => &rule.name,
        category => &rule.category,
        sources => sources.join(", "),
        rate => rule.rate.map(|rate| rate.0),
        disabled => rule.disabled,
    }
}

async fn history(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    let page = operator.page("Changes of costs", "catalogue");
    page.showing("console/cost_changes.html", changes(&door, &operator).await)
}

async fn changes(door: &Door, operator: &Operator) -> Result<Value, Failed> {
    let asked = |name: &str| operator.visitor.asked(name).trim().to_owned();
    let (service, country, upstream) = (asked("service"), asked("country"), asked("upstream"));
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let key = given(&country).map(|name| match countries::find(&name) {
        Some(found) => Ok(found.key.to_owned()),
        None => Err(Failed::field("country", &format!("{name} is no country."))),
    });
    let wanted = ChangesOf {
        service: given(&service),
        country: key.transpose()?,
        upstream: given(&upstream),
        limit: ROWS,
        ..ChangesOf::default()
    };
    let found = door.engine.cost_changes(wanted).await?;
    Ok(context! {
        changes => found.iter().map(change_view).collect::<Vec<_>>(),
        service,
        country,
        upstream,
        upstreams => door.engine.number_upstreams().map(str::to_owned).collect::<Vec<_>>(),
        most => ROWS,
    })
}

fn change_view(noted: &NotedChange) -> Value {
    let change = &noted.change;
    context! {
        at => noted.at.0,
        upstream => &noted.upstream,
        country => &*change.country_key,
        country_id => &*change.country_id,
        service => &*change.service_name,
        service_id => &*change.service_id,
        pool => change.pool_id.as_deref(),
        from => change.from.0,
        to => change.to.0,
        dearer => change.to > change.from,
    }
}
