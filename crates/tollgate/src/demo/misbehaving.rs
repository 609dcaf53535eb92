//! The demo's pool as a provider would be: what its services that misbehave do besides what is written
//! to their numbers, which a pool of one's own would never do by itself.

use domain::ports::Clock;
use domain::time::Millis;
use domain::upstream::{
    CancelReply, Capabilities, ListedNumber, Number, NumberListing, NumberRequest, NumberStatus,
    NumberUpstream, Pending, Purchase, ReadFailure, Refusal, Reply,
};
use domain::usd::Usd;
use sandbox::Misbehaviour;
use std::sync::Arc;

/// How late a slow answer is.
const SLOW: Millis = Millis::seconds(5);
/// Age at which the pool cancels a rent by itself.
const CANCELLED_AT: Millis = Millis::seconds(6);

/// A pool that misbehaves where its services say so.
pub struct MisbehavingPool {
    pool: Arc<dyn NumberUpstream>,
    clock: Arc<dyn Clock>,
}

impl MisbehavingPool {
    /// Over a pool that does not.
    pub fn new(pool: Arc<dyn NumberUpstream>, clock: Arc<dyn Clock>) -> Self {
        Self { pool, clock }
    }

    async fn buy_now(&self, request: &NumberRequest) -> Reply<Purchase<Number>> {
        use Misbehaviour as M;
        let reply = |outcome, raw: &str| Reply {
            outcome,
            raw: raw.to_owned(),
        };
        let lost = || reply(Purchase::Unknown, "the connection was closed");
        match sandbox::pool_misbehaviour(&request.service) {
            Some(M::NoNumbers) => reply(Purchase::Refused(Refusal::NoStock), "nothing is free"),
            Some(M::LostBeforeSale) => lost(),
            Some(M::LostAfterSale) => {
                self.pool.buy(request).await;
                lost()
            }
            Some(M::Garbage) => reply(Purchase::Unknown, "<html>Something went wrong</html>"),
            Some(M::SlowAnswer) => {
                let sold = self.pool.buy(request).await;
                self.clock.sleep(SLOW).await;
                sold
            }
            _ => self.pool.buy(request).await,
        }
    }

    /// Takes back the rents that such a provider would have cancelled by now.
    async fn active_now(&self) -> Result<Vec<ListedNumber>, ReadFailure> {
        let mut listed = Vec::new();
        for row in self.pool.active().await? {
            match self.is_over(&row) {
                true => drop(self.pool.cancel(&row.id).await),
                false => listed.push(row),
            }
        }
        Ok(listed)
    }

    fn is_over(&self, row: &ListedNumber) -> bool {
        let played = sandbox::pool_misbehaviour(&row.service);
        let over = |begun_at| self.clock.now() - begun_at >= CANCELLED_AT;
        played == Some(Misbehaviour::CancelledUpstream) && row.created_at.is_some_and(over)
    }

    async fn status_now(&self, id: &str) -> Result<NumberStatus, ReadFailure> {
        self.active_now().await?;
        self.pool.status(id).await
    }
}

impl NumberUpstream for MisbehavingPool {
    fn capabilities(&self) -> &Capabilities {
        self.pool.capabilities()
    }

    fn buy<'a>(&'a self, request: &'a NumberRequest) -> Pending<'a, Reply<Purchase<Number>>> {
        Box::pin(self.buy_now(request))
    }

    fn status<'a>(&'a self, id: &'a str) -> Pending<'a, Result<NumberStatus, ReadFailure>> {
        Box::pin(self.status_now(id))
    }

    fn active(&self) -> Pending<'_, Result<Vec<ListedNumber>, ReadFailure>> {
        Box::pin(self.active_now())
    }

    fn cancel<'a>(&'a self, id: &'a str) -> Pending<'a, Reply<CancelReply>> {
        self.pool.cancel(id)
    }

    fn finish<'a>(&'a self, id: &'a str) -> Pending<'a, Result<(), ReadFailure>> {
        self.pool.finish(id)
    }

    fn balance(&self) -> Pending<'_, Result<Usd, ReadFailure>> {
        self.pool.balance()
    }

    fn listing(&self) -> Pending<'_, Result<NumberListing, ReadFailure>> {
        self.pool.listing()
    }
}
