//! Orders of both kinds, attempts, links, messages, observations, orphans.

use domain::activation::ActivationState;
use domain::attempt::{Attempt, AttemptEnd, AttemptState};
use domain::change::{Refused, Write};
use domain::ids::OrderId;
use domain::order::{Failure, Told};
use domain::orphan::{Orphan, OrphanState};
use domain::ports::Store;
use domain::smm_order::{Candidate, SmmState};
use domain::time::{Millis, Timestamp};
use domain::upstream::{PanelStatus, Progress, Sms};
use domain::usd::Usd;

use super::{NOW, PLAN, World, number, refused, smm_plan, wait};

const MONEY: Usd = Usd(1_000_000);

fn sms(code: &str) -> Sms {
    Sms {
        code: code.into(),
        text: Some(format!("Your code is {code}")),
    }
}

pub(crate) fn an_activation_keeps_every_member(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(MONEY);
    let mut full = world.active(ana, &number("u1", "+923001234567"));
    full.state = ActivationState::CancelRequested;
    full.told = Told::Failed;
    full.wanted.server = "paul".into();
    full.wanted.provider_type = 9;
    full.wanted.country_id = "6".into();
    full.wanted.country_key = "us".into();
    full.wanted.service_id = "tg".into();
    full.wanted.service_name = "Telegram".into();
    full.wanted.pool_id = None;
    full.cost_quote = Usd(1);
    full.upstream = "paul2".into();
    full.attempt = 4;
    full.upstream_id = Some("u9".into());
    full.cost = Some(Usd(2));
    full.disclosed_at = Some(Timestamp(3));
    full.message = Some(sms("123456"));
    full.messages = 5;
    full.in_doubt_until = Some(Timestamp(6));
    full.expires_at = Some(Timestamp(7));
    full.cancel_allowed_at = Some(Timestamp(8));
    full.late_code_at = Some(Timestamp(9));
    full.due_at = Some(Timestamp(9));
    full.tries = 10;
    full.failure = Some(Failure::InvalidMember("link"));
    let message = Write::Message {
        order: full.id,
        seq: 1,
        sms: sms("123456"),
        received_at: NOW,
    };
    world
        .commit(vec![
            message,
            Write::UpdateActivation(Box::new(full.clone())),
        ])
        .unwrap();
    full.version += 1;
    assert_eq!(world.activation(full.id), full);

    let mut inserted = full;
    inserted.id = store.next_order_id();
    world
        .commit(vec![Write::InsertActivation(Box::new(inserted.clone()))])
        .unwrap();
    assert_eq!(world.activation(inserted.id), inserted);
    assert_eq!(wait(store.activation(OrderId(1))).unwrap(), None);
}

pub(crate) fn an_smm_order_keeps_every_member(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(MONEY);
    let mut full = world.accepted(ana, "https://example.com/a", "501");
    full.state = SmmState::Review;
    full.told = Told::Failed;
    full.cost_quote = Usd(1);
    full.upstream = "panel2".into();
    full.upstream_service = "99".into();
    full.attempt = 2;
    full.upstream_id = Some("502".into());
    full.progress = Progress::InProgress;
    full.remains = 3;
    full.start_count = -4;
    full.charge = Some(Usd(5));
    full.candidate = Some(Candidate {
        progress: Progress::Partial,
        remains: Some(-6),
        since: Timestamp(7),
    });
    full.observations = 8;
    full.returned = Usd(9);
    full.adjustments = 10;
    full.in_doubt_until = Some(Timestamp(11));
    full.resolved_at = Some(Timestamp(12));
    full.due_at = Some(Timestamp(13));
    full.tries = 14;
    full.failure = Some(Failure::DuplicateActiveOrder);
    world
        .commit(vec![Write::UpdateSmmOrder(Box::new(full.clone()))])
        .unwrap();
    full.version += 1;
    assert_eq!(world.smm_order(full.id), full);

    let mut inserted = full;
    inserted.id = store.next_order_id();
    inserted.link = "https://example.com/b".into();
    inserted.flat = true;
    inserted.candidate = None;
    world
        .commit(vec![Write::InsertSmmOrder(Box::new(inserted.clone()))])
        .unwrap();
    assert_eq!(world.smm_order(inserted.id), inserted);
    assert_eq!(wait(store.smm_order(OrderId(1))).unwrap(), None);
}

pub(crate) fn a_stale_writer_changes_nothing(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(MONEY);
    let read = world.active(ana, &number("u1", "+923001234567"));
    world
        .commit(read.clone().ask_cancel(NOW + PLAN.lease))
        .unwrap();
    let late = read.message_seen(sms("1234"), &PLAN, NOW);
    assert_eq!(world.commit(late), refused(Refused::Stale));
    assert_eq!(world.money(ana), (960_000, 40_000));

    let order = world.accepted(ana, "https://example.com/a", "501");
    world
        .commit(order.clone().try_again(&smm_plan(), NOW))
        .unwrap();
    let late = order.clone().try_again(&smm_plan(), NOW);
    assert_eq!(world.commit(late), refused(Refused::Stale));
    let due_at = NOW + Millis(77);
    let postponed = Write::PostponeSmmOrder {
        order: order.id,
        due_at,
    };
    world.commit(vec![postponed]).unwrap();
    assert_eq!(world.smm_order(order.id).due_at, Some(due_at));
    let missing = Write::PostponeSmmOrder {
        order: OrderId(1),
        due_at,
    };
    assert_eq!(world.commit(vec![missing]), refused(Refused::Stale));
    world.audited();
}

/// From the purchase to the second message.
pub(crate) fn a_received_activation_is_paid(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(MONEY);
    let active = world.active(ana, &number("u1", "+923001234567"));
    world
        .commit(active.message_seen(sms("1234"), &PLAN, NOW + Millis(4000)))
        .unwrap();
    let received = world.activation(OrderId(100_001));
    assert_eq!(received.state, ActivationState::Received);
    assert_eq!(received.message, Some(sms("1234")));
    assert_eq!(world.money(ana), (960_000, 0));
    world
        .commit(received.clone().message_seen(sms("5678"), &PLAN, NOW))
        .unwrap();
    assert_eq!(world.activation(received.id).messages, 2);
    let repeated = Write::Message {
        order: received.id,
        seq: 2,
        sms: sms("9"),
        received_at: NOW,
    };
    assert_eq!(world.commit(vec![repeated]), refused(Refused::Stale));
    world.audited();
}

/// However often its row is written and by whichever question it was found.
pub(crate) fn a_code_stays_what_it_was_to_the_end(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(MONEY);
    let active = world.active(ana, &number("u1", "+923001234567"));
    world
        .commit(active.message_seen(sms("415127"), &PLAN, NOW))
        .unwrap();
    let over = NOW + PLAN.lifetime + Millis(1);
    assert_eq!(wait(store.upstreams_due(over)).unwrap(), ["peter1"]);
    assert_eq!(wait(store.claim_activations("x", over, 9)).unwrap(), []);
    let claimed = wait(store.claim_activations("peter1", over, 9)).unwrap();
    let received = claimed.into_iter().next().unwrap();
    assert_eq!(received.message, Some(sms("415127")));
    let id = received.id;
    let watched = received.clone().watched_to_the_end();
    world.commit_at(over, watched).unwrap();
    let row = world.activation(id);
    assert_eq!((row.message, row.due_at), (Some(sms("415127")), None));
}

pub(crate) fn a_number_is_shown_to_one_account(store: &dyn Store) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(MONEY), world.customer(MONEY));
    let phone = "+923001234567";
    let first = world.active(ana, &number("u1", phone));
    let buy = |account, id: &str, at| {
        let calling = world.calling(account);
        world.commit_at(
            at,
            calling.bought(&number(id, phone), &PLAN, at, "raw".into()),
        )
    };
    assert_eq!(buy(bob, "u2", NOW), refused(Refused::NumberTaken));
    assert_eq!(
        wait(store.linked("peter1", &["u2".into()])).unwrap(),
        Vec::<String>::new()
    );
    assert_eq!(buy(ana, "u3", NOW), Ok(()));

    world
        .commit(first.message_seen(sms("1234"), &PLAN, NOW))
        .unwrap();
    let second = world.activation(OrderId(100_003));
    world
        .commit(second.closed_upstream(domain::change::Reason::Cancelled))
        .unwrap();
    let over = NOW + PLAN.lifetime;
    assert_eq!(
        buy(bob, "u4", over - Millis(1)),
        refused(Refused::NumberTaken)
    );
    assert_eq!(buy(bob, "u5", over), Ok(()));
}

pub(crate) fn an_upstream_id_belongs_to_one_order(store: &dyn Store) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(MONEY), world.customer(MONEY));
    world.active(ana, &number("u1", "+923001234567"));
    let calling = world.calling(bob);
    let bought = calling.bought(&number("u1", "+923007654321"), &PLAN, NOW, "raw".into());
    assert_eq!(world.commit(bought), refused(Refused::UpstreamIdTaken));
    let link = |order| Write::Link {
        upstream: "peter1".into(),
        upstream_id: "u2".into(),
        order,
    };
    let twice = vec![link(Some(OrderId(1))), link(None)];
    assert_eq!(world.commit(twice), refused(Refused::UpstreamIdTaken));
    world.commit(vec![link(None)]).unwrap();
    let ids = ["u3".to_owned(), "u2".into(), "u1".into()];
    assert_eq!(wait(store.linked("peter1", &ids)).unwrap(), ["u2", "u1"]);
    assert_eq!(
        wait(store.linked("peter2", &ids)).unwrap(),
        Vec::<String>::new()
    );
    world.audited();
}

pub(crate) fn one_open_order_for_a_link(store: &dyn Store) {
    let world = World::new(store);
    let (ana, bob) = (world.customer(MONEY), world.customer(MONEY));
    let place = |link: &str| world.commit(world.new_smm_order(bob, link).open(&smm_plan()));
    let states = [
        (SmmState::Calling, false),
        (SmmState::InDoubt, false),
        (SmmState::Undo, false),
        (SmmState::Active, false),
        (SmmState::Review, false),
        (SmmState::Resolved, true),
        (SmmState::Failed, true),
    ];
    for (number, (state, free)) in states.into_iter().enumerate() {
        let link = format!("https://example.com/{number}");
        let mut order = world.accepted(ana, &link, &number.to_string());
        order.state = state;
        world
            .commit(vec![Write::UpdateSmmOrder(Box::new(order))])
            .unwrap();
        let wanted = if free {
            Ok(())
        } else {
            refused(Refused::DuplicateOpenLink)
        };
        assert_eq!(place(&link), wanted, "{state:?}");
    }
    let spelled = "http://www.EXAMPLE.com//0/?#top";
    assert_eq!(place(spelled), refused(Refused::DuplicateOpenLink));
    let (first, second) = (
        world.new_smm_order(bob, "https://example.com/new"),
        world.new_smm_order(bob, "http://example.com/%6Eew/"),
    );
    let both: Vec<_> = [first, second]
        .into_iter()
        .map(Box::new)
        .map(Write::InsertSmmOrder)
        .collect();
    assert_eq!(world.commit(both), refused(Refused::DuplicateOpenLink));
}

pub(crate) fn attempts_tell_their_story(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(MONEY);
    assert_eq!(wait(store.first_attempt_at("peter1")).unwrap(), None);
    let order = world.calling(ana);
    let asked = |seq, at| Attempt {
        request_digest: Some([7; 32]),
        ..Attempt::calling(order.id, seq, "peter1", at)
    };
    let begin = |seq, at| Write::BeginAttempt(asked(seq, at));
    let early = NOW - Millis(5);
    assert_eq!(world.commit(vec![begin(2, NOW)]), refused(Refused::Stale));
    let end = |seq, state, raw: Option<&str>| {
        Write::EndAttempt(AttemptEnd {
            order: order.id,
            seq,
            state,
            evidence: "why".into(),
            raw: raw.map(Into::into),
        })
    };
    world
        .commit(vec![end(1, AttemptState::InDoubt, Some("timeout"))])
        .unwrap();
    let stored = |seq: usize| wait(store.attempts(order.id)).unwrap()[seq - 1].clone();
    assert_eq!(
        (stored(1).state, stored(1).ended_at),
        (AttemptState::InDoubt, None)
    );
    assert_eq!(world.commit(vec![begin(2, NOW)]), refused(Refused::Stale));
    let mut second = order.clone();
    second.attempt = 2;
    let next = vec![
        end(1, AttemptState::Absent, None),
        begin(2, early),
        Write::UpdateActivation(Box::new(second)),
    ];
    world.commit(next).unwrap();
    let first = stored(1);
    assert_eq!(
        (first.state, first.ended_at),
        (AttemptState::Absent, Some(NOW))
    );
    assert_eq!(
        (first.evidence.as_deref(), first.raw.as_deref()),
        (Some("why"), Some("timeout"))
    );
    assert_eq!(first.request_digest, None, "it began without one");
    assert_eq!(stored(2), asked(2, early));
    let missing = vec![end(3, AttemptState::Done, None)];
    assert_eq!(world.commit(missing), refused(Refused::Stale));
    assert_eq!(wait(store.first_attempt_at("peter1")).unwrap(), Some(early));
    let known = |upstream| wait(store.list_known_at(upstream)).unwrap();
    assert_eq!(known("peter1"), None, "nobody has looked");
    for asked_at in [NOW, NOW + Millis(7)] {
        let upstream = "peter1".to_owned();
        world
            .commit(vec![Write::KnowList { upstream, asked_at }])
            .unwrap();
        assert_eq!((known("peter1"), known("paul")), (Some(asked_at), None));
    }
    world.audited();
}

/// Observed to the end, then corrected.
pub(crate) fn an_smm_order_is_settled(store: &dyn Store) {
    let world = World::new(store);
    let ana = world.customer(MONEY);
    let order = world.accepted(ana, "https://example.com/a", "501");
    let status = |remains| PanelStatus {
        progress: Some(Progress::Partial),
        raw_status: "Partial".into(),
        remains: Some(remains),
        start_count: Some(12),
        charge: Some(Usd(20_000)),
        children: Vec::new(),
        child_ids: Vec::new(),
    };
    let mut now = NOW;
    let mut see = |remains| {
        now = now + Millis::seconds(3);
        let order = world.smm_order(order.id);
        world
            .commit_at(now, order.observed(&status(remains), &smm_plan(), 77, now))
            .unwrap();
    };
    see(250);
    see(250);
    let settled = world.smm_order(order.id);
    assert_eq!(
        (settled.state, settled.returned),
        (SmmState::Resolved, Usd(10_000))
    );
    assert_eq!(world.money(ana), (970_000, 0));
    see(500);
    see(500);
    assert_eq!(world.money(ana), (980_000, 0));
    assert_eq!(world.smm_order(order.id).adjustments, 1);
    world.audited();
}

pub(crate) fn orphans_come_and_go(store: &dyn Store) {
    let world = World::new(store);
    let orphan = Orphan {
        id: store.next_row_id(),
        version: 1,
        upstream: "peter1".into(),
        upstream_id: "lost".into(),
        state: OrphanState::Open,
        cost: Usd(30_000),
        found_at: NOW,
        due_at: Some(NOW),
        tries: 0,
        cancel_answered: false,
    };
    world.commit(orphan.clone().found(78)).unwrap();
    let due = wait(store.orphans_due(NOW, 10)).unwrap();
    assert_eq!(due, std::slice::from_ref(&orphan));
    assert_eq!(wait(store.orphans_due(NOW - Millis(1), 10)).unwrap(), []);
    assert_eq!(wait(store.upstreams_due(NOW)).unwrap(), ["peter1"]);
    assert!(
        wait(store.upstreams_due(NOW - Millis(1)))
            .unwrap()
            .is_empty()
    );
    assert_eq!(wait(store.claim_orphans("peter2", NOW, 10)).unwrap(), []);
    assert_eq!(wait(store.claim_orphans("peter1", NOW, 10)).unwrap(), due);
    world
        .commit(
            Orphan {
                cancel_answered: true,
                ..orphan.clone()
            }
            .try_again(Millis(500), NOW),
        )
        .unwrap();
    assert_eq!(world.commit(orphan.returned()), refused(Refused::Stale));
    let read = wait(store.orphans_due(NOW + Millis(500), 10))
        .unwrap()
        .remove(0);
    assert_eq!((read.version, read.tries), (2, 1));
    assert!(read.cancel_answered && !due[0].cancel_answered);
    world.commit(read.returned()).unwrap();
    assert_eq!(wait(store.orphans_due(NOW + Millis(500), 10)).unwrap(), []);
    world.audited();
}
