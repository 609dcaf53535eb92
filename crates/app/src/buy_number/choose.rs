//! Finding the offer behind a purchase, or the member at fault.

use super::BuyNumber;
use crate::engine::Engine;
use crate::refusal::Refusal;
use domain::access::Caller;
use domain::activation::{NumberRoute, Wanted};
use domain::catalogue::{Offer, Route, RouteKey};
use domain::policy::{self, Decision};
use domain::time::Timestamp;

impl Engine {
    /// Finds the offer, or says which member is at fault.
    pub(super) fn choose(
        &self,
        caller: &Caller,
        request: &BuyNumber,
        now: Timestamp,
    ) -> Result<NumberRoute, Refusal> {
        let catalogue = self.catalogue();
        let name = request
            .server
            .as_deref()
            .unwrap_or(&self.settings.default_server);
        let index = catalogue
            .server(name)
            .ok_or_else(|| Refusal::UnknownServer(name.to_owned()))?;
        let server = &catalogue.servers[index];
        let provider_type = match request.provider_type {
            None => i64::from(server.is_typed()),
            Some(given)
                if server
                    .routes
                    .iter()
                    .any(|route| route.provider_type == given) =>
            {
                given
            }
            Some(_) => return Err(Refusal::InvalidProviderType),
        };
        if !server.enabled {
            return Err(Refusal::ServerOff);
        }
        let key = RouteKey {
            server: index,
            provider_type,
            country_id: request.country_id.as_str().into(),
        };
        let absent = || match catalogue.is_read(index, provider_type) {
            true => Refusal::ServiceNotFound,
            false => Refusal::ServerOff,
        };
        let route = catalogue
            .route(&key, caller.account.tier)
            .ok_or_else(absent)?;
        if request.pool_id.is_some() && !route.has_pools() {
            return Err(Refusal::InvalidPool);
        }
        let offer = find_offer(&route, request, now)?;
        let policy = self.decide(caller, &offer)?;
        let price = offer.price_at(now);
        if request.max_price.is_some_and(|most| most < price) || offer.loses_at(price) {
            return Err(Refusal::PriceChanged(offer.price));
        }
        Ok(NumberRoute {
            wanted: Wanted {
                server: name.to_owned(),
                provider_type,
                country_id: request.country_id.clone(),
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
    match route.offer(&request.service_id, request.pool_id.as_deref(), now) {
        Some(offer) => Ok(offer),
        None if route.sells(&request.service_id) => Err(Refusal::InvalidPool),
        None => Err(Refusal::ServiceNotFound),
    }
}
