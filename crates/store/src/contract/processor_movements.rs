//! What processors kept and paid out: each line of their lists is booked once.

use domain::change::{Refused, Write};
use domain::ids::AccountId;
use domain::ports::{DeskRows, Store, TopUpRows};
use domain::time::{Millis, Timestamp};
use domain::top_up::{
    Clearing, MovementKind, Processor, ProcessorMovement, ReversalCause, TopUpWrite,
};
use domain::usd::Usd;

use super::top_up::{credit, insert, row};
use super::{NOW, World, refused, wait};

const DOLLAR: i64 = 1_000_000;
const DAY: Timestamp = Timestamp(1_650_067_200_000);

/// A line about `dollars`, of a name of its own.
pub(crate) fn movement(
    world: &World<'_>,
    reference: &str,
    kind: MovementKind,
    dollars: i64,
) -> ProcessorMovement {
    let id = world.store.next_row_id();
    ProcessorMovement {
        id,
        processor: Processor::Stripe,
        reference: format!("txn_{reference}"),
        kind,
        amount: Usd(dollars * DOLLAR),
        word: "charge".into(),
        moved_at: DAY + Millis(id),
    }
}

pub(crate) fn book(one: &ProcessorMovement) -> Write {
    Write::TopUp(TopUpWrite::Move(Box::new(one.clone())))
}

pub(crate) fn a_line_is_booked_once<S: Store + TopUpRows + DeskRows>(store: &S) {
    let world = World::new(store);
    let bank = || {
        let totals = wait(store.book_totals()).unwrap();
        let bank = totals.into_iter().find(|one| one.book == "bank");
        bank.map_or(0, |bank| bank.total.0)
    };
    let before = bank();
    let one = |kind, dollars| movement(&world, "once", kind, dollars);
    let (fee, payout) = (one(MovementKind::Fee, 2), one(MovementKind::Payout, 30));
    world.commit(vec![book(&fee), book(&payout)]).unwrap();
    for kind in [MovementKind::Fee, MovementKind::Payout] {
        // whatever it says the second time
        for dollars in [2, 30, 31] {
            let again = vec![book(&one(kind, dollars))];
            assert_eq!(world.commit(again), refused(Refused::Stale));
        }
    }
    let other = ProcessorMovement {
        processor: Processor::BtcPay,
        ..one(MovementKind::Fee, 2)
    };
    let (part, new) = (vec![book(&other), book(&fee)], vec![book(&other)]);
    assert_eq!(world.commit(part), refused(Refused::Stale), "all or none");
    world.commit(new).unwrap();
    let back = movement(&world, "bounced", MovementKind::Payout, -30);
    world.commit(vec![book(&back)]).unwrap();
    assert_eq!(bank(), before, "it came back");
    let booked = |from, until| {
        let found = wait(store.movements(Processor::Stripe, from, until)).unwrap();
        let ours = ["txn_once", "txn_bounced"];
        let ours = move |one: &ProcessorMovement| ours.contains(&one.reference.as_str());
        found.into_iter().filter(ours).collect::<Vec<_>>()
    };
    let all = [fee.clone(), payout.clone(), back.clone()];
    assert_eq!(booked(DAY, NOW), all);
    let between = booked(payout.moved_at, back.moved_at);
    assert_eq!(between, std::slice::from_ref(&payout));
    let payouts = wait(store.payouts(100)).unwrap();
    let place = |wanted: &ProcessorMovement| payouts.iter().position(|one| one == wanted).unwrap();
    assert!(place(&back) < place(&payout), "the newest first");
    assert!(!payouts.contains(&fee));
    world.audited();
}

pub(crate) fn what_is_open_at_a_processor_follows_the_books<S: Store + TopUpRows + DeskRows>(
    store: &S,
) {
    let world = World::new(store);
    let clearing = || {
        let all = wait(store.clearings()).unwrap();
        assert!(all.iter().all(|one| one.processor != Processor::Manual));
        let stripe = all
            .into_iter()
            .find(|one| one.processor == Processor::Stripe);
        stripe.unwrap_or(Clearing::of(Processor::Stripe))
    };
    let in_the_books = || {
        let totals = wait(store.book_totals()).unwrap();
        let found = totals.into_iter().find(|one| one.book == "stripe_clearing");
        found.map_or(0, |one| one.total.0)
    };
    let (before, books_before) = (clearing(), in_the_books());
    let ana: AccountId = world.customer(Usd::ZERO);
    let paid = row(&world, ana);
    insert(&world, &paid);
    world.commit(vec![credit(&paid, "pi_clearing")]).unwrap();
    let now = wait(store.top_up(paid.id)).unwrap().unwrap();
    let cause = (ReversalCause::OwnRefund, "refund-clearing");
    let (after, reversal) = now.reverse(Usd(13 * DOLLAR), cause).unwrap();
    let returned = reversal.parts.amount.0 + reversal.parts.fee.0;
    let row = Box::new(after);
    let back = Write::TopUp(TopUpWrite::Reverse { row, reversal });
    world.commit(vec![back]).unwrap();
    let moved = [
        movement(&world, "open", MovementKind::Fee, 1),
        movement(&world, "open", MovementKind::Payout, 7),
    ];
    world.commit(moved.iter().map(book).collect()).unwrap();
    let now = clearing();
    assert_eq!(
        now.credited.0 - before.credited.0,
        26 * DOLLAR,
        "with its fee"
    );
    assert_eq!(now.returned.0 - before.returned.0, returned);
    assert_eq!(now.fees.0 - before.fees.0, DOLLAR);
    assert_eq!(now.paid_out.0 - before.paid_out.0, 7 * DOLLAR);
    // what is owed to us is a debit in the books
    let open = now.open().0 - before.open().0;
    assert_eq!(open, books_before - in_the_books());
    assert_eq!(open, 18 * DOLLAR - returned);
    world.audited();
}
