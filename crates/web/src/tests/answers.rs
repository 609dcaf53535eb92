//! What each endpoint answers when all is well.

use super::world::{BUY, CANCEL, DISCORD, PLACE, World};
use domain::time::Millis;
use domain::upstream::Sms;
use serde_json::{Value, json};

#[tokio::test]
async fn countries_are_merged_and_carry_each_servers_ids() {
    let world = World::start().await;
    let data = world.get("/api/v1/otp?action=countries").await.data();
    let expected = json!({
        "countries": [{
            "id": "61", "key": "pakistan", "name": "Pakistan",
            "routes": [
                { "provider_type": 1, "country_id": "61" },
                { "provider_type": 2, "country_id": "61" },
            ],
            "providers": ["peter", "paul", "andrew"],
            "provider_country_ids": { "peter": ["61"], "paul": ["6"], "andrew": ["61"] },
        }],
        "provider_sources": ["peter", "paul", "andrew"],
    });
    assert_eq!(data, expected);
    let paul = world
        .get("/api/v1/otp?action=countries&source=paul")
        .await
        .data();
    assert_eq!(paul["countries"][0]["id"], "6");
    assert_eq!(paul["countries"][0].get("routes"), None);
    let all = world
        .get("/api/v1/otp?action=countries&server=all")
        .await
        .data();
    assert_eq!(all, expected);
}

#[tokio::test]
async fn services_have_exact_prices_and_only_what_is_known() {
    let world = World::start().await;
    let target = "/api/v1/otp?action=services&country_key=pakistan&routes=1:61";
    let answer = world.get(target).await;
    let services = answer.data()["services"].as_array().unwrap().clone();
    assert!(
        answer.text.contains(r#""your_price_usd":0.040000"#),
        "{}",
        answer.text
    );
    let of = |id: &str, server: &str| {
        let fits =
            |service: &&Value| service["service_id"] == id && service["provider_source"] == server;
        services.iter().find(fits).unwrap().clone()
    };
    let discord = of("306343", "peter");
    assert_eq!(
        (&discord["provider_type"], &discord["country_id"]),
        (&json!(1), &json!("61"))
    );
    assert_eq!(
        (&discord["success_rate"], &discord["available"]),
        (&json!(86), &json!(100))
    );
    assert_eq!(discord.get("pool_id"), None);
    let telegram = of("tg", "paul");
    assert_eq!(
        (&telegram["provider_type"], &telegram["success_rate"]),
        (&json!(0), &Value::Null)
    );
    assert_eq!(telegram.get("available"), None);
    assert_eq!(
        of("tg", "andrew")["pool_id"],
        "8",
        "the cheapest pool comes first"
    );
    let one = world
        .get("/api/v1/otp?action=services&country_id=61")
        .await
        .data();
    let servers = one["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["provider_source"]);
    assert!(
        servers.eq(vec!["peter"; 4]),
        "without a server it is the default one"
    );
}

#[tokio::test]
async fn a_number_is_bought_polled_and_received() {
    let world = World::start().await;
    let bought = world.post(BUY, &[], DISCORD).await;
    let id = bought.data()["order_id"].as_str().unwrap().to_owned();
    let expected = format!(
        "{{\"success\":true,\"data\":{{\"order_id\":\"{id}\",\"phone_number\":\"+923001234567\",\
         \"provider_source\":\"peter\",\"charged_usd\":0.040000,\"status\":\"waiting\",\
         \"expires_at\":\"2026-01-31T12:20:00Z\",\"cancel_allowed_at\":\"2026-01-31T12:02:00Z\",\
         \"poll_after_s\":3}}}}"
    );
    assert_eq!(bought.text, expected);
    let target = format!("/api/v1/otp?action=get_status&order_id={id}");
    let waiting = world.get(&target).await.data();
    assert_eq!(
        (&waiting["status"], waiting.get("code")),
        (&json!("waiting"), None)
    );
    assert_eq!(waiting["phone_number"], "+923001234567");
    let sms = Sms {
        code: "123456".to_owned(),
        text: Some("Code 123456".to_owned()),
    };
    receive(&world, &id, sms).await;
    let received = world.get(&target).await.data();
    assert_eq!(received["status"], "received");
    assert_eq!(
        (&received["code"], &received["text"]),
        (&json!("123456"), &json!("Code 123456"))
    );
    let cancel = world
        .post(CANCEL, &[], &format!("{{\"order_id\":{id}}}"))
        .await;
    assert_eq!(
        (cancel.status, cancel.code().as_str()),
        (409, "already_received")
    );
    assert_eq!(world.wallet().await.available.to_string(), "49.960000");
}

/// Lets the message arrive at the upstream, and then in the store by the domain's own rule.
async fn receive(world: &World, id: &str, sms: Sms) {
    use domain::activation::Plan;
    use domain::ports::{Clock, Store};
    let order = domain::ids::OrderId::parse(id).unwrap();
    let activation = world.store.activation(order).await.unwrap().unwrap();
    let plan = Plan {
        lease: Millis(1),
        in_doubt_window: Millis(1),
        min_cancel_age: Millis(1),
        lifetime: Millis::minutes(20),
        retry: Millis(1),
    };
    world.clock.advance(Millis::seconds(4));
    let now = world.clock.now();
    let writes = activation.message_seen(sms, &plan, now);
    let change = domain::change::Change::new("message", now, writes);
    world.store.commit(change).await.unwrap();
}

#[tokio::test]
async fn balances_are_what_can_be_spent() {
    let world = World::start().await;
    for path in ["otp", "smm"] {
        // the reference clients declare JSON on a GET without a body
        let headers = [("content-type", "application/json")];
        let target = format!("/api/v1/{path}?action=balance");
        let answer = world
            .send(world.request("GET", &target, &headers, ""))
            .await;
        let expected = r#"{"success":true,"data":{"wallet_balance":"50.000000","currency":"USD"}}"#;
        assert_eq!(answer.text, expected);
    }
}

#[tokio::test]
async fn smm_orders_are_placed_and_followed() {
    let world = World::start().await;
    let services = world.get("/api/v1/smm?action=services").await;
    let first = services.data()["services"][0].clone();
    assert!(services.text.contains(r#""rate_usd_per_1000":1.080000"#));
    assert_eq!(first["service_id"], "1");
    assert_eq!((&first["min"], &first["max"]), (&json!(50), &json!(10_000)));
    assert_eq!(
        (&first["type"], &first["cancel"]),
        (&json!("Default"), &json!(true))
    );
    let body = r#"{"service_id":"1","link":"https://instagram.com/user","quantity":500}"#;
    let placed = world.post(PLACE, &[], body).await;
    let id = placed.data()["order_id"].as_str().unwrap().to_owned();
    let expected = format!(
        "{{\"success\":true,\"data\":{{\"order_id\":\"{id}\",\"charged\":0.540000,\"status\":\"Pending\"}}}}"
    );
    assert_eq!(placed.text, expected);
    let target = format!("/api/v1/smm?action=order_status&order_id={id}");
    let status = world.get(&target).await;
    let data = status.data();
    assert_eq!(
        (&data["status"], &data["remains"]),
        (&json!("Pending"), &json!(500))
    );
    assert_eq!(data["start_count"], 0);
    assert!(status.text.contains(r#""refunded":0.000000"#));
    let lines = r#"{"service_id":2,"link":"https://instagram.com/user","comments":["a","b"]}"#;
    let few = world.post(PLACE, &[], lines).await;
    assert_eq!(
        few.code(),
        "quantity_out_of_range",
        "lines are counted: {}",
        few.text
    );
    assert!(few.text.contains("Parameter comments"), "{}", few.text);
    let drip = |runs: &str| {
        format!(
            "{{\"service_id\":5,\"link\":\"https://instagram.com/drip\",\"quantity\":5000,\
             \"runs\":{runs},\"interval\":{}}}",
            if runs == "null" { "null" } else { "60" }
        )
    };
    let much = world.post(PLACE, &[], &drip("3000")).await;
    assert_eq!(much.code(), "quantity_out_of_range", "{}", much.text);
    assert!(much.text.contains("Parameter runs"), "{}", much.text);
    let once = world.post(PLACE, &[], &drip("null")).await;
    assert_eq!(once.status, 200, "{}", once.text);
    let many = vec!["\"fine\""; 50].join(",");
    let lines = format!(
        "{{\"service_id\":2,\"link\":\"https://instagram.com/user\",\"comments\":[{many}]}}"
    );
    let placed = world.post(PLACE, &[], &lines).await;
    assert!(
        placed.text.contains("\"charged\":0.054000,"),
        "{}",
        placed.text
    );
}

#[tokio::test]
async fn orders_are_listed_page_by_page() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.insert(0, world.buy().await);
    }
    world.clock.advance(Millis::seconds(121));
    world
        .post(CANCEL, &[], &format!("{{\"order_id\":{}}}", ids[3]))
        .await
        .data();
    let list = "/api/v1/otp?action=orders";
    let all = world.get(list).await.data();
    let listed = |data: &Value| -> Vec<String> {
        let orders = data["orders"].as_array().unwrap().iter();
        orders
            .map(|one| one["order_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        (listed(&all), &all["next_cursor"]),
        (ids.clone(), &Value::Null)
    );
    assert_eq!(all["orders"][0]["created_at"], "2026-01-31T12:00:00Z");
    let first = world.get(&format!("{list}&limit=2")).await.data();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = world
        .get(&format!("{list}&limit=2&cursor={cursor}"))
        .await
        .data();
    assert_eq!([listed(&first), listed(&second)].concat(), ids);
    assert_eq!(
        second["next_cursor"],
        Value::Null,
        "a full last page is still the last"
    );
    let cancelled = world.get(&format!("{list}&status=cancelled")).await.data();
    assert_eq!(listed(&cancelled), ids[3..]);
    let later = world
        .get(&format!("{list}&since=2026-01-31T12:00:01Z"))
        .await
        .data();
    assert_eq!(listed(&later), Vec::<String>::new());
    let body = r#"{"service_id":"1","link":"https://instagram.com/user","quantity":500}"#;
    world.post(PLACE, &[], body).await.data();
    let smm = world
        .get("/api/v1/smm?action=orders&status=Pending")
        .await
        .data();
    assert_eq!(smm["orders"][0]["link"], "https://instagram.com/user");
    assert_eq!(smm["orders"][0]["quantity"], 500);
    let none = world
        .get("/api/v1/smm?action=orders&status=In+progress")
        .await
        .data();
    assert_eq!(none["orders"], json!([]));
}
