//! A backup made under load is brought back after more was bought: nothing is bought again, what the
//! upstreams know settles what the backup did not, the books are in order.

use crate::crash::{Load, all_orders, any_service, micros, ready, rich_client, settle, start};
use crate::world::{Client, PROGRAM, Scratch, World, free_address, sandbox};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

async fn sold(practice: &str) -> BTreeSet<String> {
    let list = Client::new(practice, "").get("/_sandbox/orders").await;
    let orders = list.json()["orders"].as_array().unwrap().clone();
    let name = |sale: &Value| format!("{} {}", sale["kind"], sale["id"]);
    orders.iter().map(name).collect()
}

fn ids(orders: &[Value]) -> BTreeSet<String> {
    let id = |order: &Value| order["order_id"].as_str().unwrap().to_owned();
    orders.iter().map(id).collect()
}

/// A command that must fail; gives why it did.
fn refused(dir: &Scratch, args: &[&str]) -> String {
    let data = dir.path().to_str().unwrap();
    let output = Command::new(PROGRAM)
        .args(args)
        .args(["--json", "--data", data])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    said["error"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_is_brought_back_and_nothing_is_bought_again() {
    let (_practice, practice) = sandbox();
    let faults = json!({ "seed": 11, "rates": { "lost_after": 0.1, "lost_before": 0.05 } });
    let provider = Client::new(&practice, "");
    provider.post("/_sandbox/faults", faults).await;
    let (dir, port) = (Scratch::new(), free_address().port());
    let base = format!("http://127.0.0.1:{port}");
    let mut demo = start(&dir, port, &practice);
    ready(&Client::new(&base, "")).await;
    while !dir.path().join("demo.json").exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let client = rich_client(&dir, &base);
    let service = any_service(&client).await;
    let load = Arc::new(Load::default());
    let buyers = load.begin(&client, &service);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let copy = dir.path().join("copy.db");
    let file = copy.to_str().unwrap();
    let copied = World::command(dir.path(), &["backup", file]);
    assert!(copied["open_holds"].as_u64().unwrap() > 0, "{copied}");
    let again = refused(&dir, &["backup", file]);
    assert!(again.contains("not overwritten"), "{again}");
    let running = refused(&dir, &["restore", file, "--force"]);
    assert!(running.contains("in use"), "{running}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    load.stop();
    for buyer in buyers {
        buyer.await.unwrap();
    }
    let lost = [
        all_orders(&client, "otp").await,
        all_orders(&client, "smm").await,
    ]
    .concat();
    demo.kill();

    let kept = refused(&dir, &["restore", file]);
    assert!(kept.contains("--force"), "{kept}");
    let restored = World::command(dir.path(), &["restore", file, "--force"]);
    assert_eq!(restored["open_holds"], copied["open_holds"]);
    let before = sold(&practice).await;
    let _demo = start(&dir, port, &practice);
    ready(&client).await;
    settle(&client).await;
    assert_eq!(sold(&practice).await, before, "something was bought again");
    let numbers = all_orders(&client, "otp").await;
    let orders = all_orders(&client, "smm").await;
    let known = [numbers.clone(), orders.clone()].concat();
    assert!(ids(&known).is_subset(&ids(&lost)));
    assert!(known.len() < lost.len(), "nothing was lost: no test");
    let completed = orders.iter().filter(|order| order["status"] == "Completed");
    assert!(completed.count() > 0, "no panel's word settled anything");
    let charged = numbers.iter().filter(|order| order["status"] == "received");
    let charged: i64 = charged.map(|order| micros(&order["charged_usd"])).sum();
    let kept = |order: &Value| micros(&order["charged"]) - micros(&order["refunded"]);
    let spent = charged + orders.iter().map(kept).sum::<i64>();
    let balance = micros(&json!(client.balance().await));
    assert_eq!(balance, 1_050_000_000 - spent);
    let report = World::command(dir.path(), &["ledger", "verify"]);
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(report["open_holds"], 0, "{report}");
    // ids of the time that was lost are nobody's
    let body = json!({ "service_id": service, "country_id": "13", "server": "romeo" });
    let mut next = client.buy(body.clone()).await;
    while next.status == 503 {
        next = client.buy(body.clone()).await;
    }
    let id: i64 = next.data()["order_id"].as_str().unwrap().parse().unwrap();
    assert!(id > restored["orders_after"].as_i64().unwrap());
}
