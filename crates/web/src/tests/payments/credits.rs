//! What a processor says was paid: believed when it is signed and fits, credited once.

use super::*;
use app::ComparedDays;
use domain::ticket::Ticket;

#[tokio::test]
async fn a_paid_session_is_credited_once_however_often_it_is_told() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    let session = world.payments.pay(&top_up);
    for id in ["evt_1", "evt_1", "evt_2", "evt_1"] {
        assert_eq!(deliver(&world, &completed(id, &session)).await, 200);
    }
    assert_eq!(available(&world).await, "75.000000");
    let credited = row(&world, top_up.id).await;
    assert_eq!(credited.state, TopUpState::Credited);
    assert_eq!(credited.payment_ref, session.payment_intent);
    // both secrets of a rotation are good
    let again = completed("evt_3", &session);
    let signature = stripe::sign(SECRETS[1], again.as_bytes(), world.clock.now());
    assert_eq!(post(&world, &again, &signature).await.status, 200);
    world.door.top_ups.run_due().await;
    assert_eq!(available(&world).await, "75.000000");
    audited(&world).await;
}

/// B-126.
#[tokio::test]
async fn what_nobody_signed_leaves_no_trace() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    let session = world.payments.pay(&top_up);
    let body = completed("evt_1", &session);
    let now = world.clock.now();
    let sign = |secret: &str, at| stripe::sign(secret, body.as_bytes(), at);
    let many = format!("t=1,{}", vec!["v1=00"; 10_000].join(","));
    let late = sign(SECRETS[0], now - Millis::seconds(301));
    let early = sign(SECRETS[0], now + Millis::seconds(301));
    for bad in [
        "",
        "v1=zz",
        &many,
        &sign("", now),
        &sign("whsec_x", now),
        &late,
        &early,
    ] {
        let answer = post(&world, &body, bad).await;
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (400, ""),
            "{bad:.60}"
        );
    }
    let unsigned = world.request("POST", HOOK, &[("content-type", "application/json")], &body);
    assert_eq!(world.send(unsigned).await.status, 400);
    let reprinted = body.replace(':', ": ");
    assert_eq!(
        post(&world, &reprinted, &sign(SECRETS[0], now))
            .await
            .status,
        400
    );
    let kept = world.store.top_up_event(Processor::Stripe, "evt_1").await;
    assert_eq!(kept.unwrap(), None);
    assert_eq!(available(&world).await, "50.000000");
    assert_eq!(deliver(&world, &body).await, 200, "a good one passes");
}

/// B-129.
#[tokio::test]
async fn other_methods_types_and_sizes_are_refused() {
    let world = World::start().await;
    let read = world.send(world.request("GET", HOOK, &[], "")).await;
    assert_eq!((read.status, read.header("allow")), (405, Some("POST")));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let form = world.send(world.request("POST", HOOK, &form, "a=b")).await;
    assert_eq!(form.status, 415);
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(256 * 1024));
    assert_eq!(deliver(&world, &long).await, 413);
    let large = format!(
        "{{\"id\":\"evt_1\",\"type\":\"x\",\"data\":{{\"object\":{{\"a\":\"{}\"}}}}}}",
        "x".repeat(200 * 1024)
    );
    assert_eq!(deliver(&world, &large).await, 200);
    assert_eq!(deliver(&world, "{}").await, 400);
    for other in [
        "/hooks/btcpay",
        "/hooks/nowpayments",
        "/hooks/manual",
        "/hooks/stripe/",
    ] {
        let answer = world.send(world.request("POST", other, &[], "{}")).await;
        assert_eq!(answer.status, 404, "{other}");
    }
}

/// B-127, B-128.
#[tokio::test]
async fn events_that_fit_nothing_are_kept_and_credit_nothing() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    let session = world.payments.pay(&top_up);
    let kept = async |id: &str| {
        let event = world.store.top_up_event(Processor::Stripe, id).await;
        event.unwrap().unwrap().state
    };
    let unused = event(
        "evt_1",
        "invoice.paid",
        Object::Session(Box::new(session.clone())),
    );
    assert_eq!(deliver(&world, &unused).await, 200);
    assert_eq!(kept("evt_1").await, EventState::Ignored);
    let named = |reference: Option<&str>| Session {
        id: "cs_other".into(),
        client_reference_id: reference.map(str::to_owned),
        topup_id: reference.map(str::to_owned),
        ..session.clone()
    };
    assert_eq!(
        deliver(&world, &completed("evt_2", &named(None))).await,
        200
    );
    assert_eq!(kept("evt_2").await, EventState::Ignored);
    assert_eq!(
        deliver(&world, &completed("evt_3", &named(Some("tu_999999")))).await,
        200
    );
    assert_eq!(kept("evt_3").await, EventState::Parked);
    let open = world.store.tickets(true, 10).await.unwrap();
    assert_eq!(open.len(), 1, "an event for what is not there is an alarm");
    assert_eq!(available(&world).await, "50.000000");
    audited(&world).await;
}

/// B-124.
#[tokio::test]
async fn a_payment_that_does_not_fit_waits_for_the_operator() {
    let spoil: [fn(&mut Session); 5] = [
        |session| session.amount_total = Some(2499),
        |session| session.currency = "eur".into(),
        |session| session.live = Some(false),
        |session| session.topup_id = None,
        |session| session.id = "cs_other".into(),
    ];
    for (number, spoil) in spoil.into_iter().enumerate() {
        let world = World::start().await;
        let top_up = begun(&world, "25.00").await;
        let mut session = world.payments.pay(&top_up);
        spoil(&mut session);
        assert_eq!(deliver(&world, &completed("evt_1", &session)).await, 200);
        assert_eq!(state(&world, &top_up).await, TopUpState::Review, "{number}");
        assert_eq!(available(&world).await, "50.000000");
        // a later good event does not leave the review: only an operator does
        let good = world.payments.pay(&top_up);
        assert_eq!(deliver(&world, &completed("evt_2", &good)).await, 200);
        assert_eq!(state(&world, &top_up).await, TopUpState::Review);
        let top_ups = &world.door.top_ups;
        let approved = top_ups
            .approve(top_up.id, None, "pi_x", "checked by hand")
            .await;
        assert_eq!(approved.unwrap().state, TopUpState::Credited);
        assert_eq!(available(&world).await, "75.000000");
        audited(&world).await;
    }
}

#[tokio::test]
async fn an_event_alone_is_no_proof() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    let mut claimed = world.payments.sessions()[0].clone();
    claimed.payment_status = "paid".into();
    claimed.payment_intent = Some("pi_claimed".into());
    // signed, but the processor itself says "unpaid"
    assert_eq!(deliver(&world, &completed("evt_1", &claimed)).await, 200);
    assert_eq!(state(&world, &top_up).await, TopUpState::Created);
    // the processor is away: the event is kept, and credited as soon as it can be asked
    let session = world.payments.pay(&top_up);
    world.payments.is_away(true);
    assert_eq!(deliver(&world, &completed("evt_2", &session)).await, 200);
    assert_eq!(state(&world, &top_up).await, TopUpState::Created);
    world.payments.is_away(false);
    world.clock.advance(Millis::seconds(11));
    world.door.top_ups.run_due().await;
    assert_eq!(state(&world, &top_up).await, TopUpState::Credited);
    assert_eq!(available(&world).await, "75.000000");
    audited(&world).await;
}

#[tokio::test]
async fn a_webhook_that_never_comes_loses_nothing() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    world.payments.pay(&top_up);
    world.clock.advance(Millis::minutes(15));
    world.door.top_ups.run_due().await;
    assert_eq!(available(&world).await, "75.000000");
    world.clock.advance(Millis::minutes(15));
    world.door.top_ups.run_due().await;
    assert_eq!(available(&world).await, "75.000000");
    let compared = world.door.top_ups.reconcile(world.clock.now());
    let compared = compared.await.unwrap();
    assert_eq!(compared[0].unexplained, Vec::<String>::new());
    assert_eq!(
        (compared[0].credited, compared[0].amount),
        (1, top_up.amount)
    );
    audited(&world).await;
}

#[tokio::test]
async fn a_day_that_is_over_is_compared_once_and_what_is_unexplained_is_told() {
    let world = World::start().await;
    let lost = paid(&world).await;
    let missed = begun(&world, "30.00").await;
    world.payments.pay(&missed);
    // the processor knows nothing of one that was credited
    world
        .payments
        .sessions()
        .retain(|one| Some(&one.id) != lost.processor_ref.as_ref());
    world.clock.advance(Millis::minutes(25 * 60));
    let top_ups = &world.door.top_ups;
    let days = top_ups.reconcile_due().await.unwrap();
    let odd: Vec<&str> = days
        .iter()
        .flat_map(|day| &day.unexplained)
        .map(|line| &**line)
        .collect();
    let not_credited = format!("for tu_{} is not credited", missed.id);
    assert!(
        odd.iter().any(|line| line.contains(&not_credited)),
        "{odd:?}"
    );
    let unknown = format!("tu_{} was credited", lost.id);
    assert!(odd.iter().any(|line| line.contains(&unknown)), "{odd:?}");
    let tickets = world.store.tickets(true, 20).await.unwrap();
    let told = |ticket: &&Ticket| ticket.kind == TicketKind::TopUpUnexplained;
    assert!(tickets.iter().any(|ticket| told(&ticket)), "{tickets:?}");
    let again = top_ups.reconcile_due().await.unwrap();
    assert!(again.is_empty(), "{again:?}");
    let odd_days = days
        .iter()
        .filter(|day| !day.unexplained.is_empty())
        .count();
    assert!(odd_days > 0);
    let days = async || top_ups.compared_days().await.unwrap();
    let stand = |unexplained, failed| ComparedDays {
        processor: Processor::Stripe,
        unexplained,
        failed,
    };
    assert_eq!(days().await, [stand(odd_days, 0)]);
    let its = tickets.iter().filter(told);
    for ticket in its {
        let closed = world
            .door
            .engine
            .close_ticket(ticket.id, "looked at with the processor");
        closed.await.unwrap();
    }
    assert_eq!(days().await, [stand(0, 0)], "a person has explained it");
    let same = top_ups.reconcile(world.clock.now() - Millis::minutes(25 * 60));
    assert!(!same.await.unwrap()[0].unexplained.is_empty());
    assert_eq!(days().await, [stand(0, 0)], "it is as they have seen it");
    let more = begun(&world, "35.00").await;
    world.payments.pay(&more);
    let worse = top_ups.reconcile(world.clock.now() - Millis::minutes(25 * 60));
    assert!(!worse.await.unwrap()[0].unexplained.is_empty());
    assert_eq!(days().await, [stand(1, 0)], "more of it is unexplained");
    top_ups.run_due().await;
    audited(&world).await;
}

#[tokio::test]
async fn one_payment_is_never_two_top_ups() {
    let world = World::start().await;
    let first = paid(&world).await;
    let second = begun(&world, "25.00").await;
    // a processor that lies: the same payment in a second session
    let mut session = world.payments.pay(&second);
    session.payment_intent = Some(format!("pi_{}", first.id));
    world.payments.say(&session);
    assert_eq!(deliver(&world, &completed("evt_2", &session)).await, 200);
    assert_eq!(state(&world, &second).await, TopUpState::Review);
    assert_eq!(available(&world).await, "75.000000");
    let third = begun(&world, "25.00").await;
    let mut session = world.payments.pay(&third);
    session.payment_intent = Some(format!("pi_{}", first.id));
    world.payments.say(&session);
    world.clock.advance(Millis::seconds(61));
    world.door.top_ups.run_due().await;
    assert_eq!(state(&world, &third).await, TopUpState::Review);
    assert_eq!(available(&world).await, "75.000000");
    audited(&world).await;
}

#[tokio::test]
async fn a_processor_that_cannot_be_compared_with_is_asked_again_in_an_hour() {
    let world = World::start().await;
    paid(&world).await;
    world.clock.advance(Millis::minutes(25 * 60));
    let top_ups = &world.door.top_ups;
    world.payments.is_away(true);
    let failed = top_ups.reconcile_due().await.unwrap();
    let count = |all: &[Reconciliation]| {
        let failed = all.iter().filter(|one| one.failure.is_some());
        (all.len(), failed.count())
    };
    // its list is there, what it says of a payment is not
    assert_eq!(count(&failed), (7, 1), "{failed:?}");
    world.payments.is_away(false);
    let failed = async || top_ups.compared_days().await.unwrap()[0].failed;
    assert_eq!(failed().await, 1);
    assert_eq!(top_ups.reconcile_due().await.unwrap(), [], "not yet");
    world.clock.advance(Millis::minutes(60));
    let again = top_ups.reconcile_due().await.unwrap();
    assert_eq!(count(&again), (1, 0), "the other days are done: {again:?}");
    assert_eq!(failed().await, 0);
}

#[tokio::test]
async fn what_a_processor_says_that_nobody_knows_is_told_without_an_event_too() {
    let world = World::start().await;
    let top_up = begun(&world, "25.00").await;
    world.payments.strange.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        world.clock.advance(Millis::minutes(15));
        world.door.top_ups.run_due().await;
    }
    let tickets = world.store.tickets(true, 10).await.unwrap();
    let told: Vec<_> = tickets
        .iter()
        .map(|one| (one.kind, one.reference))
        .collect();
    assert_eq!(told, [(TicketKind::TopUpMismatch, top_up.id)]);
    audited(&world).await;
}
