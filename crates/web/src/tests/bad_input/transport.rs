//! The request itself: paths, methods, bodies.

use super::{BALANCE, JSON, Row, refuses, refuses_bodies};
use crate::tests::world::{BUY, CANCEL, DISCORD, PLACE, World};

const NO_ACTION: &str = "/api/v1/otp";

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
    let long = format!("{BALANCE}&x={}", "y".repeat(16 * 1024));
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
    assert_eq!(page.header("allow"), Some("GET,HEAD"));
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
            "B-012, B-013 {method}"
        );
        let answer = world
            .send(world.request(method, "/api/v1/otp", JSON, "{}"))
            .await;
        let expected = if method == "POST" { 400 } else { 405 };
        assert_eq!(answer.status, expected, "{method} without an action");
    }
    let tunnel = world.request("CONNECT", "example.org:443", &[], "");
    let answer = world.send(tunnel).await;
    let verdict = (answer.status, answer.code());
    assert_eq!(verdict, (405, "method_not_allowed".to_owned()), "B-013");
}

#[tokio::test]
async fn bodies() {
    let world = World::start().await;
    let table = r#"
        B-027 | 400 malformed_json      |
        B-028 | 400 invalid_body        | null
        B-028 | 400 invalid_body        | []
        B-028 | 400 invalid_body        | "x"
        B-028 | 400 invalid_body        | 1
        B-029 | 400 malformed_json      | {"order_id":1
        B-029 | 400 malformed_json      | {"order_id":1,}
        B-029 | 400 malformed_json      | {/**/"order_id":1}
        B-029 | 400 malformed_json      | {'order_id':1}
        B-031 | 400 duplicate_parameter | {"order_id":1,"order_id":2}
        B-033 | 400 malformed_json      | {"order_id":"\ud800"}
    "#;
    refuses_bodies(&world, CANCEL, table).await;
    let marked = "B-033 | 400 malformed_json | \u{feff}{\"order_id\":1}";
    refuses_bodies(&world, CANCEL, marked).await;
    let deep = format!(
        "B-032 | 400 malformed_json | {{\"a\":{}",
        "[".repeat(10_000)
    );
    refuses_bodies(&world, CANCEL, &deep).await;
    let long = "a".repeat(65);
    let long = format!("B-034 | 400 parameter_too_long | {{\"service_id\":\"{long}\"}}");
    refuses_bodies(&world, BUY, &long).await;
    let in_query = format!("{CANCEL}&order_id=43");
    let table = r#"
        B-038 | 400 duplicate_parameter | {"order_id":42}
        B-038 | 400 missing_parameter   | {}
    "#;
    refuses_bodies(&world, &in_query, table).await;
}

#[tokio::test]
async fn media_types_and_sizes() {
    let world = World::start().await;
    let plain = [("content-type", "text/plain")];
    let utf16 = [("content-type", "application/json; charset=utf-16")];
    let packed = [JSON[0], ("content-encoding", "gzip")];
    let large = format!("{{\"service_id\":\"{}\"}}", "a".repeat(70_000));
    let (too_large, media) = ("body_too_large", "unsupported_media_type");
    let rows: Vec<Row<'_>> = vec![
        ("B-017", "POST", BUY, JSON, &large, 413, too_large),
        ("B-017", "POST", BUY, &plain, &large, 413, too_large),
        ("B-017", "GET", BALANCE, JSON, &large, 413, too_large),
        ("B-021", "POST", BUY, &[], DISCORD, 415, media),
        ("B-022", "POST", BUY, &plain, DISCORD, 415, media),
        ("B-022", "POST", NO_ACTION, &plain, DISCORD, 415, media),
        ("B-023", "POST", BUY, &utf16, DISCORD, 415, media),
        (
            "B-024",
            "POST",
            BUY,
            &packed,
            DISCORD,
            415,
            "unsupported_encoding",
        ),
    ];
    refuses(&world, &rows).await;
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

#[tokio::test]
async fn pages_of_other_origins_read_nothing() {
    let world = World::start().await;
    let origin = ("origin", "https://evil.example");
    let wish = ("access-control-request-method", "POST");
    for (method, headers) in [("GET", &[origin][..]), ("OPTIONS", &[origin, wish])] {
        for target in [BALANCE, "/api/v1/openapi.json", "/docs"] {
            let answer = world.send(world.request(method, target, headers, "")).await;
            let allowed = answer.header("access-control-allow-origin");
            let with_cookies = answer.header("access-control-allow-credentials");
            assert_eq!(
                (allowed, with_cookies),
                (None, None),
                "B-156 {method} {target}"
            );
        }
    }
}
