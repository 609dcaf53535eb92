//! What an operator does to a running server: settings read again, and a look at everything.

use crate::served::Served;
use crate::world::{Client, PROGRAM};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinSet;

const BALANCE: &str = "/api/v1/otp?action=balance";

/// The limit that a key without one of its own is told.
async fn limit(client: &Client) -> String {
    let answer = client.get(BALANCE).await;
    answer.header("ratelimit-limit").unwrap().to_owned()
}

#[tokio::test]
async fn settings_are_read_again_without_a_dropped_request_and_a_mistake_changes_nothing() {
    let served = Served::start("[limits]\nrequests_per_minute = 5000\n", 0).await;
    let args = ["key", "create", "--account", &served.account];
    let plain = served.cli(&args)["api_key"].as_str().unwrap().to_owned();
    let client = served.client_with(&plain);
    assert_eq!(limit(&client).await, "5000");

    let stop = Arc::new(AtomicBool::new(false));
    let (asker, asked) = (served.client.clone(), Arc::clone(&stop));
    let mut asking = JoinSet::new();
    asking.spawn(async move {
        let mut answered = 0;
        while !asked.load(Ordering::Relaxed) {
            assert_eq!(asker.get(BALANCE).await.status, 200);
            answered += 1;
        }
        answered
    });
    served.change_settings("requests_per_minute = 5000", "requests_per_minute = 4000");
    served.hang_up();
    served.says("changed: limits.requests_per_minute").await;
    assert_eq!(limit(&client).await, "4000");

    served.change_settings(
        "requests_per_minute = 4000",
        "requests_per_minute = \"many\"",
    );
    served.hang_up();
    served
        .says("has mistakes, the settings stay as they were")
        .await;
    assert!(served.log().contains("limits.requests_per_minute: "));
    assert_eq!(limit(&client).await, "4000");

    served.change_settings(
        "requests_per_minute = \"many\"",
        "requests_per_minute = 4000\nmisses_per_minute = 7\n[markup]\npercent = \"33\"\n\
         [purchase]\nsync_budget_ms = 9000",
    );
    served.hang_up();
    served
        .says("change with the next start: purchase.sync_budget_ms")
        .await;
    served
        .says("changed: limits.misses_per_minute, markup.percent")
        .await;
    stop.store(true, Ordering::Relaxed);
    assert!(asking.join_next().await.unwrap().unwrap() > 0);
}

/// Status and report of `doctor` on an installation.
fn doctor(dir: &Path) -> (bool, Value) {
    let mut doctor = Command::new(PROGRAM);
    let output = doctor.args(["doctor", "--json"]).current_dir(dir).output();
    let output = output.unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        report["ok"].as_bool(),
        Some(output.status.success()),
        "{report}"
    );
    (output.status.success(), report)
}

fn state<'a>(report: &'a Value, check: &str) -> &'a str {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|one| one["check"] == check);
    let found = found.unwrap_or_else(|| panic!("{check}: {report}"));
    if found["state"] != "ok" {
        assert_ne!(found["advice"], "", "{found}");
    }
    found["state"].as_str().unwrap()
}

#[tokio::test]
async fn a_doctor_says_what_is_wrong_and_what_to_do() {
    let mut served = Served::start("", 0).await;
    let (ok, report) = doctor(served.dir());
    assert!(ok, "{report}");
    for (check, expected) in [
        ("data directory", "ok"),
        ("disk space", "ok"),
        ("public address", "warn"),
        ("server", "ok"),
        ("store", "ok"),
        ("books", "ok"),
    ] {
        assert_eq!(state(&report, check), expected, "{check}: {report}");
    }
    served.stop();
    assert_eq!(state(&doctor(served.dir()).1, "server"), "warn");
    let data = served.dir().join("data");
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o755)).unwrap();
    let (ok, report) = doctor(served.dir());
    assert_eq!((ok, state(&report, "data directory")), (false, "fail"));
    served.change_settings("[listen]", "[listen]\nadress = 1");
    let (ok, report) = doctor(served.dir());
    assert!(!ok && state(&report, "settings") == "fail");
    assert!(report.to_string().contains("listen.adress"), "{report}");
}
