use super::*;
use std::time::Duration;
use tokio::time::Instant;

async fn balance(world: &World) -> String {
    world.panel("action=balance").await["balance"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn an_order_is_debited_and_completes_within_ten_seconds() {
    let world = World::new();
    let id = world.place("").await;
    assert_eq!(balance(&world).await, "99999.10");
    let pending = world.order(id).await;
    assert_eq!(pending["status"].as_str(), Some("Pending"));
    assert_eq!(pending["remains"].as_str(), Some("1000"));
    assert_eq!(pending["charge"].as_str(), Some("0.90"));
    assert_eq!(pending["currency"].as_str(), Some("USD"));
    world.pass(4_000);
    let moving = world.order(id).await;
    assert_eq!(moving["status"].as_str(), Some("In progress"));
    assert_eq!(moving["remains"].as_str(), Some("500"));
    assert!(moving["start_count"].is_string());
    world.pass(6_000);
    let done = world.order(id).await;
    assert_eq!(
        (done["status"].as_str(), done["remains"].as_str()),
        (Some("Completed"), Some("0"))
    );
    assert_eq!(done["start_count"], moving["start_count"]);
    assert_eq!(balance(&world).await, "99999.10");
}

#[tokio::test]
async fn scripts_in_the_link_decide_how_it_ends_and_what_comes_back() {
    for (script, status, remains, charge, left) in [
        ("partial%3A157", "Partial", "157", "0.7587", "99999.2413"),
        ("canceled", "Canceled", "1000", "0.00", "100000.00"),
        ("never", "In progress", "500", "0.90", "99999.10"),
        ("remains%3A-5", "Partial", "-5", "0.90", "99999.10"),
    ] {
        let world = World::new();
        let id = world.place(script).await;
        world.pass(10_000);
        let shown = world.order(id).await;
        assert_eq!(shown["status"].as_str(), Some(status), "{script}");
        assert_eq!(shown["remains"].as_str(), Some(remains), "{script}");
        assert_eq!(shown["charge"].as_str(), Some(charge), "{script}");
        assert_eq!(balance(&world).await, left, "{script}");
    }
}

#[tokio::test]
async fn a_regressing_order_shows_partial_to_the_first_reader_alone() {
    let world = World::new();
    let id = world.place("regress").await;
    world.pass(60_000);
    assert_eq!(world.order(id).await["status"].as_str(), Some("Partial"));
    world.pass(1_000);
    assert_eq!(
        world.order(id).await["status"].as_str(),
        Some("In progress")
    );
    world.pass(4_000);
    assert_eq!(world.order(id).await["status"].as_str(), Some("Completed"));
    assert_eq!(balance(&world).await, "99999.10");
}

#[tokio::test]
async fn lost_answers_leave_an_order_in_the_list_or_none() {
    let world = World::new();
    assert!(hung_up(&world.raw_panel(&add_form("lostbefore")).await));
    assert_eq!(world.panel("action=orders").await, serde_json::json!([]));
    assert!(hung_up(&world.raw_panel(&add_form("lost")).await));
    let newer = world.place("").await;
    let list = world.panel("action=orders").await;
    assert_eq!(list[0]["order"].as_u64(), Some(newer));
    assert_eq!(
        list[1]["link"].as_str(),
        Some("https://instagram.com/user?sandbox=lost")
    );
    assert_eq!(list[1]["quantity"].as_str(), Some("1000"));
    assert_eq!(list[1]["service"].as_str(), Some("1"));
    assert_eq!(list[1]["created"].as_i64(), Some(START_MS / 1000));
    assert_eq!(list.as_array().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_comes_after_five_seconds() {
    let world = World::new();
    let begun = Instant::now();
    let watching = async {
        tokio::time::sleep(Duration::from_millis(4_900)).await;
        world.sold().await.len()
    };
    let (_, sold) = tokio::join!(world.place("slow"), watching);
    assert_eq!((sold, begun.elapsed().as_secs()), (1, 5));
}

#[tokio::test]
async fn many_statuses_at_once_are_keyed_by_id() {
    let world = World::new();
    let (first, second) = (world.place("").await, world.place("canceled").await);
    assert!(second > first);
    world.pass(10_000);
    let ids = format!("action=status&orders={first},{second},7");
    let states = world.panel(&ids).await;
    assert_eq!(
        states[first.to_string()]["status"].as_str(),
        Some("Completed")
    );
    assert_eq!(
        states[second.to_string()]["status"].as_str(),
        Some("Canceled")
    );
    assert_eq!(states["7"]["error"].as_str(), Some("Incorrect order ID"));
    let many: Vec<_> = (1..=101).map(|id| id.to_string()).collect();
    let refused = world
        .panel(&format!("action=status&orders={}", many.join(",")))
        .await;
    assert!(refused["error"].is_string());
    let unknown = world.panel("action=status&order=7").await;
    assert_eq!(unknown["error"].as_str(), Some("Incorrect order ID"));
}

#[tokio::test]
async fn a_cancel_is_a_request_that_shows_later() {
    let world = World::new();
    let (early, late, other) = (
        world.place("").await,
        world.place("never").await,
        world.place("").await,
    );
    let asked = world
        .panel(&format!("action=cancel&orders={early},99"))
        .await;
    assert_eq!(asked[0]["cancel"].as_u64(), Some(1));
    assert_eq!(
        asked[1]["cancel"]["error"].as_str(),
        Some("Incorrect order ID")
    );
    assert_eq!(world.order(early).await["status"].as_str(), Some("Pending"));
    world.pass(1_000);
    assert_eq!(
        world.order(early).await["status"].as_str(),
        Some("Canceled")
    );
    world.pass(9_000);
    let single = world.panel(&format!("action=cancel&order={late}")).await;
    assert_eq!(single["cancel"].as_u64(), Some(1));
    let again = world.panel(&format!("action=cancel&order={late}")).await;
    assert_eq!(again["error"].as_str(), Some("Order cannot be canceled"));
    world.pass(1_000);
    assert_eq!(world.order(late).await["status"].as_str(), Some("Partial"));
    let over = world.panel(&format!("action=cancel&order={other}")).await;
    assert!(over["error"].is_string());
    // three orders at 0.90: one came back whole, one half
    assert_eq!(balance(&world).await, "99998.65");
}

#[tokio::test]
async fn refills_are_for_completed_orders_of_services_that_offer_them() {
    let world = World::new();
    let id = world.place("").await;
    let early = world.panel(&format!("action=refill&order={id}")).await;
    assert!(early["error"].as_str().unwrap().contains("not eligible"));
    world.pass(10_000);
    let refill = world.panel(&format!("action=refill&order={id}")).await;
    let refill = refill["refill"].as_str().unwrap().to_owned();
    let shown = world
        .panel(&format!("action=refill_status&refill={refill}"))
        .await;
    assert_eq!(shown["status"].as_str(), Some("Pending"));
    world.pass(6_000);
    let many = world
        .panel(&format!("action=refill_status&refills={refill},1"))
        .await;
    assert_eq!(many[0]["status"].as_str(), Some("Completed"));
    assert_eq!(
        many[1]["status"]["error"].as_str(),
        Some("Refill not found")
    );
    let rows = world.panel(&format!("action=refill&orders={id},3")).await;
    assert!(
        rows[0]["refill"].is_u64() && rows[1]["refill"]["error"].is_string(),
        "{rows}"
    );
}

#[tokio::test]
async fn the_catalogue_has_the_usual_types_of_values() {
    let world = World::new();
    let services = world.panel("action=services").await;
    assert_eq!(
        services[0],
        serde_json::json!({
            "service": 1, "name": "Followers", "type": "Default", "category": "Instagram",
            "rate": "0.90", "min": "50", "max": "10000", "refill": true, "cancel": true,
            "dripfeed": true,
        })
    );
    assert!(services.as_array().unwrap().len() >= 40);
}

#[tokio::test]
async fn wrong_orders_are_refused_in_words_and_cost_nothing() {
    let world = World::new();
    for (form, word) in [
        (
            "action=add&service=777&link=https%3A%2F%2Fx.test&quantity=100",
            "Incorrect service ID",
        ),
        (
            "action=add&service=1&link=https%3A%2F%2Fx.test&quantity=49",
            "less than the minimum",
        ),
        (
            "action=add&service=1&link=https%3A%2F%2Fx.test&quantity=10001",
            "more than the maximum",
        ),
        ("action=add&service=1&link=https%3A%2F%2Fx.test", "Quantity"),
        ("action=add&service=1&quantity=100", "Link is invalid"),
        (
            "action=add&service=1&quantity=100&link=a%20b",
            "Link is invalid",
        ),
        (
            "action=add&service=5&link=https%3A%2F%2Fx.test",
            "comments is empty",
        ),
        ("action=dance", "Incorrect request"),
    ] {
        let answer = world.panel(form).await;
        assert!(
            answer["error"].as_str().unwrap().contains(word),
            "{form}: {answer}"
        );
    }
    let wrong_key = world
        .send("POST", "/panel/api/v2", "key=x&action=balance")
        .await;
    assert_eq!(text_of(wrong_key).await, r#"{"error":"Invalid API key"}"#);
    assert!(world.sold().await.is_empty());
}

#[tokio::test]
async fn each_type_is_billed_by_its_own_units() {
    let world = World::new();
    let link = "link=https%3A%2F%2Fx.test%2Fpost";
    for (form, cost) in [
        (format!("service=12&{link}"), "4.990000"),
        (
            format!("service=5&{link}&comments=a%0Ab%0A%0Ac%0Ad%0Ae"),
            "0.047500",
        ),
        (
            format!("service=6&{link}&quantity=40&username=ana"),
            "0.050000",
        ),
        (
            format!("service=1&{link}&quantity=100&runs=3&interval=5"),
            "0.270000",
        ),
        (
            format!("service=102&{link}&quantity=50&answer_number=1"),
            "0.041000",
        ),
        (
            "service=14&username=ana&min=20&max=40".to_owned(),
            "0.000000",
        ),
    ] {
        let placed = world.panel(&format!("action=add&{form}")).await;
        assert!(placed["order"].is_u64(), "{form}: {placed}");
        assert_eq!(
            world.sold().await.last().unwrap()["cost"].as_str(),
            Some(cost),
            "{form}"
        );
    }
}

#[tokio::test]
async fn an_empty_float_is_refused() {
    let world = World::new();
    let body = r#"{"upstream":"panel","balance":"0.89"}"#;
    world.control("POST", "/_sandbox/balance", body).await;
    let answer = world.panel(&add_form("")).await;
    assert_eq!(
        answer["error"].as_str(),
        Some("Not enough funds on balance")
    );
    assert_eq!(balance(&world).await, "0.89");
}

#[tokio::test]
async fn json_and_query_strings_are_taken_too() {
    let world = World::new();
    let query = "/panel/api/v2?key=sandbox-panel-key&action=balance";
    assert!(
        text_of(world.send("GET", query, "").await)
            .await
            .contains("100000.00")
    );
    let request = Request::post("/panel/api/v2")
        .header("content-type", "application/json")
        .body(Body::from(
            r#"{"key":"sandbox-panel-key","action":"balance"}"#,
        ))
        .unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    assert!(text_of(response).await.contains("100000.00"));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_sent_again_under_its_id_is_the_one_that_was_made() {
    let world = World::new();
    let add = |rest: &str| {
        let link = "https%3A%2F%2Finstagram.com%2Fana%3Fsandbox%3Dslow";
        format!("action=add&service=1&link={link}&quantity=1000{rest}")
    };
    let first = world.panel(&add("&request_id=a1")).await;
    let again = Instant::now();
    assert_eq!(world.panel(&add("&request_id=a1")).await, first);
    assert_eq!(again.elapsed(), Duration::ZERO, "answered plainly");
    assert_eq!(balance(&world).await, "99999.10");
    let other = world.panel("action=add&service=1&link=x.test&quantity=50&request_id=a1");
    let refused = other.await["error"].as_str().unwrap().to_owned();
    assert_eq!(refused, "Request ID was used with other parameters");
    let (one, two) = (add(""), add("&request_id=a2"));
    assert_ne!(world.panel(&one).await, world.panel(&two).await);
}
