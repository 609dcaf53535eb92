//! Readings of upstream balances, what the books say beside them, tickets.

use domain::activation::ActivationState;
use domain::attempt::AttemptState;
use domain::balance::{BookedAs, Position, Reported, Suspects};
use domain::books::{DAY_MS, by_day};
use domain::change::{Reason, Refused, Write};
use domain::orphan::{Orphan, OrphanState};
use domain::ports::Store;
use domain::smm_order::{Candidate, SmmState};
use domain::ticket::{Ticket, TicketKind};
use domain::time::{Millis, Timestamp};
use domain::upstream::{Progress, Sms};
use domain::usd::Usd;

use super::{NOW, PLAN, World, number, refused, wait};

const MONEY: Usd = Usd(1_000_000);

fn position(store: &dyn Store, upstream: &str) -> Position {
    wait(store.position(upstream)).unwrap()
}

fn reading(store: &dyn Store, upstream: &str, balance: i64, suspects: &Suspects) -> Vec<Write> {
    let balance = Reported {
        amount: Usd(balance),
        step: Usd(1),
    };
    let rows = (store.next_row_id(), store.next_row_id());
    position(store, upstream).read(upstream, balance, suspects, rows, NOW)
}

pub(crate) fn readings_follow_each_other(store: &dyn Store) {
    let world = World::new(store);
    assert_eq!(position(store, "peter1"), Position::default());
    let nothing = Suspects::default();
    let first = reading(store, "peter1", 500_000, &nothing);
    let late = reading(store, "peter1", 400_000, &nothing);
    world.commit(first.clone()).unwrap();
    assert_eq!(world.commit(late), refused(Refused::Stale));
    assert_eq!(world.commit(first), refused(Refused::Stale));
    let now = position(store, "peter1");
    let last = now.last.clone().unwrap();
    assert_eq!((last.seq, last.booked), (1, Usd(500_000)));
    assert_eq!(last.booked_as, Some(BookedAs::Opening));
    assert_eq!((last.at, last.clean_at), (NOW, NOW));
    assert_eq!(now.prepaid, Usd(500_000));
    world
        .commit(reading(store, "peter1", 499_000, &nothing))
        .unwrap();
    let pending = position(store, "peter1").last.unwrap();
    assert_eq!(pending.open_difference(), Usd(-1_000));
    assert_eq!((pending.booked, pending.booked_as), (Usd::ZERO, None));
    world
        .commit(reading(store, "peter1", 499_000, &nothing))
        .unwrap();
    assert_eq!(position(store, "peter1").prepaid, Usd(499_000));
    assert_eq!(position(store, "paul1").prepaid, Usd::ZERO);
    let open = wait(store.tickets(true, 10)).unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].kind, TicketKind::Unexplained);
    assert_eq!(open[0].amount, Usd(1_000));
    world.audited();
}

pub(crate) fn orders_under_way_are_in_the_position(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(MONEY);
    world.calling(ana);
    assert_eq!(position(store, "peter1").in_doubt, Usd(30_000));
    let active = world.active(ana, &number("u1", "+923001234567"));
    let at = position(store, "peter1");
    assert_eq!((at.in_flight, at.in_doubt), (Usd(30_000), Usd(30_000)));
    let id = active.id;
    world.commit(active.ask_cancel(NOW + PLAN.lease)).unwrap();
    let at = position(store, "peter1");
    assert_eq!((at.in_flight, at.in_doubt), (Usd::ZERO, Usd(60_000)));
    let sms = Sms {
        code: "1234".into(),
        text: None,
    };
    let asked = world.activation(id);
    assert_eq!(asked.state, ActivationState::CancelRequested);
    world.commit(asked.message_seen(sms, &PLAN, NOW)).unwrap();
    let at = position(store, "peter1");
    assert_eq!((at.prepaid, at.in_doubt), (Usd(-30_000), Usd(30_000)));

    let mut order = world.accepted(ana, "https://example.com/a", "501");
    assert_eq!(position(store, "panel1").in_flight, Usd(30_000));
    order.charge = Some(Usd(29_000));
    world
        .commit(vec![Write::UpdateSmmOrder(Box::new(order.clone()))])
        .unwrap();
    assert_eq!(position(store, "panel1").in_flight, Usd(29_000));
    order.version += 1;
    order.candidate = Some(Candidate {
        progress: Progress::Canceled,
        remains: None,
        since: NOW,
    });
    world
        .commit(vec![Write::UpdateSmmOrder(Box::new(order.clone()))])
        .unwrap();
    let at = position(store, "panel1");
    assert_eq!((at.in_flight, at.in_doubt), (Usd::ZERO, Usd(30_000)));
    order.version += 1;
    order.candidate = None;
    order.state = SmmState::Review;
    world
        .commit(vec![Write::UpdateSmmOrder(Box::new(order))])
        .unwrap();
    assert_eq!(position(store, "panel1").in_doubt, Usd(30_000));
    let orphan = Orphan {
        id: store.next_row_id(),
        version: 0,
        upstream: "paul1".into(),
        upstream_id: "77".into(),
        state: OrphanState::Open,
        cost: Usd(20_000),
        found_at: NOW,
        due_at: Some(NOW),
        tries: 0,
        cancel_answered: false,
    };
    world.commit(orphan.clone().found(78)).unwrap();
    let at = position(store, "paul1");
    assert_eq!((at.prepaid, at.in_orphans), (Usd(-20_000), Usd(20_000)));
    world.commit(orphan.returned()).unwrap();
    let at = position(store, "paul1");
    assert_eq!((at.prepaid, at.in_orphans), (Usd::ZERO, Usd::ZERO));
}

pub(crate) fn suspects_are_what_was_released_or_given_up(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(MONEY);
    let before = NOW - Millis(1);
    let suspects =
        |upstream: &str, since: Timestamp| wait(store.suspects(upstream, since)).unwrap();
    let active = world.active(ana, &number("u1", "+923001234567"));
    assert_eq!(suspects("peter1", before), Suspects::default());
    world
        .commit(active.closed_upstream(Reason::Cancelled))
        .unwrap();
    assert_eq!(suspects("peter1", before).released, Usd(30_000));
    assert_eq!(suspects("peter1", NOW).released, Usd::ZERO);
    assert_eq!(suspects("paul1", before).released, Usd::ZERO);
    let calling = world.calling(ana);
    let id = calling.id;
    world
        .commit(calling.in_doubt(NOW, &PLAN, NOW, "timeout"))
        .unwrap();
    assert_eq!(suspects("peter1", before).given_up, []);
    world
        .commit(world.activation(id).absent(AttemptState::LatePossible))
        .unwrap();
    assert_eq!(suspects("peter1", before).given_up, [Usd(30_000)]);
    let day = Millis::minutes(24 * 60);
    assert_eq!(suspects("peter1", NOW + day).given_up, []);
    let order = world.accepted(ana, "https://example.com/a", "501");
    let undone = order.taken_back(store.next_row_id(), NOW);
    world.commit(undone).unwrap();
    assert_eq!(suspects("panel1", before).released, Usd(30_000));
}

pub(crate) fn what_may_be_taken_again_is_suspect(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(MONEY);
    let retakable = || wait(store.suspects("panel1", NOW)).unwrap().retakable;
    let mut order = world.accepted(ana, "https://example.com/a", "501");
    assert_eq!(retakable(), Usd::ZERO, "it is under way");
    for (state, progress, charge, left) in [
        (SmmState::Resolved, Progress::Partial, Some(29_000), 1_000),
        (SmmState::Failed, Progress::Partial, None, 30_000),
        (SmmState::Resolved, Progress::Completed, Some(29_000), 0),
        (SmmState::Resolved, Progress::Partial, Some(31_000), 0),
        (SmmState::Active, Progress::Partial, Some(1_000), 0),
    ] {
        order.state = state;
        order.progress = progress;
        order.charge = charge.map(Usd);
        let write = Write::UpdateSmmOrder(Box::new(order.clone()));
        world.commit(vec![write]).unwrap();
        order.version += 1;
        assert_eq!(retakable(), Usd(left), "{state:?} {progress:?} {charge:?}");
    }
    order.state = SmmState::Resolved;
    order.charge = Some(Usd(1_000));
    order.due_at = None;
    let write = Write::UpdateSmmOrder(Box::new(order));
    world.commit(vec![write]).unwrap();
    assert_eq!(retakable(), Usd::ZERO, "nobody watches it any more");
}

pub(crate) fn a_reading_is_settled_if_it_left_no_difference(store: &dyn Store) {
    let world = World::new(store);
    let nothing = Suspects::default();
    let settled = |at| wait(store.settled_before("peter1", at)).unwrap();
    let booked = |since| wait(store.suspects("peter1", since)).unwrap().booked;
    assert_eq!((settled(NOW), booked(Timestamp(0))), (None, false));
    let at = |minute: i64| NOW + Millis::minutes(minute);
    for (minute, balance, expected) in [
        (0, 500_000, Some(at(0))),
        (1, 499_000, None),
        (2, 499_000, Some(at(2))),
    ] {
        let amount = Usd(balance);
        let balance = Reported {
            amount,
            step: Usd(1),
        };
        let rows = (store.next_row_id(), store.next_row_id());
        let now = position(store, "peter1");
        let writes = now.read("peter1", balance, &nothing, rows, at(minute));
        world.commit(writes).unwrap();
        assert_eq!(settled(at(minute + 1)), expected, "{minute}");
    }
    assert_eq!(settled(at(1)), Some(NOW), "only readings before count");
    assert_eq!(settled(NOW), None);
    assert!(booked(at(1)), "what was missing");
    assert!(!booked(at(2)));
    assert_eq!(wait(store.settled_before("paul1", at(9))).unwrap(), None);
}

pub(crate) fn the_house_knows_what_each_event_was_about(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(MONEY);
    let active = world.active(ana, &number("u1", "+923001234567"));
    let sms = Sms {
        code: "1234".into(),
        text: None,
    };
    world.commit(active.message_seen(sms, &PLAN, NOW)).unwrap();
    let opening = reading(store, "paul1", 500_000, &Suspects::default());
    world.commit(opening).unwrap();
    let day = Millis(DAY_MS);
    let events = wait(store.house_events(NOW, NOW + day)).unwrap();
    let days = by_day(&events);
    let today = NOW.0 / DAY_MS;
    let peter = days[&(today, "peter1".to_owned())];
    assert_eq!((peter.spent, peter.cost), (Usd(30_000), Usd(30_000)));
    let paul = days[&(today, "paul1".to_owned())];
    assert_eq!((paul.paid_in, paul.spent), (Usd(500_000), Usd::ZERO));
    assert_eq!(events.len(), 2, "holds and resolutions are the customers'");
    assert_eq!(
        wait(store.house_events(NOW - day, NOW)).unwrap(),
        [] as [Vec<_>; 0]
    );
}

fn ticket(store: &dyn Store, reference: i64) -> Ticket {
    Ticket {
        id: store.next_row_id(),
        kind: TicketKind::MoneyKept,
        upstream: "peter1".into(),
        reference,
        amount: Usd(5),
        detail: "look".into(),
        opened_at: NOW,
        closed_at: None,
        note: None,
    }
}

pub(crate) fn tickets_open_once_and_close_once(store: &dyn Store) {
    let world = World::new(store);
    let ticket = |reference: i64| ticket(store, reference);
    let (first, second) = (ticket(1), ticket(2));
    for one in [&first, &second] {
        world
            .commit(vec![Write::OpenTicket(Box::new(one.clone()))])
            .unwrap();
    }
    let again = Write::OpenTicket(Box::new(ticket(1)));
    world.commit(vec![again]).unwrap();
    let open = wait(store.tickets(true, 10)).unwrap();
    assert_eq!(open, [second.clone(), first.clone()]);
    assert_eq!(wait(store.tickets(true, 1)).unwrap().len(), 1);
    let kept = wait(store.suspects("peter1", NOW)).unwrap().kept;
    assert_eq!(kept, [first.clone(), second.clone()]);
    let close = |ticket: i64| Write::CloseTicket {
        ticket,
        note: "they paid".into(),
    };
    world.commit(vec![close(first.id)]).unwrap();
    assert_eq!(world.commit(vec![close(first.id)]), refused(Refused::Stale));
    assert_eq!(world.commit(vec![close(999)]), refused(Refused::Stale));
    assert_eq!(wait(store.tickets(true, 10)).unwrap(), [second]);
    let all = wait(store.tickets(false, 10)).unwrap();
    assert_eq!(all[1].closed_at, Some(NOW));
    assert_eq!(all[1].note.as_deref(), Some("they paid"));
}

pub(crate) fn a_closed_ticket_comes_again_with_something_else(store: &dyn Store) {
    let world = World::new(store);
    let open = |one: Ticket| world.commit(vec![Write::OpenTicket(Box::new(one))]);
    let (first, other) = (
        ticket(store, 1),
        Ticket {
            kind: TicketKind::TopUpUnexplained,
            ..ticket(store, 1)
        },
    );
    open(first.clone()).unwrap();
    open(other.clone()).unwrap();
    let of_kind = |kind| wait(store.open_tickets(kind)).unwrap();
    let kept = of_kind(TicketKind::MoneyKept);
    assert_eq!((kept.len(), &kept[0]), (1, &first));
    assert_eq!(of_kind(TicketKind::TopUpReview), []);
    let worse = |detail: &str| Ticket {
        amount: Usd(7),
        detail: detail.into(),
        opened_at: NOW + Millis::minutes(5),
        ..ticket(store, 1)
    };
    open(worse("look again")).unwrap();
    assert_eq!(of_kind(TicketKind::MoneyKept), kept, "it is open");
    let note = "they paid".to_owned();
    let close = Write::CloseTicket {
        ticket: first.id,
        note,
    };
    world.commit(vec![close]).unwrap();
    open(worse("look")).unwrap();
    assert_eq!(of_kind(TicketKind::MoneyKept), [], "they have looked at it");
    open(worse("look again")).unwrap();
    let again = Ticket {
        id: first.id,
        ..worse("look again")
    };
    assert_eq!(of_kind(TicketKind::MoneyKept), [again]);
    let of_a_day = of_kind(TicketKind::TopUpUnexplained);
    assert_eq!(of_a_day, std::slice::from_ref(&other));
    let more = Ticket {
        kind: TicketKind::TopUpUnexplained,
        ..worse("more of it")
    };
    open(more).unwrap();
    let now = of_kind(TicketKind::TopUpUnexplained);
    let says_anew = Ticket {
        amount: Usd(7),
        detail: "more of it".into(),
        ..other.clone()
    };
    assert_eq!(
        now,
        [says_anew],
        "an open one of a day says what is the matter now"
    );
}
