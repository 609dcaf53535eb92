//! The catalogue as an operator and a customer meet it: large, kept over a restart, judged by name.

use crate::world::World;
use serde_json::Value;

/// Offers that the providers sell beyond the ordinary ones.
const MORE: u32 = 16_000;
/// Upstreams of the demo that sell numbers.
const NUMBER_UPSTREAMS: usize = 9;
/// Bytes of memory that an offer may take, so that a million stay below two hundred megabytes.
const BYTES_AN_OFFER: u64 = 100;

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value}"))
}

/// Waits until the providers' whole catalogue is there.
async fn stats(world: &World) -> Value {
    for _ in 0..200 {
        let stats = world.cli(&["catalogue", "stats"]);
        let read = stats["upstreams"].as_array().unwrap().len();
        if read == NUMBER_UPSTREAMS && number(&stats["offers"]) >= u64::from(MORE) {
            return stats;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the catalogue was never read");
}

#[tokio::test]
async fn a_large_catalogue_is_small_in_memory_and_there_at_once_after_a_restart() {
    let mut world = World::large(MORE);
    let before = stats(&world).await;
    let offers: u64 = before["upstreams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|upstream| number(&upstream["offers"]))
        .sum();
    assert!(
        number(&before["bytes"]) < offers * BYTES_AN_OFFER,
        "{before}"
    );
    let list = "services&country_key=pakistan";
    let services = world.client.otp(list).await;
    let entries = services.data()["services"].as_array().unwrap().len();
    assert!(entries > 500, "{entries}");
    assert!(services.header("etag").is_some());

    world.demo.terminate();
    world.close_providers();
    world.restart();
    let again = world.client.otp(list).await;
    assert_eq!(again.data(), services.data());
    let kept = world.cli(&["catalogue", "stats"]);
    assert_eq!(kept["offers"], before["offers"]);
}

#[tokio::test]
async fn a_changed_rule_is_seen_before_it_is_applied() {
    let world = World::new().await;
    let file = world.dir.path().join("changed.toml");
    let preview = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let path = file.to_str().unwrap();
        world.cli_output(&["catalogue", "preview", path, "--limit", "3"])
    };
    let read = |text: &str| -> Value { serde_json::from_slice(&preview(text).stdout).unwrap() };
    let same = read("[markup]\n");
    assert!(number(&same["offers"]) > 500, "{same}");
    assert_eq!((&same["dearer"], &same["cheaper"]), (&0.into(), &0.into()));
    let dearer = read("[markup]\npercent = \"30\"\n");
    assert_eq!(number(&dearer["dearer"]), number(&dearer["offers"]));
    assert_eq!(dearer["examples"].as_array().unwrap().len(), 3);
    let made = world.cli(&["account", "create", "--email", "eve@example.com"]);
    let id = made["account_id"].to_string();
    let own = format!("[[markup.rules]]\naccount = {id}\npercent = \"5\"\n");
    assert_eq!(read(&own)["cheaper"], 0, "not for others");
    let of_account = world.cli(&[
        "catalogue",
        "preview",
        file.to_str().unwrap(),
        "--account",
        &id,
    ]);
    assert_eq!(of_account["account_id"].to_string(), id);
    assert!(number(&of_account["offers"]) > 500, "{of_account}");
    assert_eq!(of_account["cheaper"], of_account["offers"]);
    let wrong = preview("[markup]\npercent = \"a lot\"\n");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("markup.percent"));

    let classified = world.cli(&["catalogue", "classify", "Some app", "dating"]);
    assert_eq!(classified["class"], "dating");
    let wrong = world.cli_output(&["catalogue", "classify", "Some app", "datin"]);
    assert_eq!(wrong.status.code(), Some(1));
    let unclassified = world.cli(&["catalogue", "unclassified"]);
    assert!(unclassified["services"].is_array());
    let history = world.cli(&["catalogue", "history", "--service", "Discord"]);
    assert_eq!(history["changes"], Value::Array(Vec::new()));
}
