//! Background work for cancels and refills: each is sent once at a time, under a lease, and
//! followed until something has come of it.

use crate::engine::Engine;
use domain::change::Write;
use domain::smm_request::{RequestKind, RequestState, SmmRequest};
use domain::time::{Millis, Timestamp};
use domain::upstream::{CancelReply, PanelUpstream, Progress, ReadFailure, RefillReply};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Requests looked at in one pass; the rest is due in the next one.
const BATCH: u32 = 1_000;

/// Ids in one status call, by the protocol.
const IDS_PER_CALL: usize = 100;

impl Engine {
    /// Takes every due step of cancels and refills. Gives how many were looked at.
    pub async fn run_due_smm_requests(&self) -> usize {
        if self.clock_is_behind() {
            return 0;
        }
        let now = self.now();
        let due = match self.store().claim_smm_requests(now, BATCH).await {
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
            for batch in requests.chunks(IDS_PER_CALL) {
                self.read_refills(&upstream, batch).await;
            }
        }
        count
    }

    /// Sends a request. One whose call may have been heard is sent again only after the order's
    /// status was read and still leaves something to ask for.
    async fn send(&self, request: SmmRequest) {
        let plan = self.smm_plan(&request.upstream);
        let Some(panel) = self.panel(&request.upstream).cloned() else {
            let write = request.try_again(plan.retry, self.now());
            self.step("request_waits", vec![write]).await;
            return;
        };
        let again = request.state == RequestState::Sent;
        if again && !self.may_read(&request.upstream) {
            // it stays due
            return;
        }
        let leased = request.sending(self.now() + plan.lease);
        let lease = Write::UpdateSmmRequest(Box::new(leased.clone()));
        if !self.step("request_leased", vec![lease]).await {
            return;
        }
        let leased = leased.stored();
        if again && !self.still_to_ask(&panel, &leased).await {
            let write = leased.try_again(plan.retry, self.now());
            self.step("request_waits", vec![write]).await;
            return;
        }
        let writes = match leased.kind {
            RequestKind::Cancel => self.send_cancel(&panel, leased).await,
            RequestKind::Refill => vec![self.send_refill(&panel, leased).await],
        };
        self.step("request_answered", writes).await;
    }

    /// Whether the panel's own word on the order leaves something to ask for: a cancel wants an
    /// order that goes on, a refill one that is done.
    async fn still_to_ask(&self, panel: &Arc<dyn PanelUpstream>, request: &SmmRequest) -> bool {
        let id = std::slice::from_ref(&request.upstream_order);
        let rows = panel.statuses(id).await.unwrap_or_default();
        let row = rows
            .into_iter()
            .find(|(order, _)| *order == request.upstream_order);
        let Some((_, Ok(status))) = row else {
            return false;
        };
        match request.kind {
            RequestKind::Cancel => !status.progress.is_some_and(Progress::is_final),
            RequestKind::Refill => status.progress == Some(Progress::Completed),
        }
    }

    async fn send_cancel(&self, panel: &Arc<dyn PanelUpstream>, request: SmmRequest) -> Vec<Write> {
        let (now, plan) = (self.now(), self.smm_plan(&request.upstream));
        let reply = panel.cancel(&request.upstream_order).await;
        tracing::info!(
            order.id = request.order.0,
            upstream = request.upstream,
            reply = reply.raw,
            "cancel of order {} asked: {:?}",
            request.order,
            reply.outcome
        );
        vec![match reply.outcome {
            CancelReply::Cancelled => {
                let due_at = now + plan.poll_pause(Millis(0));
                // the outcome shows in the order's status, which may not be due for long
                let order = request.order;
                let look = Write::PostponeSmmOrder { order, due_at };
                return vec![request.taken(None, due_at), look];
            }
            CancelReply::BadTransition | CancelReply::UnknownOrder => request.refused(),
            CancelReply::TooEarly(left) => request.try_again(left.unwrap_or(plan.retry), now),
            CancelReply::Unknown => request.try_again(plan.retry, now),
        }]
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
        let Some(panel) = self.panel(upstream).filter(|_| self.may_read(upstream)) else {
            // they stay due
            return;
        };
        let ids: Vec<String> = requests
            .iter()
            .filter_map(|request| request.upstream_id.clone())
            .collect();
        let rows = panel.refill_statuses(&ids).await.unwrap_or_else(|error| {
            tracing::warn!(upstream, %error, "refills could not be read");
            Vec::new()
        });
        let by_id: BTreeMap<&str, _> = rows.iter().map(|(id, row)| (id.as_str(), row)).collect();
        let (now, plan) = (self.now(), self.smm_plan(upstream));
        for request in requests {
            let row = request.upstream_id.as_deref().and_then(|id| by_id.get(id));
            let next = self.next_look(request, now);
            let request = request.clone();
            let write = match row {
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
