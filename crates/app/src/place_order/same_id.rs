//! A panel answers an order with the id of another one.

use crate::engine::Engine;
use domain::smm_order::SmmOrder;
use domain::time::Millis;

impl Engine {
    /// Whether the panel's habit explains it that an order was answered with the id of another one:
    /// within a window it answers an equal order with the one it made. A window that nobody told us of
    /// is remembered, and explains the next such answer.
    pub(crate) async fn explains_one_id(&self, order: &SmmOrder, id: &str) -> bool {
        let upstream = &order.upstream;
        let first = match self.store().linked_order(upstream, id).await {
            Ok(Some(first)) => self.store().smm_order(first).await.ok().flatten(),
            Ok(None) | Err(_) => None,
        };
        let equal = match &first {
            Some(first) => self.asked_for_the_same(first, order).await,
            None => false,
        };
        let Some(first) = first.filter(|_| equal) else {
            tracing::error!(
                order.id = order.id.0,
                upstream,
                upstream.id = id,
                "upstream {upstream} answered order {} with {id}, which is another order's",
                order.id
            );
            return false;
        };
        // whichever was begun first: its answer may have come later
        let apart = Millis((order.created_at - first.created_at).0.abs());
        let told = self
            .panel(upstream)
            .map(|panel| panel.capabilities().dup_window);
        let known = told
            .unwrap_or_default()
            .max(self.watch.dup_window(upstream));
        if apart <= known {
            return true;
        }
        self.watch.note_dup_window(upstream, apart);
        tracing::error!(
            order.id = order.id.0,
            upstream,
            "upstream {upstream} answers equal orders with one id for at least {} s: set its \
             duplicate_window_s",
            apart.ceil_seconds()
        );
        false
    }

    /// Whether the calls that made these orders asked for the same thing.
    async fn asked_for_the_same(&self, one: &SmmOrder, other: &SmmOrder) -> bool {
        let mut digests = Vec::new();
        for order in [one, other] {
            let attempts = self.store().attempts(order.id).await.unwrap_or_default();
            let mine = attempts.iter().find(|row| row.seq == order.attempt);
            digests.push(mine.and_then(|row| row.request_digest));
        }
        digests[0].is_some() && digests[0] == digests[1]
    }
}
