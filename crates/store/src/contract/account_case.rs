//! Cases against accounts: one for each signal at a time, moved on by whoever read it last.

use domain::change::{Reason, Refused, Write};
use domain::ids::{AccountId, PersonId};
use domain::policy::{AccountCase, HUMAN_REVIEW, Measure, PolicyWrite, Signal, Withheld};
use domain::ports::{PeopleRows, PolicyRows, Store};
use domain::ticket::Ticket;
use domain::time::Millis;
use domain::usd::Usd;

use super::lawful::{FUNDS, holder, signs_in_with};
use super::{NOW, PLAN, World, number, refused, wait};

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
    let raised = case(&world, account, Signal::ManyBuys);
    raise(&world, &raised).unwrap();
    let open = || wait(store.account_cases(Some(account), true, 9)).unwrap();
    assert_eq!(open(), std::slice::from_ref(&raised));
    let more = AccountCase {
        evidence: "seen once more".into(),
        ..case(&world, account, Signal::ManyBuys)
    };
    raise(&world, &more).unwrap();
    let first = saved(raised.raised_again(more));
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

pub(crate) fn whoever_goes_on_is_neither_held_nor_to_be_closed<S: Store + PolicyRows>(store: &S) {
    let world = World::new(store);
    let account = world.customer(Usd(1));
    let ease = || world.commit(vec![Write::Policy(PolicyWrite::EaseCases(account))]);
    let stored = |id: i64| wait(store.account_case(id)).unwrap().unwrap();
    let raised = case(&world, account, Signal::ManyBuys);
    let id = raised.id;
    raise(&world, &raised).unwrap();
    let proposed = raised.closure_proposed(ONE, "sold on", NOW).unwrap();
    step(&world, &proposed).unwrap();
    ease().unwrap();
    let eased = stored(id);
    assert_eq!((eased.measure, eased.closure.clone()), (Measure::Log, None));
    assert_eq!(eased.closed_at, None, "it is still to be decided on");
    let proposed = eased.closure_proposed(ONE, "sold on", NOW).unwrap();
    step(&world, &proposed).unwrap();
    let closed = saved(proposed).closure_granted(OTHER, "so it is", NOW);
    step(&world, &closed.unwrap()).unwrap();
    assert_eq!(
        ease(),
        refused(Refused::Stale),
        "two persons have closed it"
    );
    assert_eq!(stored(id).measure, Measure::Close);
}

pub(crate) fn of_a_deleted_account_no_case_says_anything<S: Store + PolicyRows>(store: &S) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(Usd::ZERO), world.customer(Usd::ZERO));
    let cases = [ana, bob].map(|account| {
        let raised = case(&world, account, Signal::Staff);
        raise(&world, &raised).unwrap();
        let appealed = raised.appealed("a load test", NOW).unwrap();
        let proposed = appealed.closure_proposed(ONE, "sold on", NOW).unwrap();
        step(&world, &proposed).unwrap();
        proposed.id
    });
    let forget = PolicyWrite::ForgetAccount(ana);
    world.commit(vec![Write::Policy(forget)]).unwrap();
    let said = cases.map(|id| {
        let case = wait(store.account_case(id)).unwrap().unwrap();
        let (appeal, closure) = (case.appeal.unwrap(), case.closure.unwrap());
        let note = case.note.unwrap_or_default();
        [case.evidence, appeal.text, closure.why, note]
    });
    assert_eq!(said[0], [""; 4]);
    assert_eq!(said[1], ["=seen <b>", "a load test", "sold on", "sold on"]);
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
}

pub(crate) fn withheld_messages_are_counted_by_account<S: Store + PolicyRows>(store: &S) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(FUNDS), world.customer(FUNDS));
    for (account, upstream_id, phone) in [
        (ana, "w1", "+923001230001"),
        (ana, "w2", "+923001230002"),
        (bob, "w3", "+923001230003"),
    ] {
        let order = world.active(account, &number(upstream_id, phone));
        let id = store.next_row_id();
        let ticket = Ticket::withheld_message(id, &order, Withheld::Money, NOW);
        let open = Write::OpenTicket(Box::new(ticket));
        world.commit(vec![open]).unwrap();
    }
    let count = |account, since| wait(store.withheld_since(account, since)).unwrap();
    let before = NOW - Millis(1);
    assert_eq!((count(ana, before), count(bob, before)), (2, 1));
    assert_eq!(count(ana, NOW), 0, "those were before");
}

pub(crate) fn devices_are_shared_by_three_accounts<S>(store: &S)
where
    S: Store + PolicyRows + PeopleRows,
{
    let world = World::new(store);
    let accounts = [(); 4].map(|()| world.customer(Usd::ZERO));
    let device = |address: &str| (address.to_owned(), "a browser of these four".to_owned());
    for account in accounts {
        let person = holder(&world, account);
        signs_in_with(&world, &person, device("192.0.2.44"));
        // an address alone is no device: none is known here
        signs_in_with(&world, &person, device(""));
    }
    for account in &accounts[..2] {
        let person = wait(store.person_of(*account)).unwrap().unwrap();
        signs_in_with(&world, &person, device("192.0.2.45"));
    }
    let shared = |since| {
        let groups = wait(store.shared_devices(since)).unwrap().into_iter();
        let mine = groups.filter(|group| group.contains(&accounts[0]));
        mine.collect::<Vec<_>>()
    };
    assert_eq!(shared(NOW - Millis(1)), [accounts.to_vec()]);
    assert_eq!(shared(NOW), Vec::<Vec<AccountId>>::new(), "long ago");
}
