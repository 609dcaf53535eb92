//! Finding the offers behind a purchase, or the member at fault.

use super::everywhere::Everywhere;
use super::{BuyNumber, Buyer, NumberWay, Place};
use crate::engine::Engine;
use crate::refusal::Refusal;
use domain::access::Caller;
use domain::activation::{NumberRoute, Wanted};
use domain::catalogue::{Catalogue, Offer, Route, RouteKey};
use domain::markup::Payer;
use domain::policy::{self, Decision};
use domain::time::Timestamp;

impl Engine {
    /// The routes to try, best first, at least one; or which member is at fault.
    pub(super) fn choose(
        &self,
        caller: &Caller,
        request: &BuyNumber,
        (now, dice): (Timestamp, u64),
    ) -> Result<Vec<NumberWay>, Refusal> {
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
                    .route(&key, catalogue.payer(&caller.account))
                    .ok_or_else(absent)?;
                let offer = find_offer(&route, request, now)?;
                let mut ways = self.ways(caller, &catalogue, (&key, &route, &offer), now)?;
                if request
                    .max_price
                    .is_some_and(|most| most < ways[0].at.price)
                {
                    return Err(Refusal::PriceChanged(offer.price));
                }
                if ways.iter().any(|way| self.is_open(way)) {
                    ways.retain(|way| self.is_open(way));
                }
                ways.truncate(self.settings.routing.tries.max(1));
                Ok(ways)
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

    /// An offer at every upstream where this caller may buy it at its price, in the order of trying
    /// and at least one, or why there is none.
    pub(super) fn ways(
        &self,
        caller: &Caller,
        catalogue: &Catalogue,
        (key, route, offer): (&RouteKey, &Route<'_>, &Offer<'_>),
        now: Timestamp,
    ) -> Result<Vec<NumberWay>, Refusal> {
        let (mut ways, mut denied) = (Vec::new(), None);
        for offer in route.ways(offer) {
            match self.number_way(caller, catalogue, (key, route, &offer), now) {
                Ok(way) => ways.push(way),
                Err(refusal) => denied = denied.or(Some(refusal)),
            }
        }
        match denied {
            Some(refusal) if ways.is_empty() => Err(refusal),
            _ => Ok(ways),
        }
    }

    /// Whether a purchase may leave for it now, as far as is known.
    pub(super) fn is_open(&self, way: &NumberWay) -> bool {
        self.is_not_known_wrong(&way.at).is_ok() && self.closed(&way.at.upstream).is_none()
    }

    /// An offer as this caller may buy it, or why not.
    fn number_way(
        &self,
        caller: &Caller,
        catalogue: &Catalogue,
        (key, route, offer): (&RouteKey, &Route<'_>, &Offer<'_>),
        now: Timestamp,
    ) -> Result<NumberWay, Refusal> {
        let buyer = Buyer {
            account: caller.account.id,
            tier: caller.account.tier,
            suspended: caller.account.suspended,
        };
        let policy = self.decide(buyer, offer)?;
        let price = offer.price_at(now);
        if offer.loses_at(price) {
            return Err(Refusal::PriceChanged(offer.price));
        }
        let at = NumberRoute {
            wanted: Wanted {
                server: catalogue.servers[key.server].name.clone(),
                provider_type: key.provider_type,
                country_id: key.country_id.to_string(),
                country_key: route.country_key.to_string(),
                service_id: offer.service_id.to_string(),
                service_name: offer.service_name.to_string(),
                pool_id: offer.pool_id.map(|pool| pool.to_string()),
            },
            upstream: offer.upstream.to_string(),
            cost: offer.cost,
            price,
            policy: kept(&policy),
        };
        Ok(NumberWay { at, buyer })
    }

    /// Whether the way may be taken now: it is still sold there, to this buyer, and at a cost that
    /// its price covers. Takes over the cost and the decision of this moment.
    pub(super) fn recheck(&self, way: &mut NumberWay) -> Result<(), Refusal> {
        let (catalogue, wanted) = (self.catalogue(), &way.at.wanted);
        let gone = || Refusal::ProviderUnavailable(None);
        let key = RouteKey {
            server: catalogue.server(&wanted.server).ok_or_else(gone)?,
            provider_type: wanted.provider_type,
            country_id: wanted.country_id.as_str().into(),
        };
        let payer = Payer {
            tier: way.buyer.tier,
            account: Some(way.buyer.account),
        };
        let route = catalogue.route(&key, payer).ok_or_else(gone)?;
        let pool = wanted.pool_id.as_deref();
        let offer = route.offer_at(&way.at.upstream, &wanted.service_id, pool);
        let offer = offer.ok_or_else(gone)?;
        let policy = self.decide(way.buyer, &offer)?;
        if offer.loses_at(way.at.price) {
            return Err(Refusal::PriceChanged(offer.price));
        }
        (way.at.cost, way.at.policy) = (offer.cost, kept(&policy));
        self.is_not_known_wrong(&way.at)
    }

    /// Whether a route is not known to be wrong: it took far more than its quote, or said that it
    /// does not sell this.
    fn is_not_known_wrong(&self, route: &NumberRoute) -> Result<(), Refusal> {
        let (at, wanted) = (route.upstream.as_str(), &route.wanted);
        let dear = self.watch.is_dear(at, wanted, route.cost);
        let country = wanted.country_id.as_str();
        if dear || (self.health).is_not_sold(at, country, &wanted.service_id) {
            return Err(Refusal::ProviderUnavailable(None));
        }
        Ok(())
    }

    fn decide(&self, buyer: Buyer, offer: &Offer<'_>) -> Result<Decision, Refusal> {
        let tier = buyer.tier;
        let request = policy::OtpRequest {
            class: offer.class,
            tier,
            standing: self.standing(buyer.account, buyer.suspended),
        };
        let decision = policy::decide_otp(&self.known.now().rules, &request);
        if let Some(refusal) = Refusal::of_policy(&decision) {
            self.denials
                .note(&decision, (offer.service_name, tier), self.now());
            return Err(refusal);
        }
        Ok(decision)
    }
}

/// A decision as the order keeps it.
fn kept(decision: &Decision) -> (String, i64) {
    let rule = format!("{}/{}", decision.class, decision.rule_id);
    (rule, i64::from(decision.rule_version))
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
