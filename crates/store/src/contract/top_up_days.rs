//! What an account may begin in a day, whoever else begins something for it at the same moment.

use domain::change::{Refused, Write};
use domain::ids::AccountId;
use domain::ports::{Store, TopUpRows};
use domain::time::{Millis, Timestamp};
use domain::top_up::{TopUp, TopUpState, TopUpWrite, TopUpsOf};
use domain::usd::Usd;

use super::top_up::row;
use super::{NOW, Outcome, World, refused, wait};

const DOLLAR: i64 = 1_000_000;
/// What may be begun in a day.
const MOST: Usd = Usd(100 * DOLLAR);

/// One more of 25 dollars, as a customer begins it.
fn begin(world: &World<'_>, row: &TopUp, since: Timestamp) -> Outcome {
    let within = TopUpWrite::WithinDay {
        account: row.account,
        since,
        amount: row.amount,
        most: MOST,
    };
    let insert = TopUpWrite::Insert(Box::new(row.clone()));
    world.commit(vec![Write::TopUp(within), Write::TopUp(insert)])
}

fn rows_of<S: TopUpRows>(store: &S, account: AccountId) -> Vec<TopUp> {
    let wanted = TopUpsOf {
        account: Some(account),
        limit: 1_000,
        ..TopUpsOf::default()
    };
    wait(store.top_ups(&wanted)).unwrap()
}

pub(crate) fn a_days_bound_counts_what_did_not_come_to_nothing<S: Store + TopUpRows>(store: &S) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(Usd::ZERO), world.customer(Usd::ZERO));
    for state in [
        TopUpState::Created,
        TopUpState::Pending,
        TopUpState::Review,
        TopUpState::Expired,
        TopUpState::Failed,
        TopUpState::Rejected,
    ] {
        let one = TopUp {
            state,
            ..row(&world, ana)
        };
        assert_eq!(begin(&world, &one, NOW), Ok(()), "{state:?}");
    }
    // another account's, and what was begun before the day, count for nothing
    assert_eq!(begin(&world, &row(&world, bob), NOW), Ok(()));
    let large = TopUp {
        amount: Usd(26 * DOLLAR),
        ..row(&world, ana)
    };
    let left = Refused::OverDaily(Usd(25 * DOLLAR));
    assert_eq!(begin(&world, &large, NOW), refused(left));
    assert_eq!(begin(&world, &row(&world, ana), NOW), Ok(()));
    let full = Refused::OverDaily(Usd::ZERO);
    assert_eq!(begin(&world, &row(&world, ana), NOW), refused(full));
    assert_eq!(rows_of(store, ana).len(), 7, "a refused one left nothing");
    let tomorrow = NOW + Millis::minutes(24 * 60);
    assert_eq!(begin(&world, &large, tomorrow), Ok(()));
    world.audited();
}

/// Forty at once, on as many nodes as there are: four fit.
pub(crate) fn a_days_bound_holds_on<S: Store + TopUpRows>(nodes: &[&S]) {
    let ana = World::new(nodes[0]).customer(Usd::ZERO);
    let begun = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..40)
            .map(|number| {
                let node = nodes[number % nodes.len()];
                scope.spawn(move || {
                    let world = World::new(node);
                    begin(&world, &row(&world, ana), NOW)
                })
            })
            .collect();
        let outcomes = calls.into_iter().map(|call| call.join().unwrap());
        outcomes.collect::<Vec<_>>()
    });
    let full = refused(Refused::OverDaily(Usd::ZERO));
    assert_eq!(begun.iter().filter(|one| one.is_ok()).count(), 4);
    assert_eq!(begun.iter().filter(|one| **one == full).count(), 36);
    assert_eq!(rows_of(nodes[0], ana).len(), 4);
}

pub(crate) fn a_days_bound_holds_for_many_at_once<S: Store + TopUpRows>(store: &S) {
    a_days_bound_holds_on(&[store]);
}
