//! What waits to be done, for whoever watches: rows whose time has come, and what only a person can
//! settle.

use crate::engine::Engine;
use domain::ports::StoreError;
use domain::time::Timestamp;

/// Rows that are counted at most.
const COUNTED_MAX: u32 = 1000;

/// Rows of one kind that a background task has to take up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Kind of its rows.
    pub name: &'static str,
    /// Rows whose time has come; more than a thousand are not counted.
    pub rows: usize,
    /// When the time of the oldest came.
    pub oldest: Option<Timestamp>,
}

/// Everything that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenWork {
    /// Rows by kind.
    pub queues: Vec<Queue>,
    /// Tickets nobody has closed; more than a thousand are not counted.
    pub tickets: usize,
}

impl Queue {
    fn of(name: &'static str, due: impl ExactSizeIterator<Item = Option<Timestamp>>) -> Self {
        Self {
            name,
            rows: due.len(),
            oldest: due.flatten().min(),
        }
    }
}

impl Engine {
    /// What waits to be done now.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn open_work(&self) -> Result<OpenWork, StoreError> {
        let (store, now) = (self.store(), self.now());
        let activations = store.activations_due(now, COUNTED_MAX).await?;
        let smm_orders = store.smm_orders_due(now, COUNTED_MAX).await?;
        let smm_requests = store.smm_requests_due(now, COUNTED_MAX).await?;
        let orphans = store.orphans_due(now, COUNTED_MAX).await?;
        let tickets = store.tickets(true, COUNTED_MAX).await?.len();
        let queues = vec![
            Queue::of("activations", activations.iter().map(|row| row.due_at)),
            Queue::of("smm_orders", smm_orders.iter().map(|row| row.due_at)),
            Queue::of("smm_requests", smm_requests.iter().map(|row| row.due_at)),
            Queue::of("orphans", orphans.iter().map(|row| row.due_at)),
        ];
        Ok(OpenWork { queues, tickets })
    }
}
