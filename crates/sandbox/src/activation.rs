//! One activation: what it is at a given moment, and what may be asked of it.
//!
//! Only the sale, a request for another message and the end are remembered; messages follow from
//! the time that has passed.

use crate::catalogue::{Misbehaviour, ServiceIndex};
use crate::mix::pick;
use domain::usd::Usd;

/// An activation closes by itself at this age, in milliseconds.
pub(crate) const LIFETIME_MS: i64 = 20 * 60 * 1000;
/// A normal code comes at this age.
const CODE_MS: i64 = 4_000;
/// Nobody can have asked for a code before the number is known: after a slow answer it comes later,
const SLOW_CODE_MS: i64 = 9_000;
/// and after a lost one later still, when whoever bought it can have found the number.
const LOST_CODE_MS: i64 = 20_000;
/// The late code comes at this age.
const LATE_CODE_MS: i64 = 60_000;
/// The second code comes at this age where no other message was asked for before.
const SECOND_CODE_MS: i64 = 12_000;
/// The second code comes this long after another message was asked for.
const SECOND_CODE_AFTER_RETRY_MS: i64 = 8_000;
/// The provider's own cancel comes at this age.
const CANCELLED_UPSTREAM_MS: i64 = 6_000;

/// How an activation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Closed after a code; paid.
    Finished,
    /// Closed without a code on request or by the provider; refunded.
    Cancelled,
    /// Lifetime over without a code; refunded.
    Expired,
}

/// A number that was sold.
#[derive(Clone, Debug)]
pub(crate) struct Activation {
    /// Id, unique over all accounts.
    pub(crate) id: u64,
    /// Position of the account that bought it.
    pub(crate) account: usize,
    /// The server's own country id.
    pub(crate) country_id: usize,
    /// What was bought.
    pub(crate) service: ServiceIndex,
    /// Pool it came from, where there are pools.
    pub(crate) pool: Option<u16>,
    /// The number's digits.
    pub(crate) phone: u64,
    /// What was debited.
    pub(crate) cost: Usd,
    /// When it was sold, unix milliseconds.
    pub(crate) sold_at: i64,
    /// When another message was asked for first and last: the first decides when the second code
    /// comes, the last whether something is still waited for.
    pub(crate) retries: Option<(i64, i64)>,
    /// How and when it ended.
    pub(crate) ended: Option<(Ending, i64)>,
}

/// What an activation is at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No message yet.
    Waiting,
    /// So many messages, at least one, and no other one is asked for.
    Got(u32),
    /// So many messages, and another one is asked for.
    Retry(u32),
    /// Over.
    Ended(Ending),
}

/// What a client may ask for by `setStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// 1: ready to receive.
    Ready,
    /// 3: another message.
    Retry,
    /// 6: done.
    Finish,
    /// 8 or -1: cancel.
    Cancel,
}

/// Why a wish is not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Not allowed in this stage.
    WrongStage,
    /// The cancel lock is still on.
    TooEarly,
    /// A cancel of what was cancelled or has expired before.
    CancelledBefore,
}

impl Activation {
    /// What it is at `now`.
    pub(crate) fn stage(&self, now: i64) -> Stage {
        if let Some((ending, _)) = self.ended {
            return Stage::Ended(ending);
        }
        let count = self.messages(now);
        let newest_at = count
            .checked_sub(1)
            .map_or(i64::MIN, |at| self.message_times()[at]);
        match (count, self.retries) {
            (0, _) => Stage::Waiting,
            (_, Some((_, asked))) if newest_at <= asked => Stage::Retry(amount(count)),
            _ => Stage::Got(amount(count)),
        }
    }

    /// Enters that another message was asked for.
    pub(crate) fn retry_asked(&mut self, at: i64) {
        let first = self.retries.map_or(at, |(first, _)| first);
        self.retries = Some((first, at));
    }

    /// Whether `wish` is granted at `now`, where cancels are locked until `lock_ms` of age.
    pub(crate) fn may(&self, wish: Wish, now: i64, lock_ms: i64) -> Result<(), Denied> {
        match (self.stage(now), wish) {
            (Stage::Waiting, Wish::Ready) => Ok(()),
            (Stage::Waiting, Wish::Cancel) if now - self.sold_at < lock_ms => Err(Denied::TooEarly),
            (Stage::Waiting, Wish::Cancel) => Ok(()),
            (Stage::Got(_) | Stage::Retry(_), Wish::Retry | Wish::Finish) => Ok(()),
            (Stage::Ended(Ending::Cancelled | Ending::Expired), Wish::Cancel) => {
                Err(Denied::CancelledBefore)
            }
            _ => Err(Denied::WrongStage),
        }
    }

    /// When and how it ends if nobody does anything.
    pub(crate) fn own_end(&self) -> (i64, Ending) {
        if self.service.behaviour() == Some(Misbehaviour::CancelledUpstream) {
            return (self.sold_at + CANCELLED_UPSTREAM_MS, Ending::Cancelled);
        }
        let at = self.sold_at + LIFETIME_MS;
        (
            at,
            if self.messages(at) > 0 {
                Ending::Finished
            } else {
                Ending::Expired
            },
        )
    }

    /// How many messages have come by `now`; none come after the end.
    pub(crate) fn messages(&self, now: i64) -> usize {
        let until = self.ended.map_or(now, |(_, at)| at.min(now));
        self.message_times()
            .iter()
            .filter(|&&at| at <= until)
            .count()
    }

    /// When the message with this position comes or came, unix milliseconds.
    pub(crate) fn message_time(&self, position: usize) -> Option<i64> {
        self.message_times()
            .get(position)
            .copied()
            .filter(|&at| at < i64::MAX)
    }

    /// The six-digit code of the message with this position; neighbours differ.
    pub(crate) fn code(&self, seed: u64, position: usize) -> String {
        let first = pick(1_000_000, &[seed, self.id]);
        let step = pick(999_999, &[seed, self.id, 1]) + 1;
        format!("{:06}", (first + step * position as u64) % 1_000_000)
    }

    /// The whole message with this position.
    pub(crate) fn text(&self, seed: u64, position: usize) -> String {
        let code = self.code(seed, position);
        if self.service.behaviour() == Some(Misbehaviour::BankText) {
            return format!(
                "First Harbor Bank: use {code} to confirm your transfer of USD 950. \
                 Do not share this code with anyone, we will never ask for it."
            );
        }
        format!("Your {} code is {code}", self.service.name())
    }

    /// Times of the two messages there can be; `i64::MAX` for one that never comes.
    fn message_times(&self) -> [i64; 2] {
        let after = |age: i64| self.sold_at + age;
        match self.service.behaviour() {
            Some(Misbehaviour::NeverACode | Misbehaviour::CancelledUpstream) => [i64::MAX; 2],
            Some(Misbehaviour::LateCode) => [after(LATE_CODE_MS), i64::MAX],
            Some(Misbehaviour::SecondCode) => [after(CODE_MS), self.second_code_at()],
            Some(Misbehaviour::SlowAnswer) => [after(SLOW_CODE_MS), i64::MAX],
            Some(Misbehaviour::LostAfterSale) => [after(LOST_CODE_MS), i64::MAX],
            _ => [after(CODE_MS), i64::MAX],
        }
    }

    fn second_code_at(&self) -> i64 {
        let unasked = self.sold_at + SECOND_CODE_MS;
        match self.retries {
            Some((asked, _)) if asked < unasked => asked + SECOND_CODE_AFTER_RETRY_MS,
            _ => unasked,
        }
    }
}

fn amount(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::misbehaving_services;

    const LOCK: i64 = 120_000;

    fn sold(behaviour: Option<Misbehaviour>) -> Activation {
        let service = ServiceIndex::all()
            .find(|service| service.behaviour() == behaviour)
            .unwrap();
        Activation {
            id: 635_000_001,
            account: 0,
            country_id: 13,
            service,
            pool: None,
            phone: 14_155_550_100,
            cost: Usd(10_000),
            sold_at: 1_000_000,
            retries: None,
            ended: None,
        }
    }

    fn after(ms: i64) -> i64 {
        1_000_000 + ms
    }

    #[test]
    fn the_code_comes_exactly_four_seconds_after_the_sale() {
        let normal = sold(None);
        assert_eq!(normal.stage(after(3_999)), Stage::Waiting);
        assert_eq!(normal.stage(after(4_000)), Stage::Got(1));
        assert_eq!(normal.own_end(), (after(LIFETIME_MS), Ending::Finished));
    }

    #[test]
    fn scripts_of_the_misbehaving_services() {
        for (behaviour, first, second) in [
            (Misbehaviour::NeverACode, None, None),
            (Misbehaviour::LateCode, Some(60_000), None),
            (Misbehaviour::SlowAnswer, Some(9_000), None),
            (Misbehaviour::LostAfterSale, Some(20_000), None),
            (Misbehaviour::CancelledUpstream, None, None),
            (Misbehaviour::SecondCode, Some(4_000), Some(12_000)),
            (Misbehaviour::BankText, Some(4_000), None),
        ] {
            let odd = sold(Some(behaviour));
            assert_eq!(odd.message_time(0), first.map(after), "{behaviour:?}");
            assert_eq!(odd.message_time(1), second.map(after), "{behaviour:?}");
        }
        let never = sold(Some(Misbehaviour::NeverACode));
        assert_eq!(never.own_end(), (after(LIFETIME_MS), Ending::Expired));
        let cancelled = sold(Some(Misbehaviour::CancelledUpstream));
        assert_eq!(cancelled.own_end(), (after(6_000), Ending::Cancelled));
        assert_eq!(misbehaving_services().len(), 10);
    }

    #[test]
    fn each_stage_grants_what_the_state_table_says() {
        use Denied::{TooEarly, WrongStage};
        let normal = sold(None);
        let wishes = [Wish::Ready, Wish::Retry, Wish::Finish, Wish::Cancel];
        let granted =
            |activation: &Activation, now| wishes.map(|wish| activation.may(wish, now, LOCK));
        let waiting = [Ok(()), Err(WrongStage), Err(WrongStage), Err(TooEarly)];
        assert_eq!(granted(&normal, after(1)), waiting);
        let got = [Err(WrongStage), Ok(()), Ok(()), Err(WrongStage)];
        assert_eq!(granted(&normal, after(5_000)), got);
        assert_eq!(granted(&normal, after(500_000)), got);
        let retry = Activation {
            retries: Some((after(5_000), after(5_000))),
            ..normal.clone()
        };
        assert_eq!(retry.stage(after(6_000)), Stage::Retry(1));
        assert_eq!(granted(&retry, after(6_000)), got);
        let done = Activation {
            ended: Some((Ending::Finished, after(7_000))),
            ..normal
        };
        assert_eq!(granted(&done, after(8_000)), [Err(WrongStage); 4]);
    }

    #[test]
    fn the_cancel_lock_opens_to_the_millisecond_and_repeats_are_told_apart() {
        let never = sold(Some(Misbehaviour::NeverACode));
        assert_eq!(
            never.may(Wish::Cancel, after(LOCK - 1), LOCK),
            Err(Denied::TooEarly)
        );
        assert_eq!(never.may(Wish::Cancel, after(LOCK), LOCK), Ok(()));
        for ending in [Ending::Cancelled, Ending::Expired] {
            let over = Activation {
                ended: Some((ending, after(LOCK))),
                ..never.clone()
            };
            let repeated = over.may(Wish::Cancel, after(LOCK + 1), LOCK);
            assert_eq!(repeated, Err(Denied::CancelledBefore));
            assert_eq!(
                over.may(Wish::Finish, after(LOCK + 1), LOCK),
                Err(Denied::WrongStage)
            );
        }
    }

    #[test]
    fn a_second_code_follows_a_retry_by_eight_seconds() {
        let asked = Activation {
            retries: Some((after(5_000), after(5_000))),
            ..sold(Some(Misbehaviour::SecondCode))
        };
        assert_eq!(asked.stage(after(12_500)), Stage::Retry(1));
        assert_eq!(asked.stage(after(13_000)), Stage::Got(2));
        assert_ne!(asked.code(7, 0), asked.code(7, 1));
        let again = Activation {
            retries: Some((after(5_000), after(20_000))),
            ..asked
        };
        assert_eq!(again.stage(after(30_000)), Stage::Retry(2));
        let late = Activation {
            retries: Some((after(20_000), after(20_000))),
            ..again
        };
        assert_eq!(late.messages(after(12_000)), 2);
        assert_eq!(late.stage(after(30_000)), Stage::Retry(2));
    }

    #[test]
    fn nothing_comes_after_the_end_and_codes_have_six_digits() {
        let mut ended = sold(None);
        ended.ended = Some((Ending::Cancelled, after(2_000)));
        assert_eq!(ended.messages(after(10_000)), 0);
        for id in 0..500 {
            let code = Activation { id, ..sold(None) }.code(3, 0);
            assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()));
        }
        assert!(
            sold(None)
                .text(3, 0)
                .ends_with(&format!("code is {}", sold(None).code(3, 0)))
        );
        assert!(
            sold(Some(Misbehaviour::BankText))
                .text(3, 0)
                .contains("transfer")
        );
    }
}
