//! Orders that a panel splits into orders of its own: the runs of a drip-feed, the posts of a
//! subscription. Their figures are put together into those of the whole.

use super::SmmOrder;
use crate::settlement::undelivered;
use crate::upstream::{PanelStatus, Progress};
use crate::usd::Usd;

impl SmmOrder {
    /// What the panel says of the whole order: its own word for an ordinary order and for a panel
    /// that names no children, else what the children add up to.
    pub(super) fn whole(&self, status: &PanelStatus) -> PanelStatus {
        if self.is_subscription() {
            return self.subscription(status);
        }
        match (self.number("quantity"), self.number("runs")) {
            (Some(each), Some(runs)) if !status.children.is_empty() => {
                drip_feed(status, each, runs, self.quantity)
            }
            _ => status.clone(),
        }
    }

    /// Whether the panel makes an order of its own for every post: the target is then a user's name.
    pub fn is_subscription(&self) -> bool {
        self.number("max").is_some() && self.number("quantity").is_none()
    }

    /// A number among the members that were sent.
    fn number(&self, name: &str) -> Option<u64> {
        let value = |line: &'_ str| line.strip_prefix(name)?.strip_prefix('=')?.parse().ok();
        self.members.lines().find_map(value)
    }

    /// A subscription is held for the most it can cost. How many units each post got is the
    /// panel's choice, so that what it charged for them is the measure: the rest goes back.
    fn subscription(&self, status: &PanelStatus) -> PanelStatus {
        let over = status.progress.is_some_and(Progress::is_final)
            || status.raw_status.eq_ignore_ascii_case("expired");
        let charge = charged(status);
        let rest = charge.and_then(|charge| self.not_charged_for(charge));
        PanelStatus {
            progress: match over && all_final(status) {
                true => rest.map_or(Some(Progress::Partial), |rest| {
                    Some(ended(rest, self.quantity))
                }),
                false => Some(Progress::InProgress),
            },
            remains: rest.and_then(|rest| i64::try_from(rest).ok()),
            charge,
            ..status.clone()
        }
    }

    /// The units of the most that was quoted which this charge leaves over, rounded up: what is
    /// delivered in part of a unit is not sold.
    fn not_charged_for(&self, charge: Usd) -> Option<u64> {
        let quoted = u128::try_from(self.cost_quote.0)
            .ok()
            .filter(|quoted| *quoted > 0)?;
        let charge = u128::try_from(charge.0).ok()?.min(quoted);
        let delivered = u128::from(self.quantity) * charge / quoted;
        Some(self.quantity - u64::try_from(delivered).ok()?)
    }
}

/// `runs` orders of `each` units: what of those that were made is not delivered, and all of those
/// that were never made. A figure that cannot be makes one of the whole.
fn drip_feed(status: &PanelStatus, each: u64, runs: u64, units: u64) -> PanelStatus {
    let made = status.children.len() as u64;
    let unmade = runs.saturating_sub(made).saturating_mul(each);
    let left: Option<Vec<u64>> = status
        .children
        .iter()
        .map(|one| left_of(one, each))
        .collect();
    let rest = left.map(|left| {
        left.into_iter()
            .fold(unmade, u64::saturating_add)
            .min(units)
    });
    let bound = i64::try_from(each).unwrap_or(i64::MAX);
    let mut claims = status.children.iter().filter_map(|one| one.remains);
    let remains = match claims.any(|claim| claim > bound) {
        true => Some(units.saturating_add(1)),
        false => rest,
    };
    let over = status.progress.is_some_and(Progress::is_final) && all_final(status);
    PanelStatus {
        progress: match (over, remains) {
            (true, Some(remains)) => Some(ended(remains, units)),
            (true, None) => Some(Progress::Partial),
            (false, _) => status.progress.map(|word| word.min(Progress::InProgress)),
        },
        remains: remains.and_then(|remains| i64::try_from(remains).ok()),
        charge: charged(status),
        ..status.clone()
    }
}

/// What one run leaves undelivered; nothing where it ended short and does not say by how much.
fn left_of(run: &PanelStatus, each: u64) -> Option<u64> {
    match (run.progress, run.remains) {
        (Some(Progress::Completed), _) => Some(0),
        (_, Some(remains)) => Some(undelivered(remains, each)),
        (Some(Progress::Partial), None) => None,
        (_, None) => Some(each),
    }
}

fn all_final(status: &PanelStatus) -> bool {
    let last = |child: &PanelStatus| child.progress.is_some_and(Progress::is_final);
    status.children.iter().all(last)
}

fn ended(rest: u64, units: u64) -> Progress {
    match rest {
        0 => Progress::Completed,
        rest if rest == units => Progress::Canceled,
        _ => Progress::Partial,
    }
}

/// What the children were charged, if the panel says it of each; without children its word on the
/// whole.
fn charged(status: &PanelStatus) -> Option<Usd> {
    if status.children.is_empty() {
        return status.charge;
    }
    let mut charges = status.children.iter().map(|child| child.charge);
    charges.try_fold(Usd::ZERO, |sum, charge| sum.checked_add(charge?))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{order, status};
    use super::*;

    fn parent(word: Progress, children: Vec<PanelStatus>) -> PanelStatus {
        PanelStatus {
            remains: None,
            charge: None,
            children,
            ..status(word, None, 0)
        }
    }

    fn drip() -> SmmOrder {
        SmmOrder {
            members: "quantity=100\nruns=5\ninterval=60".into(),
            ..order()
        }
    }

    fn figures(status: &PanelStatus) -> (Option<Progress>, Option<i64>, Option<Usd>) {
        (status.progress, status.remains, status.charge)
    }

    #[test]
    fn runs_that_were_never_made_are_not_delivered() {
        use Progress as P;
        let made = vec![
            status(P::Completed, Some(0), 90_000),
            status(P::Partial, Some(20), 72_000),
        ];
        let said = drip().whole(&parent(P::InProgress, made.clone()));
        assert_eq!(
            figures(&said),
            (Some(P::InProgress), Some(320), Some(Usd(162_000)))
        );
        let said = drip().whole(&parent(P::Canceled, made.clone()));
        assert_eq!(figures(&said).0, Some(P::Partial));
        let cut = drip().whole(&parent(P::Completed, vec![made[0].clone(); 5]));
        assert_eq!(figures(&cut).0, Some(P::Completed));
        assert_eq!(cut.remains, Some(0));
        let none = vec![status(P::Canceled, Some(100), 0); 5];
        assert_eq!(
            drip().whole(&parent(P::Completed, none)).progress,
            Some(P::Canceled)
        );
    }

    #[test]
    fn a_whole_is_not_over_before_its_parts_are_and_their_figures_are_bounded() {
        use Progress as P;
        let open = vec![status(P::InProgress, Some(60), 0)];
        let said = drip().whole(&parent(P::Completed, open));
        assert_eq!(said.progress, Some(P::InProgress));
        let over = vec![
            status(P::Partial, Some(-7), 0),
            status(P::Partial, Some(40), 0),
        ];
        let said = drip().whole(&parent(P::Completed, over));
        assert_eq!(
            said.remains,
            Some(40 + 300),
            "what is too much gives nothing away"
        );
        let hostile = vec![status(P::Partial, Some(i64::MAX), 0)];
        let said = drip().whole(&parent(P::Completed, hostile));
        assert_eq!(figures(&said), (Some(P::Partial), Some(501), Some(Usd(0))));
        let silent = vec![
            status(P::Partial, None, 50),
            status(P::Completed, Some(3), 50),
        ];
        let said = drip().whole(&parent(P::Completed, silent));
        assert_eq!(figures(&said), (Some(P::Partial), None, Some(Usd(100))));
        let alone = parent(P::Completed, Vec::new());
        assert_eq!(
            drip().whole(&alone),
            alone,
            "its own word where none are named"
        );
    }

    #[test]
    fn a_subscription_costs_what_its_posts_were_charged() {
        use Progress as P;
        let subscription = SmmOrder {
            members: "username=ana\nmin=50\nmax=100\nposts=5".into(),
            ..order()
        };
        let posts = vec![
            status(P::Completed, Some(0), 63_000),
            status(P::Completed, Some(0), 90_000),
        ];
        let running = subscription.whole(&parent(P::InProgress, posts.clone()));
        assert_eq!(running.progress, Some(P::InProgress));
        let expired = PanelStatus {
            progress: None,
            raw_status: "Expired".into(),
            ..parent(P::Completed, posts)
        };
        // 0.153 of the quoted 0.45 for 500 units are 170 units
        let said = subscription.whole(&expired);
        assert_eq!(
            figures(&said),
            (Some(P::Partial), Some(330), Some(Usd(153_000)))
        );
        let nothing = PanelStatus {
            charge: Some(Usd::ZERO),
            ..parent(P::Canceled, Vec::new())
        };
        assert_eq!(subscription.whole(&nothing).progress, Some(P::Canceled));
        let unknown = subscription.whole(&parent(P::Completed, Vec::new()));
        assert_eq!(figures(&unknown), (Some(P::Partial), None, None));
    }
}
