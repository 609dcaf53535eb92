//! Cancels and refills of SMM orders: what a client may ask for, stored before anything is sent.

use crate::engine::Engine;
use crate::idempotency::{Found, KeyedRequest};
use crate::refusal::{Answer, Refusal};
use domain::access::Caller;
use domain::change::{CommitError, Refused, Write};
use domain::ids::OrderId;
use domain::smm_order::SmmOrder;
use domain::smm_request::{self, NotNow, RequestKind, SmmRequest};

/// A refill as its client first hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefillAsked {
    /// Its id.
    pub id: i64,
    /// Its order.
    pub order: OrderId,
}

impl Engine {
    /// Asks for a cancel of a running order. That it is asked for is all that is known: what comes
    /// of it shows in the order's status, and only that moves money.
    pub async fn cancel_order(
        &self,
        caller: &Caller,
        order: OrderId,
        key: Option<KeyedRequest>,
    ) -> Answer<()> {
        match self.known_request(caller, key.as_ref()).await {
            Err(refusal) => return Answer::first(Err(refusal)),
            Ok(Some(_)) => return Answer::again(Ok(())),
            Ok(None) => {}
        }
        let asked = self.ask_cancel_of(caller, order, key.as_ref()).await;
        Answer::first(asked)
    }

    async fn ask_cancel_of(
        &self,
        caller: &Caller,
        order: OrderId,
        key: Option<&KeyedRequest>,
    ) -> Result<(), Refusal> {
        let order = self.order_status(caller, order).await?;
        smm_request::may_cancel(&order).map_err(|not_now| refusal(RequestKind::Cancel, not_now))?;
        if !self.offers(&order, RequestKind::Cancel)? {
            return Err(Refusal::CancelNotOffered);
        }
        let request = self.new_request(&order, RequestKind::Cancel)?;
        match self.ask(caller, request.clone(), key).await {
            // asked for before: the same answer, under the new key too
            Err(CommitError::Refused(Refused::RequestOpen)) => {
                let open = self.open_request(&order, RequestKind::Cancel).await?;
                let claim = key.zip(open).map(|(key, open)| {
                    key.claim_for_request(caller, open, self.now(), &self.settings)
                });
                self.step(
                    "claim_cancel",
                    claim.map(Write::Claim).into_iter().collect(),
                )
                .await;
                Ok(())
            }
            outcome => outcome.map_err(not_stored),
        }
    }

    /// Asks for a refill of a completed order.
    pub async fn refill(
        &self,
        caller: &Caller,
        order: OrderId,
        key: Option<KeyedRequest>,
    ) -> Answer<RefillAsked> {
        match self.known_request(caller, key.as_ref()).await {
            Err(refusal) => return Answer::first(Err(refusal)),
            Ok(Some(id)) => return Answer::again(Ok(RefillAsked { id, order })),
            Ok(None) => {}
        }
        Answer::first(self.ask_refill_of(caller, order, key.as_ref()).await)
    }

    async fn ask_refill_of(
        &self,
        caller: &Caller,
        order: OrderId,
        key: Option<&KeyedRequest>,
    ) -> Result<RefillAsked, Refusal> {
        let order = self.order_status(caller, order).await?;
        if !self.offers(&order, RequestKind::Refill)? {
            return Err(Refusal::RefillNotOffered);
        }
        let earlier = self.store().smm_requests(order.id).await?;
        let window = self.smm_plan(&order.upstream).refill_window;
        smm_request::may_refill(&order, &earlier, window, self.now())
            .map_err(|not_now| refusal(RequestKind::Refill, not_now))?;
        let request = self.new_request(&order, RequestKind::Refill)?;
        let id = request.id;
        match self.ask(caller, request, key).await {
            Ok(()) => Ok(RefillAsked {
                id,
                order: order.id,
            }),
            Err(CommitError::Refused(Refused::RequestOpen)) => Err(Refusal::RefillOpen),
            Err(error) => Err(not_stored(error)),
        }
    }

    /// One of the caller's refills.
    pub async fn refill_status(&self, caller: &Caller, id: i64) -> Result<SmmRequest, Refusal> {
        let found = self.store().smm_request(id).await?;
        found
            .filter(|one| one.account == caller.account.id && one.kind == RequestKind::Refill)
            .ok_or(Refusal::RefillNotFound)
    }

    /// The request that stands under a key already.
    async fn known_request(
        &self,
        caller: &Caller,
        key: Option<&KeyedRequest>,
    ) -> Result<Option<i64>, Refusal> {
        let Some(key) = key else { return Ok(None) };
        Ok(match self.find_claim(caller, key).await? {
            Some(Found::Request(id)) => Some(id),
            Some(Found::Order(_) | Found::InsufficientFunds) | None => None,
        })
    }

    fn new_request(&self, order: &SmmOrder, kind: RequestKind) -> Result<SmmRequest, Refusal> {
        let id = self.outside.store.next_row_id();
        SmmRequest::of(order, kind, id, self.now()).ok_or(Refusal::OrderPending)
    }

    async fn ask(
        &self,
        caller: &Caller,
        request: SmmRequest,
        key: Option<&KeyedRequest>,
    ) -> Result<(), CommitError> {
        let claim =
            key.map(|key| key.claim_for_request(caller, request.id, self.now(), &self.settings));
        let mut writes: Vec<Write> = claim.map(Write::Claim).into_iter().collect();
        writes.push(Write::InsertSmmRequest(Box::new(request)));
        self.commit("smm_request", writes).await
    }

    async fn open_request(
        &self,
        order: &SmmOrder,
        kind: RequestKind,
    ) -> Result<Option<i64>, Refusal> {
        let requests = self.store().smm_requests(order.id).await?;
        let open = requests
            .iter()
            .find(|one| one.kind == kind && one.state.is_open());
        Ok(open.map(|one| one.id))
    }

    /// For how long after its end an order can be refilled, where the panel says so.
    pub fn refill_window(&self, order: &SmmOrder) -> Option<domain::time::Millis> {
        self.smm_plan(&order.upstream).refill_window
    }

    /// Whether the panel's service behind the order offers such a request. Of one that is no longer
    /// sold the panel has the last word.
    pub fn offers(&self, order: &SmmOrder, kind: RequestKind) -> Result<bool, Refusal> {
        let catalogue = self.catalogue();
        let service = catalogue.smm_source(&order.upstream, &order.upstream_service);
        if service.is_none() && !catalogue.is_smm_read() {
            return Err(Refusal::ServerOff);
        }
        let panel = self.panel(&order.upstream);
        let cancels = panel.is_none_or(|panel| panel.capabilities().cancel);
        Ok(match kind {
            RequestKind::Cancel => cancels && service.is_none_or(|service| service.cancel),
            RequestKind::Refill => service.is_none_or(|service| service.refill),
        })
    }
}

fn refusal(kind: RequestKind, not_now: NotNow) -> Refusal {
    match (not_now, kind) {
        (NotNow::OrderPending, _) => Refusal::OrderPending,
        (NotNow::OrderFinal, _) => Refusal::OrderFinal,
        (NotNow::NotOffered, RequestKind::Cancel) => Refusal::CancelNotOffered,
        (NotNow::NotOffered, RequestKind::Refill) => Refusal::RefillNotOffered,
        (NotNow::NotDue(left), _) => Refusal::RefillNotDue(left),
        (NotNow::Open, _) => Refusal::RefillOpen,
    }
}

fn not_stored(error: CommitError) -> Refusal {
    match error {
        CommitError::Refused(Refused::KeyTaken) => Refusal::IdempotencyInProgress,
        _ => Refusal::StorageUnavailable,
    }
}
