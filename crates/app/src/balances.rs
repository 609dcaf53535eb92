//! What upstreams say of our money there: read again and again, the last word kept in memory for
//! whoever must not buy on an empty float.

use crate::engine::Engine;
use domain::time::Timestamp;
use domain::upstream::ReadFailure;
use domain::usd::Usd;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// The last balance read at each upstream, and when.
#[derive(Debug, Default)]
pub(crate) struct Balances(RwLock<HashMap<String, (Usd, Timestamp)>>);

impl Balances {
    fn note(&self, upstream: &str, balance: Usd, at: Timestamp) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(upstream.to_owned(), (balance, at));
    }

    fn last(&self, upstream: &str) -> Option<(Usd, Timestamp)> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(upstream).copied()
    }
}

impl Engine {
    /// Our balance at an upstream as it was last read by this process, in micro-dollars, and when;
    /// nothing before the first reading.
    pub fn upstream_balance(&self, upstream: &str) -> Option<(Usd, Timestamp)> {
        self.balances.last(upstream)
    }

    /// Asks an upstream for our balance there and remembers it. Nothing where it does not tell, or
    /// may not be asked again this minute.
    pub async fn read_balance(&self, upstream: &str) -> Option<Usd> {
        if !self.may_read(upstream) {
            return None;
        }
        let read = match (self.number_upstream(upstream), self.panel(upstream)) {
            (Some(numbers), _) => numbers.balance().await,
            (None, Some(panel)) => panel.balance().await,
            (None, None) => return None,
        };
        self.read_came_to(upstream, &read);
        match read {
            Ok(balance) => {
                self.balance_came_to(upstream, balance);
                self.balances.note(upstream, balance, self.now());
                Some(balance)
            }
            Err(ReadFailure::NotOffered) => None,
            Err(error) => {
                tracing::warn!(upstream, %error, "our balance at {upstream} could not be read");
                None
            }
        }
    }
}
