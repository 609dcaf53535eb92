use super::*;
use domain::time::Timestamp;
use domain::usd::Usd;

const BODY: &str = r#"{"payment_id":5077125051,"payment_status":"finished","pay_address":"addr1","price_amount":25,"price_currency":"usd","pay_amount":0.00041,"actually_paid":0.00041,"pay_currency":"btc","order_id":"tu_42","order_description":"top up","purchase_id":"5312822613","outcome_amount":0.0004,"outcome_currency":"btc","fee":{"currency":"btc","depositFee":0.00001,"withdrawalFee":0,"serviceFee":0}}"#;
const CANONICAL: &str = r#"{"actually_paid":0.00041,"fee":{"currency":"btc","depositFee":0.00001,"serviceFee":0,"withdrawalFee":0},"order_description":"top up","order_id":"tu_42","outcome_amount":0.0004,"outcome_currency":"btc","pay_address":"addr1","pay_amount":0.00041,"pay_currency":"btc","payment_id":5077125051,"payment_status":"finished","price_amount":25,"price_currency":"usd","purchase_id":"5312822613"}"#;
const SECRET: &str = "ipnsecret";
const GOOD: &str = "02f87acbcb445c34aa1f0c73e25b620e42b30a68c204cc590885b218f9339ed2d169b29f6260d62b644ad217ef712713363dffda359a66e9d608e99959acee77";

#[test]
fn the_published_vectors() {
    assert_eq!(BODY.len(), 385);
    assert_eq!(canonical(BODY).as_deref(), Some(CANONICAL));
    assert_eq!(sign(SECRET, BODY).as_deref(), Some(GOOD));
    let verified = |secrets: &[&str], header: &str| verify(secrets, header, BODY.as_bytes());
    assert_eq!(verified(&[SECRET], GOOD), Ok(()));
    assert_eq!(verified(&["new", SECRET], GOOD), Ok(()));
    assert_eq!(verified(&["new"], GOOD), Err(BadSignature::Wrong));
    let empty = mac::sign(HMAC_SHA512, "", &[CANONICAL.as_bytes()]);
    assert!(empty.starts_with("cb2157acd66fcb1d"));
    for secrets in [&[SECRET][..], &[""], &[" "], &[]] {
        assert_eq!(verified(secrets, &empty), Err(BadSignature::Wrong));
    }
    // digests over other forms of the same body, as wrong implementations make them
    let raw = mac::sign(HMAC_SHA512, SECRET, &[BODY.as_bytes()]);
    assert!(raw.starts_with("8a4700e2a1f3f602"));
    let printed = CANONICAL.replace("0.00001", "1e-05");
    let printed = mac::sign(HMAC_SHA512, SECRET, &[printed.as_bytes()]);
    assert!(printed.starts_with("b9c6066cbdd29e8d"));
    let top_level = CANONICAL.replace(
        r#""serviceFee":0,"withdrawalFee":0"#,
        r#""withdrawalFee":0,"serviceFee":0"#,
    );
    let top_level = mac::sign(HMAC_SHA512, SECRET, &[top_level.as_bytes()]);
    assert!(top_level.starts_with("9875ef8daa31d763"));
    for wrong in [raw, printed, top_level] {
        assert_eq!(verified(&[SECRET], &wrong), Err(BadSignature::Wrong));
    }
    for bad in ["", "zz", &GOOD[1..], &GOOD.to_ascii_uppercase()] {
        assert_eq!(verified(&[SECRET], bad), Err(BadSignature::Unreadable));
    }
    let forged = BODY.replace("\"price_amount\":25", "\"price_amount\":95");
    let forged = verify(&[SECRET], GOOD, forged.as_bytes());
    assert_eq!(forged, Err(BadSignature::Wrong));
}

#[test]
fn canonical_texts_are_javascripts() {
    for (body, text) in [
        (
            r#" { "b" : 1 , "a" : [ 2 , { "d":1,"c":2 } ] } "#,
            r#"{"a":[2,{"c":2,"d":1}],"b":1}"#,
        ),
        (
            r#"{"a":1.10,"b":1e-7,"c":-0,"d":true,"e":null}"#,
            r#"{"a":1.10,"b":1e-7,"c":-0,"d":true,"e":null}"#,
        ),
        (
            "{\"a\":\"\\u00e9 \\/ \\u001f \\n \\\" \\\\\"}",
            "{\"a\":\"é / \\u001f \\n \\\" \\\\\"}",
        ),
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        // by code unit a supplementary character comes before U+FFFD
        (
            "{\"\u{fffd}\":1,\"\u{1f600}\":2}",
            "{\"\u{1f600}\":2,\"\u{fffd}\":1}",
        ),
    ] {
        assert_eq!(canonical(body).as_deref(), Some(text), "{body}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for bad in ["", "{", "{}{}", &deep] {
        assert_eq!(canonical(bad), None, "{bad:.20}");
    }
}

#[test]
fn words_are_what_the_table_says() {
    let payment = |status: &str| Payment {
        id: "5077125051".into(),
        invoice: Some("77".into()),
        status: status.into(),
        price_amount: "25".into(),
        price_currency: "usd".into(),
        order: Some("tu_42".into()),
        pay_amount: "0.00041".into(),
        actually_paid: "0.000205".into(),
    };
    let stand = |status| payment(status).fact().stand;
    for status in ["waiting", "confirming", "confirmed", "sending"] {
        assert_eq!(stand(status), Stand::Pending);
    }
    assert_eq!(stand("finished"), Stand::Paid);
    assert_eq!(stand("failed"), Stand::Failed);
    assert_eq!(stand("expired"), Stand::Expired);
    assert_eq!(stand("refunded"), Stand::Refunded);
    assert_eq!(stand("partially_paid"), Stand::PaidPart);
    let half = payment("partially_paid").fact().received;
    assert_eq!(half.map(|sum| sum.minor), Some(1250));
    assert_eq!(payment("waiting").fact().payment_ref, None);
    let one = payment("finished");
    let read = notice(one.body().as_bytes()).unwrap();
    assert_eq!(read.event_id, "5077125051:finished");
    assert_eq!(read.news, News::Payment(one.fact()));
    let turned = turned(&one.body(), 3).unwrap();
    assert_ne!(turned, one.body());
    assert_eq!(sign(SECRET, &turned), sign(SECRET, &one.body()));
    assert_eq!(Payment::parse(&turned), Some(one.clone()));
    assert_eq!(Payment::parse(&one.body()), Some(one));
    let unknown = notice(payment("melted").body().as_bytes()).unwrap();
    let News::Payment(fact) = unknown.news else {
        panic!("{unknown:?}");
    };
    assert!(matches!(fact.stand, Stand::Unknown(_)), "{fact:?}");
    assert_eq!(
        notice(BODY.as_bytes()).unwrap().reference.as_deref(),
        Some("tu_42")
    );
    for bad in ["", "{}", r#"{"payment_id":1}"#] {
        assert_eq!(notice(bad.as_bytes()), None);
    }
}

#[test]
fn invoices_are_asked_for_with_exact_amounts() {
    let checkout = Checkout {
        reference: "tu_42".into(),
        charge: Usd(25_300_000),
        created_at: Timestamp(0),
        expires_at: Timestamp(0),
        return_url: "https://gw.example.com/topup".into(),
        hook_url: "https://gw.example.com/hooks/nowpayments".into(),
    };
    assert_eq!(
        create(&checkout),
        r#"{"price_amount":25.30,"price_currency":"usd","order_id":"tu_42","order_description":"Wallet top-up","ipn_callback_url":"https://gw.example.com/hooks/nowpayments","success_url":"https://gw.example.com/topup","cancel_url":"https://gw.example.com/topup"}"#
    );
    let answer = r#"{"id":"77","invoice_url":"https://nowpayments.io/payment/?iid=77"}"#;
    assert_eq!(invoice(answer).unwrap().0, "77");
    assert_eq!(invoice("{}"), None);
}
