//! One SMM order: its script and what the panel says of it at a given moment.

use crate::mix::pick;
use crate::subscription::Subscription;
use domain::usd::{Usd, refund_share};

/// Age at which delivery begins, in milliseconds.
const BEGINS_MS: i64 = 2_000;
/// Age at which a scripted cancel shows.
const CANCELED_MS: i64 = 4_000;
/// Age at which delivery ends.
const ENDS_MS: i64 = 6_000;
/// A cancel that was asked for takes effect after this long.
const CANCEL_TAKES_MS: i64 = 1_000;
/// Age at which a panel corrects what it said of an ended order.
const CORRECTED_MS: i64 = 30_000;
/// After its false Partial was read, a regressing order needs this long to complete.
const REGRESS_TAKES_MS: i64 = 4_000;

/// What happens to an order, chosen by its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// Completes.
    Normal,
    /// Ends as Partial with these remains, whatever the quantity is.
    Partial(i64),
    /// Completes; later the panel says that this much remained.
    Late(i64),
    /// Ends as Partial with half of these remains; later the panel says that all of them remained.
    More(i64),
    /// Is cancelled by the panel.
    Canceled,
    /// Stays in progress.
    Never,
    /// Shows Partial once, then goes on and completes.
    Regress,
    /// Completes, although a cancel was taken.
    NoCancel,
}

/// How the answer to the purchase is given, chosen by the link as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkManner {
    /// At once.
    Plain,
    /// Booked, then the connection is closed.
    Lost,
    /// The connection is closed, nothing is booked.
    LostBefore,
    /// Booked at once, answered late.
    Slow,
}

/// Reads the `sandbox` parameter of a link: what happens to the order and to the answer.
pub(crate) fn read_link(link: &str) -> (Script, LinkManner) {
    let query = link.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or("");
    let wish = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("sandbox="))
        .unwrap_or("");
    let figure = |name: &str| -> Option<i64> {
        let value = wish.strip_prefix(name)?;
        value
            .strip_prefix(':')
            .or_else(|| value.strip_prefix("%3A"))?
            .parse()
            .ok()
    };
    let plain = LinkManner::Plain;
    match wish {
        "canceled" => (Script::Canceled, plain),
        "never" => (Script::Never, plain),
        "regress" => (Script::Regress, plain),
        "nocancel" => (Script::NoCancel, plain),
        "lost" => (Script::Normal, LinkManner::Lost),
        "lostbefore" => (Script::Normal, LinkManner::LostBefore),
        "slow" => (Script::Normal, LinkManner::Slow),
        _ => {
            let partial = figure("partial").or_else(|| figure("remains"));
            let scripted = partial
                .map(Script::Partial)
                .or_else(|| figure("late").map(Script::Late))
                .or_else(|| figure("more").map(Script::More));
            (scripted.unwrap_or(Script::Normal), plain)
        }
    }
}

/// Progress words of the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Accepted.
    Pending,
    /// Delivering.
    InProgress,
    /// Delivered.
    Completed,
    /// Stopped early.
    Partial,
    /// Given back.
    Canceled,
}

impl Word {
    /// The word on the wire.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "In progress",
            Self::Completed => "Completed",
            Self::Partial => "Partial",
            Self::Canceled => "Canceled",
        }
    }

    fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Partial | Self::Canceled)
    }
}

/// An order that was placed.
#[derive(Clone, Debug)]
pub(crate) struct PanelOrder {
    /// Id.
    pub(crate) id: u64,
    /// The panel's service id.
    pub(crate) service: u32,
    /// Link as it was sent; the user name for a subscription.
    pub(crate) link: String,
    /// Units that are delivered and billed.
    pub(crate) units: u64,
    /// What was debited.
    pub(crate) cost: Usd,
    /// When it was placed, unix milliseconds.
    pub(crate) placed_at: i64,
    /// When a cancel was asked for.
    pub(crate) cancel_at: Option<i64>,
    /// When a regressing order's false Partial was read.
    pub(crate) partial_seen_at: Option<i64>,
    /// Whether what is due back has been credited.
    pub(crate) settled: bool,
    /// What its posts get, where it is a subscription.
    pub(crate) subscription: Option<Subscription>,
    /// The subscription that made it.
    pub(crate) parent: Option<u64>,
}

/// What the panel says of an order at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Progress.
    pub(crate) word: Word,
    /// Units not delivered, as claimed.
    pub(crate) remains: i64,
    /// What the panel claims to have charged.
    pub(crate) charge: Usd,
    /// Count at the start, known once delivery has begun.
    pub(crate) start_count: Option<u64>,
}

impl PanelOrder {
    /// What the panel says at `now`.
    pub(crate) fn snapshot(&self, now: i64) -> Snapshot {
        let (word, remains) = self.progress(now);
        let back = match word {
            Word::Canceled => self.cost,
            Word::Partial => self.share_of(remains),
            _ => Usd::ZERO,
        };
        let started = !matches!(word, Word::Pending);
        let start_count = started.then(|| pick(50_000, &[8, self.id]));
        Snapshot {
            word,
            remains,
            charge: Usd(self.cost.0 - back.0),
            start_count,
        }
    }

    /// Whether reading it at `now` shows a regressing order's false Partial for the first time.
    pub(crate) fn shows_false_partial(&self, now: i64) -> bool {
        self.script() == Script::Regress
            && self.partial_seen_at.is_none()
            && self.progress(now).0 == Word::Partial
    }

    /// Moments at which money may become due back, after `placed_at`.
    pub(crate) fn settles_at(&self) -> [Option<i64>; 2] {
        let by_itself = match self.script() {
            Script::Canceled => Some(self.placed_at + CANCELED_MS),
            Script::Partial(_) => Some(self.placed_at + ENDS_MS),
            Script::Late(_) | Script::More(_) => Some(self.placed_at + CORRECTED_MS),
            Script::Normal | Script::Never | Script::Regress | Script::NoCancel => None,
        };
        [
            by_itself,
            self.cancel_at.map(|asked| asked + CANCEL_TAKES_MS),
        ]
    }

    /// What goes back to the buyer for good, as things stand at `now`.
    pub(crate) fn due_back(&self, now: i64) -> Usd {
        let shown = self.snapshot(now);
        let passing = self.script() == Script::Regress && self.cancel_at.is_none();
        if shown.word.is_final() && !passing {
            Usd(self.cost.0 - shown.charge.0)
        } else {
            Usd::ZERO
        }
    }

    /// Whether no more can happen to it, so that a cancel comes too late.
    pub(crate) fn is_over(&self, now: i64) -> bool {
        if let Some(subscription) = self.subscription {
            return subscription.is_over(self.placed_at, self.cancel_at, now);
        }
        self.progress(now).0.is_final() && !self.shows_false_partial(now)
    }

    fn script(&self) -> Script {
        read_link(&self.link).0
    }

    /// A figure that cannot be undelivered units of this order gives nothing back.
    fn share_of(&self, remains: i64) -> Usd {
        match u64::try_from(remains) {
            Ok(rest) if rest <= self.units => refund_share(self.cost, rest, self.units),
            _ => Usd::ZERO,
        }
    }

    fn progress(&self, now: i64) -> (Word, i64) {
        match self.cancel_at {
            Some(asked) if now >= asked + CANCEL_TAKES_MS && self.script() != Script::NoCancel => {
                self.cancelled_at(asked)
            }
            _ => self.scripted(now),
        }
    }

    fn cancelled_at(&self, asked: i64) -> (Word, i64) {
        match self.scripted(asked) {
            (Word::Pending, remains) => (Word::Canceled, remains),
            (Word::InProgress, _) => match self.scripted(asked + CANCEL_TAKES_MS) {
                (Word::InProgress, remains) => (Word::Partial, remains),
                finished => finished,
            },
            finished => finished,
        }
    }

    fn scripted(&self, now: i64) -> (Word, i64) {
        let whole = i64::try_from(self.units).unwrap_or(i64::MAX);
        let age = now - self.placed_at;
        if age < BEGINS_MS {
            return (Word::Pending, whole);
        }
        let delivering = (Word::InProgress, self.rest(age.min(ENDS_MS - 1)));
        match self.script() {
            Script::Never => (Word::InProgress, whole - whole / 2),
            Script::Canceled if age >= CANCELED_MS => (Word::Canceled, whole),
            Script::Canceled => (Word::Pending, whole),
            Script::Regress => self.regressing(now, whole),
            _ if age < ENDS_MS => delivering,
            Script::Partial(remains) => (Word::Partial, remains),
            Script::Late(remains) | Script::More(remains) if age >= CORRECTED_MS => {
                (Word::Partial, remains)
            }
            Script::More(remains) => (Word::Partial, remains / 2),
            Script::Normal | Script::NoCancel | Script::Late(_) => (Word::Completed, 0),
        }
    }

    fn regressing(&self, now: i64, whole: i64) -> (Word, i64) {
        let missing = whole - whole / 2;
        match self.partial_seen_at {
            None => (Word::Partial, missing),
            // the very read that is recorded still shows it
            Some(seen) if now <= seen => (Word::Partial, missing),
            Some(seen) if now < seen + REGRESS_TAKES_MS => (Word::InProgress, missing),
            Some(_) => (Word::Completed, 0),
        }
    }

    /// Undelivered units at an age between the begin and the end of delivery.
    fn rest(&self, age: i64) -> i64 {
        let left = u128::try_from(ENDS_MS - age).unwrap_or(0);
        let span = u128::try_from(ENDS_MS - BEGINS_MS).unwrap_or(1);
        i64::try_from((u128::from(self.units) * left).div_ceil(span)).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(sandbox: &str) -> PanelOrder {
        PanelOrder {
            id: 90_210,
            service: 1,
            link: format!("https://instagram.com/user?lang=en&sandbox={sandbox}"),
            units: 1000,
            cost: Usd(900_000),
            placed_at: 50_000,
            cancel_at: None,
            partial_seen_at: None,
            settled: false,
            subscription: None,
            parent: None,
        }
    }

    fn at(order: &PanelOrder, age: i64) -> (Word, i64, i64) {
        let shown = order.snapshot(order.placed_at + age);
        (shown.word, shown.remains, shown.charge.0)
    }

    #[test]
    fn a_normal_order_completes_within_ten_seconds() {
        let normal = order("");
        assert_eq!(at(&normal, 0), (Word::Pending, 1000, 900_000));
        assert_eq!(at(&normal, 2_000), (Word::InProgress, 1000, 900_000));
        assert_eq!(at(&normal, 4_000), (Word::InProgress, 500, 900_000));
        assert_eq!(at(&normal, 6_000), (Word::Completed, 0, 900_000));
        assert_eq!(normal.snapshot(50_000).start_count, None);
        assert!(normal.snapshot(53_000).start_count.is_some());
    }

    #[test]
    fn partial_keeps_the_part_that_was_delivered() {
        let partial = order("partial:157");
        assert_eq!(at(&partial, 6_000), (Word::Partial, 157, 900_000 - 141_300));
        assert_eq!(partial.due_back(56_000), Usd(141_300));
        assert_eq!(partial.due_back(55_999), Usd::ZERO);
        assert_eq!(
            read_link("https://x.test/a?sandbox=partial%3A9").0,
            Script::Partial(9)
        );
    }

    #[test]
    fn impossible_remains_are_told_but_give_nothing_back() {
        assert_eq!(
            at(&order("remains:-5"), 9_000),
            (Word::Partial, -5, 900_000)
        );
        assert_eq!(
            at(&order("remains:5000"), 9_000),
            (Word::Partial, 5000, 900_000)
        );
    }

    #[test]
    fn a_corrected_order_gives_its_last_share_back_when_it_is_corrected() {
        let late = order("late:300");
        assert_eq!(at(&late, 29_999), (Word::Completed, 0, 900_000));
        assert_eq!(at(&late, 30_000), (Word::Partial, 300, 630_000));
        let more = order("more:300");
        assert_eq!(at(&more, 6_000), (Word::Partial, 150, 765_000));
        assert_eq!(at(&more, 30_000), (Word::Partial, 300, 630_000));
        for corrected in [late, more] {
            assert_eq!(corrected.settles_at(), [Some(80_000), None]);
            assert_eq!(corrected.due_back(80_000), Usd(270_000));
        }
    }

    #[test]
    fn canceled_gives_everything_back_and_never_stays() {
        assert_eq!(
            at(&order("canceled"), 3_999),
            (Word::Pending, 1000, 900_000)
        );
        assert_eq!(at(&order("canceled"), 4_000), (Word::Canceled, 1000, 0));
        assert_eq!(
            at(&order("never"), 1_000_000),
            (Word::InProgress, 500, 900_000)
        );
    }

    #[test]
    fn a_regressing_order_shows_partial_once_and_then_completes() {
        let mut regress = order("regress");
        assert_eq!(at(&regress, 2_000), (Word::Partial, 500, 450_000));
        assert!(regress.shows_false_partial(53_000));
        regress.partial_seen_at = Some(53_000);
        assert_eq!(at(&regress, 3_000).0, Word::Partial);
        assert_eq!(at(&regress, 3_001), (Word::InProgress, 500, 900_000));
        assert_eq!(at(&regress, 7_000), (Word::Completed, 0, 900_000));
        assert!(!regress.shows_false_partial(60_000));
        assert_eq!(regress.due_back(60_000), Usd::ZERO);
    }

    #[test]
    fn a_cancel_takes_a_second_and_ends_as_canceled_partial_or_not_at_all() {
        let asked = |age: i64| PanelOrder {
            cancel_at: Some(50_000 + age),
            ..order("")
        };
        assert_eq!(at(&asked(500), 1_499).0, Word::Pending);
        assert_eq!(at(&asked(500), 1_500), (Word::Canceled, 1000, 0));
        assert_eq!(at(&asked(3_000), 4_000), (Word::Partial, 500, 450_000));
        assert_eq!(at(&asked(5_500), 7_000), (Word::Completed, 0, 900_000));
        let stuck = PanelOrder {
            cancel_at: Some(80_000),
            ..order("never")
        };
        assert_eq!(at(&stuck, 31_000), (Word::Partial, 500, 450_000));
        assert_eq!(stuck.due_back(81_000), Usd(450_000));
    }

    #[test]
    fn links_choose_the_manner_of_the_answer() {
        for (wish, manner) in [
            ("lost", LinkManner::Lost),
            ("lostbefore", LinkManner::LostBefore),
            ("slow", LinkManner::Slow),
            ("unknown", LinkManner::Plain),
        ] {
            let link = format!("https://x.test/a?sandbox={wish}#top");
            assert_eq!(read_link(&link), (Script::Normal, manner));
        }
        assert_eq!(
            read_link("https://x.test/sandbox=lost"),
            (Script::Normal, LinkManner::Plain)
        );
    }
}
