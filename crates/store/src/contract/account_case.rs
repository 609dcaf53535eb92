//! Cases against accounts: one for each signal at a time, moved on by whoever read it last.

use domain::change::{Reason, Refused, Write};
use domain::ids::{AccountId, PersonId};
use domain::policy::{AccountCase, HUMAN_REVIEW, Measure, PolicyWrite, Signal};
use domain::ports::{PolicyRows, Store};
use domain::usd::Usd;

use super::{NOW, PLAN, World, refused, wait};

const ONE: PersonId = PersonId(1);
const OTHER: PersonId = PersonId(2);

fn case(world: &World<'_>, account: AccountId, signal: Signal) -> AccountCase {
    let id = world.store.next_row_id();
    AccountCase::raised(id, (account, 1), (signal, "=seen <b>".into()), NOW)
}

fn raise(world: &World<'_>, case: &AccountCase) -> super::Outcome {
    let write = PolicyWrite::RaiseCase(Box::new(case.clone()));
    world.commit(vec![Write::Policy(write)])
}

fn step(world: &World<'_>, case: &AccountCase) -> super::Outcome {
    let write = PolicyWrite::MoveCase(Box::new(case.clone()));
    world.commit(vec![Write::Policy(write)])
}

fn saved(case: AccountCase) -> AccountCase {
    let version = case.version + 1;
    AccountCase { version, ..case }
}

pub(crate) fn one_case_of_a_signal_is_open_and_keeps_every_member<S: Store + PolicyRows>(
    store: &S,
) {
    let world = World::new(store);
    let account = world.customer(Usd(1));
    let first = case(&world, account, Signal::ManyBuys);
    raise(&world, &first).unwrap();
    raise(&world, &case(&world, account, Signal::ManyBuys)).unwrap();
    let open = || wait(store.account_cases(Some(account), true, 9)).unwrap();
    assert_eq!(open(), std::slice::from_ref(&first));
    let appealed = first.clone().appealed("a load test", NOW).unwrap();
    step(&world, &appealed).unwrap();
    assert_eq!(
        step(&world, &first),
        refused(Refused::Stale),
        "read before the appeal"
    );
    let proposed = saved(appealed)
        .closure_proposed(ONE, "sold on", NOW)
        .unwrap();
    step(&world, &proposed).unwrap();
    let proposed = saved(proposed);
    assert_eq!(
        wait(store.account_case(first.id)).unwrap(),
        Some(proposed.clone())
    );
    let closed = proposed.closure_granted(OTHER, "so it is", NOW).unwrap();
    step(&world, &closed).unwrap();
    assert_eq!(open(), []);
    assert_eq!(
        wait(store.account_cases(Some(account), false, 9)).unwrap(),
        [saved(closed)]
    );
    let again = case(&world, account, Signal::ManyBuys);
    raise(&world, &again).unwrap();
    assert_eq!(open(), [again]);
    let nobody = case(&world, AccountId(987_654), Signal::Staff);
    assert_eq!(raise(&world, &nobody), refused(Refused::NoSuchAccount));
}

pub(crate) fn the_hardest_measure_is_in_force_until_it_is_dismissed<S: Store + PolicyRows>(
    store: &S,
) {
    let world = World::new(store);
    let account = world.customer(Usd(1));
    let measure = || wait(store.in_force()).unwrap().measure(account);
    let [buys, withheld] = [Signal::ManyBuys, Signal::WithheldMessages].map(|signal| {
        let case = case(&world, account, signal);
        raise(&world, &case).unwrap();
        case
    });
    assert_eq!(measure(), Measure::Review);
    let due = wait(store.account_cases_due(NOW + HUMAN_REVIEW, 99)).unwrap();
    let mine = due.iter().filter(|one| one.account == account).count();
    assert_eq!(mine, 2);
    assert!(
        wait(store.account_cases_due(NOW, 99))
            .unwrap()
            .iter()
            .all(|one| one.account != account)
    );
    step(&world, &withheld.dismissed(ONE, "a mistake", NOW).unwrap()).unwrap();
    assert_eq!(measure(), Measure::Throttle);
    step(&world, &buys.stepped(ONE, Measure::Log, "fine").unwrap()).unwrap();
    assert_eq!(measure(), Measure::Log);
}

pub(crate) fn what_signals_are_read_from<S: Store + PolicyRows>(store: &S) {
    let world = World::new(store);
    let account = world.customer(Usd(10_000_000));
    for reason in [Reason::Cancelled, Reason::Expired] {
        let activation = world.new_activation(account);
        let id = activation.id;
        world.commit(activation.open(&PLAN)).unwrap();
        world
            .commit(world.activation(id).closed_upstream(reason))
            .unwrap();
    }
    let recent = wait(store.recent_numbers(account, 9)).unwrap();
    let told: Vec<_> = recent
        .iter()
        .map(|(_, one)| (one.cancelled_at.is_some(), one.received))
        .collect();
    assert_eq!(told, [(false, Some(false)), (true, None)], "newest first");
    assert_eq!(wait(store.recent_numbers(account, 1)).unwrap().len(), 1);
    assert_eq!(wait(store.withheld_since(account, NOW)).unwrap(), 0);
    assert_eq!(wait(store.shared_devices(NOW)).unwrap(), []);
}
