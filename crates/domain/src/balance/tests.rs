//! What readings book, and what they leave for the next one.

use super::*;
use crate::ledger::{Book, Posting};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn reading_of(writes: &[Write]) -> BalanceReading {
    match &writes[0] {
        Write::ReadBalance(reading) => (**reading).clone(),
        other => panic!("the reading comes first, not {other:?}"),
    }
}

/// An upstream's books as readings see them.
struct Books {
    step: Usd,
    position: Position,
    suspects: Suspects,
    tickets: Vec<Ticket>,
    closed: Vec<i64>,
    variance: i64,
}

impl Books {
    fn unread() -> Self {
        Self {
            step: Usd(1),
            position: Position::default(),
            suspects: Suspects::default(),
            tickets: Vec::new(),
            closed: Vec::new(),
            variance: 0,
        }
    }

    fn opened_with(balance: i64) -> Self {
        let mut books = Self::unread();
        assert_eq!(books.read(balance), Some(BookedAs::Opening));
        books
    }

    fn read(&mut self, balance: i64) -> Option<BookedAs> {
        let row = self.position.last.as_ref().map_or(10, |last| last.id + 10);
        let rows = (row, row + 1);
        let balance = Reported {
            amount: Usd(balance),
            step: self.step,
        };
        let writes = self
            .position
            .read("peter1", balance, &self.suspects, rows, NOW);
        for write in &writes {
            match write {
                Write::Book(entry) => {
                    assert!(entry.balances());
                    for Posting { book, amount } in &entry.postings {
                        match book {
                            Book::Prepaid(_) => self.position.prepaid.0 += amount.0,
                            Book::Variance(_) => self.variance += amount.0,
                            _ => {}
                        }
                    }
                }
                Write::OpenTicket(ticket) => self.tickets.push((**ticket).clone()),
                Write::CloseTicket { ticket, .. } => self.closed.push(*ticket),
                _ => {}
            }
        }
        let reading = reading_of(&writes);
        self.position.last = Some(reading.clone());
        reading.booked_as
    }
}

#[test]
fn the_first_reading_opens_the_books_with_what_is_there_and_what_is_under_way() {
    let mut books = Books::opened_with(5_000_000);
    assert_eq!(books.position.prepaid, Usd(5_000_000));
    assert_eq!(books.read(5_000_000), None);
    assert_eq!(books.tickets, []);
}

#[test]
fn a_balance_in_coarse_steps_opens_the_books_to_the_last_micro_dollar() {
    for balance in [1, 99, 100, 5_000_099] {
        let mut books = Books {
            step: Usd(100),
            ..Books::unread()
        };
        assert_eq!(books.read(balance), Some(BookedAs::Opening));
        assert_eq!(books.position.prepaid, Usd(balance));
        // from here on less than a step is no difference, in either direction
        assert_eq!(books.read(balance + 99), None);
        assert_eq!(books.read(balance + 99), None);
        assert_eq!(books.position.prepaid, Usd(balance));
        // and a whole step is booked in full
        books.read(balance + 100);
        assert_eq!(books.read(balance + 100), Some(BookedAs::Deposit));
        assert_eq!(books.position.prepaid, Usd(balance + 100));
    }
}

#[test]
fn an_order_under_way_explains_a_balance_that_fell() {
    let mut books = Books::opened_with(1_000_000);
    books.position.in_flight = Usd(40_000);
    assert_eq!(books.read(960_000), None);
    assert_eq!(books.read(960_000), None);
    books.position.in_flight = Usd::ZERO;
    books.position.prepaid = Usd(960_000);
    assert_eq!(books.read(960_000), None);
}

#[test]
fn what_came_back_unseen_is_no_deposit() {
    let mut books = Books::opened_with(1_000_000);
    books.position.in_flight = Usd(40_000);
    for _ in 0..3 {
        assert_eq!(books.read(1_000_000), None);
    }
    books.read(1_500_000);
    assert_eq!(books.read(1_500_000), Some(BookedAs::Deposit));
    books.position.in_flight = Usd::ZERO;
    assert_eq!(books.read(1_500_000), None, "the books had it all along");
    assert_eq!(books.position.prepaid, Usd(1_500_000));
}

#[test]
fn money_kept_after_a_cancel_counts_when_it_is_seen_twice() {
    let mut books = Books::opened_with(1_000_000);
    books.suspects.released = Usd(150_000);
    assert_eq!(books.read(900_000), None, "a refund may be on its way");
    assert_eq!(books.read(900_000), Some(BookedAs::Kept));
    assert_eq!(books.variance, 100_000);
    assert_eq!(books.tickets[0].kind, TicketKind::MoneyKept);
    assert_eq!(books.tickets[0].amount, Usd(100_000));
    assert_eq!(books.read(900_000), None, "and only once");
}

#[test]
fn a_refund_that_comes_between_two_readings_books_nothing() {
    let mut books = Books::opened_with(1_000_000);
    books.suspects.released = Usd(150_000);
    assert_eq!(books.read(850_000), None);
    assert_eq!(books.read(1_000_000), None);
    assert_eq!((books.variance, books.tickets.len()), (0, 0));
}

#[test]
fn missing_money_that_nothing_explains_is_ticketed_with_its_amount() {
    let mut books = Books::opened_with(1_000_000);
    books.suspects.released = Usd(999);
    books.read(999_000);
    assert_eq!(books.read(999_000), Some(BookedAs::Unexplained));
    assert_eq!(books.tickets[0].amount, Usd(1_000));
    assert!(books.tickets[0].detail.contains("0.001"));
}

#[test]
fn a_purchase_given_up_shows_by_its_exact_cost() {
    let mut books = Books::opened_with(1_000_000);
    books.suspects.given_up = vec![Usd(40_000)];
    books.suspects.released = Usd(90_000);
    books.read(960_000);
    assert_eq!(books.read(960_000), Some(BookedAs::Unlisted));
    assert_eq!(books.variance, 0, "it is a loss, not a variance");
}

#[test]
fn a_rise_is_a_deposit_unless_it_is_exactly_what_was_kept() {
    let mut books = Books::opened_with(1_000_000);
    books.read(1_500_000);
    assert_eq!(books.read(1_500_000), Some(BookedAs::Deposit));
    books.suspects.released = Usd(40_000);
    books.read(1_460_000);
    books.read(1_460_000);
    books.suspects.kept = books.tickets.clone();
    books.read(1_500_000);
    assert_eq!(books.read(1_500_000), Some(BookedAs::Returned));
    assert_eq!(books.variance, 0);
    assert_eq!(books.closed, [books.tickets[0].id]);
}

#[test]
fn what_is_in_doubt_widens_what_counts_as_explained() {
    let mut books = Books::opened_with(1_000_000);
    books.position.in_doubt = Usd(40_000);
    for _ in 0..3 {
        assert_eq!(books.read(970_000), None);
    }
    books.suspects.released = Usd(100_000);
    books.read(950_000);
    assert_eq!(books.read(950_000), Some(BookedAs::Kept));
    assert_eq!(books.variance, 10_000, "only what no doubt explains");
}

#[test]
fn an_orphan_that_may_have_come_back_is_no_deposit() {
    let mut books = Books::opened_with(1_000_000);
    books.position.in_orphans = Usd(40_000);
    books.position.prepaid = Usd(960_000);
    assert_eq!(books.read(1_000_000), None);
    assert_eq!(books.read(1_000_000), None);
}

#[test]
fn two_different_differences_book_what_both_show() {
    let mut books = Books::opened_with(1_000_000);
    books.read(995_000);
    assert_eq!(books.read(990_000), Some(BookedAs::Unexplained));
    assert_eq!(books.variance, 5_000);
    assert_eq!(books.read(990_000), Some(BookedAs::Unexplained));
    assert_eq!(books.variance, 10_000);
}

#[test]
fn a_balance_in_cents_says_nothing_of_less_than_a_cent() {
    let mut books = Books::opened_with(1_000_000);
    books.step = Usd(10_000);
    books.position.prepaid = Usd(999_600);
    for balance in [990_000, 990_000, 1_000_000, 1_000_000] {
        assert_eq!(books.read(balance), None);
    }
    books.read(980_000);
    assert_eq!(books.read(980_000), Some(BookedAs::Unexplained));
}

proptest! {
    /// Whatever balances are read, the books end where a balance that stands still is.
    #[test]
    fn the_books_follow_a_balance_that_stands_still(
        balances in prop::collection::vec(-1_000_000..1_000_000_i64, 1..20),
    ) {
        let mut books = Books::opened_with(1);
        for balance in &balances {
            books.read(*balance);
        }
        let last = balances[balances.len() - 1];
        books.read(last);
        prop_assert_eq!(books.position.prepaid, Usd(last));
        prop_assert_eq!(books.read(last), None);
    }
}

#[test]
fn one_purchase_in_doubt_is_shown_by_exactly_its_cost() {
    let position = |last: Option<BalanceReading>, in_doubt: i64| Position {
        last,
        journal_id: 9,
        prepaid: Usd(1_000_000),
        in_flight: Usd(200),
        in_doubt: Usd(in_doubt),
        in_orphans: Usd::ZERO,
    };
    let reading = |open: i64| BalanceReading {
        id: 1,
        upstream: "panel1".into(),
        seq: 1,
        at: Timestamp(1),
        balance: Usd(1_000_000),
        journal_id: 5,
        prepaid: Usd(1_000_000),
        least: Usd(open),
        most: Usd(open),
        booked: Usd::ZERO,
        booked_as: None,
        clean_at: Timestamp(1),
    };
    let balance = |amount: i64, step: i64| Reported {
        amount: Usd(amount),
        step: Usd(step),
    };
    let sound = position(Some(reading(0)), 3_000);
    let cost = Usd(3_000);
    assert!(sound.shows_purchase(cost, balance(996_800, 1)));
    assert!(sound.shows_purchase(cost, balance(996_850, 100)), "rounded");
    for other in [999_800, 996_801, 996_799, 1_000_000] {
        let shown = sound.shows_purchase(cost, balance(other, 1));
        assert!(!shown, "{other} is not exactly its cost");
    }
    let coarse = balance(990_000, 10_000);
    assert!(!sound.shows_purchase(cost, coarse), "less than a step");
    let exact = balance(996_800, 1);
    let two = position(Some(reading(0)), 6_000);
    assert!(!two.shows_purchase(cost, exact), "two are in doubt");
    let open = position(Some(reading(-3_000)), 3_000);
    assert!(!open.shows_purchase(cost, exact), "it was missing before");
    assert!(
        !position(None, 3_000).shows_purchase(cost, exact),
        "no reading"
    );
}

#[test]
fn a_sum_that_something_else_may_have_taken_shows_no_purchase() {
    let sum = Usd(900);
    assert!(!Suspects::default().may_have_taken(sum));
    let of = |released, retakable| Suspects {
        released: Usd(released),
        retakable: Usd(retakable),
        ..Suspects::default()
    };
    assert!(!of(0, 899).may_have_taken(sum), "less than that");
    assert!(of(0, 900).may_have_taken(sum), "a panel may go on");
    assert!(
        of(900, 0).may_have_taken(sum),
        "a refund may have been kept"
    );
    assert!(of(500, 400).may_have_taken(sum), "or both");
    let given_up = Suspects {
        given_up: vec![Usd(5)],
        ..Suspects::default()
    };
    assert!(given_up.may_have_taken(sum));
    let booked = Suspects {
        booked: true,
        ..Suspects::default()
    };
    assert!(
        booked.may_have_taken(sum),
        "what is left of it is no evidence"
    );
}
