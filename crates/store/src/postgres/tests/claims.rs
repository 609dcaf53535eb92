//! Two nodes share what is due.

use std::collections::BTreeSet;

use domain::activation::Activation;
use domain::change::Write;
use domain::ids::OrderId;
use domain::ports::{Read, Store, TopUpRows};
use domain::time::Millis;
use domain::top_up::{RefundState, TopUpWrite};
use domain::usd::Usd;

use super::private;
use crate::Database;
use crate::contract::top_up::due_refunds;
use crate::contract::{NOW, PLAN, PRICE, World, wait};

const DUE: usize = 120;

/// Asks both at the same time, in batches; gives what each was given.
fn taken(
    nodes: &[Database; 2],
    ask: impl Fn(&Database) -> Read<'_, Vec<Activation>> + Sync,
) -> [Vec<i64>; 2] {
    let rounds = 12;
    std::thread::scope(|scope| {
        let takers = nodes.each_ref().map(|node| {
            let ask = &ask;
            scope.spawn(move || {
                let rows = (0..rounds).flat_map(|_| wait(ask(node)).unwrap());
                rows.map(|row| row.id.0).collect()
            })
        });
        takers.map(|taker| taker.join().unwrap())
    })
}

#[test]
fn no_two_nodes_are_given_the_same_row() {
    let settings = private().database();
    let nodes = [(); 2].map(|()| Database::connect(&settings).unwrap());
    let world = World::new(&nodes[0]);
    let ana = world.customer(Usd(PRICE.0 * 1_000));
    for _ in 0..DUE {
        world.calling(ana);
    }
    let later = NOW + PLAN.lease;
    // without claims both look at the same rows, again and again
    let looked = taken(&nodes, |node| node.activations_due(later, 30));
    assert_eq!(looked[0][..30], looked[1][..30]);

    let [here, there] = taken(&nodes, |node| node.claim_activations("peter1", later, 30));
    let both: BTreeSet<i64> = here.iter().chain(&there).copied().collect();
    assert_eq!(here.len() + there.len(), DUE, "each row is given once");
    assert_eq!(both.len(), DUE, "and to one node");

    // a row that was written is free for its next step, whoever takes it
    let first = world.activation(OrderId(*both.first().unwrap()));
    let id = first.id;
    world.commit(first.lease(later)).unwrap();
    let again = wait(nodes[1].claim_activations("peter1", later, 30)).unwrap();
    let ids: Vec<_> = again.iter().map(|row| row.id).collect();
    assert_eq!(ids, [id]);
    world.audited();
}

#[test]
fn a_refund_is_told_by_one_node() {
    let settings = private().database();
    let nodes = [(); 2].map(|()| Database::connect(&settings).unwrap());
    let world = World::new(&nodes[0]);
    let refunds = due_refunds(&world);
    let later = NOW + Millis::minutes(60);
    let due = |node: usize| wait(nodes[node].refunds_due(later, 10)).unwrap();
    assert_eq!(due(0), refunds, "two of one top-up are two");
    assert_eq!((due(0), due(1)), (vec![], vec![]));

    // what was told without an answer is free for its next try
    let told = refunds[0].told(RefundState::Open, NOW);
    let put = TopUpWrite::Refund(Box::new(told.clone()));
    world.commit(vec![Write::TopUp(put)]).unwrap();
    assert_eq!(due(1), [told]);
}

#[test]
fn a_turn_is_taken_by_one_node() {
    let settings = private().database();
    let nodes = [(); 2].map(|()| Database::connect(&settings).unwrap());
    let minute = Millis::minutes(1);
    let turn = |node: usize, pause| wait(nodes[node].take_turn("news of peter", pause)).unwrap();
    let taken = [turn(0, minute), turn(1, minute), turn(0, minute)];
    assert_eq!(taken, [true, false, false]);
    assert!(wait(nodes[1].take_turn("news of paul", minute)).unwrap());
    // whoever has something to ask about comes sooner
    assert!(turn(1, Millis(0)));
    assert!(
        wait(nodes[0].claim_orphans("peter1", NOW, 5))
            .unwrap()
            .is_empty()
    );
}
