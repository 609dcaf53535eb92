//! Background work for SMM orders: due steps, status batches, purchases in doubt.

use crate::engine::Engine;
use crate::purchase::Order;
use domain::attempt::AttemptState;
use domain::mutant::lacks_rule;
use domain::orphan::{Orphan, OrphanState};
use domain::smm_order::{SmmOrder, SmmState};
use domain::time::{Millis, Timestamp};
use domain::upstream::{ListedPanelOrder, PanelUpstream, Progress, ReadFailure};
use domain::usd::Usd;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Orders looked at in one pass; the rest is due in the next one.
const BATCH: u32 = 1_000;

/// Ids in one status call, by the protocol.
const IDS_PER_CALL: usize = 100;

/// How often a panel that lists its orders is looked through for orders that nobody made here.
const SWEEP: Millis = Millis::seconds(60);

/// Clocks of a panel and of this machine may differ by this much.
const SKEW: Millis = Millis::minutes(2);

impl Engine {
    /// Takes every due step of SMM orders. Gives how many orders were looked at.
    pub async fn run_due_smm_orders(&self) -> usize {
        if self.clock_is_behind() {
            return 0;
        }
        let now = self.now();
        let due = match self.store().claim_smm_orders(now, BATCH).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(error = %error, "due SMM orders could not be read");
                return 0;
            }
        };
        let count = due.len();
        let mut polled: BTreeMap<String, Vec<SmmOrder>> = BTreeMap::new();
        let mut in_doubt: BTreeMap<String, Vec<SmmOrder>> = BTreeMap::new();
        for order in due {
            match order.state {
                SmmState::Calling => {
                    self.step("in_doubt", order.doubted(self, "lease_over"))
                        .await;
                }
                SmmState::InDoubt => in_doubt
                    .entry(order.upstream.clone())
                    .or_default()
                    .push(order),
                SmmState::Undo if order.tries == 0 => self.undo_order(order).await,
                _ => polled
                    .entry(order.upstream.clone())
                    .or_default()
                    .push(order),
            }
        }
        for (upstream, orders) in polled {
            for batch in orders.chunks(IDS_PER_CALL) {
                self.read_statuses(&upstream, batch).await;
            }
        }
        for (upstream, orders) in in_doubt {
            self.settle_orders(&upstream, orders).await;
        }
        self.count_doubt().await;
        self.sweep_panels(now).await;
        count
    }

    /// Panels with purchases in doubt, counted anew: the last one settled opens them again, whoever
    /// settled it.
    async fn count_doubt(&self) {
        for (name, _) in &self.outside.panels {
            if self.watch.in_doubt(name).count > 0
                && let Ok(all) = self.store().smm_orders_in_doubt(name).await
            {
                self.note_doubt(name, all.iter().map(|one| one.in_doubt_until));
            }
        }
    }

    /// Looks for orders at panels that belong to no order of ours: made twice, or placed after
    /// their window had ended. The house pays them, so they go into its books.
    async fn sweep_panels(&self, now: Timestamp) {
        for (name, panel) in &self.outside.panels {
            let sweep = format!("sweep of {name}");
            let due = panel.capabilities().list_active && self.watch.poll_is_due(&sweep, now);
            if !due || !self.may_read(name) {
                continue;
            }
            self.watch.poll_again_at(&sweep, now + SWEEP);
            if !self.has_turn(&sweep, SWEEP).await {
                continue;
            }
            let Ok(Some(first)) = self.store().first_attempt_at(name).await else {
                continue;
            };
            if let Ok(listed) = panel.orders().await {
                self.adopt_panel_orphans(name, &listed, first, now).await;
            }
        }
    }

    async fn adopt_panel_orphans(
        &self,
        name: &str,
        listed: &[ListedPanelOrder],
        first: Timestamp,
        now: Timestamp,
    ) {
        let ids: Vec<String> = listed.iter().map(|row| row.id.clone()).collect();
        let Ok(linked) = self.store().linked(name, &ids).await else {
            return;
        };
        let Ok(in_doubt) = self.store().smm_orders_in_doubt(name).await else {
            return;
        };
        let ours = |row: &&ListedPanelOrder| {
            let age_known = row.created_at.is_some_and(|at| at >= first - SKEW);
            age_known && !linked.contains(&row.id)
        };
        let strangers: Vec<_> = listed.iter().filter(ours).collect();
        let ids: Vec<&str> = strangers.iter().map(|row| row.id.as_str()).collect();
        let sightings = self.watch.strangers(name, &ids, SKEW, (now, now));
        for (row, seen) in strangers.into_iter().zip(sightings) {
            let wanted = in_doubt.iter().any(|order| is_candidate(order, row));
            if wanted || now - seen.since < self.settings.orphan_after || lacks_rule(7) {
                continue;
            }
            tracing::error!(
                upstream = name,
                upstream.id = row.id,
                "panel {name} lists order {} without an order of ours",
                row.id
            );
            let orphan = Orphan {
                id: self.outside.store.next_row_id(),
                version: 0,
                upstream: name.to_owned(),
                upstream_id: row.id.clone(),
                state: OrphanState::Open,
                cost: row.charge.unwrap_or(Usd::ZERO),
                found_at: now,
                due_at: Some(now),
                tries: 0,
            };
            let ticket = self.outside.store.next_row_id();
            self.step("orphan_found", orphan.found(ticket)).await;
        }
    }

    /// An order at a panel that is nobody's: a cancel is asked once, then its final status says
    /// what the house has lost.
    pub(crate) async fn settle_panel_orphan(&self, orphan: Orphan, pause: Millis) {
        let Some(panel) = self.panel(&orphan.upstream).cloned() else {
            return;
        };
        let id = orphan.upstream_id.clone();
        if orphan.tries == 0 && panel.capabilities().cancel {
            let reply = panel.cancel(&id).await;
            tracing::info!(upstream = orphan.upstream, reply = ?reply.outcome, "orphan: cancel asked");
        }
        let rows = panel
            .statuses(std::slice::from_ref(&id))
            .await
            .unwrap_or_default();
        let status = rows
            .into_iter()
            .find(|(of, _)| *of == id)
            .and_then(|(_, row)| row.ok());
        let now = self.now();
        let ended = status.filter(|status| status.progress.is_some_and(Progress::is_final));
        let writes = match ended.filter(|_| orphan.tries > 0) {
            Some(status) => {
                let kept = status.charge.unwrap_or(orphan.cost);
                orphan.settled(kept)
            }
            None => orphan.try_again(pause, now),
        };
        self.step("orphan", writes).await;
    }

    async fn read_statuses(&self, upstream: &str, orders: &[SmmOrder]) {
        if !self.may_read(upstream) {
            // they stay due
            return;
        }
        let now = self.now();
        let plan = self.smm_plan(upstream);
        let ids: Vec<String> = orders
            .iter()
            .filter_map(|order| order.upstream_id.clone())
            .collect();
        let rows = match self.panel(upstream) {
            Some(panel) => panel.statuses(&ids).await,
            None => Err(ReadFailure::Fault(
                "this panel is no longer configured".into(),
            )),
        };
        let rows = rows.unwrap_or_else(|error| {
            tracing::warn!(upstream, %error, "statuses could not be read");
            Vec::new()
        });
        let by_id: BTreeMap<&str, _> = rows.iter().map(|(id, row)| (id.as_str(), row)).collect();
        for order in orders {
            let row = order.upstream_id.as_deref().and_then(|id| by_id.get(id));
            let order = self.seen_by_this_clock(order.clone());
            let ticket = self.outside.store.next_row_id();
            let (name, writes) = match row {
                Some(Ok(status)) => {
                    if status.progress.is_none() {
                        let labels = [("upstream", upstream.to_owned())];
                        metrics::counter!("tollgate_unknown_statuses_total", &labels).increment(1);
                        tracing::warn!(
                            order.id = order.id.0,
                            upstream,
                            status = status.raw_status,
                            "upstream {upstream} used an unknown status word"
                        );
                    }
                    ("smm_status", order.observed(status, &plan, ticket, now))
                }
                Some(Err(ReadFailure::UnknownOrder)) => {
                    let writes = order.unknown_upstream(&plan, ticket, now);
                    ("smm_unknown_upstream", writes)
                }
                Some(Err(_)) | None => ("smm_status_missing", order.try_again(&plan, now)),
            };
            self.step(name, writes).await;
        }
    }

    /// A final word counts as seen since this process watches at the earliest: the machine's clock
    /// may have jumped between the two times it has to be seen at.
    fn seen_by_this_clock(&self, mut order: SmmOrder) -> SmmOrder {
        if let Some(candidate) = &mut order.candidate {
            candidate.since = candidate.since.max(self.watching_since());
        }
        order
    }

    /// Placed although the client was told "failed": a cancel is asked once, then the status says
    /// what the house has lost.
    async fn undo_order(&self, order: SmmOrder) {
        let (now, plan) = (self.now(), self.smm_plan(&order.upstream));
        if let (Some(panel), Some(id)) = (self.panel(&order.upstream), order.upstream_id.as_deref())
            && panel.capabilities().cancel
        {
            let reply = panel.cancel(id).await;
            tracing::info!(order.id = order.id.0, reply = ?reply.outcome, "undo: cancel asked");
        }
        self.step("smm_undo", order.try_again(&plan, now)).await;
    }

    async fn settle_orders(&self, upstream: &str, orders: Vec<SmmOrder>) {
        let Some(panel) = self.panel(upstream).cloned() else {
            for order in orders {
                let plan = self.smm_plan(upstream);
                self.step("smm_waits", order.try_again(&plan, self.now()))
                    .await;
            }
            return;
        };
        let all = self
            .store()
            .smm_orders_in_doubt(upstream)
            .await
            .unwrap_or_default();
        self.note_doubt(upstream, all.iter().map(|one| one.in_doubt_until));
        let asked_at = self.now();
        if !panel.capabilities().list_active {
            if let [alone] = all.as_slice() {
                self.weigh_balance(alone).await;
            }
            for order in orders {
                self.order_window(order, AttemptState::LatePossible, asked_at)
                    .await;
            }
            return;
        }
        match panel.orders().await {
            Ok(listed) => {
                self.match_orders(upstream, &panel, orders, listed, asked_at)
                    .await
            }
            Err(error) => {
                tracing::warn!(upstream, %error, "the panel's order list was not to be had");
                let plan = self.smm_plan(upstream);
                for order in orders {
                    self.step("smm_waits", order.try_again(&plan, asked_at))
                        .await;
                }
            }
        }
    }

    async fn match_orders(
        &self,
        upstream: &str,
        _panel: &Arc<dyn PanelUpstream>,
        orders: Vec<SmmOrder>,
        listed: Vec<ListedPanelOrder>,
        asked_at: Timestamp,
    ) {
        let ids: Vec<String> = listed.iter().map(|row| row.id.clone()).collect();
        let Ok(linked) = self.store().linked(upstream, &ids).await else {
            return;
        };
        let mut free: Vec<ListedPanelOrder> = listed
            .into_iter()
            .filter(|row| !linked.contains(&row.id))
            .collect();
        free.reverse();
        for order in orders {
            match free.iter().position(|row| is_candidate(&order, row)) {
                Some(place) => {
                    let row = free.remove(place);
                    let plan = self.smm_plan(upstream);
                    let writes = order.linked(&row.id, "listed", &plan, self.now());
                    self.step("smm_linked", writes).await;
                }
                None => {
                    self.order_window(order, AttemptState::Absent, asked_at)
                        .await
                }
            }
        }
    }

    /// Releases an order whose window is over; the window must also have passed while this process
    /// was watching, so that a machine's clock that jumped while nothing ran ends nothing.
    async fn order_window(&self, order: SmmOrder, state: AttemptState, seen_at: Timestamp) {
        let plan = self.smm_plan(&order.upstream);
        let over = order.in_doubt_until.is_some_and(|until| until <= seen_at);
        let watched = seen_at - self.watching_since() >= plan.in_doubt_window
            || order.created_at >= self.watching_since();
        if over && watched {
            self.step("smm_absent", self.order_not_found(order, state))
                .await;
        } else {
            self.step("smm_still_in_doubt", order.try_again(&plan, self.now()))
                .await;
        }
    }

    /// A late answer names the panel's order exactly: evidence, if ours is still in doubt.
    pub(crate) async fn offer_order_evidence(&self, called: &SmmOrder, id: &str) {
        let current = match self.store().smm_order(called.id).await {
            Ok(Some(current)) => current,
            _ => return,
        };
        if current.attempt == called.attempt && current.state == SmmState::InDoubt {
            let plan = self.smm_plan(&current.upstream);
            let writes = current.linked(id, "late_answer", &plan, self.now());
            self.step("smm_linked", writes).await;
        }
    }
}

/// Whether a listed order can be the one this purchase made.
fn is_candidate(order: &SmmOrder, row: &ListedPanelOrder) -> bool {
    let in_window = row.created_at.is_none_or(|created_at| {
        created_at >= order.created_at - SKEW
            && order
                .in_doubt_until
                .is_none_or(|until| created_at <= until + SKEW)
    });
    // of a package and of a subscription the panel may count what it likes
    let uncounted = order.flat || order.is_subscription();
    row.service == order.upstream_service
        && row.link == order.link
        && row
            .quantity
            .is_none_or(|quantity| uncounted || quantity == order.quantity)
        && in_window
}
