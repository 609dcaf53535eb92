//! Cancels and refills that clients asked for.

use domain::change::{Refused, Write};
use domain::ports::Store;
use domain::smm_request::{RequestKind, RequestState, SmmRequest};
use domain::time::{Millis, Timestamp};
use domain::usd::Usd;

use super::{NOW, Outcome, World, refused, wait};

const MONEY: Usd = Usd(1_000_000);

fn insert(world: &World<'_>, request: &SmmRequest) -> Outcome {
    world.commit(vec![Write::InsertSmmRequest(Box::new(request.clone()))])
}

fn update(world: &World<'_>, request: &SmmRequest) -> Outcome {
    world.commit(vec![Write::UpdateSmmRequest(Box::new(request.clone()))])
}

fn asked(world: &World<'_>, kind: RequestKind, link: &str, panel_id: &str) -> SmmRequest {
    let ana = world.customer(MONEY);
    let order = world.accepted(ana, link, panel_id);
    SmmRequest::of(&order, kind, world.store.next_row_id(), NOW).unwrap()
}

pub(crate) fn a_request_keeps_every_member(store: &dyn Store) {
    let world = World::new(store);
    let request = asked(&world, RequestKind::Refill, "https://example.com/a", "501");
    insert(&world, &request).unwrap();
    let read = || wait(store.smm_request(request.id)).unwrap().unwrap();
    assert_eq!(read(), request);
    let moved = SmmRequest {
        state: RequestState::InProgress,
        upstream_id: Some("17".into()),
        due_at: Some(Timestamp(9)),
        tries: 3,
        ..request.clone()
    };
    update(&world, &moved).unwrap();
    let expected = SmmRequest {
        version: moved.version + 1,
        ..moved.clone()
    };
    assert_eq!(read(), expected);
    assert_eq!(update(&world, &moved), refused(Refused::Stale));
    assert_eq!(wait(store.smm_request(request.id + 1)).unwrap(), None);
    world.audited();
}

pub(crate) fn one_request_of_a_kind_is_open(store: &dyn Store) {
    let world = World::new(store);
    let first = asked(&world, RequestKind::Cancel, "https://example.com/a", "501");
    insert(&world, &first).unwrap();
    let again = SmmRequest {
        id: store.next_row_id(),
        ..first.clone()
    };
    assert_eq!(insert(&world, &again), refused(Refused::RequestOpen));
    let other_kind = SmmRequest {
        id: store.next_row_id(),
        kind: RequestKind::Refill,
        ..first.clone()
    };
    insert(&world, &other_kind).unwrap();
    world.commit(vec![first.clone().refused()]).unwrap();
    insert(&world, &again).unwrap();
    let of_order = wait(store.smm_requests(first.order)).unwrap();
    let ids: Vec<i64> = of_order.iter().map(|one| one.id).collect();
    assert_eq!(ids, [other_kind.id, again.id, first.id]);
}

pub(crate) fn due_requests_come_longest_due_first(store: &dyn Store) {
    let world = World::new(store);
    let late = asked(&world, RequestKind::Cancel, "https://example.com/a", "501");
    let later = SmmRequest {
        due_at: Some(NOW + Millis(5)),
        ..asked(&world, RequestKind::Cancel, "https://example.com/b", "502")
    };
    let over = SmmRequest {
        due_at: None,
        state: RequestState::Done,
        ..asked(&world, RequestKind::Cancel, "https://example.com/c", "503")
    };
    for request in [&later, &late, &over] {
        insert(&world, request).unwrap();
    }
    let due = |at: Timestamp| -> Vec<i64> {
        let rows = wait(store.smm_requests_due(at, 10)).unwrap();
        rows.iter().map(|one| one.id).collect()
    };
    assert_eq!(due(NOW - Millis(1)), []);
    assert_eq!(due(NOW), [late.id]);
    assert_eq!(due(NOW + Millis(5)), [late.id, later.id]);
}

pub(crate) fn a_public_id_of_a_service_never_changes_hands(store: &dyn Store) {
    let world = World::new(store);
    let number = |id: &str, upstream: &str, service: &str| Write::NumberSmmService {
        id: id.into(),
        upstream: upstream.into(),
        service: service.into(),
    };
    let both = vec![number("1", "panel1", "1"), number("55", "", "")];
    world.commit(both).unwrap();
    world.commit(vec![number("56", "", "")]).unwrap();
    for taken in [
        number("1", "panel2", "9"),
        number("2", "panel1", "1"),
        number("55", "panel2", "55"),
    ] {
        assert_eq!(world.commit(vec![taken]), refused(Refused::Stale));
    }
    let row = |id: &str, upstream: &str, service: &str| {
        (id.to_owned(), upstream.to_owned(), service.to_owned())
    };
    let rows = [
        row("1", "panel1", "1"),
        row("55", "", ""),
        row("56", "", ""),
    ];
    assert_eq!(wait(store.smm_service_ids()).unwrap(), rows);
}
