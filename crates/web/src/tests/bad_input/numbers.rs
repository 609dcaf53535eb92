//! Buying numbers.

use super::{FORM, JSON, Row, refuses};
use crate::tests::world::{BUY, DISCORD, PLACE, World};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn buying_numbers() {
    let world = World::start().await;
    let keyed = format!("{}{}", "a".repeat(255), "b");
    let rows = [
        ("B-066", "{\"country_id\":\"61\"}", 400, "missing_parameter"),
        (
            "B-066",
            "{\"service_id\":\"306343\"}",
            400,
            "missing_parameter",
        ),
        (
            "B-067",
            "{\"service_id\":null,\"country_id\":61}",
            400,
            "invalid_parameter",
        ),
        (
            "B-067",
            "{\"service_id\":{},\"country_id\":61}",
            400,
            "invalid_parameter",
        ),
        (
            "B-067",
            "{\"service_id\":[],\"country_id\":61}",
            400,
            "invalid_parameter",
        ),
        (
            "B-067",
            "{\"service_id\":true,\"country_id\":61}",
            400,
            "invalid_parameter",
        ),
        (
            "B-069",
            "{\"service_id\":306343.5,\"country_id\":61}",
            400,
            "invalid_parameter",
        ),
        (
            "B-069",
            "{\"service_id\":1e5,\"country_id\":61}",
            400,
            "invalid_parameter",
        ),
        (
            "B-069",
            "{\"service_id\":-1,\"country_id\":61}",
            400,
            "invalid_parameter",
        ),
        (
            "B-069",
            "{\"service_id\":18446744073709551616,\"country_id\":61}",
            400,
            "invalid_parameter",
        ),
        (
            "B-071",
            "{\"service_id\":\"nothing\",\"country_id\":61}",
            404,
            "service_not_found",
        ),
        (
            "B-072",
            "{\"service_id\":\"tg\",\"country_id\":61}",
            404,
            "service_not_found",
        ),
        (
            "B-072",
            "{\"service_id\":306343,\"country_id\":62}",
            404,
            "service_not_found",
        ),
        (
            "B-073",
            "{\"service_id\":306343,\"country_id\":61,\"pool_id\":7}",
            400,
            "invalid_pool",
        ),
        (
            "B-073",
            "{\"service_id\":\"tg\",\"country_id\":61,\"server\":\"andrew\",\"pool_id\":9}",
            400,
            "invalid_pool",
        ),
        (
            "B-074",
            "{\"service_id\":306343,\"country_id\":61,\"provider_type\":3}",
            400,
            "invalid_provider_type",
        ),
        (
            "B-074",
            "{\"service_id\":306343,\"country_id\":61,\"provider_type\":\"01\"}",
            400,
            "invalid_provider_type",
        ),
        (
            "B-078",
            "{\"service_id\":306343,\"country_id\":61,\"max_price_usd\":0.039999}",
            409,
            "price_changed",
        ),
        (
            "all",
            "{\"service_id\":306343,\"country_id\":61,\"server\":\"all\"}",
            400,
            "invalid_parameter",
        ),
        (
            "B-056",
            "{\"service_id\":306343,\"country_id\":61,\"source\":\"nobody\"}",
            400,
            "unknown_server",
        ),
        (
            "B-058",
            "{\"service_id\":306343,\"country_id\":61,\"server\":[\"peter\"]}",
            400,
            "unknown_server",
        ),
        (
            "B-057",
            "{\"service_id\":306343,\"country_id\":61,\"source\":\"paul\",\"server\":\"peter\"}",
            400,
            "conflicting_parameters",
        ),
        (
            "B-064",
            "{\"service_id\":306343,\"country_id\":61,\"server\":\"luke\"}",
            503,
            "provider_unavailable",
        ),
    ];
    let rows = rows.map(|(number, body, status, code)| -> Row<'_> {
        (number, "POST", BUY, JSON, body, status, code)
    });
    refuses(&world, &rows).await;
    for price in [
        "-1",
        "\"NaN\"",
        "\"0.04 USD\"",
        "1e-9",
        "0.04000000000000000001",
        "null",
        "\"\"",
    ] {
        let body = format!("{{\"service_id\":306343,\"country_id\":61,\"max_price_usd\":{price}}}");
        refuses(
            &world,
            &[("B-079", "POST", BUY, JSON, &body, 400, "invalid_parameter")],
        )
        .await;
    }
    for key in ["", "\"\"", "a b", &keyed] {
        let headers = [JSON[0], ("idempotency-key", key)];
        refuses(
            &world,
            &[(
                "B-084",
                "POST",
                BUY,
                &headers,
                DISCORD,
                400,
                "invalid_idempotency_key",
            )],
        )
        .await;
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
