//! The accounts at providers as the operator sees and tries them.

use crate::world::World;
use serde_json::Value;

#[tokio::test]
async fn every_account_can_be_listed_and_tried_out_and_a_dead_one_is_named() {
    let mut world = World::new().await;
    let list = world.cli(&["upstream", "list"]);
    let names: Vec<&str> = list["upstreams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert!(names.len() >= 10, "{list}");
    for name in &names {
        let trial = world.cli(&["upstream", "test", name]);
        assert_eq!(trial["ok"], true, "{trial}");
        assert!(trial["steps"].as_array().unwrap().len() >= 3, "{trial}");
    }
    let text = list.to_string();
    for key in sandbox::accounts().iter().map(|account| account.key) {
        assert!(!text.contains(key), "a credential is shown");
    }

    world.close_providers();
    let output = world.cli_output(&["upstream", "test", names[0]]);
    assert_eq!(output.status.code(), Some(1));
    let trial: Value = serde_json::from_slice(&output.stdout).unwrap();
    let step = &trial["steps"][0];
    assert_eq!(
        (&step["step"], &step["ok"]),
        (&"connect".into(), &false.into())
    );
    assert!(step["advice"].as_str().unwrap().contains("url"), "{trial}");
    let unknown = world.cli_output(&["upstream", "test", "nobody"]);
    assert_eq!(unknown.status.code(), Some(1));
}
