//! Money comes in and goes back, as a customer and a practice processor see it.

use crate::visitor::Visitor;
use crate::world::{Answer, Client, World};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

impl World {
    async fn payments(&self, path: &str, body: Value) -> Answer {
        let path = format!("/_sandbox/payments{path}");
        Client::new(&self.practice, "").post(&path, body).await
    }

    /// Does something to a payment at a practice processor, and tells the gateway as wanted; gives
    /// the events with the statuses of their deliveries.
    async fn act_at(&self, processor: &str, act: Value, deliver: Value) -> Vec<Value> {
        let order = json!({ "processor": processor, "act": act, "deliver": deliver });
        let made = self.payments("", order).await;
        assert_eq!(made.status, 200, "{}", made.text);
        made.json()["events"].as_array().unwrap().clone()
    }

    async fn act(&self, processor: &str, id: &str, action: &str) {
        let events = self
            .act_at(processor, json!({ "id": id, "do": action }), json!({}))
            .await;
        for event in events {
            assert_eq!(event["answers"], json!([200]), "{event}");
        }
    }

    /// The processor's newest session, invoice or payment for a top-up.
    async fn payment_of(&self, id: i64) -> Value {
        let shown = Client::new(&self.practice, "")
            .get("/_sandbox/payments")
            .await;
        let shown = shown.json()["payments"].as_array().unwrap().clone();
        let ours = |one: &&Value| one["reference"] == format!("tu_{id}");
        shown.iter().rfind(ours).unwrap().clone()
    }

    async fn payment_id(&self, id: i64) -> String {
        self.payment_of(id).await["id"].as_str().unwrap().to_owned()
    }

    fn top_up(&self, id: i64) -> Value {
        let listed = self.cli(&["topup", "list", "--all"])["top_ups"].clone();
        let rows = listed.as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap().clone()
    }

    async fn pays(&self, visitor: &mut Visitor, id: i64, button: &str) {
        let back = visitor.pay(id, button).await;
        assert!(back.ends_with(&format!("/wallet/top-up/{id}")), "{back}");
    }
}

#[tokio::test]
async fn every_way_to_pay_of_the_demo_ends_in_the_wallet() {
    let world = World::unstocked();
    let mut ana = Visitor::customer(&world.facts).await;
    for method in ["stripe", "btcpay", "nowpayments"] {
        let id = ana.top_up(method, "25.00").await.unwrap();
        assert_eq!(ana.state(id).await, "created");
        world.pays(&mut ana, id, "pay").await;
        assert_eq!(ana.state(id).await, "credited", "{method}");
    }
    assert_eq!(world.client.balance().await, "125.000000");
    let transfer = ana.top_up("manual", "25.00").await.unwrap();
    assert_eq!(ana.state(transfer).await, "pending");
    let reference = format!("tu_{transfer}");
    let approve = [
        "topup",
        "approve",
        &reference,
        "--reference",
        "B1",
        "--reason",
        "there",
    ];
    world.cli(&approve);
    assert_eq!(world.client.balance().await, "150.000000");
    let statement = ana.page("/wallet").await.words();
    assert_eq!(statement.matches("Top-up ").count(), 5, "{statement}");
    let compared = world.cli(&["topup", "reconcile", "--day", &today(&world, transfer)]);
    assert_eq!(compared["ok"], true, "{compared}");
    world.verify();
}

#[tokio::test]
async fn what_a_processor_kept_and_paid_out_is_in_the_books_once() {
    let world = World::unstocked();
    let mut ana = Visitor::customer(&world.facts).await;
    let id = ana.top_up("stripe", "25.00").await.unwrap();
    world.pays(&mut ana, id, "pay").await;
    let bearer = format!("Bearer {}", sandbox::STRIPE_KEY);
    let form = "amount=2000&currency=usd";
    let paid_out = Client::new(&world.practice, "")
        .post_form("/stripe/v1/payouts", form, &[("authorization", &bearer)])
        .await;
    assert_eq!(paid_out.status, 200, "{}", paid_out.text);
    for _ in 0..2 {
        let compared = world.cli(&["topup", "reconcile", "--day", &today(&world, id)]);
        assert_eq!(compared["ok"], true, "{compared}");
        let processors = compared["processors"].as_array().unwrap();
        let stripe = processors.iter().find(|one| one["processor"] == "stripe");
        let stripe = stripe.unwrap();
        assert_eq!(stripe["fees_usd"], "1.020000", "{stripe}");
        assert_eq!(stripe["paid_out_usd"], "20.000000");
        assert_eq!(stripe["open_usd"], "3.980000");
        let coins = processors.iter().find(|one| one["processor"] == "btcpay");
        assert_eq!(coins.unwrap()["fees_usd"], "0.000000");
    }
    world.verify();
}

/// The day on which a top-up was begun.
fn today(world: &World, id: i64) -> String {
    let at = world.top_up(id)["created_at"].as_str().unwrap().to_owned();
    at.chars().take(10).collect()
}

#[tokio::test]
async fn coins_of_another_amount_or_time_wait_for_a_person() {
    let world = World::unstocked();
    let mut ana = Visitor::customer(&world.facts).await;
    let mut begun = async |method: &str| ana.top_up(method, "20.00").await.unwrap();
    let (over, part, late, marked, void) = (
        begun("btcpay").await,
        begun("btcpay").await,
        begun("btcpay").await,
        begun("btcpay").await,
        begun("btcpay").await,
    );
    let (less, twice, more) = (
        begun("nowpayments").await,
        begun("nowpayments").await,
        begun("nowpayments").await,
    );
    for (id, story) in [
        (over, &["over"][..]),
        (part, &["partial", "expire"]),
        (late, &["expire", "late", "settle"]),
        (marked, &["mark"]),
        (void, &["pay", "void"]),
    ] {
        let invoice = world.payment_id(id).await;
        for action in story {
            world.act("btcpay", &invoice, action).await;
        }
    }
    for (id, story) in [
        (less, &["partial"][..]),
        (twice, &["pay", "again"]),
        (more, &["over"]),
    ] {
        let invoice = world.payment_id(id).await;
        for action in story {
            world.act("nowpayments", &invoice, action).await;
        }
    }
    // 50 at the start; over, twice and more are credited as asked; what was void is taken back
    assert_eq!(world.client.balance().await, "110.000000");
    for (id, state, note) in [
        (over, "credited", ""),
        (part, "review", "Expired, PaidPartial; 10.00 USD arrived"),
        (late, "review", "Expired, PaidLate; 20.00 USD arrived"),
        (marked, "review", "Settled, Marked"),
        (void, "credited", ""),
        (less, "review", "paid in part; 10.00 USD arrived"),
        (twice, "credited", ""),
        (more, "credited", ""),
    ] {
        let row = world.top_up(id);
        assert_eq!(row["state"], state, "{row}");
        assert!(row["note"].as_str().unwrap().contains(note), "{row}");
    }
    assert_eq!(world.top_up(void)["returned_usd"], "20.000000");
    let tickets = world.cli(&["ledger", "tickets"])["tickets"].to_string();
    for told in [
        "24.000000 USD was paid, 20.000000 USD was asked",
        "a second payment",
    ] {
        assert!(tickets.contains(told), "{told}: {tickets}");
    }
    world.verify();
}

#[tokio::test]
async fn events_shuffled_doubled_forged_and_late_credit_once() {
    let world = World::unstocked();
    let mut ana = Visitor::customer(&world.facts).await;
    for processor in ["stripe", "btcpay", "nowpayments"] {
        let id = ana.top_up(processor, "10.00").await.unwrap();
        let place = world.payment_id(id).await;
        let before = world.client.balance().await;
        // nobody is told; then somebody who does not know the secret tells
        let pay = json!({ "id": place, "do": "pay" });
        let forged = json!({ "secret": "guessed" });
        for event in world.act_at(processor, pay, forged).await {
            assert_eq!(event["answers"], json!([400]), "{event}");
        }
        assert_eq!(world.client.balance().await, before);
        assert_eq!(ana.state(id).await, "created");
        // the same news under the right secret, backwards and three times each
        let again = match processor {
            "stripe" => json!({ "id": place, "do": "refund", "cents": 1 }),
            "btcpay" => json!({ "id": place, "do": "set", "status": "Settled" }),
            _ => json!({ "id": place, "do": "set", "status": "finished" }),
        };
        let backwards = json!({ "times": 3, "backwards": true });
        for event in world.act_at(processor, again, backwards).await {
            assert_eq!(event["answers"], json!([200, 200, 200]), "{event}");
        }
        if processor == "stripe" {
            // a refund before its payment waits for it; the poller brings the payment
            assert_eq!(ana.state(id).await, "created");
            credited(&mut ana, id).await;
            continue;
        }
        assert_eq!(ana.state(id).await, "credited", "{processor}");
    }
    assert_eq!(world.client.balance().await, "79.990000");
    world.verify();
}

/// Waits for the gateway to ask the processor by itself: at the latest after twenty seconds.
async fn credited(visitor: &mut Visitor, id: i64) {
    let give_up = Instant::now() + Duration::from_secs(40);
    while visitor.state(id).await != "credited" {
        assert!(Instant::now() < give_up, "nobody asked for it");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test]
async fn calls_that_go_wrong_lose_nothing_and_an_old_signature_nothing_at_all() {
    let world = World::unstocked();
    let mut ana = Visitor::customer(&world.facts).await;
    // a session is asked for again under its key; an invoice never is
    let calls = json!(["lost_after", "error500_after"]);
    assert_eq!(world.payments("/calls", calls).await.status, 200);
    let id = ana.top_up("stripe", "10.00").await.unwrap();
    let place = world.payment_id(id).await;
    for skew in [-301, 301] {
        let pay = json!({ "id": place, "do": "delay" });
        let act = if skew < 0 {
            pay
        } else {
            json!({ "id": place, "do": "pay" })
        };
        let events = world.act_at("stripe", act, json!({ "skew_s": skew })).await;
        assert_eq!(events[0]["answers"], json!([400]));
    }
    assert_eq!(ana.state(id).await, "created");
    // the processor is away when it is asked whether the event is true: the event waits
    let mismatched = ana.top_up("stripe", "10.00").await.unwrap();
    let other = world.payment_id(mismatched).await;
    for (spoil, value) in [
        ("amount", json!(999)),
        ("currency", json!("eur")),
        ("live", json!(true)),
    ] {
        let id = ana.top_up("stripe", "10.00").await.unwrap();
        let mut act = json!({ "id": world.payment_id(id).await, "do": "pay" });
        act[spoil] = value;
        world.act_at("stripe", act, json!({})).await;
        assert_eq!(ana.state(id).await, "review", "{spoil}");
    }
    let lost = Value::Array(vec![json!("lost_before"); 20]);
    assert_eq!(world.payments("/calls", lost).await.status, 200);
    let events = world
        .act_at("stripe", json!({ "id": other, "do": "pay" }), json!({}))
        .await;
    assert_eq!(events[0]["answers"], json!([200]), "kept, so taken");
    assert_eq!(world.client.balance().await, "50.000000");
    assert_eq!(world.payments("/calls", json!([])).await.status, 200);
    credited(&mut ana, mismatched).await;
    credited(&mut ana, id).await;
    assert_eq!(world.client.balance().await, "70.000000");
    world.verify();
}

#[tokio::test]
async fn stripes_own_package_is_served_and_its_signatures_are_believed() {
    let world = World::unstocked();
    let mut ana = Visitor::customer(&world.facts).await;
    let id = ana.top_up("stripe", "25.00").await.unwrap();
    let pay = json!({ "id": world.payment_id(id).await, "do": "pay" });
    let events = world.act_at("stripe", pay, json!({ "times": 0 })).await;
    let event = events[0]["body"].as_str().unwrap().to_owned();
    assert_eq!(ana.state(id).await, "created", "nobody told of it");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tools = Command::new(root.join("scripts/python-tools")).output();
    let tools = String::from_utf8(tools.unwrap().stdout).unwrap();
    let python = Path::new(tools.trim()).join("python");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/stripe_package.py");
    let hook = format!("{}/hooks/stripe", world.facts["base_url"].as_str().unwrap());
    let mut run = Command::new(python);
    run.arg(script)
        .args([&world.practice, sandbox::STRIPE_KEY, &hook]);
    run.args([sandbox::STRIPE_WEBHOOK_SECRET, &event]);
    let output = tokio::task::spawn_blocking(move || run.output().unwrap());
    let output = output.await.unwrap();
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{why}");
    assert_eq!(ana.state(id).await, "credited");
    assert_eq!(world.client.balance().await, "75.000000");
    world.verify();
}
