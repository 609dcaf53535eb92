//! Countries, services and lists of orders.

use super::refuses_queries;
use crate::tests::world::World;

#[tokio::test]
async fn services_and_countries() {
    let world = World::start().await;
    let services = r#"
        B-056 | 400 unknown_server         | server=nobody&country_id=61
        B-057 | 400 conflicting_parameters | server=peter&source=paul&country_id=61
        B-058 | 400 unknown_server         | server=peter,paul&country_id=61
        B-058 | 400 unknown_server         | server[]=peter&country_id=61
        B-059 | 400 missing_country_id     | server=peter
        B-059 | 400 missing_country_id     | server=peter&country_key=pakistan
        B-059 | 400 missing_country_id     |
        B-059 | 400 missing_parameter      | server=all&country_id=61
        B-061 | 404 country_not_found      | country_key=Pakistan%20
        B-061 | 404 country_not_found      | country_key=pakistan'%20OR%201=1--
        B-061 | 404 country_not_found      | country_id=99
        B-062 | 400 invalid_routes         | country_key=pakistan&routes=1:61,
        B-062 | 400 invalid_routes         | country_key=pakistan&routes=1
        B-062 | 400 invalid_routes         | country_key=pakistan&routes=:61
        B-062 | 400 invalid_routes         | country_key=pakistan&routes=a:b
        B-062 | 400 invalid_routes         | country_key=pakistan&routes=1:61:2
        B-063 | 400 invalid_provider_type  | country_id=61&provider_type=1.0
        B-063 | 400 invalid_provider_type  | country_id=61&provider_type=two
        B-063 | 400 invalid_provider_type  | country_id=61&provider_type=1099511627776
        B-063 | 400 invalid_provider_type  | country_id=61&provider_type=9
        B-064 | 503 provider_unavailable   | server=luke&country_id=61
    "#;
    let target = "/api/v1/otp?action=services";
    refuses_queries(&world, target, services).await;
    let (key, routes) = ("a".repeat(5_000), vec!["1:61"; 1_000].join(","));
    let long = format!(
        "B-061 | 400 parameter_too_long | country_key={key}
         B-062 | 400 invalid_routes     | country_key=pakistan&routes={routes}"
    );
    refuses_queries(&world, target, &long).await;
    let countries = r#"
        B-056 | 400 unknown_server       | server=nobody
        B-058 | 400 unknown_server       | source[]=peter
        B-064 | 503 provider_unavailable | server=luke
        twice | 400 duplicate_parameter  | server=peter&server=peter
    "#;
    refuses_queries(&world, "/api/v1/otp?action=countries", countries).await;
}

#[tokio::test]
async fn pages_of_orders() {
    let world = World::start().await;
    let table = r#"
        orders | 400 invalid_parameter | limit=0
        orders | 400 invalid_parameter | limit=101
        orders | 400 invalid_parameter | limit=x
        orders | 400 invalid_parameter | cursor=%21
        orders | 400 invalid_parameter | cursor=
        orders | 400 invalid_parameter | since=yesterday
        orders | 400 invalid_parameter | status=lost
        orders | 400 invalid_parameter | status[]=waiting
    "#;
    for path in ["otp", "smm"] {
        refuses_queries(&world, &format!("/api/v1/{path}?action=orders"), table).await;
    }
}
