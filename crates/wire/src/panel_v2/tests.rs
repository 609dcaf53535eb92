//! What each kind of reply reads, prints and survives.

macro_rules! fixture {
    ($name:literal) => {
        Answer::ok(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/fixtures/panel_v2/",
            $name
        )))
    };
}

mod challenges;
mod round_trips;

use super::*;
use crate::answer::Answer;
use domain::upstream::{Progress, Purchase, Refusal};
use rust_decimal::Decimal;

fn price(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn services_print_the_types_clients_insist_on() {
    let services = Services::parse(fixture!("services.json")).unwrap();
    assert_eq!(services.rows.len(), 2);
    assert_eq!(services.print(), fixture!("services.json").text());
}

#[test]
fn services_in_their_variants() {
    let services = Services::parse(fixture!("services_variants.json")).unwrap();
    assert_eq!((services.rows.len(), services.skipped), (3, 1));
    let [plain, comments, odd] = services.rows.as_slice() else {
        panic!("not three")
    };
    assert_eq!(plain.order_type(), Some(OrderType::Default));
    assert_eq!(plain.rate, price("0.00000123456"));
    assert_eq!((plain.min, plain.max), (50, 999_999_999));
    assert_eq!(
        (plain.refill, plain.cancel, plain.dripfeed),
        (true, false, false)
    );
    assert_eq!(plain.category, "");
    assert_eq!(comments.id, "ig-2");
    assert_eq!(comments.order_type(), Some(OrderType::CustomComments));
    assert_eq!(comments.rate, price("1234.50"));
    assert_eq!(comments.description.as_deref(), Some("Slow start"));
    assert_eq!(odd.order_type(), None);
}

#[test]
fn an_error_is_never_an_empty_catalogue() {
    assert_eq!(
        Services::parse(fixture!("services_none.json")),
        Ok(Services::default())
    );
    assert_eq!(Services::parse(Answer::ok("[]")), Ok(Services::default()));
    for broken in [
        "",
        "null",
        "<html>",
        r#"{"error":"Invalid API key"}"#,
        r#"{"status":"fail"}"#,
        "[1,2]",
        r#"[{"service":1"#,
        "{}",
    ] {
        assert!(Services::parse(Answer::ok(broken)).is_err(), "{broken}");
    }
}

#[test]
fn a_status_and_its_variants() {
    let status = OrderStatus::parse(fixture!("status.json")).unwrap();
    assert_eq!(status.charge, Some(price("1.26")));
    assert_eq!((status.start_count, status.remains), (Some(812), Some(140)));
    assert_eq!(status.print(), fixture!("status.json").text());

    let rows = Statuses::parse(fixture!("status_variants.json")).unwrap().0;
    let ids: Vec<&str> = rows.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5", "6"]);
    let of = |at: usize| rows[at].1.as_ref().unwrap();
    assert_eq!((of(0).start_count, of(0).remains), (Some(812), Some(-5)));
    assert_eq!(of(0).charge, Some(price("1.26000000001")));
    assert_eq!(progress(&of(0).status), Some(Progress::InProgress));
    assert_eq!((of(1).start_count, of(1).remains), (None, None));
    assert_eq!(progress(&of(1).status), Some(Progress::Canceled));
    assert_eq!(rows[2].1, Err("Incorrect order ID".to_owned()));
    assert_eq!(rows[3].1, Err("Incorrect order ID".to_owned()));
    assert_eq!(of(4).children, ["11", "12"]);
    assert_eq!((of(5).start_count, of(5).charge), (None, None));
    assert_eq!(progress(&of(5).status), None);
}

#[test]
fn every_status_word() {
    for (words, expected) in [
        (&["Pending", "pending", "0"][..], Some(Progress::Pending)),
        (&["Processing", "1"], Some(Progress::Processing)),
        (
            &["In progress", "IN PROGRESS", "In_Progress", "Active"],
            Some(Progress::InProgress),
        ),
        (&["Completed", "2"], Some(Progress::Completed)),
        (&["Partial", "3"], Some(Progress::Partial)),
        (
            &[
                "Canceled",
                "Cancelled",
                "cancelled",
                "Refunded",
                "Refunds",
                "4",
                "5",
            ],
            Some(Progress::Canceled),
        ),
        (
            &[
                "Fail",
                "Error",
                "",
                "Expired",
                "Complete d?",
                "6",
                "-4",
                "Awaiting",
            ],
            None,
        ),
    ] {
        for word in words {
            assert_eq!(progress(word), expected, "{word}");
        }
        if let Some(expected) = expected {
            assert_eq!(progress(progress_word(expected)), Some(expected));
        }
    }
}

#[test]
fn refills_cancels_balances_and_orders() {
    let refills = Refills::parse(fixture!("refills.json")).unwrap();
    assert_eq!(refills.0[0], ("5".to_owned(), Ok("17".to_owned())));
    assert_eq!(refills.print(), fixture!("refills.json").text());
    let statuses = RefillStatuses::parse(fixture!("refill_statuses.json")).unwrap();
    assert_eq!(
        statuses.0[2],
        ("19".to_owned(), Err(UNKNOWN_REFILL.to_owned()))
    );
    assert_eq!(statuses.print(), fixture!("refill_statuses.json").text());
    let cancels = Cancels::parse(fixture!("cancels.json"), &[]).unwrap();
    assert_eq!(
        cancels.0[0],
        ("9".to_owned(), Err(UNKNOWN_ORDER.to_owned()))
    );
    assert_eq!(cancels.print(), fixture!("cancels.json").text());
    let balance = Balance::parse(fixture!("balance.json")).unwrap();
    assert_eq!(balance.print(), fixture!("balance.json").text());
    let balance = Balance::parse(fixture!("balance_smartpanel.json")).unwrap();
    assert_eq!(balance.balance, price("84.20915"));
    assert_eq!(balance.currency.as_deref(), Some("INR"));
    let orders = Orders::parse(fixture!("orders.json")).unwrap();
    assert_eq!((orders.rows.len(), orders.skipped), (2, 0));
    assert_eq!(orders.rows[1].quantity, None);
    assert_eq!(orders.print(), fixture!("orders.json").text());
}

#[test]
fn single_forms_of_cancel_count_only_for_one_order() {
    let one = ["2".to_owned()];
    let two = ["2".to_owned(), "3".to_owned()];
    for body in [
        r#"{"cancel":1}"#,
        r#"{"status":"success"}"#,
        r#"{"success":"asked"}"#,
        &print_cancel_single("2"),
    ] {
        let accepted = Cancels(vec![("2".to_owned(), Ok(()))]);
        assert_eq!(
            Cancels::parse(Answer::ok(body), &one),
            Ok(accepted),
            "{body}"
        );
        assert!(Cancels::parse(Answer::ok(body), &two).is_err(), "{body}");
    }
    assert!(Cancels::parse(Answer::ok(r#"{"cancel":0}"#), &one).is_err());
    assert!(Cancels::parse(Answer::ok(r#"{"error":"Incorrect order ID"}"#), &one).is_err());
}

fn bought(body: &str) -> Purchase<String> {
    purchase(Answer::ok(body), [], Profile::default())
}

fn refused(text: &str) -> Purchase<String> {
    bought(&print_error(text))
}

const fn input(member: Option<&'static str>) -> Refusal {
    Refusal::RejectedInput { member }
}

const DOCUMENTED: &[(&[&str], Refusal)] = &[
    (
        &[
            "Invalid API key",
            "invalid key",
            "Incorrect key!",
            "WRONG KEY",
        ],
        Refusal::UpstreamAuth,
    ),
    (
        &[
            "Your account is suspended",
            "Account blocked",
            "account inactive",
        ],
        Refusal::AccountBlocked,
    ),
    (
        &[
            "Not enough funds",
            "Not enough funds on balance",
            "Insufficient funds",
            "insufficient balance",
            "Not enough balance",
            "neworder.error.not_enough_funds",
        ],
        Refusal::UpstreamFunds,
    ),
    (
        &["Too many requests", "Rate limit exceeded"],
        Refusal::Throttled,
    ),
    (
        &[
            "Incorrect service ID",
            "Service not found",
            "Invalid service",
            "This service is inactive",
            "service disabled",
            "Service is unavailable",
            "neworder.error.service_not_found",
        ],
        Refusal::NotSold,
    ),
    (
        &[
            "You have active order with this link. Please wait until order being completed",
            "Already running",
            "wait until order is done",
        ],
        Refusal::DuplicateLink,
    ),
    (
        &[
            "Incorrect request",
            "Invalid action",
            "Neither parameter is set",
        ],
        Refusal::OurFault,
    ),
    (
        &[
            "Quantity less than minimal 50",
            "Quantity more than maximum 10000",
            "Min quantity is 5",
            "quantity > max",
        ],
        input(Some("quantity")),
    ),
    (
        &[
            "Incorrect link",
            "Invalid link",
            "Bad link",
            "Link is wrong",
            "Link is private",
        ],
        input(Some("link")),
    ),
    (
        &["Comments are empty", "invalid comments"],
        input(Some("comments")),
    ),
    (
        &["Username is invalid", "Incorrect usernames"],
        input(Some("username")),
    ),
    (
        &[
            "Empty hashtag",
            "Incorrect answer number",
            "invalid hashtags",
        ],
        input(None),
    ),
];

#[test]
fn every_error_text_has_its_class() {
    for (texts, refusal) in DOCUMENTED {
        for text in *texts {
            assert_eq!(refused(text), Purchase::Refused(refusal.clone()), "{text}");
        }
    }
    for text in [
        "Incorrect order ID",
        "Refill not found",
        "Order is not eligible",
        "Ошибка",
        "?",
    ] {
        assert_eq!(refused(text), Purchase::Unknown, "{text}");
    }
    assert_eq!(class_of("Incorrect order ID"), Some(Class::UnknownOrder));
    assert_eq!(
        class_of("Order is not eligible for refill"),
        Some(Class::RefillRefused)
    );
}

#[test]
fn only_a_plain_positive_id_is_a_purchase() {
    let done = |id: &str| Purchase::Done(id.to_owned());
    assert_eq!(
        purchase(fixture!("added.json"), [], Profile::default()),
        done("90210")
    );
    assert_eq!(
        purchase(fixture!("added_smartpanel.json"), [], Profile::default()),
        done("90210")
    );
    assert_eq!(bought(r#"{"order":1,"error":null}"#), done("1"));
    assert_eq!(bought(r#"{"order":1,"error":""}"#), done("1"));
    for body in [
        r#"{"order":0}"#,
        r#"{"order":-1}"#,
        r#"{"order":1.0}"#,
        r#"{"order":1e3}"#,
        r#"{"order":"007"}"#,
        r#"{"order":" 7"}"#,
        r#"{"order":"a7"}"#,
        r#"{"order":null}"#,
        r#"{"order":true}"#,
        r#"{"order":[7]}"#,
        r#"{"order":99999999999999999999}"#,
        r#"{"order":7,"error":"Invalid API key"}"#,
        r#"{"order":7"#,
        "",
        "null",
        "[]",
        "{}",
        "90210",
        "OK",
        "<html>order 7</html>",
        r#"[{"order":7}]"#,
        r#"{"status":"success"}"#,
    ] {
        assert_eq!(bought(body), Purchase::Unknown, "{body}");
    }
}

#[test]
fn the_http_status_speaks_only_where_the_text_does_not() {
    let at = |status, body| purchase(Answer { status, body }, [], Profile::default());
    let gibberish = r#"{"error":"nope"}"#;
    assert_eq!(at(401, gibberish), Purchase::Refused(Refusal::UpstreamAuth));
    assert_eq!(
        at(403, gibberish),
        Purchase::Refused(Refusal::AccountBlocked)
    );
    assert_eq!(at(404, gibberish), Purchase::Refused(Refusal::OurFault));
    assert_eq!(at(429, gibberish), Purchase::Refused(Refusal::Throttled));
    assert_eq!(at(400, gibberish), Purchase::Unknown);
    assert_eq!(
        at(400, r#"{"error":"Incorrect service ID"}"#),
        Purchase::Refused(Refusal::NotSold)
    );
    for status in [301, 408, 499, 500, 502, 503, 522] {
        assert_eq!(
            at(status, r#"{"error":"Invalid API key"}"#),
            Purchase::Unknown,
            "{status}"
        );
        assert_eq!(at(status, r#"{"order":7}"#), Purchase::Unknown, "{status}");
    }
    for status in [403, 404, 429] {
        assert_eq!(
            at(status, "<html>challenge</html>"),
            Purchase::Unknown,
            "{status}"
        );
        assert_eq!(at(status, ""), Purchase::Unknown, "{status}");
    }
    assert_eq!(at(401, r#"{"order":7}"#), Purchase::Unknown);
}

#[test]
fn a_profile_may_trust_every_error() {
    let profile = Profile {
        error_means_refused: true,
        ..Profile::default()
    };
    let with = |body| purchase(Answer::ok(body), [], profile);
    let refused = Purchase::Refused(Refusal::RejectedInput { member: None });
    assert_eq!(with(r#"{"error":"Что-то не так"}"#), refused);
    assert_eq!(with("<html>"), Purchase::Unknown);
    assert_eq!(with(r#"{"order":7,"error":"x"}"#), Purchase::Unknown);
}

#[test]
fn a_customers_words_disable_no_route() {
    let sent = [
        "https://example.test/invalid-api-key",
        "service disabled\r\naccount blocked",
    ];
    for echoed in [
        "Bad request near https://example.test/invalid-api-key",
        "Cannot post: SERVICE DISABLED",
        "Cannot post: account blocked",
    ] {
        let body = print_error(echoed);
        assert!(
            class_of(echoed).is_some() || echoed.contains("api-key"),
            "{echoed}"
        );
        assert_eq!(
            purchase(Answer::ok(&body), sent, Profile::default()),
            Purchase::Unknown
        );
    }
    let body = print_error("Incorrect link: https://example.test/invalid-api-key");
    assert_eq!(
        purchase(Answer::ok(&body), sent, Profile::default()),
        Purchase::Refused(Refusal::RejectedInput {
            member: Some("link")
        })
    );
    let body = print_error("Quantity less than minimal 50");
    assert_eq!(
        purchase(Answer::ok(&body), ["a", "50", "qu"], Profile::default()),
        Purchase::Refused(Refusal::RejectedInput {
            member: Some("quantity")
        })
    );
}

#[test]
fn type_names_in_every_spelling() {
    for (name, expected) in [
        ("Default", OrderType::Default),
        ("custom_comments", OrderType::CustomComments),
        ("Custom comments package", OrderType::CustomCommentsPackage),
        ("Mentions with hashtags", OrderType::MentionsWithHashtags),
        ("Mentions Users Followers", OrderType::MentionsUserFollowers),
        ("mentions-user-followers", OrderType::MentionsUserFollowers),
        ("Seo", OrderType::Seo),
        ("SEO 2", OrderType::Seo2),
        ("invites_from_groups", OrderType::InvitesFromGroups),
    ] {
        assert_eq!(OrderType::parse(name), Some(expected), "{name}");
    }
    for unknown in ["", " ", "Raffle", "Default2", "—", "Default 默认"] {
        assert_eq!(OrderType::parse(unknown), None, "{unknown:?}");
    }
    assert_eq!(OrderType::all().count(), 18);
    for kind in OrderType::all() {
        assert_eq!(OrderType::parse(kind.title()), Some(kind));
    }
}

fn units(kind: OrderType, members: &[(&str, &str)]) -> Result<Units, &'static str> {
    kind.units(&|name| {
        members
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| *value)
    })
}

#[test]
fn what_each_type_is_billed_by() {
    use Units::{Counted, Flat, PerChild};
    assert_eq!(
        units(OrderType::Default, &[("quantity", "500")]),
        Ok(Counted(500))
    );
    let drip = [("quantity", "100"), ("runs", "5"), ("interval", "30")];
    assert_eq!(units(OrderType::Default, &drip), Ok(Counted(500)));
    assert_eq!(units(OrderType::Poll, &drip), Ok(Counted(100)));
    assert_eq!(units(OrderType::Package, &[]), Ok(Flat));
    assert_eq!(units(OrderType::CustomCommentsPackage, &[]), Ok(Flat));
    let comments = [("comments", "nice\r\n\r\n  \nso, so nice\rok\n")];
    assert_eq!(units(OrderType::CustomComments, &comments), Ok(Counted(2)));
    assert_eq!(units(OrderType::CommentReplies, &comments), Ok(Counted(2)));
    let list = [("usernames", "a\nb\nc")];
    assert_eq!(units(OrderType::MentionsCustomList, &list), Ok(Counted(3)));
    let posts = [("max", "100"), ("posts", "5"), ("old_posts", "2")];
    assert_eq!(units(OrderType::Subscriptions, &posts), Ok(PerChild(700)));
    assert_eq!(units(OrderType::Subscriptions, &[]), Err("max"));
    for bad in ["0", "-1", "1.5", "1e3", "", "٥", "18446744073709551616"] {
        assert_eq!(
            units(OrderType::Default, &[("quantity", bad)]),
            Err("quantity"),
            "{bad}"
        );
    }
    let huge = [("quantity", "18446744073709551615"), ("runs", "2")];
    assert_eq!(units(OrderType::Default, &huge), Err("runs"));
    assert_eq!(
        units(OrderType::CustomComments, &[("comments", " \n")]),
        Err("comments")
    );
    let flat = OrderType::all().filter(|kind| kind.is_flat()).count();
    assert_eq!(flat, 2);
}

#[test]
fn members_that_others_make_needed() {
    let with = |kind: OrderType, name: &'static str, value: &'static str| {
        kind.needed_with(&|asked| (asked == name).then_some(value))
    };
    assert_eq!(with(OrderType::Default, "runs", "5"), Some("interval"));
    assert_eq!(
        with(OrderType::WebTraffic, "type_of_traffic", "1"),
        Some("google_keyword")
    );
    assert_eq!(
        with(OrderType::WebTraffic, "type_of_traffic", "2"),
        Some("referring_url")
    );
    assert_eq!(with(OrderType::WebTraffic, "type_of_traffic", "3"), None);
    assert_eq!(with(OrderType::Poll, "runs", "5"), None);
}

#[test]
fn requests_are_read_tolerantly() {
    let form = |body: &str| Call::parse_form(body).map(|call| call.request);
    let many = |ids: &[&str]| Ids::Many(ids.iter().map(|id| (*id).to_owned()).collect());
    assert_eq!(
        form("key=k&action=status&orders=1, 2,,1,x"),
        Ok(Request::Status(many(&["1", "2", "x"])))
    );
    assert_eq!(
        form("action=refill_status&refill=3"),
        Ok(Request::RefillStatus(Ids::One("3".to_owned())))
    );
    let hundred: Vec<String> = (1..=100).map(|id| id.to_string()).collect();
    assert!(form(&format!("action=cancel&orders={}", hundred.join(","))).is_ok());
    assert_eq!(
        form(&format!("action=cancel&orders={},101", hundred.join(","))),
        Err(BadRequest::TooManyIds)
    );
    for bad in [
        "",
        "action=",
        "action=nope",
        "action=status",
        "action=status&order=1&orders=2",
        "action=status&orders=,,",
        "action=refill_status&order=1",
    ] {
        assert_eq!(form(bad), Err(BadRequest::Incorrect), "{bad}");
    }
}

#[test]
fn two_keys_are_no_key_and_no_key_is_shown() {
    assert_eq!(
        Call::parse_form("key=a&action=balance&key=b"),
        Err(BadRequest::Keys)
    );
    let call = Call::parse_form("key=s3cret&action=balance&key=s3cret").unwrap();
    assert_eq!(call.key.as_deref(), Some("s3cret"));
    assert!(!format!("{call:?}").contains("s3cret"));
}

#[test]
fn json_requests_mean_what_forms_mean() {
    let body = r#"{"key":"k","action":"add","service":1,"link":"https://e.test/?a=1&b=2",
        "quantity":500,"is_test":true,"comments":["a","b"],"price":null}"#;
    let call = Call::parse_json(body).unwrap();
    let Request::Add(add) = &call.request else {
        panic!("not add")
    };
    assert_eq!(
        (add.service.as_str(), add.member("quantity")),
        ("1", Some("500"))
    );
    assert_eq!(add.member("comments"), Some("a\nb"));
    assert_eq!(add.member("is_test"), Some("1"));
    assert_eq!(add.member("price"), None);
    assert_eq!(Call::parse_form(&call.form()), Ok(call));
    let status = Call::parse_json(r#"{"action":"status","orders":[1,"2"]}"#).unwrap();
    assert_eq!(status.key, None);
    assert_eq!(
        status.request,
        Request::Status(Ids::Many(vec!["1".to_owned(), "2".to_owned()]))
    );
    for bad in [
        "",
        "[]",
        "7",
        "{",
        r#"{"action":{}}"#,
        r#"{"action":"status","orders":[[1]]}"#,
    ] {
        assert_eq!(Call::parse_json(bad), Err(BadRequest::Incorrect), "{bad}");
    }
}
