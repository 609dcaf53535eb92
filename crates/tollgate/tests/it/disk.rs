//! The real program on a file system of its own that fills up, and on one that takes no writes.

use crate::storage::buys_again;
use crate::world::{Client, PROGRAM, Running, Scratch, World, discord, facts, sandbox};
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Purchases after which a full file system must have been noticed.
const TRIES: usize = 200;

/// A command in a mount namespace of its own, so that whatever is mounted goes away with it, and in
/// a user namespace, so that nobody has to be root.
fn in_namespace(mount: &str, dir: &Path) -> Command {
    let works = Command::new("unshare").args(["-rm", "true"]).status();
    assert!(
        works.is_ok_and(|status| status.success()),
        "this test mounts file systems: it needs unshare (util-linux) and user namespaces, or root"
    );
    let script = format!("{mount} && shift && exec \"$@\"");
    let mut command = Command::new("unshare");
    command
        .args(["-rm", "sh", "-c", &script, "sh"])
        .arg(dir)
        .arg(PROGRAM);
    command
}

/// A demo on a small file system in memory; gives its process and the folder as seen from here.
fn on_small_disk(dir: &Scratch, practice: &str) -> (Running, PathBuf) {
    let data = dir.path().to_str().unwrap();
    let mut command = in_namespace("mount -t tmpfs -o size=16m tmpfs \"$1\"", dir.path());
    command
        .args(["demo", "--listen", "127.0.0.1:0", "--data", data])
        .args(["--sandbox-url", practice])
        .env("TOLLGATE_LOG", "off");
    let mut demo = Running(command.stdout(Stdio::null()).spawn().unwrap());
    let inside = PathBuf::from(format!("/proc/{}/root{data}", demo.0.id()));
    let give_up = Instant::now() + Duration::from_secs(30);
    while !inside.join("demo.json").exists() {
        assert!(demo.0.try_wait().unwrap().is_none(), "the demo ended");
        assert!(Instant::now() < give_up, "the demo does not come up");
        std::thread::sleep(Duration::from_millis(10));
    }
    (demo, inside)
}

/// Takes what room is left.
fn fill(folder: &Path) -> PathBuf {
    let path = folder.join("filler");
    let mut file = File::create(&path).unwrap();
    for size in [1 << 16, 1 << 12] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
    path
}

/// A start does not wait for catalogues for ever.
async fn on_sale(client: &Client) {
    let give_up = Instant::now() + Duration::from_secs(60);
    while client.buy(discord()).await.status != 200 {
        assert!(Instant::now() < give_up, "nothing is on sale");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_full_disk_stops_money_and_loses_nothing() {
    let (_practice, practice) = sandbox();
    let dir = Scratch::new();
    let (_demo, inside) = on_small_disk(&dir, &practice);
    let base = facts(&inside)["base_url"].as_str().unwrap().to_owned();
    let account = facts(&inside)["account_id"].to_string();
    let cli = |words: &[&str]| World::command(&inside, &[words, &["--account", &account]].concat());
    cli(&["wallet", "credit", "--usd", "1000", "--note", "load"]);
    let key = cli(&["key", "create", "--rate-limit", "100000"])["api_key"].clone();
    let client = Client::new(&base, key.as_str().unwrap());
    on_sale(&client).await;
    let mut acknowledged = Vec::new();
    for _ in 0..3 {
        let filler = fill(&inside);
        let mut refused = false;
        for _ in 0..TRIES {
            let answer = client.buy(discord()).await;
            if answer.status == 200 {
                acknowledged.push(answer.data()["order_id"].clone());
                continue;
            }
            // an outcome is unknown where the number was sold and could not be stored
            let verdict = answer.verdict();
            let fits = ["503 storage_unavailable", "503 purchase_outcome_unknown"];
            assert!(fits.contains(&verdict.as_str()), "{verdict}");
            refused = verdict == fits[0];
            if refused {
                break;
            }
        }
        assert!(refused, "the full file system was not noticed");
        assert_eq!(client.otp("countries").await.status, 200, "reads go on");
        std::fs::remove_file(filler).unwrap();
        buys_again(&client, Duration::from_secs(20)).await;
    }
    for order in &acknowledged {
        let query = format!("get_status&order_id={}", order.as_str().unwrap());
        assert_eq!(client.otp(&query).await.status, 200, "{order} is lost");
    }
    let report = World::command(&inside, &["ledger", "verify"]);
    assert_eq!(report["violations"], json!([]), "{report}");
}

#[tokio::test]
async fn a_start_on_a_read_only_disk_says_so() {
    let mut world = World::new().await;
    world.demo.terminate();
    let mount = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"";
    let data = world.dir.path().to_str().unwrap();
    let output = in_namespace(mount, world.dir.path())
        .args(["demo", "--listen", "127.0.0.1:0", "--data", data])
        .args(["--sandbox-url", &world.practice])
        .output()
        .unwrap();
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{why}");
    assert!(why.contains(data) && why.contains("Read-only"), "{why}");
    world.restart();
    assert_eq!(world.client.buy(discord()).await.status, 200);
    world.verify();
}
