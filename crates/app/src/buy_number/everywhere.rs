//! `server: "all"`: every route of a country that sells a service, best first.

use super::NumberWay;
use crate::engine::Engine;
use crate::refusal::Refusal;
use domain::access::Caller;
use domain::activation::NumberRoute;
use domain::catalogue::{Catalogue, Offer, Route, RouteKey};
use domain::markup::Payer;
use domain::mutant::lacks_rule;
use domain::routing::{self, Candidate};
use domain::time::Timestamp;
use domain::usd::Usd;
use std::collections::HashSet;

/// A route with its offer for the service.
type Known<'a> = (&'a RouteKey, Route<'a>, Offer<'a>);

/// A service in a country, wherever it is sold.
pub(super) struct Everywhere<'a> {
    pub(super) country_key: &'a str,
    /// Name or id.
    pub(super) service: &'a str,
    pub(super) max_price: Option<Usd>,
}

impl Engine {
    /// The routes to try, best first, at least one; or the member at fault. Routes that the caller
    /// may not buy on, that cost more than the caller accepts or that are closed are left out.
    pub(super) fn routes_everywhere(
        &self,
        caller: &Caller,
        asked: &Everywhere<'_>,
        (now, dice): (Timestamp, u64),
    ) -> Result<Vec<NumberWay>, Refusal> {
        let catalogue = self.catalogue();
        let known = self.known_routes(&catalogue, catalogue.payer(&caller.account), asked)?;
        let mut allowed = Vec::new();
        let mut denied = Refusal::ServiceNotFound;
        for (key, route, offer) in &known {
            match self.ways(caller, &catalogue, (key, route, offer), now) {
                Ok(ways) => allowed.push((self.candidate(&ways[0].at, offer), ways)),
                Err(refusal) => denied = refusal,
            }
        }
        let cheapest = allowed.iter().map(|(_, ways)| ways[0].at.price).min();
        let cheapest = cheapest.ok_or(denied)?;
        if asked.max_price.is_some_and(|most| most < cheapest) {
            return Err(Refusal::PriceChanged(cheapest));
        }
        let most = asked.max_price.filter(|_| !lacks_rule(43));
        allowed.retain(|(_, ways)| most.is_none_or(|most| ways[0].at.price <= most));
        for (_, ways) in &mut allowed {
            ways.retain(|way| self.is_open(way));
        }
        allowed.retain(|(_, ways)| !ways.is_empty());
        let candidates: Vec<Candidate> = allowed.iter().map(|(candidate, _)| *candidate).collect();
        let order = routing::order(self.settings.routing.strategy, &candidates, dice);
        // two servers may stand before one upstream: what it refused once it refuses again
        let mut seen = HashSet::new();
        let ways = order.into_iter().flat_map(|place| allowed[place].1.clone());
        let ways: Vec<NumberWay> = ways
            .filter(|way| seen.insert(place_of(&way.at)) || lacks_rule(38))
            .take(self.settings.routing.tries.max(1))
            .collect();
        if ways.is_empty() {
            return Err(Refusal::RouteClosed);
        }
        Ok(ways)
    }

    /// The best offer for the service on each route of the country that sells it.
    fn known_routes<'a>(
        &self,
        catalogue: &'a Catalogue,
        payer: Payer,
        asked: &Everywhere<'_>,
    ) -> Result<Vec<Known<'a>>, Refusal> {
        let all_read = catalogue.servers.iter().enumerate().all(|(at, server)| {
            let mut types = server.routes.iter().map(|route| route.provider_type);
            !server.enabled || types.all(|provider_type| catalogue.is_read(at, provider_type))
        });
        let absent = |refusal| match refusal {
            Refusal::CountryNotFound | Refusal::ServiceNotFound if !all_read => Refusal::ServerOff,
            known => known,
        };
        let country = catalogue
            .country(asked.country_key)
            .ok_or_else(|| absent(Refusal::CountryNotFound))?;
        let routes: Vec<(&RouteKey, Route<'a>)> = country
            .routes
            .iter()
            .filter_map(|key| Some((key, catalogue.route(key, payer)?)))
            .collect();
        let name = service_name(&routes, asked.service).map_err(absent)?;
        let now = self.now();
        let offers = routes.into_iter().filter_map(|(key, route)| {
            let named = route.offers().find(|offer| is_named(offer, &name));
            let offer = route.offer(named?.service_id, None, now)?;
            Some((key, route, offer))
        });
        Ok(offers.collect())
    }

    fn candidate(&self, route: &NumberRoute, offer: &Offer<'_>) -> Candidate {
        let weights = &self.settings.routing.weights;
        let (rate, sure_ppm) = self.success_of(&route.wanted, offer.stated_rate);
        Candidate {
            in_stock: offer.available != Some(0),
            price: route.price,
            rate,
            sure_ppm,
            weight: weights.get(&route.wanted.server).copied().unwrap_or(1),
        }
    }
}

fn place_of(route: &NumberRoute) -> (String, String, String, Option<String>) {
    let wanted = &route.wanted;
    (
        route.upstream.clone(),
        wanted.country_id.clone(),
        wanted.service_id.clone(),
        wanted.pool_id.clone(),
    )
}

fn is_named(offer: &Offer, name: &str) -> bool {
    offer.service_name.to_lowercase() == name
}

/// The name behind what the caller sent, lower case: a name, or an id that means one service only.
fn service_name(routes: &[(&RouteKey, Route<'_>)], service: &str) -> Result<String, Refusal> {
    let name = service.trim().to_lowercase();
    let mut by_id = None;
    for offer in routes.iter().flat_map(|(_, route)| route.offers()) {
        let offered = offer.service_name.to_lowercase();
        if offered == name {
            return Ok(name);
        }
        if **offer.service_id != *service {
            continue;
        }
        match &by_id {
            None => by_id = Some(Ok(offered)),
            Some(Ok(known)) if *known != offered => by_id = Some(Err(ambiguous())),
            Some(_) => {}
        }
    }
    by_id.unwrap_or(Err(Refusal::ServiceNotFound))
}

fn ambiguous() -> Refusal {
    let why = "means different services on different servers: send the service's name";
    Refusal::InvalidParameter("service_id", why.to_owned())
}
