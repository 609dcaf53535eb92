//! `countries`: where numbers can be bought.

use crate::api_v1::problem::Problem;
use crate::api_v1::reply::Reply;
use crate::api_v1::{Call, server};
use crate::lists::Key;
use app::{CountryView, ServerChoice};
use serde::{Serialize, Serializer};

#[derive(Serialize)]
struct View {
    countries: Vec<Country>,
    provider_sources: Vec<String>,
}

#[derive(Serialize)]
struct Country {
    id: String,
    key: String,
    name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<Route>,
    providers: Vec<String>,
    provider_country_ids: CountryIds,
}

#[derive(Serialize)]
struct Route {
    provider_type: i64,
    country_id: String,
}

/// An object in the operator's order of servers.
struct CountryIds(Vec<(String, Vec<String>)>);

impl Serialize for CountryIds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(server, ids)| (server, ids)))
    }
}

impl From<CountryView> for Country {
    fn from(view: CountryView) -> Self {
        let route = |(provider_type, country_id)| Route {
            provider_type,
            country_id,
        };
        Self {
            id: view.id,
            key: view.key,
            name: view.name,
            routes: view.routes.into_iter().map(route).collect(),
            providers: view.providers,
            provider_country_ids: CountryIds(view.provider_country_ids),
        }
    }
}

pub(crate) async fn handle(call: Call) -> Result<Reply, Problem> {
    let choice = match server::named(&call.members)? {
        Some(name) if name != server::ALL => ServerChoice::One(name),
        _ => ServerChoice::All,
    };
    call.lists
        .get(&call.engine, Key::Countries(choice.clone()), || {
            let countries = call.engine.list_countries(&choice)?;
            let reply = Reply::ok(View {
                countries: countries.into_iter().map(Country::from).collect(),
                provider_sources: call.engine.provider_sources(),
            })?;
            Ok((reply.into_body(), None))
        })
}
