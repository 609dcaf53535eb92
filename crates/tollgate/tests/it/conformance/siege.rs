//! The whole program while one of its upstreams answers with anything: the operator is told which,
//! the last good list stays, customers learn nothing of it, and the others go on selling.

use super::gate::{Act, Gate};
use super::hostile::hostile;
use crate::served::Served;
use crate::world::sandbox;
use serde_json::{Value, json};

/// More than this the program never holds, whatever is sent to it: an endless list among it.
const PEAK_MIB: u64 = 400;

fn settings(good: &str, bad: &str) -> String {
    let upstream = |name: &str, url: &str, path: &str, key: &str| {
        format!(
            "[upstreams.{name}]\nprotocol = \"handler_api\"\nurl = \"{url}{path}\"\n\
             key = \"{key}\"\nallow_plain_http = true\ntimeout_ms = 2000\nconnect_timeout_ms = 1000\n\
             [servers.{name}s]\nroutes = [{{ upstream = \"{name}\" }}]\n"
        )
    };
    format!(
        "[otp]\norder = [\"goods\", \"bads\"]\ndefault_server = \"goods\"\n{}{}",
        upstream("good", good, "/paul/stubs/handler_api.php", "good-key"),
        upstream("bad", bad, "/romeo/stubs/handler_api.php", "bad-key")
    )
}

/// The provider behind a gate that gives its callers the key that it takes.
fn providers(practice: &str) -> (Gate, Gate) {
    let address = practice.trim_start_matches("http://").parse().unwrap();
    let open = |ours: &'static str, theirs: &'static str| Gate::translating(address, ours, theirs);
    (
        open("good-key", "sandbox-paul-key"),
        open("bad-key", "sandbox-romeo-key"),
    )
}

async fn first_service(served: &Served, server: &str) -> Value {
    let list = served
        .client
        .otp(&format!("services&server={server}&country_id=6"))
        .await;
    let services = list.data()["services"].clone();
    let found = services
        .as_array()
        .unwrap()
        .iter()
        .find(|service| !service["name"].as_str().unwrap().starts_with("Sandbox"));
    found.unwrap()["service_id"].clone()
}

#[tokio::test]
async fn a_hostile_upstream_harms_nobody_but_itself() {
    let (_sandbox, practice) = sandbox();
    let (good, bad) = providers(&practice);
    let served = Served::start(&settings(&good.url(), &bad.url()), 2).await;
    let before = served.cli(&["catalogue", "stats"])["offers"].clone();
    for (what, act) in hostile() {
        bad.does(act);
        let refreshed = served.cli(&["catalogue", "refresh"]);
        let text = refreshed.to_string();
        assert!(text.contains("bad"), "{what}: {text}");
        let stats = served.cli(&["catalogue", "stats"]);
        assert_eq!(stats["offers"], before, "{what}: the last good list stays");
        let trouble = |name: &str| {
            let rows = stats["upstreams"].as_array().unwrap().iter();
            rows.clone().find(|row| row["upstream"] == name).unwrap()["trouble"].clone()
        };
        assert!(trouble("bad").is_string(), "{what}: {stats}");
        assert!(trouble("good").is_null(), "{what}: {stats}");
        assert_eq!(served.client.otp("balance").await.status, 200, "{what}");
    }
    let peak = served.peak_mib();
    assert!(peak < PEAK_MIB, "{peak} MiB");
    bad.does(Act::ok("<html>who knows</html>"));
    let order = json!({
        "service_id": first_service(&served, "bads").await,
        "country_id": "6",
        "server": "bads",
    });
    let answer = served.client.buy(order).await;
    assert_eq!(answer.verdict(), "503 purchase_outcome_unknown");
    for secret in ["bad-key", "html", "romeo", "upstream", "127.0.0.1"] {
        assert!(!answer.text.contains(secret), "{}", answer.text);
    }
    let order = json!({
        "service_id": first_service(&served, "goods").await,
        "country_id": "6",
    });
    assert_eq!(served.client.buy(order).await.status, 200);
    let log = served.log();
    assert!(log.contains("bad") && !log.contains("bad-key"), "{log}");
    served.verify();
}
