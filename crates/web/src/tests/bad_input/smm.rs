//! Placing SMM orders.

use super::{JSON, refuses, refuses_bodies};
use crate::tests::world::{PLACE, World};

#[tokio::test]
async fn quantities() {
    let world = World::start().await;
    let ranges = [
        "0",
        "-1",
        "49",
        "10001",
        "2147483648",
        "9223372036854775808",
    ];
    let (great, greater) = ("1".to_owned() + &"0".repeat(30), "9".repeat(400));
    for quantity in ranges.into_iter().chain([great.as_str(), &greater]) {
        let body = order("1", quantity);
        let line = format!("B-106, B-108 | 400 quantity_out_of_range | {body}");
        refuses_bodies(&world, PLACE, &line).await;
        let error = world.post(PLACE, &[], &body).await.json()["error"].to_string();
        assert!(error.contains("50") && error.contains("10000"), "{error}");
    }
    for quantity in [
        "500.5",
        "5e2",
        "\" 500\"",
        "\"5,00\"",
        "\"５００\"",
        "true",
        "null",
        "[500]",
        "\"\"",
        "\"0500\"",
        "\"+500\"",
    ] {
        let line = format!("B-107 | 400 invalid_quantity | {}", order("1", quantity));
        refuses_bodies(&world, PLACE, &line).await;
    }
    let huge = format!(
        "B-109 | 400 quantity_out_of_range | {}",
        order("4", &u64::MAX.to_string())
    );
    refuses_bodies(&world, PLACE, &huge).await;
    assert_eq!(
        world.post(PLACE, &[], &order("1", "\"500\"")).await.status,
        200,
        "B-107"
    );
    let again = format!("B-116 | 409 duplicate_active_order | {}", order("1", "60"));
    refuses_bodies(&world, PLACE, &again).await;
}

fn order(service: &str, quantity: &str) -> String {
    format!(
        "{{\"service_id\":{service},\"link\":\"https://instagram.com/user\",\"quantity\":{quantity}}}"
    )
}

#[tokio::test]
async fn services_and_their_members() {
    let world = World::start().await;
    let table = r#"
        B-117 | 404 service_not_found  | {"service_id":"nothing","link":"https://instagram.com/user","quantity":500}
        B-117 | 404 service_not_found  | {"service_id":99,"link":"https://instagram.com/user","quantity":500}
        B-118 | 403 service_restricted | {"service_id":3,"link":"https://instagram.com/user","quantity":500}
        type  | 400 invalid_parameter  | {"service_id":true,"link":"https://instagram.com/user","quantity":500}
        type  | 400 invalid_parameter  | {"service_id":2,"link":"https://instagram.com/user","comments":{}}
        type  | 400 invalid_parameter  | {"service_id":5,"link":"https://instagram.com/user","quantity":500,"runs":"x"}
        none  | 400 missing_parameter  | {"link":"https://instagram.com/user","quantity":500}
        none  | 400 missing_parameter  | {"service_id":1,"quantity":500}
        none  | 400 missing_parameter  | {"service_id":1,"link":"https://instagram.com/user"}
        none  | 400 missing_parameter  | {"service_id":2,"link":"https://instagram.com/user"}
        none  | 400 missing_parameter  | {"service_id":5,"link":"https://instagram.com/user","quantity":500,"runs":2}
        order | 400 invalid_link       | {"service_id":99,"link":"x","quantity":500}
        price | 409 price_changed      | {"service_id":1,"link":"https://instagram.com/user","quantity":500,"max_price_usd":0.539999}
    "#;
    refuses_bodies(&world, PLACE, table).await;
}

/// B-112.
#[tokio::test]
async fn links() {
    let world = World::start().await;
    let long = format!("https://instagram.com/{}", "a".repeat(10_240));
    for link in [
        "<script>alert(1)</script>",
        "https://instagram.com/\"><img onerror=x>",
        "https://instagram.com/{{7*7}}",
        "=cmd()",
        "https://user:pass@instagram.com/",
        "http://localhost/",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://2130706433/",
        &long,
        "",
        " ",
        "https://instagram.com/a b",
        "https://instagram.com/\r\nX: y",
        "https://instagram.com/\u{0}",
        "https://instagram.com/\u{202e}",
        "https://insta\u{200b}gram.com/",
        "https://xn--instgram-1eb.com/",
        "https://instagr\u{430}m.com/",
    ] {
        let body =
            serde_json::json!({ "service_id": 1, "link": link, "quantity": 500 }).to_string();
        refuses(
            &world,
            &[(
                "B-111 to B-113",
                "POST",
                PLACE,
                JSON,
                &body,
                400,
                "invalid_link",
            )],
        )
        .await;
    }
    for link in ["1", "null", "[\"https://instagram.com/user\"]"] {
        let body = format!("{{\"service_id\":1,\"link\":{link},\"quantity\":500}}");
        refuses(
            &world,
            &[("B-111", "POST", PLACE, JSON, &body, 400, "invalid_link")],
        )
        .await;
    }
    let body = "{\"service_id\":1,\"link\":\"https://tiktok.com/user\",\"quantity\":500}";
    refuses(
        &world,
        &[(
            "B-114",
            "POST",
            PLACE,
            JSON,
            body,
            400,
            "link_host_mismatch",
        )],
    )
    .await;
}

#[tokio::test]
async fn members_that_a_type_has_no_use_for_are_ignored() {
    let world = World::start().await;
    let body = r#"{"service_id":1,"link":"https://instagram.com/user","quantity":500,
        "comments":{},"runs":"x","interval":[],"usernames":7,"min":1}"#;
    let placed = world.post(PLACE, &[], body).await;
    assert!(
        placed.text.contains("\"charged\":0.540000,"),
        "B-119: {}",
        placed.text
    );
    let body = r#"{"service_id":5,"link":"https://instagram.com/user","quantity":500,"runs":"x"}"#;
    let answer = world.post(PLACE, &[], body).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (400, "invalid_parameter")
    );
}
