//! What is due: open top-ups are looked at where they are to be paid, events that wait are tried
//! again. No webhook that was lost loses money.

use super::TopUps;
use domain::change::Write;
use domain::ticket::TicketKind;
use domain::time::Timestamp;
use domain::top_up::{TopUp, TopUpState, TopUpWrite, Verdict};

/// Rows of each kind taken up in one pass.
const PASS: u32 = 50;

impl TopUps {
    /// Looks at what is due.
    pub async fn run_due(&self) {
        let now = self.engine.now();
        if let Ok(events) = self.rows.top_up_events_due(now, PASS).await {
            for event in events {
                self.try_again(event).await;
            }
        }
        if let Ok(rows) = self.rows.top_ups_due(now, PASS).await {
            for row in rows {
                self.look(row).await;
            }
        }
        if let Ok(rows) = self.rows.top_ups_to_clear(now, PASS).await {
            for row in rows {
                let clear = Write::TopUp(TopUpWrite::Clear(Box::new(row.cleared())));
                self.engine.step("clear_top_up", vec![clear]).await;
            }
        }
        self.tell_refunds(now).await;
    }

    /// One is claimed at a time: a processor that answers slowly must not outlast the claim on the others,
    /// which would let another node tell them too.
    async fn tell_refunds(&self, now: Timestamp) {
        let mut last = None;
        for _ in 0..PASS {
            let due = self.rows.refunds_due(now, 1).await.unwrap_or_default();
            let Some(refund) = due.into_iter().next() else {
                return;
            };
            let this = Some((refund.top_up, refund.seq));
            if last == this {
                return;
            }
            last = this;
            // what cannot be told now is due again later
            let _ = self.tell(refund).await;
        }
    }

    async fn look(&self, row: TopUp) {
        let read = match self.processor(row.processor) {
            Some(processor) => processor.read(&row).await,
            None => Ok(None),
        };
        let now = self.engine.now();
        let fact = match read {
            Ok(fact) => fact,
            Err(error) => {
                let processor = row.processor.slug();
                tracing::warn!(processor, top_up = row.id, "it could not be read: {error}");
                None
            }
        };
        let verdict = match &fact {
            Some(fact) => self.judge(&row, fact).await.unwrap_or(Verdict::Nothing),
            None => Verdict::Nothing,
        };
        let told = match &verdict {
            Verdict::Tell(why) => Some(self.ticket(TicketKind::TopUpMismatch, &row, row.id, why)),
            _ => None,
        };
        let (name, writes) = match (&fact, verdict) {
            // it stays as it is and is looked at again
            (Some(fact), verdict) if !matches!(verdict, Verdict::Nothing | Verdict::Tell(_)) => {
                let settled = self.follow(&row, fact, verdict, None);
                let credited = settled.credited.clone();
                let change = settled.alone();
                if self.engine.step(change.0, change.1).await
                    && let Some(row) = credited
                {
                    self.settle_parked(&row).await;
                }
                return;
            }
            _ if row.was_never_opened(now) => {
                let why = "no place to pay was ever opened";
                ("expire_top_up", row.closed(TopUpState::Expired, why))
            }
            _ => ("look_at_top_up", row.looked_at(now)),
        };
        let update = Write::TopUp(TopUpWrite::Update(Box::new(writes)));
        let writes = std::iter::once(update).chain(told).collect();
        self.engine.step(name, writes).await;
    }
}
