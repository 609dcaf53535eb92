//! Background work for SMM orders: due steps and status batches, each panel by itself, so that one
//! that hangs keeps no other waiting.

use crate::engine::Engine;
use domain::activation::is_far_above;
use domain::attempt::AttemptState;
use domain::change::Write;
use domain::ports::AtPanels;
use domain::smm_order::{SmmOrder, SmmState};
use domain::time::Timestamp;
use domain::upstream::{PanelStatus, PanelUpstream, ReadFailure};
use std::sync::Arc;

mod in_doubt;
mod orphans;

/// Orders looked at in one turn: as many as one status call takes, so that none is kept from other
/// nodes while this one waits for several calls.
const BATCH: u32 = 100;

/// Turns in one pass; what is due then waits for the next pass.
const TURNS: usize = 10;

impl Engine {
    /// Where SMM orders can lie: at each panel, and at panels that are no longer configured.
    pub fn panel_places(&self) -> Vec<AtPanels> {
        let names: Vec<String> = self.panels().map(str::to_owned).collect();
        let each = names.iter().cloned().map(AtPanels::One);
        each.chain([AtPanels::NoneOf(names.clone())]).collect()
    }

    /// Takes every due step of the SMM orders at a place. Gives how many orders were looked at.
    pub async fn run_due_smm_orders(&self, at: &AtPanels) -> usize {
        if self.clock_is_behind() {
            return 0;
        }
        let mut count = 0;
        for _ in 0..TURNS {
            let due = match self.store().claim_smm_orders(at, self.now(), BATCH).await {
                Ok(due) => due,
                Err(error) => {
                    tracing::error!(error = %error, "due SMM orders could not be read");
                    break;
                }
            };
            count += due.len();
            let last = due.len() < BATCH as usize;
            if !self.due_orders(at, due).await || last {
                break;
            }
        }
        if let AtPanels::One(name) = at {
            self.count_doubt(name).await;
            self.sweep_panel(name).await;
        }
        count
    }

    /// Gives whether every order could be asked for that had to be.
    async fn due_orders(&self, at: &AtPanels, due: Vec<SmmOrder>) -> bool {
        let (calls, due): (Vec<_>, Vec<_>) = due
            .into_iter()
            .partition(|order| order.state == SmmState::Calling);
        for order in calls {
            // whoever made the call is gone: its answer will never be stored
            self.doubt(order, "lease_over").await;
        }
        let panel = match at {
            AtPanels::One(name) => self.panel(name).cloned().map(|panel| (name, panel)),
            AtPanels::NoneOf(_) => None,
        };
        match panel {
            Some((name, panel)) => self.due_at_panel(name, &panel, due).await,
            None => {
                for order in due {
                    self.due_nowhere(order).await;
                }
                true
            }
        }
    }

    async fn due_at_panel(
        &self,
        name: &str,
        panel: &Arc<dyn PanelUpstream>,
        due: Vec<SmmOrder>,
    ) -> bool {
        let (in_doubt, due): (Vec<_>, Vec<_>) = due
            .into_iter()
            .partition(|order| order.state == SmmState::InDoubt);
        let asked = self.read_statuses(name, panel.as_ref(), due).await;
        self.settle_orders(name, panel.as_ref(), in_doubt).await && asked
    }

    /// Of a panel that is no longer configured nothing is ever heard again.
    async fn due_nowhere(&self, order: SmmOrder) {
        if order.state == SmmState::InDoubt {
            let now = self.now();
            self.order_window(order, AttemptState::LatePossible, now)
                .await;
            return;
        }
        self.order_unheard(order, false, self.now()).await;
    }

    async fn read_statuses(
        &self,
        name: &str,
        panel: &dyn PanelUpstream,
        orders: Vec<SmmOrder>,
    ) -> bool {
        let ids = orders.iter().filter_map(|order| order.upstream_id.clone());
        let ids: Vec<String> = ids.collect();
        let told = self.panel_statuses(name, panel, &ids).await;
        let plan = self.smm_plan(name);
        let mut all_asked = true;
        for order in orders {
            let id = order.upstream_id.clone().unwrap_or_default();
            let Some(now) = told.asked_at(&id) else {
                // it stays due
                self.silent_since(&order, self.now());
                all_asked = false;
                continue;
            };
            match told.row(&id) {
                Some(Ok(status)) => {
                    self.watch.hears_of(order.id);
                    self.remark(&order, status);
                    let ticket = self.outside.store.next_row_id();
                    let plan = plan.confirming(&order, self.watching_since());
                    let writes = order.observed(status, &plan, ticket, now);
                    self.step(named(&writes), writes).await;
                }
                other => {
                    let is_unknown = matches!(other, Some(Err(ReadFailure::UnknownOrder)));
                    self.order_unheard(order, is_unknown, now).await;
                }
            }
        }
        all_asked
    }

    /// What the operator should know of a panel that speaks so.
    fn remark(&self, order: &SmmOrder, status: &PanelStatus) {
        let upstream = &order.upstream;
        let labels = [("upstream", upstream.clone())];
        if status.progress.is_none() {
            metrics::counter!("tollgate_unknown_statuses_total", &labels).increment(1);
            tracing::warn!(
                order.id = order.id.0,
                upstream,
                status = status.raw_status,
                "upstream {upstream} used an unknown status word"
            );
        }
        let first = order.candidate.is_none() && order.resolved_at.is_none();
        let over = status.progress.is_some_and(|word| word.is_final())
            && status.remains.is_some_and(|left| left < 0);
        if over && first && !order.flat {
            metrics::counter!("tollgate_over_delivered_total", &labels).increment(1);
            tracing::warn!(
                order.id = order.id.0,
                upstream,
                remains = status.remains,
                "upstream {upstream} delivered more than was ordered: it counts as delivered in full"
            );
        }
        self.compare_with_order_quote(order, status);
    }

    /// The customer pays the quote; where the panel took far more, its service is closed until its
    /// rate changes.
    fn compare_with_order_quote(&self, order: &SmmOrder, status: &PanelStatus) {
        let quote = order.cost_quote;
        let Some(taken) = status.charge.filter(|taken| is_far_above(*taken, quote)) else {
            return;
        };
        let (upstream, service) = (&order.upstream, &order.upstream_service);
        let catalogue = self.catalogue();
        let Some(source) = catalogue.smm_source(upstream, service) else {
            return;
        };
        // a rate that has changed since the order says the truth by now
        let now = source.cost_of(order.flat, order.quantity);
        if !now.is_some_and(|now| is_far_above(taken, now)) {
            return;
        }
        if self
            .watch
            .close_dear_service(upstream, service, source.cost)
        {
            tracing::error!(
                order.id = order.id.0,
                upstream,
                service,
                "upstream {upstream} took {taken} for order {}, quoted at {quote}: service {service} \
                 is closed",
                order.id
            );
        }
    }

    /// Purchases in doubt at a panel, counted anew: the last one settled opens it again, whoever
    /// settled it.
    async fn count_doubt(&self, name: &str) {
        if self.watch.in_doubt(name).count > 0
            && let Ok(all) = self.store().smm_orders_in_doubt(name).await
        {
            self.note_doubt(name, all.iter().map(|one| one.in_doubt_until));
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
            self.put_off_smm("smm_still_in_doubt", order).await;
        }
    }
}

/// What a change is called that follows from a status: one that corrects what was paid out is told apart.
fn named(writes: &[Write]) -> &'static str {
    let corrects = writes
        .iter()
        .any(|write| matches!(write, Write::Adjust { .. }));
    match corrects {
        true => "smm_adjusted",
        false => "smm_status",
    }
}
