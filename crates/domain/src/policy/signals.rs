//! What an account's latest orders tell: pure figures over what the store remembers.

use super::ladder::Signal;
use crate::time::{Millis, Timestamp};

const HOUR: Millis = Millis::minutes(60);
/// Numbers bought in an hour above which it is looked at.
const BUYS_PER_HOUR: usize = 50;
/// Cancels in an hour above which it is looked at.
const CANCELS_PER_HOUR: usize = 20;
/// Ended activations that a success rate is taken over, and how many there must be.
const RATE_OVER: usize = 50;
const RATE_LEAST: usize = 20;
/// Points of a hundred below what others have on the same routes.
const FAR_OFF: usize = 40;

/// Requests in an hour with keys that do not work, from which it is looked at.
pub const FAILED_KEYS: u32 = 20;
/// Withheld messages from which it is looked at.
pub const WITHHELD: u64 = 2;
/// Accounts signed in from one device from which it is looked at.
pub const SHARED: usize = 3;

/// A signal with what was seen.
pub type Seen = (Signal, String);

/// An activation of the account, as it was in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentNumber {
    /// When it was ordered.
    pub at: Timestamp,
    /// When its buyer gave it back.
    pub cancelled_at: Option<Timestamp>,
    /// Whether a code came; nothing while it may still come.
    pub received: Option<bool>,
    /// How often codes come on this route for everybody, in percent; nothing while nobody knows.
    pub usual: Option<u8>,
}

/// What the latest purchases (newest first; failed ones are not among them) tell at this time.
pub fn of_orders(latest: &[RecentNumber], now: Timestamp) -> Vec<Seen> {
    let lately = |at: Timestamp| now - at < HOUR;
    let buys = latest.iter().filter(|one| lately(one.at)).count();
    let cancels = latest
        .iter()
        .filter(|one| one.cancelled_at.is_some_and(lately))
        .count();
    let many = |signal, count: usize, most: usize, what: &str| {
        (count > most).then(|| (signal, format!("{count} {what} within an hour")))
    };
    [
        many(Signal::ManyBuys, buys, BUYS_PER_HOUR, "numbers bought"),
        many(
            Signal::ManyCancels,
            cancels,
            CANCELS_PER_HOUR,
            "numbers cancelled",
        ),
        far_off(latest),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Codes that came far less often than they come for others.
fn far_off(latest: &[RecentNumber]) -> Option<Seen> {
    let ended = latest
        .iter()
        .filter_map(|one| Some((one.received?, one.usual?)));
    let ended: Vec<(bool, u8)> = ended.take(RATE_OVER).collect();
    let count = ended.len();
    if count < RATE_LEAST {
        return None;
    }
    let own = ended.iter().filter(|(received, _)| *received).count() * 100 / count;
    let usual = ended
        .iter()
        .map(|(_, usual)| usize::from(*usual))
        .sum::<usize>()
        / count;
    (own + FAR_OFF <= usual).then(|| {
        let said = format!("a code came for {own} % of {count}, where {usual} % are usual");
        (Signal::LowSuccess, said)
    })
}
