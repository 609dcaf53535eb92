use super::*;
use crate::json::Node;
use domain::top_up::{Checkout, LineKind, News, Stand};
use domain::usd::Usd;

const BODY: &str = r#"{"id":"evt_1","object":"event","type":"checkout.session.completed","data":{"object":{"id":"cs_test_1","object":"checkout.session","payment_status":"paid","amount_total":2500,"currency":"usd","client_reference_id":"tu_42"}}}"#;
const SIGNED_AT: Timestamp = Timestamp(1_767_225_600_000);
const SECRET: &str = "whsec_test_0123456789abcdef";
const OLD: &str = "whsec_old_0123456789abcdef";
const GOOD: &str = "529a28e263ef193f90263e9372595fd036e2fb731b7ed428322aa12e777ae2bf";
const BY_OLD: &str = "4aacc3b7556f0e1c5bcd01e107ec30a4aa670b20cf45df401a0fb45392c53c87";
const BY_EMPTY: &str = "3ca44b0333aa6345dffe5d5742d57037d55565fd509b9b34f3d9f7bb460331d3";
const BY_CUT: &str = "fb564c87cb4eebc59f0e91385f428c450ff665a56ce586487eb59993e59fac98";

fn header(hex: &str) -> String {
    format!("t=1767225600,v1={hex}")
}

fn at(seconds: i64, secrets: &[&str], header: &str) -> Result<(), BadSignature> {
    let now = SIGNED_AT + Millis::seconds(seconds);
    verify(secrets, header, BODY.as_bytes(), now)
}

#[test]
fn the_published_vectors() {
    assert_eq!(BODY.len(), 223);
    for seconds in [0, 1, 300, -300] {
        assert_eq!(at(seconds, &[SECRET], &header(GOOD)), Ok(()), "{seconds}");
    }
    for seconds in [301, -301, 1_000_000] {
        let late = at(seconds, &[SECRET], &header(GOOD));
        assert_eq!(late, Err(BadSignature::OutOfTime), "{seconds}");
    }
    for secrets in [&[SECRET][..], &[""], &["", " \n"], &[]] {
        let forged = at(0, secrets, &header(BY_EMPTY));
        assert_eq!(forged, Err(BadSignature::Wrong), "{secrets:?}");
    }
    assert_eq!(at(0, &[SECRET], &header(BY_CUT)), Err(BadSignature::Wrong));
    assert_eq!(at(0, &[SECRET], &header(BY_OLD)), Err(BadSignature::Wrong));
    assert_eq!(at(0, &[SECRET, OLD], &header(BY_OLD)), Ok(()));
    let both = format!("t=1767225600,v1={BY_OLD},v1={GOOD}");
    assert_eq!(at(0, &[SECRET], &both), Ok(()));
    assert_eq!(at(0, &[OLD], &both), Ok(()));
    assert_eq!(sign(SECRET, BODY.as_bytes(), SIGNED_AT), header(GOOD));
}

#[test]
fn signatures_of_another_shape_are_not_read() {
    let many = format!(
        "t=1767225600,{}",
        vec![format!("v1={GOOD}"); 10_000].join(",")
    );
    let upper = header(&GOOD.to_ascii_uppercase());
    let other_scheme = format!("t=1767225600,v0={GOOD}");
    let twice = format!("t=1767225600,t=1767225600,v1={GOOD}");
    for bad in [
        "",
        "t=1767225600",
        &format!("v1={GOOD}"),
        &format!("t=,v1={GOOD}"),
        &format!("t=-1,v1={GOOD}"),
        &format!("t=1767225600.0,v1={GOOD}"),
        &format!("t=99999999999999999999,v1={GOOD}"),
        "t=1767225600,v1=",
        "t=1767225600,v1=zz",
        &format!("t=1767225600,v1={GOOD},v1=zz"),
        &format!("t=1767225600,v1={GOOD}00"),
        &many,
        &upper,
        &other_scheme,
        &twice,
        "nonsense",
    ] {
        let read = at(0, &[SECRET], bad);
        assert_eq!(read, Err(BadSignature::Unreadable), "{bad:.80}");
    }
    let ignored = format!("t=1767225600,v0=zz,v1={GOOD}");
    assert_eq!(at(0, &[SECRET], &ignored), Ok(()));
    let changed = BODY.replace("2500", "9500");
    let forged = verify(&[SECRET], &header(GOOD), changed.as_bytes(), SIGNED_AT);
    assert_eq!(forged, Err(BadSignature::Wrong));
}

#[test]
fn the_published_event_is_a_payment_without_its_second_reference() {
    let notice = notice(BODY.as_bytes()).unwrap();
    assert_eq!(notice.event_id, "evt_1");
    let News::Payment(fact) = notice.news else {
        panic!("{notice:?}");
    };
    assert_eq!(fact.reference.as_deref(), Some("tu_42"));
    assert_eq!(fact.processor_ref.as_deref(), Some("cs_test_1"));
    assert_eq!((fact.stand, fact.contradicts), (Stand::Paid, true));
    assert_eq!(fact.sum.unwrap().minor, 2500);
}

#[test]
fn a_session_is_asked_for_as_published() {
    let checkout = Checkout {
        reference: "tu_42".into(),
        charge: Usd(25_000_000),
        created_at: Timestamp(1_767_225_600_000),
        expires_at: Timestamp(1_767_229_200_000),
        return_url: "https://gw.example.com/topup".into(),
        hook_url: String::new(),
    };
    let form = CreateSession::of(&checkout).form();
    let read = CreateSession::parse(&form);
    assert_eq!(read, Some(CreateSession::of(&checkout)));
    let plain = "mode=payment&success_url=https%3A%2F%2Fgw.example.com%2Ftopup&cancel_url=https%3A%2F%2Fgw.example.com%2Ftopup&client_reference_id=tu_42&line_items[0][quantity]=1&line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=2500&line_items[0][price_data][product_data][name]=Wallet+top-up&metadata[topup_id]=tu_42&payment_intent_data[metadata][topup_id]=tu_42&expires_at=1767229200";
    assert_eq!(form.replace("%5B", "[").replace("%5D", "]"), plain);
}

#[test]
fn an_offer_stays_within_what_is_taken() {
    let begun = Timestamp(1_767_225_600_000);
    let expires_after = |minutes: i64| {
        let checkout = Checkout {
            reference: "tu_42".into(),
            charge: Usd(25_000_000),
            created_at: begun,
            expires_at: begun + Millis::seconds(minutes * 60),
            return_url: String::new(),
            hook_url: String::new(),
        };
        (CreateSession::of(&checkout).expires_at - begun).0 / 60_000
    };
    let minutes = [30, 31, 60, 1439, 1440];
    assert_eq!(minutes.map(expires_after), [31, 31, 60, 1439, 1439]);
}

fn session() -> Session {
    Session {
        id: "cs_1".into(),
        url: Some("https://pay".into()),
        status: "complete".into(),
        payment_status: "paid".into(),
        amount_total: Some(2500),
        currency: "usd".into(),
        payment_intent: Some("pi_1".into()),
        client_reference_id: Some("tu_42".into()),
        topup_id: Some("tu_42".into()),
        live: Some(true),
        created: 1_767_225_600,
        expires_at: 1_767_229_200,
    }
}

#[test]
fn sessions_and_lists_are_read_back() {
    let printed = session().json().to_string();
    assert_eq!(Session::parse(&printed), Some(session()));
    let page = sessions(&[session(), session()], true).to_string();
    assert_eq!(list(&page), Some((vec![session(), session()], true)));
    let stand = |payment: &str, status: &str| {
        let session = Session {
            payment_status: payment.into(),
            status: status.into(),
            ..session()
        };
        session.fact().stand
    };
    assert_eq!(stand("unpaid", "complete"), Stand::Pending);
    assert_eq!(stand("unpaid", "open"), Stand::Open);
    assert_eq!(stand("unpaid", "expired"), Stand::Expired);
    assert!(matches!(
        stand("no_payment_required", "complete"),
        Stand::Odd(_)
    ));
    assert!(matches!(stand("new word", "open"), Stand::Odd(_)));
}

#[test]
fn events_are_read_by_their_type() {
    let news = |kind: &str, object: Object| {
        let event = Event {
            id: "evt_1".into(),
            kind: kind.into(),
            live: true,
            created: 1,
            object,
        };
        notice(event.body().as_bytes()).unwrap()
    };
    let session = || Object::Session(Box::new(session()));
    let stand = |kind: &str| match news(kind, session()).news {
        News::Payment(fact) => fact.stand,
        other => panic!("{other:?}"),
    };
    assert_eq!(stand("checkout.session.completed"), Stand::Paid);
    assert_eq!(
        stand("checkout.session.async_payment_succeeded"),
        Stand::Paid
    );
    assert_eq!(
        stand("checkout.session.async_payment_failed"),
        Stand::Failed
    );
    assert_eq!(stand("checkout.session.expired"), Stand::Expired);
    let charge = Object::Charge {
        payment_intent: "pi_1".into(),
        amount_refunded: 1000,
        currency: "usd".into(),
    };
    let refunded = news("charge.refunded", charge);
    assert_eq!(refunded.payment_ref.as_deref(), Some("pi_1"));
    assert!(matches!(refunded.news, News::Refunded(sum) if sum.minor == 1000));
    let dispute = || Object::Dispute {
        id: "dp_1".into(),
        payment_intent: "pi_1".into(),
        amount: 2500,
        currency: "usd".into(),
    };
    let taken = news("charge.dispute.funds_withdrawn", dispute()).news;
    assert!(matches!(taken, News::Withdrawn { dispute, .. } if dispute == "dp_1"));
    let won = news("charge.dispute.funds_reinstated", dispute()).news;
    assert!(matches!(won, News::Reinstated { dispute } if dispute == "dp_1"));
    assert_eq!(
        news("charge.dispute.created", dispute()).news,
        News::DisputeOpened
    );
    assert_eq!(news("invoice.paid", session()).news, News::Unused);
    let thin = br#"{"id":"evt_2","object":"v2.core.event","type":"v2.core.account.closed"}"#;
    assert_eq!(notice(thin).map(|thin| thin.news), Some(News::Unused));
    for bad in [
        "",
        "{}",
        "[]",
        r#"{"id":"evt_1","type":"charge.refunded","data":{"object":{}}}"#,
    ] {
        assert_eq!(notice(bad.as_bytes()), None, "{bad}");
    }
    assert!(Node::read(&error("card_error", "declined", "No.", None).to_string()).is_some());
}

#[test]
fn each_type_that_means_something_is_read_as_something() {
    let mut object = session().json();
    for (name, value) in [("amount", 2500), ("amount_refunded", 2500)] {
        object[name] = value.into();
    }
    for (kind, _) in event::USED {
        let body = serde_json::json!({"id": "evt_1", "type": kind, "data": {"object": object}});
        let read = notice(body.to_string().as_bytes()).map(|notice| notice.news);
        assert!(read.is_some_and(|news| news != News::Unused), "{kind}");
    }
}

/// As the reference shows one, with members that are not used.
const TRANSACTION: &str = r#"{"id":"txn_1MiN3gLkdIwHu7ixxapQrznl","object":"balance_transaction","amount":2500,"available_on":1678043844,"created":1678043844,"currency":"usd","description":null,"exchange_rate":null,"fee":103,"fee_details":[{"amount":103,"application":null,"currency":"usd","description":"Stripe processing fees","type":"stripe_fee"}],"net":2397,"reporting_category":"charge","source":"ch_1MiN3gLkdIwHu7ix","status":"available","type":"charge"}"#;

#[test]
fn a_balance_transaction_says_what_moved() {
    let page = |one: &str| format!(r#"{{"object":"list","data":[{one}],"has_more":false}}"#);
    let (read, more) = balance_list(&page(TRANSACTION)).unwrap();
    assert!(!more);
    assert_eq!(read[0].source.as_deref(), Some("ch_1MiN3gLkdIwHu7ix"));
    let line = read[0].line().unwrap();
    assert_eq!((line.gross.minor, line.fee_minor), (2500, 103));
    assert_eq!(line.reference, "txn_1MiN3gLkdIwHu7ixxapQrznl");
    assert_eq!(line.at, Timestamp(1_678_043_844_000));
    let printed = balance_transactions(&read, true).to_string();
    assert_eq!(balance_list(&printed), Some((read.clone(), true)));
    let kind = |kind: &str, category: Option<&str>| {
        let one = BalanceTransaction {
            kind: kind.into(),
            category: category.map(str::to_owned),
            ..read[0].clone()
        };
        one.line().unwrap().kind
    };
    for word in ["charge", "payment", "refund", "payment_refund"] {
        assert_eq!(kind(word, None), LineKind::Payment, "{word}");
    }
    for word in ["dispute", "dispute_reversal"] {
        assert_eq!(kind("adjustment", Some(word)), LineKind::Payment, "{word}");
    }
    for word in ["payout", "payout_failure", "payout_cancel", "topup"] {
        assert_eq!(kind(word, None), LineKind::Payout, "{word}");
    }
    assert_eq!(kind("stripe_fee", Some("fee")), LineKind::Fee);
    for word in ["adjustment", "reserve_transaction", "transfer", "new"] {
        assert_eq!(kind(word, None), LineKind::Other, "{word}");
    }
    // a line that cannot be read spoils its page: nothing of a list is left out without a word
    for member in [
        "\"id\"",
        "\"type\":\"charge",
        "\"amount\":2500,\"a",
        "\"fee\"",
        "\"created\"",
    ] {
        let spoiled = TRANSACTION.replacen(member, &member.replacen('"', "\"x", 1), 1);
        assert_eq!(balance_list(&page(&spoiled)), None, "{member}");
    }
    assert_eq!(balance_list(&page("7")), None);
    assert_eq!(balance_list("{}"), None);
}

#[test]
fn a_payout_is_asked_for_with_an_amount_and_a_currency() {
    let wanted = Some((4000, "usd".to_owned()));
    assert_eq!(payout("amount=4000&currency=usd"), wanted);
    for bad in ["", "amount=4000", "currency=usd", "amount=-1&currency=usd"] {
        assert_eq!(payout(bad), None, "{bad}");
    }
}
