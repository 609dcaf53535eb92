//! The request itself: paths, methods, bodies.

use super::{BALANCE, JSON, Row, refuses};
use crate::tests::world::{BUY, CANCEL, DISCORD, PLACE, World};

#[tokio::test]
async fn routing_and_actions() {
    let world = World::start().await;
    let gets = [
        ("B-001", "/api/v2/otp", 404, "not_found"),
        ("B-002", "/api/v1/otp/?action=balance", 404, "not_found"),
        ("B-002", "//api/v1/otp?action=balance", 404, "not_found"),
        ("B-002", "/API/v1/otp?action=balance", 404, "not_found"),
        ("B-003", "/api/v1/otp/..%2fadmin", 404, "not_found"),
        ("B-003", "/api/v1/%6ftp?action=balance", 404, "not_found"),
        ("B-003", "/assets/%2e%2e%2fdocs.css", 404, "not_found"),
        ("B-003", "/assets/%c0%ae", 404, "not_found"),
        ("B-004", "/api/v1/otp", 400, "missing_action"),
        ("B-004", "/api/v1/smm?", 400, "missing_action"),
        ("B-006", "/api/v1/otp?action=BALANCE", 400, "unknown_action"),
        (
            "B-006",
            "/api/v1/otp?action=place_order",
            400,
            "unknown_action",
        ),
        (
            "B-007",
            "/api/v1/otp?action=balance&action=buy_number",
            400,
            "duplicate_parameter",
        ),
        (
            "B-008",
            "/api/v1/otp?action[]=balance",
            400,
            "unknown_action",
        ),
        (
            "B-009",
            "/api/v1/otp?action=balance%00",
            400,
            "unknown_action",
        ),
        (
            "B-009",
            "/api/v1/otp?action=balance%ff",
            400,
            "unknown_action",
        ),
    ];
    let rows = gets.map(|(number, target, status, code)| -> Row<'_> {
        (number, "GET", target, &[][..], "", status, code)
    });
    refuses(&world, &rows).await;
    let long = format!("{BALANCE}&x={}", "y".repeat(8 * 1024));
    refuses(
        &world,
        &[("414", "GET", &long, &[], "", 414, "uri_too_long")],
    )
    .await;
    let page = world.send(world.request("POST", "/docs", &[], "")).await;
    assert_eq!(
        (page.status, page.code().as_str()),
        (405, "method_not_allowed")
    );
    assert_eq!(page.header("allow"), Some("GET, HEAD"));
}

#[tokio::test]
async fn methods() {
    let world = World::start().await;
    for target in [BUY, CANCEL, PLACE] {
        let overriding = [("x-http-method-override", "POST")];
        for headers in [&[][..], &overriding] {
            let answer = world.send(world.request("GET", target, headers, "")).await;
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some("POST")),
                "B-011, B-014"
            );
        }
    }
    for method in [
        "DELETE", "PUT", "PATCH", "POST", "HEAD", "OPTIONS", "TRACE", "BREW",
    ] {
        let answer = world.send(world.request(method, BALANCE, &[], "")).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("GET")),
            "B-012 {method}"
        );
        let answer = world
            .send(world.request(method, "/api/v1/otp", JSON, "{}"))
            .await;
        let expected = if method == "POST" { 400 } else { 405 };
        assert_eq!(answer.status, expected, "{method} without an action");
    }
}

#[tokio::test]
async fn bodies() {
    let world = World::start().await;
    let typed = |text| [("content-type", text)];
    let (plain, utf16) = (
        typed("text/plain"),
        typed("application/json; charset=utf-16"),
    );
    let packed = [JSON[0], ("content-encoding", "gzip")];
    let large = format!("{{\"service_id\":\"{}\"}}", "a".repeat(70_000));
    let deep = format!("{{\"a\":{}", "[".repeat(10_000));
    let long_id = format!(
        "{{\"service_id\":\"{}\",\"country_id\":\"61\"}}",
        "a".repeat(65)
    );
    let rows: Vec<Row<'_>> = vec![
        ("B-017", "POST", BUY, JSON, &large, 413, "body_too_large"),
        ("B-017", "POST", BUY, &plain, &large, 413, "body_too_large"),
        (
            "B-021",
            "POST",
            BUY,
            &[],
            DISCORD,
            415,
            "unsupported_media_type",
        ),
        (
            "B-022",
            "POST",
            BUY,
            &plain,
            DISCORD,
            415,
            "unsupported_media_type",
        ),
        (
            "B-022",
            "POST",
            "/api/v1/otp",
            &plain,
            DISCORD,
            415,
            "unsupported_media_type",
        ),
        (
            "B-023",
            "POST",
            BUY,
            &utf16,
            DISCORD,
            415,
            "unsupported_media_type",
        ),
        (
            "B-024",
            "POST",
            BUY,
            &packed,
            DISCORD,
            415,
            "unsupported_encoding",
        ),
        (
            "B-034",
            "POST",
            BUY,
            JSON,
            &long_id,
            400,
            "parameter_too_long",
        ),
        ("B-032", "POST", BUY, JSON, &deep, 400, "malformed_json"),
    ];
    refuses(&world, &rows).await;
    let bodies = [
        ("B-027", "", "malformed_json"),
        ("B-028", "null", "invalid_body"),
        ("B-028", "[]", "invalid_body"),
        ("B-028", "\"x\"", "invalid_body"),
        ("B-028", "1", "invalid_body"),
        ("B-029", "{\"order_id\":1", "malformed_json"),
        ("B-029", "{\"order_id\":1,}", "malformed_json"),
        ("B-029", "{/**/\"order_id\":1}", "malformed_json"),
        ("B-029", "{'order_id':1}", "malformed_json"),
        (
            "B-031",
            "{\"order_id\":1,\"order_id\":2}",
            "duplicate_parameter",
        ),
        ("B-033", "{\"order_id\":\"\\ud800\"}", "malformed_json"),
        ("B-033", "\u{feff}{\"order_id\":1}", "malformed_json"),
    ];
    let rows = bodies
        .map(|(number, body, code)| -> Row<'_> { (number, "POST", CANCEL, JSON, body, 400, code) });
    refuses(&world, &rows).await;
    let in_both = format!("{CANCEL}&order_id=43");
    let row = (
        "B-038",
        "POST",
        in_both.as_str(),
        JSON,
        "{\"order_id\":42}",
        400,
        "duplicate_parameter",
    );
    refuses(&world, &[row]).await;
    let only_query = format!("{CANCEL}&order_id=43");
    let row = (
        "B-038",
        "POST",
        only_query.as_str(),
        JSON,
        "{}",
        400,
        "missing_parameter",
    );
    refuses(&world, &[row]).await;
}

#[tokio::test]
async fn streamed_bodies_are_bounded_as_well() {
    let world = World::start().await;
    let mut request = world.request("POST", BUY, JSON, "");
    *request.body_mut() = axum::body::Body::from("a".repeat(64 * 1024 + 1));
    assert_eq!(world.send(request).await.code(), "body_too_large");
}

#[tokio::test]
async fn extra_members_have_no_effect() {
    let world = World::start().await;
    let body = r#"{"service_id":"306343","country_id":"61","account_id":7,"charged":0,
        "status":"received","role":"admin","__proto__":{"a":1},"constructor":[1]}"#;
    let data = world.post(BUY, &[], body).await.data();
    assert_eq!(data["status"], "waiting", "B-036, B-037");
    assert_eq!(world.wallet().await.held.to_string(), "0.040000");
    let plain = world.get(&format!("{BALANCE}&admin=1&x[]=2")).await;
    assert_eq!(plain.data()["wallet_balance"], "49.960000");
}
