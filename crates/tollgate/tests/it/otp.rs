//! Activations, end to end over the practice providers.

use crate::world::{Answer, World, discord};
use serde_json::json;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_number_is_bought_its_code_arrives_and_it_is_charged_once() {
    let world = World::new().await;
    let bought = world.client.buy(discord()).await;
    assert_eq!(bought.status, 200, "{}", bought.text);
    assert!(
        bought.text.contains("\"charged_usd\":0.040000"),
        "{}",
        bought.text
    );
    let data = bought.data();
    assert_eq!(data["status"], "waiting");
    assert_eq!(data["provider_source"], "peter");
    assert!(data["phone_number"].as_str().unwrap().starts_with("+92"));
    assert_eq!(world.client.balance().await, "49.960000");
    let received = world.wait_for(&data["order_id"], &["received"], SOON).await;
    let code = received["code"].as_str().unwrap();
    assert!(
        code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()),
        "{code}"
    );
    assert_eq!(world.client.balance().await, "49.960000");
    let cancel = json!({ "order_id": data["order_id"] });
    let refused = world.client.post("/api/v1/otp?action=cancel", cancel).await;
    assert_eq!(refused.verdict(), "409 already_received");
    world.verify();
    let sold = world.sold().await;
    assert_eq!(sold.len(), 1);
    assert_eq!(sold[0]["upstream"], "peter1");
}

#[tokio::test]
async fn the_references_examples_come_out_of_the_catalogue() {
    let world = World::new().await;
    let countries = world.client.otp("countries").await.data();
    let sources = [
        "romeo", "juliet", "peter", "paul", "andrew", "mark", "luke", "john",
    ];
    assert_eq!(countries["provider_sources"], json!(sources));
    let countries = countries["countries"].as_array().unwrap().clone();
    assert!(countries.len() >= 60);
    let by_key = |key: &str| {
        countries
            .iter()
            .find(|row| row["key"] == key)
            .unwrap()
            .clone()
    };
    let pakistan = by_key("pakistan");
    assert_eq!(pakistan["id"], "61");
    assert!(pakistan["providers"].as_array().unwrap().len() >= 3);
    let routes = pakistan["routes"].as_array().unwrap();
    assert!(
        routes.contains(&json!({ "provider_type": 1, "country_id": "61" })),
        "{routes:?}"
    );
    let usa = by_key("unitedstates");
    assert_eq!(usa["name"], "USA");
    assert_eq!(usa["provider_country_ids"]["romeo"], json!(["13", "188"]));
    let answer = world
        .client
        .otp("services&country_key=pakistan&routes=1:61")
        .await;
    assert!(
        answer.text.contains("\"your_price_usd\":0.040000"),
        "{}",
        &answer.text[..400]
    );
    let services = answer.data()["services"].as_array().unwrap().clone();
    let telegram = services
        .iter()
        .find(|row| row["provider_source"] == "paul" && row["service_id"] == "tg");
    let telegram = telegram.unwrap();
    assert_eq!(telegram["your_price_usd"].to_string(), "0.18");
    assert_eq!(
        (&telegram["country_id"], &telegram["provider_type"]),
        (&json!("6"), &json!(0))
    );
}

#[tokio::test]
async fn cancel_waits_for_its_time_and_refunds_exactly_once() {
    let world = World::new().await;
    let service = world.service("romeo", "13", "Sandbox: never a code").await;
    let wanted = json!({ "service_id": service, "country_id": "13", "server": "romeo" });
    let bought = world.client.buy(wanted).await.data();
    let charged = world.client.balance().await;
    assert_ne!(charged, "50.000000");
    let cancel = json!({ "order_id": bought["order_id"] });
    let early = world
        .client
        .post("/api/v1/otp?action=cancel", cancel.clone())
        .await;
    assert_eq!(early.verdict(), "409 cancel_too_early");
    let wait: u64 = early.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    assert_eq!(world.client.balance().await, charged);
    tokio::time::sleep(Duration::from_secs(wait)).await;
    let racing = (0..16).map(|_| {
        world
            .client
            .post("/api/v1/otp?action=cancel", cancel.clone())
    });
    let answers = futures_join(racing).await;
    let bodies: Vec<&str> = answers.iter().map(|answer| answer.text.as_str()).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    assert_eq!(answers[0].data()["refunded"], true);
    assert_eq!(world.client.balance().await, "50.000000");
    let again = world.client.post("/api/v1/otp?action=cancel", cancel).await;
    assert_eq!(again.text, bodies[0]);
    world.verify();
}

/// Runs requests at the same time.
pub async fn futures_join<T: Send + 'static>(
    work: impl Iterator<Item = impl Future<Output = T>>,
) -> Vec<T> {
    let mut waiting: Vec<_> = work.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (one, slot) in waiting.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(value) = one.as_mut().poll(context)
            {
                *slot = Some(value);
            }
        }
        let all = done.iter().all(Option::is_some);
        if all {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// The start waits for catalogues only so long; until then the server is answered 503.
async fn countries_of(world: &World, server: &str) -> serde_json::Value {
    let query = format!("countries&server={server}");
    let mut answer = world.client.otp(&query).await;
    for _ in 0..100 {
        if answer.data()["countries"][0]["id"].is_string() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        answer = world.client.otp(&query).await;
    }
    answer.data()
}

/// Ids are words there, `RECEIVED` comes long before the code, and the list has what an answer lost.
#[tokio::test]
async fn a_5sim_account_delivers_codes_and_lists_what_an_answer_lost() {
    let world = World::new().await;
    countries_of(&world, "john").await;
    let of_john =
        |service: &str| json!({ "service_id": service, "country_id": "usa", "server": "john" });
    let bought = world.client.buy(of_john("telegram")).await.data();
    let lost = of_john("sblostafter");
    let path = "/api/v1/otp?action=buy_number";
    let mut answer = world.client.post_keyed(path, lost.clone(), "k-1").await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    for _ in 0..100 {
        answer = world.client.post_keyed(path, lost.clone(), "k-1").await;
        if answer.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let found = answer.data()["phone_number"].clone();
    let received = world
        .wait_for(&bought["order_id"], &["received"], SOON)
        .await;
    assert_eq!(
        received["code"].as_str().map(str::len),
        Some(6),
        "{received}"
    );
    let sold = world.sold().await;
    let sold: Vec<_> = sold
        .iter()
        .map(|sale| (&sale["upstream"], &sale["phone"]))
        .collect();
    let john = json!("john");
    assert_eq!(sold, [(&john, &bought["phone_number"]), (&john, &found)]);
    world.verify();
}

/// Its list names services and countries where purchases go by ids: evidence all the same.
#[tokio::test]
async fn a_purchase_whose_answer_smspool_lost_is_found_on_its_list() {
    let world = World::new().await;
    let countries = countries_of(&world, "andrew").await;
    let id = countries["countries"][0]["id"].as_str().unwrap();
    let service = world
        .service("andrew", id, "Sandbox: answer lost after the sale")
        .await;
    let wanted = json!({ "service_id": service, "country_id": id, "server": "andrew" });
    let path = "/api/v1/otp?action=buy_number";
    let mut answer = world.client.post_keyed(path, wanted.clone(), "k-1").await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    for _ in 0..100 {
        answer = world.client.post_keyed(path, wanted.clone(), "k-1").await;
        if answer.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let number = answer.data()["phone_number"].clone();
    let sold = world.sold().await;
    assert_eq!((sold.len(), &sold[0]["phone"]), (1, &number));
    world.verify();
}

#[tokio::test]
async fn pools_and_typed_routes_are_bought_as_they_are_listed() {
    let world = World::new().await;
    let countries = countries_of(&world, "andrew").await;
    let id = countries["countries"][0]["id"].as_str().unwrap().to_owned();
    let query = format!("services&server=andrew&country_id={id}");
    let services = world.client.otp(&query).await.data()["services"]
        .as_array()
        .unwrap()
        .clone();
    let pooled = services
        .iter()
        .find(|row| !row["name"].as_str().unwrap().starts_with("Sandbox"));
    let row = pooled.unwrap();
    let (service, pool) = (&row["service_id"], &row["pool_id"]);
    assert!(pool.is_string());
    let with_pool =
        json!({ "service_id": service, "country_id": id, "source": "andrew", "pool_id": pool });
    assert_eq!(world.client.buy(with_pool).await.status, 200);
    let best = json!({ "service_id": service, "country_id": id, "provider_source": "andrew" });
    assert_eq!(world.client.buy(best).await.status, 200);
    let wrong =
        json!({ "service_id": service, "country_id": id, "server": "andrew", "pool_id": "x" });
    assert_eq!(world.client.buy(wrong).await.verdict(), "400 invalid_pool");
    let query = "services&server=peter&country_id=61&provider_type=2";
    let typed = world.client.otp(query).await.data()["services"][0].clone();
    let wanted = json!({
        "service_id": typed["service_id"], "country_id": "61", "server": "peter", "provider_type": 2
    });
    assert_eq!(world.client.buy(wanted).await.status, 200);
    let sold = world.sold().await;
    let upstreams: Vec<_> = sold
        .iter()
        .map(|row| row["upstream"].as_str().unwrap())
        .collect();
    assert_eq!(upstreams, ["andrew", "andrew", "peter2"]);
}

/// P-6.
async fn a_text_of_a_bank_is_withheld_and_costs_nothing(
    world: &World,
    buy: &impl AsyncFn(&str) -> Answer,
) {
    let before = world.client.balance().await;
    let order = buy("Sandbox: text of a bank").await.data()["order_id"].clone();
    let shown = world
        .wait_for(&order, &["cancelled"], SOON)
        .await
        .to_string();
    assert!(
        !shown.contains("transfer") && !shown.contains("Bank"),
        "{shown}"
    );
    world.balance_becomes(&before, SOON).await;
    let tickets = world.cli(&["ledger", "tickets"]);
    let detail = tickets["tickets"][0]["detail"].as_str().unwrap();
    assert!(detail.contains(order.as_str().unwrap()), "{tickets}");
    for file in std::fs::read_dir(world.dir.path()).unwrap() {
        let kept = std::fs::read(file.unwrap().path()).unwrap_or_default();
        let part = b"Do not share this code";
        assert!(!kept.windows(part.len()).any(|window| window == part));
    }
}

/// Every service that misbehaves on purpose, on its way to its end.
#[tokio::test]
async fn every_misbehaving_service_ends_with_the_books_in_order() {
    let world = World::new().await;
    let client = &world.client;
    let buy = async |name: &str| {
        let service = world.service("romeo", "13", name).await;
        client
            .buy(json!({ "service_id": service, "country_id": "13", "server": "romeo" }))
            .await
    };
    assert_eq!(buy("Sandbox: no numbers").await.verdict(), "503 no_numbers");
    let slow = buy("Sandbox: slow answer").await.data();
    world.wait_for(&slow["order_id"], &["received"], SOON).await;
    let cancelled = buy("Sandbox: cancelled upstream").await.data();
    world
        .wait_for(&cancelled["order_id"], &["cancelled"], SOON)
        .await;
    let second = buy("Sandbox: second code").await.data();
    let first_code = world
        .wait_for(&second["order_id"], &["received"], SOON)
        .await["code"]
        .clone();
    a_text_of_a_bank_is_withheld_and_costs_nothing(&world, &buy).await;
    let before = client.balance().await;
    for lost in ["after the sale", "before the sale"] {
        let answer = buy(&format!("Sandbox: answer lost {lost}")).await;
        assert_eq!(answer.verdict(), "503 purchase_outcome_unknown");
    }
    assert_eq!(
        buy("Sandbox: garbage").await.verdict(),
        "503 purchase_outcome_unknown"
    );
    assert_ne!(
        client.balance().await,
        before,
        "the holds stay while nobody knows"
    );
    // the window of the demo is 60 s; an undone sale also waits for romeo's cancel lock of 10 s
    world
        .balance_becomes(&before, Duration::from_secs(100))
        .await;
    let newest = world
        .wait_for(&second["order_id"], &["received"], SOON)
        .await["code"]
        .clone();
    assert_ne!(newest, first_code, "the newest code is shown");
    let report = world.verify();
    assert_eq!(report["open_holds"], 0, "{report}");
}

#[tokio::test]
async fn a_promised_purchase_settles_under_its_key() {
    let world = World::new().await;
    let service = world
        .service("romeo", "13", "Sandbox: answer lost after the sale")
        .await;
    let wanted = json!({ "service_id": service, "country_id": "13", "server": "romeo" });
    let path = "/api/v1/otp?action=buy_number";
    let first = world.client.post_keyed(path, wanted.clone(), "k-1").await;
    assert_eq!(first.status, 202, "{}", first.text);
    assert_eq!(first.data()["status"], "pending");
    let mut settled = first;
    for _ in 0..50 {
        settled = world.client.post_keyed(path, wanted.clone(), "k-1").await;
        if settled.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(settled.status, 200, "{}", settled.text);
    assert_eq!(settled.header("idempotent-replayed"), Some("true"));
    assert!(settled.data()["phone_number"].is_string());
    let again = world.client.post_keyed(path, wanted, "k-1").await;
    assert_eq!(again.text, settled.text);
    let other = world.client.post_keyed(path, discord(), "k-1").await;
    assert_eq!(other.verdict(), "422 idempotency_key_reused");
    assert_eq!(world.sold().await.len(), 1);
    world.verify();
}

#[tokio::test]
async fn a_hundred_equal_keys_at_once_buy_one_number() {
    let world = World::new().await;
    let racing = (0..100).map(|_| {
        world
            .client
            .post_keyed("/api/v1/otp?action=buy_number", discord(), "same")
    });
    let answers = futures_join(racing).await;
    let good: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .collect();
    assert!(!good.is_empty());
    assert!(good.iter().all(|answer| answer.text == good[0].text));
    for other in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(other.verdict(), "409 idempotency_in_progress");
        assert!(other.header("retry-after").is_some());
    }
    assert_eq!(world.sold().await.len(), 1);
    assert_eq!(world.client.balance().await, "49.960000");
}

/// What a running call books is listed before its answer arrives: it is that call's, not an older
/// purchase's whose outcome is unknown.
#[tokio::test]
async fn a_slow_purchase_keeps_its_number_beside_one_in_doubt() {
    let world = World::new().await;
    let path = "/api/v1/otp?action=buy_number";
    world
        .faults(json!({ "seed": 1, "rates": { "lost_before": 1 } }))
        .await;
    let never_sold = world.client.post_keyed(path, discord(), "a").await;
    assert_eq!(never_sold.status, 202, "{}", never_sold.text);
    world
        .faults(json!({ "seed": 1, "slow_ms": 3000, "rates": { "slow": 1 } }))
        .await;
    let slow = world.client.post_keyed(path, discord(), "b").await;
    assert_eq!(slow.status, 200, "{}", slow.text);
    let query = format!(
        "get_status&order_id={}",
        never_sold.data()["order_id"].as_str().unwrap()
    );
    assert_eq!(world.client.otp(&query).await.data()["status"], "pending");
    assert_eq!(world.sold().await.len(), 1);
}
