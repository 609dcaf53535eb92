//! Servers that must not be used say why; a server that goes away and comes back.

use std::time::{Duration, Instant};

use domain::change::Write;
use domain::ports::Store;
use domain::usd::Usd;

use super::{Private, intruder, private};
use crate::contract::{PLAN, PRICE, World, api_key, top_up, top_up_days, wait};
use crate::postgres::PostgresSettings;
use crate::{Database, OpenError};

pub(super) fn refusal(settings: &PostgresSettings) -> String {
    let refused: OpenError = Database::connect(settings).err().unwrap();
    refused.to_string()
}

#[test]
fn a_server_that_cannot_be_used_says_why() {
    let nowhere = PostgresSettings::new("postgres://tollgate@%2Fnowhere/x");
    let text = refusal(&nowhere);
    assert!(
        text.contains("/nowhere") && text.contains("cannot be reached"),
        "{text}"
    );

    let text = refusal(&private().settings("missing"));
    assert!(text.contains("no such database"), "{text}");

    let mut other = private().settings("postgres");
    other.url = other.url.replace("tollgate@", "stranger@");
    let text = refusal(&other);
    assert!(text.contains("refuses the user"), "{text}");

    let latin = private().database();
    let maker = intruder(&private().settings("postgres"));
    let made = "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0";
    maker.batch(made).unwrap();
    let text = refusal(&private().settings("latin"));
    assert!(text.contains("UTF8 is needed"), "{text}");
    drop(latin);
}

#[test]
fn a_reopened_store_has_everything() {
    let settings = private().database();
    let store = Database::connect(&settings).unwrap();
    let world = World::new(&store);
    let ana = world.customer(PRICE);
    let order = world.calling(ana);
    drop(store);
    let store = Database::connect(&settings).unwrap();
    let world = World::new(&store);
    assert_eq!(world.activation(order.id), order);
    assert_eq!(world.money(ana), (0, PRICE.0));
    world.audited();
}

/// A migration of one engine that the other lacks would come to light at the operator's.
#[test]
fn both_engines_have_the_same_migrations() {
    let names = |engine: &str| {
        let folder = format!("{}/schema/{engine}", env!("CARGO_MANIFEST_DIR"));
        let files = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let sqlite = names("sqlite");
    assert!(sqlite.len() > 8);
    assert_eq!(names("postgres"), sqlite);
}

#[test]
fn a_restarted_server_is_found_again_and_money_goes_on() {
    let server = Private::start("restarted");
    let store = Database::connect(&server.settings("postgres")).unwrap();
    let world = World::new(&store);
    let ana = world.customer(Usd(PRICE.0 * 2));
    for order in ["restart", "kill"] {
        server.order(order);
        // a read finds its way by itself
        let held = world.money(ana).1;
        // a write that meets the lost connection is not known to be done or not
        let patience = Instant::now() + Duration::from_secs(20);
        let new = world.new_activation(ana);
        let (id, change) = (new.id, new.open(&PLAN));
        if world.commit(change.clone()).is_err() {
            while !store.healthy() {
                assert!(Instant::now() < patience, "the store did not get well");
                std::thread::sleep(Duration::from_millis(20));
            }
            assert_eq!(wait(store.activation(id)).unwrap(), None);
            world.commit(change).unwrap();
        }
        assert_eq!(world.money(ana).1, held + PRICE.0);
    }
    world.audited();
}

/// Ids of two nodes are never the same, and a node that was idle catches up.
#[test]
fn two_nodes_take_turns() {
    let settings = private().database();
    let nodes = [(); 2].map(|()| Database::connect(&settings).unwrap());
    let ana = World::new(&nodes[0]).customer(Usd(PRICE.0 * 100));
    let bought = std::thread::scope(|scope| {
        let buyers = nodes.each_ref().map(|node| {
            scope.spawn(move || {
                let world = World::new(node);
                let outcome = |_| {
                    let new = world.new_activation(ana);
                    world.commit(new.open(&PLAN)).is_ok()
                };
                (0..80).map(outcome).filter(|bought| *bought).count()
            })
        });
        buyers
            .map(|buyer| buyer.join().unwrap())
            .iter()
            .sum::<usize>()
    });
    assert_eq!(bought, 100, "the wallet pays for so many");
    assert_eq!(World::new(&nodes[1]).money(ana), (0, PRICE.0 * 100));
    World::new(&nodes[0]).audited();

    let busy: Vec<_> = (0..200).map(|_| nodes[0].next_order_id()).collect();
    let patience = Instant::now() + Duration::from_secs(20);
    while nodes[1].next_order_id() < busy[0] {
        assert!(
            Instant::now() < patience,
            "an idle node kept ids that are older than others'"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Twenty thousand events of payment processors, shuffled, doubled and some of them delayed.
#[test]
fn two_nodes_credit_each_payment_once() {
    let settings = private().database();
    let nodes = [(); 2].map(|()| Database::connect(&settings).unwrap());
    top_up::a_storm_of_events_credits_each_payment_once(&[&nodes[0], &nodes[1]]);
}

/// What an account begins at two nodes at once stays within its bound of a day.
#[test]
fn two_nodes_keep_one_bound_of_a_day() {
    let settings = private().database();
    let nodes = [(); 2].map(|()| Database::connect(&settings).unwrap());
    top_up_days::a_days_bound_holds_on(&[&nodes[0], &nodes[1]]);
}

/// A key that one node revokes is read again by the others.
#[test]
fn a_change_of_a_key_is_heard_by_other_nodes() {
    let settings = private().database();
    let [here, there] = [(); 2].map(|()| Database::connect(&settings).unwrap());
    let world = World::new(&here);
    let ana = world.customer(PRICE);
    let key = api_key(here.next_row_id(), ana);
    let id = key.id;
    world.commit(vec![Write::InsertKey(Box::new(key))]).unwrap();
    let before = there.access_version();
    world
        .commit(vec![Write::RevokeKey {
            account: ana,
            key: id,
        }])
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(20);
    while there.access_version() == before {
        assert!(Instant::now() < patience, "nothing was heard");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(wait(there.key(id)).unwrap().unwrap().revoked);
}
