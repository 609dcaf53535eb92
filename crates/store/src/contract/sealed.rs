//! Codes that are sealed: when they come late, and when a node without their keys writes their rows.

use std::sync::Arc;

use domain::ids::OrderId;
use domain::ports::PageRows;
use domain::time::Millis;
use domain::upstream::Sms;
use domain::usd::Usd;

use super::{NOW, PLAN, World, number, wait};
use crate::Database;
use crate::vault::fresh_keys;
use crate::vault::tests::Place;

const DAY: Millis = Millis::minutes(24 * 60);

fn sms(code: &str) -> Sms {
    Sms {
        code: code.into(),
        text: Some(format!("{code} is your code")),
    }
}

fn bought(store: &Database, name: &str, phone: &str) -> OrderId {
    let world = World::new(store);
    let ana = world.customer(Usd(1_000_000));
    world.active(ana, &number(name, phone)).id
}

fn readable(store: &Database, order: OrderId) -> (Option<Sms>, Vec<Sms>) {
    let messages = wait(store.messages(order)).unwrap();
    let messages = messages.into_iter().map(|(sms, _)| sms).collect();
    (World::new(store).activation(order).message, messages)
}

/// The key of the day on which the number's time ended is thrown away by then.
pub(crate) fn a_code_that_comes_after_an_outage_is_readable(store: Database) {
    let (place, keys) = (Place::new(), fresh_keys().unwrap());
    let vault = Arc::new(place.vault(&keys, NOW));
    let store = store.with_vault(Arc::clone(&vault));
    let order = bought(&store, "u1", "+923001234567");
    let late = NOW + Millis(5 * DAY.0);
    assert!(vault.forget(late).unwrap());
    let world = World::new(&store);
    let received = world
        .activation(order)
        .message_seen(sms("1234"), &PLAN, late);
    world.commit_at(late, received).unwrap();
    let found = readable(&store, order);
    assert_eq!(found, (Some(sms("1234")), vec![sms("1234")]));
    let watched = world.activation(order).watched_to_the_end();
    world.commit_at(late, watched).unwrap();
    assert_eq!(readable(&store, order), found);
    assert!(vault.forget(late + Millis(2 * DAY.0)).unwrap());
    assert_eq!(
        readable(&store, order),
        (Some(Sms::forgotten()), vec![Sms::forgotten()])
    );
}

/// It reads none of them, and none is lost by what it writes, alone or with others in one group.
pub(crate) fn a_node_with_other_keys_destroys_no_code(store: Database) {
    let (places, keys) = ([Place::new(), Place::new()], fresh_keys().unwrap());
    let [ours, others] = places
        .each_ref()
        .map(|place| Arc::new(place.vault(&keys, NOW)));
    let store = store.with_vault(Arc::clone(&ours));
    let orders: Vec<OrderId> = (10..26)
        .map(|at| bought(&store, &format!("u{at}"), &format!("+9230012345{at}")))
        .collect();
    let world = World::new(&store);
    for order in &orders {
        let received = world.activation(*order);
        world
            .commit(received.message_seen(sms("1234"), &PLAN, NOW))
            .unwrap();
    }
    let store = store.with_vault(others);
    let world = World::new(&store);
    assert_eq!(readable(&store, orders[0]).0, Some(Sms::forgotten()));
    std::thread::scope(|scope| {
        for order in &orders {
            let watched = world.activation(*order).watched_to_the_end();
            let world = &world;
            scope.spawn(move || world.commit(watched).unwrap());
        }
    });
    let store = store.with_vault(ours);
    for order in &orders {
        assert_eq!(readable(&store, *order).0, Some(sms("1234")));
    }
}
