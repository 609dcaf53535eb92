//! Background work for cancels and refills, of clients and of what is undone: each is sent once at a
//! time, under a lease, and followed until something has come of it.

use crate::engine::Engine;
use domain::change::Write;
use domain::mutant::lacks_rule;
use domain::overdue;
use domain::ports::AtPanels;
use domain::smm_order::{SmmOrder, SmmState};
use domain::smm_request::{RequestKind, RequestState, SmmRequest};
use domain::time::{Millis, Timestamp};
use domain::upstream::{CancelReply, PanelUpstream, Progress, ReadFailure, RefillReply};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Requests looked at in one pass; the rest is due in the next one.
const BATCH: u32 = 100;

impl Engine {
    /// Takes every due step of cancels and refills at a place. Gives how many were looked at.
    pub async fn run_due_smm_requests(&self, at: &AtPanels) -> usize {
        if self.clock_is_behind() {
            return 0;
        }
        let now = self.now();
        let due = match self.store().claim_smm_requests(at, now, BATCH).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(error = %error, "due cancels and refills could not be read");
                return 0;
            }
        };
        let count = due.len();
        let mut refills: BTreeMap<String, Vec<SmmRequest>> = BTreeMap::new();
        for request in due {
            match (request.state, request.kind) {
                (RequestState::Asked | RequestState::Sent, _) => self.send(request).await,
                (_, RequestKind::Cancel) => self.follow_cancel(request).await,
                (_, RequestKind::Refill) => refills
                    .entry(request.upstream.clone())
                    .or_default()
                    .push(request),
            }
        }
        for (upstream, requests) in refills {
            self.read_refills(&upstream, &requests).await;
        }
        count
    }

    /// Sends a request. One whose call may have been heard is sent again only after the order's
    /// status was read and still leaves something to ask for.
    async fn send(&self, request: SmmRequest) {
        let plan = self.smm_plan(&request.upstream);
        let order = match request.kind {
            RequestKind::Cancel => self.store().smm_order(request.order).await.ok().flatten(),
            RequestKind::Refill => None,
        };
        let now = self.now();
        if let Some(order) = order.as_ref().filter(|one| one.state == SmmState::Failed) {
            // undone, and over at the panel before it answered
            let over = request.follow_order(order, now, now);
            self.step("cancel_followed", vec![over]).await;
            return;
        }
        let undone = order.filter(|order| order.state == SmmState::Undo);
        let Some(panel) = self.panel(&request.upstream).cloned() else {
            let put_off = self.put_off_request(request, undone.as_ref(), plan.retry);
            self.step("request_waits", put_off).await;
            return;
        };
        let again = request.state == RequestState::Sent;
        let leased = request.sending(self.now() + plan.lease);
        let lease = Write::UpdateSmmRequest(Box::new(leased.clone()));
        if !self.step("request_leased", vec![lease]).await {
            return;
        }
        let leased = leased.stored();
        if again && !lacks_rule(54) {
            let now = self.now();
            let waits = match self.still_to_ask(&panel, &leased).await {
                Some(true) => Vec::new(),
                Some(false) => self.put_off_request(leased.clone(), undone.as_ref(), plan.retry),
                // it may not be asked now, which is no fault of the request
                None => vec![leased.clone().wait_until(now + plan.retry)],
            };
            if !waits.is_empty() {
                self.step("request_waits", waits).await;
                return;
            }
        }
        let writes = match leased.kind {
            RequestKind::Cancel => self.send_cancel(&panel, leased, undone.as_ref()).await,
            RequestKind::Refill => vec![self.send_refill(&panel, leased).await],
        };
        self.step("request_answered", writes).await;
    }

    /// Nothing to go by: again after a pause. A client's request counts as refused after many tries;
    /// what is undone costs the house, so its cancel is asked for until the panel answers, and a
    /// person is told when that takes too long.
    fn put_off_request(
        &self,
        request: SmmRequest,
        undone: Option<&SmmOrder>,
        pause: Millis,
    ) -> Vec<Write> {
        let now = self.now();
        let Some(order) = undone else {
            return vec![request.try_again(pause, now)];
        };
        if lacks_rule(56) {
            return vec![request.refused()];
        }
        let late = overdue::of_smm_order(order).is_some_and(|deadline| deadline < now);
        let ticket = self.overdue_smm_order(order, "is to be cancelled", late);
        let ticket = ticket.map(|one| Write::OpenTicket(Box::new(one)));
        let again = request.keep_trying(pause, now);
        [again].into_iter().chain(ticket).collect()
    }

    /// Whether the panel's own word on the order leaves something to ask for: a cancel wants an
    /// order that goes on, a refill one that is done. Nothing where the panel may not be asked now.
    async fn still_to_ask(
        &self,
        panel: &Arc<dyn PanelUpstream>,
        request: &SmmRequest,
    ) -> Option<bool> {
        let id = &request.upstream_order;
        let told = self
            .panel_statuses(&request.upstream, panel.as_ref(), std::slice::from_ref(id))
            .await;
        told.asked_at(id)?;
        let Some(Ok(status)) = told.row(id) else {
            return Some(false);
        };
        Some(match request.kind {
            RequestKind::Cancel => !status.progress.is_some_and(Progress::is_final),
            RequestKind::Refill => status.progress == Some(Progress::Completed),
        })
    }

    async fn send_cancel(
        &self,
        panel: &Arc<dyn PanelUpstream>,
        request: SmmRequest,
        undone: Option<&SmmOrder>,
    ) -> Vec<Write> {
        if !panel.capabilities().cancel {
            return vec![request.refused()];
        }
        let plan = self.smm_plan(&request.upstream);
        let reply = panel.cancel(&request.upstream_order).await;
        tracing::info!(
            order.id = request.order.0,
            upstream = request.upstream,
            reply = reply.raw,
            "cancel of order {} asked: {:?}",
            request.order,
            reply.outcome
        );
        let now = self.now();
        match reply.outcome {
            CancelReply::Cancelled => {
                let due_at = now + plan.poll_pause(Millis(0));
                // the outcome shows in the order's status, which may not be due for long
                let order = request.order;
                let look = Write::PostponeSmmOrder { order, due_at };
                vec![request.taken(None, due_at), look]
            }
            CancelReply::BadTransition | CancelReply::UnknownOrder => vec![request.refused()],
            CancelReply::TooEarly(left) => {
                self.put_off_request(request, undone, left.unwrap_or(plan.retry))
            }
            CancelReply::Unknown => self.put_off_request(request, undone, plan.retry),
        }
    }

    async fn send_refill(&self, panel: &Arc<dyn PanelUpstream>, request: SmmRequest) -> Write {
        let plan = self.smm_plan(&request.upstream);
        let reply = panel.refill(&request.upstream_order).await;
        tracing::info!(
            order.id = request.order.0,
            upstream = request.upstream,
            reply = reply.raw,
            "refill of order {} asked: {:?}",
            request.order,
            reply.outcome
        );
        let now = self.now();
        match reply.outcome {
            RefillReply::Taken(id) => request.taken(Some(id), now + plan.poll_pause(Millis(0))),
            RefillReply::Refused => request.refused(),
            RefillReply::Unknown => request.try_again(plan.retry, now),
        }
    }

    /// A cancel that was taken is answered by the order's own state, which its sync keeps.
    async fn follow_cancel(&self, request: SmmRequest) {
        let now = self.now();
        let order = match self.store().smm_order(request.order).await {
            Ok(Some(order)) => order,
            Ok(None) | Err(_) => return,
        };
        let next = self.next_look(&request, now);
        self.step(
            "cancel_followed",
            vec![request.follow_order(&order, next, now)],
        )
        .await;
    }

    async fn read_refills(&self, upstream: &str, requests: &[SmmRequest]) {
        let Some(panel) = self.panel(upstream).cloned() else {
            let (now, plan) = (self.now(), self.smm_plan(upstream));
            for request in requests {
                let write = request.clone().try_again(plan.retry, now);
                self.step("request_waits", vec![write]).await;
            }
            return;
        };
        let ids = requests.iter().filter_map(|one| one.upstream_id.clone());
        let ids: Vec<String> = ids.collect();
        let told = self.panel_refills(upstream, panel.as_ref(), &ids).await;
        let (now, plan) = (self.now(), self.smm_plan(upstream));
        for request in requests {
            let id = request.upstream_id.clone().unwrap_or_default();
            if told.asked_at(&id).is_none() {
                // it stays due
                continue;
            }
            let next = self.next_look(request, now);
            let request = request.clone();
            let write = match told.row(&id) {
                Some(Ok(progress)) => request.refill_seen(*progress, next, now),
                Some(Err(ReadFailure::UnknownOrder)) => request.try_again(plan.retry, now),
                Some(Err(_)) | None => request.wait_until(next),
            };
            self.step("refill_followed", vec![write]).await;
        }
    }

    fn next_look(&self, request: &SmmRequest, now: Timestamp) -> Timestamp {
        now + self
            .smm_plan(&request.upstream)
            .poll_pause(now - request.created_at)
    }
}
