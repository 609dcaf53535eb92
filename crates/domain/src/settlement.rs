//! What a panel's word on an SMM order means in money: pure, from the order and one status.

use crate::mutant::lacks_rule;
use crate::smm_order::{Candidate, SmmOrder, SmmPlan};
use crate::time::{Millis, Timestamp};
use crate::upstream::{PanelStatus, Progress};
use crate::usd::{Usd, refund_share};

/// What one status means for the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing final, or final for the first time: this is the candidate to confirm.
    Wait(Option<Candidate>),
    /// Final: the state to show and the total that goes back.
    Final {
        /// Completed, Partial or Canceled.
        shown: Progress,
        /// 0..=hold.
        refund: Usd,
    },
    /// The figures contradict themselves: nothing is paid until a person or the panel settles it.
    Review,
}

/// Undelivered units fit for display and money: 0..=quantity.
pub fn undelivered(claimed: i64, quantity: u64) -> u64 {
    u64::try_from(claimed).unwrap_or(0).min(quantity)
}

/// Whether what the panel says it charged decides what goes back, or could.
pub fn charge_decides(order: &SmmOrder, status: &PanelStatus) -> bool {
    match status.progress {
        Some(Progress::Canceled) => true,
        Some(Progress::Partial) if order.flat || status.remains.is_none() => true,
        Some(word) => word.is_final() && is_impossible(order, status),
        None => false,
    }
}

/// Judges one status. A final state counts once it has been the same for as long as the plan says.
pub fn judge(order: &SmmOrder, status: &PanelStatus, plan: &SmmPlan, now: Timestamp) -> Verdict {
    let Some(candidate) = seen_since(order, status, now) else {
        return Verdict::Wait(None);
    };
    let since = candidate.since;
    let fresh = order.candidate.is_none_or(|seen| seen.since != since);
    if (fresh || now - since < plan.confirmation) && !lacks_rule(23) {
        return Verdict::Wait(Some(candidate));
    }
    settle(order, status, plan, now - since).unwrap_or(Verdict::Wait(Some(candidate)))
}

/// What a final word comes to, confirmed or not: the state to show and the total that goes back.
pub fn outcome(
    order: &SmmOrder,
    status: &PanelStatus,
    plan: &SmmPlan,
    now: Timestamp,
) -> Option<(Progress, Usd)> {
    let candidate = seen_since(order, status, now)?;
    match settle(order, status, plan, now - candidate.since)? {
        Verdict::Final { shown, refund } => Some((shown, refund)),
        Verdict::Wait(_) | Verdict::Review => None,
    }
}

/// Since when the panel has been saying this final word; nothing for a word that is not final.
fn seen_since(order: &SmmOrder, status: &PanelStatus, now: Timestamp) -> Option<Candidate> {
    let progress = status.progress.filter(|progress| progress.is_final())?;
    let same = |seen: &Candidate| seen.progress == progress && seen.remains == status.remains;
    Some(Candidate {
        progress,
        remains: status.remains,
        since: order.candidate.filter(same).map_or(now, |seen| seen.since),
    })
}

/// Whether more units are said to be left than were ordered. Of a package a panel may count what it
/// likes.
fn is_impossible(order: &SmmOrder, status: &PanelStatus) -> bool {
    !order.flat
        && status
            .remains
            .is_some_and(|left| left > bound(order.quantity))
}

/// The money of a final state; nothing while the figures it needs are missing.
fn settle(
    order: &SmmOrder,
    status: &PanelStatus,
    plan: &SmmPlan,
    said_for: Millis,
) -> Option<Verdict> {
    if is_impossible(order, status) && !lacks_rule(35) {
        return Some(impossible(order, status));
    }
    match status.progress? {
        Progress::Completed => Some(Verdict::Final {
            shown: Progress::Completed,
            refund: Usd::ZERO,
        }),
        Progress::Canceled => Some(cancelled(order, status)),
        _ => partial(order, status, plan, said_for),
    }
}

/// A figure that cannot be pays nothing, whatever the word beside it. Only a panel that kept
/// nothing of ours leaves no question.
fn impossible(order: &SmmOrder, status: &PanelStatus) -> Verdict {
    match status.charge {
        Some(Usd::ZERO) => Verdict::Final {
            shown: Progress::Canceled,
            refund: order.price,
        },
        _ => Verdict::Review,
    }
}

fn partial(
    order: &SmmOrder,
    status: &PanelStatus,
    plan: &SmmPlan,
    said_for: Millis,
) -> Option<Verdict> {
    let shown = Progress::Partial;
    if order.flat {
        return Some(match status.charge {
            Some(Usd::ZERO) => Verdict::Final {
                shown: Progress::Canceled,
                refund: order.price,
            },
            Some(kept) => Verdict::Final {
                shown,
                refund: share_by_charge(order, kept),
            },
            None => Verdict::Review,
        });
    }
    match status.remains {
        Some(remains) => {
            let units = undelivered(remains, order.quantity);
            let exact = refund_share(order.price, units, order.quantity);
            let refund = if lacks_rule(22) {
                rounded_up(exact, order)
            } else {
                exact
            };
            Some(Verdict::Final { shown, refund })
        }
        None if said_for < plan.remains_patience && !lacks_rule(52) => None,
        None => Some(match status.charge {
            Some(kept) => Verdict::Final {
                shown,
                refund: share_by_charge(order, kept),
            },
            None => Verdict::Review,
        }),
    }
}

/// Cancelled goes back in full, unless part was delivered and the panel kept money for it.
fn cancelled(order: &SmmOrder, status: &PanelStatus) -> Verdict {
    let kept = status.charge.unwrap_or(Usd::ZERO);
    match status.remains {
        Some(remains) if kept > Usd::ZERO && !order.flat && remains < bound(order.quantity) => {
            let units = undelivered(remains, order.quantity);
            let refund = refund_share(order.price, units, order.quantity);
            Verdict::Final {
                shown: Progress::Partial,
                refund,
            }
        }
        _ => Verdict::Final {
            shown: Progress::Canceled,
            refund: order.price,
        },
    }
}

/// The share of the price that goes back when the panel kept `kept` of what it was quoted at.
fn share_by_charge(order: &SmmOrder, kept: Usd) -> Usd {
    let quoted = u64::try_from(order.cost_quote.0).unwrap_or(0);
    let kept = u64::try_from(kept.0).unwrap_or(0);
    if kept == 0 {
        return order.price;
    }
    refund_share(order.price, quoted.saturating_sub(kept), quoted)
}

/// The refund of the mutant that rounds up.
fn rounded_up(exact: Usd, order: &SmmOrder) -> Usd {
    Usd((exact.0 + 1).min(order.price.0))
}

fn bound(quantity: u64) -> i64 {
    i64::try_from(quantity).unwrap_or(i64::MAX)
}
