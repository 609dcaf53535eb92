//! How routes perform as we measured it: outcomes of each route and service, old ones weighing less,
//! in memory. The store gives them back after a start.

use crate::engine::Engine;
use domain::activation::{Activation, ActivationState, Wanted};
use domain::change::Reason;
use domain::outcomes::{self, Ended, Figures, Outcomes};
use domain::time::{Millis, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock};

/// Outcomes read after a start.
const READ: u32 = 50_000;

/// Server, typed route and country id.
type RoutePlace = (String, i64, String);

/// By pool.
type Pools<T> = Vec<(Option<String>, T)>;

/// Outcomes by route and service.
#[derive(Debug, Default)]
pub(crate) struct Measured(RwLock<HashMap<RoutePlace, HashMap<String, Pools<Outcomes>>>>);

/// What was measured on one route, by service and pool.
#[derive(Debug, Default)]
pub(crate) struct RouteFigures(HashMap<String, Pools<Figures>>);

impl RouteFigures {
    /// Figures of one service; those of nothing where nothing was measured.
    pub fn of(&self, service_id: &str, pool_id: Option<&str>) -> Figures {
        let pools = self.0.get(service_id).into_iter().flatten();
        let mut found = pools.filter(|(pool, _)| pool.as_deref() == pool_id);
        found
            .next()
            .map(|(_, figures)| *figures)
            .unwrap_or_default()
    }
}

fn place_of(wanted: &Wanted) -> RoutePlace {
    (
        wanted.server.clone(),
        wanted.provider_type,
        wanted.country_id.clone(),
    )
}

impl Measured {
    fn note(&self, wanted: &Wanted, ended: Ended, at: Timestamp, half_life: Millis) {
        let mut places = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let services = places.entry(place_of(wanted)).or_default();
        let pools = services.entry(wanted.service_id.clone()).or_default();
        let known = pools.iter().position(|(pool, _)| *pool == wanted.pool_id);
        let known = known.unwrap_or_else(|| {
            pools.push((wanted.pool_id.clone(), Outcomes::starting(at)));
            pools.len() - 1
        });
        pools[known].1.note(ended, at, half_life);
    }

    fn look<T>(&self, wanted: &Wanted, look: impl FnOnce(&Outcomes) -> T) -> Option<T> {
        let places = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let pools = places.get(&place_of(wanted))?.get(&wanted.service_id)?;
        let found = pools.iter().find(|(pool, _)| *pool == wanted.pool_id)?;
        Some(look(&found.1))
    }
}

/// How a route performs, all its services together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteMeasured {
    /// Server.
    pub server: String,
    /// Typed route, 0 where the server has none.
    pub provider_type: i64,
    /// The server's country id.
    pub country_id: String,
    /// What was measured.
    pub figures: Figures,
}

impl Engine {
    /// How every route performs on which something ended, by server, type and country.
    pub fn measured_routes(&self) -> Vec<RouteMeasured> {
        let now = self.now();
        let sums = self.sums_by(|place| Some(place.clone()));
        let rows = sums.into_iter().map(|(place, sum)| RouteMeasured {
            server: place.0,
            provider_type: place.1,
            country_id: place.2,
            figures: sum.figures(now, self.settings.routing.half_life),
        });
        rows.collect()
    }

    /// How every typed route performs, over all its countries: by server and type.
    pub(crate) fn measured_types(&self) -> BTreeMap<(String, i64), Figures> {
        let now = self.now();
        let sums = self.sums_by(|place| Some((place.0.clone(), place.1)));
        let rows = sums.into_iter().map(|(place, sum)| {
            let figures = sum.figures(now, self.settings.routing.half_life);
            (place, figures)
        });
        rows.collect()
    }

    /// Offers none of whose numbers received a code, once so many were bought: server and type,
    /// country, service, and how many there were.
    pub(crate) fn silent_offers(&self, fewest: u32) -> Vec<((String, String, String), u32)> {
        let (now, half_life) = (self.now(), self.settings.routing.half_life);
        let places = self.measured.0.read();
        let places = places.unwrap_or_else(PoisonError::into_inner);
        let mut silent = Vec::new();
        for ((server, kind, country), services) in places.iter() {
            for (service, pools) in services {
                let samples = |(_, outcomes): &(Option<String>, Outcomes)| {
                    let figures = outcomes.figures(now, half_life);
                    outcomes.is_silent().then_some(figures.samples)
                };
                let dead = pools.iter().filter_map(samples);
                let dead = dead.filter(|samples| *samples >= fewest);
                silent.extend(dead.map(|samples| {
                    let place = match kind {
                        0 => server.clone(),
                        kind => format!("{server} {kind}"),
                    };
                    ((place, country.clone(), service.clone()), samples)
                }));
            }
        }
        silent
    }

    /// How an upstream performs, behind every server that it stands behind.
    pub fn measured_at(&self, upstream: &str) -> Figures {
        let is_behind = |place: &RoutePlace| {
            let mut servers = self.settings.servers.iter();
            let server = servers.find(|server| server.name == place.0)?;
            let mut routes = server.routes.iter();
            let route = routes.find(|route| route.provider_type == place.1)?;
            (route.upstream == upstream).then_some(())
        };
        let sum = self.sums_by(is_behind).remove(&());
        sum.map(|sum| sum.figures(self.now(), self.settings.routing.half_life))
            .unwrap_or_default()
    }

    /// Outcomes added up by what is made of their route.
    fn sums_by<K: Ord>(&self, key: impl Fn(&RoutePlace) -> Option<K>) -> BTreeMap<K, Outcomes> {
        let (now, half_life) = (self.now(), self.settings.routing.half_life);
        let places = self.measured.0.read();
        let places = places.unwrap_or_else(PoisonError::into_inner);
        let mut sums = BTreeMap::new();
        for (place, services) in places.iter() {
            let Some(key) = key(place) else { continue };
            let sum = sums.entry(key).or_insert_with(|| Outcomes::starting(now));
            for (_, outcomes) in services.values().flatten() {
                *sum = sum.with(outcomes, now, half_life);
            }
        }
        sums
    }

    /// Takes the end of an order into account. One that never showed a number says nothing of its
    /// route.
    pub(crate) fn measure(&self, activation: &Activation, ended: Ended) {
        if activation.disclosed_at.is_some() {
            let half_life = self.settings.routing.half_life;
            let now = self.now();
            self.measured
                .note(&activation.wanted, ended, now, half_life);
        }
    }

    /// Everything that was measured on one route.
    pub(crate) fn figures_of_route(
        &self,
        server: &str,
        provider_type: i64,
        country_id: &str,
    ) -> RouteFigures {
        let (now, half_life) = (self.now(), self.settings.routing.half_life);
        let places = self
            .measured
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let route = (server.to_owned(), provider_type, country_id.to_owned());
        let services = places.get(&route).into_iter().flatten();
        let figures = services.map(|(service, pools)| {
            let known = pools
                .iter()
                .map(|(pool, outcomes)| (pool.clone(), outcomes.figures(now, half_life)));
            (service.clone(), known.collect())
        });
        RouteFigures(figures.collect())
    }

    /// Percent of numbers that received a code, as shown, and the share in millionths that we may
    /// count on.
    pub(crate) fn success_of(&self, wanted: &Wanted, stated: Option<u8>) -> (Option<u8>, u32) {
        let (now, half_life) = (self.now(), self.settings.routing.half_life);
        let measured = self.measured.look(wanted, |outcomes| {
            let rate = outcomes.figures(now, half_life).rate;
            (rate, outcomes.sure_ppm(stated, now, half_life))
        });
        let (rate, sure) = measured.unwrap_or((None, outcomes::unmeasured_ppm(stated)));
        (rate.or(stated), sure)
    }

    /// Loads the latest outcomes after a start.
    pub async fn remember_outcomes(&self) {
        let half_life = self.settings.routing.half_life;
        match self.store().activations_ended(READ).await {
            Ok(ended) => {
                for (activation, reason, at) in ended.into_iter().rev() {
                    let how = how_it_ended(&activation, reason, at);
                    self.measured.note(&activation.wanted, how, at, half_life);
                }
            }
            Err(error) => tracing::warn!(error = %error, "success rates start empty"),
        }
    }
}

fn how_it_ended(activation: &Activation, reason: Reason, at: Timestamp) -> Ended {
    match activation.state {
        // the price is posted in the moment the first code is stored
        ActivationState::Received => Ended::Delivered(Some(at - activation.created_at)),
        _ if reason == Reason::Cancelled => Ended::Cancelled,
        _ => Ended::Silent,
    }
}
