//! The hash chain over a customer's legs: an edited, removed or reordered leg breaks it.

use domain::ids::AccountId;
use domain::ledger::Posting;
use domain::time::Timestamp;
use sha2::{Digest, Sha256};

/// State of a chain: SHA-256 over the state before and one leg.
pub(crate) type Link = [u8; 32];

/// Chain of a wallet that never moved.
pub(crate) const START: Link = [0; 32];

/// Parts of the event a leg belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Event<'a> {
    /// Word of the cause.
    pub kind: &'a str,
    /// Reference of the cause.
    pub reference: i64,
    /// Number of the cause.
    pub seq: i64,
    /// When it was decided.
    pub at: Timestamp,
}

/// The chain after one more leg. Words end with a zero byte and numbers have eight bytes, so
/// that no two legs share their bytes.
pub(crate) fn extend(previous: &Link, event: Event<'_>, owner: AccountId, leg: &Posting) -> Link {
    let mut bytes = Vec::with_capacity(128);
    bytes.extend_from_slice(previous);
    for word in [event.kind, leg.book.slug()] {
        bytes.extend_from_slice(word.as_bytes());
        bytes.push(0);
    }
    let numbers = [
        event.reference,
        event.seq,
        event.at.0,
        owner.0,
        leg.amount.0,
    ];
    for number in numbers {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    Sha256::digest(&bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ledger::Book;
    use domain::usd::Usd;

    const EVENT: Event<'static> = Event {
        kind: "hold",
        reference: 7,
        seq: 0,
        at: Timestamp(1),
    };

    fn leg(amount: i64) -> Posting {
        Posting {
            book: Book::Available(AccountId(1)),
            amount: Usd(amount),
        }
    }

    #[test]
    fn every_member_of_a_leg_counts() {
        let ana = AccountId(1);
        let first = extend(&START, EVENT, ana, &leg(5));
        let held = Posting {
            book: Book::Held(ana),
            amount: Usd(5),
        };
        let others = [
            extend(&first, EVENT, ana, &leg(5)),
            extend(&START, EVENT, ana, &leg(6)),
            extend(&START, EVENT, AccountId(2), &leg(5)),
            extend(&START, EVENT, ana, &held),
            extend(
                &START,
                Event {
                    kind: "credit",
                    ..EVENT
                },
                ana,
                &leg(5),
            ),
            extend(
                &START,
                Event {
                    reference: 8,
                    ..EVENT
                },
                ana,
                &leg(5),
            ),
            extend(&START, Event { seq: 1, ..EVENT }, ana, &leg(5)),
            extend(
                &START,
                Event {
                    at: Timestamp(2),
                    ..EVENT
                },
                ana,
                &leg(5),
            ),
        ];
        for other in others {
            assert_ne!(first, other);
        }
    }
}
