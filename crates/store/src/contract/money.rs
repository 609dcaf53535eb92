//! Holds, resolutions, adjustments, credits, the journal.

use domain::activation::{Activation, NumberRoute};
use domain::change::{CommitError, Reason, Refused, Write};
use domain::ids::{AccountId, OrderId};
use domain::ledger::{Book, Cause, Entry, Posting};
use domain::ports::Store;
use domain::smm_order::{Observation, SmmState};
use domain::time::Millis;
use domain::upstream::Progress;
use domain::usd::Usd;

use super::{Outcome, PLAN, PRICE, World, refused, wait};

fn is_storage(outcome: &Outcome) -> bool {
    matches!(outcome, Err(CommitError::Storage(_)))
}

fn hold(account: AccountId, order: OrderId, amount: Usd) -> Write {
    Write::Hold {
        account,
        order,
        amount,
    }
}

fn resolve(account: AccountId, order: OrderId, held: Usd, posted: Usd) -> Write {
    Write::Resolve {
        account,
        order,
        held,
        posted,
        reason: Reason::Delivered,
    }
}

/// It rests on the observation behind that of the resolution, or of the adjustment before.
fn adjust(account: AccountId, order: OrderId, seq: i64, amount: Usd) -> Write {
    Write::Adjust {
        account,
        order,
        seq,
        amount,
        observation: Some(seq + 1),
    }
}

fn seen(order: OrderId, seq: i64, remains: i64) -> Write {
    Write::Observe(Observation {
        order,
        seq,
        raw_status: "Partial".into(),
        progress: Some(Progress::Partial),
        remains: Some(remains),
        start_count: None,
        charge: None,
        at: super::NOW + Millis(seq),
    })
}

pub(crate) fn a_hold_and_its_one_outcome(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(Usd(100_000));
    let order = world.calling(ana);
    assert_eq!(world.money(ana), (60_000, 40_000));
    let failed = order.refused(domain::order::Failure::NoNumbers, "no_stock", "raw".into());
    world.commit(failed.clone()).unwrap();
    assert_eq!(world.money(ana), (100_000, 0));
    assert_eq!(world.commit(failed), refused(Refused::Stale));
    let again = world.commit(vec![resolve(ana, OrderId(100_001), PRICE, Usd::ZERO)]);
    assert_eq!(again, refused(Refused::Stale));
    let nothing = world.commit(vec![resolve(ana, OrderId(999_999), PRICE, Usd::ZERO)]);
    assert_eq!(nothing, refused(Refused::Stale));
    assert_eq!(world.money(ana), (100_000, 0));
    world.audited();
}

fn at_paul(price: Usd) -> NumberRoute {
    let mut route = NumberRoute {
        wanted: super::activation(OrderId(0), AccountId(0)).wanted,
        upstream: "paul".into(),
        cost: Usd(price.0 - 1),
        price,
        policy: ("messaging".into(), 4),
    };
    route.wanted.server = "paul".into();
    route
}

pub(crate) fn a_hold_fits_the_route_that_is_tried(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(Usd(100_000));
    let order = world.calling(ana);
    let next = |order: &Activation, price: i64| {
        let route = at_paul(Usd(price));
        order
            .clone()
            .next_route("no_stock", "raw".into(), &route, &PLAN, super::NOW)
    };
    assert_eq!(
        world.commit(next(&order, 100_001)),
        refused(Refused::InsufficientFunds)
    );
    assert_eq!(world.money(ana), (60_000, 40_000));
    world.commit(next(&order, 100_000)).unwrap();
    assert_eq!(world.money(ana), (0, 100_000));
    assert_eq!(
        world.commit(next(&order, 70_000)),
        refused(Refused::Stale),
        "the order has moved"
    );
    let order = world.activation(order.id);
    assert_eq!(
        (order.price, order.wanted.server.as_str(), order.attempt),
        (Usd(100_000), "paul", 2)
    );
    world.commit(next(&order, 55_000)).unwrap();
    assert_eq!(world.money(ana), (45_000, 55_000));
    world.audited();
    let order = world.activation(order.id);
    let failed = order.refused(domain::order::Failure::NoNumbers, "no_stock", "raw".into());
    world.commit(failed).unwrap();
    assert_eq!(world.money(ana), (100_000, 0));
    world.audited();
}

pub(crate) fn a_refused_hold_takes_its_whole_change_with_it(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(Usd(PRICE.0 - 1));
    let order = world.new_activation(ana);
    let id = order.id;
    let mut writes = order.open(&PLAN);
    // Last, so that everything before it would have been written.
    writes.rotate_left(1);
    assert_eq!(world.commit(writes), refused(Refused::InsufficientFunds));
    assert_eq!(wait(store.activation(id)).unwrap(), None);
    assert_eq!(wait(store.attempts(id)).unwrap(), []);
    assert_eq!(world.money(ana), (PRICE.0 - 1, 0));
    assert_eq!(
        world.commit(vec![hold(AccountId(777), id, Usd(1))]),
        refused(Refused::NoSuchAccount)
    );
    world.audited();
}

pub(crate) fn two_holds_of_one_change_count_together(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(Usd(60_000));
    let (first, second) = (world.new_activation(ana), world.new_activation(ana));
    let both: Vec<_> = first
        .open(&PLAN)
        .into_iter()
        .chain(second.open(&PLAN))
        .collect();
    assert_eq!(
        world.commit(both.clone()),
        refused(Refused::InsufficientFunds)
    );
    let mut with_credit = vec![world.credit(ana, Usd(20_000))];
    with_credit.extend(both);
    world.commit(with_credit).unwrap();
    assert_eq!(world.money(ana), (0, 80_000));
    world.audited();
}

pub(crate) fn a_resolution_must_fit_its_hold(store: &dyn Store) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(Usd(100_000)), world.customer(Usd(100_000)));
    let id = world.calling(ana).id;
    for wrong in [
        resolve(ana, id, Usd(PRICE.0 - 1), Usd::ZERO),
        resolve(ana, id, PRICE, Usd(PRICE.0 + 1)),
        resolve(ana, id, PRICE, Usd(-1)),
        resolve(bob, id, PRICE, Usd::ZERO),
        hold(ana, OrderId(5), Usd(-1)),
    ] {
        assert!(is_storage(&world.commit(vec![wrong])));
    }
    assert!(store.healthy());
    assert_eq!(
        world.commit(vec![hold(ana, id, Usd(1))]),
        refused(Refused::Stale)
    );
    assert_eq!(world.money(ana), (60_000, 40_000));
    assert_eq!(world.money(bob), (100_000, 0));
    world.audited();
}

/// A partly delivered order and what goes back later.
pub(crate) fn adjustments_stay_within_the_hold(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(Usd(100_000));
    let order = world.accepted(ana, "https://example.com/a", "501");
    let id = order.id;
    assert_eq!(
        world.commit(vec![adjust(ana, id, 1, Usd(1))]),
        refused(Refused::Stale)
    );
    let mut resolved = order;
    resolved.state = SmmState::Resolved;
    resolved.returned = Usd(10_000);
    resolved.observations = 1;
    resolved.resolved_at = Some(super::NOW + Millis(1));
    let save = Write::UpdateSmmOrder(Box::new(resolved));
    let posted = resolve(ana, id, PRICE, Usd(30_000));
    world.commit(vec![posted, save, seen(id, 1, 250)]).unwrap();
    assert_eq!(world.money(ana), (70_000, 0));
    world.commit(vec![adjust(ana, id, 1, Usd(20_000))]).unwrap();
    assert_eq!(world.money(ana), (90_000, 0));
    assert_eq!(
        world.commit(vec![adjust(ana, id, 1, Usd(1))]),
        refused(Refused::Stale)
    );
    assert!(is_storage(&world.commit(vec![adjust(
        ana,
        id,
        2,
        Usd(10_001)
    )])));
    assert!(is_storage(&world.commit(vec![adjust(
        ana,
        id,
        2,
        Usd::ZERO
    )])));
    let mut corrected = world.smm_order(id);
    corrected.returned = PRICE;
    corrected.adjustments = 2;
    corrected.observations = 3;
    let save = Write::UpdateSmmOrder(Box::new(corrected));
    let rest = adjust(ana, id, 2, Usd(10_000));
    let said = [seen(id, 2, 750), seen(id, 3, 1000)];
    world
        .commit([vec![rest, save], said.to_vec()].concat())
        .unwrap();
    assert_eq!(world.money(ana), (100_000, 0));
    world.audited();
}

pub(crate) fn credits_count_once(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(Usd::ZERO);
    let credit = world.credit(ana, Usd(5));
    world.commit(vec![credit.clone()]).unwrap();
    assert_eq!(world.commit(vec![credit]), refused(Refused::Stale));
    let nobody = world.credit(AccountId(777), Usd(5));
    assert_eq!(world.commit(vec![nobody]), refused(Refused::NoSuchAccount));
    for wrong in [Usd::ZERO, Usd(-5), Usd(i64::MAX)] {
        assert!(is_storage(&world.commit(vec![world.credit(ana, wrong)])));
    }
    assert_eq!(world.money(ana), (5, 0));
    world.audited();
}

pub(crate) fn entries_balance_and_have_one_cause(store: &dyn Store) {
    let world = World::new(store);
    let cost = Entry::upstream_cost(OrderId(1), 0, "peter1", Usd(3), Usd(4));
    world.commit(vec![Write::Book(cost.clone())]).unwrap();
    assert_eq!(
        world.commit(vec![Write::Book(cost)]),
        refused(Refused::Stale)
    );
    let lopsided = Entry {
        cause: Cause::UpstreamCost(OrderId(2), 0),
        postings: vec![Posting {
            book: Book::Sales,
            amount: Usd(1),
        }],
    };
    assert!(is_storage(&world.commit(vec![Write::Book(lopsided)])));
    let audit = wait(store.audit(super::NOW)).unwrap();
    let rules: Vec<_> = audit.violations.iter().map(|found| found.rule).collect();
    assert_eq!((audit.entries, rules), (1, vec!["I-18"]), "no such order");
}

/// Many at once against one wallet: exactly what it can afford is sold.
pub(crate) fn nothing_is_spent_twice(store: &dyn Store) {
    const BUYERS: usize = 50;
    const TRIES: usize = 200;
    const AFFORDABLE: i64 = 137;
    let world = World::new(store);
    let ana = world.customer(Usd(PRICE.0 * AFFORDABLE + PRICE.0 - 1));
    let buy = || {
        let world = World::new(store);
        let tries = (0..TRIES).map(|_| world.commit(world.new_activation(ana).open(&PLAN)));
        let mut sold = 0;
        for outcome in tries {
            match outcome {
                Ok(()) => sold += 1,
                Err(why) => assert_eq!(Err(why), refused(Refused::InsufficientFunds)),
            }
        }
        sold
    };
    let sold: i64 = std::thread::scope(|scope| {
        let buyers: Vec<_> = (0..BUYERS).map(|_| scope.spawn(buy)).collect();
        buyers.into_iter().map(|buyer| buyer.join().unwrap()).sum()
    });
    assert_eq!(sold, AFFORDABLE);
    assert_eq!(world.money(ana), (PRICE.0 - 1, PRICE.0 * AFFORDABLE));
    let audit = wait(store.audit(super::NOW)).unwrap();
    assert_eq!((audit.open_holds, audit.violations), (137, vec![]));
}

/// Concurrent changes, every third one refused: the others all stand.
pub(crate) fn a_refused_change_harms_no_neighbour(store: &dyn Store) {
    const EACH: usize = 60;
    let world = World::new(store);
    let rich: Vec<_> = (0..8).map(|_| world.customer(Usd(PRICE.0 * 40))).collect();
    let poor = world.customer(Usd(1));
    std::thread::scope(|scope| {
        for customer in &rich {
            scope.spawn(|| {
                let world = World::new(store);
                for turn in 0..EACH {
                    let who = if turn % 3 == 2 { poor } else { *customer };
                    let outcome = world.commit(world.new_activation(who).open(&PLAN));
                    let wanted = if who == poor {
                        refused(Refused::InsufficientFunds)
                    } else {
                        Ok(())
                    };
                    assert_eq!(outcome, wanted);
                }
            });
        }
    });
    for customer in rich {
        assert_eq!(world.money(customer), (0, PRICE.0 * 40));
    }
    world.audited();
}
