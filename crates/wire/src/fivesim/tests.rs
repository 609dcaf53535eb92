//! What each kind of reply reads, prints and survives.

use super::*;
use crate::answer::Answer;
use crate::handler_api::{Class, Failure};
use proptest::option;
use proptest::prelude::*;
use rust_decimal::Decimal;

macro_rules! fixture {
    ($name:literal) => {
        Answer::ok(include_str!(concat!("../../fixtures/fivesim/", $name)))
    };
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

fn answered(status: u16, body: &str) -> Failure {
    open(Answer { status, body }).unwrap_err()
}

#[test]
fn an_order_in_preparation_and_one_with_its_message() {
    let order = Order::parse(fixture!("order.json")).unwrap();
    assert_eq!(
        (order.id, order.phone.as_str()),
        (11_631_253, "+79000381454")
    );
    assert_eq!(order.status, OrderStatus::Pending);
    assert_eq!(order.price, Some(decimal("21")));
    assert_eq!(
        (order.country.as_str(), order.product.as_str()),
        ("russia", "telegram")
    );
    assert!(order.sms.is_empty());
    let order = Order::parse(fixture!("order_received.json")).unwrap();
    assert_eq!(order.status, OrderStatus::Received);
    assert_eq!(order.sms[0].code, "04127", "the leading zero stays");
    assert_eq!(Order::parse(Answer::ok(&order.print())), Ok(order));
}

#[test]
fn messages_that_say_nothing_are_none_and_hidden_ones_spoil_the_order() {
    let with = |sms: &str| {
        let body = format!(r#"{{"id":1,"phone":"+79000381454","status":"RECEIVED","sms":{sms}}}"#);
        Order::parse(Answer::ok(&body))
    };
    for none in [
        "null",
        "[]",
        r#"[{"code":"","text":" "}]"#,
        r#"[{"code":null}]"#,
    ] {
        assert_eq!(with(none).unwrap().sms, [], "{none}");
    }
    let text_alone = with(r#"[{"code":"","text":"use 0123"}]"#).unwrap();
    assert_eq!(text_alone.sms[0].text, "use 0123");
    for odd in [r#""0123""#, "{}", "[7]", r#"["0123"]"#] {
        assert!(matches!(with(odd), Err(Failure::Unreadable(_))), "{odd}");
    }
}

#[test]
fn orders_without_id_number_or_status_are_none() {
    for body in [
        r#"{"phone":"+79000381454","status":"PENDING"}"#,
        r#"{"id":0,"phone":"+79000381454","status":"PENDING"}"#,
        r#"{"id":-1,"phone":"+79000381454","status":"PENDING"}"#,
        r#"{"id":1e3,"phone":"+79000381454","status":"PENDING"}"#,
        r#"{"id":1,"phone":"","status":"PENDING"}"#,
        r#"{"id":1,"status":"PENDING"}"#,
        r#"{"id":1,"phone":"+79000381454"}"#,
        "[]",
        "{}",
    ] {
        let read = Order::parse(Answer::ok(body));
        assert!(matches!(read, Err(Failure::Unreadable(_))), "{body}");
    }
}

#[test]
fn a_page_of_orders() {
    let list = OrderList::parse(fixture!("orders.json")).unwrap();
    let ids: Vec<u64> = list.rows.iter().map(|order| order.id).collect();
    assert_eq!(
        (ids, list.skipped, list.total),
        (vec![53_533_934, 53_533_933], 0, Some(3))
    );
    assert_eq!(list.rows[1].status, OrderStatus::Banned);
    let holes = OrderList::parse(Answer::ok(r#"{"Data":[{"id":1}],"Total":1}"#)).unwrap();
    assert_eq!((holes.rows.len(), holes.skipped), (0, 1));
    let none = OrderList::parse(Answer::ok(r#"{"Data":null,"Total":0}"#)).unwrap();
    assert_eq!((none.rows.len(), none.skipped), (0, 0));
    for bad in ["{}", "[]", r#"{"Data":{}}"#, r#"{"data":[]}"#] {
        assert!(OrderList::parse(Answer::ok(bad)).is_err(), "{bad}");
    }
}

#[test]
fn texts_are_errors_under_any_status() {
    for (status, body, class) in [
        (200, "no free phones", Class::NoStock),
        (400, "No Free Phones\n", Class::NoStock),
        (400, "not enough user balance", Class::UpstreamFunds),
        (400, "not enough rating", Class::AccountBlocked),
        (400, "bad country", Class::NotSold),
        (200, "null", Class::NotSold),
        (404, "order not found", Class::UnknownOrder),
        (400, "hosting order not found", Class::UnknownOrder),
        (400, "hosting order", Class::OurFault),
        (400, "order has sms", Class::BadTransition),
        (400, "you need to wait time", Class::TooEarly),
        (400, "internal error", Class::Fault),
        (400, r#"{"message":"no free phones"}"#, Class::NoStock),
        (401, "", Class::UpstreamAuth),
        (403, "forbidden", Class::UpstreamAuth),
        (429, "", Class::Throttled),
        (
            400,
            "api limit is 100 requests per second",
            Class::Throttled,
        ),
    ] {
        let failure = answered(status, body);
        assert_eq!(failure.on_read(), class, "{status} {body}");
        let expected = class.refusal().map_or(Class::Unknown, |_| class);
        assert_eq!(failure.on_purchase(), expected, "{status} {body}");
    }
}

#[test]
fn what_proves_nothing_is_unknown_on_a_purchase() {
    for (status, body, on_read) in [
        (200, "", Class::Fault),
        (200, "ok", Class::Fault),
        (400, "something new", Class::Fault),
        (403, "", Class::Fault),
        (403, "error code: 1010", Class::Throttled),
        (403, "<html>error code: 1010</html>", Class::Throttled),
        (200, "<html>no free phones</html>", Class::Throttled),
        (503, "no free phones", Class::Throttled),
        (503, "<html></html>", Class::Throttled),
        (500, "no free phones", Class::Fault),
        (502, "<html></html>", Class::Fault),
        (302, "no free phones", Class::Fault),
        (200, "{\"id\":1", Class::Fault),
    ] {
        let failure = answered(status, body);
        assert_eq!(failure.on_read(), on_read, "{status} {body}");
        assert_eq!(failure.on_purchase(), Class::Unknown, "{status} {body}");
    }
    let long = format!("no free phones {}", "x".repeat(300));
    assert_eq!(answered(400, &long).on_purchase(), Class::Unknown);
    let message = r#"{"id":1,"phone":"+79000381454","status":"RECEIVED",
        "sms":[{"code":"1","text":"no free phones"}]}"#;
    assert!(
        Order::parse(Answer::ok(message)).is_ok(),
        "a message may say anything"
    );
}

#[test]
fn countries_products_and_profile() {
    let countries = Countries::parse(fixture!("countries.json")).unwrap();
    let russia = &countries.rows[0];
    assert_eq!(
        (russia.slug.as_str(), russia.name.as_str()),
        ("russia", "Russia")
    );
    assert_eq!(
        (russia.iso.as_deref(), russia.prefix.as_deref()),
        (Some("ru"), Some("+7"))
    );
    assert_eq!(russia.operators, [slug("beeline"), slug("mtt")]);
    let printed = countries.print();
    assert!(printed.starts_with(r#"{"russia":{"iso":{"ru":1},"prefix":{"+7":1},"text_en":"#));
    assert_eq!(Countries::parse(Answer::ok(&printed)), Ok(countries));
    let products = Products::parse(fixture!("products.json")).unwrap();
    let telegram = Product {
        slug: slug("telegram"),
        count: 12,
        price: decimal("21"),
    };
    assert_eq!((products.rows, products.skipped), (vec![telegram], 0));
    let profile = Profile::parse(fixture!("profile.json")).unwrap();
    assert_eq!(
        (profile.balance, profile.rating),
        (decimal("12.4"), Some(decimal("96")))
    );
    for bad in [r#"{"balance":-1}"#, r#"{"balance":"NaN"}"#, "{}", "[]"] {
        assert!(Profile::parse(Answer::ok(bad)).is_err(), "{bad}");
    }
}

fn prices(answer: Answer<'_>, order: PriceOrder) -> Result<(Vec<PriceRow>, usize), Failure> {
    let mut rows = Vec::new();
    let skipped = read_prices(answer, order, |row| rows.push(row))?;
    Ok((rows, skipped))
}

#[test]
fn price_lists_by_country_and_by_product() {
    let (rows, skipped) = prices(fixture!("prices.json"), PriceOrder::Country).unwrap();
    assert_eq!((rows.len(), skipped), (2, 0));
    assert_eq!((rows[0].cost, rows[0].count), (decimal("21"), 120));
    assert_eq!(rows[0].rates.recent(), Some(decimal("63.4")));
    assert_eq!(rows[1].rates.recent(), Some(decimal("12.5")));
    let (rows, _) = prices(fixture!("prices_product.json"), PriceOrder::Product).unwrap();
    assert_eq!(
        (rows[1].country.as_str(), rows[1].product.as_str()),
        ("usa", "telegram")
    );
    assert_eq!(
        prices(Answer::ok("null"), PriceOrder::Country),
        Ok((vec![], 0))
    );
    assert_eq!(
        prices(Answer::ok("{}"), PriceOrder::Country),
        Ok((vec![], 0))
    );
}

#[test]
fn a_broken_price_list_is_never_an_empty_one() {
    for bad in [
        "[]",
        "{\"a\":1}",
        r#"{"russia":{"telegram":[]}}"#,
        r#"{"russia":{"telegram":{"any":{"cost":-1,"count":1}}}}"#,
        r#"{"russia":{"telegram":{"any":{"cost":1e30,"count":1}}}}"#,
        r#"{"russia":{"telegram":{"any":{"cost":1,"count":-1}}}}"#,
        r#"{"../x":{"telegram":{"any":{"cost":1,"count":1}}}}"#,
    ] {
        assert!(
            prices(Answer::ok(bad), PriceOrder::Country).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn the_short_window_outweighs_the_long_one() {
    let rate = |text: &str| text.parse::<Decimal>().ok();
    let rates = |day: &str, week: &str, month: &str, shown: &str| {
        Rates {
            shown: rate(shown),
            day: rate(day),
            week: rate(week),
            month: rate(month),
        }
        .recent()
    };
    assert_eq!(rates("80", "10", "49", "50"), rate("80"));
    assert_eq!(rates("0", "10", "49", "50"), rate("10"));
    assert_eq!(rates("0", "0", "49", "50"), rate("0"), "a dead operator");
    assert_eq!(rates("0", "", "49", "50"), rate("49"));
    assert_eq!(rates("", "", "", "50"), rate("50"));
    assert_eq!(rates("", "", "", ""), None);
}

#[test]
fn paths_as_they_are_documented() {
    let buy = Request::Buy(Purchase {
        country: slug("russia"),
        operator: Slug::any(),
        product: slug("telegram"),
        max_price: Some(decimal("21.50")),
    });
    assert_eq!(
        buy.path(),
        "user/buy/activation/russia/any/telegram?maxPrice=21.5"
    );
    let orders = Request::Orders(Page {
        limit: Some(2),
        offset: Some(4),
    });
    assert_eq!(
        orders.path(),
        "user/orders?category=activation&limit=2&offset=4&order=id&reverse=true"
    );
    assert_eq!(Request::Order(OrderCall::Ban, 7).path(), "user/ban/7");
    for (path, bad) in [
        ("", BadRequest::Path),
        ("user", BadRequest::Path),
        ("user/steal/7", BadRequest::Path),
        ("user/check/x", BadRequest::Order),
        ("user/buy/activation/../any/telegram", BadRequest::Country),
        (
            "user/buy/activation/russia/%61/telegram",
            BadRequest::Operator,
        ),
        ("user/buy/activation/russia/any/", BadRequest::Product),
    ] {
        assert_eq!(Request::parse(path, ""), Err(bad), "{path}");
    }
    let capped = Request::parse("user/buy/activation/a/b/c", "maxPrice=-1");
    assert_eq!(capped, Err(BadRequest::MaxPrice));
    assert!(buy.is_private() && !Request::Countries.is_private());
}

fn any_slug() -> impl Strategy<Value = Slug> {
    "[a-z0-9_-]{1,20}".prop_map(|text| slug(&text))
}

fn any_amount() -> impl Strategy<Value = Decimal> {
    (0..1_000_000_000_i64, 0..7_u32).prop_map(|(units, scale)| Decimal::new(units, scale))
}

fn any_request() -> impl Strategy<Value = Request> {
    let page = (option::of(any::<u64>()), option::of(any::<u64>()));
    let call = prop_oneof![
        Just(OrderCall::Check),
        Just(OrderCall::Finish),
        Just(OrderCall::Cancel),
        Just(OrderCall::Ban)
    ];
    prop_oneof![
        Just(Request::Profile),
        Just(Request::Countries),
        (any_slug(), any_slug())
            .prop_map(|(country, operator)| Request::Products { country, operator }),
        (option::of(any_slug()), option::of(any_slug()))
            .prop_map(|(country, product)| Request::Prices(PriceFilter { country, product })),
        (any_slug(), any_slug(), any_slug(), option::of(any_amount())).prop_map(
            |(country, operator, product, max_price)| Request::Buy(Purchase {
                country,
                operator,
                product,
                max_price,
            })
        ),
        (call, any::<u64>()).prop_map(|(call, id)| Request::Order(call, id)),
        page.prop_map(|(limit, offset)| Request::Orders(Page { limit, offset })),
    ]
}

fn any_order() -> impl Strategy<Value = Order> {
    let status = prop_oneof![
        Just(OrderStatus::Pending),
        Just(OrderStatus::Received),
        Just(OrderStatus::Canceled),
        Just(OrderStatus::Timeout),
        Just(OrderStatus::Finished),
        Just(OrderStatus::Banned),
        Just(OrderStatus::Other("ODD".to_owned())),
    ];
    let message = ("[0-9]{1,8}", "[^ ]\\PC{0,20}[^ ]").prop_map(|(code, text)| Message {
        code,
        text: text.trim().to_owned(),
        sender: "Telegram".to_owned(),
        created_at: "2026-10-13T08:20:38Z".to_owned(),
    });
    let sms = proptest::collection::vec(message, 0..3);
    (
        1..u64::MAX,
        "\\+[1-9][0-9]{9}",
        status,
        sms,
        option::of(any_amount()),
    )
        .prop_map(|(id, phone, status, sms, price)| Order {
            id,
            phone,
            operator: "beeline".to_owned(),
            product: "telegram".to_owned(),
            price,
            status,
            expires: Some("2026-10-13T08:28:38.809469Z".to_owned()),
            sms,
            created_at: None,
            country: "russia".to_owned(),
        })
}

proptest! {
    #[test]
    fn requests_are_read_as_they_were_printed(request in any_request()) {
        let path = request.path();
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        prop_assert_eq!(Request::parse(path, query), Ok(request));
    }

    #[test]
    fn orders_are_read_as_they_were_printed(orders in proptest::collection::vec(any_order(), 0..4)) {
        for order in &orders {
            prop_assert_eq!(Order::parse(Answer::ok(&order.print())), Ok(order.clone()));
        }
        let list = OrderList { rows: orders, skipped: 0, total: Some(9) };
        prop_assert_eq!(OrderList::parse(Answer::ok(&list.print())), Ok(list));
    }

    #[test]
    fn prices_are_read_as_they_were_printed(
        operators in proptest::collection::btree_map(any_slug(), (any_amount(), any::<u64>()), 0..5),
        rate in option::of(0..=100_u32),
    ) {
        let rows: Vec<PriceRow> = operators.into_iter().map(|(operator, (cost, count))| PriceRow {
            country: slug("russia"),
            product: slug("telegram"),
            operator,
            cost,
            count,
            rates: Rates { day: rate.map(Decimal::from), ..Rates::default() },
        }).collect();
        for order in [PriceOrder::Country, PriceOrder::Product] {
            let printed = print_prices(&rows, order);
            prop_assert_eq!(prices(Answer::ok(&printed), order), Ok((rows.clone(), 0)));
        }
    }

    #[test]
    fn no_answer_panics(status in 0..600_u16, body in "\\PC{0,120}") {
        let answer = Answer { status, body: &body };
        let _ = (Order::parse(answer), OrderList::parse(answer), Profile::parse(answer));
        let _ = (Countries::parse(answer), Products::parse(answer));
        let _ = (prices(answer, PriceOrder::Country), Request::parse(&body, &body));
    }

    #[test]
    fn no_document_panics(
        name in "id|phone|status|sms|Data|Total|balance|russia",
        value in "null|1|-1|1e9|\"x\"|\\[\\]|\\{\\}|\\[\\{\\}\\]|\\[null\\]|\\{\"a\":\\{\"b\":\\{\"cost\":1\\}\\}\\}",
    ) {
        let body = format!(r#"{{"{name}":{value}}}"#);
        let answer = Answer::ok(&body);
        let _ = (Order::parse(answer), OrderList::parse(answer), Profile::parse(answer));
        let _ = (Countries::parse(answer), Products::parse(answer));
        let _ = prices(answer, PriceOrder::Product);
    }
}
