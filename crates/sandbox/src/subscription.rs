//! Subscriptions: for every post of a user the panel makes an order of its own.

use crate::mix::pick;
use serde::{Deserialize, Serialize};

/// Somebody posts this often, in milliseconds.
const POST_MS: i64 = 2_000;
/// A cancel takes effect after this long, in milliseconds.
const CANCEL_TAKES_MS: i64 = 1_000;
/// Most posts that are waited for, whatever was asked for.
const POSTS_MAX: u64 = 1_000;

/// What each post gets, and how many posts there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subscription {
    /// Least units of a post.
    pub(crate) least: u64,
    /// Most units of a post.
    pub(crate) most: u64,
    /// Posts that are served; 0 for as many as there are.
    pub(crate) posts: u64,
}

impl Subscription {
    /// When somebody posts, for one that began at `begun_at`; unix milliseconds.
    pub(crate) fn posts_at(self, begun_at: i64) -> impl Iterator<Item = i64> {
        let count = match self.posts {
            0 => POSTS_MAX,
            posts => posts.min(POSTS_MAX),
        };
        let last = i64::try_from(count).unwrap_or(0);
        (1..=last).map(move |post| begun_at + post * POST_MS)
    }

    /// Units of the order with this id, made for a post at `at`; none once a cancel has taken
    /// effect.
    pub(crate) fn units_of(self, cancel_at: Option<i64>, id: u64, at: i64) -> Option<u64> {
        let cancelled = cancel_at.is_some_and(|asked| asked + CANCEL_TAKES_MS <= at);
        let span = self.most - self.least + 1;
        (!cancelled).then(|| self.least + pick(span, &[9, id]))
    }

    /// Whether no further order will be made at `now`.
    pub(crate) fn is_over(self, begun_at: i64, cancel_at: Option<i64>, now: i64) -> bool {
        let cancelled = cancel_at.is_some_and(|asked| asked + CANCEL_TAKES_MS <= now);
        cancelled
            || self
                .posts_at(begun_at)
                .last()
                .is_none_or(|last| last <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: Subscription = Subscription {
        least: 20,
        most: 30,
        posts: 3,
    };

    #[test]
    fn every_post_gets_between_least_and_most_until_a_cancel() {
        assert_eq!(
            THREE.posts_at(1_000).collect::<Vec<_>>(),
            [3_000, 5_000, 7_000]
        );
        for id in 0..100 {
            let units = THREE.units_of(None, id, 3_000).unwrap();
            assert!((20..=30).contains(&units), "{units}");
        }
        assert_eq!(THREE.units_of(Some(2_000), 7, 3_000), None);
        assert!(THREE.units_of(Some(2_001), 7, 3_000).is_some());
    }

    #[test]
    fn it_is_over_with_its_last_post_or_a_cancel() {
        assert!(!THREE.is_over(1_000, None, 6_999));
        assert!(THREE.is_over(1_000, None, 7_000));
        assert!(THREE.is_over(1_000, Some(2_000), 3_000));
    }
}
