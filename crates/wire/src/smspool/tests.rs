//! What each kind of reply reads, prints and survives.

use super::*;
use crate::answer::Answer;
use crate::handler_api::{Class, Failure};
use domain::upstream::Refusal;
use proptest::option;
use proptest::prelude::*;
use rust_decimal::Decimal;

macro_rules! fixture {
    ($name:literal) => {
        Answer::ok(include_str!(concat!("../../fixtures/smspool/", $name)))
    };
}

fn price(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn with(status: u16, body: &str) -> Answer<'_> {
    Answer { status, body }
}

#[test]
fn a_purchase_reads_its_number_from_an_integer_or_from_two_parts() {
    let bought = NumberBought::parse(fixture!("purchase.json")).unwrap();
    assert_eq!(
        (bought.order_id.as_str(), bought.phone.as_str()),
        ("ABCDEFGH", "1234567890")
    );
    assert_eq!(bought.cost, Some(price("0.24")));
    assert_eq!(
        (bought.pool.as_deref(), bought.expires_in_s),
        (Some("7"), Some(1200))
    );
    assert_eq!(
        bought.message.as_deref(),
        Some("You have ordered a United States number for Telegram. Cost: 0.24")
    );
    let parts = NumberBought::parse(fixture!("purchase_without_number.json")).unwrap();
    assert_eq!(
        (parts.phone.as_str(), parts.cost),
        ("447400123456", Some(price("0.31")))
    );
    for bad in [
        r#"{"success":1,"number":1234567890}"#,
        r#"{"success":1,"order_id":"ABCDEFGH"}"#,
        r#"{"success":1,"order_id":"ABCDEFGH","number":1.23456789e9}"#,
        r#"{"success":1,"order_id":"ABCDEFGH","cc":"1"}"#,
        r#"{"success":1,"order_id":"ABCDEFGH","number":"soon"}"#,
        "[]",
        "",
    ] {
        let failure = NumberBought::parse(Answer::ok(bad)).unwrap_err();
        assert_eq!(failure.on_purchase(), Class::Unknown, "{bad}");
    }
}

#[test]
fn refusals_of_a_purchase() {
    let pools = include_str!("../../fixtures/smspool/refused_pools.json");
    let typed = |kind: &str| print_refusal("no", Some(kind));
    for (status, body, refusal) in [
        (422, typed(OUT_OF_STOCK), Refusal::NoStock),
        (422, typed(BALANCE_ERROR), Refusal::UpstreamFunds),
        (200, typed(PRICE_NOT_FOUND), Refusal::PriceMoved),
        (422, pools.to_owned(), Refusal::PriceMoved),
        (
            422,
            print_pools("x", &[("Foxtrot", OUT_OF_STOCK)]),
            Refusal::NoStock,
        ),
        (
            200,
            print_refusal("This country is <b>out of&nbsp;stock</b>.", None),
            Refusal::NoStock,
        ),
        (
            403,
            r#"{"success":0,"errors":[{"message":"Invalid API key"}]}"#.to_owned(),
            Refusal::UpstreamAuth,
        ),
        (401, "unauthorized".to_owned(), Refusal::UpstreamAuth),
        (429, typed(OUT_OF_STOCK), Refusal::Throttled),
        (
            400,
            include_str!("../../fixtures/smspool/refused_fields.json").to_owned(),
            Refusal::OurFault,
        ),
        (
            400,
            r#"{"success":0,"errors":[{"message":"unknown","param":"service"}]}"#.to_owned(),
            Refusal::NotSold,
        ),
        (
            400,
            r#"{"success":0,"errors":[{"param":"service"},{"param":"max_price"}]}"#.to_owned(),
            Refusal::OurFault,
        ),
    ] {
        let failure = NumberBought::parse(with(status, &body)).unwrap_err();
        assert_eq!(
            failure.on_purchase().refusal(),
            Some(refusal),
            "{status} {body}"
        );
    }
    for (status, body) in [
        (200, print_refusal("Something went wrong", None)),
        (422, typed("BRAND_NEW")),
        (
            422,
            print_pools("x", &[("Foxtrot", OUT_OF_STOCK), ("Alpha", "BRAND_NEW")]),
        ),
        (
            422,
            r#"{"success":0,"message":"?","pools":{"A":{"success":0}}}"#.to_owned(),
        ),
        (500, typed(OUT_OF_STOCK)),
        (302, typed(OUT_OF_STOCK)),
        (403, "<html>error code: 1010</html>".to_owned()),
        (404, "{}".to_owned()),
        (400, "{}".to_owned()),
        (200, "<!doctype html>".to_owned()),
        (200, "null".to_owned()),
    ] {
        let failure = NumberBought::parse(with(status, &body)).unwrap_err();
        assert_eq!(failure.on_purchase(), Class::Unknown, "{status} {body}");
    }
}

#[test]
fn checks_are_read_by_their_documented_and_their_guessed_states() {
    let waiting = Check::parse(fixture!("check_waiting.json")).unwrap();
    assert_eq!(
        (waiting.state, waiting.time_left_s),
        (OrderState::Pending, Some(1173))
    );
    let done = Check::parse(fixture!("check_done.json")).unwrap();
    assert_eq!(
        (done.state, done.sms.as_deref()),
        (OrderState::Completed, Some("012345"))
    );
    assert_eq!(done.full_sms.as_deref(), Some("Your code is <012345>"));
    let refunded = Check::parse(fixture!("check_refunded.json")).unwrap();
    assert_eq!(refunded.state, OrderState::Refunded);
    let placeholder = Check::parse(Answer::ok(r#"{"status":"3","sms":"0","full_sms":""}"#));
    let placeholder = placeholder.unwrap();
    assert_eq!((placeholder.sms, placeholder.full_sms), (None, None));
    let unknown = Check::parse(Answer::ok(r#"{"status":12}"#)).unwrap();
    assert_eq!(unknown.state, OrderState::Other("12".to_owned()));
    let lost = Check::parse(with(
        404,
        &print_refusal("We could not find this order!", None),
    ));
    assert_eq!(lost.unwrap_err().on_read(), Class::UnknownOrder);
    assert!(Check::parse(Answer::ok("{}")).is_err());
}

#[test]
fn lists_of_orders_know_none_from_a_code() {
    let orders = Orders::parse(fixture!("active.json")).unwrap();
    assert_eq!((orders.rows.len(), orders.skipped), (2, 0));
    let [first, second] = &orders.rows[..] else {
        panic!("{orders:?}")
    };
    assert_eq!((&first.code, &first.full_code), (&None, &None));
    assert_eq!(first.sold_at_s(), Some(1_705_308_768));
    assert_eq!(second.code.as_deref(), Some("0042"));
    assert_eq!(
        (second.sold_at_s(), second.phone.as_deref()),
        (None, Some("447400123456"))
    );
    for none in ["[]", "{}", r#"{"data":[]}"#] {
        assert_eq!(Orders::parse(Answer::ok(none)), Ok(Orders::default()));
    }
    let broken = Orders::parse(Answer::ok(r#"{"0":{"service":"x"}}"#)).unwrap();
    assert_eq!((broken.rows.len(), broken.skipped), (0, 1));
    for bad in [r#"{"message":"busy"}"#, "7", "\"none\""] {
        assert!(Orders::parse(Answer::ok(bad)).is_err(), "{bad}");
    }
}

#[test]
fn catalogues() {
    let Countries(countries) = Countries::parse(fixture!("countries.json")).unwrap();
    assert_eq!(countries.len(), 2);
    assert_eq!(countries[1].calling_code.as_deref(), Some("92"));
    let printed = Countries(countries.clone()).print();
    assert_eq!(
        Countries::parse(Answer::ok(&printed)),
        Ok(Countries(countries))
    );
    let services = NamedList::parse(fixture!("services_object.json")).unwrap();
    assert_eq!(services.0[1].name, "AT&T");
    assert!(
        services
            .print_services()
            .starts_with(r#"[{"ID":907,"name":"Telegram","favourite":0}"#)
    );
    let pools = NamedList::parse(fixture!("pools.json")).unwrap();
    assert_eq!(
        pools.print_pools(),
        r#"[{"ID":7,"name":"Foxtrot"},{"ID":3,"name":"Charlie"}]"#
    );
    assert!(NamedList::parse(Answer::ok("null")).is_err());
}

#[test]
fn prices_come_row_by_row() {
    let mut cells = Vec::new();
    let skipped = PriceList::each(fixture!("pricing.json"), |cell| cells.push(cell));
    assert_eq!((skipped, cells.len()), (Ok(1), 2));
    assert_eq!(
        (cells[0].price, cells[0].stock),
        (Some(price("1.00")), None)
    );
    let second = (cells[1].pool.as_deref(), cells[1].price, cells[1].stock);
    assert_eq!(second, (Some("7"), Some(price("0.35")), Some(12)));
    for bad in [r#"[{"service":1}]"#, "7", r#"{"success":0,"message":"x"}"#] {
        assert!(PriceList::each(Answer::ok(bad), |_| {}).is_err(), "{bad}");
    }
    assert_eq!(PriceList::each(Answer::ok("[]"), |_| {}), Ok(0));
    let one = Price::parse(Answer::ok(r#"{"price":"0.80","success_rate":"98"}"#)).unwrap();
    assert_eq!(
        (one.price, one.success_rate),
        (price("0.80"), Some(price("98")))
    );
    assert!(Price::parse(Answer::ok(r#"{"price":"-0.80"}"#)).is_err());
}

#[test]
fn cancels_resends_and_balances() {
    let cancelled = Cancelled::parse(fixture!("cancelled.json")).unwrap();
    assert_eq!(
        cancelled.message,
        "Order ABCDEFGH was cancelled, refunded 0.24 dollars."
    );
    let class = |status, text: &str| {
        let failure = Cancelled::parse(with(status, &print_refusal(text, None))).unwrap_err();
        failure.on_read()
    };
    let early = "Your order cannot be cancelled yet, please try again later.";
    assert_eq!(class(400, early), Class::TooEarly);
    assert_eq!(class(200, "It has a message already"), Class::BadTransition);
    assert_eq!(
        class(404, "We could not find this order!"),
        Class::UnknownOrder
    );
    assert_eq!(class(400, "Something new"), Class::Fault);
    assert!(Cancelled::parse(Answer::ok("{}")).is_err());
    let again = Resent::parse(fixture!("resend_new.json")).unwrap();
    assert_eq!(
        (again.order_id.as_deref(), again.charge),
        (Some("NEWIDXYZ"), Some(Decimal::ZERO))
    );
    let refused = Resent::parse(fixture!("resend_refused.json")).unwrap_err();
    assert_eq!(refused.on_read(), Class::NotAvailable);
    let balance = Balance::parse(Answer::ok(r#"{"balance":"5.00"}"#));
    assert_eq!(balance, Ok(Balance(price("5.00"))));
    assert_eq!(Balance(price("5")).print(), r#"{"balance":"5.00"}"#);
    assert_eq!(
        Balance(price("0.123456")).print(),
        r#"{"balance":"0.123456"}"#
    );
}

#[test]
fn html_is_a_challenge_and_tags_leave_the_words() {
    let failure = open(Answer::ok("<!doctype html>")).unwrap_err();
    assert_eq!(failure, Failure::Html);
    assert_eq!(failure.on_read(), Class::Throttled);
    for (html, text) in [
        ("a<br/>b", "a b"),
        ("5 < 6 &amp;lt; 7", "5 < 6 &lt; 7"),
        ("<b", "<b"),
        ("<", "<"),
        ("<!-- x -->é</p>", "é"),
    ] {
        assert_eq!(plain(html), text, "{html}");
    }
}

#[test]
fn calls_are_printed_and_read_in_the_spellings_of_clients() {
    let buy = Request::Buy(NumberOrder {
        service: "907".to_owned(),
        country: Some("1".to_owned()),
        pool: Some("7".to_owned()),
        max_price: Some(price("0.240")),
        best_rate: false,
    });
    let form = "country=1&service=907&pool=7&max_price=0.24&pricing_option=0";
    assert_eq!(buy.form(), form);
    let call = Call::parse("/purchase/sms", &format!("key=k&{form}")).unwrap();
    assert_eq!((call.key.as_deref(), call.request), (Some("k"), buy));
    let old = Call::parse("sms/check.php", "order_id=ABCDEFGH").unwrap();
    assert_eq!(old.request, Request::Check("ABCDEFGH".to_owned()));
    for (path, form, bad) in [
        ("sms/dance", "", BadRequest::Path),
        ("sms/check", "", BadRequest::Missing("orderid")),
        ("purchase/sms", "country=1", BadRequest::Missing("service")),
        ("request/price", "country=1", BadRequest::Missing("service")),
        (
            "purchase/sms",
            "service=1&max_price=-1",
            BadRequest::Number("max_price"),
        ),
        ("request/history", "start=x", BadRequest::Number("start")),
    ] {
        assert_eq!(Call::parse(path, form), Err(bad), "{path} {form}");
    }
    let debug = format!("{:?}", Call::parse("sms/check", "key=s3cret&orderid=A"));
    assert!(!debug.contains("s3cret"), "{debug}");
}

proptest! {
    #[test]
    fn no_answer_panics(status in 0..1000_u16, body in "\\PC{0,120}") {
        let answer = Answer { status, body: &body };
        let _ = (NumberBought::parse(answer), Check::parse(answer), Orders::parse(answer));
        let _ = (Countries::parse(answer), NamedList::parse(answer), Price::parse(answer));
        let _ = (Cancelled::parse(answer), Resent::parse(answer), Balance::parse(answer));
        let _ = (PriceList::each(answer, |_| {}), plain(&body));
    }

    #[test]
    fn no_refusal_is_taken_for_a_sale(
        status in 100..600_u16,
        message in "[ -~]{0,40}",
        kind in option::of("[A-Z_]{1,16}"),
    ) {
        let body = print_refusal(&message, kind.as_deref());
        let failure = NumberBought::parse(Answer { status, body: &body }).unwrap_err();
        if !(200..500).contains(&status) {
            prop_assert_eq!(failure.on_purchase(), Class::Unknown);
        }
    }

    #[test]
    fn half_a_purchase_is_never_one(cut in 0..300_usize) {
        let body = include_str!("../../fixtures/smspool/purchase.json");
        let half = &body[..cut.min(body.len() - 2)];
        let failure = NumberBought::parse(Answer::ok(half)).unwrap_err();
        prop_assert_eq!(failure.on_purchase(), Class::Unknown);
    }

    #[test]
    fn purchases_are_read_as_they_were_printed(
        order_id in "[A-Z0-9]{1,12}",
        phone in "[1-9][0-9]{6,14}",
        micros in 0..1_000_000_000_i64,
        pool in option::of("[1-9][0-9]{0,3}"),
        expires_in_s in option::of(0..100_000_u64),
    ) {
        let bought = NumberBought {
            order_id,
            phone,
            pool,
            expires_in_s,
            cost: Some(Decimal::new(micros, 6)),
            ..NumberBought::default()
        };
        let printed = bought.print();
        prop_assert_eq!(NumberBought::parse(Answer::ok(&printed)), Ok(bought));
    }

    #[test]
    fn lists_are_read_as_they_were_printed(
        order_code in "[A-Z]{8}",
        phone in "[1-9][0-9]{6,14}",
        code in option::of("[0-9]{4,8}".prop_filter("a placeholder", |code| code != "0")),
        seconds in 0..4_000_000_000_u64,
    ) {
        let row = ListedOrder {
            order_code,
            phone: Some(phone),
            calling_code: None,
            service: "Telegram".to_owned(),
            short_name: Some("US".to_owned()),
            pool: Some("7".to_owned()),
            cost: Some(price("0.24")),
            full_code: code.as_ref().map(|code| format!("Your code is {code}")),
            code,
            state: OrderState::Pending,
            timestamp: Some(seconds.to_string()),
            completed_on: None,
            expiry_s: Some(seconds),
            time_left_s: Some(1),
        };
        let orders = Orders { rows: vec![row], skipped: 0 };
        prop_assert_eq!(Orders::parse(Answer::ok(&orders.print())), Ok(orders));
    }

    #[test]
    fn requests_are_read_as_they_were_printed(
        service in "[ -~]{1,20}".prop_map(|text| text.trim().to_owned()),
        pool in option::of("[0-9]{1,4}"),
        micros in option::of(1..1_000_000_000_i64),
    ) {
        prop_assume!(!service.is_empty());
        let max_price = micros.map(|micros| Decimal::new(micros, 6).normalize());
        let order = NumberOrder { service, country: None, pool, max_price, best_rate: true };
        let request = Request::Buy(order);
        let call = Call::parse(&request.path().join("/"), &request.form());
        prop_assert_eq!(call.map(|call| call.request), Ok(request));
    }

    #[test]
    fn no_call_panics(path in "\\PC{0,30}", form in "\\PC{0,80}") {
        let _ = Call::parse(&path, &form);
    }
}
