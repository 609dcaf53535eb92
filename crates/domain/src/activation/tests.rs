//! One test for each rule that the simulation found missing.

use super::*;

const T0: Timestamp = Timestamp(1_000_000);

pub(crate) fn shown() -> Activation {
    Activation {
        id: OrderId(7),
        account: AccountId(1),
        version: 1,
        state: ActivationState::Active,
        told: Told::Done,
        wanted: Wanted {
            server: "peter".into(),
            provider_type: 1,
            country_id: "61".into(),
            country_key: "pakistan".into(),
            service_id: "tg".into(),
            service_name: "Telegram".into(),
            pool_id: None,
        },
        price: Usd(180_000),
        cost_quote: Usd(150_000),
        policy: (String::new(), 1),
        upstream: "north".into(),
        attempt: 1,
        upstream_id: Some("5".into()),
        phone: Phone::parse("923001234567"),
        cost: None,
        disclosed_at: Some(T0),
        message: None,
        messages: 0,
        created_at: T0,
        in_doubt_until: None,
        expires_at: None,
        cancel_allowed_at: None,
        late_code_at: None,
        due_at: None,
        tries: 0,
        failure: None,
    }
}

#[test]
fn a_number_nobody_was_told_of_was_never_shown() {
    let writes = shown().taken_back(T0);
    let [Write::UpdateActivation(row)] = writes.as_slice() else {
        panic!("one write: {writes:?}");
    };
    assert_eq!(row.state, ActivationState::Undo);
    assert_eq!((row.told, row.disclosed_at), (Told::Failed, None));
    assert_eq!(row.due_at, Some(T0));
}

#[test]
fn only_a_fifth_above_the_quote_is_far_above() {
    assert!(!is_far_above(Usd(120), Usd(100)));
    assert!(is_far_above(Usd(121), Usd(100)));
    assert!(is_far_above(Usd(1), Usd::ZERO));
}

#[test]
fn the_next_route_is_held_at_its_own_price_before_its_call() {
    let mut order = shown();
    order.state = ActivationState::Calling;
    let mut route = NumberRoute {
        wanted: order.wanted.clone(),
        upstream: "south".into(),
        cost: Usd(190_000),
        price: Usd(200_000),
        policy: ("otp/general".into(), 1),
    };
    route.wanted.server = "paul".into();
    let plan = Plan {
        lease: Millis::seconds(35),
        in_doubt_window: Millis::seconds(270),
        min_cancel_age: Millis::seconds(120),
        lifetime: Millis::minutes(20),
        retry: Millis::seconds(2),
    };
    let moved = |order: Activation, route: &NumberRoute| {
        order.next_route("no_stock", String::new(), route, &plan, T0)
    };
    let writes = moved(order.clone(), &route);
    let [
        Write::Rehold { from, to, seq, .. },
        Write::EndAttempt(ended),
        Write::BeginAttempt(begun),
        Write::UpdateActivation(row),
    ] = writes.as_slice()
    else {
        panic!("four writes: {writes:?}");
    };
    assert_eq!((*from, *to, *seq), (Usd(180_000), Usd(200_000), 2));
    assert_eq!((ended.seq, ended.state), (1, AttemptState::Refused));
    assert_eq!((begun.seq, begun.upstream.as_str()), (2, "south"));
    assert_eq!((row.price, row.cost_quote), (Usd(200_000), Usd(190_000)));
    assert_eq!(row.wanted.server, "paul");
    assert_eq!(row.due_at, Some(T0 + plan.lease));
    route.price = order.price;
    assert_eq!(
        moved(order, &route).len(),
        3,
        "an equal price needs no other hold"
    );
}

fn sms(text: &str) -> Sms {
    Sms {
        code: "415127".into(),
        text: Some(text.into()),
    }
}

#[test]
fn a_message_of_what_is_never_sold_is_forgotten_and_charged_to_nobody() {
    let plan = Plan {
        lease: Millis(1),
        in_doubt_window: Millis(1),
        min_cancel_age: Millis(1),
        lifetime: Millis(1),
        retry: Millis(1),
    };
    let bank = sms("First Harbor Bank: 415127");
    for state in [ActivationState::Active, ActivationState::CancelRequested] {
        let waiting = Activation { state, ..shown() };
        let writes = waiting.message_seen(bank.clone(), &plan, T0);
        let [
            Write::Resolve { posted, reason, .. },
            Write::Book(loss),
            Write::UpdateActivation(row),
        ] = writes.as_slice()
        else {
            panic!("{writes:?}");
        };
        assert_eq!((*posted, *reason), (Usd::ZERO, Reason::Withheld));
        assert_eq!(
            *loss,
            Entry::upstream_loss(OrderId(7), 0, "north", Usd(150_000))
        );
        assert_eq!(row.state, ActivationState::Cancelled);
        assert_eq!((&row.message, row.messages), (&None, 0));
    }
    let first = shown().message_seen(sms("Telegram 415127"), &plan, T0);
    let Some(Write::UpdateActivation(received)) = first.last() else {
        panic!("{first:?}");
    };
    assert_eq!(received.state, ActivationState::Received);
    let second = received.clone().message_seen(bank, &plan, T0);
    assert!(second.is_empty(), "a second message is dropped: {second:?}");
}

#[test]
fn a_code_after_a_confirmed_cancel_marks_the_order_and_is_dropped() {
    let expires_at = Some(T0 + Millis::minutes(20));
    let asked = Activation {
        state: ActivationState::CancelRequested,
        expires_at,
        tries: 3,
        ..shown()
    };
    let saved = |writes: &[Write]| match writes.last() {
        Some(Write::UpdateActivation(row)) => (**row).clone(),
        other => panic!("a row: {other:?}"),
    };
    let cancelled = saved(&asked.clone().closed_upstream(Reason::Cancelled));
    assert_eq!((cancelled.due_at, cancelled.tries), (expires_at, 0));
    let other = saved(&asked.closed_upstream(Reason::ClosedUpstream));
    assert_eq!(other.due_at, None, "the upstream ended it by itself");
    let sms = Sms {
        code: "415127".into(),
        text: None,
    };
    let writes = cancelled.late_code(sms, T0);
    assert_eq!(writes.len(), 1, "the mark and nothing else: {writes:?}");
    let marked = saved(&writes);
    assert_eq!((marked.late_code_at, marked.due_at), (Some(T0), None));
    assert_eq!((marked.message, marked.messages), (None, 0));
    assert_eq!(marked.state, ActivationState::Cancelled);
}
