//! What a processor moved of the money it took for us: its fees, and what it paid out to our bank. Its own
//! list tells of them, a line each; a line is booked once, however often the list is read.

use super::CURRENCY;
use super::fact::{MICROS_IN_CENT, Sum};
use super::processor::Processor;
use crate::ledger::Entry;
use crate::time::Timestamp;
use crate::usd::Usd;
use std::collections::BTreeMap;

/// Cents that a line may move at most: ten million dollars. Sums of lists stay far from what 64 bits hold.
const MOST_CENTS: u64 = 1_000_000_000;

/// What of a line is booked. A line may have a part of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MovementKind {
    /// What the processor kept for itself.
    Fee,
    /// What it sent to our bank.
    Payout,
}

impl MovementKind {
    /// Stable word.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Fee => "fee",
            Self::Payout => "payout",
        }
    }

    /// Reads a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        [Self::Fee, Self::Payout]
            .into_iter()
            .find(|kind| kind.slug() == slug)
    }
}

/// A part of a line that is booked. Processor, reference and kind together occur once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessorMovement {
    /// Row.
    pub id: i64,
    /// Who moved it.
    pub processor: Processor,
    /// The processor's id of the line.
    pub reference: String,
    /// Which part of it.
    pub kind: MovementKind,
    /// What left the clearing account; below zero where it came back. Never zero.
    pub amount: Usd,
    /// The processor's word for the line. Hostile text.
    pub word: String,
    /// When it moved, as the processor says.
    pub moved_at: Timestamp,
}

impl ProcessorMovement {
    /// Its entry in the books.
    pub fn entry(&self) -> Entry {
        Entry::processor_movement(self.id, self.processor, self.kind, self.amount)
    }
}

/// What a line of a processor's list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// A payment, what was returned of one, or a dispute: top-ups tell of its amount, it of its fee alone.
    Payment,
    /// Money went to our bank, or came from there.
    Payout,
    /// A fee that stands by itself.
    Fee,
    /// Nothing that we know how to book.
    Other,
}

/// A line of a processor's own list of what moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyLine {
    /// The processor's id of it.
    pub reference: String,
    /// The processor's word for what it is. Hostile text.
    pub word: String,
    /// What that means.
    pub kind: LineKind,
    /// What it added to what the processor owes us, before its fee; below zero what left.
    pub gross: Sum,
    /// What the processor kept of it, in the same units; below zero where it gave a fee back.
    pub fee_minor: i64,
    /// When it moved.
    pub at: Timestamp,
}

impl MoneyLine {
    /// What of it is booked: parts of zero are not. Nothing where it cannot be booked: it is in another
    /// currency, of no known kind, or too large to be true.
    fn parts(&self) -> Option<Vec<(MovementKind, Usd)>> {
        let gross = self.gross.minor;
        let fee = self.fee_minor;
        let (fee, payout) = match self.kind {
            LineKind::Payment => (fee, 0),
            LineKind::Payout => (fee, gross.checked_neg()?),
            LineKind::Fee => (fee.checked_sub(gross)?, 0),
            LineKind::Other if gross == 0 => (fee, 0),
            LineKind::Other => return None,
        };
        if !self.gross.currency.eq_ignore_ascii_case(CURRENCY) {
            return (fee == 0 && payout == 0).then(Vec::new);
        }
        let mut parts = Vec::new();
        for (kind, minor) in [(MovementKind::Fee, fee), (MovementKind::Payout, payout)] {
            match minor.unsigned_abs() {
                0 => {}
                1..=MOST_CENTS => parts.push((kind, Usd(minor * MICROS_IN_CENT))),
                _ => return None,
            }
        }
        Some(parts)
    }
}

/// What comes of holding a day's lines against what is booked of that day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// To be booked, without their ids.
    pub new: Vec<ProcessorMovement>,
    /// What cannot be booked, or was booked and is told differently now.
    pub unexplained: Vec<String>,
}

/// Holds a processor's lines against what is `booked` of the same span. What is booked stays as it is: a line
/// that changed is told of, never booked a second time.
pub fn movements(processor: Processor, lines: &[MoneyLine], booked: &[ProcessorMovement]) -> Moved {
    let place = |one: &ProcessorMovement| (one.reference.clone(), one.kind);
    let mut unseen: BTreeMap<_, _> = booked.iter().map(|one| (place(one), one)).collect();
    let mut seen: BTreeMap<(String, MovementKind), Usd> = BTreeMap::new();
    let mut left_out: BTreeMap<(&str, String), (usize, &str)> = BTreeMap::new();
    let mut moved = Moved::default();
    for line in lines {
        let Some(parts) = line.parts() else {
            let what = (line.word.as_str(), line.gross.currency.to_ascii_uppercase());
            left_out.entry(what).or_insert((0, &line.reference)).0 += 1;
            continue;
        };
        for (kind, amount) in parts {
            let place = (line.reference.clone(), kind);
            let known = unseen.remove(&place).map(|one| one.amount);
            match known.or_else(|| seen.get(&place).copied()) {
                Some(known) if known == amount => {}
                Some(known) => moved.unexplained.push(format!(
                    "the {} of {:.60} was booked as {known} and is told as {amount}",
                    kind.slug(),
                    line.reference,
                )),
                None => moved.new.push(ProcessorMovement {
                    id: 0,
                    processor,
                    reference: line.reference.clone(),
                    kind,
                    amount,
                    word: line.word.clone(),
                    moved_at: line.at,
                }),
            }
            seen.entry(place).or_insert(known.unwrap_or(amount));
        }
    }
    for one in unseen.values() {
        let (kind, reference, amount) = (one.kind.slug(), &one.reference, one.amount);
        moved.unexplained.push(format!(
            "the {kind} of {reference:.60} was booked as {amount} and is not told any more"
        ));
    }
    for ((word, currency), (count, first)) in left_out {
        moved.unexplained.push(format!(
            "not booked: {count} of {word:.40} in {currency:.8}, the first is {first:.60}"
        ));
    }
    moved
}

/// What stands between a processor and us, from the beginning on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clearing {
    /// Whose.
    pub processor: Processor,
    /// What customers paid there for top-ups that were credited, fees for the way of paying included.
    pub credited: Usd,
    /// What of it went back to them, less what came again.
    pub returned: Usd,
    /// What the processor kept for itself.
    pub fees: Usd,
    /// What it sent to our bank.
    pub paid_out: Usd,
}

impl Clearing {
    /// Nothing yet.
    pub fn of(processor: Processor) -> Self {
        Self {
            processor,
            credited: Usd::ZERO,
            returned: Usd::ZERO,
            fees: Usd::ZERO,
            paid_out: Usd::ZERO,
        }
    }

    /// What the processor still owes us; below zero what we owe it.
    pub fn open(&self) -> Usd {
        Usd(self.credited.0 - self.returned.0 - self.fees.0 - self.paid_out.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Book, Posting};

    const STRIPE: Processor = Processor::Stripe;

    fn line(reference: &str, kind: LineKind, gross: i64, fee_minor: i64) -> MoneyLine {
        MoneyLine {
            reference: reference.into(),
            word: "a word".into(),
            kind,
            gross: Sum {
                minor: gross,
                currency: "usd".into(),
            },
            fee_minor,
            at: Timestamp(5),
        }
    }

    fn booked(lines: &[MoneyLine]) -> Vec<ProcessorMovement> {
        movements(STRIPE, lines, &[]).new
    }

    fn parts(found: &[ProcessorMovement]) -> Vec<(&str, MovementKind, i64)> {
        let part = |one: &ProcessorMovement| one.amount.0 / MICROS_IN_CENT;
        let all = found.iter();
        all.map(|one| (one.reference.as_str(), one.kind, part(one)))
            .collect()
    }

    #[test]
    fn each_part_of_a_line_is_booked_and_nothing_of_zero() {
        use MovementKind::{Fee, Payout};
        let lines = [
            line("charge", LineKind::Payment, 2500, 103),
            line("free", LineKind::Payment, 2500, 0),
            line("refund", LineKind::Payment, -1000, 0),
            line("dispute", LineKind::Payment, -2500, 1500),
            line("won", LineKind::Payment, 2500, -1500),
            line("payout", LineKind::Payout, -4000, 0),
            line("instant", LineKind::Payout, -1000, 15),
            line("bounced", LineKind::Payout, 1000, 0),
            line("radar", LineKind::Fee, -7, 0),
            line("nothing", LineKind::Other, 0, 0),
        ];
        let moved = movements(STRIPE, &lines, &[]);
        let expected = [
            ("charge", Fee, 103),
            ("dispute", Fee, 1500),
            ("won", Fee, -1500),
            ("payout", Payout, 4000),
            ("instant", Fee, 15),
            ("instant", Payout, 1000),
            ("bounced", Payout, -1000),
            ("radar", Fee, 7),
        ];
        assert_eq!(parts(&moved.new), expected);
        assert_eq!(moved.unexplained, Vec::<String>::new());
        for one in &moved.new {
            let entry = one.entry();
            assert!(entry.balances());
            let clearing = Posting {
                book: Book::ProcessorClearing(STRIPE),
                amount: one.amount,
            };
            assert_eq!(entry.postings[0], clearing, "what left it is owed no more");
        }
    }

    #[test]
    fn what_is_booked_stays_whatever_the_list_says_later() {
        let first = [
            line("a", LineKind::Payment, 2500, 103),
            line("b", LineKind::Payout, -4000, 0),
        ];
        let known = booked(&first);
        let again = movements(STRIPE, &first, &known);
        assert_eq!((again.new.len(), again.unexplained.len()), (0, 0));
        let twice = [first[0].clone(), first[0].clone()];
        assert_eq!(booked(&twice).len(), 1, "two pages may both have it");
        let changed = [line("a", LineKind::Payment, 2500, 104)];
        let changed = movements(STRIPE, &changed, &known);
        assert_eq!(changed.new, []);
        assert_eq!(
            changed.unexplained,
            [
                "the fee of a was booked as 1.030000 and is told as 1.040000",
                "the payout of b was booked as 40.000000 and is not told any more",
            ]
        );
        let late = [
            first[0].clone(),
            first[1].clone(),
            line("c", LineKind::Fee, -2, 0),
        ];
        let late = movements(STRIPE, &late, &known);
        assert_eq!(parts(&late.new), [("c", MovementKind::Fee, 2)]);
    }

    #[test]
    fn what_nobody_can_book_is_told_and_not_guessed() {
        let euros = |reference: &str, fee| {
            let mut one = line(reference, LineKind::Payment, 2500, fee);
            one.gross.currency = "eur".into();
            one
        };
        let lines = [
            euros("e1", 100),
            euros("e2", 100),
            euros("without a fee", 0),
            line("odd", LineKind::Other, -5, 3),
            line("large", LineKind::Payout, -1_000_000_001, 0),
            line("larger", LineKind::Payout, i64::MIN, 0),
            line("largest", LineKind::Fee, i64::MIN, 1),
        ];
        let moved = movements(STRIPE, &lines, &[]);
        assert_eq!(moved.new, []);
        assert_eq!(
            moved.unexplained,
            [
                "not booked: 2 of a word in EUR, the first is e1",
                "not booked: 4 of a word in USD, the first is odd",
            ]
        );
    }

    #[test]
    fn what_is_open_is_what_was_taken_and_neither_returned_kept_nor_sent() {
        let clearing = Clearing {
            credited: Usd(100),
            returned: Usd(10),
            fees: Usd(3),
            paid_out: Usd(80),
            ..Clearing::of(STRIPE)
        };
        assert_eq!(clearing.open(), Usd(7));
        assert_eq!(Clearing::of(STRIPE).open(), Usd::ZERO);
    }
}
