//! Orders at a panel that belong to no order of ours.

use super::super::settle_in_doubt::SKEW;
use super::in_doubt::is_candidate;
use crate::engine::Engine;
use domain::mutant::lacks_rule;
use domain::orphan::{Orphan, OrphanState};
use domain::time::{Millis, Timestamp};
use domain::upstream::{CancelReply, ListedPanelOrder, PanelUpstream, Progress, ReadFailure};
use domain::usd::Usd;

/// How often a panel that lists its orders is looked through for orders that nobody made here.
const SWEEP: Millis = Millis::seconds(60);

/// After so long an order that its panel no longer knows counts as lost.
const FORGOTTEN_AFTER: Millis = Millis::minutes(24 * 60);

impl Engine {
    /// Looks for orders at a panel that belong to no order of ours: made twice, or placed after
    /// their window had ended. The house pays them, so they go into its books.
    pub(super) async fn sweep_panel(&self, name: &str) {
        let now = self.now();
        let Some(panel) = self.panel(name).cloned() else {
            return;
        };
        let sweep = format!("sweep of {name}");
        let due = panel.capabilities().list_active && self.watch.poll_is_due(&sweep, now);
        if !due {
            return;
        }
        self.watch.poll_again_at(&sweep, now + SWEEP);
        if !self.has_turn(&sweep, SWEEP).await {
            return;
        }
        let Ok(Some(first)) = self.store().first_attempt_at(name).await else {
            return;
        };
        match self.panel_orders(name, panel.as_ref()).await {
            Some(Ok(listed)) => self.adopt_panel_orphans(name, &listed, first, now).await,
            // as soon as it may be asked again
            None => self.watch.poll_again_at(&sweep, now),
            Some(Err(_)) => {}
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
                cancel_answered: false,
            };
            let ticket = self.outside.store.next_row_id();
            self.step("orphan_found", orphan.found(ticket)).await;
        }
    }

    /// An order at a panel that is nobody's: a cancel is asked for until the panel answers, each time
    /// after a look whether there is something left to cancel; its final status, seen twice, says what
    /// the house has lost.
    pub(crate) async fn settle_panel_orphan(&self, orphan: Orphan, pause: Millis) {
        let name = orphan.upstream.clone();
        let Some(panel) = self.panel(&name).cloned() else {
            return;
        };
        let id = orphan.upstream_id.clone();
        let told = self
            .panel_statuses(&name, panel.as_ref(), std::slice::from_ref(&id))
            .await;
        let forgotten = self.now() - orphan.found_at >= FORGOTTEN_AFTER;
        let ended = match told.row(&id) {
            Some(Ok(status)) if status.progress.is_some_and(Progress::is_final) => {
                Some((status.progress, status.charge.unwrap_or(orphan.cost)))
            }
            Some(Err(ReadFailure::UnknownOrder)) if forgotten => Some((None, orphan.cost)),
            Some(Ok(_) | Err(ReadFailure::UnknownOrder)) => None,
            // no answer says nothing of how it stands
            Some(Err(_)) | None => return self.put_off_orphan("orphan", orphan, pause).await,
        };
        let (now, confirmation) = (self.now(), self.smm_plan(&name).confirmation);
        let since = self.watch.stray_ended(orphan.id, ended, now);
        let (orphan, pause) = match ended.zip(since) {
            None => {
                let orphan = self.ask_orphan_cancel(panel.as_ref(), orphan).await;
                (orphan, pause)
            }
            Some(((_, kept), since)) if now - since >= confirmation || lacks_rule(63) => {
                self.watch.stray_ended(orphan.id, None, now);
                self.step("orphan", orphan.settled(kept)).await;
                return;
            }
            Some((_, since)) => (orphan, since + confirmation - now),
        };
        self.put_off_orphan("orphan", orphan, pause).await;
    }

    /// Asks to cancel one that is not over, unless the panel has answered that already.
    async fn ask_orphan_cancel(&self, panel: &dyn PanelUpstream, orphan: Orphan) -> Orphan {
        let given_up = lacks_rule(56) && orphan.tries > 0;
        if orphan.cancel_answered || given_up || !panel.capabilities().cancel {
            return orphan;
        }
        let reply = panel.cancel(&orphan.upstream_id).await.outcome;
        tracing::info!(upstream = orphan.upstream, ?reply, "orphan: cancel asked");
        let cancel_answered = !matches!(reply, CancelReply::Unknown | CancelReply::TooEarly(_));
        Orphan {
            cancel_answered,
            ..orphan
        }
    }
}
