//! Carriers' webhooks: what is believed, what is kept, what is answered.

use super::world::{Answered, World, generous};
use crate::{DoorSettings, Hooks};
use domain::change::{Change, Write};
use domain::own_number::{InboundSms, NewNumber, NumberWanted, PoolWrite};
use domain::ports::{Clock, PoolRows, Store};
use domain::time::{Millis, Timestamp};
use domain::usd::Usd;
use wire::inbound::Inbound;
use wire::telnyx::SigningKey;
use wire::twilio::{self, Algorithm};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const BEFORE: &str = "fedcba9876543210fedcba9876543210";
const TWILIO: &str = "/hooks/twilio/sms?src=pool1";
const TELNYX: &str = "/hooks/telnyx/sms";
const URL: &str = "https://gate.example/hooks/twilio/sms?src=pool1";
const FORM: &str = "application/x-www-form-urlencoded";

fn signer() -> SigningKey {
    SigningKey::from_seed(&[7; 32]).unwrap()
}

async fn world() -> World {
    let hooks = Hooks::default()
        .told("https://gate.example")
        .with_twilio(&[TOKEN, BEFORE, " "], &[("CR1", "a shared signing key")])
        .with_telnyx(&[signer().public().as_str()]);
    World::with(DoorSettings {
        failed_auth_per_minute: 3.into(),
        hooks,
        ..generous()
    })
    .await
}

fn message(id: &str, to: &str) -> Inbound {
    Inbound {
        message_id: id.to_owned(),
        event_id: Some(format!("event {id}")),
        from: "+14155550100".to_owned(),
        to: to.to_owned(),
        text: "Your code is 415127 ✓".to_owned(),
        received_at: None,
    }
}

async fn send(world: &World, target: &str, headers: &[(&str, &str)], body: &str) -> Answered {
    world
        .send(world.request("POST", target, headers, body))
        .await
}

/// A form signed with a token, sent with whatever Host a stranger likes.
async fn twilio(world: &World, token: &str, form: &str) -> Answered {
    let signature = twilio::sign((token, Algorithm::Sha1), URL, form.as_bytes());
    let headers = [
        ("content-type", FORM),
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-twilio-signature", &signature),
    ];
    send(world, TWILIO, &headers, form).await
}

async fn telnyx(world: &World, at: Timestamp, body: &str) -> Answered {
    let second = (at.0 / 1000).to_string();
    let signature = signer().sign(&second, body.as_bytes());
    let headers = [
        ("content-type", "application/json"),
        ("telnyx-timestamp", &second),
        ("telnyx-signature-ed25519", &signature),
    ];
    send(world, TELNYX, &headers, body).await
}

async fn unmatched(world: &World) -> Vec<InboundSms> {
    world.store.unmatched_sms(10).await.unwrap()
}

#[tokio::test]
async fn a_hook_without_a_key_is_not_there() {
    let hooks = Hooks::default()
        .told("https://gate.example")
        .with_twilio(&["", " \n"], &[("CR1", ""), ("", "key")])
        .with_telnyx(&["", "no key"]);
    let world = World::with(DoorSettings {
        hooks,
        ..generous()
    })
    .await;
    let form = twilio::form(&message("SM1", "+14155550199"), "AC1");
    assert_eq!(twilio(&world, "", &form).await.status, 404);
    assert_eq!(telnyx(&world, world.clock.now(), "{}").await.status, 404);
    assert_eq!(unmatched(&world).await, []);
}

#[tokio::test]
async fn a_signed_form_is_kept_once_and_answered_with_nothing_to_send() {
    let world = world().await;
    let form = twilio::form(&message("SM1", "+14155550199"), "AC1");
    for token in [TOKEN, BEFORE, TOKEN] {
        let answer = twilio(&world, token, &form).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "<Response/>"));
        assert_eq!(answer.header("content-type"), Some("text/xml"));
    }
    let kept = unmatched(&world).await;
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (kept[0].to.as_str(), kept[0].from.as_str()),
        ("14155550199", "+14155550100")
    );
    assert_eq!(kept[0].text, "Your code is 415127 ✓");
    let report = "MessageSid=SM2&MessageStatus=delivered";
    assert_eq!(twilio(&world, TOKEN, report).await.status, 200);
    assert_eq!(twilio(&world, TOKEN, "Body=x").await.status, 400);
    assert_eq!(unmatched(&world).await.len(), 1);
}

#[tokio::test]
async fn a_key_of_its_own_signs_by_its_id_alone() {
    let world = world().await;
    let form = twilio::form(&message("SM1", "+14155550199"), "AC1");
    let by = async |secret: &str, settings: &str| {
        let signature = twilio::sign((secret, Algorithm::Sha256), URL, form.as_bytes());
        let headers = [
            ("content-type", FORM),
            ("x-twilio-signature", &signature),
            ("x-twilio-webhooks-signature-settings", settings),
        ];
        send(&world, TWILIO, &headers, &form).await.status
    };
    let settings = "key=CR1,algorithm=HMAC_SHA256";
    assert_eq!(by("a shared signing key", settings).await, 200);
    assert_eq!(by(TOKEN, settings).await, 403);
    assert_eq!(
        by("a shared signing key", "key=CR2,algorithm=HMAC_SHA256").await,
        403
    );
    assert_eq!(by("a shared signing key", "nonsense").await, 400);
}

#[tokio::test]
async fn bad_signatures_are_refused_without_a_word_and_limited() {
    let world = world().await;
    let form = twilio::form(&message("SM1", "+14155550199"), "AC1");
    let wrong = twilio(&world, "a token of somebody else", &form).await;
    assert_eq!((wrong.status, wrong.text.as_str()), (403, ""));
    let unsigned = send(&world, TWILIO, &[("content-type", FORM)], &form).await;
    assert_eq!((unsigned.status, unsigned.text.as_str()), (400, ""));
    let now = world.clock.now();
    let old = telnyx(&world, now - Millis::seconds(301), "{}").await;
    assert_eq!((old.status, old.text.as_str()), (403, ""));
    assert_eq!(twilio(&world, "again", &form).await.status, 429);
    assert_eq!(
        twilio(&world, TOKEN, &form).await.status,
        200,
        "a good one passes"
    );
    let mut twice = world.request("POST", TWILIO, &[("content-type", FORM)], &form);
    let signature = twilio::sign((TOKEN, Algorithm::Sha1), URL, form.as_bytes());
    for _ in 0..2 {
        let value = signature.parse().unwrap();
        twice.headers_mut().append("x-twilio-signature", value);
    }
    assert_eq!(world.send(twice).await.status, 429);
}

#[tokio::test]
async fn other_methods_media_types_and_sizes_are_refused() {
    let world = world().await;
    for target in [TWILIO, TELNYX] {
        let read = world.send(world.request("GET", target, &[], "")).await;
        assert_eq!((read.status, read.header("allow")), (405, Some("POST")));
        let text = send(&world, target, &[("content-type", "text/plain")], "x").await;
        assert_eq!(text.status, 415);
        let long = "x".repeat(65 * 1024);
        let long = send(
            &world,
            target,
            &[("content-type", "application/json")],
            &long,
        )
        .await;
        assert_eq!(long.status, 413);
    }
}

#[tokio::test]
async fn a_signed_event_is_kept_and_an_old_message_is_not_the_new_renters() {
    let world = world().await;
    let write = async |write| {
        let change = Change::new("test", world.clock.now(), vec![Write::Pool(write)]);
        world.store.commit(change).await.unwrap();
    };
    let number = NewNumber::read("own", "+14155550199", "US").unwrap();
    write(PoolWrite::Add(Box::new(number))).await;
    write(PoolWrite::Allocate(Box::new(NumberWanted {
        upstream: "own".into(),
        reference: "a".into(),
        service: "tg".into(),
        country: "US".into(),
        pool: None,
        cost: Usd(1),
        ends_at: world.clock.now() + Millis::minutes(20),
        again: false,
    })))
    .await;
    world.clock.advance(Millis::seconds(10));
    let newest = async || {
        let row = world.store.allocation_of("own", "a").await.unwrap();
        row.unwrap().newest
    };

    // the carrier's clock is two minutes behind ours: what counts is how long it kept the message
    let theirs = world.clock.now() - Millis::seconds(120);
    let at = |seconds| Some(theirs - Millis::seconds(seconds));
    let old = Inbound {
        received_at: at(11),
        ..message("old", "+14155550199")
    };
    let event = wire::telnyx::event(&old);
    assert_eq!(telnyx(&world, theirs, &event).await.status, 200);
    assert_eq!(newest().await, None);
    assert_eq!(unmatched(&world).await.len(), 1);
    let fresh = Inbound {
        received_at: at(9),
        ..message("fresh", "+14155550199")
    };
    let event = wire::telnyx::event(&fresh);
    assert_eq!(telnyx(&world, theirs, &event).await.status, 200);
    assert_eq!(newest().await.as_deref(), Some("Your code is 415127 ✓"));

    let other = r#"{"data":{"event_type":"message.finalized"}}"#;
    assert_eq!(telnyx(&world, theirs, other).await.status, 200);
    assert_eq!(telnyx(&world, theirs, "{}").await.status, 400);
    assert_eq!(unmatched(&world).await.len(), 1);
}
