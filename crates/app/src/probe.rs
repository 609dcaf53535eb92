//! Trying an upstream out, step by step, without buying anything.

use crate::engine::Engine;
use domain::time::Millis;
use domain::upstream::{Pending, ReadFailure};

/// One step of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was tried.
    pub name: &'static str,
    /// How long it took.
    pub took: Millis,
    /// What came of it; an upstream that does not offer a call is no failure.
    pub outcome: Result<String, ReadFailure>,
}

impl Engine {
    /// Reads balance, listing and active orders of an upstream; nothing for an unknown name.
    pub async fn probe(&self, upstream: &str) -> Option<Vec<Step>> {
        if let Some(numbers) = self.number_upstream(upstream) {
            let balance = self.tried("balance", numbers.balance(), |usd| format!("{usd} USD"));
            let listing = self.tried("listing", numbers.listing(), |listing| {
                let (countries, services) = (listing.countries.len(), listing.services.len());
                let offers = listing.offers.len();
                format!("{offers} offers, {services} services, {countries} countries")
            });
            let active = self.tried("active orders", numbers.active(), |list| {
                list.len().to_string()
            });
            return Some(vec![balance.await, listing.await, active.await]);
        }
        let panel = self.panel(upstream)?;
        let balance = self.tried("balance", panel.balance(), |usd| format!("{usd} USD"));
        let listing = self.tried("listing", panel.services(), |services| {
            format!("{} services", services.len())
        });
        let orders = self.tried("orders", panel.orders(), |list| list.len().to_string());
        Some(vec![balance.await, listing.await, orders.await])
    }

    async fn tried<T>(
        &self,
        name: &'static str,
        call: Pending<'_, Result<T, ReadFailure>>,
        say: impl FnOnce(T) -> String,
    ) -> Step {
        let since = self.now();
        let outcome = match call.await {
            Ok(found) => Ok(say(found)),
            Err(ReadFailure::NotOffered) => Ok("not offered there".to_owned()),
            Err(failure) => Err(failure),
        };
        Step {
            name,
            took: self.now() - since,
            outcome,
        }
    }
}
