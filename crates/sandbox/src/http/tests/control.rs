use super::*;

const BUY: &str = "action=getNumber&country=6&service=tg";

#[tokio::test]
async fn all_that_was_sold_is_listed_with_decimal_costs() {
    let world = World::new();
    let (id, phone) = world.buy("peter1", "61", "306343").await;
    let order = world.place("").await;
    let sold = world.sold().await;
    assert_eq!(sold.len(), 2);
    assert_eq!(sold[0]["kind"], "otp");
    assert_eq!(sold[0]["id"], id.as_str());
    assert_eq!(sold[0]["upstream"], "peter1");
    assert_eq!(sold[0]["service"], "306343");
    assert_eq!(sold[0]["phone"], format!("+{phone}").as_str());
    assert_eq!(sold[0]["status"], "waiting");
    assert_eq!(sold[0]["cost"], "0.033333");
    assert_eq!(sold[1]["kind"], "smm");
    assert_eq!(sold[1]["id"], order.to_string().as_str());
    assert_eq!(sold[1]["link"], "https://instagram.com/user?sandbox=");
    assert_eq!(sold[1]["quantity"], 1000);
    assert_eq!(sold[1]["cost"], "0.900000");
}

#[tokio::test]
async fn each_fault_strikes_both_kinds_of_purchase() {
    for (fault, booked) in [
        ("lost_before", 0),
        ("error_500_before", 0),
        ("garbage", 0),
        ("refused", 0),
        ("no_numbers", 0),
        ("double_booking", 2),
        ("lost_after", 1),
        ("error_500_after", 1),
        ("slow", 1),
    ] {
        let world = World::new();
        world
            .set_faults(&format!(r#"{{"rates":{{"{fault}":1}},"slow_ms":1}}"#))
            .await;
        let number = world.raw("paul", BUY).await;
        let order = world
            .raw_panel("action=add&service=1&quantity=50&link=https%3A%2F%2Fx.t")
            .await;
        assert_eq!(hung_up(&number), fault.starts_with("lost"), "{fault}");
        assert_eq!(hung_up(&order), fault.starts_with("lost"), "{fault}");
        if !fault.starts_with("lost") {
            let failed = fault.starts_with("error_500");
            assert_eq!(
                number.status().as_u16(),
                if failed { 500 } else { 200 },
                "{fault}"
            );
            assert_eq!(order.status(), number.status(), "{fault}");
        }
        let sold = world.sold().await;
        let of = |kind: &str| sold.iter().filter(|row| row["kind"] == kind).count();
        assert_eq!((of("otp"), of("smm")), (booked, booked), "{fault}");
    }
}

#[tokio::test]
async fn definite_refusals_are_words_that_a_gateway_knows() {
    let world = World::new();
    let add = "action=add&service=1&quantity=50&link=https%3A%2F%2Fx.test";
    world.set_faults(r#"{"rates":{"refused":1}}"#).await;
    assert_eq!(world.call("paul", BUY).await, "WRONG_MAX_PRICE:1000");
    assert_eq!(
        world.panel(add).await["error"].as_str(),
        Some("Link is private")
    );
    world.set_faults(r#"{"rates":{"no_numbers":1}}"#).await;
    assert_eq!(world.call("paul", BUY).await, "NO_NUMBERS");
    let text = world.panel(add).await["error"]
        .as_str()
        .unwrap()
        .to_lowercase();
    assert!(text.contains("too many requests"));
}

#[tokio::test]
async fn reads_fail_at_their_own_rate_and_purchases_do_not() {
    let world = World::new();
    world.set_faults(r#"{"rates":{"read_500":1}}"#).await;
    for action in [
        "getBalance",
        "getActiveActivations",
        "getPrices",
        "getStatus&id=1",
    ] {
        let response = world.raw("paul", &format!("action={action}")).await;
        assert_eq!(
            response.status(),
            StatusCode::INTERNAL_SERVER_ERROR,
            "{action}"
        );
    }
    for action in ["status&order=1", "balance", "orders", "services"] {
        let response = world.raw_panel(&format!("action={action}")).await;
        assert_eq!(
            response.status(),
            StatusCode::INTERNAL_SERVER_ERROR,
            "{action}"
        );
    }
    world.buy("paul", "6", "tg").await;
    world.place("").await;
    assert_eq!(world.sold().await.len(), 2);
}

#[tokio::test]
async fn misbehaving_services_and_scripted_links_are_not_struck_on_top() {
    let world = World::new();
    world.set_faults(r#"{"rates":{"lost_before":1}}"#).await;
    world.buy("paul", "6", "sbnever").await;
    world.place("never").await;
    assert_eq!(world.sold().await.len(), 2);
}

#[tokio::test]
async fn equal_seeds_strike_equal_purchases() {
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        let world = World::new();
        world
            .set_faults(r#"{"seed":5,"rates":{"garbage":0.3}}"#)
            .await;
        let mut struck = Vec::new();
        for _ in 0..40 {
            struck.push(world.call("paul", BUY).await.starts_with('<'));
        }
        outcomes.push(struck);
    }
    assert_eq!(outcomes[0], outcomes[1]);
    assert!(outcomes[0].contains(&true) && outcomes[0].contains(&false));
}

#[tokio::test]
async fn wrong_wishes_are_refused_and_change_nothing() {
    let world = World::new();
    world.set_faults(r#"{"seed":3,"rates":{"slow":0.5}}"#).await;
    for (path, body) in [
        ("/_sandbox/faults", r#"{"rates":{"fire":0.1}}"#),
        ("/_sandbox/faults", r#"{"rates":{"slow":2}}"#),
        ("/_sandbox/faults", "nonsense"),
        (
            "/_sandbox/balance",
            r#"{"upstream":"nobody","balance":"1"}"#,
        ),
        (
            "/_sandbox/balance",
            r#"{"upstream":"romeo","balance":"-1"}"#,
        ),
        ("/_sandbox/balance", r#"{"upstream":"romeo"}"#),
    ] {
        let (status, answer) = world.control("POST", path, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer["error"].as_str().unwrap().len() > 10, "{answer}");
    }
    let (_, shown) = world.control("GET", "/_sandbox/faults", "").await;
    assert_eq!(
        (shown["seed"].as_u64(), shown["rates"]["slow"].to_string()),
        (Some(3), "0.5".into())
    );
    assert_eq!(world.balance("romeo").await, "100000.0000");
}
