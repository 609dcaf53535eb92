//! Public servers with the upstreams behind each, as purchases find them.

use super::Stock;
use crate::closed::Closed;
use domain::outcomes::Figures;
use domain::usd::Usd;

/// A public server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSheet {
    /// Its name.
    pub name: String,
    /// Switched on.
    pub enabled: bool,
    /// How often the weighted strategy takes it, compared with the others.
    pub weight: u32,
    /// Its routes by type.
    pub routes: Vec<RouteSheet>,
}

/// A typed route of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSheet {
    /// 0 where the server has no types.
    pub provider_type: i64,
    /// What stands behind it, in the order of trying.
    pub upstreams: Vec<Behind>,
    /// What was measured of it, over all countries.
    pub measured: Figures,
}

/// An upstream behind a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// Its name.
    pub upstream: String,
    /// Why nothing is bought there now.
    pub closed: Option<Closed>,
    /// Countries and offers that it lists; nothing before it was read.
    pub lists: Option<(usize, usize)>,
    /// The lowest and the highest cost among them.
    pub costs: Option<(Usd, Usd)>,
}

impl Stock {
    /// Every server, in the operator's order.
    pub fn servers(&self) -> Vec<ServerSheet> {
        let engine = &self.engine;
        let measured = engine.measured_types();
        let servers = engine.settings.servers.iter().map(|server| {
            let mut routes: Vec<RouteSheet> = Vec::new();
            for route in &server.routes {
                let behind = self.behind(&route.upstream);
                let kind = route.provider_type;
                if let Some(known) = routes.iter_mut().find(|one| one.provider_type == kind) {
                    known.upstreams.push(behind);
                    continue;
                }
                let figures = measured.get(&(server.name.clone(), kind));
                routes.push(RouteSheet {
                    provider_type: kind,
                    upstreams: vec![behind],
                    measured: figures.copied().unwrap_or_default(),
                });
            }
            let weights = &engine.settings.routing.weights;
            ServerSheet {
                name: server.name.clone(),
                enabled: server.enabled,
                weight: weights.get(&server.name).copied().unwrap_or(1),
                routes,
            }
        });
        servers.collect()
    }

    fn behind(&self, upstream: &str) -> Behind {
        let catalogue = self.engine.catalogue();
        let shelf = catalogue
            .shelves()
            .find(|one| **one.upstream() == *upstream);
        Behind {
            upstream: upstream.to_owned(),
            closed: self.engine.closed(upstream),
            lists: shelf.map(|shelf| (shelf.country_count(), shelf.len())),
            costs: shelf.and_then(|shelf| shelf.costs()),
        }
    }

    /// Word of the strategy by which one of several routes is taken, and how many are tried at most.
    pub fn routing(&self) -> (&'static str, usize) {
        let routing = &self.engine.settings.routing;
        (routing.strategy.word(), routing.tries)
    }
}
