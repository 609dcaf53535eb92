//! The house's books by upstream and day: what each upstream took and gave back, and what for.

use crate::ledger::Book;
use crate::time::Timestamp;
use crate::usd::Usd;
use std::collections::BTreeMap;

/// Milliseconds of a day; days are UTC.
pub const DAY_MS: i64 = 86_400_000;

/// One leg of an entry that moved money at an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseLeg {
    /// When.
    pub at: Timestamp,
    /// The upstream that the entry is about.
    pub upstream: String,
    /// Account.
    pub book: Book,
    /// Amount.
    pub amount: Usd,
}

/// One upstream's day. All in micro-dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayOfBooks {
    /// What was paid in.
    pub paid_in: Usd,
    /// What the upstream took.
    pub spent: Usd,
    /// What it gave back.
    pub returned: Usd,
    /// Quoted cost of posted orders.
    pub cost: Usd,
    /// What it took beside its quotes.
    pub variance: Usd,
    /// Orphans in hand: rises when one is found, falls when it is settled.
    pub orphan: Usd,
    /// Losses accepted.
    pub written_off: Usd,
}

impl DayOfBooks {
    /// What was taken and is in none of these accounts: zero, or the books are wrong.
    pub fn unexplained(&self) -> Usd {
        let explained = self.cost.0 + self.variance.0 + self.orphan.0 + self.written_off.0;
        Usd(self.spent.0 - self.returned.0 - explained)
    }

    fn add(&mut self, leg: &HouseLeg, funded: bool) {
        let amount = leg.amount.0;
        match &leg.book {
            Book::Funding => self.paid_in.0 -= amount,
            Book::Prepaid(_) if funded => {}
            Book::Prepaid(_) if amount < 0 => self.spent.0 -= amount,
            Book::Prepaid(_) => self.returned.0 += amount,
            Book::Cost(_) => self.cost.0 += amount,
            Book::Variance(_) => self.variance.0 += amount,
            Book::Orphan(_) => self.orphan.0 += amount,
            Book::WriteOff => self.written_off.0 += amount,
            _ => {}
        }
    }
}

/// Sums up events, each with its legs. Days count from 1970-01-01.
pub fn by_day(events: &[Vec<HouseLeg>]) -> BTreeMap<(i64, String), DayOfBooks> {
    let mut days: BTreeMap<(i64, String), DayOfBooks> = BTreeMap::new();
    for legs in events {
        let funded = legs.iter().any(|leg| leg.book == Book::Funding);
        for leg in legs {
            let day = leg.at.0.div_euclid(DAY_MS);
            let place = (day, leg.upstream.clone());
            days.entry(place).or_default().add(leg, funded);
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::BookedAs;
    use crate::ids::OrderId;
    use crate::ledger::Entry;

    fn event(day: i64, entry: Entry) -> Vec<HouseLeg> {
        let legs = entry.postings.into_iter();
        legs.map(|leg| HouseLeg {
            at: Timestamp(day * DAY_MS + 5),
            upstream: "peter1".into(),
            book: leg.book,
            amount: leg.amount,
        })
        .collect()
    }

    #[test]
    fn every_kind_of_entry_is_explained() {
        let events = [
            event(3, Entry::balance(1, "peter1", Usd(900), BookedAs::Opening)),
            event(
                3,
                Entry::upstream_cost(OrderId(1), 0, "peter1", Usd(30), Usd(40)),
            ),
            event(
                3,
                Entry::upstream_cost(OrderId(1), 1, "peter1", Usd(0), Usd(-15)),
            ),
            event(3, Entry::upstream_loss(OrderId(2), 0, "peter1", Usd(7))),
            event(3, Entry::orphan_found(8, "peter1", Usd(11))),
            event(4, Entry::orphan_returned(8, "peter1", Usd(11))),
            event(4, Entry::balance(2, "peter1", Usd(-3), BookedAs::Unlisted)),
            event(4, Entry::balance(3, "peter1", Usd(-4), BookedAs::Kept)),
        ];
        let days = by_day(&events);
        let first = days[&(3, "peter1".to_owned())];
        let expected = DayOfBooks {
            paid_in: Usd(900),
            spent: Usd(58),
            returned: Usd(15),
            cost: Usd(30),
            variance: Usd(-5),
            orphan: Usd(11),
            written_off: Usd(7),
        };
        assert_eq!(first, expected);
        let second = days[&(4, "peter1".to_owned())];
        assert_eq!((second.spent, second.returned), (Usd(7), Usd(11)));
        assert_eq!((second.orphan, second.written_off), (Usd(-11), Usd(3)));
        assert!(days.values().all(|day| day.unexplained() == Usd::ZERO));
    }

    #[test]
    fn money_that_went_past_the_accounts_is_unexplained() {
        let mut legs = event(3, Entry::upstream_loss(OrderId(2), 0, "peter1", Usd(7)));
        legs.retain(|leg| leg.book != Book::WriteOff);
        let days = by_day(&[legs]);
        assert_eq!(days[&(3, "peter1".to_owned())].unexplained(), Usd(7));
    }
}
