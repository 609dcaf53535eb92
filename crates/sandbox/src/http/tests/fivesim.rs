use super::*;
use axum::http::header;

impl World {
    /// A 5sim call of `john`'s with this header value.
    async fn john_as(&self, bearer: &str, call: &str) -> Response {
        let request = Request::builder()
            .uri(format!("/john/v1/{call}"))
            .header(header::AUTHORIZATION, bearer)
            .body(Body::empty())
            .unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn john(&self, call: &str) -> Response {
        self.john_as("Bearer sandbox-john-key", call).await
    }

    /// A call that is answered with a document.
    pub(super) async fn john_json(&self, call: &str) -> Value {
        let response = self.john(call).await;
        assert_eq!(response.status(), StatusCode::OK, "{call}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        json_of(&text_of(response).await)
    }

    /// A call that is answered with a text under this status.
    async fn john_says(&self, call: &str, status: u16, text: &str) {
        let response = self.john(call).await;
        assert_eq!(response.status().as_u16(), status, "{call}");
        assert_eq!(text_of(response).await, text, "{call}");
    }

    async fn john_buys(&self, product: &str) -> Value {
        self.john_json(&format!("user/buy/activation/usa/any/{product}"))
            .await
    }
}

#[tokio::test]
async fn an_order_from_sale_to_its_code() {
    let world = World::new();
    let order = world.john_buys("telegram").await;
    assert_eq!(
        (&order["status"], &order["sms"]),
        (&"PENDING".into(), &Value::Null)
    );
    assert_eq!(
        (&order["country"], &order["product"]),
        (&"usa".into(), &"telegram".into())
    );
    assert!(
        order["phone"].as_str().unwrap().starts_with("+1"),
        "{order}"
    );
    assert_eq!(order["created_at"], "2026-06-01T17:30:57.000Z");
    assert_eq!(order["expires"], "2026-06-01T17:50:57.000Z");
    let id = order["id"].as_u64().unwrap();
    world
        .john_says(&format!("user/finish/{id}"), 400, "order no sms")
        .await;
    world.pass(2_000);
    let ready = world.john_json(&format!("user/check/{id}")).await;
    assert_eq!(
        (&ready["status"], &ready["sms"]),
        (&"RECEIVED".into(), &Value::Array(vec![]))
    );
    world.pass(2_000);
    let received = world.john_json(&format!("user/check/{id}")).await;
    let code = received["sms"][0]["code"].as_str().unwrap();
    assert_eq!((code.len(), &received["status"]), (6, &"RECEIVED".into()));
    world
        .john_says(&format!("user/cancel/{id}"), 400, "order has sms")
        .await;
    let finished = world.john_json(&format!("user/finish/{id}")).await;
    assert_eq!(finished["status"], "FINISHED");
    let sold = world.sold().await;
    assert_eq!(
        (&sold[0]["country"], &sold[0]["status"]),
        (&"usa".into(), &"finished".into())
    );
}

#[tokio::test]
async fn a_cancel_is_locked_then_refunded_and_answered_once() {
    let world = World::new();
    let id = world.john_buys("sbnever").await["id"].to_string();
    let cancel = format!("user/cancel/{id}");
    assert_eq!(
        world.john_json("user/profile").await["balance"].to_string(),
        "99999.99"
    );
    world.john_says(&cancel, 400, "you need to wait time").await;
    world.pass(120_000);
    assert_eq!(world.john_json(&cancel).await["status"], "CANCELED");
    assert_eq!(
        world.john_json("user/profile").await["balance"].to_string(),
        "100000"
    );
    world.john_says(&cancel, 400, "order expired").await;
    world
        .john_says("user/cancel/1", 404, "order not found")
        .await;
}

#[tokio::test]
async fn a_bank_writes_without_a_code_and_an_order_without_a_message_times_out() {
    let world = World::new();
    let bank = world.john_buys("sbharbor").await["id"].to_string();
    let never = world.john_buys("sbnever").await["id"].to_string();
    world.pass(5_000);
    let bank = world.john_json(&format!("user/check/{bank}")).await;
    assert_eq!(bank["sms"][0]["code"], "");
    assert!(
        bank["sms"][0]["text"]
            .as_str()
            .unwrap()
            .contains("transfer")
    );
    world.pass(20 * 60_000);
    let never = world.john_json(&format!("user/check/{never}")).await;
    assert_eq!(never["status"], "TIMEOUT");
}

#[tokio::test]
async fn stock_outs_come_under_status_200_and_a_cap_counts_with_any_operator_alone() {
    let world = World::new();
    let buy = "user/buy/activation/usa";
    let none = "no free phones";
    world
        .john_says(&format!("{buy}/any/sbnonumbers"), 200, none)
        .await;
    world
        .john_says(&format!("{buy}/virtual21/telegram"), 200, none)
        .await;
    world
        .john_says(&format!("{buy}/any/telegram?maxPrice=0.0001"), 200, none)
        .await;
    assert!(world.sold().await.is_empty());
    let named = format!("{buy}/virtual4/telegram?maxPrice=0.0001");
    assert_eq!(world.john_json(&named).await["operator"], "virtual4");
    world
        .john_says(&format!("{buy}/beeline/telegram"), 400, "bad operator")
        .await;
    world
        .john_says(&format!("{buy}/any/nothing"), 400, "no product")
        .await;
    world
        .john_says(
            "user/buy/activation/nowhere/any/telegram",
            400,
            "country is incorrect",
        )
        .await;
}

#[tokio::test]
async fn a_wrong_key_opens_the_guest_pages_alone() {
    let world = World::new();
    for bearer in ["Bearer wrong", "sandbox-john-key", ""] {
        let response = world.john_as(bearer, "user/profile").await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{bearer}");
        let response = world.john_as(bearer, "guest/countries").await;
        assert_eq!(response.status(), StatusCode::OK, "{bearer}");
    }
    world
        .john_says("user/steal/1", 404, "404 page not found")
        .await;
}

#[tokio::test]
async fn misbehaving_services_misbehave_here_too() {
    let world = World::new();
    let buy = |product: &str| format!("user/buy/activation/usa/any/{product}");
    assert!(hung_up(&world.john(&buy("sblostbefore")).await));
    assert!(world.sold().await.is_empty());
    assert!(hung_up(&world.john(&buy("sblostafter")).await));
    assert_eq!(world.sold().await.len(), 1);
    let page = text_of(world.john(&buy("sbgarbage")).await).await;
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    world.set_faults(r#"{"rates":{"read_500":1}}"#).await;
    let failed = world.john("user/profile").await;
    assert_eq!(failed.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn orders_are_listed_newest_first_in_pages() {
    let world = World::new();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(world.john_buys("telegram").await["id"].clone());
    }
    ids.reverse();
    let page = |offset: u32| {
        format!("user/orders?category=activation&limit=2&offset={offset}&order=id&reverse=true")
    };
    let (first, second) = (
        world.john_json(&page(0)).await,
        world.john_json(&page(2)).await,
    );
    assert_eq!(first["Total"], 3);
    let rows = first["Data"].as_array().unwrap().iter();
    let rows = rows.chain(second["Data"].as_array().unwrap());
    assert!(rows.map(|row| &row["id"]).eq(&ids));
}

#[tokio::test]
async fn prices_show_a_cheaper_operator_with_nothing_to_sell() {
    let world = World::new();
    let prices = world
        .john_json("guest/prices?country=usa&product=telegram")
        .await;
    let operators = &prices["usa"]["telegram"];
    assert_eq!(operators["virtual21"]["count"], 0);
    assert!(operators["virtual4"]["count"].as_u64().unwrap() > 0);
    let by_product = world.john_json("guest/prices?product=telegram").await;
    assert_eq!(by_product["telegram"]["usa"], prices["usa"]["telegram"]);
    assert_eq!(
        world.john_json("guest/prices?product=nothing").await,
        Value::Null
    );
    let products = world.john_json("guest/products/usa/any").await;
    assert_eq!(products["telegram"]["Price"], operators["virtual4"]["cost"]);
    let countries = text_of(world.john("guest/countries").await).await;
    assert!(countries.contains(r#""usa":{"iso":{},"prefix":{"+1":1},"text_en":"United States""#));
}
