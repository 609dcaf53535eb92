//! Redeem codes: one winner, one posting, and nothing for what is over.

use domain::change::{Refused, Write};
use domain::ids::AccountId;
use domain::ports::{RedeemRows, Store};
use domain::redeem::{CodeSource, RedeemCode, RedeemWrite};
use domain::time::Millis;
use domain::usd::Usd;

use super::{NOW, World, refused, wait};

const WORTH: Usd = Usd(5_000_000);

fn code(world: &World<'_>, letter: u8) -> RedeemCode {
    let id = world.store.next_row_id();
    RedeemCode {
        id,
        batch: id,
        hash: [letter; 32],
        amount: WORTH,
        source: CodeSource::Sold,
        note: "shop".into(),
        created_at: NOW,
        expires_at: Some(NOW + Millis::minutes(60)),
        disabled: false,
        redeemed: None,
    }
}

fn insert(world: &World<'_>, code: &RedeemCode) {
    let write = RedeemWrite::Insert(Box::new(code.clone()));
    world.commit(vec![Write::RedeemCode(write)]).unwrap();
}

fn claim(account: AccountId, code: &RedeemCode) -> Write {
    Write::Redeem {
        account,
        code: code.id,
        amount: code.amount,
        source: code.source,
    }
}

pub(crate) fn one_of_twenty_has_it<S: Store + RedeemRows>(store: &S) {
    let world = World::new(store);
    let code = code(&world, 1);
    insert(&world, &code);
    assert_eq!(
        wait(store.redeem_code(&code.hash)).unwrap(),
        Some(code.clone())
    );
    let again = RedeemWrite::Insert(Box::new(RedeemCode {
        id: store.next_row_id(),
        ..code.clone()
    }));
    let again = world.commit(vec![Write::RedeemCode(again)]);
    assert_eq!(again, refused(Refused::Stale), "a code is there once");
    let people: Vec<AccountId> = (0..20).map(|_| world.customer(Usd::ZERO)).collect();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> = people
            .iter()
            .map(|who| {
                let (world, write) = (World::new(store), claim(*who, &code));
                scope.spawn(move || world.commit(vec![write]))
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let won: Vec<AccountId> = people
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| outcome.is_ok())
        .map(|(who, _)| *who)
        .collect();
    assert_eq!(won.len(), 1, "{outcomes:?}");
    let lost = outcomes
        .iter()
        .filter(|one| **one == refused(Refused::Stale));
    assert_eq!(lost.count(), 19);
    for who in people {
        let worth = if who == won[0] { WORTH.0 } else { 0 };
        assert_eq!(world.money(who), (worth, 0));
    }
    let redeemed = wait(store.redeemed_by(won[0], 10)).unwrap();
    assert_eq!(redeemed[0].redeemed, Some((won[0], NOW)));
    world.audited();
}

pub(crate) fn what_is_over_pays_nothing<S: Store + RedeemRows>(store: &S) {
    let world = World::new(store);
    let ana = world.customer(Usd::ZERO);
    let (off, old, odd) = (code(&world, 1), code(&world, 2), code(&world, 3));
    for one in [&off, &old, &odd] {
        insert(&world, one);
    }
    let disable = Write::RedeemCode(RedeemWrite::Disable { code: off.id });
    world.commit(vec![disable]).unwrap();
    let late = NOW + Millis::minutes(60);
    let dearer = RedeemCode {
        amount: Usd(WORTH.0 + 1),
        ..odd.clone()
    };
    assert_eq!(
        world.commit(vec![claim(ana, &off)]),
        refused(Refused::Stale)
    );
    assert_eq!(
        world.commit_at(late, vec![claim(ana, &old)]),
        refused(Refused::Stale)
    );
    assert_eq!(
        world.commit(vec![claim(ana, &dearer)]),
        refused(Refused::Stale)
    );
    assert_eq!(world.money(ana), (0, 0));
    world.commit(vec![claim(ana, &odd)]).unwrap();
    assert_eq!(
        world.commit(vec![claim(ana, &odd)]),
        refused(Refused::Stale)
    );
    let disable = Write::RedeemCode(RedeemWrite::Disable { code: odd.id });
    assert_eq!(world.commit(vec![disable]), refused(Refused::Stale));
    assert_eq!(world.money(ana), (WORTH.0, 0));
    let listed = wait(store.redeem_codes(2)).unwrap();
    assert_eq!(
        listed.iter().map(|one| one.id).collect::<Vec<_>>(),
        [odd.id, old.id]
    );
    world.audited();
}
