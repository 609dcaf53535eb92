//! Countries, services and lists of orders.

use super::refuses;
use crate::tests::world::World;

#[tokio::test]
async fn lists() {
    let world = World::start().await;
    let long = format!("country_key={}", "a".repeat(10_240 / 2));
    let routes = format!(
        "country_key=pakistan&routes={}",
        vec!["1:61"; 1_000].join(",")
    );
    let services = [
        (
            "B-056",
            "server=nobody&country_id=61",
            400,
            "unknown_server",
        ),
        (
            "B-057",
            "server=peter&source=paul&country_id=61",
            400,
            "conflicting_parameters",
        ),
        (
            "B-058",
            "server=peter,paul&country_id=61",
            400,
            "unknown_server",
        ),
        (
            "B-058",
            "server[]=peter&country_id=61",
            400,
            "unknown_server",
        ),
        ("B-059", "server=peter", 400, "missing_country_id"),
        ("B-059", "", 400, "missing_country_id"),
        (
            "B-059",
            "server=all&country_id=61",
            400,
            "missing_parameter",
        ),
        ("B-061", "country_key=Pakistan%20", 404, "country_not_found"),
        (
            "B-061",
            "country_key=pakistan'%20OR%201=1--",
            404,
            "country_not_found",
        ),
        ("B-061", &long, 400, "parameter_too_long"),
        ("B-061", "country_id=99", 404, "country_not_found"),
        (
            "B-062",
            "country_key=pakistan&routes=1:61,",
            400,
            "invalid_routes",
        ),
        (
            "B-062",
            "country_key=pakistan&routes=1",
            400,
            "invalid_routes",
        ),
        (
            "B-062",
            "country_key=pakistan&routes=:61",
            400,
            "invalid_routes",
        ),
        (
            "B-062",
            "country_key=pakistan&routes=a:b",
            400,
            "invalid_routes",
        ),
        (
            "B-062",
            "country_key=pakistan&routes=1:61:2",
            400,
            "invalid_routes",
        ),
        ("B-062", &routes, 400, "invalid_routes"),
        (
            "B-063",
            "country_id=61&provider_type=1.0",
            400,
            "invalid_provider_type",
        ),
        (
            "B-063",
            "country_id=61&provider_type=two",
            400,
            "invalid_provider_type",
        ),
        (
            "B-063",
            "country_id=61&provider_type=1099511627776",
            400,
            "invalid_provider_type",
        ),
        (
            "B-063",
            "country_id=61&provider_type=9",
            400,
            "invalid_provider_type",
        ),
        (
            "B-064",
            "server=luke&country_id=61",
            503,
            "provider_unavailable",
        ),
    ];
    for (number, query, status, code) in services {
        let target = format!("/api/v1/otp?action=services&{query}");
        refuses(&world, &[(number, "GET", &target, &[], "", status, code)]).await;
    }
    for (query, status, code) in [
        ("server=nobody", 400, "unknown_server"),
        ("server=luke", 503, "provider_unavailable"),
        ("source[]=peter", 400, "unknown_server"),
        ("server=peter&server=peter", 400, "duplicate_parameter"),
    ] {
        let target = format!("/api/v1/otp?action=countries&{query}");
        refuses(
            &world,
            &[("countries", "GET", &target, &[], "", status, code)],
        )
        .await;
    }
    for (query, code) in [
        ("limit=0", "invalid_parameter"),
        ("limit=101", "invalid_parameter"),
        ("limit=x", "invalid_parameter"),
        ("cursor=%21", "invalid_parameter"),
        ("cursor=", "invalid_parameter"),
        ("since=yesterday", "invalid_parameter"),
        ("status=lost", "invalid_parameter"),
        ("status[]=waiting", "invalid_parameter"),
    ] {
        for path in ["otp", "smm"] {
            let target = format!("/api/v1/{path}?action=orders&{query}");
            refuses(&world, &[("orders", "GET", &target, &[], "", 400, code)]).await;
        }
    }
}
