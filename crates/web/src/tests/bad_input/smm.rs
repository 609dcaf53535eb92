//! Placing SMM orders.

use super::{JSON, refuses};
use crate::tests::world::{PLACE, World};

#[tokio::test]
async fn placing_orders() {
    let world = World::start().await;
    let order = |quantity: &str| {
        format!(
            "{{\"service_id\":1,\"link\":\"https://instagram.com/user\",\"quantity\":{quantity}}}"
        )
    };
    for quantity in [
        "0",
        "-1",
        "49",
        "10001",
        "2147483648",
        "9223372036854775808",
        "1000000000000000000000000000000",
        &"9".repeat(400),
    ] {
        let number = "B-106, B-108";
        let body = order(quantity);
        refuses(
            &world,
            &[(
                number,
                "POST",
                PLACE,
                JSON,
                &body,
                400,
                "quantity_out_of_range",
            )],
        )
        .await;
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
        let body = order(quantity);
        refuses(
            &world,
            &[("B-107", "POST", PLACE, JSON, &body, 400, "invalid_quantity")],
        )
        .await;
    }
    let huge = "{\"service_id\":4,\"link\":\"https://instagram.com/user\",\"quantity\":18446744073709551615}";
    refuses(
        &world,
        &[(
            "B-109",
            "POST",
            PLACE,
            JSON,
            huge,
            400,
            "quantity_out_of_range",
        )],
    )
    .await;
    for (number, service, status, code) in [
        ("B-117", "\"nothing\"", 404, "service_not_found"),
        ("B-117", "99", 404, "service_not_found"),
        ("B-118", "3", 403, "service_restricted"),
        ("type", "true", 400, "invalid_parameter"),
    ] {
        let body = order("500").replacen(":1,", &format!(":{service},"), 1);
        refuses(
            &world,
            &[(number, "POST", PLACE, JSON, &body, status, code)],
        )
        .await;
    }
    for body in [
        "{\"link\":\"https://instagram.com/user\",\"quantity\":500}",
        "{\"service_id\":1,\"quantity\":500}",
        "{\"service_id\":1,\"link\":\"https://instagram.com/user\"}",
        "{\"service_id\":2,\"link\":\"https://instagram.com/user\"}",
        "{\"service_id\":5,\"link\":\"https://instagram.com/user\",\"quantity\":500,\"runs\":2}",
    ] {
        refuses(
            &world,
            &[(
                "missing",
                "POST",
                PLACE,
                JSON,
                body,
                400,
                "missing_parameter",
            )],
        )
        .await;
    }
    let odd = "{\"service_id\":2,\"link\":\"https://instagram.com/user\",\"comments\":{}}";
    refuses(
        &world,
        &[("type", "POST", PLACE, JSON, odd, 400, "invalid_parameter")],
    )
    .await;
    let accepted = world.post(PLACE, &[], &order("\"500\"")).await;
    assert_eq!(accepted.status, 200, "B-107");
    refuses(
        &world,
        &[(
            "B-116",
            "POST",
            PLACE,
            JSON,
            &order("60"),
            409,
            "duplicate_active_order",
        )],
    )
    .await;
}

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
