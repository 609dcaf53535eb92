//! Legal holds, retention and deletion: what is kept although its time is over, and what goes.

use domain::access::Account;
use domain::change::{Reason, Refused, Write};
use domain::ids::{AccountId, OrderId, PersonId};
use domain::order::Failure;
use domain::people::{Mail, PeopleWrite, Person, Role, Session};
use domain::policy::{AbuseCase, Behind, BlockedKind, Harm, Held, LegalHold, NotYet, PolicyWrite};
use domain::ports::{PeopleRows, PolicyRows, Store};
use domain::time::Millis;
use domain::top_up::{TopUpState, TopUpWrite};
use domain::usd::Usd;

use super::{NOW, World, account, number, refused, smm_plan, top_up, wait};

pub(super) const FUNDS: Usd = Usd(10_000_000);

fn policy(write: PolicyWrite) -> Vec<Write> {
    vec![Write::Policy(write)]
}

fn hold<S: Store>(store: &S, held: Held, why: &str, case: Option<i64>) -> PolicyWrite {
    PolicyWrite::Hold(Box::new(LegalHold {
        id: store.next_row_id(),
        held,
        why: why.to_owned(),
        at: NOW,
        case,
    }))
}

/// A report about an order with its hold, as one change.
fn report<S: Store>(store: &S, (order, account): (OrderId, AccountId)) -> (i64, Vec<Write>) {
    let id = store.next_row_id();
    let receipt = format!("receipt{id}");
    let why = format!("evidence of report {receipt}");
    let open = PolicyWrite::OpenCase(Box::new(AbuseCase {
        id,
        receipt,
        kind: BlockedKind::Number,
        subject: "923001234567".into(),
        harm: Harm::Other,
        what: "somebody ordered in my name".into(),
        contact: "eve@example.com".into(),
        happened_at: None,
        behind: Some(Behind {
            order,
            account,
            class: "social_messaging/otp.limit".into(),
        }),
        suspended: false,
        opened_at: NOW,
        closed_at: None,
        note: None,
    }));
    let held = hold(store, Held::Order(order), &why, Some(id));
    (id, vec![Write::Policy(held), Write::Policy(open)])
}

pub(crate) fn each_hold_ends_by_itself<S: Store + PolicyRows>(store: &S) {
    let world = World::new(store);
    let account = world.customer(FUNDS);
    let order = world.active(account, &number("u1", "+923001234567")).id;
    let held = Held::Order(order);
    let reasons = || {
        let holds = wait(store.legal_holds(9)).unwrap();
        let mut reasons: Vec<_> = holds.into_iter().map(|one| (one.case, one.why)).collect();
        reasons.sort();
        reasons
    };
    let close = |case| {
        let note = "settled".to_owned();
        world.commit(policy(PolicyWrite::CloseCase { case, note }))
    };
    let release = || world.commit(policy(PolicyWrite::Release(held)));
    let police = (None, "the police".to_owned());
    for first_is_closed_first in [true, false] {
        let (first, writes) = report(store, (order, account));
        world.commit(writes).unwrap();
        assert_eq!(release(), refused(Refused::Stale), "it is the report's");
        for _asked_twice in 0..2 {
            let asked = hold(store, held, &police.1, None);
            world.commit(policy(asked)).unwrap();
        }
        let (second, writes) = report(store, (order, account));
        world.commit(writes).unwrap();
        assert_eq!(reasons().len(), 3);
        let (one, other) = match first_is_closed_first {
            true => (first, second),
            false => (second, first),
        };
        close(one).unwrap();
        let left: Vec<_> = reasons().into_iter().map(|(case, _)| case).collect();
        assert_eq!(left, [None, Some(other)]);
        close(other).unwrap();
        assert_eq!(reasons(), std::slice::from_ref(&police));
        release().unwrap();
        assert_eq!(reasons(), []);
    }
}

/// A purchase that its upstream refused.
fn refused_number(world: &World<'_>, account: AccountId) -> OrderId {
    let order = world.calling(account);
    let id = order.id;
    let writes = order.refused(Failure::NoNumbers, "no_stock", "NO_NUMBERS".into());
    world.commit(writes).unwrap();
    id
}

fn forget_before(world: &World<'_>, age: Millis) {
    let write = PolicyWrite::ForgetBefore(NOW + age);
    world.commit(policy(write)).unwrap();
}

pub(crate) fn what_upstreams_wrote_is_forgotten_in_time<S: Store + PolicyRows>(store: &S) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(FUNDS), world.customer(FUNDS));
    let numbers = [refused_number(&world, ana), refused_number(&world, bob)];
    let panel = |account, link| world.accepted(account, link, link).id;
    let orders = [numbers[0], panel(ana, "a1"), panel(ana, "a2")];
    let of_bob = [numbers[1], panel(bob, "b1")];
    let asking = world.calling(ana).id;
    let kept = |order| wait(store.attempts(order)).unwrap()[0].raw.is_some();
    let overdue = || wait(store.is_overdue(NOW + Millis(1))).unwrap();

    forget_before(&world, Millis(0));
    assert!(orders.iter().all(|order| kept(*order)), "not over yet");
    let holds = [Held::Order(orders[2]), Held::Account(bob)];
    for held in holds {
        let placed = hold(store, held, "a court", None);
        world.commit(policy(placed)).unwrap();
    }
    assert!(overdue());
    forget_before(&world, Millis(1));
    assert_eq!(orders.map(kept), [false, false, true]);
    assert_eq!(of_bob.map(kept), [true, true]);
    assert!(!overdue(), "what is held is not waited for");
    for held in holds {
        world.commit(policy(PolicyWrite::Release(held))).unwrap();
    }
    forget_before(&world, Millis(1));
    assert_eq!(orders.map(kept), [false; 3]);
    assert_eq!(of_bob.map(kept), [false; 2]);
    let attempt = wait(store.attempts(asking)).unwrap().remove(0);
    assert_eq!(attempt.ended_at, None, "what has not ended is not touched");
    world.audited();
}

pub(crate) fn a_hold_placed_meanwhile_keeps_the_number<S: Store + PolicyRows>(store: &S) {
    let world = World::new(store);
    let ana = world.customer(FUNDS);
    for (name, on_account) in [("u1", false), ("u2", true)] {
        let order = world.active(ana, &number(name, &format!("+92300123456{}", &name[1..])));
        let held = match on_account {
            true => Held::Account(ana),
            false => Held::Order(order.id),
        };
        let placed = hold(store, held, "a court", None);
        world.commit(policy(placed)).unwrap();
        let forget = || {
            policy(PolicyWrite::ForgetNumbers(vec![(
                order.id,
                "5ea1ed".into(),
            )]))
        };
        world.commit(forget()).unwrap();
        let raw = || wait(store.attempts(order.id)).unwrap().remove(0).raw;
        assert_eq!(world.activation(order.id).phone, order.phone);
        assert_eq!(raw().as_deref(), Some("raw"));
        world.commit(policy(PolicyWrite::Release(held))).unwrap();
        world.commit(forget()).unwrap();
        assert_eq!(world.activation(order.id).phone, None);
        assert_eq!(raw(), None);
    }
}

pub(super) fn holder(world: &World<'_>, account: AccountId) -> Person {
    let person = Person {
        id: PersonId(world.store.next_row_id()),
        version: 0,
        email: format!("customer{account}@example.com"),
        role: Role::Customer,
        account: Some(account),
        password: None,
        verified_at: Some(NOW),
        totp: None,
        disabled: false,
        created_at: NOW,
    };
    let write = PeopleWrite::Insert(Box::new(person.clone()));
    world.commit(vec![Write::People(write)]).unwrap();
    person
}

fn signs_in(world: &World<'_>, person: &Person) {
    let device = ("192.0.2.1".into(), "a browser".into());
    signs_in_with(world, person, device);
}

/// Signs in with a device: address and browser.
pub(super) fn signs_in_with(
    world: &World<'_>,
    person: &Person,
    (address, agent): (String, String),
) {
    let id = world.store.next_row_id();
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&id.to_be_bytes());
    let session = Session {
        id,
        hash,
        person: person.id,
        created_at: NOW,
        seen_at: NOW,
        expires_at: NOW + Millis::minutes(60),
        address,
        agent,
        proved_at: NOW,
    };
    let write = PeopleWrite::StartSession(Box::new(session));
    world.commit(vec![Write::People(write)]).unwrap();
}

fn mailed(world: &World<'_>, person: &Person, is_due: bool) {
    let mail = Mail {
        id: world.store.next_row_id(),
        to: person.email.clone(),
        subject: "Your order".into(),
        text: "It is done.".into(),
        created_at: NOW,
        due_at: is_due.then_some(NOW),
        sent_at: None,
        tries: 0,
    };
    let write = PeopleWrite::QueueMail(Box::new(mail));
    world.commit(vec![Write::People(write)]).unwrap();
}

pub(crate) fn mails_and_reporters_are_forgotten_in_time<S>(store: &S)
where
    S: Store + PolicyRows + PeopleRows,
{
    let world = World::new(store);
    let (ana, bob) = (world.customer(FUNDS), world.customer(FUNDS));
    let order = world.active(bob, &number("u1", "+923001234567")).id;
    let people = [holder(&world, ana), holder(&world, bob)];
    for person in &people {
        signs_in(&world, person);
        mailed(&world, person, false);
    }
    mailed(&world, &people[0], true);
    let (closed, writes) = report(store, (order, bob));
    world.commit(writes).unwrap();
    let (open, writes) = report(store, (order, bob));
    world.commit(writes).unwrap();
    let note = "settled".to_owned();
    let close = PolicyWrite::CloseCase { case: closed, note };
    world.commit(policy(close)).unwrap();
    let held = Held::Account(bob);
    let placed = hold(store, held, "a court", None);
    world.commit(policy(placed)).unwrap();

    let mails = || wait(store.mails(9)).unwrap().len();
    let contact = |case| wait(store.abuse_case(case)).unwrap().unwrap().contact;
    let sessions = || [0, 1].map(|at: usize| wait(store.sessions(people[at].id)).unwrap().len());
    forget_before(&world, Millis(0));
    assert_eq!((mails(), sessions()), (3, [1, 1]));
    assert_eq!(contact(closed), "eve@example.com");
    assert!(wait(store.is_overdue(NOW + Millis(1))).unwrap());
    forget_before(&world, Millis(1));
    assert_eq!((mails(), sessions()), (2, [0, 1]), "one to send, one held");
    assert_eq!(contact(closed), "");
    assert_eq!(contact(open), "eve@example.com", "somebody still asks them");
    world.commit(policy(PolicyWrite::Release(held))).unwrap();
    forget_before(&world, Millis(1));
    assert_eq!((mails(), sessions()), (1, [0, 0]));
}

pub(crate) fn an_account_goes_with_nothing_left<S: Store + PolicyRows>(store: &S) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(super::PRICE), world.customer(FUNDS));
    let of_bob = world.active(bob, &number("u9", "+923001234569")).id;
    let held = hold(store, Held::Order(of_bob), "a court", None);
    world.commit(policy(held)).unwrap();
    let gone = || world.commit(policy(PolicyWrite::ForgetAccount(ana)));
    let why_not = || wait(store.keeps_account(ana)).unwrap();
    let kept_by = |why: NotYet| {
        assert_eq!(why_not(), Some(why));
        assert_eq!(gone(), refused(Refused::Stale), "{why:?}");
    };
    kept_by(NotYet::MoneyLeft);
    let order = world.active(ana, &number("u1", "+923001234567"));
    kept_by(NotYet::OrderOpen);
    let id = order.id;
    world
        .commit(order.closed_upstream(Reason::Expired))
        .unwrap();
    let panel = world.new_smm_order(ana, "a1");
    let smm = panel.id;
    world.commit(panel.open(&smm_plan())).unwrap();
    kept_by(NotYet::OrderOpen);
    let failed = world.smm_order(smm);
    let failed = failed.refused(Failure::NoNumbers, "no_stock", "no".into(), NOW);
    world.commit(failed).unwrap();
    kept_by(NotYet::MoneyLeft);
    let paid_out = Write::Debit {
        account: ana,
        row: store.next_row_id(),
        amount: super::PRICE,
        note: "paid out".into(),
    };
    world.commit(vec![paid_out]).unwrap();
    assert_eq!(why_not(), None);

    let row = top_up::row(&world, ana);
    let insert = TopUpWrite::Insert(Box::new(row.clone()));
    world.commit(vec![Write::TopUp(insert)]).unwrap();
    kept_by(NotYet::TopUpOpen);
    let rejected = row.closed(TopUpState::Rejected, "not paid");
    let update = TopUpWrite::Update(Box::new(rejected));
    world.commit(vec![Write::TopUp(update)]).unwrap();
    assert_eq!(why_not(), None);

    for held in [Held::Order(id), Held::Order(smm), Held::Account(ana)] {
        let placed = hold(store, held, "a court", None);
        world.commit(policy(placed)).unwrap();
        kept_by(NotYet::Held);
        world.commit(policy(PolicyWrite::Release(held))).unwrap();
    }
    gone().unwrap();
    world.audited();
}

pub(crate) fn who_is_suspended_is_signed_out<S: Store + PeopleRows>(store: &S) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(FUNDS), world.customer(FUNDS));
    let people = [holder(&world, ana), holder(&world, bob)];
    let sessions = || [0, 1].map(|at: usize| wait(store.sessions(people[at].id)).unwrap().len());
    let suspends = |suspended, tier| {
        let changed = Account {
            suspended,
            tier,
            ..account(ana)
        };
        world
            .commit(vec![Write::UpdateAccount(Box::new(changed))])
            .unwrap();
    };
    for person in &people {
        signs_in(&world, person);
    }
    suspends(false, 1);
    assert_eq!(sessions(), [1, 1]);
    suspends(true, 1);
    assert_eq!(sessions(), [0, 1]);
    // who signs in again to see money and orders stays in, whatever else changes
    signs_in(&world, &people[0]);
    suspends(true, 2);
    assert_eq!(sessions(), [1, 1]);
    suspends(false, 2);
    assert_eq!(sessions(), [1, 1]);
}
