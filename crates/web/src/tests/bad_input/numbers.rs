//! Buying numbers.

use super::{FORM, JSON, refuses, refuses_bodies};
use crate::tests::world::{BUY, DISCORD, PLACE, World};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn buying_numbers() {
    let world = World::start().await;
    let purchases = r#"
        B-066 | 400 missing_parameter      | {"country_id":"61"}
        B-066 | 400 missing_parameter      | {"service_id":"306343"}
        B-067 | 400 invalid_parameter      | {"service_id":null,"country_id":61}
        B-067 | 400 invalid_parameter      | {"service_id":{},"country_id":61}
        B-067 | 400 invalid_parameter      | {"service_id":[],"country_id":61}
        B-067 | 400 invalid_parameter      | {"service_id":true,"country_id":61}
        B-069 | 400 invalid_parameter      | {"service_id":306343.5,"country_id":61}
        B-069 | 400 invalid_parameter      | {"service_id":1e5,"country_id":61}
        B-069 | 400 invalid_parameter      | {"service_id":-1,"country_id":61}
        B-069 | 400 invalid_parameter      | {"service_id":18446744073709551616,"country_id":61}
        B-071 | 404 service_not_found      | {"service_id":"nothing","country_id":61}
        B-072 | 404 service_not_found      | {"service_id":"tg","country_id":61}
        B-072 | 404 service_not_found      | {"service_id":306343,"country_id":62}
        B-073 | 400 invalid_pool           | {"service_id":306343,"country_id":61,"pool_id":7}
        B-073 | 400 invalid_pool           | {"service_id":"tg","country_id":61,"server":"andrew","pool_id":9}
        B-074 | 400 invalid_provider_type  | {"service_id":306343,"country_id":61,"provider_type":3}
        B-074 | 400 invalid_provider_type  | {"service_id":306343,"country_id":61,"provider_type":"01"}
        B-078 | 409 price_changed          | {"service_id":306343,"country_id":61,"max_price_usd":0.039999}
        B-079 | 400 invalid_parameter      | {"service_id":306343,"country_id":61,"max_price_usd":-1}
        B-079 | 400 invalid_parameter      | {"service_id":306343,"country_id":61,"max_price_usd":"NaN"}
        B-079 | 400 invalid_parameter      | {"service_id":306343,"country_id":61,"max_price_usd":"0.04 USD"}
        B-079 | 400 invalid_parameter      | {"service_id":306343,"country_id":61,"max_price_usd":1e-9}
        B-079 | 400 invalid_parameter      | {"service_id":306343,"country_id":61,"max_price_usd":0.04000000000000000001}
        B-079 | 400 invalid_parameter      | {"service_id":306343,"country_id":61,"max_price_usd":null}
        all   | 400 missing_parameter      | {"service_id":306343,"country_id":61,"server":"all"}
        all   | 400 missing_parameter      | {"country_key":"pakistan","server":"all"}
        all   | 400 invalid_parameter      | {"service_id":"","country_key":"pakistan","server":"all","max_price_usd":"x"}
        all   | 404 country_not_found      | {"service_id":"Telegram","country_key":"atlantis","server":"all"}
        all   | 404 service_not_found      | {"service_id":"Telegraph","country_key":"pakistan","server":"all"}
        all   | 409 price_changed          | {"service_id":"telegram","country_key":"pakistan","server":"all","max_price_usd":0.047999}
        B-056 | 400 unknown_server         | {"service_id":306343,"country_id":61,"source":"nobody"}
        B-058 | 400 unknown_server         | {"service_id":306343,"country_id":61,"server":["peter"]}
        B-057 | 400 conflicting_parameters | {"service_id":306343,"country_id":61,"source":"paul","server":"peter"}
        B-064 | 503 provider_unavailable   | {"service_id":306343,"country_id":61,"server":"luke"}
    "#;
    refuses_bodies(&world, BUY, purchases).await;
    for key in ["", "\"\"", "a b", &"a".repeat(256)] {
        let headers = [JSON[0], ("idempotency-key", key)];
        let code = "invalid_idempotency_key";
        let row = ("B-084", "POST", BUY, &headers[..], DISCORD, 400, code);
        refuses(&world, &[row]).await;
    }
    assert_eq!(world.numbers.sold.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn good_numbers_are_good_in_every_spelling() {
    let world = World::start().await;
    for body in [
        r#"{"service_id":306343,"country_id":61}"#,
        r#"{"service_id":"306343","country_id":"61","server":"peter","provider_type":1}"#,
        r#"{"service_id":"306343","country_id":"61","source":"peter","provider_type":"2"}"#,
        r#"{"service_id":306343,"country_id":61,"max_price_usd":0.04}"#,
        r#"{"service_id":306343,"country_id":61,"max_price_usd":"0.040000"}"#,
        r#"{"service_id":"tg","country_id":61,"provider_source":"andrew","pool_id":7}"#,
    ] {
        assert_eq!(world.post(BUY, &[], body).await.status, 200, "B-068 {body}");
    }
    let form = world.request("POST", BUY, FORM, "service_id=306343&country_id=61");
    assert_eq!(world.send(form).await.status, 200);
}

#[tokio::test]
async fn one_micro_dollar_decides() {
    let world = World::start().await;
    let (account, key) = world.new_account("short@example.com").await;
    let engine = &world.door.engine;
    let credit = async |micros| {
        let amount = domain::usd::Usd(micros);
        engine.credit_wallet(account, amount, "test").await.unwrap();
    };
    credit(39_999).await;
    let headers = [JSON[0], ("x-api-key", key.as_str())];
    let buy = || world.send(world.request("POST", BUY, &headers, DISCORD));
    refuses(
        &world,
        &[(
            "B-076",
            "POST",
            BUY,
            &headers,
            DISCORD,
            402,
            "insufficient_balance",
        )],
    )
    .await;
    credit(1).await;
    assert_eq!(buy().await.status, 200, "B-077");
    assert_eq!(buy().await.code(), "insufficient_balance");
    credit(53_999).await;
    let body = r#"{"service_id":1,"link":"https://instagram.com/user","quantity":50}"#;
    refuses(
        &world,
        &[(
            "B-121",
            "POST",
            PLACE,
            &headers,
            body,
            402,
            "insufficient_balance",
        )],
    )
    .await;
    credit(1).await;
    let placed = world
        .send(world.request("POST", PLACE, &headers, body))
        .await;
    assert_eq!(placed.status, 200);
}

#[tokio::test]
async fn an_upstream_without_numbers_leaves_the_wallet_as_it_was() {
    let world = World::start().await;
    let before = world.wallet().await;
    let body = r#"{"service_id":"none","country_id":61}"#;
    let answer = world.post(BUY, &[], body).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "no_numbers"),
        "B-083"
    );
    assert_eq!(world.wallet().await, before);
    assert_eq!(world.books().await.open_holds, 0);
}
