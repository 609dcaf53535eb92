//! What raises cases against accounts, each account for itself.

mod unread;

use super::dashboard::browser::signed_in;
use super::world::{BUY, DISCORD, World};
use app::Lawful;
use app::api_key::{Environment, RANDOM_LEN, generate};
use domain::access::ApiKey;
use domain::change::{Change, Write};
use domain::ids::AccountId;
use domain::people::{PeopleWrite, Session};
use domain::policy::{AccountCase, Measure, Signal};
use domain::ports::{Clock, PeopleRows, Store};
use domain::time::Millis;
use domain::upstream::Sms;
use std::sync::Arc;
use unread::Unread;

const BANK: &str = "Your bank: 123456 authorises a wire transfer.";

async fn cases_of(world: &World, account: AccountId) -> Vec<AccountCase> {
    let found = world.door.lawful.account_cases(Some(account), false).await;
    found.unwrap()
}

/// Buys two numbers with each key; to all of them a bank writes.
async fn a_bank_writes(world: &World, keys: &[&str]) {
    for key in [keys, keys].concat() {
        let bought = world.post(BUY, &[("x-api-key", key)], DISCORD).await;
        assert_eq!(bought.status, 200, "{}", bought.text);
    }
    *world.numbers.message.lock().unwrap() = Some(Sms {
        code: "123456".to_owned(),
        text: Some(BANK.to_owned()),
    });
    world.clock.advance(Millis::seconds(5));
    world.door.engine.poll_upstream("peter").await;
    *world.numbers.message.lock().unwrap() = None;
}

#[tokio::test]
async fn two_withheld_messages_raise_a_case() {
    let world = World::start().await;
    a_bank_writes(&world, &[&world.key]).await;
    world.door.lawful.look_at_accounts().await;
    let cases = cases_of(&world, world.account).await;
    assert_eq!(cases.len(), 1, "{cases:?}");
    assert_eq!(cases[0].signal, Signal::WithheldMessages);
    assert_eq!(cases[0].evidence, "2 messages withheld within 30 days");
}

#[tokio::test]
async fn an_account_that_cannot_be_looked_at_keeps_no_other_one_from_it() {
    let world = World::start().await;
    let (bob, key) = world.new_account("bob@example.com").await;
    let engine = &world.door.engine;
    let amount = domain::usd::Usd(50_000_000);
    engine.credit_wallet(bob, amount, "test").await.unwrap();
    a_bank_writes(&world, &[&world.key, &key]).await;

    let unread = Arc::new(Unread::of(&world.store, world.account));
    let lawful = Lawful::new(Arc::clone(engine), Arc::clone(&unread) as _);
    lawful.look_at_accounts().await;
    assert_eq!(cases_of(&world, world.account).await, []);
    assert_eq!(cases_of(&world, bob).await.len(), 1);
    unread.reads_again();
    lawful.look_at_accounts().await;
    let cases = cases_of(&world, world.account).await;
    assert_eq!(cases.len(), 1, "it was noted for the next pass");
}

/// A key that was revoked, and another one's secret under its id.
async fn revoked_and_guessed(world: &World) -> [String; 2] {
    let (random, mut other) = ([1; RANDOM_LEN], [1; RANDOM_LEN]);
    other[0] = 2;
    let [real, guessed] = [random, other].map(|random| generate(Environment::Live, &random));
    assert_eq!(real.public_id(), guessed.public_id());
    let as_real = |key: &mut ApiKey| {
        key.public_id = real.public_id().to_owned();
        key.mac = real.mac(&world.door.pepper);
    };
    world.odd_key(world.account, as_real).await;
    let keys = world.store.keys(world.account).await.unwrap();
    let key = keys.iter().find(|key| key.public_id == real.public_id());
    let revoked = world.door.engine.revoke_key(key.unwrap().id);
    revoked.await.unwrap();
    [real, guessed].map(|key| key.reveal().to_owned())
}

#[tokio::test]
async fn whoever_guesses_the_id_of_a_key_says_nothing_about_its_account() {
    let world = World::start().await;
    let attempts = async |key: &str| {
        for _ in 0..25 {
            let known = world.door.engine.authenticate(key, &world.door.pepper);
            assert!(known.await.unwrap().is_none());
        }
        world.door.lawful.look_at_accounts().await;
        cases_of(&world, world.account).await
    };
    let [revoked, guessed] = revoked_and_guessed(&world).await;
    assert_eq!(attempts(&guessed).await, []);
    let cases = attempts(&revoked).await;
    assert_eq!(cases.len(), 1, "{cases:?}");
    assert_eq!(cases[0].signal, Signal::FailedKeys);
}

/// Signs whoever has an account in, with this browser at this address.
async fn uses(world: &World, account: AccountId, (address, agent): (&str, &str)) {
    let person = world.store.person_of(account).await.unwrap().unwrap();
    let (id, now) = (world.store.next_row_id(), world.clock.now());
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&id.to_be_bytes());
    let session = Session {
        id,
        hash,
        person: person.id,
        created_at: now,
        seen_at: now,
        expires_at: now + Millis::minutes(60),
        address: address.to_owned(),
        agent: agent.to_owned(),
        proved_at: now,
    };
    let start = Write::People(PeopleWrite::StartSession(Box::new(session)));
    let change = Change::new("sign_in", now, vec![start]);
    world.store.commit(change).await.unwrap();
}

#[tokio::test]
async fn accounts_of_one_device_are_written_down_without_the_device() {
    let world = World::start().await;
    let mut accounts = vec![world.account];
    for email in ["bob@example.com", "eve@example.com"] {
        accounts.push(world.new_account(email).await.0);
    }
    let engine = &world.door.engine;
    for account in &accounts {
        engine.set_tier(*account, 1).await.unwrap();
        signed_in(&world, *account).await;
        uses(&world, *account, ("192.0.2.77", "Browser of a family")).await;
    }
    world.door.lawful.look_at_accounts().await;
    for account in &accounts {
        let cases = cases_of(&world, *account).await;
        assert_eq!(cases.len(), 1, "{cases:?}");
        let case = &cases[0];
        let raised = (case.signal, case.measure);
        assert_eq!(raised, (Signal::SharedDevice, Measure::Log));
        let named = accounts.iter().map(AccountId::to_string);
        let named = named.collect::<Vec<_>>().join(", ");
        let said = format!("3 accounts signed in from one device: {named}");
        assert_eq!(case.evidence, said);
    }
}
