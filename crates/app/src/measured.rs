//! Success rates as we measured them: the last outcomes of each route and service, in memory.

use crate::engine::Engine;
use domain::activation::{Activation, ActivationState, Wanted};
use std::collections::{HashMap, VecDeque};
use std::sync::{PoisonError, RwLock};

/// Outcomes kept for each route and service.
const LAST: usize = 100;

/// Outcomes below which a rate says nothing.
const FEWEST: usize = 5;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    server: String,
    provider_type: i64,
    country_id: String,
    service_id: String,
    pool_id: Option<String>,
}

impl From<&Wanted> for Place {
    fn from(wanted: &Wanted) -> Self {
        Self {
            server: wanted.server.clone(),
            provider_type: wanted.provider_type,
            country_id: wanted.country_id.clone(),
            service_id: wanted.service_id.clone(),
            pool_id: wanted.pool_id.clone(),
        }
    }
}

/// The last outcomes by route and service: true where a code came.
#[derive(Debug, Default)]
pub(crate) struct Measured(RwLock<HashMap<Place, VecDeque<bool>>>);

impl Measured {
    /// Takes an outcome into account. Orders that never showed a number say nothing of the route.
    pub fn note(&self, activation: &Activation) {
        if activation.disclosed_at.is_none() {
            return;
        }
        let delivered = activation.state == ActivationState::Received;
        let mut places = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let outcomes = places.entry(Place::from(&activation.wanted)).or_default();
        outcomes.push_back(delivered);
        if outcomes.len() > LAST {
            outcomes.pop_front();
        }
    }

    /// Percent of the last outcomes with a code; nothing while there are too few.
    pub fn rate(&self, wanted: &Wanted) -> Option<u8> {
        let places = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let outcomes = places
            .get(&Place::from(wanted))
            .filter(|known| known.len() >= FEWEST)?;
        let delivered = outcomes.iter().filter(|delivered| **delivered).count();
        u8::try_from(delivered * 100 / outcomes.len()).ok()
    }
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
