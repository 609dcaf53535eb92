//! What the page of an SMM order can ask for.

use super::browser::{Browser, customer, fresh_key, location, signed_in};
use crate::tests::world::{PLACE, World};
use domain::time::Millis;
use domain::upstream::{Progress, RefillProgress};
use domain::usd::Usd;
use std::sync::atomic::Ordering;

async fn placed(world: &World) -> String {
    let body = r#"{"service_id":1,"link":"https://instagram.com/user","quantity":500}"#;
    let order = world.post(PLACE, &[], body).await.data();
    order["order_id"].as_str().unwrap().to_owned()
}

/// The key that the order's page made for a form.
async fn once(browser: &mut Browser<'_>, id: &str) -> String {
    let page = browser.get(&format!("/orders/{id}")).await;
    let (_, after) = page.text.split_once("name=\"once\" value=\"").unwrap();
    after.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_cancel_is_asked_for_from_the_orders_page_and_moves_no_money_yet() {
    let world = World::start().await;
    let id = placed(&world).await;
    let before = world.wallet().await;
    let mut browser = customer(&world).await;
    let once = once(&mut browser, &id).await;
    let fields = [("order", id.as_str()), ("once", once.as_str())];
    for notice in ["cancel-asked", "cancel-asked-before"] {
        let answer = browser.post("/smm/cancel", &fields).await;
        let there = format!("/orders/{id}?notice={notice}");
        assert_eq!(location(&answer), there, "{}", answer.text);
    }
    let page = browser.get(&format!("/orders/{id}")).await.text;
    assert!(page.contains("Cancel asked for"), "{page}");
    assert!(!page.contains("Ask to cancel"), "it is asked for once");
    assert_eq!(world.wallet().await, before);
    ends(&world, Progress::Canceled).await;
    let page = browser.get(&format!("/orders/{id}")).await.text;
    for (words, shown) in [
        ("Cancel asked for: granted", true),
        ("Cancelled on your request", true),
        ("Ended early by the provider", false),
    ] {
        assert_eq!(page.contains(words), shown, "{words}: {page}");
    }
}

#[tokio::test]
async fn what_is_not_due_or_not_ones_own_is_refused_on_the_page() {
    let world = World::start().await;
    let id = placed(&world).await;
    let mut browser = customer(&world).await;
    let key = once(&mut browser, &id).await;
    let fields = [("order", id.as_str()), ("once", key.as_str())];
    assert_eq!(browser.post("/smm/refill", &fields).await.status, 409);
    let (other, _) = world.new_account("bob@example.com").await;
    let mut stranger = super::browser::signed_in(&world, other).await;
    stranger.get("/orders").await;
    for path in ["/smm/cancel", "/smm/refill"] {
        assert_eq!(stranger.post(path, &fields).await.status, 404, "{path}");
    }
}

/// The panel has this to say of its order, until all of it is settled.
async fn ends(world: &World, progress: Progress) {
    world.panel.says(progress, |_| {});
    for _ in 0..20 {
        world.clock.advance(Millis::seconds(30));
        world.run_smm_requests().await;
        world.run_smm_orders().await;
    }
}

#[tokio::test]
async fn what_was_asked_for_before_or_is_over_is_said_without_an_error() {
    let world = World::start().await;
    let id = placed(&world).await;
    let mut browser = customer(&world).await;
    browser.get(&format!("/orders/{id}")).await;
    // each form has a key of its own, as those of two windows have
    let mut ask = async |path: &str| {
        let key = fresh_key();
        let fields = [("order", id.as_str()), ("once", key.as_str())];
        let answer = browser.post(path, &fields).await;
        let notice = location(&answer).split_once("notice=");
        let notice = notice
            .unwrap_or_else(|| panic!("{path}: {}", answer.text))
            .1;
        let page = browser.get(location(&answer)).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("role=\"status\""), "{}", page.text);
        notice.to_owned()
    };
    for _ in 0..2 {
        assert_eq!(ask("/smm/cancel").await, "cancel-asked");
    }
    ends(&world, Progress::Completed).await;
    assert_eq!(ask("/smm/cancel").await, "order-over");
    assert_eq!(ask("/smm/refill").await, "refill-asked");
    assert_eq!(ask("/smm/refill").await, "refill-asked-before");
    *world.panel.refill_said.lock().unwrap() = RefillProgress::Completed;
    ends(&world, Progress::Completed).await;
    assert_eq!(ask("/smm/refill").await, "refilled-before");
    assert_eq!(world.panel.refills.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_order_that_was_too_dear_is_placed_by_the_same_form_after_a_top_up() {
    let world = World::start().await;
    let (bob, _) = world.new_account("bob@example.com").await;
    let mut browser = signed_in(&world, bob).await;
    browser.get("/smm/order?service=1").await;
    let key = fresh_key();
    let fields = [
        ("once", key.as_str()),
        ("service", "1"),
        ("link", LINK),
        ("quantity", "500"),
        ("max_price", "0.540000"),
    ];
    for _ in 0..2 {
        assert_eq!(browser.post("/smm/order", &fields).await.status, 402);
    }
    let engine = &world.door.engine;
    engine.credit_wallet(bob, Usd(540_000), "x").await.unwrap();
    let placed = browser.post("/smm/order", &fields).await;
    let there = location(&placed).to_owned();
    assert!(there.ends_with("?notice=order-placed"), "{}", placed.text);
    let again = browser.post("/smm/order", &fields).await;
    assert_eq!(location(&again), there, "and once");
}

/// A hidden field's or a button's value on a page.
pub(super) fn value(page: &str, name: &str) -> Option<String> {
    let (_, after) = page.split_once(&format!("name=\"{name}\" value=\""))?;
    Some(after.split('"').next().unwrap().to_owned())
}

const LINK: &str = "https://instagram.com/user";

#[tokio::test]
async fn services_are_found_by_name_category_and_id() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    let all = browser.get("/smm").await.text;
    for shown in ["Followers drip", "Comments", "$1.08", "50 to 10,000"] {
        assert!(all.contains(shown), "{shown}: {all}");
    }
    assert!(
        !all.contains("Mass report"),
        "what is not sold is not listed"
    );
    let found = browser.get("/smm?q=COMM").await.text;
    assert!(found.contains("service=2") && !found.contains("service=1"));
    let found = browser.get("/smm?q=5").await.text;
    assert!(found.contains("service=5") && !found.contains("service=1"));
    let none = browser.get("/smm?category=%3Cscript%3E").await.text;
    assert!(none.contains("Nothing found") && !none.contains("<script>"));
    assert_eq!(browser.get("/smm/order?service=3").await.status, 404);
}

#[tokio::test]
async fn the_price_is_shown_before_an_order_and_only_that_price_is_paid() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    let page = browser.get("/smm/order?service=1").await.text;
    let once = value(&page, "once").unwrap();
    assert_eq!(value(&page, "max_price"), None);
    let mut fields = vec![
        ("once", once.as_str()),
        ("service", "1"),
        ("link", LINK),
        ("quantity", "500"),
    ];
    let before = world.books().await;
    let page = browser.post("/smm/order", &fields).await;
    assert_eq!((page.status, world.books().await), (200, before));
    assert!(page.text.contains("Order for $0.54"), "{}", page.text);
    let part = browser.post("/smm/quote", &fields).await.text;
    assert_eq!(value(&part, "max_price").unwrap(), "0.540000");
    // more than the price was shown for
    fields[3].1 = "501";
    fields.push(("max_price", "0.540000"));
    let refused = browser.post("/smm/order", &fields).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("it is $0.54108"), "{}", refused.text);
    fields[3].1 = "500";
    let placed = browser.post("/smm/order", &fields).await;
    let there = location(&placed).to_owned();
    assert!(there.ends_with("?notice=order-placed"), "{}", placed.text);
    let again = browser.post("/smm/order", &fields).await;
    assert_eq!(location(&again), there, "sent twice it orders once");
    assert_eq!(world.books().await.orders, 1);
    let list = browser.get("/orders?kind=smm").await.text;
    assert!(list.contains("<progress max=\"500\" value=\"0\""), "{list}");
}

#[tokio::test]
async fn what_is_wrong_with_an_order_is_said_at_its_field() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    browser.get("/smm/order?service=1").await;
    for (service, link, quantity, said) in [
        (
            "1",
            "javascript:alert(1)",
            "500",
            "Link must begin with https:",
        ),
        ("1", LINK, "9", "Order at least 50 and at most 10000."),
        (
            "1",
            LINK,
            "5.5",
            "Quantity must be a whole number in plain digits.",
        ),
        (
            "1",
            LINK,
            "0500",
            "Quantity must be a whole number in plain digits.",
        ),
        (
            "1",
            LINK,
            "+500",
            "Quantity must be a whole number in plain digits.",
        ),
        (
            "1",
            LINK,
            " 500",
            "Quantity must be a whole number in plain digits.",
        ),
        ("1", LINK, "", "Quantity is missing."),
        ("2", LINK, "500", "Comments is missing."),
        ("3", LINK, "500", "There is no such service here."),
    ] {
        let fields = [("service", service), ("link", link), ("quantity", quantity)];
        let part = browser.post("/smm/quote", &fields).await.text;
        assert!(part.contains(said), "{said}: {part}");
        assert_eq!(value(&part, "max_price"), None);
    }
    let comments: String = (0..100).map(|n| format!("nice {n}\r\n")).collect();
    let fields = [("service", "2"), ("link", LINK), ("comments", &comments)];
    let part = browser.post("/smm/quote", &fields).await.text;
    assert!(part.contains("Order for $0.108"), "{part}");
    let dear = [("service", "1"), ("link", LINK), ("quantity", "10000")];
    world
        .door
        .engine
        .credit_wallet(world.account, domain::usd::Usd(1), "x")
        .await
        .unwrap();
    let part = browser.post("/smm/quote", &dear).await.text;
    assert!(part.contains("Order for $10.80"), "{part}");
}

#[tokio::test]
async fn a_mass_order_is_checked_whole_before_any_of_it_is_placed() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    browser.get("/smm/mass").await;
    let before = world.books().await;
    let bad = format!(
        "1 | {LINK} | 500\n\n9 | {LINK} | 1\n1 | http://www.instagram.com/user/ | 200\n<script>|x|1|2"
    );
    let page = browser.post("/smm/mass", &[("lines", &bad)]).await.text;
    for said in [
        "3 of 4 lines cannot be ordered",
        "There is no such service here",
        "Line 1 orders the same service",
        "Write service | link | quantity",
        "&lt;script&gt;",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("<script>|") && value(&page, "total").is_none());
    let forced = [
        ("lines", bad.as_str()),
        ("total", "99.000000"),
        ("once", &"a".repeat(32)),
    ];
    assert_eq!(browser.post("/smm/mass", &forced).await.status, 409);
    assert_eq!(world.books().await, before);

    let good = format!("1 | {LINK} | 500\n1 | https://instagram.com/other | 1000");
    let page = browser.post("/smm/mass", &[("lines", &good)]).await.text;
    assert!(page.contains("Place 2 orders for $1.62"), "{page}");
    let (once, total) = (
        value(&page, "once").unwrap(),
        value(&page, "total").unwrap(),
    );
    let fields = [
        ("once", once.as_str()),
        ("total", total.as_str()),
        ("lines", good.as_str()),
    ];
    for _ in 0..2 {
        let done = browser.post("/smm/mass", &fields).await.text;
        assert!(done.contains("2 of 2 ordered for $1.62"), "{done}");
    }
    assert_eq!(world.books().await.orders, 2, "sent twice it orders once");

    // both lines run already: each says so, nothing else happens
    let page = browser.post("/smm/mass", &[("lines", &good)]).await.text;
    let once = value(&page, "once").unwrap();
    let fields = [
        ("once", once.as_str()),
        ("total", total.as_str()),
        ("lines", good.as_str()),
    ];
    let done = browser.post("/smm/mass", &fields).await.text;
    assert!(
        done.contains("0 of 2 ordered") && done.contains("still running"),
        "{done}"
    );
    assert_eq!(world.books().await.orders, 2);

    let many = format!("1 | {LINK} | 500\n").repeat(101);
    let refused = browser.post("/smm/mass", &[("lines", &many)]).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text.contains("These are 101 lines"),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn a_mass_order_sent_twice_at_once_offers_no_line_again() {
    let world = World::start().await;
    let mut one = customer(&world).await;
    one.get("/smm/mass").await;
    let lines = "1 | https://instagram.com/slow-a | 500\n1 | https://instagram.com/slow-b | 500";
    let page = one.post("/smm/mass", &[("lines", lines)]).await.text;
    let (once, total) = (
        value(&page, "once").unwrap(),
        value(&page, "total").unwrap(),
    );
    let mut two = Browser::new(&world);
    two.cookie.clone_from(&one.cookie);
    two.form_token.clone_from(&one.form_token);
    let fields = [
        ("once", once.as_str()),
        ("total", total.as_str()),
        ("lines", lines),
    ];
    let (_, second) = tokio::join!(one.post("/smm/mass", &fields), async {
        while world.books().await.orders < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        two.post("/smm/mass", &fields).await
    });
    assert!(
        second.text.contains("Still being placed"),
        "{}",
        second.text
    );
    assert!(!second.text.contains("Not ordered"), "{}", second.text);
    assert!(!second.text.contains("<textarea"), "{}", second.text);
    assert_eq!(value(&second.text, "once").as_deref(), Some(once.as_str()));
    assert_eq!(world.books().await.orders, 2);
}

#[tokio::test]
async fn lines_end_in_any_way_and_a_mark_of_the_encoding_is_none_of_them() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    browser.get("/smm/mass").await;
    let lines = "\u{feff}1 | https://instagram.com/a | 500\r1 | https://instagram.com/b | 500";
    let page = browser.post("/smm/mass", &[("lines", lines)]).await.text;
    assert!(page.contains("Place 2 orders for"), "{page}");
}

#[tokio::test]
async fn an_order_whose_outcome_is_unknown_is_led_to() {
    let world = World::start().await;
    let mut browser = customer(&world).await;
    browser.get("/smm/order?service=1").await;
    let key = fresh_key();
    let fields = [
        ("once", key.as_str()),
        ("service", "1"),
        ("link", "https://instagram.com/lost"),
        ("quantity", "500"),
        ("max_price", "0.540000"),
    ];
    let answer = browser.post("/smm/order", &fields).await;
    let (order, notice) = location(&answer).split_once('?').unwrap();
    assert_eq!(notice, "notice=order-pending", "{}", answer.text);
    let page = browser.get(order).await;
    assert!(
        page.text.contains("every 3s"),
        "its news come by themselves"
    );
}
