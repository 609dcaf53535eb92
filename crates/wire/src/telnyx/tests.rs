use super::*;
use proptest::prelude::*;

const PUBLIC: &str = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
const SECOND: &str = "1760000000";
const BODY: &[u8] = br#"{"data":{"event_type":"message.received"}}"#;
const SIGNATURE: &str =
    "j1nrrc59nltCFdt0iqJEg3HddGOClmInfsLTIgLawIYo68Pk37/WMj+iOA5r6FyEODtFQtvo2MvdVuhOUtwJBQ==";

fn signer() -> SigningKey {
    let mut seed = [0; 32];
    for (at, byte) in (0..).zip(&mut seed) {
        *byte = at;
    }
    SigningKey::from_seed(&seed).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp(1_760_000_000_000) + Millis::seconds(seconds)
}

fn seen(pair: (&str, &str), body: &[u8], now: Timestamp) -> Result<Timestamp, BadSignature> {
    verify(&PublicKey::parse(PUBLIC).unwrap(), pair, body, now)
}

#[test]
fn the_known_signature_is_made_and_believed() {
    assert_eq!(signer().public(), PUBLIC);
    assert_eq!(signer().sign(SECOND, BODY), SIGNATURE);
    assert_eq!(seen((SECOND, SIGNATURE), BODY, at(0)), Ok(at(0)));
}

#[test]
fn time_is_kept_both_ways() {
    let pair = (SECOND, SIGNATURE);
    for (seconds, expected) in [
        (300, Ok(at(0))),
        (-300, Ok(at(0))),
        (301, Err(BadSignature::OutOfTime)),
        (-301, Err(BadSignature::OutOfTime)),
        (400, Err(BadSignature::OutOfTime)),
    ] {
        assert_eq!(seen(pair, BODY, at(seconds)), expected, "{seconds}");
    }
}

#[test]
fn every_change_makes_a_signature_wrong() {
    let wrong = Err(BadSignature::Wrong);
    let spaced = br#"{"data": {"event_type":"message.received"}}"#;
    assert_eq!(seen((SECOND, SIGNATURE), spaced, at(0)), wrong);
    assert_eq!(seen(("1760000001", SIGNATURE), BODY, at(0)), wrong);
    let other = SigningKey::from_seed(&[9; 32]).unwrap();
    assert_eq!(
        seen((SECOND, &other.sign(SECOND, BODY)), BODY, at(0)),
        wrong
    );
}

#[test]
fn what_is_no_signature_is_unreadable() {
    let unreadable = Err(BadSignature::Unreadable);
    let long = "A".repeat(100_000);
    for pair in [
        (SECOND, ""),
        (SECOND, "AAAA"),
        (SECOND, "no base64"),
        (SECOND, long.as_str()),
        ("", SIGNATURE),
        ("+1760000000", SIGNATURE),
        ("1760000000.5", SIGNATURE),
        ("99999999999999999999", SIGNATURE),
    ] {
        assert_eq!(seen(pair, BODY, at(0)), unreadable, "{:.30}", pair.0);
    }
    for key in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
        assert_eq!(PublicKey::parse(key), None, "{key}");
    }
}

#[test]
fn a_message_is_read_as_it_was_written() {
    let message = Inbound {
        message_id: "m-1".into(),
        event_id: Some("e-1".into()),
        from: "+14155550100".into(),
        to: "+14155550199".into(),
        text: "Your code is 415127 ✓".into(),
        received_at: Some(Timestamp(1_760_000_000_123)),
    };
    assert_eq!(parse(event(&message).as_bytes()), Webhook::Message(message));
}

#[test]
fn other_events_are_ignored_and_gaps_are_named() {
    let other = br#"{"data":{"event_type":"message.finalized","payload":{}}}"#;
    assert_eq!(parse(other), Webhook::Other);
    for body in [BODY, b"", b"[]", b"{\"data\":{}}", b"\xff"] {
        assert_eq!(parse(body), Webhook::Malformed);
    }
}

proptest! {
    #[test]
    fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..80), text in "\\PC{0,80}") {
        let _ = parse(&body);
        let _ = parse(text.as_bytes());
    }
}
