//! What the console asks and writes: money by hand once and with its row, orders and figures over all
//! accounts.

use domain::change::{Refused, Write};
use domain::desk::{
    AccountNote, Announcement, DeskWrite, EventsOf, MoneyRequest, MoneyState, OrdersOf, Pause,
    ReportBy, Sold,
};
use domain::ids::{AccountId, OrderId, PersonId};
use domain::policy::PolicyWrite;
use domain::ports::{DeskRows, PolicyRows, Store};
use domain::ticket::{Ticket, TicketKind};
use domain::time::Millis;
use domain::upstream::Sms;
use domain::usd::Usd;

use super::{NOW, PLAN, PRICE, World, number, refused, wait};

fn request(world: &World<'_>, account: AccountId, amount: i64, once: &str) -> MoneyRequest {
    MoneyRequest {
        id: world.store.next_row_id(),
        once: once.into(),
        account,
        amount: Usd(amount),
        reason: "a correction".into(),
        asked_by: PersonId(1),
        asked_at: NOW,
        state: MoneyState::Open,
        decided_by: None,
        decided_at: None,
    }
}

fn ask(request: &MoneyRequest) -> Write {
    Write::Desk(DeskWrite::Ask(Box::new(request.clone())))
}

fn debit(account: AccountId, row: i64, amount: i64) -> Write {
    Write::Debit {
        account,
        row,
        amount: Usd(amount),
        note: "taken back".into(),
    }
}

pub(crate) fn a_debit_takes_what_is_there_and_is_in_the_books<S: Store + DeskRows>(store: &S) {
    let world = World::new(store);
    let ana = world.customer(Usd(100));
    let row = store.next_row_id();
    world.commit(vec![debit(ana, row, 70)]).unwrap();
    assert_eq!(world.money(ana), (30, 0));
    let again = debit(ana, store.next_row_id(), 31);
    assert_eq!(
        world.commit(vec![again]),
        refused(Refused::InsufficientFunds)
    );
    assert!(
        world.commit(vec![debit(ana, row, 1)]).is_err(),
        "a row counts once"
    );
    assert!(
        world
            .commit(vec![debit(ana, store.next_row_id(), 0)])
            .is_err()
    );
    assert_eq!(world.money(ana), (30, 0));
    world.audited();
    let totals = wait(store.book_totals()).unwrap();
    let sum: i64 = totals.iter().map(|one| one.total.0).sum();
    assert_eq!(sum, 0);
    let wanted = EventsOf {
        account: Some(ana),
        limit: 10,
        ..EventsOf::default()
    };
    let events = wait(store.events(&wanted)).unwrap();
    let kinds: Vec<_> = events
        .iter()
        .map(|event| (&*event.kind, event.legs.len()))
        .collect();
    assert_eq!(kinds, [("debit", 2), ("credit", 2)]);
    let kind = Some("credit".to_owned());
    let credits = wait(store.events(&EventsOf { kind, ..wanted })).unwrap();
    assert_eq!(credits.len(), 1);
}

pub(crate) fn a_request_is_made_once_and_decided_on_once<S: Store + DeskRows>(store: &S) {
    let world = World::new(store);
    let ana = world.customer(Usd::ZERO);
    let first = request(&world, ana, 500, "a");
    world.commit(vec![ask(&first)]).unwrap();
    let twin = request(&world, ana, 500, "a");
    assert_eq!(world.commit(vec![ask(&twin)]), refused(Refused::Stale));
    let nobody = request(&world, AccountId(777), 5, "b");
    assert_eq!(
        world.commit(vec![ask(&nobody)]),
        refused(Refused::NoSuchAccount)
    );
    assert_eq!(
        wait(store.money_request(first.id)).unwrap().as_ref(),
        Some(&first)
    );
    assert_eq!(
        wait(store.money_request_once("a")).unwrap().as_ref(),
        Some(&first)
    );
    let open = wait(store.money_requests(Some(ana), true, 9)).unwrap();
    assert_eq!((open.len(), &open[0]), (1, &first));
    let granted = MoneyRequest {
        state: MoneyState::Granted,
        decided_by: Some(PersonId(2)),
        decided_at: Some(NOW + Millis::minutes(1)),
        ..first.clone()
    };
    let decide = Write::Desk(DeskWrite::Decide(Box::new(granted.clone())));
    let credit = Write::Credit {
        account: ana,
        row: first.id,
        amount: Usd(500),
        note: first.reason.clone(),
    };
    world.commit(vec![decide.clone(), credit.clone()]).unwrap();
    assert_eq!(world.commit(vec![decide, credit]), refused(Refused::Stale));
    assert_eq!(world.money(ana), (500, 0));
    assert_eq!(wait(store.money_request(first.id)).unwrap(), Some(granted));
    assert_eq!(wait(store.money_requests(None, true, 9)).unwrap(), []);
    assert_eq!(wait(store.money_requests(None, false, 9)).unwrap().len(), 1);
    world.audited();
}

pub(crate) fn notes_and_announcements_come_back<S: Store + DeskRows>(store: &S) {
    let world = World::new(store);
    let ana = world.customer(Usd::ZERO);
    let note = AccountNote {
        id: store.next_row_id(),
        account: ana,
        by: PersonId(1),
        text: "pays late".into(),
        at: NOW,
    };
    let write = Write::Desk(DeskWrite::Note(Box::new(note.clone())));
    world.commit(vec![write]).unwrap();
    assert_eq!(wait(store.account_notes(ana, 9)).unwrap(), [note]);
    let one = Announcement {
        id: store.next_row_id(),
        text: "maintenance".into(),
        by: PersonId(1),
        from: NOW,
        until: Some(NOW + Millis::minutes(60)),
    };
    let write = Write::Desk(DeskWrite::Announce(Box::new(one.clone())));
    world.commit(vec![write]).unwrap();
    let shown =
        |minutes| wait(store.announcements(Some(NOW + Millis::minutes(minutes)), 9)).unwrap();
    assert_eq!(shown(5).first(), Some(&one));
    assert_eq!(shown(60), []);
    let (id, at) = (one.id, NOW + Millis::minutes(10));
    let end = Write::Desk(DeskWrite::EndAnnouncement { id, at });
    world.commit(vec![end.clone()]).unwrap();
    assert_eq!(world.commit(vec![end]), refused(Refused::Stale));
    assert_eq!(shown(10), []);
    assert_eq!(wait(store.announcements(None, 9)).unwrap().len(), 1);
}

pub(crate) fn an_upstream_is_paused_once_and_resumed_once<S: Store + DeskRows>(store: &S) {
    let world = World::new(store);
    let pause = |upstream: &str| Pause {
        upstream: upstream.into(),
        actor: "staff:1".into(),
        why: "numbers come dead".into(),
        since: NOW,
    };
    let write = |one: &Pause| Write::Desk(DeskWrite::Pause(Box::new(one.clone())));
    let (romeo, peter) = (pause("romeo1"), pause("peter1"));
    world.commit(vec![write(&romeo)]).unwrap();
    world.commit(vec![write(&peter)]).unwrap();
    assert_eq!(world.commit(vec![write(&romeo)]), refused(Refused::Stale));
    let paused = || wait(store.in_force()).unwrap().pauses;
    assert_eq!(paused(), [peter.clone(), romeo]);
    let resume = || {
        Write::Desk(DeskWrite::Resume {
            upstream: "romeo1".into(),
            why: "mended".into(),
        })
    };
    world.commit(vec![resume()]).unwrap();
    assert_eq!(world.commit(vec![resume()]), refused(Refused::Stale));
    assert_eq!(paused(), [peter]);
}

/// A received activation of one customer, an open one and an SMM order of another.
fn furnish(world: &World<'_>) -> ((AccountId, OrderId), (AccountId, OrderId, OrderId)) {
    let (ana, ben) = (
        world.customer(Usd(1_000_000)),
        world.customer(Usd(1_000_000)),
    );
    let received = world.active(ana, &number("u1", "+923001234561"));
    let sms = Sms {
        code: "1234".into(),
        text: None,
    };
    world
        .commit(received.clone().message_seen(sms, &PLAN, NOW))
        .unwrap();
    let open = world.active(ben, &number("u2", "+923001234562"));
    let smm = world.accepted(ben, "https://example.com/a", "501").id;
    ((ana, received.id), (ben, open.id, smm))
}

pub(crate) fn tickets_of_an_order_are_found_whatever_became_of_them<S: Store + DeskRows>(
    store: &S,
) {
    let world = World::new(store);
    let mut about = Vec::new();
    for (kind, reference) in [
        (TicketKind::OrderInReview, 41),
        (TicketKind::Unexplained, 41),
        (TicketKind::TopUpReview, 41),
        (TicketKind::PlacedWithoutId, 41),
        (TicketKind::PlacedWithoutId, 42),
    ] {
        let ticket = Ticket {
            id: store.next_row_id(),
            kind,
            upstream: "peter1".into(),
            reference,
            amount: Usd(5),
            detail: "look".into(),
            opened_at: NOW,
            closed_at: None,
            note: None,
        };
        about.push(ticket.id);
        let open = Write::OpenTicket(Box::new(ticket));
        world.commit(vec![open]).unwrap();
    }
    let close = Write::CloseTicket {
        ticket: about[0],
        note: "settled".into(),
    };
    world.commit(vec![close]).unwrap();
    let found = wait(store.tickets_of(OrderId(41))).unwrap();
    let found: Vec<i64> = found.iter().map(|ticket| ticket.id).collect();
    assert_eq!(found, [about[3], about[0]]);
}

pub(crate) fn a_number_is_found_when_its_hash_is_all_that_is_kept<S>(store: &S)
where
    S: Store + DeskRows + PolicyRows,
{
    let world = World::new(store);
    let ((ana, received), _) = furnish(&world);
    let found = || {
        let wanted = OrdersOf {
            text: Some("923001234561".to_owned()),
            limit: 10,
            ..OrdersOf::default()
        };
        let orders = wait(store.orders_like(&wanted)).unwrap();
        orders.into_iter().map(|order| order.id).collect::<Vec<_>>()
    };
    assert_eq!(found(), [received.0]);
    let watched = world.activation(received).watched_to_the_end();
    world.commit(watched).unwrap();
    let later = NOW + Millis::minutes(60 * 24 * 60);
    let due = wait(store.numbers_to_forget(Some(ana), later, 9)).unwrap();
    assert_eq!(due.len(), 1);
    let forget = Write::Policy(PolicyWrite::ForgetNumbers(due));
    world.commit(vec![forget]).unwrap();
    assert_eq!(found(), [received.0]);
}

pub(crate) fn orders_and_accounts_are_found<S: Store + DeskRows>(store: &S) {
    let world = World::new(store);
    let ((ana, received), (ben, open, smm)) = furnish(&world);
    let found = |wanted: OrdersOf| -> Vec<i64> {
        let wanted = OrdersOf {
            limit: 10,
            ..wanted
        };
        let orders = wait(store.orders_like(&wanted)).unwrap();
        orders.iter().map(|order| order.id).collect()
    };
    let text = |text: &str| OrdersOf {
        text: Some(text.to_owned()),
        ..OrdersOf::default()
    };
    assert_eq!(found(OrdersOf::default()), [smm.0, open.0, received.0]);
    assert_eq!(found(text("u2")), [open.0]);
    assert_eq!(found(text(&smm.to_string())), [smm.0]);
    assert_eq!(found(text("https://example.com/a")), [smm.0]);
    assert_eq!(found(text("nothing")), []);
    let account = Some(ben);
    let state = Some("active".to_owned());
    let upstream = Some("panel1".to_owned());
    assert_eq!(
        found(OrdersOf {
            account,
            state,
            ..OrdersOf::default()
        }),
        [smm.0, open.0]
    );
    assert_eq!(
        found(OrdersOf {
            upstream,
            ..OrdersOf::default()
        }),
        [smm.0]
    );
    assert_eq!(
        found(OrdersOf {
            before: Some(open.0),
            ..OrdersOf::default()
        }),
        [received.0]
    );
    let all = wait(store.orders_like(&OrdersOf {
        limit: 1,
        ..OrdersOf::default()
    }))
    .unwrap();
    assert_eq!(
        (all.len(), all[0].sold, all[0].account),
        (1, Sold::Smm, ben)
    );

    let like = |text: &str| -> Vec<AccountId> {
        let found = wait(store.accounts_like(text, 10)).unwrap();
        found.iter().map(|(account, _)| account.id).collect()
    };
    assert_eq!(like(""), [ben, ana]);
    assert_eq!(like(&format!("customer{ana}@")), [ana]);
    assert_eq!(like(&open.to_string()), [ben], "by an order");
    assert_eq!(like("%"), [], "no letter stands for others");
}

pub(crate) fn figures_follow_the_journal<S: Store + DeskRows>(store: &S) {
    let world = World::new(store);
    let ((ana, _), _) = furnish(&world);
    let span = (NOW, NOW + Millis::minutes(1));
    assert_eq!(wait(store.orders_begun(span.0, span.1)).unwrap(), 3);
    for (by, key) in [
        (ReportBy::Day, (NOW.0 / 86_400_000).to_string()),
        (ReportBy::Server, "peter".to_owned()),
        (ReportBy::Service, "Discord".to_owned()),
        (ReportBy::Account, ana.to_string()),
        (ReportBy::Upstream, "peter1".to_owned()),
    ] {
        let lines = wait(store.report(by, span, 10)).unwrap();
        assert_eq!(lines.len(), 1, "{by:?}");
        let line = &lines[0];
        assert_eq!(line.key, key, "{by:?}");
        assert_eq!((line.orders, line.paid), (1, 1), "{by:?}");
        assert_eq!(
            (line.revenue, line.cost, line.refunds),
            (PRICE, Usd(30_000), Usd::ZERO)
        );
        assert_eq!(line.margin(), Usd(10_000));
    }
    assert_eq!(
        wait(store.report(ReportBy::Day, (span.1, span.1), 10)).unwrap(),
        []
    );
}
