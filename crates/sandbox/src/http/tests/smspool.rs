use super::*;

const NO_ORDER: &str = "We could not find this order!";

impl World {
    /// A call to `andrew` with its key in the head.
    async fn pooled_raw(&self, path: &str, form: &str) -> Response {
        let request = Request::builder()
            .method("POST")
            .uri(format!("/andrew/{path}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", "Bearer sandbox-andrew-key")
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn pooled(&self, path: &str, form: &str) -> (u16, Value) {
        let response = self.pooled_raw(path, form).await;
        let status = response.status().as_u16();
        (status, json_of(&text_of(response).await))
    }

    async fn pooled_sale(&self, service: &str, pool: &str) -> Value {
        let form = format!("service={service}&country=24&pool={pool}");
        let (status, sold) = self.pooled("purchase/sms", &form).await;
        assert_eq!((status, &sold["success"]), (200, &1.into()), "{sold}");
        sold
    }

    async fn checked(&self, code: &Value) -> Value {
        let form = format!("orderid={}", code.as_str().unwrap());
        self.pooled("sms/check", &form).await.1
    }
}

#[tokio::test]
async fn pools_are_listed_and_chosen_by_the_buyer() {
    let world = World::new();
    let filter = "country=24&service=Telegram";
    let (_, rows) = world.pooled("request/pricing", filter).await;
    let price = |pool: u64| {
        let mut rows = rows.as_array().unwrap().iter();
        rows.find(|row| row["pool"] == pool).unwrap()["price"].clone()
    };
    for (choice, pool) in [
        ("", 1),
        ("&pool=7", 7),
        ("&pool=foxtrot", 7),
        ("&pool=3", 3),
    ] {
        let form = format!("country=PK&service=901{choice}");
        let (_, sold) = world.pooled("purchase/sms", &form).await;
        assert_eq!(
            (&sold["pool"], &sold["cost"]),
            (&pool.into(), &price(pool)),
            "{choice}: {sold}"
        );
        assert_eq!(sold.get("number").is_none(), pool == 3, "{sold}");
    }
    let (status, none) = world
        .pooled("purchase/sms", "country=24&service=901&pool=99")
        .await;
    assert_eq!(status, 422);
    assert_eq!(none["pools"]["Foxtrot"]["type"], "OUT_OF_STOCK");
    let (_, stock) = world.pooled("sms/all_stock", filter).await;
    assert!(stock[0]["stock"].as_u64().unwrap() > 0, "{stock}");
    let (_, one) = world.pooled("request/price", filter).await;
    assert_eq!(one["price"], price(1));
    let cap = price(3);
    let form = format!("{filter}&max_price={}", cap.as_str().unwrap());
    let (_, cheap) = world.pooled("request/pricing", &form).await;
    assert_eq!(cheap.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_order_waits_receives_and_is_listed() {
    let world = World::new();
    let sold = world.pooled_sale("901", "7").await;
    let code = &sold["order_id"];
    assert!(sold["message"].as_str().unwrap().contains("<b>"));
    assert_eq!(world.checked(code).await["status"], 1);
    let (_, listed) = world.pooled("request/active", "").await;
    assert_eq!(
        (&listed[0]["order_code"], &listed[0]["code"]),
        (code, &"0".into())
    );
    assert_eq!(listed[0]["phonenumber"], sold["number"]);
    world.pass(4_000);
    let done = world.checked(code).await;
    assert_eq!(
        (&done["status"], done["sms"].as_str().unwrap().len()),
        (&3.into(), 6)
    );
    let (_, listed) = world.pooled("request/active", "").await;
    assert_eq!(listed[0]["code"], done["sms"]);
    let form = format!("orderid={}", code.as_str().unwrap());
    let (status, refused) = world.pooled("sms/cancel", &form).await;
    assert_eq!((status, &refused["success"]), (200, &0.into()));
    let (_, again) = world.pooled("sms/resend", &form).await;
    assert_eq!(again["success"], 1);
    assert_eq!(world.checked(code).await["status"], 4);
    let (_, history) = world.pooled("request/history", "length=1").await;
    assert_eq!(&history[0]["order_code"], code);
    assert_eq!(world.sold().await[0]["id"], *code);
}

#[tokio::test]
async fn a_cancel_is_locked_then_refunds_once() {
    let world = World::new();
    let sold = world.pooled_sale("990002", "1").await;
    let form = format!("orderid={}", sold["order_id"].as_str().unwrap());
    let (status, early) = world.pooled("sms/cancel", &form).await;
    let message = early["message"].as_str().unwrap();
    assert_eq!(status, 400);
    assert!(message.contains("cannot be cancelled yet"), "{message}");
    world.pass(120_000);
    let (status, done) = world.pooled("sms/cancel", &form).await;
    assert_eq!((status, &done["success"]), (200, &1.into()));
    assert!(done["message"].as_str().unwrap().contains("0.01"), "{done}");
    assert_eq!(world.checked(&sold["order_id"]).await["status"], 6);
    let (status, repeated) = world.pooled("sms/cancel", &form).await;
    assert_eq!((status, &repeated["message"]), (404, &NO_ORDER.into()));
    let (_, balance) = world.pooled("request/balance", "").await;
    assert_eq!(balance["balance"], "100000.00");
}

#[tokio::test]
async fn refusals_come_in_each_of_their_shapes() {
    let world = World::new();
    for (path, form, status, said) in [
        ("purchase/sms", "country=24", 400, "\"param\":\"service\""),
        (
            "purchase/sms",
            "service=901&country=999",
            400,
            "\"param\":\"country\"",
        ),
        (
            "purchase/sms",
            "service=nosuch&country=24",
            400,
            "\"param\":\"service\"",
        ),
        (
            "purchase/sms",
            "service=901&country=24&max_price=0.0001",
            422,
            "PRICE_NOT_FOUND",
        ),
        (
            "purchase/sms",
            "service=990001&country=24",
            422,
            "OUT_OF_STOCK",
        ),
        ("sms/check", "orderid=AAAAAAAA", 404, NO_ORDER),
        ("sms/check", "orderid=1", 404, NO_ORDER),
        ("sms/resend", "orderid=AAAAAAAA", 404, NO_ORDER),
        ("sms/dance", "", 404, "endpoint"),
    ] {
        let response = world.pooled_raw(path, form).await;
        assert_eq!(response.status().as_u16(), status, "{path} {form}");
        let body = text_of(response).await;
        assert!(body.contains(said), "{path} {form}: {body}");
    }
    world
        .control(
            "POST",
            "/_sandbox/balance",
            r#"{"upstream":"andrew","balance":"0"}"#,
        )
        .await;
    let (status, poor) = world.pooled("purchase/sms", "service=901&country=24").await;
    assert_eq!((status, &poor["type"]), (422, &"BALANCE_ERROR".into()));
    assert!(world.sold().await.is_empty());
}

#[tokio::test]
async fn keys_come_in_head_form_or_query_and_lists_need_none() {
    let world = World::new();
    let key = "key=sandbox-andrew-key";
    for (method, uri, body, status) in [
        ("POST", "/andrew/request/balance", key.to_owned(), 200),
        (
            "GET",
            &format!("/andrew/request/balance.php?{key}"),
            String::new(),
            200,
        ),
        ("GET", "/andrew/country/retrieve_all", String::new(), 200),
        ("GET", "/andrew/service/retrieve_all", String::new(), 200),
        ("POST", "/andrew/pool/retrieve_all", String::new(), 200),
        (
            "POST",
            "/andrew/request/balance",
            "key=wrong".to_owned(),
            403,
        ),
        ("POST", "/andrew/request/balance", String::new(), 403),
    ] {
        let response = world.send(method, uri, &body).await;
        assert_eq!(response.status().as_u16(), status, "{method} {uri} {body}");
    }
}

#[tokio::test]
async fn what_misbehaves_does_so_here_too() {
    let world = World::new();
    let buy = async |service: &str| {
        let form = format!("service={service}&country=24");
        world.pooled_raw("purchase/sms", &form).await
    };
    assert!(hung_up(&buy("990006").await));
    assert!(world.sold().await.is_empty());
    let page = text_of(buy("990007").await).await;
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    assert!(hung_up(&buy("990005").await));
    let (_, listed) = world.pooled("request/active", "").await;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    world.set_faults(r#"{"rates":{"double_booking":1}}"#).await;
    buy("901").await;
    assert_eq!(world.sold().await.len(), 3);
    world.set_faults(r#"{"rates":{"read_500":1}}"#).await;
    let response = world.pooled_raw("request/active", "").await;
    assert_eq!(response.status().as_u16(), 500);
}
