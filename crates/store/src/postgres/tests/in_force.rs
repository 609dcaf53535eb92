//! The policy engine over several nodes: bounds hold for all of them together, and what people decide
//! (pauses, measures against accounts, loosened rules) reaches each of them whole and soon.

use std::time::{Duration, Instant};

use domain::change::{Refused, Write};
use domain::desk::{DeskWrite, InForce, Pause};
use domain::ids::{AccountId, PersonId};
use domain::policy::{
    AccountCase, Loosening, LooseningState, Measure, OtpClass, PolicyWrite, RuleChange, Signal,
};
use domain::ports::{PolicyRows, Store};
use domain::usd::Usd;

use super::private;
use crate::Database;
use crate::contract::policy::sixty_four_over;
use crate::contract::{NOW, World, refused, wait};

/// How long a node may go without knowing.
const SOON: Duration = Duration::from_secs(5);

/// What a node that asks again only when it has heard of a change knows, once that is what was decided.
fn heard(node: &Database, is_decided: impl Fn(&InForce) -> bool) {
    let patience = Instant::now() + SOON;
    let mut version = None;
    let mut known = InForce::default();
    loop {
        let told = node.access_version();
        if version != Some(told) {
            known = wait(node.in_force()).unwrap();
            version = Some(told);
        }
        if is_decided(&known) {
            return;
        }
        assert!(Instant::now() < patience, "not heard of: {known:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn decided(change: RuleChange, state: LooseningState) -> RuleChange {
    RuleChange {
        state,
        decided_by: Some(PersonId(2)),
        decided_at: Some(NOW),
        ..change
    }
}

/// Whether all that was decided in one change is known; never is a part of it.
fn whole(known: &InForce, account: AccountId) -> bool {
    let parts = [
        known.is_paused("heard-of"),
        known.measure(account) == Measure::Review,
        !known.loosened.is_empty(),
    ];
    let paused = parts[0];
    assert_eq!(parts, [paused; 3], "half of a change is known");
    paused
}

#[test]
fn three_nodes_together_never_pass_a_bound() {
    let settings = private().database();
    let nodes = [(); 3].map(|()| Database::connect(&settings).unwrap());
    sixty_four_over(&nodes.each_ref().map(|node| node as &dyn Store));
}

/// P-8.
#[test]
fn what_people_decide_is_known_at_every_node_within_five_seconds() {
    let settings = private().database();
    let nodes = [(); 3].map(|()| Database::connect(&settings).unwrap());
    let [here, others @ ..] = &nodes;
    let world = World::new(here);
    let account = world.customer(Usd(1));
    let all = |is_decided: &dyn Fn(&InForce) -> bool| {
        for node in others {
            heard(node, is_decided);
        }
    };

    let pause = DeskWrite::Pause(Box::new(Pause {
        upstream: "heard-of".into(),
        actor: "staff:1".into(),
        why: "its money is gone".into(),
        since: NOW,
    }));
    let asked = RuleChange {
        id: here.next_row_id(),
        what: Loosening::Otp(OtpClass::Dating),
        reason: "a contract".into(),
        asked_by: PersonId(1),
        asked_at: NOW,
        state: LooseningState::Asked,
        decided_by: None,
        decided_at: None,
    };
    let ask = PolicyWrite::AskLoosening(Box::new(asked.clone()));
    world.commit(vec![Write::Policy(ask.clone())]).unwrap();
    let twice = world.commit(vec![Write::Policy(ask)]);
    assert_eq!(twice, refused(Refused::Stale), "it is asked for once");
    let granted = decided(asked, LooseningState::Granted);
    let grant = PolicyWrite::DecideLoosening(Box::new(granted.clone()));
    let seen = (Signal::WithheldMessages, "two messages".to_owned());
    let case = AccountCase::raised(here.next_row_id(), (account, 1), seen, NOW);
    let raise = PolicyWrite::RaiseCase(Box::new(case.clone()));
    // one change: no node may ever know the one without the other
    let version: Vec<u64> = others.iter().map(Database::access_version).collect();
    let policy = [raise, grant].map(Write::Policy);
    let all_of_it = [Write::Desk(pause)].into_iter().chain(policy).collect();
    world.commit(all_of_it).unwrap();
    all(&|known| whole(known, account));
    for (node, before) in others.iter().zip(version) {
        assert!(node.access_version() > before);
    }

    let stored = wait(here.account_case(case.id)).unwrap().unwrap();
    let over = stored.dismissed(PersonId(1), "a mistake", NOW).unwrap();
    let resume = DeskWrite::Resume {
        upstream: "heard-of".into(),
        why: "its money is back".into(),
    };
    let over = PolicyWrite::MoveCase(Box::new(over));
    let end = decided(granted, LooseningState::Ended);
    let end = PolicyWrite::DecideLoosening(Box::new(end));
    let policy = [over, end.clone()].map(Write::Policy);
    let all_of_it = [Write::Desk(resume)].into_iter().chain(policy).collect();
    world.commit(all_of_it).unwrap();
    all(&|known| !whole(known, account));
    let twice = world.commit(vec![Write::Policy(end)]);
    assert_eq!(twice, refused(Refused::Stale), "it ends once");
}
