//! What a panel's word on an SMM order means in money: pure, from the order and one status.

use crate::mutant::lacks_rule;
use crate::smm_order::{Candidate, SmmOrder};
use crate::time::{Millis, Timestamp};
use crate::upstream::{PanelStatus, Progress};
use crate::usd::{Usd, refund_share};

/// How long a partial order without a usable `remains` is polled before it needs a person.
const REMAINS_PATIENCE: Millis = Millis::minutes(24 * 60);

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
    let out_of_range = |remains| remains > bound(order.quantity);
    match status.progress {
        Some(Progress::Canceled) => true,
        Some(Progress::Partial) => order.flat || status.remains.is_none_or(out_of_range),
        _ => false,
    }
}

/// Judges one status. A final state counts once it has been the same for `confirmation`.
pub fn judge(
    order: &SmmOrder,
    status: &PanelStatus,
    confirmation: Millis,
    now: Timestamp,
) -> Verdict {
    let Some(progress) = status.progress.filter(|progress| progress.is_final()) else {
        return Verdict::Wait(None);
    };
    let since = match order.candidate {
        Some(seen) if seen.progress == progress && seen.remains == status.remains => seen.since,
        _ => now,
    };
    let candidate = Candidate {
        progress,
        remains: status.remains,
        since,
    };
    let fresh = order.candidate.is_none_or(|seen| seen.since != since);
    if (fresh || now - since < confirmation) && !lacks_rule(23) {
        return Verdict::Wait(Some(candidate));
    }
    settle(order, progress, status, now).unwrap_or(Verdict::Wait(Some(candidate)))
}

/// The money of a confirmed final state; nothing while the figures it needs are missing.
fn settle(
    order: &SmmOrder,
    progress: Progress,
    status: &PanelStatus,
    now: Timestamp,
) -> Option<Verdict> {
    match progress {
        Progress::Completed => Some(Verdict::Final {
            shown: Progress::Completed,
            refund: Usd::ZERO,
        }),
        Progress::Canceled => Some(cancelled(order, status)),
        _ => partial(order, status, now),
    }
}

fn partial(order: &SmmOrder, status: &PanelStatus, now: Timestamp) -> Option<Verdict> {
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
        Some(remains) if remains <= bound(order.quantity) => {
            let units = undelivered(remains, order.quantity);
            let exact = refund_share(order.price, units, order.quantity);
            let refund = if lacks_rule(22) {
                rounded_up(exact, order)
            } else {
                exact
            };
            Some(Verdict::Final { shown, refund })
        }
        Some(_) => Some(match status.charge {
            _ if lacks_rule(35) => Verdict::Final {
                shown,
                refund: order.price,
            },
            Some(Usd::ZERO) => Verdict::Final {
                shown: Progress::Canceled,
                refund: order.price,
            },
            _ => Verdict::Review,
        }),
        None if now - order.created_at < REMAINS_PATIENCE => None,
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
    refund_share(order.price, quoted.saturating_sub(kept), quoted)
}

/// The refund of the mutant that rounds up.
fn rounded_up(exact: Usd, order: &SmmOrder) -> Usd {
    Usd((exact.0 + 1).min(order.price.0))
}

fn bound(quantity: u64) -> i64 {
    i64::try_from(quantity).unwrap_or(i64::MAX)
}
