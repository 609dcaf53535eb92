//! What upstreams say of our money there: read again and again, the last word kept in memory for
//! whoever must not buy on an empty float, and compared with the books now and then.

use crate::engine::Engine;
use domain::balance::{Position, Reported, Suspects};
use domain::change::Write;
use domain::smm_order::SmmOrder;
use domain::ticket::Ticket;
use domain::time::Timestamp;
use domain::upstream::{ReadFailure, Refusal};
use domain::usd::Usd;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Points by which a rating falls before that is told.
const RATING_FALL: u32 = 5;

/// The last balance read at each upstream, and when; and the rating that was told last.
#[derive(Debug, Default)]
pub(crate) struct Balances(
    RwLock<HashMap<String, (Usd, Timestamp)>>,
    RwLock<HashMap<String, u32>>,
);

impl Balances {
    /// Whether a rating fell so far since it was told last that it is told again. One that rose is
    /// what the next fall is counted from.
    fn rating_fell(&self, upstream: &str, rating: u32) -> bool {
        let mut told = self.1.write().unwrap_or_else(PoisonError::into_inner);
        let before = told.entry(upstream.to_owned()).or_insert(rating);
        let fell = rating.saturating_add(RATING_FALL) <= *before;
        if fell || rating > *before {
            *before = rating;
        }
        fell
    }

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
        let since = self.now();
        let read = match (self.number_upstream(upstream), self.panel(upstream)) {
            (Some(numbers), _) => numbers.balance().await,
            (None, Some(panel)) => panel.balance().await,
            (None, None) => return None,
        };
        self.read_came_to(upstream, &read);
        match read {
            Ok(balance) => {
                self.balance_came_to(upstream, balance, since);
                self.balances.note(upstream, balance, self.now());
                self.rating_came(upstream);
                Some(balance)
            }
            Err(ReadFailure::NotOffered) => None,
            Err(ReadFailure::Refused(why @ Refusal::WrongCurrency)) => {
                self.account_is_unusable(upstream, &why);
                None
            }
            Err(error) => {
                tracing::warn!(upstream, %error, "our balance at {upstream} could not be read");
                None
            }
        }
    }

    /// A rating came with the balance: below some bound a provider serves the account no more.
    fn rating_came(&self, upstream: &str) {
        let rating = self.number_upstream(upstream).and_then(|one| one.rating());
        let Some(rating) = rating else {
            return;
        };
        let labels = [("upstream", upstream.to_owned())];
        metrics::gauge!("tollgate_upstream_rating", &labels).set(rating);
        if self.balances.rating_fell(upstream, rating) {
            tracing::warn!(
                upstream,
                rating,
                "our rating at {upstream} fell to {rating}: cancelled and expired numbers cost points"
            );
        }
    }

    /// Reads our balance at an upstream, and compares it with the books where that is due.
    pub async fn watch_balance(&self, upstream: &str) {
        let now = self.now();
        let books = format!("books of {upstream}");
        if !self.watch.poll_is_due(&books, now) {
            self.read_balance(upstream).await;
            return;
        }
        let Some(position) = self.position(upstream).await else {
            return;
        };
        let every = self.settings.reconcile_every;
        let due_at = position.last.as_ref().map_or(now, |last| last.at + every);
        if due_at > now {
            self.watch.poll_again_at(&books, due_at);
            self.read_balance(upstream).await;
            return;
        }
        let Some(balance) = self.read_balance(upstream).await else {
            return;
        };
        // what moved while the answer travelled may be in it or not: the next reading judges
        let unmoved = self.is_unmoved(upstream, &position).await;
        if unmoved && self.reconcile(upstream, &position, balance).await {
            self.watch.poll_again_at(&books, self.now() + every);
        }
    }

    /// Looks whether the balance shows that the one SMM order in doubt at a panel was placed. That
    /// names no id, so all that follows is a ticket: the hold stays until the window ends.
    pub(crate) async fn weigh_balance(&self, order: &SmmOrder) {
        let upstream = &order.upstream;
        let Some(position) = self.position(upstream).await else {
            return;
        };
        if position.in_doubt != order.cost_quote {
            return;
        }
        let Some(balance) = self.read_balance(upstream).await else {
            return;
        };
        let balance = self.reported(upstream, balance);
        let shown = position.shows_purchase(order.cost_quote, balance);
        if shown
            && self.is_unmoved(upstream, &position).await
            && self.nothing_else_took(order).await
        {
            let row = self.outside.store.next_row_id();
            let ticket = Ticket::placed_without_id(row, order, self.now());
            let open = vec![Write::OpenTicket(Box::new(ticket))];
            self.step("placed_without_id", open).await;
        }
    }

    /// Whether only this purchase can have moved the balance by its cost: it was in order when the
    /// order was made, and nothing else of ours may have taken as much since.
    async fn nothing_else_took(&self, order: &SmmOrder) -> bool {
        let upstream = &order.upstream;
        let settled = self.store().settled_before(upstream, order.created_at);
        let Ok(Some(since)) = settled.await else {
            return false;
        };
        let suspects = self.store().suspects(upstream, since).await;
        suspects.is_ok_and(|found| !found.may_have_taken(order.cost_quote))
    }

    async fn is_unmoved(&self, upstream: &str, before: &Position) -> bool {
        self.position(upstream).await.is_some_and(|after| {
            let journal_id = before.journal_id;
            let after = Position {
                journal_id,
                ..after
            };
            after == *before
        })
    }

    fn reported(&self, upstream: &str, amount: Usd) -> Reported {
        let step = self.settings.balance_steps.get(upstream).copied();
        Reported {
            amount,
            step: step.unwrap_or(Usd(1)),
        }
    }

    async fn position(&self, upstream: &str) -> Option<Position> {
        let position = self.store().position(upstream).await;
        position
            .inspect_err(|error| tracing::error!(upstream, %error, "the books could not be read"))
            .ok()
    }

    /// Puts a reading on record with what it books.
    async fn reconcile(&self, upstream: &str, position: &Position, balance: Usd) -> bool {
        let balance = self.reported(upstream, balance);
        let booked = position.to_book(balance);
        let mut suspects = Suspects::default();
        if booked != Usd::ZERO && position.last.is_some() {
            let since = position.clean_since();
            match self.store().suspects(upstream, since).await {
                Ok(found) => suspects = found,
                Err(_) => return false,
            }
        }
        let rows = (
            self.outside.store.next_row_id(),
            self.outside.store.next_row_id(),
        );
        let writes = position.read(upstream, balance, &suspects, rows, self.now());
        self.step("balance_read", writes).await
    }
}

#[cfg(test)]
mod tests {
    use super::Balances;

    #[test]
    fn a_rating_is_told_once_for_each_fall() {
        let balances = Balances::default();
        let fell = |rating| balances.rating_fell("john", rating);
        assert!(!fell(96) && !fell(92), "little by little");
        assert!(fell(91) && !fell(91) && !fell(90));
        assert!(!balances.rating_fell("other", 10), "each by itself");
        assert!(!fell(96) && fell(80));
    }
}
