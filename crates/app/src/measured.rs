//! Success rates as we measured them: the last outcomes of each route and service, in memory.

use crate::engine::Engine;
use domain::activation::{Activation, ActivationState};
use std::collections::{HashMap, VecDeque};
use std::sync::{PoisonError, RwLock};

/// Outcomes kept for each route and service.
const LAST: usize = 100;

/// Outcomes below which a rate says nothing.
const FEWEST: usize = 5;

/// Server, typed route and country id.
type RoutePlace = (String, i64, String);

/// True where a code came; the latest last. By pool.
type Outcomes = Vec<(Option<String>, VecDeque<bool>)>;

/// The last outcomes by route and service.
#[derive(Debug, Default)]
pub(crate) struct Measured(RwLock<HashMap<RoutePlace, HashMap<String, Outcomes>>>);

/// What was measured on one route: percent by service and pool.
#[derive(Debug, Default)]
pub(crate) struct RouteRates(HashMap<String, Vec<(Option<String>, u8)>>);

impl RouteRates {
    /// Percent of the last outcomes with a code; nothing while there are too few.
    pub fn rate(&self, service_id: &str, pool_id: Option<&str>) -> Option<u8> {
        let mut pools = self.0.get(service_id)?.iter();
        let found = pools.find(|(pool, _)| pool.as_deref() == pool_id);
        found.map(|(_, rate)| *rate)
    }
}

impl Measured {
    /// Takes an outcome into account. Orders that never showed a number say nothing of the route.
    pub fn note(&self, activation: &Activation) {
        if activation.disclosed_at.is_none() {
            return;
        }
        let wanted = &activation.wanted;
        let delivered = activation.state == ActivationState::Received;
        let mut places = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let route = (
            wanted.server.clone(),
            wanted.provider_type,
            wanted.country_id.clone(),
        );
        let services = places.entry(route).or_default();
        let pools = services.entry(wanted.service_id.clone()).or_default();
        let at = pools.iter().position(|(pool, _)| *pool == wanted.pool_id);
        let at = at.unwrap_or_else(|| {
            pools.push((wanted.pool_id.clone(), VecDeque::new()));
            pools.len() - 1
        });
        let outcomes = &mut pools[at].1;
        outcomes.push_back(delivered);
        if outcomes.len() > LAST {
            outcomes.pop_front();
        }
    }

    /// Everything that is known of one route.
    pub fn of_route(&self, server: &str, provider_type: i64, country_id: &str) -> RouteRates {
        let places = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let route = (server.to_owned(), provider_type, country_id.to_owned());
        let Some(services) = places.get(&route) else {
            return RouteRates::default();
        };
        let rates = services.iter().map(|(service, pools)| {
            let known = pools
                .iter()
                .filter_map(|(pool, outcomes)| Some((pool.clone(), percent(outcomes)?)));
            (service.clone(), known.collect())
        });
        RouteRates(rates.collect())
    }
}

fn percent(outcomes: &VecDeque<bool>) -> Option<u8> {
    if outcomes.len() < FEWEST {
        return None;
    }
    let delivered = outcomes.iter().filter(|delivered| **delivered).count();
    u8::try_from(delivered * 100 / outcomes.len()).ok()
}

impl Engine {
    /// Loads the latest outcomes after a start.
    pub async fn remember_outcomes(&self) {
        match self.store().activations_ended(10_000).await {
            Ok(ended) => ended
                .iter()
                .rev()
                .for_each(|activation| self.measured.note(activation)),
            Err(error) => tracing::warn!(error = %error, "success rates start empty"),
        }
    }
}
