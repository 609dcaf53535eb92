//! Redeem codes in the page, and the statement.

use super::browser::{customer, location, signed_in, without_tokens};
use crate::tests::world::World;
use app::CodeOrder;
use domain::redeem::CodeSource;
use domain::usd::Usd;

async fn codes(world: &World, count: u32) -> Vec<String> {
    let order = CodeOrder {
        amount: Usd(5_000_000),
        count,
        expires_days: Some(1),
        source: CodeSource::Gift,
        note: String::new(),
    };
    world.door.redeem.create(order, None).await.unwrap().codes
}

#[tokio::test]
async fn a_code_counts_once_and_says_no_more_to_others() {
    let world = World::start().await;
    let (bob_id, _) = world.new_account("bob@example.com").await;
    let codes = codes(&world, 2).await;
    let mut ana = customer(&world).await;
    ana.get("/wallet/top-up").await;
    let typed = codes[0].to_lowercase().replace('-', " ");
    let answer = ana.post("/wallet/redeem", &[("code", &typed)]).await;
    assert_eq!(location(&answer), "/wallet/top-up?notice=redeemed");
    let again = ana.post("/wallet/redeem", &[("code", &codes[0])]).await;
    assert_eq!(location(&again), "/wallet/top-up?notice=redeemed-before");
    let page = ana.get("/wallet").await;
    assert!(
        page.text.contains("$55.00") && page.text.contains("Redeem code"),
        "{}",
        page.text
    );

    let mut bob = signed_in(&world, bob_id).await;
    bob.get("/wallet/top-up").await;
    let used = bob.post("/wallet/redeem", &[("code", &codes[0])]).await;
    let unknown = "ABCDE-23456-FGHJK-789LM";
    let unknown = bob.post("/wallet/redeem", &[("code", unknown)]).await;
    assert_eq!((used.status, unknown.status), (400, 400));
    assert_eq!(without_tokens(&used.text), without_tokens(&unknown.text));
    for _ in 0..4 {
        bob.post("/wallet/redeem", &[("code", "x")]).await;
    }
    let limited = bob.post("/wallet/redeem", &[("code", &codes[1])]).await;
    assert_eq!(limited.status, 429, "{}", limited.text);
    let bare = bob
        .post_bare("/wallet/redeem", &[("code", &codes[1])])
        .await;
    assert_eq!(bare.status, 403);
}

#[tokio::test]
async fn the_statement_goes_back_page_by_page_and_as_a_file() {
    let world = World::start().await;
    for _ in 0..60 {
        world.credit("0.01").await;
    }
    let mut ana = customer(&world).await;
    let page = ana.get("/wallet").await;
    assert!(page.text.contains("$50.60"), "{}", page.text);
    let start = page.text.find("/wallet?from=").unwrap();
    let older = &page.text[start..start + page.text[start..].find('#').unwrap()];
    let last = ana.get(older).await;
    assert!(
        last.text.contains("+$50.00") && last.text.contains("$50.10"),
        "{}",
        last.text
    );
    let file = ana.get("/wallet/statement.csv").await;
    assert_eq!(file.text.lines().count(), 62, "{}", file.text);
    assert!(
        file.text
            .ends_with(",\"\",50.000000,0.000000,50.000000\r\n"),
        "{}",
        file.text
    );

    let (bob_id, _) = world.new_account("bob@example.com").await;
    let mut bob = signed_in(&world, bob_id).await;
    assert_eq!(bob.get(older).await.status, 404);
    for bad in ["1", "1.2.x", "%3Cscript%3E"] {
        assert_eq!(bob.get(&format!("/wallet?from={bad}")).await.status, 404);
    }
    assert!(bob.get("/wallet").await.text.contains("No movements yet"));
}

#[tokio::test]
async fn spending_counts_every_order_that_was_paid_for() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    let empty = ana.get("/wallet").await.text;
    assert!(empty.contains("Nothing spent yet"), "{empty}");
    for code in ["123456", "234567"] {
        let order = world.buy().await;
        world.receive(&order, code).await;
    }
    world.buy().await;
    let page = ana.get("/wallet").await.text;
    let start = page.find("id=\"spending\"").unwrap();
    let spending = &page[start..page.find("id=\"statement\"").unwrap()];
    let row = "Discord</td><td class=\"right\">2</td><td class=\"right\">$0.08</td>";
    assert!(spending.contains(row), "{spending}");
}

#[tokio::test]
async fn little_left_is_mailed_once_for_each_fall() {
    let world = World::start().await;
    let people = &world.door.people;
    let mails = async || {
        people.tell_low_balances().await;
        let mails = people.rows().mails(10).await.unwrap();
        let told = mails
            .iter()
            .filter(|mail| mail.subject == "Your balance is low");
        told.count()
    };
    let mut ana = customer(&world).await;
    ana.get("/wallet").await;
    for bad in ["five", "0", "-1", "1e3"] {
        let refused = ana.post("/wallet/low-balance", &[("threshold", bad)]).await;
        assert_eq!(refused.status, 400, "{bad}");
    }
    let set = ana
        .post("/wallet/low-balance", &[("threshold", "49.99")])
        .await;
    assert_eq!(location(&set), "/wallet?notice=balance-watched#low");
    assert!(ana.get("/wallet").await.text.contains("value=\"49.99\""));
    assert_eq!(mails().await, 0);
    world.buy().await;
    assert_eq!((mails().await, mails().await), (1, 1));
    let newest = &people.rows().mails(1).await.unwrap()[0];
    assert_eq!(newest.to, "ana@example.com");
    assert!(
        newest.text.contains("$49.96") && newest.text.contains("$49.99"),
        "{}",
        newest.text
    );
    world.credit("1").await;
    assert_eq!(mails().await, 1);
    let over = ana
        .post("/wallet/low-balance", &[("threshold", "60")])
        .await;
    assert_eq!(
        (over.status, mails().await),
        (303, 1),
        "its owner is looking at it"
    );
    world.credit("20").await;
    assert_eq!(mails().await, 1);
    let off = ana.post("/wallet/low-balance", &[("threshold", " ")]).await;
    assert_eq!(location(&off), "/wallet?notice=balance-not-watched#low");
    assert!(!ana.get("/wallet").await.text.contains("value=\"60"));
}
