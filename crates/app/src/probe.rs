//! Trying an upstream out, step by step, without buying anything.

use crate::engine::Engine;
use domain::time::Millis;
use domain::upstream::{NumberUpstream, PanelUpstream, Pending, ReadFailure};
use std::sync::Arc;

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

/// What is tried out.
pub enum Adapter {
    /// A seller of numbers.
    Numbers(Arc<dyn NumberUpstream>),
    /// An SMM panel.
    Panel(Arc<dyn PanelUpstream>),
}

impl Engine {
    /// Reads balance, listing and active orders of an upstream; nothing for an unknown name.
    pub async fn probe(&self, upstream: &str) -> Option<Vec<Step>> {
        let numbers = self
            .number_upstream(upstream)
            .cloned()
            .map(Adapter::Numbers);
        let tried = match numbers {
            Some(numbers) => numbers,
            None => Adapter::Panel(self.panel(upstream).cloned()?),
        };
        Some(self.probed(&tried).await)
    }

    /// The same of what may not be in the settings.
    pub(crate) async fn probed(&self, tried: &Adapter) -> Vec<Step> {
        let usd = |usd| format!("{usd} USD");
        match tried {
            Adapter::Numbers(numbers) => {
                let balance = self.tried("balance", numbers.balance(), usd);
                let listing = self.tried("listing", numbers.listing(), |listing| {
                    let (countries, services) = (listing.countries.len(), listing.services.len());
                    let offers = listing.offers.len();
                    format!("{offers} offers, {services} services, {countries} countries")
                });
                let active = self.tried("active orders", numbers.active(), |list| {
                    list.len().to_string()
                });
                vec![balance.await, listing.await, active.await]
            }
            Adapter::Panel(panel) => {
                let balance = self.tried("balance", panel.balance(), usd);
                let listing = self.tried("listing", panel.services(), |services| {
                    format!("{} services", services.len())
                });
                let orders = self.tried("orders", panel.orders(), |list| list.len().to_string());
                vec![balance.await, listing.await, orders.await]
            }
        }
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
