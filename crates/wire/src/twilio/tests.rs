use super::*;
use proptest::prelude::*;

const KEY: &str = "12345678901234567890123456789012";
const URL: &str = "https://gw.example.com/hooks/twilio/sms?src=pool1";
const T1: &str = "jmUooU/eS3UfxVKSPSEPu6PDTVg=";
const T2: &str = "KAizEs82rSTgqkYB31Ls4W3jbCwMBIy1y2nmE7Hr0ZU=";
const T3: &str = "Ndpah7pP0UR5zhRcZGXpFVKfX3Y=";

fn encoded(members: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(members);
    form.finish()
}

fn first() -> String {
    let id = "SM00000000000000000000000000000001";
    encoded(&[
        ("ToCountry", "US"),
        ("To", "+14155550199"),
        ("SmsStatus", "received"),
        ("NumSegments", "1"),
        ("NumMedia", "0"),
        ("SmsSid", id),
        ("SmsMessageSid", id),
        ("MessageSid", id),
        ("FromCountry", "US"),
        ("From", "+14155550100"),
        ("Body", "Your code is 415127"),
        ("ApiVersion", "2010-04-01"),
        ("AccountSid", "AC00000000000000000000000000000001"),
    ])
}

fn sha1(url: &str, form: &str, signature: &str) -> Result<(), BadSignature> {
    verify(
        (KEY, Algorithm::Sha1),
        url,
        Body::Form(form.as_bytes()),
        signature,
    )
}

const OK: Result<(), BadSignature> = Ok(());
const WRONG: Result<(), BadSignature> = Err(BadSignature::Wrong);
const UNREADABLE: Result<(), BadSignature> = Err(BadSignature::Unreadable);

#[test]
fn the_known_signatures_are_made_and_believed() {
    let with_port = "https://gw.example.com:443/hooks/twilio/sms?src=pool1";
    let repeated = encoded(&[("Body", "a"), ("Tag", "z"), ("Tag", "b"), ("Tag", "z")]);
    let cyrillic = encoded(&[("Body", "Код 415127 ✓"), ("From", "+14155550100")]);
    let old = encoded(&[
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]);
    let bare = "https://gw.example.com/hooks/twilio/sms";
    let own = "https://mycompany.com/myapp.php?foo=1&bar=2";
    for (key, algorithm, url, form, signature) in [
        (KEY, Algorithm::Sha1, URL, &first(), T1),
        (KEY, Algorithm::Sha256, URL, &first(), T2),
        (KEY, Algorithm::Sha1, with_port, &first(), T3),
        (
            KEY,
            Algorithm::Sha1,
            bare,
            &repeated,
            "JS3CgYhBz7YhfpSA5/8U9bNPOrI=",
        ),
        (
            KEY,
            Algorithm::Sha1,
            URL,
            &cyrillic,
            "d60/h3ryzSrnSsEaSesBdnNqwOU=",
        ),
        (
            "12345",
            Algorithm::Sha1,
            own,
            &old,
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
    ] {
        assert_eq!(sign((key, algorithm), url, form.as_bytes()), signature);
        let body = Body::Form(form.as_bytes());
        assert_eq!(
            verify((key, algorithm), url, body, signature),
            OK,
            "{signature}"
        );
    }
}

#[test]
fn the_default_port_may_be_written_or_not() {
    let with_port = "https://gw.example.com:443/hooks/twilio/sms?src=pool1";
    assert_eq!(sha1(URL, &first(), T3), OK);
    assert_eq!(sha1(with_port, &first(), T1), OK);
    let other = "https://gw.example.com:8443/hooks/twilio/sms?src=pool1";
    assert_eq!(sha1(other, &first(), T1), WRONG);
    let plain = "http://gw.example.com/hooks/twilio/sms?src=pool1";
    assert_eq!(sha1(plain, &first(), T1), WRONG);
}

#[test]
fn every_change_makes_a_signature_wrong() {
    let longer = first() + "&New=1";
    let other_text = first().replace("415127", "415128");
    for (url, form) in [
        (URL, longer.as_str()),
        (URL, other_text.as_str()),
        ("https://gw.example.com/hooks/twilio/sms", first().as_str()),
        (
            "https://evil.example.com/hooks/twilio/sms?src=pool1",
            first().as_str(),
        ),
    ] {
        assert_eq!(sha1(url, form, T1), WRONG, "{url} {form}");
    }
    let form = first();
    let body = Body::Form(form.as_bytes());
    let by = |key, algorithm, signature| verify((key, algorithm), URL, body, signature);
    assert_eq!(by("another key", Algorithm::Sha1, T1), WRONG);
    assert_eq!(by(KEY, Algorithm::Sha256, T1), UNREADABLE);
    assert_eq!(by(KEY, Algorithm::Sha1, T2), UNREADABLE);
}

#[test]
fn a_blank_key_believes_nothing() {
    let form = first();
    for key in ["", " ", "\n"] {
        let made = sign((key, Algorithm::Sha1), URL, form.as_bytes());
        let key = (key, Algorithm::Sha1);
        let seen = verify(key, URL, Body::Form(form.as_bytes()), &made);
        assert_eq!(seen, WRONG);
    }
}

#[test]
fn what_is_no_signature_is_unreadable() {
    let long = "A".repeat(10_000);
    for text in [
        "",
        "no base64!",
        "AAAA",
        "jmUooU/eS3UfxVKSPSEPu6PDTVg",
        long.as_str(),
    ] {
        assert_eq!(sha1(URL, &first(), text), UNREADABLE, "{text:.20}");
    }
}

#[test]
fn a_json_body_is_signed_by_its_hash_in_the_address() {
    let body = br#"{"From":"+14155550100","Body":"Your code is 415127"}"#;
    let hash = "088458507e2e216e3fe1e794c285301503cf3a2ef19fbc6f4fe686f29b4783c1";
    let url = format!("https://gw.example.com/hooks/twilio/json?bodySHA256={hash}");
    let signature = "nLwYQ+INoGK6fyioiiAAzjCkC70=";
    let seen = |url: &str, body| verify((KEY, Algorithm::Sha1), url, Body::Json(body), signature);
    assert_eq!(seen(&url, body), OK);
    let spaced = br#"{"From": "+14155550100","Body":"Your code is 415127"}"#;
    assert_eq!(seen(&url, spaced), WRONG);
    assert_eq!(
        seen("https://gw.example.com/hooks/twilio/json", body),
        WRONG
    );
    // a body of its own does not make a form of a JSON request
    assert_eq!(
        verify((KEY, Algorithm::Sha1), &url, Body::Form(body), signature),
        WRONG
    );
}

#[test]
fn the_settings_header_names_key_and_algorithm() {
    let read = |text| SignatureSettings::parse(text).map(|read| (read.key, read.algorithm));
    let own = Some(("CR1".to_owned(), Algorithm::Sha256));
    assert_eq!(read("key=CR1,algorithm=HMAC_SHA256"), own);
    assert_eq!(read("algorithm=HMAC_SHA256, key=CR1"), own);
    for bad in [
        "",
        "key=CR1",
        "key=,algorithm=HMAC_SHA256",
        "key=CR1,algorithm=NONE",
        "x",
    ] {
        assert_eq!(read(bad), None, "{bad}");
    }
}

#[test]
fn a_message_is_read_as_it_was_written() {
    let message = Inbound {
        message_id: "SM1".into(),
        event_id: None,
        from: "+14155550100".into(),
        to: "+14155550199".into(),
        text: "Код 415127 & more = ✓".into(),
        received_at: None,
    };
    let form = form(&message, "AC1");
    assert_eq!(
        parse(Body::Form(form.as_bytes())),
        Webhook::Message(message)
    );
    let json = br#"{"MessageSid":"SM1","From":"+1","To":"+2","Body":"x"}"#;
    assert!(matches!(parse(Body::Json(json)), Webhook::Message(read) if read.to == "+2"));
    let Webhook::Message(first) = parse(Body::Form(first().as_bytes())) else {
        panic!("the first vector is a message");
    };
    assert_eq!(first.text, "Your code is 415127");
}

#[test]
fn reports_are_ignored_and_gaps_are_named() {
    let report = encoded(&[("MessageSid", "SM1"), ("MessageStatus", "delivered")]);
    assert_eq!(parse(Body::Form(report.as_bytes())), Webhook::Other);
    for form in ["", "Body=x", "MessageSid=SM1&From=%2B1&To=&Body=x"] {
        assert_eq!(
            parse(Body::Form(form.as_bytes())),
            Webhook::Malformed,
            "{form}"
        );
    }
}

proptest! {
    #[test]
    fn no_form_panics_and_only_its_own_signature_fits(
        form in proptest::collection::vec(any::<u8>(), 0..80),
        url in "https?://[a-z.:\\[\\]0-9]{0,12}[/?#a-z]{0,6}",
    ) {
        let _ = parse(Body::Form(&form));
        let _ = parse(Body::Json(&form));
        let made = sign((KEY, Algorithm::Sha1), &url, &form);
        prop_assert_eq!(verify((KEY, Algorithm::Sha1), &url, Body::Form(&form), &made), OK);
        prop_assert_eq!(verify(("k", Algorithm::Sha1), &url, Body::Form(&form), &made), WRONG);
    }
}
