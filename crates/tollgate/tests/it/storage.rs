//! Failing storage and jumping clocks under the real program.

use crate::world::{Client, PROGRAM, Scratch, World, discord, start_demo_with};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The error of a file system that was remounted to be read only.
const READ_ONLY: u32 = 30;
/// The error of a device that fails.
const INPUT_OUTPUT: u32 = 5;

/// Switches a failure of the operating system with this error on in a running process, or off.
fn fail(pid: u32, what: &str, error: Option<u32>) {
    let rule = match error {
        Some(error) => format!("enable name={what},failinfo={error}"),
        None => format!("disable name={what}"),
    };
    let status = Command::new("fiu-ctrl")
        .args(["-c", &rule, &pid.to_string()])
        .status();
    assert!(status.expect("fiu-ctrl, from fiu-utils").success());
}

/// Where Debian puts a package's library.
pub fn library(package: &str, end: &str) -> String {
    let listed = Command::new("dpkg").args(["-L", package]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let found = listed.lines().find(|line| line.ends_with(end));
    found
        .unwrap_or_else(|| panic!("{package} is not installed: no {end}"))
        .to_owned()
}

/// Money moves again without anybody's help.
pub async fn buys_again(client: &Client, at_most: Duration) {
    let asked = Instant::now();
    loop {
        let answer = client.buy(discord()).await;
        if answer.status == 200 {
            return;
        }
        assert_eq!(answer.verdict(), "503 storage_unavailable");
        assert!(asked.elapsed() < at_most, "it does not recover by itself");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn no_money_moves_on_failing_or_read_only_storage_and_it_recovers_unattended() {
    // two libraries stand between the program and the operating system
    let world = World::with(|dir, more| {
        let mut command = Command::new(PROGRAM);
        let libraries = ["/fiu_run_preload.so", "/fiu_posix_preload.so"];
        let libraries = libraries.map(|end| library("libfiu0", end));
        command.env("LD_PRELOAD", libraries.join(" "));
        command.env("FIU_CTRL_FIFO", "/tmp/fiu-ctrl");
        start_demo_with(command, dir, more)
    })
    .await;
    let pid = world.demo.0.id();
    let mut acknowledged = 0;
    for (what, error) in [
        ("posix/io/rw/pwrite", INPUT_OUTPUT),
        ("posix/io/sync/fsync", INPUT_OUTPUT),
        ("posix/io/rw/pwrite", READ_ONLY),
    ] {
        let before = world.client.balance().await;
        fail(pid, what, Some(error));
        // more than one attempt to open it again happens meanwhile
        let until = Instant::now() + Duration::from_millis(2_500);
        while Instant::now() < until {
            let refused = world.client.buy(discord()).await;
            assert_eq!(refused.verdict(), "503 storage_unavailable", "{what}");
            assert!(refused.header("retry-after").is_some());
            let ready = world.client.try_get("/readyz").await.unwrap();
            assert_eq!(ready.verdict(), "503 not_ready", "{what} {error}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(
            world.client.otp("countries").await.status,
            200,
            "reads go on"
        );
        assert_eq!(world.sold().await.len(), acknowledged, "nothing was bought");
        fail(pid, what, None);
        buys_again(&world.client, Duration::from_secs(15)).await;
        acknowledged += 1;
        let after = world.client.balance().await;
        assert!(after < before, "{before} {after}");
    }
    let orders = world.client.otp("orders").await.data()["orders"].clone();
    assert_eq!(orders.as_array().unwrap().len(), acknowledged);
    assert_eq!(world.verify()["violations"], json!([]));
}

/// Sets what time the program believes it is, in the words of faketime.
pub fn set_time(file: &Path, offset: &str) {
    std::fs::write(file, offset).unwrap();
}

#[tokio::test]
async fn a_clock_that_jumps_releases_and_expires_nothing() {
    let clock = Scratch::new();
    let file = clock.path().join("time");
    set_time(&file, "+0");
    let world = World::with(|dir, more| {
        let mut command = Command::new(PROGRAM);
        command.env("LD_PRELOAD", library("libfaketime", "/libfaketime.so.1"));
        command.env("FAKETIME_TIMESTAMP_FILE", &file);
        command
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        start_demo_with(command, dir, more)
    })
    .await;
    let wanted = async |name: &str| {
        let service = world.service("romeo", "13", name).await;
        json!({ "service_id": service, "country_id": "13", "server": "romeo" })
    };
    let waiting = world
        .client
        .buy(wanted("Sandbox: never a code").await)
        .await
        .data();
    let path = "/api/v1/otp?action=buy_number";
    let lost = wanted("Sandbox: answer lost before the sale").await;
    let doubt = world.client.post_keyed(path, lost, "k").await;
    assert_eq!(doubt.status, 202);
    let order = json!({ "service_id": "1", "link": "https://instagram.com/a?sandbox=never", "quantity": 50 });
    let smm = world.client.place(order).await.data();
    let balance = world.client.balance().await;
    for offset in ["+1", "-1", "+2h", "-2h", "+10y", "-10y"] {
        set_time(&file, offset);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let status = async |id: &serde_json::Value| {
            let query = format!("get_status&order_id={}", id.as_str().unwrap());
            world.client.otp(&query).await.data()["status"].clone()
        };
        assert_eq!(status(&waiting["order_id"]).await, "waiting", "{offset}");
        assert_eq!(
            status(&doubt.data()["order_id"]).await,
            "pending",
            "{offset}"
        );
        let query = format!(
            "order_status&order_id={}",
            smm["order_id"].as_str().unwrap()
        );
        let shown = world.client.smm(&query).await.data()["status"].clone();
        assert!(["Pending", "Processing", "In progress"].contains(&shown.as_str().unwrap()));
        assert_eq!(world.client.balance().await, balance, "{offset}");
    }
    set_time(&file, "+0");
    world.verify();
}
