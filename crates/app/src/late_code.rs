//! One more look at a number whose cancel was confirmed, when its lifetime is over: an upstream may
//! have received a code after all, and may charge it.

use crate::engine::Engine;
use domain::activation::Activation;
use domain::upstream::{NumberStatus, ReadFailure};

/// Looks without an answer after which nobody looks any more: the balance shows what was charged.
const LOOKS_MAX: i64 = 5;

impl Engine {
    /// The code is dropped unseen and the release stands; the order is marked.
    pub(crate) async fn look_for_late_code(&self, activation: Activation) {
        let name = activation.upstream.clone();
        let known = self.number_upstream(&name).cloned();
        let (Some(upstream), Some(id)) = (known, activation.upstream_id.clone()) else {
            self.step("ended", activation.watched_to_the_end()).await;
            return;
        };
        let status = match self.may_read(&name) {
            true => {
                let status = upstream.status(&id).await;
                self.read_came_to(&name, &status);
                status
            }
            false => Err(ReadFailure::Fault("not asked now".into())),
        };
        let (now, order) = (self.now(), activation.id);
        match status {
            Ok(NumberStatus::Code(sms)) => {
                if self.step("late_code", activation.late_code(sms, now)).await {
                    let labels = [("upstream", name.clone())];
                    metrics::counter!("tollgate_late_codes_total", &labels).increment(1);
                    tracing::warn!(
                        order.id = order.0,
                        upstream = name,
                        "upstream {name} has a code for order {order}, whose cancel it had confirmed: it \
                         was dropped, and what {name} takes for it is the house's"
                    );
                }
            }
            Err(ReadFailure::Fault(_)) if activation.tries < LOOKS_MAX => {
                let plan = self.plan(&activation.wanted.server, &name);
                self.step("late_look_waits", activation.try_again(&plan, now))
                    .await;
            }
            Ok(_) | Err(_) => {
                self.step("ended", activation.watched_to_the_end()).await;
            }
        }
    }
}
