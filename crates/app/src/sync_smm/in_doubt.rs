//! SMM purchases whose outcome is unknown: settled by the panel's own list, or by the end of their
//! window.

use super::super::settle_in_doubt::{SKEW, is_decided};
use crate::engine::Engine;
use domain::attempt::AttemptState;
use domain::mutant::lacks_rule;
use domain::smm_order::{SmmOrder, SmmState};
use domain::time::Timestamp;
use domain::upstream::{ListedPanelOrder, PanelUpstream};

impl Engine {
    /// Gives whether the panel could be asked, where it had to be.
    pub(super) async fn settle_orders(
        &self,
        name: &str,
        panel: &dyn PanelUpstream,
        orders: Vec<SmmOrder>,
    ) -> bool {
        if orders.is_empty() {
            return true;
        }
        // what cannot be counted does not open a panel that is closed for it
        let Ok(all) = self.store().smm_orders_in_doubt(name).await else {
            return false;
        };
        self.note_doubt(name, all.iter().map(|one| one.in_doubt_until));
        let asked_at = self.now();
        if !panel.capabilities().list_active {
            if let [alone] = all.as_slice() {
                self.weigh_balance(alone).await;
            }
            for order in orders {
                self.order_window(order, AttemptState::LatePossible, asked_at)
                    .await;
            }
            return true;
        }
        match self.panel_orders(name, panel).await {
            // they stay due
            None => return false,
            Some(Ok(listed)) => return self.match_orders(name, orders, listed, asked_at).await,
            Some(Err(error)) => {
                tracing::warn!(upstream = name, %error, "the panel's order list was not to be had");
                for order in orders {
                    self.put_off_smm("smm_waits", order).await;
                }
            }
        }
        true
    }

    /// Gives whether it could be looked up which rows are ours already.
    async fn match_orders(
        &self,
        upstream: &str,
        orders: Vec<SmmOrder>,
        listed: Vec<ListedPanelOrder>,
        asked_at: Timestamp,
    ) -> bool {
        let ids: Vec<String> = listed.iter().map(|row| row.id.clone()).collect();
        let Ok(linked) = self.store().linked(upstream, &ids).await else {
            return false;
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
                    let cancel = (self.store().next_row_id(), self.now());
                    let writes = order.linked(&row.id, "listed", &plan, cancel);
                    self.step("smm_linked", writes).await;
                }
                None => {
                    // one like it that nobody can date is no evidence, and no proof of its absence
                    let undated =
                        |row: &ListedPanelOrder| row.created_at.is_none() && is_like(&order, row);
                    let state = match free.iter().any(undated) {
                        true => AttemptState::LatePossible,
                        false => AttemptState::Absent,
                    };
                    self.order_window(order, state, asked_at).await;
                }
            }
        }
        true
    }

    /// An answer that could not be stored when it came names the panel's order exactly: evidence, if
    /// ours is still open. Gives whether that is decided.
    pub(crate) async fn offer_order_evidence(&self, called: &SmmOrder, id: &str) -> bool {
        let current = match self.store().smm_order(called.id).await {
            Ok(Some(current)) => current,
            Ok(None) => return true,
            Err(_) => return false,
        };
        let open = matches!(current.state, SmmState::Calling | SmmState::InDoubt);
        if current.attempt != called.attempt || !open {
            return true;
        }
        let plan = self.smm_plan(&current.upstream);
        let cancel = (self.store().next_row_id(), self.now());
        let writes = current.linked(id, "late_answer", &plan, cancel);
        is_decided(&self.commit("smm_linked", writes).await)
    }
}

/// Whether a listed order can be the one this purchase made: one like it, made while the purchase
/// could have been processed. Without a date nobody can tell it from an older one.
pub(super) fn is_candidate(order: &SmmOrder, row: &ListedPanelOrder) -> bool {
    let in_window = row.created_at.is_some_and(|created_at| {
        created_at >= order.created_at - SKEW
            && order
                .in_doubt_until
                .is_none_or(|until| created_at <= until + SKEW)
    });
    (in_window || lacks_rule(53)) && is_like(order, row)
}

/// Whether it is for the same: service, link and units.
fn is_like(order: &SmmOrder, row: &ListedPanelOrder) -> bool {
    // of a package and of a subscription the panel may count what it likes
    let uncounted = order.flat || order.is_subscription();
    row.service == order.upstream_service
        && row.link == order.link
        && row
            .quantity
            .is_none_or(|quantity| uncounted || quantity == order.quantity)
}
