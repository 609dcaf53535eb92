//! What each kind of reply reads, prints and survives.

macro_rules! fixture {
    ($name:literal) => {
        Answer::ok(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/fixtures/handler_api/",
            $name
        )))
    };
}

mod dialects;
mod round_trips;

use super::*;
use crate::answer::Answer;
use rust_decimal::Decimal;

fn price(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn balances() {
    assert_eq!(
        Balance::parse(fixture!("balance.txt")),
        Ok(Balance(price("12.45")))
    );
    assert_eq!(Balance(price("12")).print(), "ACCESS_BALANCE:12.0000");
    assert_eq!(
        Balance(price("0.123456")).print(),
        "ACCESS_BALANCE:0.123456"
    );
    for bad in [
        "ACCESS_BALANCE",
        "ACCESS_BALANCE:",
        "ACCESS_BALANCE:-1",
        "ACCESS_BALANCE:NaN",
    ] {
        assert!(Balance::parse(Answer::ok(bad)).is_err(), "{bad}");
    }
}

#[test]
fn countries_in_two_shapes() {
    let named = |id: &str, name: &str, visible| Country {
        id: id.to_owned(),
        name: name.to_owned(),
        visible,
    };
    let expected = Countries(vec![
        named("2", "Kazakhstan", true),
        named("6", "Indonesia", false),
    ]);
    assert_eq!(
        Countries::parse(fixture!("countries_object.json")),
        Ok(expected.clone())
    );
    assert_eq!(
        Countries::parse(fixture!("countries_array.json")),
        Ok(expected.clone())
    );
    assert_eq!(
        Countries::parse(Answer::ok(&expected.print_array())),
        Ok(expected)
    );
}

#[test]
fn services_in_three_shapes() {
    let named = |code: &str, name: &str| Service {
        code: code.to_owned(),
        name: name.to_owned(),
    };
    let expected = Services(vec![named("tg", "Telegram"), named("wa", "WhatsApp")]);
    assert_eq!(
        Services::parse(fixture!("services_wrapped.json")),
        Ok(expected.clone())
    );
    assert_eq!(
        Services::parse(fixture!("services_array.json")),
        Ok(expected.clone())
    );
    assert_eq!(
        Services::parse(fixture!("services_object.json")),
        Ok(expected)
    );
}

#[test]
fn price_lists() {
    let row = |service: &str, pool: Option<&str>, cost, count, physical_count| PriceRow {
        country: "2".to_owned(),
        service: service.to_owned(),
        pool: pool.map(str::to_owned),
        cost: price(cost),
        count,
        physical_count,
    };
    let single = Prices::parse(fixture!("prices.json"), PriceShape::Single).unwrap();
    assert_eq!(
        single.rows,
        [
            row("tg", None, "0.2", 10, Some(3)),
            row("wa", None, "0.35", 0, None)
        ]
    );
    let ladder = Prices::parse(fixture!("prices_v2.json"), PriceShape::Ladder).unwrap();
    assert_eq!(
        ladder.rows,
        [
            row("tg", None, "0.20", 7, None),
            row("tg", None, "0.25", 40, None)
        ]
    );
    let pools = Prices::parse(fixture!("prices_v3.json"), PriceShape::PerProvider).unwrap();
    assert_eq!(
        pools.rows,
        [
            row("tg", Some("11"), "0.2", 3, None),
            row("tg", Some("17"), "0.18", 9, None)
        ]
    );
    assert_eq!((single.skipped, ladder.skipped, pools.skipped), (0, 0, 0));
}

#[test]
fn a_broken_price_list_is_never_an_empty_one() {
    for empty in [
        "{}",
        "[]",
        r#"{"2":{}}"#,
        r#"{"2":[]}"#,
        r#"{"2":{"tg":{}}}"#,
    ] {
        let read = Prices::parse(Answer::ok(empty), PriceShape::Single);
        assert_eq!(read, Ok(Prices::default()), "{empty}");
    }
    for broken in [
        "null",
        "[1]",
        "BAD_KEY",
        r#"{"status":"error","message":"BAD_KEY"}"#,
        "<html>",
        "",
        r#"{"2":{"tg":{"cost":-1,"count":1}}}"#,
        r#"{"2":{"tg":{"cost":1e300,"count":1}}}"#,
        r#"{"2":{"tg":null}}"#,
        r#"{"2":{"tg":{"cost":1"#,
        r#"{"2":7}"#,
    ] {
        assert!(
            Prices::parse(Answer::ok(broken), PriceShape::Single).is_err(),
            "{broken}"
        );
    }
    let half = r#"{"2":{"tg":{"cost":0.2,"count":1},"wa":{"cost":"NaN","count":1}}}"#;
    let read = Prices::parse(Answer::ok(half), PriceShape::Single).unwrap();
    assert_eq!((read.rows.len(), read.skipped), (1, 1));
}

#[test]
fn numbers_are_split_at_the_first_colons_only() {
    let sold = NumberSold::parse(fixture!("number.txt")).unwrap();
    assert_eq!(
        (sold.id.as_str(), sold.phone.as_str()),
        ("635468024", "79584123456")
    );
    for bad in [
        "ACCESS_NUMBER",
        "ACCESS_NUMBER:",
        "ACCESS_NUMBER:1",
        "ACCESS_NUMBER:1:",
        "ACCESS_NUMBER::7",
        "ACCESS_NUMBERS:1:7958",
        "no free phones",
    ] {
        let failure = NumberSold::parse(Answer::ok(bad)).unwrap_err();
        assert_eq!(failure.on_purchase(), Class::Unknown, "{bad}");
    }
}

#[test]
fn number_v2_in_three_dialects() {
    let read = |answer| NumberV2::parse(answer).unwrap();
    let classic = read(fixture!("number_v2.json"));
    assert_eq!(classic.id, "635468024");
    assert_eq!(classic.operator.as_deref(), Some("mtt"));
    let grizzly = read(fixture!("number_v2_grizzly.json"));
    assert_eq!(grizzly.phone, "+79584123457");
    assert_eq!(grizzly.end.as_deref(), Some("2026-06-01 17:50:57"));
    assert_eq!(grizzly.cancel_from.as_deref(), Some("2026-06-01 17:32:57"));
    let hero = read(fixture!("number_v2_hero.json"));
    assert_eq!(hero.phone, "79584123458");
    assert_eq!(hero.end.as_deref(), Some("2026-06-01 17:50:57"));
    for number in [&classic, &grizzly, &hero] {
        assert_eq!(number.cost, Some(price("0.2")));
        assert_eq!(number.currency, Some(840));
        assert_eq!(number.country.as_deref(), Some("2"));
        assert!(number.another_sms);
    }
    assert_eq!(read(fixture!("number.txt")).phone, "79584123456");
}

#[test]
fn number_v2_prints_the_types_clients_insist_on() {
    let printed = NumberV2::parse(fixture!("number_v2.json")).unwrap().print();
    assert_eq!(
        printed,
        include_str!("../../fixtures/handler_api/number_v2.json").trim()
    );
}

#[test]
fn a_purchase_object_without_id_or_number_is_unknown() {
    for bad in [
        "{}",
        "[]",
        r#"{"activationId":1}"#,
        r#"{"phoneNumber":"7958"}"#,
        r#"{"activationId":"","phoneNumber":"7958"}"#,
        r#"{"activationId":1,"phoneNumber":null}"#,
        r#"{"activationId":1,"phoneNumber":"79"#,
    ] {
        let failure = NumberV2::parse(Answer::ok(bad)).unwrap_err();
        assert_eq!(failure.on_purchase(), Class::Unknown, "{bad}");
    }
}

#[test]
fn every_status_word() {
    let code = |text: &str| Status::Code(text.to_owned());
    for (text, status) in [
        ("STATUS_WAIT_CODE", Status::WaitCode),
        (" STATUS_WAIT_CODE\r\n", Status::WaitCode),
        (
            "STATUS_WAIT_RETRY:1234",
            Status::WaitRetry(Some("1234".to_owned())),
        ),
        ("STATUS_WAIT_RETRY", Status::WaitRetry(None)),
        ("STATUS_WAIT_RESEND", Status::WaitResend),
        ("STATUS_OK:012345", code("012345")),
        ("STATUS_OK:G-12: your code", code("G-12: your code")),
        ("STATUS_OK:", Status::WaitCode),
        ("STATUS_OK:null", Status::WaitCode),
        ("STATUS_CANCEL", Status::Cancelled),
        ("STATUS_WAIT_READY", Status::WaitCode),
        ("STATUS_WAIT_SCREEN", Status::WaitCode),
        ("STATUS_ACCESS:77", code("77")),
        ("STATUS_ACCESS_SCREEN:77", code("77")),
        ("FULL_SMS:Your code is 77", code("Your code is 77")),
    ] {
        assert_eq!(Status::parse(Answer::ok(text)), Ok(status), "{text:?}");
    }
    let again = Answer {
        status: 409,
        body: r#"{"title":"TRY_AGAIN","details":""}"#,
    };
    assert_eq!(Status::parse(again), Ok(Status::WaitCode));
    assert_eq!(
        StatusV2Reply::parse(again),
        Ok(StatusV2Reply::Word(Status::WaitCode))
    );
    assert!(Status::parse(Answer::ok("STATUS_NEW")).is_err());
    assert_eq!(code("12:34:56").print(), "STATUS_OK:12 34 56");
}

#[test]
fn status_v2_keeps_leading_zeros() {
    let StatusV2Reply::Object(status) = StatusV2Reply::parse(fixture!("status_v2.json")).unwrap()
    else {
        panic!("not an object");
    };
    assert_eq!(status.sms.as_ref().unwrap().code, "015127");
    assert_eq!(status.call.as_ref().unwrap().parsing_count, 1);
    let waiting = StatusV2Reply::parse(fixture!("status_v2_waiting.json")).unwrap();
    assert_eq!(waiting, StatusV2Reply::Object(StatusV2::default()));
    assert_eq!(
        waiting.print(),
        r#"{"verificationType":0,"sms":null,"call":null}"#
    );
    assert!(StatusV2Reply::parse(Answer::ok("{}")).is_err());
}

#[test]
fn answers_to_set_status() {
    for (text, reply) in [
        ("ACCESS_READY", SetStatusReply::Ready),
        ("ACCESS_RETRY_GET", SetStatusReply::Retry),
        ("ACCESS_ACTIVATION", SetStatusReply::Finished),
        ("ACCESS_CANCEL\n", SetStatusReply::Cancelled),
    ] {
        assert_eq!(SetStatusReply::parse(Answer::ok(text)), Ok(reply));
    }
    for (text, class) in [
        ("ALREADY_CANCELED", Class::Closed),
        ("ACCESS_CANCEL_ALREADY", Class::Closed),
        ("NO_ACTIVATION", Class::UnknownOrder),
        ("EARLY_CANCEL_DENIED", Class::TooEarly),
    ] {
        assert_eq!(
            SetStatusReply::parse(Answer::ok(text))
                .unwrap_err()
                .on_read(),
            class,
            "{text}"
        );
    }
}

#[test]
fn active_lists_in_four_shapes() {
    let classic = ActiveList::parse(fixture!("active_classic.json")).unwrap();
    let row = &classic.rows[0];
    assert_eq!((row.id.as_str(), row.service.as_str()), ("635468024", "tg"));
    assert_eq!(row.codes, ["415127"]);
    assert_eq!(row.text.as_deref(), Some("Your code is 415127"));
    assert_eq!(row.state, ActiveState::Received);
    for answer in [
        fixture!("active_data.json"),
        fixture!("active_rows.json"),
        fixture!("active_array.json"),
    ] {
        assert_eq!(ActiveList::parse(answer), Ok(classic.clone()));
    }
    assert_eq!(
        ActiveList::parse(Answer::ok(&classic.print(ActiveShape::Bare))),
        Ok(classic)
    );
}

#[test]
fn every_spelling_of_no_activations() {
    for none in [
        fixture!("active_none.json"),
        Answer::ok("[]"),
        Answer::ok("NO_ACTIVATIONS"),
        Answer::ok(r#"{"status":"success","activeActivations":[]}"#),
        Answer::ok(r#"{"status":"success","activeActivations":{"rows":[]}}"#),
        Answer::ok(r#"{"data":[]}"#),
        Answer {
            status: 404,
            body: r#"{"title":"NO_ACTIVATIONS"}"#,
        },
    ] {
        assert_eq!(
            ActiveList::parse(none),
            Ok(ActiveList::default()),
            "{none:?}"
        );
    }
    for broken in [
        "",
        "{}",
        "null",
        "7",
        "BAD_KEY",
        r#"{"status":"success"}"#,
        r#"{"a":1}"#,
    ] {
        assert!(ActiveList::parse(Answer::ok(broken)).is_err(), "{broken}");
    }
    let half = ActiveList::parse(Answer::ok("[7]")).unwrap();
    assert_eq!((half.rows.len(), half.skipped), (0, 1));
}

#[test]
fn history_rows() {
    let history = History::parse(fixture!("history.json")).unwrap();
    assert_eq!(history.rows.len(), 2);
    assert_eq!(history.rows[0].sms.as_deref(), Some("Your code is 415127"));
    assert_eq!(history.rows[1].sms, None);
    assert_eq!(history.rows[1].status, "8");
    assert_eq!(
        History::parse(Answer::ok("NO_ACTIVATIONS")),
        Ok(History::default())
    );
}

/// The table again, as the protocol's documents have it, so that an edit of the one needs the
/// other.
const DOCUMENTED: &[(Class, &str)] = &[
    (
        Class::UpstreamAuth,
        "BAD_KEY NO_KEY API_KEY_NOT_VALID INVALID_SIGNATURE",
    ),
    (
        Class::OurFault,
        "BAD_ACTION WRONG_EXCEPTION_PHONE WRONG_DATE",
    ),
    (
        Class::NotSold,
        "BAD_SERVICE WRONG_SERVICE BAD_COUNTRY WRONG_COUNTRY SERVICE_UNAVAILABLE_REGION \
         NO_YULA_MAIL WHATSAPP_NOT_AVAILABLE",
    ),
    (Class::NoStock, "NO_NUMBERS OUT_OF_STOCK"),
    (
        Class::UpstreamFunds,
        "NO_BALANCE NO_MONEY NO_BALANCE_FORWARD",
    ),
    (Class::PriceMoved, "WRONG_MAX_PRICE:0.35 MAX_PRICE_EXCEEDED"),
    (
        Class::UnknownOrder,
        "NO_ACTIVATION WRONG_ACTIVATION_ID INVALID_ACTIVATION_ID BAD_DATA",
    ),
    (Class::BadTransition, "BAD_STATUS INVALID_STATUS"),
    (Class::TooEarly, "EARLY_CANCEL_DENIED"),
    (Class::Closed, "ALREADY_CANCELED ACCESS_CANCEL_ALREADY"),
    (Class::Duplicate, "ORDER_ALREADY_EXISTS"),
    (Class::Waiting, "TRY_AGAIN"),
    (
        Class::Throttled,
        "TOO_MANY_ACTIVE_RENTALS RATE_LIMIT CHANNELS_LIMIT",
    ),
    (
        Class::AccountBlocked,
        "BANNED BANNED:2026-04-20\u{a0}10-00-00 ACCOUNT_INACTIVE",
    ),
    (
        Class::Fault,
        "ERROR_SQL SQL_ERROR SERVER_ERROR NO_CONNECTION",
    ),
    (Class::Empty, "OPERATORS_NOT_FOUND NO_ACTIVATIONS"),
    (
        Class::NotAvailable,
        "RENEW_ACTIVATION_NOT_AVAILABLE NEW_ACTIVATION_IMPOSSIBLE SIM_OFFLINE \
         REPEAT_ADDITIONAL_SERVICE WRONG_ADDITIONAL_SERVICE WRONG_SECURITY WRONG_OPERATOR \
         NOT_INCOMING CALL_TASK_ALREADY_EXIST NUMBER_NOT_EXIST NO_CALL PARSE_COUNT_EXCEED \
         NO_METRICS",
    ),
];

#[test]
fn every_word_in_every_form_has_its_class() {
    let mut seen = 0;
    for (class, listed) in DOCUMENTED {
        for word in listed.split(' ').filter(|word| !word.is_empty()) {
            let hero = hero_problem(word, "", None);
            let json = json_problem(word);
            let error = format!(r#"{{"status":"error","error":"{word}"}}"#);
            for answer in [
                Answer::ok(word),
                Answer::ok(&json),
                Answer::ok(&error),
                Answer {
                    status: 404,
                    body: &hero,
                },
            ] {
                let failure = open(answer).unwrap_err();
                assert_eq!(failure.on_read(), *class, "{answer:?}");
                let purchase = if class.refusal().is_some() {
                    *class
                } else {
                    Class::Unknown
                };
                let purchase = if *class == Class::Duplicate {
                    *class
                } else {
                    purchase
                };
                assert_eq!(failure.on_purchase(), purchase, "{answer:?}");
            }
            seen += usize::from(!word.contains('\u{a0}'));
        }
    }
    assert_eq!(seen, words::TABLE.len());
    let sentence = Answer::ok("This service is prohibited for sale in your country");
    assert_eq!(open(sentence).unwrap_err().on_purchase(), Class::NotSold);
}

#[test]
fn statuses_speak_where_the_word_does_not() {
    let unlisted = r#"{"title":"SOMETHING_NEW","details":"?"}"#;
    for (status, class) in [
        (400, Class::OurFault),
        (401, Class::UpstreamAuth),
        (402, Class::UpstreamFunds),
        (403, Class::AccountBlocked),
        (404, Class::OurFault),
        (429, Class::Throttled),
    ] {
        let failure = open(Answer {
            status,
            body: unlisted,
        })
        .unwrap_err();
        assert_eq!(failure.on_purchase(), class, "{status}");
    }
    let conflict = open(Answer {
        status: 409,
        body: unlisted,
    })
    .unwrap_err();
    assert_eq!(
        (conflict.on_read(), conflict.on_purchase()),
        (Class::BadTransition, Class::Unknown)
    );
    let early = open(Answer {
        status: 409,
        body: fixture!("problem_hero.json").body,
    })
    .unwrap_err();
    let Failure::Refused(early) = early else {
        panic!("not refused")
    };
    assert_eq!(
        (early.class, early.cancel_age_s),
        (Class::TooEarly, Some(120))
    );
    let unlisted_ok = open(Answer::ok(unlisted)).unwrap_err();
    assert_eq!(
        (unlisted_ok.on_read(), unlisted_ok.on_purchase()),
        (Class::Fault, Class::Unknown)
    );
}

#[test]
fn nothing_unsettled_is_ever_a_refusal_of_a_purchase() {
    for status in [301, 302, 408, 499, 500, 502, 503, 522] {
        for body in [
            "NO_NUMBERS",
            "",
            "ACCESS_NUMBER:1:79584123456",
            "<html>",
            r#"{"title":"NO_BALANCE"}"#,
        ] {
            if let Err(failure) = NumberV2::parse(Answer { status, body }) {
                assert_eq!(failure.on_purchase(), Class::Unknown, "{status} {body}");
            } else {
                panic!("{status} {body} was read as a sale");
            }
        }
    }
    for answer in [
        fixture!("challenge.html"),
        Answer {
            status: 403,
            body: fixture!("challenge.html").body,
        },
        Answer {
            status: 403,
            body: "",
        },
        Answer {
            status: 429,
            body: "",
        },
        Answer::ok("  "),
    ] {
        assert_eq!(
            open(answer).unwrap_err().on_purchase(),
            Class::Unknown,
            "{answer:?}"
        );
    }
    assert_eq!(
        open(fixture!("challenge.html")).unwrap_err().on_read(),
        Class::Throttled
    );
    let limited = Answer {
        status: 503,
        body: "RATE_LIMIT",
    };
    assert_eq!(open(limited).unwrap_err().on_read(), Class::Throttled);
    let classic = NumberSold::parse(fixture!("problem_classic.json")).unwrap_err();
    assert_eq!(classic.on_purchase(), Class::NoStock);
}

#[test]
fn requests_are_read_tolerantly() {
    let read = |query: &str| Call::parse(query).map(|call| call.request);
    assert_eq!(
        read("api_key=k&action=getBalanceAndCashBack"),
        Ok(Request::Balance)
    );
    let filter = PriceFilter {
        service: None,
        country: Some("6".to_owned()),
    };
    assert_eq!(
        read("?action=getPrices&country%20=6&ref=9&softId=1"),
        Ok(Request::Prices(filter))
    );
    assert_eq!(
        read("action=setStatus&id=5&status=-1"),
        Ok(Request::SetStatus("5".to_owned(), SetStatus::Cancel))
    );
    let Ok(Request::Number(order)) = read("action=getNumber&service=tg&max_price=0.2") else {
        panic!("not a number");
    };
    assert_eq!(order.max_price, Some(price("0.2")));
    for (query, bad) in [
        ("", "BAD_ACTION"),
        ("action=nope", "BAD_ACTION"),
        ("action=getNumber", "BAD_SERVICE"),
        ("action=getNumber&service=tg&maxPrice=-1", "WRONG_MAX_PRICE"),
        ("action=getStatus&id=%20", "NO_ACTIVATION"),
        ("action=setStatus&id=5&status=7", "BAD_STATUS"),
        ("action=getHistory&start=yesterday", "WRONG_DATE"),
    ] {
        assert_eq!(read(query).unwrap_err().word(), bad, "{query}");
    }
}
