use super::*;
use domain::time::Timestamp;
use domain::usd::Usd;

const BODY: &str = r#"{"deliveryId":"d1","webhookId":"w1","originalDeliveryId":"d1","isRedelivery":false,"type":"InvoiceSettled","timestamp":1767225600,"storeId":"s1","invoiceId":"inv1","manuallyMarked":false,"overPaid":false}"#;
const SECRET: &str = "btcpaysecret";
const GOOD: &str = "sha256=432184421ae6b7116153a84282637dc893e2d2ad110457e0927868ed562d7743";
const BY_EMPTY: &str = "sha256=6f8438cda07c743ef5771665d9486811a3d0a0b5d60a42e6e67c2a064ca26229";

#[test]
fn the_published_vectors() {
    assert_eq!(BODY.len(), 204);
    let verified = |secrets: &[&str], header: &str| verify(secrets, header, BODY.as_bytes());
    assert_eq!(verified(&[SECRET], GOOD), Ok(()));
    assert_eq!(verified(&["new", SECRET], GOOD), Ok(()));
    assert_eq!(verified(&["new"], GOOD), Err(BadSignature::Wrong));
    for secrets in [&[SECRET][..], &[""], &[" "], &[]] {
        assert_eq!(verified(secrets, BY_EMPTY), Err(BadSignature::Wrong));
    }
    for bad in [
        "",
        "sha256=",
        "sha256=zz",
        &GOOD[7..],
        "sha1=00",
        &GOOD.to_ascii_uppercase(),
    ] {
        assert_eq!(
            verified(&[SECRET], bad),
            Err(BadSignature::Unreadable),
            "{bad}"
        );
    }
    assert_eq!(sign(SECRET, BODY.as_bytes()), GOOD);
}

#[test]
fn a_redelivery_is_the_same_event() {
    let first = notice(BODY.as_bytes()).unwrap();
    assert_eq!((first.event_id.as_str(), &first.news), ("d1", &News::Look));
    let again = Delivery {
        id: "d2".into(),
        original: "d1".into(),
        kind: "InvoiceSettled".into(),
        at: 1_767_225_610,
        store: "s1".into(),
        invoice: "inv1".into(),
    };
    assert_eq!(notice(again.body().as_bytes()), Some(first));
    let other = BODY.replace("InvoiceSettled", "InvoiceCreated");
    assert_eq!(notice(other.as_bytes()).unwrap().news, News::Unused);
    for bad in ["", "{}", r#"{"type":"InvoiceSettled"}"#] {
        assert_eq!(notice(bad.as_bytes()), None);
    }
}

fn invoice(status: &str, additional: &str) -> Invoice {
    Invoice {
        id: "inv1".into(),
        store: "s1".into(),
        amount: "25.00".into(),
        currency: "USD".into(),
        order: Some("tu_42".into()),
        checkout_link: Some("https://pay".into()),
        status: status.into(),
        additional: additional.into(),
        created: 1_767_225_600,
    }
}

#[test]
fn every_pair_of_the_table() {
    let odd = |status: &str, more: &str| Stand::Odd(format!("invoice {status}, {more}"));
    let all = [
        "None",
        "PaidLate",
        "PaidPartial",
        "PaidOver",
        "Marked",
        "Invalid",
    ];
    for additional in all {
        let stand = |status| invoice(status, additional).fact("s1").stand;
        assert_eq!(stand("New"), Stand::Open);
        assert_eq!(stand("Processing"), Stand::Pending);
        assert_eq!(stand("Invalid"), Stand::Void);
        let settled = match additional {
            "None" => Stand::Paid,
            "PaidOver" => Stand::PaidOver,
            other => odd("Settled", other),
        };
        assert_eq!(stand("Settled"), settled);
        let expired = match additional {
            "None" => Stand::Expired,
            other => odd("Expired", other),
        };
        assert_eq!(stand("Expired"), expired);
    }
    assert_eq!(
        invoice("Paid", "None").fact("s1").stand,
        odd("Paid", "None")
    );
    let other_store = invoice("Settled", "None").fact("s2").stand;
    assert!(matches!(other_store, Stand::Odd(_)));
}

#[test]
fn invoices_are_read_back_and_asked_for() {
    let one = invoice("New", "None");
    assert_eq!(Invoice::parse(&one.json().to_string()), Some(one.clone()));
    let both = serde_json::Value::Array(vec![one.json(), one.json()]).to_string();
    assert_eq!(list(&both).unwrap().len(), 2);
    assert_eq!(list("{}"), None);
    let checkout = Checkout {
        reference: "tu_42".into(),
        charge: Usd(25_000_000),
        created_at: Timestamp(0),
        expires_at: Timestamp(0),
        return_url: "https://gw.example.com/topup".into(),
        hook_url: String::new(),
    };
    assert_eq!(
        create(&checkout, 60),
        r#"{"amount":"25.00","currency":"USD","metadata":{"orderId":"tu_42"},"checkout":{"expirationMinutes":60,"monitoringMinutes":1440,"speedPolicy":"MediumSpeed","paymentTolerance":0,"redirectURL":"https://gw.example.com/topup","redirectAutomatically":true}}"#
    );
    let read = read_create(&create(&checkout, 60)).unwrap();
    assert_eq!(
        (read.0.as_str(), read.2.as_deref()),
        ("25.00", Some("tu_42"))
    );
}

#[test]
fn what_came_in_is_summed_over_the_ways_to_pay() {
    let ways = |paid: &str, rate: &str| payment_methods(paid, rate).to_string();
    let minor = |body: &str| received(body, "USD").map(|sum| sum.minor);
    assert_eq!(minor(&ways("0.0005", "50000.00")), Some(2500));
    assert_eq!(minor(&ways("0.00049999", "50000")), Some(2499));
    assert_eq!(minor("[]"), Some(0));
    let two =
        r#"[{"paymentMethodPaid":"0.0001","rate":"50000"},{"paymentMethodPaid":0.2,"rate":100}]"#;
    assert_eq!(minor(two), Some(2500));
    for bad in [
        r#"[{"rate":"1"}]"#,
        r#"[{"paymentMethodPaid":"-1","rate":"1"}]"#,
        "{}",
        "[1]",
    ] {
        assert_eq!(minor(bad), None, "{bad}");
    }
    let odd = |more| invoice("Expired", more).is_odd_amount();
    assert!(odd("PaidLate") && odd("PaidPartial") && odd("PaidOver") && !odd("None"));
}
