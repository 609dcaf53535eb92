use super::*;
use crate::account::Account;
use crate::test_server::{Act, TestServer};
use domain::ids::AccountId;
use domain::time::Timestamp;
use domain::top_up::{Checkout, LineKind, PaymentProcessor, Processor, Stand, TopUp, reference};
use domain::usd::Usd;

const SESSION: &str = r#"{"id":"cs_1","object":"checkout.session","url":"https://checkout.example/cs_1","status":"open","payment_status":"unpaid","amount_total":2500,"currency":"usd","client_reference_id":"tu_42","metadata":{"topup_id":"tu_42"},"livemode":false,"payment_intent":null}"#;

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

fn stripe(url: &str) -> Stripe {
    Stripe::new(StripeSettings {
        account: Account::new("stripe", url, "sk_test_1"),
        webhook_secrets: vec![" ".into()],
        live: false,
    })
    .unwrap()
}

fn checkout() -> Checkout {
    Checkout {
        reference: reference(42),
        charge: Usd(25_000_000),
        created_at: Timestamp(1_767_225_600_000),
        expires_at: Timestamp(1_767_229_200_000),
        return_url: "https://gw.example.com/wallet/top-up/42".into(),
        hook_url: "https://gw.example.com/hooks/nowpayments".into(),
    }
}

fn row(processor_ref: Option<&str>, payment_ref: Option<&str>) -> TopUp {
    TopUp {
        live: false,
        processor_ref: processor_ref.map(str::to_owned),
        payment_ref: payment_ref.map(str::to_owned),
        ..TopUp::begun(
            42,
            AccountId(1),
            (Processor::Stripe, Usd(25_000_000)),
            Timestamp(0),
            Timestamp(0),
        )
    }
}

#[test]
fn a_lost_answer_to_a_session_is_asked_for_again_under_the_same_key() {
    let server = TestServer::start(vec![Act::HangUp, Act::ok(SESSION)]);
    let opened = run(stripe(&server.url).open(&checkout())).unwrap();
    assert_eq!(opened.processor_ref, "cs_1");
    assert_eq!(opened.pay_url, "https://checkout.example/cs_1");
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    for request in seen {
        assert!(request.starts_with("POST /api/v1/checkout/sessions HTTP/1.1"));
        let lower = request.to_ascii_lowercase();
        assert!(lower.contains("idempotency-key: tu_42"));
        assert!(lower.contains("authorization: bearer sk_test_1"));
        assert!(lower.contains("stripe-version: "));
        assert!(request.contains("client_reference_id=tu_42"));
    }
}

#[test]
fn a_session_of_the_other_mode_is_refused() {
    let live = SESSION.replace("\"livemode\":false", "\"livemode\":true");
    let server = TestServer::start(vec![Act::ok(&live)]);
    let refused = run(stripe(&server.url).open(&checkout()));
    assert!(
        matches!(refused, Err(ProcessorError::Refused(_))),
        "{refused:?}"
    );
}

#[test]
fn errors_are_told_without_the_key() {
    let error = r#"{"error":{"type":"invalid_request_error","message":"Invalid API Key provided: sk_test_1","param":"expires_at"}}"#;
    let server = TestServer::start(vec![Act::Answer(400, error.into())]);
    let refused = run(stripe(&server.url).open(&checkout())).unwrap_err();
    let text = refused.to_string();
    assert!(
        text.contains("expires_at") && !text.contains("sk_test_1"),
        "{text}"
    );
    let server = TestServer::start(vec![Act::Answer(503, String::new())]);
    let busy = run(stripe(&server.url).read(&row(Some("cs_1"), None)));
    assert!(matches!(busy, Err(ProcessorError::Unreachable(_))));
}

#[test]
fn a_call_under_a_key_that_is_at_work_is_not_a_refusal() {
    let error = r#"{"error":{"type":"idempotency_error","code":"idempotency_key_in_use","message":"in progress"}}"#;
    for status in [408, 409, 425, 429, 500, 503] {
        let server = TestServer::start(vec![Act::Answer(status, error.into())]);
        let payload = Payload::Keyed {
            path: &["v1", "refunds"],
            form: "",
            key: "refund-42-1",
        };
        let account = Account::new("stripe", &server.url, "sk_test_1");
        let transport = Transport::new(&account, true).unwrap();
        let asked = run(ask(&transport, payload));
        assert!(
            matches!(asked, Err(ProcessorError::Unreachable(_))),
            "{status}"
        );
    }
    let server = TestServer::start(vec![
        Act::Answer(409, error.into()),
        Act::ok(r#"{"id":"re_1"}"#),
    ]);
    let row = row(Some("cs_1"), Some("pi_1"));
    run(stripe(&server.url).refund(&row, Usd(10_000_000), "refund-42-1")).unwrap();
    for request in server.seen() {
        let lower = request.to_ascii_lowercase();
        assert!(lower.contains("idempotency-key: refund-42-1"));
    }
}

#[test]
fn a_session_is_read_by_its_id_and_may_not_be_there() {
    let missing = Act::Answer(404, r#"{"error":{"type":"invalid_request_error"}}"#.into());
    let server = TestServer::start(vec![Act::ok(SESSION), missing]);
    let stripe = stripe(&server.url);
    let fact = run(stripe.read(&row(Some("cs_1"), None))).unwrap().unwrap();
    assert_eq!((fact.stand, fact.live), (Stand::Open, Some(false)));
    assert_eq!(run(stripe.read(&row(Some("cs_1"), None))), Ok(None));
    assert_eq!(run(stripe.read(&row(None, None))), Ok(None));
    assert!(!stripe.takes_webhooks(), "a blank secret is none");
}

#[test]
fn an_invoice_is_asked_for_once() {
    let server = TestServer::start(vec![Act::HangUp]);
    let btcpay = BtcPay::new(BtcPaySettings {
        account: Account::new("btcpay", &server.url, "secretkey"),
        store: "s1".into(),
        webhook_secrets: vec!["btcpaysecret".into()],
        minutes: 60,
        live: true,
    })
    .unwrap();
    let lost = run(btcpay.open(&checkout()));
    assert!(matches!(lost, Err(ProcessorError::Unreachable(_))));
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].starts_with("POST /api/api/v1/stores/s1/invoices"));
    assert!(
        seen[0]
            .to_ascii_lowercase()
            .contains("authorization: token secretkey")
    );
}

#[test]
fn a_payment_is_read_by_its_own_id() {
    let body = r#"{"payment_id":7,"invoice_id":77,"payment_status":"finished","price_amount":25,"price_currency":"usd","order_id":"tu_42"}"#;
    let invoice = r#"{"id":"77","invoice_url":"https://pay.example/77"}"#;
    let server = TestServer::start(vec![Act::ok(invoice), Act::ok(body)]);
    let nowpayments = NowPayments::new(NowPaymentsSettings {
        account: Account::new("nowpayments", &server.url, "secretkey"),
        ipn_secrets: vec!["ipnsecret".into()],
        live: true,
    })
    .unwrap();
    let opened = run(nowpayments.open(&checkout())).unwrap();
    assert_eq!(opened.processor_ref, "77");
    let fact = run(nowpayments.read(&row(Some("77"), Some("7"))))
        .unwrap()
        .unwrap();
    assert_eq!((fact.stand, fact.sum.unwrap().minor), (Stand::Paid, 2500));
    let other = run(nowpayments.read(&row(Some("77"), Some("8")))).unwrap();
    assert_eq!(other, None, "another payment's answer says nothing");
    assert_eq!(run(nowpayments.read(&row(Some("77"), None))), Ok(None));
    assert!(
        server.seen()[0]
            .to_ascii_lowercase()
            .contains("x-api-key: secretkey")
    );
}

/// A page of what moved.
fn moved(ids: &[&str], has_more: bool) -> Act {
    let line = |id: &&str| {
        format!(
            r#"{{"id":"{id}","type":"payout","amount":-4000,"fee":0,"currency":"usd","created":1767225600}}"#
        )
    };
    let data: Vec<String> = ids.iter().map(line).collect();
    let data = data.join(",");
    Act::ok(&format!(
        r#"{{"object":"list","data":[{data}],"has_more":{has_more}}}"#
    ))
}

#[test]
fn what_moved_is_read_to_the_end_or_not_at_all() {
    let pages = vec![
        moved(&["txn_1", "txn_2"], true),
        Act::HangUp,
        moved(&["txn_3"], false),
    ];
    let server = TestServer::start(pages);
    let span = (Timestamp(1_767_225_600_000), Timestamp(1_767_312_000_000));
    let lines = run(stripe(&server.url).moved_between(span.0, span.1)).unwrap();
    let ids: Vec<_> = lines.iter().map(|one| one.reference.as_str()).collect();
    assert_eq!(ids, ["txn_1", "txn_2", "txn_3"]);
    let one = &lines[0];
    assert_eq!((one.kind, one.gross.minor), (LineKind::Payout, -4000));
    assert_eq!(one.at, span.0);
    let seen = server.seen();
    assert!(seen[0].starts_with("GET /api/v1/balance_transactions?limit=100&created%5Bgte%5D=1767225600&created%5Blt%5D=1767312000 "), "{}", seen[0]);
    assert!(seen[2].contains("&starting_after=txn_2 "), "{}", seen[2]);
    let bad = Act::ok(r#"{"object":"list","data":[{"id":"txn_4"}],"has_more":false}"#);
    let server = TestServer::start(vec![moved(&["txn_1"], true), bad]);
    let half = run(stripe(&server.url).moved_between(span.0, span.1));
    assert!(
        matches!(half, Err(ProcessorError::Unreachable(_))),
        "{half:?}"
    );
}
