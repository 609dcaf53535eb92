//! Accounts, keys, idempotency claims.

use domain::access::{KeptAnswer, KeyClaim};
use domain::change::{Refused, Write};
use domain::ids::{AccountId, KeyId, OrderId};
use domain::ledger::Wallet;
use domain::ports::Store;
use domain::time::Millis;
use domain::usd::Usd;

use super::{NOW, World, account, api_key, refused, wait};

pub(crate) fn accounts_have_one_email_and_a_wallet(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(Usd::ZERO);
    assert_eq!(world.wallet(ana), Wallet::default());
    let mut bob = account(AccountId(store.next_row_id()));
    bob.email = account(ana).email;
    let taken = world.commit(vec![Write::InsertAccount(Box::new(bob.clone()))]);
    assert_eq!(taken, refused(Refused::EmailTaken));
    bob.email = "bob@example.com".into();
    world
        .commit(vec![Write::InsertAccount(Box::new(bob.clone()))])
        .unwrap();

    (bob.tier, bob.api_access, bob.suspended) = (0, false, true);
    world
        .commit(vec![Write::UpdateAccount(Box::new(bob.clone()))])
        .unwrap();
    assert_eq!(wait(store.account(bob.id)).unwrap(), Some(bob.clone()));
    assert_eq!(wait(store.accounts()).unwrap(), [account(ana), bob.clone()]);
    bob.email = account(ana).email;
    let taken = world.commit(vec![Write::UpdateAccount(Box::new(bob))]);
    assert_eq!(taken, refused(Refused::EmailTaken));

    let nobody = account(AccountId(777));
    let missing = world.commit(vec![Write::UpdateAccount(Box::new(nobody))]);
    assert_eq!(missing, refused(Refused::NoSuchAccount));
    assert_eq!(wait(store.account(AccountId(777))).unwrap(), None);
    assert_eq!(wait(store.wallet(AccountId(777))).unwrap(), None);
}

pub(crate) fn a_key_leads_to_its_account(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(Usd::ZERO);
    let key = api_key(store.next_row_id(), ana);
    world
        .commit(vec![Write::InsertKey(Box::new(key.clone()))])
        .unwrap();
    let caller = wait(store.caller(&key.public_id)).unwrap().unwrap();
    assert_eq!((caller.key, caller.account), (key.clone(), account(ana)));
    assert_eq!(wait(store.caller("unknown")).unwrap(), None);

    let mut bare = api_key(store.next_row_id(), ana);
    (bare.scopes, bare.allowed_addresses) = (vec![], vec![]);
    (bare.rate_limit, bare.expires_at) = (None, None);
    world
        .commit(vec![Write::InsertKey(Box::new(bare.clone()))])
        .unwrap();
    assert_eq!(wait(store.key(bare.id)).unwrap(), Some(bare.clone()));
    assert_eq!(wait(store.keys(ana)).unwrap(), [key.clone(), bare]);

    world
        .commit(vec![Write::RevokeKey {
            account: key.account,
            key: key.id,
        }])
        .unwrap();
    assert!(wait(store.key(key.id)).unwrap().unwrap().revoked);
    let missing = KeyId(777);
    assert_eq!(
        world.commit(vec![Write::RevokeKey {
            account: ana,
            key: missing
        }]),
        refused(Refused::Stale)
    );
    assert_eq!(wait(store.key(missing)).unwrap(), None);
    let orphaned = Write::InsertKey(Box::new(api_key(778, AccountId(777))));
    assert_eq!(
        world.commit(vec![orphaned]),
        refused(Refused::NoSuchAccount)
    );
}

pub(crate) fn an_account_and_its_key_in_one_change(store: &dyn Store) {
    let world = World::new(store);
    let ana = AccountId(store.next_row_id());
    let key = api_key(store.next_row_id(), ana);
    let new = Write::InsertAccount(Box::new(account(ana)));
    let credit = world.credit(ana, Usd(7));
    world
        .commit(vec![new, credit, Write::InsertKey(Box::new(key))])
        .unwrap();
    assert_eq!(world.money(ana), (7, 0));
    world.audited();
}

pub(crate) fn a_claim_is_free_again_when_it_expires(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(Usd::ZERO);
    let first = KeyClaim {
        account: ana,
        endpoint: "/otp buy".into(),
        key: "k1".into(),
        fingerprint: [1; 32],
        answer: KeptAnswer::Order(OrderId(100_777)),
        expires_at: NOW + Millis(1000),
    };
    let mut second = first.clone();
    second.fingerprint = [2; 32];
    second.answer = KeptAnswer::InsufficientFunds;
    second.expires_at = NOW + Millis(5000);
    let claim = |claim: &KeyClaim| vec![Write::Claim(claim.clone())];
    let kept = |at| wait(store.claim(ana, "/otp buy", "k1", at)).unwrap();

    assert_eq!(kept(NOW), None);
    world.commit(claim(&first)).unwrap();
    assert_eq!(kept(NOW), Some(first.clone()));
    assert_eq!(kept(NOW + Millis(1000)), None);
    let taken = world.commit_at(NOW + Millis(999), claim(&second));
    assert_eq!(taken, refused(Refused::KeyTaken));
    assert_eq!(kept(NOW), Some(first.clone()));
    world.commit_at(NOW + Millis(1000), claim(&second)).unwrap();
    assert_eq!(kept(NOW + Millis(1000)), Some(second));

    let elsewhere = KeyClaim {
        endpoint: "/smm add".into(),
        ..first.clone()
    };
    world.commit(claim(&elsewhere)).unwrap();
    let twice = vec![
        Write::Claim(KeyClaim {
            key: "k2".into(),
            ..first.clone()
        }),
        Write::Claim(KeyClaim {
            key: "k2".into(),
            ..first
        }),
    ];
    assert_eq!(world.commit(twice), refused(Refused::KeyTaken));
    assert_eq!(wait(store.claim(ana, "/otp buy", "k2", NOW)).unwrap(), None);
}
