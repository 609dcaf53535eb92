//! Finding the offers behind a purchase, or the member at fault.

use super::everywhere::Everywhere;
use super::{BuyNumber, Place};
use crate::engine::Engine;
use crate::refusal::Refusal;
use domain::access::Caller;
use domain::activation::{NumberRoute, Wanted};
use domain::catalogue::{Catalogue, Offer, Route, RouteKey};
use domain::policy::{self, Decision};
use domain::time::Timestamp;

impl Engine {
    /// The routes to try, best first, at least one; or which member is at fault.
    pub(super) fn choose(
        &self,
        caller: &Caller,
        request: &BuyNumber,
        (now, dice): (Timestamp, u64),
    ) -> Result<Vec<NumberRoute>, Refusal> {
        match &request.place {
            Place::Everywhere { country_key } => {
                let asked = Everywhere {
                    country_key,
                    service: &request.service,
                    max_price: request.max_price,
                };
                self.routes_everywhere(caller, &asked, (now, dice))
            }
            place @ Place::Route { .. } => {
                let catalogue = self.catalogue();
                let key = self.route_key(&catalogue, place)?;
                let absent = || match catalogue.is_read(key.server, key.provider_type) {
                    true => Refusal::ServiceNotFound,
                    false => Refusal::ServerOff,
                };
                let route = catalogue
                    .route(&key, caller.account.tier)
                    .ok_or_else(absent)?;
                let offer = find_offer(&route, request, now)?;
                let found = self.number_route(caller, &catalogue, (&key, &route, &offer), now)?;
                if request.max_price.is_some_and(|most| most < found.price) {
                    return Err(Refusal::PriceChanged(offer.price));
                }
                Ok(vec![found])
            }
        }
    }

    fn route_key(&self, catalogue: &Catalogue, place: &Place) -> Result<RouteKey, Refusal> {
        let Place::Route {
            server,
            provider_type,
            country_id,
            ..
        } = place
        else {
            return Err(Refusal::MissingCountryId);
        };
        let name = server.as_deref().unwrap_or(&self.settings.default_server);
        let index = catalogue
            .server(name)
            .ok_or_else(|| Refusal::UnknownServer(name.to_owned()))?;
        let server = &catalogue.servers[index];
        let provider_type = provider_type.unwrap_or(i64::from(server.is_typed()));
        let mut types = server.routes.iter().map(|route| route.provider_type);
        if !types.any(|known| known == provider_type) {
            return Err(Refusal::InvalidProviderType);
        }
        if !server.enabled {
            return Err(Refusal::ServerOff);
        }
        Ok(RouteKey {
            server: index,
            provider_type,
            country_id: country_id.as_str().into(),
        })
    }

    /// An offer as this caller may buy it, or why not.
    pub(super) fn number_route(
        &self,
        caller: &Caller,
        catalogue: &Catalogue,
        (key, route, offer): (&RouteKey, &Route<'_>, &Offer<'_>),
        now: Timestamp,
    ) -> Result<NumberRoute, Refusal> {
        let policy = self.decide(caller, offer)?;
        let price = offer.price_at(now);
        if offer.loses_at(price) {
            return Err(Refusal::PriceChanged(offer.price));
        }
        Ok(NumberRoute {
            wanted: Wanted {
                server: catalogue.servers[key.server].name.clone(),
                provider_type: key.provider_type,
                country_id: key.country_id.to_string(),
                country_key: route.country_key.to_string(),
                service_id: offer.service_id.to_string(),
                service_name: offer.service_name.to_string(),
                pool_id: offer.pool_id.map(|pool| pool.to_string()),
            },
            upstream: route.upstream.to_string(),
            cost: offer.cost,
            price,
            policy: (
                format!("{}/{}", policy.class, policy.rule_id),
                i64::from(policy.rule_version),
            ),
        })
    }

    /// Whether a route is not known to be wrong: it took far more than its quote, or said that it
    /// does not sell this.
    pub(super) fn may_buy(&self, route: &NumberRoute) -> Result<(), Refusal> {
        let (at, wanted) = (route.upstream.as_str(), &route.wanted);
        let dear = self.watch.is_dear(at, wanted, route.cost);
        let country = wanted.country_id.as_str();
        if dear || (self.health).is_not_sold(at, country, &wanted.service_id) {
            return Err(Refusal::ProviderUnavailable(None));
        }
        Ok(())
    }

    fn decide(&self, caller: &Caller, offer: &Offer<'_>) -> Result<Decision, Refusal> {
        let request = policy::OtpRequest {
            class: offer.class,
            tier: caller.account.tier,
            account_suspended: caller.account.suspended,
        };
        let decision = policy::decide_otp(&self.settings.rules, &request);
        Refusal::of_policy(&decision).map_or(Ok(decision), Err)
    }
}

fn find_offer<'a>(
    route: &Route<'a>,
    request: &BuyNumber,
    now: Timestamp,
) -> Result<Offer<'a>, Refusal> {
    let pool = match &request.place {
        Place::Route { pool_id, .. } => pool_id.as_deref(),
        Place::Everywhere { .. } => None,
    };
    if pool.is_some() && !route.has_pools() {
        return Err(Refusal::InvalidPool);
    }
    match route.offer(&request.service, pool, now) {
        Some(offer) => Ok(offer),
        None if route.sells(&request.service) => Err(Refusal::InvalidPool),
        None => Err(Refusal::ServiceNotFound),
    }
}
