//! The log of API requests: equal ones are one line, filters fit, what is old goes.

use domain::api_log::{CallKind, CallLine, Calls, CallsOf, KeyUse, LogWrite};
use domain::change::Write;
use domain::ids::{AccountId, KeyId, OrderId};
use domain::ports::{ApiLogRows, Store};
use domain::time::{Millis, Timestamp};
use domain::usd::Usd;

use super::{NOW, World, wait};

fn calls(account: AccountId, order: Option<OrderId>, at: Timestamp) -> Calls {
    Calls {
        kind: CallKind {
            account,
            key: KeyId(7),
            service: "otp",
            action: "get_status",
            status: 200,
            error: "",
            order,
            minute: CallKind::minute_of(order, at),
        },
        count: 1,
        first_at: at,
        last_at: at,
        method: "GET".into(),
        duration_us: 250,
        request_id: "one".into(),
    }
}

fn add(world: &World<'_>, calls: Vec<Calls>) {
    world
        .commit(vec![Write::ApiLog(LogWrite::Add(calls))])
        .unwrap();
}

fn seen(store: &dyn ApiLogRows, account: AccountId, wanted: CallsOf) -> Vec<CallLine> {
    let wanted = CallsOf {
        limit: wanted.limit.max(1),
        ..wanted
    };
    wait(store.api_calls(account, &wanted)).unwrap()
}

pub(crate) fn equal_requests_are_one_line<S: Store + ApiLogRows>(store: &S) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(Usd::ZERO), world.customer(Usd::ZERO));
    let order = Some(OrderId(100_001));
    let (soon, late) = (NOW + Millis::seconds(1), NOW + Millis::minutes(60));
    add(
        &world,
        vec![
            calls(ana, order, NOW),
            calls(bob, order, NOW),
            calls(ana, None, NOW),
        ],
    );
    let again = Calls {
        count: 41,
        duration_us: 900,
        request_id: "last".into(),
        ..calls(ana, order, late)
    };
    add(&world, vec![calls(ana, None, soon), again]);
    let all = CallsOf {
        limit: 10,
        ..CallsOf::default()
    };
    let lines = seen(store, ana, all.clone());
    let told: Vec<_> = lines.iter().map(|one| (one.order, one.count)).collect();
    assert_eq!(told, [(order, 42), (None, 2)]);
    assert_eq!((lines[0].first_at, lines[0].last_at), (NOW, late));
    assert_eq!(lines[0].request_id, "last");
    assert_eq!(lines[0].duration_us, 900);
    add(&world, vec![calls(ana, None, late)]);
    assert_eq!(
        seen(store, ana, all).len(),
        3,
        "another minute is another line"
    );
    let used = KeyUse {
        key: KeyId(7),
        requests: 46,
        last_at: late,
    };
    let uses = wait(store.key_uses(ana)).unwrap();
    assert_eq!(uses, [used]);
}

/// The orders of all lines, page by page.
fn walked(store: &dyn ApiLogRows, account: AccountId) -> Vec<OrderId> {
    let mut walked = Vec::new();
    let mut before = None;
    loop {
        let page = CallsOf {
            limit: 3,
            before,
            ..CallsOf::default()
        };
        let lines = seen(store, account, page);
        let Some(last) = lines.last() else { break };
        before = Some((last.last_at, last.id));
        walked.extend(lines.into_iter().filter_map(|line| line.order));
    }
    walked
}

pub(crate) fn lines_are_filtered_and_paged<S: Store + ApiLogRows>(store: &S) {
    let world = World::new(store);
    let ana = world.customer(Usd::ZERO);
    for n in 0..10 {
        let order = Some(OrderId(100_000 + n));
        let mut one = calls(ana, order, NOW + Millis::seconds(n / 2));
        if n == 3 {
            (one.kind.status, one.kind.error) = (409, "cancel_too_early");
            one.kind.action = "cancel";
            one.kind.key = KeyId(8);
        }
        add(&world, vec![one]);
    }
    let wanted: Vec<_> = (0..10).rev().map(|n| OrderId(100_000 + n)).collect();
    assert_eq!(walked(store, ana), wanted);
    let count = |wanted: CallsOf| {
        let wanted = CallsOf {
            limit: 100,
            ..wanted
        };
        seen(store, ana, wanted).len()
    };
    let none = CallsOf::default;
    assert_eq!(
        count(CallsOf {
            action: Some("cancel".into()),
            ..none()
        }),
        1
    );
    assert_eq!(
        count(CallsOf {
            key: Some(KeyId(8)),
            ..none()
        }),
        1
    );
    assert_eq!(
        count(CallsOf {
            failed: Some(true),
            ..none()
        }),
        1
    );
    assert_eq!(
        count(CallsOf {
            failed: Some(false),
            ..none()
        }),
        9
    );
    let of_order = CallsOf {
        order: Some(OrderId(100_003)),
        ..none()
    };
    assert_eq!(count(of_order.clone()), 1);
    assert_eq!(
        count(CallsOf {
            failed: Some(false),
            ..of_order
        }),
        0
    );
}

pub(crate) fn old_lines_are_forgotten_some_at_a_time<S: Store + ApiLogRows>(store: &S) {
    let world = World::new(store);
    let ana = world.customer(Usd::ZERO);
    for n in 0..10 {
        let order = Some(OrderId(100_000 + n));
        add(
            &world,
            vec![calls(ana, order, NOW + Millis::seconds(n / 2))],
        );
    }
    let left = || walked(store, ana).len();
    let before = NOW + Millis::seconds(3);
    assert!(wait(store.has_api_calls_before(before)).unwrap());
    let forget = |limit| vec![Write::ApiLog(LogWrite::Forget { before, limit })];
    world.commit(forget(4)).unwrap();
    assert_eq!(left(), 6);
    world.commit(forget(100)).unwrap();
    assert_eq!(left(), 4);
    assert!(!wait(store.has_api_calls_before(before)).unwrap());
    assert_eq!(wait(store.key_uses(ana)).unwrap()[0].requests, 10);
}
