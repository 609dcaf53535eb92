//! What the dialects do differently, read by the same functions.

use super::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn row(cost: &str, count: u64) -> PriceRow {
    PriceRow {
        country: "2".to_owned(),
        service: "tg".to_owned(),
        pool: None,
        cost: decimal(cost),
        count,
        physical_count: None,
    }
}

#[test]
fn a_balance_is_a_word_a_number_or_an_object() {
    for body in [
        "ACCESS_BALANCE:12.45",
        "12.45",
        r#"{"amount":12.45}"#,
        r#"{"balance":"12.45"}"#,
    ] {
        let read = Balance::parse(Answer::ok(body));
        assert_eq!(read, Ok(Balance(decimal("12.45"))), "{body}");
    }
    for body in ["ACCESS_BALANCE:", "ACCESS_BALANCE:-1", "-1", "{}", "OK"] {
        assert!(Balance::parse(Answer::ok(body)).is_err(), "{body}");
    }
}

#[test]
fn the_ladder_counts_where_a_price_comes_with_one() {
    let rungs = vec![row("0.15", 7), row("0.2", 40)];
    for body in [
        r#"{"2":{"tg":{"cost":0.3,"count":99,"freePriceMap":{"0.15":7,"0.20":"40"}}}}"#,
        r#"{"2":{"tg":{"0.15":7,"0.20":40}}}"#,
    ] {
        let read = Prices::parse(Answer::ok(body), PriceShape::Single).unwrap();
        assert_eq!((read.rows, read.skipped), (rungs.clone(), 0), "{body}");
    }
    let plain = r#"{"2":{"tg":{"price":"0.3","count":99,"freePriceMap":{}}}}"#;
    let read = Prices::parse(Answer::ok(plain), PriceShape::Single).unwrap();
    assert_eq!(read.rows, [row("0.3", 99)]);
    let nonsense = r#"{"2":{"tg":{"cheap":"yes"}}}"#;
    assert!(Prices::parse(Answer::ok(nonsense), PriceShape::Single).is_err());
}

#[test]
fn stock_is_read_with_and_without_the_suffix_for_forwarding() {
    let read = |body| NumbersStatus::parse(Answer::ok(body));
    let both = vec![("tg".to_owned(), 158), ("wa".to_owned(), 90)];
    assert_eq!(read(r#"{"tg":158,"wa":"90"}"#).unwrap().rows, both);
    let older = read(r#"{"tg_0":158,"tg_1":3,"wa_0":"90"}"#).unwrap();
    assert_eq!((older.rows, older.skipped), (both, 0));
    assert_eq!(read("[]"), Ok(NumbersStatus::default()));
    assert!(read(r#"{"tg":-1}"#).is_err());
    let printed = NumbersStatus {
        rows: vec![("tg".to_owned(), 1)],
        skipped: 0,
    };
    assert_eq!(printed.print(), r#"{"tg":1}"#);
    let refused = read("BAD_KEY").unwrap_err();
    assert_eq!(refused.on_read(), Class::UpstreamAuth);
}

#[test]
fn every_shape_of_the_active_list_reads_back() {
    let list = ActiveList {
        rows: vec![Active {
            id: "635468024".to_owned(),
            service: "tg".to_owned(),
            phone: "79584123456".to_owned(),
            cost: Some(decimal("0.2")),
            state: ActiveState::Received,
            codes: vec!["415127".to_owned()],
            text: Some("Your code is 415127".to_owned()),
            time: None,
            country: Some("2".to_owned()),
            country_name: None,
            another_sms: true,
            currency: Some(840),
        }],
        skipped: 0,
    };
    for shape in [ActiveShape::Wrapped, ActiveShape::Data, ActiveShape::Bare] {
        let printed = list.print(shape);
        let read = ActiveList::parse(Answer::ok(&printed));
        assert_eq!(read.as_ref(), Ok(&list), "{printed}");
    }
    // one dialect's clients fail on a list here
    let data = list.print(ActiveShape::Data);
    assert!(data.contains(r#""smsCode":"415127""#), "{data}");
    let rows = r#"{"activeActivations":{"rows":[{"activationId":1,"serviceCode":"tg","phoneNumber":"7"}]}}"#;
    assert_eq!(ActiveList::parse(Answer::ok(rows)).unwrap().rows.len(), 1);
}

#[test]
fn words_have_the_statuses_of_the_other_form() {
    for (word, status) in [
        ("BAD_KEY", 401),
        ("NO_BALANCE", 402),
        ("BANNED:2026-04-20 10-00-00", 403),
        ("NO_NUMBERS", 404),
        ("BAD_ACTION", 404),
        ("EARLY_CANCEL_DENIED", 409),
        ("RATE_LIMIT", 429),
        ("WRONG_MAX_PRICE:0.35", 400),
        ("ERROR_SQL", 500),
    ] {
        assert_eq!(words::hero_status(word), status, "{word}");
        let body = hero_problem(word, "", None);
        let answer = Answer {
            status,
            body: &body,
        };
        let bare = open(Answer::ok(word)).unwrap_err().on_purchase();
        assert_eq!(open(answer).unwrap_err().on_purchase(), bare, "{word}");
    }
}

#[test]
fn the_second_name_of_a_page_size_is_read_and_sent() {
    let page = Page {
        offset: None,
        limit: Some(50),
    };
    let call = Call {
        key: "k".to_owned(),
        request: Request::History {
            start: None,
            end: None,
            page,
        },
    };
    let query = call.query();
    assert!(query.ends_with("limit=50&size=50"), "{query}");
    assert_eq!(Call::parse("api_key=k&action=getHistory&size=50"), Ok(call));
}
