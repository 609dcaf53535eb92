//! What must hold for the money of SMM orders: what went back follows from what is on record of the
//! panel's words. The published rule is written down here once more, apart from the code that is
//! checked by it.

use domain::ids::OrderId;
use domain::smm_order::SmmState;
use domain::upstream::Progress;
use domain::usd::{Usd, refund_share};

use crate::audit::Findings;
use crate::order_audit::{OrderFacts, State};

/// What an order was sold at.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) price: Usd,
    pub(crate) quantity: u64,
    pub(crate) flat: bool,
    pub(crate) cost_quote: Usd,
}

/// An observation that money rests on.
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    /// Nothing in rows from before it was kept.
    pub(crate) progress: Option<Progress>,
    pub(crate) remains: Option<i64>,
    pub(crate) charge: Option<Usd>,
}

impl Terms {
    /// What goes back in all after this final word; nothing where no figure says it.
    fn refund(self, word: Progress, seen: Seen) -> Option<Usd> {
        let left = seen.remains.filter(|_| !self.flat);
        let units = left.map(|left| u64::try_from(left).unwrap_or(0));
        let share = |units| refund_share(self.price, units, self.quantity);
        match (word, units) {
            (_, Some(units)) if units > self.quantity => {
                (seen.charge == Some(Usd::ZERO)).then_some(self.price)
            }
            (Progress::Completed, _) => Some(Usd::ZERO),
            (Progress::Partial, Some(units)) => Some(share(units)),
            (Progress::Partial, None) => seen.charge.map(|kept| self.not_kept(kept)),
            (Progress::Canceled, Some(units)) if units < self.quantity => {
                let kept = seen.charge.is_some_and(|kept| kept > Usd::ZERO);
                Some(if kept { share(units) } else { self.price })
            }
            (Progress::Canceled, _) => Some(self.price),
            _ => None,
        }
    }

    /// The share of the price that goes back where the panel kept so much of its quote.
    fn not_kept(self, kept: Usd) -> Usd {
        let quoted = u64::try_from(self.cost_quote.0).unwrap_or(0);
        let kept = u64::try_from(kept.0).unwrap_or(0);
        match kept {
            0 => self.price,
            kept => refund_share(self.price, quoted.saturating_sub(kept), quoted),
        }
    }
}

/// What an SMM order says of its outcome, and the rows that must agree.
pub(crate) struct SmmFacts {
    pub(crate) terms: Terms,
    pub(crate) progress: Progress,
    pub(crate) remains: u64,
    pub(crate) returned: Usd,
    pub(crate) adjustments: u64,
    /// Number and sum of the adjustments stored.
    pub(crate) adjusted: (u64, Usd),
    pub(crate) observations: u64,
    /// Number of observations stored, and the highest number among them.
    pub(crate) observed: (u64, u64),
    /// The newest observation up to the resolution.
    pub(crate) rests_on: Option<Seen>,
}

impl SmmFacts {
    /// What went back must be what was decided, and what was decided must have been seen.
    pub(crate) fn check(&self, order: &OrderFacts, findings: &mut Findings) {
        let (id, returned) = (order.id, self.returned);
        let (rows, adjusted) = self.adjusted;
        let released = order.resolution.map_or(Usd::ZERO, |(_, released)| released);
        let back = i128::from(released.0) + i128::from(adjusted.0);
        let fits = i128::from(returned.0) == back && self.adjustments == rows;
        findings.require(fits, "I-07", || {
            let told = self.adjustments;
            format!(
                "order {id} says {returned} went back with {told} adjustments; released \
                 {released} + {adjusted} in {rows} adjustments"
            )
        });
        let (told, (rows, last)) = (self.observations, self.observed);
        findings.require(told == rows && told == last, "I-21", || {
            format!("order {id} counts {told} observations, {rows} are stored up to number {last}")
        });
        if !matches!(order.state, State::Smm(SmmState::Resolved)) {
            return;
        }
        let Some(seen) = self.rests_on else {
            let detail =
                format!("order {id} was resolved without an observation, {released} went back");
            return findings.add("I-21", detail);
        };
        let what = || format!("order {id}, resolved");
        check_refund(self.terms, seen, released, what, findings);
        if let (Progress::Partial, Some(claimed)) = (self.progress, seen.remains) {
            let shown = u64::try_from(claimed).unwrap_or(0).min(self.terms.quantity);
            let told = self.remains;
            findings.require(told == shown, "I-21", || {
                format!("order {id} is Partial with {told} remaining, the panel said {claimed}")
            });
        }
    }
}

/// What more went back once an order was final, and what that rests on.
pub(crate) struct AdjustmentFacts {
    pub(crate) order: OrderId,
    pub(crate) seq: i64,
    pub(crate) terms: Terms,
    /// Everything that went back, this included.
    pub(crate) back: Usd,
    /// Number of the observation; nothing where a person decided, 0 in rows of before.
    pub(crate) observation: Option<i64>,
    pub(crate) seen: Option<Seen>,
    /// Whether the operator was asked about the order.
    pub(crate) ticketed: bool,
}

impl AdjustmentFacts {
    /// It follows from its observation, or from a person who was asked.
    pub(crate) fn check(&self, findings: &mut Findings) {
        let (order, seq) = (self.order, self.seq);
        let what = || format!("order {order}, adjustment {seq}");
        match (self.observation, self.seen) {
            (Some(0), _) => {}
            (Some(number), None) => {
                let detail = format!("{} rests on observation {number}, which is missing", what());
                findings.add("I-21", detail);
            }
            (Some(_), Some(seen)) => check_refund(self.terms, seen, self.back, what, findings),
            (None, _) => findings.require(self.ticketed, "I-21", || {
                format!("{} rests on no observation, and nobody was asked", what())
            }),
        }
    }
}

fn check_refund(
    terms: Terms,
    seen: Seen,
    back: Usd,
    what: impl Fn() -> String,
    findings: &mut Findings,
) {
    // a word from before its meaning was kept
    let Some(word) = seen.progress else { return };
    let due = terms.refund(word, seen);
    findings.require(due == Some(back), "I-21", || {
        let due = due.map_or("nothing that could be derived".into(), |due| {
            due.to_string()
        });
        format!(
            "{}: {back} went back, what the panel said gives {due}",
            what()
        )
    });
}
