//! Bounds of accounts, attestations, and what is not to be used: all decided inside the change.

use domain::change::{Refused, Write};
use domain::ids::AccountId;
use domain::policy::velocity::{Exceeded, Ordered, Velocity};
use domain::policy::{Attestation, Blocked, BlockedKind, PaceCheck, PolicyWrite};
use domain::ports::{PolicyRows, Store};
use domain::time::Millis;
use domain::usd::Usd;

use super::{NOW, PLAN, PRICE, World, api_key, number, refused, smm_plan, wait};

const FUNDS: Usd = Usd(10_000_000);

fn pace(account: AccountId, ordered: Ordered, attestation: Option<u32>) -> Write {
    Write::Policy(PolicyWrite::KeepPace(Box::new(PaceCheck {
        account,
        velocity: Velocity::of_tier(1),
        ordered,
        attestation,
    })))
}

fn discord() -> Ordered {
    Ordered::Number {
        service: "Discord".into(),
        country: "pk".into(),
        price: PRICE,
    }
}

fn too_fast(bound: &'static str, after: Millis) -> super::Outcome {
    refused(Refused::TooFast(Exceeded {
        bound,
        again_at: NOW + after,
    }))
}

pub(crate) fn sixty_four_at_once_never_pass_a_bound(store: &dyn Store) {
    let world = World::new(store);
    let account = world.customer(FUNDS);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..64)
            .map(|_| {
                scope.spawn(|| {
                    let world = World::new(store);
                    let open = world.new_activation(account).open(&PLAN);
                    let writes = [pace(account, discord(), None)].into_iter().chain(open);
                    world.commit(writes.collect())
                })
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let sold = outcomes.iter().filter(|one| one.is_ok()).count();
    assert_eq!(sold, 5, "five may be open at tier 1");
    let over = too_fast("open_activations", Millis::seconds(60));
    assert!(outcomes.iter().all(|one| one.is_ok() || *one == over));
    assert_eq!(world.money(account).1, 5 * PRICE.0);
    world.audited();
}

pub(crate) fn the_past_counts_as_it_was(store: &dyn Store) {
    let world = World::new(store);
    let account = world.customer(FUNDS);
    let opened = |after: i64| {
        let at = NOW + Millis::minutes(after);
        let open = world.new_activation(account);
        let (id, open) = (open.id, open.open(&PLAN));
        let writes = [pace(account, discord(), None)].into_iter().chain(open);
        world.commit_at(at, writes.collect()).map(|()| id)
    };
    for one in 0..10 {
        let id = opened(one).unwrap();
        let closed = world
            .activation(id)
            .closed_upstream(domain::change::Reason::Expired);
        world.commit_at(NOW + Millis::minutes(one), closed).unwrap();
    }
    // all of them were ordered at NOW, whenever they were committed
    let over = opened(10).unwrap_err();
    let domain::change::CommitError::Refused(Refused::TooFast(over)) = over else {
        panic!("{over:?}");
    };
    assert_eq!(over.bound, "same_offer_per_day");
    assert_eq!(over.again_at, NOW + Millis::minutes(24 * 60));
    assert!(opened(24 * 60).is_ok(), "a day later there is room");
}

pub(crate) fn a_purpose_is_asked_for_once<S: Store + PolicyRows>(store: &S) {
    let world = World::new(store);
    let account = world.customer(FUNDS);
    let open = || {
        let open = world.new_activation(account).open(&PLAN);
        let asked = [pace(account, discord(), Some(2))];
        world.commit(asked.into_iter().chain(open).collect())
    };
    let attest = |version: u32| {
        let attestation = Attestation {
            id: store.next_row_id(),
            account,
            version,
            purpose: "testing our own sign-up".into(),
            at: NOW,
        };
        let write = PolicyWrite::Attest(Box::new(attestation.clone()));
        world.commit(vec![Write::Policy(write)]).unwrap();
        attestation
    };
    assert_eq!(open(), refused(Refused::NotAttested));
    let old = attest(1);
    assert_eq!(open(), refused(Refused::NotAttested), "an older statement");
    let new = attest(2);
    assert_eq!(open(), Ok(()));
    assert_eq!(wait(store.attestations(account)).unwrap(), [new, old]);
    let nobody = PolicyWrite::Attest(Box::new(Attestation {
        id: store.next_row_id(),
        account: AccountId(987_654),
        version: 1,
        purpose: "nobody".into(),
        at: NOW,
    }));
    let written = world.commit(vec![Write::Policy(nobody)]);
    assert_eq!(written, refused(Refused::NoSuchAccount));
}

fn block(world: &World<'_>, kind: BlockedKind, value: &str) -> Blocked {
    let blocked = Blocked {
        id: world.store.next_row_id(),
        kind,
        value: value.into(),
        why: "its owner asked".into(),
        at: NOW,
    };
    let write = PolicyWrite::Block(Box::new(blocked.clone()));
    world.commit(vec![Write::Policy(write)]).unwrap();
    blocked
}

pub(crate) fn nobody_is_given_what_is_blocked<S: Store + PolicyRows>(store: &S) {
    let world = World::new(store);
    let account = world.customer(FUNDS);
    let number_row = block(&world, BlockedKind::Number, "923001234567");
    let target = block(&world, BlockedKind::Target, "instagram.com/owner");
    block(&world, BlockedKind::Target, "instagram.com/owner");
    assert_eq!(
        wait(store.blocked(10)).unwrap(),
        [target, number_row],
        "once, however often it is asked for"
    );

    let sold = number("77", "+92 300 1234567");
    let calling = world.calling(account);
    let shown = calling.clone().bought(&sold, &PLAN, NOW, "raw".into());
    assert_eq!(world.commit(shown), refused(Refused::NumberTaken));

    let order = || world.new_smm_order(account, "https://www.instagram.com/owner/");
    let placed = world.commit(order().open(&smm_plan()));
    assert_eq!(placed, refused(Refused::TargetBlocked));
    let unblock = || {
        let (kind, value) = (BlockedKind::Target, "instagram.com/owner".into());
        let write = PolicyWrite::Unblock {
            kind,
            value,
            at: NOW,
        };
        world.commit(vec![Write::Policy(write)])
    };
    assert_eq!(unblock(), Ok(()));
    assert_eq!(unblock(), refused(Refused::Stale));
    assert_eq!(world.commit(order().open(&smm_plan())), Ok(()));
    world.audited();
}

pub(crate) fn there_is_room_for_so_many_keys(store: &dyn Store) {
    let world = World::new(store);
    let account = world.customer(Usd::ZERO);
    let add = |most: u32| {
        let key = api_key(store.next_row_id(), account);
        let id = key.id;
        let room = PolicyWrite::RoomForKey { account, most };
        let writes = vec![Write::Policy(room), Write::InsertKey(Box::new(key))];
        world.commit(writes).map(|()| id)
    };
    let first = add(2).unwrap();
    add(2).unwrap();
    assert_eq!(add(2).map(|_| ()), refused(Refused::TooManyKeys));
    world
        .commit(vec![Write::RevokeKey {
            account,
            key: first,
        }])
        .unwrap();
    assert!(add(2).is_ok());
}
