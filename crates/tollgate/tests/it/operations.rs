//! What an operator does to a running server: settings read again, and a look at everything.

use crate::served::Served;
use crate::world::{Client, PROGRAM, Scratch};
use serde_json::Value;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use tokio::task::JoinSet;

const BALANCE: &str = "/api/v1/otp?action=balance";

/// The limit that a key without one of its own is told.
async fn limit(client: &Client) -> String {
    let answer = client.get(BALANCE).await;
    answer.header("ratelimit-limit").unwrap().to_owned()
}

/// Something with a price.
const POOL: &str = r#"
[upstreams.mine]
protocol = "own_numbers"
own_services = { tg = "Telegram" }
own_cost_usd = "0.10"
[servers.luke]
routes = [{ upstream = "mine" }]
[otp]
order = ["luke"]
default_server = "luke"
"#;

/// What its one service costs.
async fn price(client: &Client) -> String {
    let list = client
        .otp("services&server=luke&country_id=US")
        .await
        .data();
    list["services"][0]["your_price_usd"].to_string()
}

/// Statuses of so many questions for orders that there are not.
async fn misses(client: &Client, questions: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..questions {
        statuses.push(client.otp("get_status&order_id=4711").await.status);
    }
    statuses
}

#[tokio::test]
async fn settings_are_read_again_without_a_dropped_request_and_a_mistake_changes_nothing() {
    let settings = format!("[limits]\nrequests_per_minute = 5000\n{POOL}");
    let served = Served::start(&settings, 0).await;
    let number = [
        "number",
        "add",
        "--upstream",
        "mine",
        "--number",
        "+14155550199",
    ];
    served.cli(&[&number[..], &["--country", "US"]].concat());
    let args = ["key", "create", "--account", &served.account];
    let plain = served.cli(&args)["api_key"].as_str().unwrap().to_owned();
    let client = served.client_with(&plain);
    assert_eq!(limit(&client).await, "5000");
    assert_eq!(price(&client).await, "0.12");
    assert_eq!(misses(&client, 8).await, [404; 8]);

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
        "requests_per_minute = 4000\nmisses_per_minute = 7\n[markup]\npercent = \"30\"\n\
         [log]\nlevel = \"debug\"\n[purchase]\nsync_budget_ms = 9000",
    );
    served.hang_up();
    served
        .says("change with the next start: purchase.sync_budget_ms")
        .await;
    served
        .says("changed: limits.misses_per_minute, log.level, markup.percent")
        .await;
    assert_eq!(price(&client).await, "0.13");
    let other = served.cli(&["account", "create", "--email", "bo@example.com"]);
    let other = other["account_id"].to_string();
    let key = served.cli(&["key", "create", "--account", &other])["api_key"].clone();
    let other = served.client_with(key.as_str().unwrap());
    let expected = [&[404; 7][..], &[429]].concat();
    assert_eq!(misses(&other, 8).await, expected);
    // told at this level only
    let socket = served.dir().join("data/tollgate.sock");
    drop(UnixStream::connect(socket).unwrap());
    served.says("a command hung up").await;
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

/// Every file below a directory, with its length and when it was last written.
fn listing(dir: &Path) -> BTreeSet<(PathBuf, u64, SystemTime)> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let facts = path.metadata().unwrap();
        if facts.is_dir() {
            found.extend(listing(&path));
        }
        found.insert((path, facts.len(), facts.modified().unwrap()));
    }
    found
}

#[test]
fn moving_asks_for_both_ends() {
    let mut migrate = Command::new(PROGRAM);
    let given = ["migrate", "--to", "postgres://tollgate@127.0.0.1/tollgate"];
    let output = migrate.args(given).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(why.contains("--from"), "{why}");
}

#[tokio::test]
async fn a_drain_is_told_to_the_manager_and_ends_with_a_second_signal() {
    let place = Scratch::new();
    let path = place.path().join("manager");
    let manager = UnixDatagram::bind(&path).unwrap();
    let mut served = Served::told_to(&path, "drain_s = 300\n").await;
    served.signal("TERM");
    let patience = Some(Duration::from_secs(20));
    manager.set_read_timeout(patience).unwrap();
    let (mut heard, mut told) = ([0; 64], Vec::new());
    while told
        .last()
        .is_none_or(|word: &String| !word.starts_with("EXTEND"))
    {
        let length = manager.recv(&mut heard).unwrap();
        told.push(String::from_utf8_lossy(&heard[..length]).into_owned());
    }
    assert_eq!(
        told,
        ["READY=1", "STOPPING=1", "EXTEND_TIMEOUT_USEC=319000000"]
    );
    assert_eq!(served.client.get("/healthz").await.status, 200);
    served.stop();
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
    let made = served.cli(&["backup", "copy.db"]);
    assert!(made["note"].as_str().unwrap().contains("tollgate.keys"));
    let lines = served.cli(&["audit", "list", "--action", "back_up"]);
    let file = lines["lines"][0]["object"].as_str().unwrap();
    assert!(file.ends_with("/copy.db"), "{lines}");
    served.stop();
    // without a server it does not even touch the store
    let data = served.dir().join("data");
    std::fs::remove_dir_all(data.join("daily-keys")).unwrap();
    let before = listing(served.dir());
    let (ok, report) = doctor(served.dir());
    assert!(ok, "{report}");
    assert_eq!(state(&report, "server"), "warn");
    assert_eq!(state(&report, "store"), "warn");
    assert_eq!(listing(served.dir()), before);
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o755)).unwrap();
    let (ok, report) = doctor(served.dir());
    assert_eq!((ok, state(&report, "data directory")), (false, "fail"));
    served.change_settings("[listen]", "[listen]\nadress = 1");
    let (ok, report) = doctor(served.dir());
    assert!(!ok && state(&report, "settings") == "fail");
    assert!(report.to_string().contains("listen.adress"), "{report}");
}
