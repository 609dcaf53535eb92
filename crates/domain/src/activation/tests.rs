//! One test for each rule that the simulation found missing.

use super::*;

const T0: Timestamp = Timestamp(1_000_000);

fn shown() -> Activation {
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
