//! What a processor kept and paid out: in the books once, whatever its list says later.

use super::super::console::at_work;
use super::*;
use domain::people::Role;
use domain::ports::DeskRows;
use domain::ticket::Ticket;
use domain::top_up::{LineKind, Sum};

fn line(reference: &str, kind: LineKind, cents: (i64, i64), at: Timestamp) -> MoneyLine {
    MoneyLine {
        reference: reference.into(),
        word: "<b>word</b>".into(),
        kind,
        gross: Sum {
            minor: cents.0,
            currency: "usd".into(),
        },
        fee_minor: cents.1,
        at,
    }
}

async fn in_book(world: &World, book: &str) -> i64 {
    let totals = world.store.book_totals().await.unwrap();
    let found = totals.iter().find(|one| one.book == book);
    found.map_or(0, |one| one.total.0)
}

async fn tickets(world: &World) -> Vec<Ticket> {
    let open = world.store.open_tickets(TicketKind::TopUpUnexplained);
    open.await.unwrap()
}

/// A payment of 25 dollars, of which the processor kept 1.03, and a payout of 20.
async fn with_payout(world: &World) -> [MoneyLine; 2] {
    paid(world).await;
    let now = world.clock.now();
    let lines = [
        line("txn_1", LineKind::Payment, (2500, 103), now),
        line("txn_2", LineKind::Payout, (-2000, 0), now),
    ];
    world.payments.moves(&lines);
    lines
}

#[tokio::test]
async fn fees_and_payouts_are_in_the_books_once_and_what_is_open_is_shown() {
    let world = World::start().await;
    let lines = with_payout(&world).await;
    let top_ups = &world.door.top_ups;
    // three times on the day, and by the background once it is over
    for _ in 0..3 {
        let compared = top_ups.reconcile(world.clock.now()).await.unwrap();
        assert_eq!(compared[0].unexplained, Vec::<String>::new());
        let sums = (compared[0].fees, compared[0].paid_out);
        assert_eq!(sums, (Usd(1_030_000), Usd(20_000_000)));
    }
    world.clock.advance(Millis::minutes(25 * 60));
    top_ups.reconcile_due().await.unwrap();
    assert_eq!(in_book(&world, "stripe_fees").await, -1_030_000);
    assert_eq!(in_book(&world, "bank").await, -20_000_000);
    assert_eq!(in_book(&world, "stripe_clearing").await, -3_970_000);
    let mut fin = at_work(&world, "finance", Role::Finance).await;
    let page = fin.get("/console/top-ups/processors").await.text;
    for shown in ["$25.00", "$1.03", "$20.00", "$3.97", "txn_2"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("<b>word"), "{page}");
    assert!(!page.contains("txn_1"), "fees are many and shown as sums");
    // a dispute and its fee, and what came back from the bank
    let now = world.clock.now();
    let more = [
        line("txn_3", LineKind::Payment, (-2500, 1500), now),
        line("txn_4", LineKind::Payout, (2000, 0), now),
    ];
    world
        .payments
        .moves(&[lines.to_vec(), more.to_vec()].concat());
    top_ups.reconcile(now).await.unwrap();
    assert_eq!(in_book(&world, "stripe_fees").await, -16_030_000);
    assert_eq!(in_book(&world, "bank").await, 0);
    assert_eq!(tickets(&world).await, []);
    audited(&world).await;
}

#[tokio::test]
async fn a_line_that_says_something_else_later_opens_a_ticket_and_books_nothing() {
    let world = World::start().await;
    let [fee, payout] = with_payout(&world).await;
    let top_ups = &world.door.top_ups;
    let day = world.clock.now();
    top_ups.reconcile(day).await.unwrap();
    let mut dearer = fee.clone();
    dearer.fee_minor = 104;
    world.payments.moves(&[dearer.clone(), payout]);
    let compared = top_ups.reconcile(day).await.unwrap();
    let told = "the fee of txn_1 was booked as 1.030000 and is told as 1.040000";
    assert_eq!(compared[0].unexplained, [told]);
    assert_eq!(compared[0].fees, Usd(1_030_000), "as it is booked");
    let open = tickets(&world).await;
    assert_eq!((open.len(), open[0].detail.as_str()), (1, told));
    // the day gets worse: the same ticket says so
    let mut euros = line("txn_5", LineKind::Payout, (-900, 0), day);
    euros.gross.currency = "eur".into();
    world.payments.moves(&[dearer, euros]);
    top_ups.reconcile(day).await.unwrap();
    let now = tickets(&world).await;
    assert_eq!((now.len(), now[0].id), (1, open[0].id));
    for part in [
        told,
        "the payout of txn_2 was booked",
        "in EUR, the first is txn_5",
    ] {
        assert!(now[0].detail.contains(part), "{part}: {}", now[0].detail);
    }
    assert_eq!(in_book(&world, "stripe_fees").await, -1_030_000);
    assert_eq!(in_book(&world, "bank").await, -20_000_000);
    // a line that moves to another day is still the same line
    let mut later = fee;
    later.at = day + Millis::minutes(24 * 60);
    world.payments.moves(&[later.clone()]);
    world.clock.advance(Millis::minutes(24 * 60));
    let compared = top_ups.reconcile(later.at).await.unwrap();
    let told = "the fee of txn_1 was booked at another time than it is told of now";
    assert_eq!(compared[0].unexplained, [told]);
    assert_eq!(compared[0].fees, Usd::ZERO);
    assert_eq!(in_book(&world, "stripe_fees").await, -1_030_000);
    audited(&world).await;
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_asked_for_again() {
    let world = World::start().await;
    with_payout(&world).await;
    world.clock.advance(Millis::minutes(25 * 60));
    world.payments.silent.store(true, Ordering::SeqCst);
    let top_ups = &world.door.top_ups;
    let days = top_ups.reconcile_due().await.unwrap();
    assert!(days.iter().all(|day| day.failure.is_some()), "{days:?}");
    assert_eq!(in_book(&world, "bank").await, 0);
    world.payments.silent.store(false, Ordering::SeqCst);
    world.clock.advance(Millis::minutes(60));
    let days = top_ups.reconcile_due().await.unwrap();
    assert!(days.iter().all(|day| day.failure.is_none()), "{days:?}");
    assert_eq!(in_book(&world, "bank").await, -20_000_000);
    audited(&world).await;
}

#[tokio::test]
async fn a_day_of_many_lines_is_booked_whole() {
    let world = World::start().await;
    let now = world.clock.now();
    let all: Vec<_> = (1..=450)
        .map(|number| line(&format!("txn_{number}"), LineKind::Payment, (100, 3), now))
        .collect();
    world.payments.moves(&all[..300]);
    world.door.top_ups.reconcile(now).await.unwrap();
    world.payments.moves(&all);
    let compared = world.door.top_ups.reconcile(now).await.unwrap();
    assert_eq!(compared[0].fees, Usd(450 * 30_000));
    assert_eq!(in_book(&world, "stripe_fees").await, -450 * 30_000);
    audited(&world).await;
}
