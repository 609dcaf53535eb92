//! What an upstream sold is stored, or given back, whatever the storage does meanwhile.

use super::Order;
use crate::engine::Engine;
use crate::refusal::Refusal;
use domain::change::{CommitError, Refused};
use domain::mutant::lacks_rule;
use domain::time::Millis;
use std::sync::Arc;

/// Pauses between tries to store what only this process knows, while the storage does not answer.
const AGAIN: [Millis; 7] = [
    Millis::seconds(1),
    Millis::seconds(2),
    Millis::seconds(4),
    Millis::seconds(8),
    Millis::seconds(16),
    Millis::seconds(32),
    Millis::seconds(64),
];

impl Engine {
    /// What was sold, stored: as told to a client that still waits.
    pub(super) async fn purchase_done<O: Order>(
        self: &Arc<Self>,
        order: O,
        sold: O::Sold,
        raw: String,
        client_gone: bool,
    ) -> Result<O, Refusal> {
        let writes = order.clone().sold(self, &sold, raw.clone(), client_gone);
        let bought = O::saved(&writes);
        match self.commit(O::NAMES.sold, writes).await {
            Ok(()) => return bought.ok_or(Refusal::OutcomeUnknown),
            Err(CommitError::Refused(Refused::Stale)) => {}
            Err(CommitError::Refused(guard)) => {
                return order.clashed(self, &sold, guard, &raw).await;
            }
            // what is there decides what the client is told
            Err(CommitError::Storage(_)) => {
                let stored = O::stored(self, order.id()).await;
                let told = stored.filter(|row| row.is_told() && row.is_linked_to(&sold));
                if let Some(told) = told {
                    return Ok(told);
                }
            }
        }
        self.hand_in(order, sold).await;
        Err(Refusal::OutcomeUnknown)
    }

    /// Offers what a call bought as evidence for its order, again and again while the storage does not
    /// answer: nobody else knows it, and no list may ever name it.
    async fn hand_in<O: Order>(self: &Arc<Self>, order: O, sold: O::Sold) {
        if order.offered(self, &sold).await || lacks_rule(62) {
            return;
        }
        tracing::error!(
            order.id = order.id().0,
            upstream = order.upstream(),
            upstream.id = O::sold_as(&sold),
            "{} was sold for order {}, and the storage does not take it: tried again",
            O::sold_as(&sold),
            order.id()
        );
        let engine = Arc::clone(self);
        self.outside.tasks.spawn(Box::pin(async move {
            // as long as a panel's order may be in doubt
            let pauses = AGAIN.into_iter().chain([AGAIN[6]; 12]);
            for pause in pauses {
                engine.outside.clock.sleep(pause).await;
                if order.offered(&engine, &sold).await {
                    return;
                }
            }
            tracing::error!(
                order.id = order.id().0,
                upstream = order.upstream(),
                upstream.id = O::sold_as(&sold),
                "{} was sold for order {} and could not be stored",
                O::sold_as(&sold),
                order.id()
            );
        }));
    }

    /// A purchase that was stored as told although its client went away before it was told. A
    /// client with a key can still ask for it; for one without, it is given back.
    pub(super) async fn take_back<O: Order>(&self, bought: O, keyed: bool) {
        if keyed || !bought.is_told() || lacks_rule(26) {
            return;
        }
        for pause in AGAIN {
            let writes = bought.clone().taken_back(self);
            match self.commit(O::NAMES.taken_back, writes).await {
                Err(CommitError::Storage(_)) => self.outside.clock.sleep(pause).await,
                Ok(()) | Err(CommitError::Refused(_)) => return,
            }
        }
    }
}
