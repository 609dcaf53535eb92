//! Pages and the questions of background work.

use domain::activation::{Activation, ActivationState};
use domain::change::{Reason, Write};
use domain::ids::OrderId;
use domain::order::{Failure, Told};
use domain::ports::{AtPanels, Page, Store};
use domain::smm_order::SmmState;
use domain::time::Millis;
use domain::upstream::{Progress, Sms};
use domain::usd::Usd;

use super::{NOW, PLAN, World, number, smm_plan, wait};

const MONEY: Usd = Usd(10_000_000);

fn page(limit: u32) -> Page {
    Page {
        limit,
        before: None,
        since: None,
        states: Vec::new(),
        progress: Vec::new(),
    }
}

fn ids(activations: Vec<Activation>) -> Vec<i64> {
    activations.into_iter().map(|a| a.id.0 - 100_000).collect()
}

pub(crate) fn a_page_holds_what_the_client_may_know(store: &dyn Store) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(MONEY), world.customer(MONEY));
    for turn in 1..=6 {
        let mut new = world.new_activation(if turn == 2 { bob } else { ana });
        new.created_at = NOW + Millis(turn);
        if turn == 3 {
            new.told = Told::Failed;
        }
        world.commit(new.open(&PLAN)).unwrap();
    }
    let fifth = world.activation(OrderId(100_005));
    world
        .commit(fifth.refused(Failure::NoNumbers, "no_stock", "raw".into()))
        .unwrap();
    let listed = |page: Page| ids(wait(store.activations(ana, &page)).unwrap());
    assert_eq!(listed(page(100)), [6, 5, 4, 1]);
    assert_eq!(listed(page(2)), [6, 5]);
    assert_eq!(listed(page(0)), [6]);
    let before = Some(OrderId(100_005));
    assert_eq!(
        listed(Page {
            before,
            ..page(100)
        }),
        [4, 1]
    );
    let since = Some(NOW + Millis(4));
    assert_eq!(listed(Page { since, ..page(100) }), [6, 5, 4]);
    let states = vec!["failed", "received"];
    assert_eq!(
        listed(Page {
            states,
            ..page(100)
        }),
        [5]
    );
    let progress = vec!["Completed"];
    assert_eq!(
        listed(Page {
            progress,
            ..page(100)
        }),
        [6, 5, 4, 1]
    );
}

pub(crate) fn an_smm_page_follows_the_public_word(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(MONEY);
    let states = [
        (SmmState::Calling, Progress::InProgress),
        (SmmState::Active, Progress::InProgress),
        (SmmState::Failed, Progress::Pending),
        (SmmState::Resolved, Progress::Partial),
        (SmmState::Undo, Progress::Completed),
        (SmmState::Active, Progress::Pending),
    ];
    let mut orders = Vec::new();
    for (turn, (state, progress)) in states.into_iter().enumerate() {
        let mut order = world.new_smm_order(ana, &turn.to_string());
        (order.state, order.progress) = (state, progress);
        orders.push(order.clone());
        world
            .commit(vec![Write::InsertSmmOrder(Box::new(order))])
            .unwrap();
    }
    let mut hidden = world.new_smm_order(ana, "hidden");
    hidden.told = Told::Failed;
    world
        .commit(vec![Write::InsertSmmOrder(Box::new(hidden))])
        .unwrap();
    for wanted in Progress::ALL {
        let asked = Page {
            progress: vec![wanted.word()],
            ..page(100)
        };
        let listed = wait(store.smm_orders(ana, &asked)).unwrap();
        let shown = orders
            .iter()
            .rev()
            .filter(|order| order.public_progress() == wanted);
        assert!(listed.iter().eq(shown), "{wanted:?}");
    }
    let all = wait(store.smm_orders(ana, &page(100))).unwrap();
    assert!(all.iter().eq(orders.iter().rev()));
    let states = vec!["active"];
    assert_eq!(
        wait(store.smm_orders(ana, &Page { states, ..page(1) }))
            .unwrap()
            .len(),
        1
    );
}

pub(crate) fn due_work_comes_longest_due_first(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(MONEY);
    for late in [3, 1, 2] {
        let mut new = world.new_activation(ana);
        new.created_at = NOW - Millis(late * 1000);
        world.commit(new.open(&PLAN)).unwrap();
        let mut new = world.new_smm_order(ana, &late.to_string());
        new.created_at = NOW - Millis(late * 1000);
        world.commit(new.open(&smm_plan())).unwrap();
    }
    let due = |at, limit| ids(wait(store.activations_due(at, limit)).unwrap());
    let at = NOW + PLAN.lease - Millis(2000);
    assert_eq!(due(at, 10), [1, 5]);
    assert_eq!(due(at, 1), [1]);
    assert_eq!(due(at - Millis(1001), 10), [0_i64; 0]);
    let orders = wait(store.smm_orders_due(at, 10)).unwrap();
    let found: Vec<_> = orders.iter().map(|order| order.id.0).collect();
    assert_eq!(found, [100_002, 100_006]);
    let of_panels = |at| {
        let claimed = wait(store.claim_smm_orders(&at, NOW + PLAN.lease, 10)).unwrap();
        let found: Vec<_> = claimed.iter().map(|order| order.id.0).collect();
        found
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let elsewhere = AtPanels::One("panel2".into());
    assert_eq!(of_panels(elsewhere), [0_i64; 0]);
    let others = AtPanels::NoneOf(names(&["panel2", "panel1"]));
    assert_eq!(of_panels(others), [0_i64; 0]);
    let here = AtPanels::One("panel1".into());
    assert_eq!(of_panels(here.clone()), [100_002, 100_006, 100_004]);
    // who has claimed them has them for a while; where one process has the store it is alone
    let left = AtPanels::NoneOf(names(&["panel2"]));
    let again = of_panels(left);
    assert!(again.is_empty() || again == of_panels(here), "{again:?}");
}

pub(crate) fn live_in_doubt_and_ended(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(MONEY);
    let sms = Sms {
        code: "1234".into(),
        text: None,
    };
    for turn in 1..=7_i64 {
        let phone = format!("+92300123456{turn}");
        let calling = world.calling(ana);
        let id = calling.id;
        if turn <= 2 {
            world
                .commit(calling.in_doubt(NOW, &PLAN, NOW, "timeout"))
                .unwrap();
            continue;
        }
        let number = number(&format!("u{turn}"), &phone);
        world
            .commit(calling.bought(&number, &PLAN, NOW, "raw".into()))
            .unwrap();
        let active = world.activation(id);
        let next = match turn {
            4 => active.ask_cancel(NOW + PLAN.lease),
            5 | 6 => active.message_seen(sms.clone(), &PLAN, NOW),
            7 => active.closed_upstream(Reason::Cancelled),
            _ => continue,
        };
        world.commit(next).unwrap();
    }
    world
        .commit(world.activation(OrderId(100_006)).watched_to_the_end())
        .unwrap();
    let mut live = ids(wait(store.activations_live("peter1")).unwrap());
    live.sort_unstable();
    assert_eq!(live, [3, 4, 5]);
    assert_eq!(
        ids(wait(store.activations_live("peter2")).unwrap()),
        [0_i64; 0]
    );
    assert_eq!(
        ids(wait(store.activations_in_doubt("peter1")).unwrap()),
        [1, 2]
    );
    let ended = |limit| {
        let ended = wait(store.activations_ended(limit)).unwrap();
        assert!(ended.iter().all(|(_, _, at)| *at == NOW));
        let (rows, reasons): (Vec<_>, Vec<_>) = ended
            .into_iter()
            .map(|(row, reason, _)| (row, reason))
            .unzip();
        (ids(rows), reasons)
    };
    let delivered = Reason::Delivered;
    let reasons = vec![Reason::Cancelled, delivered, delivered];
    assert_eq!(ended(10), (vec![7, 6, 5], reasons));
    assert_eq!(ended(1).0, [7]);
    assert_eq!(
        world.activation(OrderId(100_004)).state,
        ActivationState::CancelRequested
    );

    let order = world.new_smm_order(ana, "x");
    let id = order.id;
    world.commit(order.open(&smm_plan())).unwrap();
    let unknown = world
        .smm_order(id)
        .in_doubt(NOW, &smm_plan(), NOW, "timeout");
    world.commit(unknown).unwrap();
    let in_doubt = wait(store.smm_orders_in_doubt("panel1")).unwrap();
    assert_eq!(in_doubt, [world.smm_order(id)]);
    world.audited();
}
