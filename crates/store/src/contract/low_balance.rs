//! Watched balances: each crossing is seen once.

use domain::change::{Refused, Write};
use domain::people::{LowBalance, PeopleWrite};
use domain::ports::{PeopleRows, Store};
use domain::usd::Usd;

use super::{World, refused, wait};

fn people(write: PeopleWrite) -> Vec<Write> {
    vec![Write::People(write)]
}

pub(crate) fn a_crossing_is_seen_once<S: Store + PeopleRows>(store: &S) {
    let world = World::new(store);
    let ana = world.customer(Usd(1_000_000));
    let others = world.customer(Usd::ZERO);
    let watch = LowBalance {
        account: ana,
        threshold: Usd(1_000_000),
        told: false,
    };
    let crossed = || wait(store.balances_crossed(10)).unwrap();
    world
        .commit(people(PeopleWrite::WatchBalance(watch)))
        .unwrap();
    assert_eq!(wait(store.low_balance(ana)).unwrap(), Some(watch));
    assert_eq!(wait(store.low_balance(others)).unwrap(), None);
    assert_eq!(crossed(), [], "at the threshold is not below it");

    let hold = Write::Hold {
        account: ana,
        order: store.next_order_id(),
        amount: Usd(1),
    };
    world.commit(vec![hold]).unwrap();
    assert_eq!(crossed(), [(watch, Usd(999_999))]);
    let told = watch.seen(Usd(999_999));
    let cross = people(PeopleWrite::CrossBalance(told));
    world.commit(cross.clone()).unwrap();
    assert_eq!(world.commit(cross), refused(Refused::Stale));
    assert_eq!(crossed(), []);

    world.commit(vec![world.credit(ana, Usd(1))]).unwrap();
    assert_eq!(crossed(), [(told, Usd(1_000_000))]);
    let other = LowBalance {
        threshold: Usd(2),
        ..watch
    };
    world
        .commit(people(PeopleWrite::WatchBalance(other)))
        .unwrap();
    let late = people(PeopleWrite::CrossBalance(told.seen(Usd(1_000_000))));
    assert_eq!(world.commit(late), refused(Refused::Stale));
    world
        .commit(people(PeopleWrite::ForgetBalance { account: ana }))
        .unwrap();
    assert_eq!(wait(store.low_balance(ana)).unwrap(), None);
}
