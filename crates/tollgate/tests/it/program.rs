//! The program as its user meets it: commands, restarts, stops, example clients.

use crate::world::{PROGRAM, Scratch, World, discord, facts, start_demo};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

#[tokio::test]
async fn data_survives_a_stop_and_a_kill() {
    let mut world = World::new().await;
    let order = world.client.buy(discord()).await.data()["order_id"].clone();
    let key = world.facts["api_key"].clone();
    assert!(world.demo.terminate() < Duration::from_secs(10));
    world.restart();
    assert_eq!(world.facts["api_key"], key, "the key is the same");
    world
        .wait_for(&order, &["received"], Duration::from_secs(20))
        .await;
    world.demo.kill();
    world.restart();
    assert_eq!(
        world
            .wait_for(&order, &["received"], Duration::from_secs(1))
            .await["status"],
        "received"
    );
    assert_eq!(world.client.balance().await, "49.960000");
    world.verify();
}

#[tokio::test]
async fn a_demo_with_providers_in_process_goes_on_where_it_was() {
    let dir = Scratch::new();
    let mut demo = start_demo(dir.path(), &[]);
    let client = |facts: &Value| {
        let text = |name: &str| facts[name].as_str().unwrap().to_owned();
        crate::world::Client::new(&text("base_url"), &text("api_key"))
    };
    let before = facts(dir.path());
    let order = client(&before).buy(discord()).await.data()["order_id"].clone();
    demo.kill();
    let _again = start_demo(dir.path(), &[]);
    let after = client(&facts(dir.path()));
    let path = format!("get_status&order_id={}", order.as_str().unwrap());
    let give_up = Instant::now() + Duration::from_secs(20);
    while after.otp(&path).await.data()["status"] != "received" {
        assert!(Instant::now() < give_up);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn commands_work_on_a_running_server_and_on_a_stopped_one() {
    let mut world = World::new().await;
    let account =
        world.cli(&["account", "create", "--email", "Ana@example.com"])["account_id"].clone();
    let id = account.to_string();
    let key = world.cli(&[
        "key",
        "create",
        "--account",
        &id,
        "--name",
        "laptop",
        "--scope",
        "otp,read",
    ]);
    world.cli(&[
        "wallet",
        "credit",
        "--account",
        &id,
        "--usd",
        "12.50",
        "--note",
        "invoice 17",
    ]);
    assert_eq!(
        world.cli(&["wallet", "show", "--account", &id])["available"],
        "12.500000"
    );
    let base = world.facts["base_url"].as_str().unwrap().to_owned();
    let ana = crate::world::Client::new(&base, key["api_key"].as_str().unwrap());
    assert_eq!(ana.balance().await, "12.500000");
    assert_eq!(ana.smm("balance").await.verdict(), "403 insufficient_scope");
    world.cli(&["account", "suspend", &id]);
    assert_eq!(ana.otp("balance").await.verdict(), "403 account_suspended");
    world.cli(&["account", "resume", &id]);
    assert_eq!(ana.balance().await, "12.500000");
    world.cli(&["key", "revoke", &key["key_id"].to_string()]);
    assert_eq!(ana.otp("balance").await.verdict(), "401 invalid_api_key");
    let taken = world.cli_output(&["account", "create", "--email", "ana@example.com"]);
    assert_eq!(taken.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&taken.stderr).contains("ana@example.com exists already"));
    world.demo.terminate();
    assert_eq!(
        world.cli(&["wallet", "show", "--account", &id])["available"],
        "12.500000"
    );
    assert_eq!(
        world.cli(&["account", "list"])["accounts"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    world.verify();
    assert_eq!(world.cli_output(&["wallet", "show"]).status.code(), Some(2));
}

#[tokio::test]
async fn one_process_writes() {
    let world = World::new().await;
    let data = world.dir.path().to_str().unwrap();
    let output = Command::new(PROGRAM)
        .args([
            "demo",
            "--listen",
            "127.0.0.1:0",
            "--data",
            data,
            "--sandbox-url",
            &world.practice,
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(why.contains("lock"), "{why}");
}

#[test]
fn init_writes_settings_that_pass_and_mistakes_are_all_named() {
    let dir = Scratch::new();
    let run = |args: &[&str]| {
        Command::new(PROGRAM)
            .args(args)
            .current_dir(dir.path())
            .output()
            .unwrap()
    };
    assert!(run(&["init"]).status.success());
    assert_eq!(
        run(&["init"]).status.code(),
        Some(1),
        "an existing file is never overwritten"
    );
    let good = run(&["check-config", "--json"]);
    assert!(
        good.status.success(),
        "{}",
        String::from_utf8_lossy(&good.stderr)
    );
    let file = dir.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let broken = format!("{text}\n[limmits]\nx = 1\n[upstreams.a]\nprotocol = \"telnet\"\n");
    std::fs::write(&file, broken).unwrap();
    let bad = run(&["check-config", "--json"]);
    assert_eq!(bad.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&bad.stdout).unwrap();
    let keys: Vec<_> = report["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["key"].clone())
        .collect();
    assert!(keys.contains(&json!("upstreams.a.protocol")), "{keys:?}");
    assert!(
        keys.iter()
            .any(|key| key.as_str().unwrap().starts_with("limmits")),
        "{keys:?}"
    );
}

#[tokio::test]
async fn serve_runs_on_what_init_wrote_and_sells_nothing_before_it_is_told_to() {
    let dir = Scratch::new();
    let run = |args: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command
            .args(args)
            .current_dir(dir.path())
            .stdout(std::process::Stdio::null());
        command
    };
    assert!(run(&["init"]).status().unwrap().success());
    let free = crate::world::free_address();
    let file = dir.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let moved = text.replace("127.0.0.1:8080", &free.to_string());
    assert_ne!(text, moved);
    std::fs::write(&file, moved).unwrap();
    let mut server = crate::world::Running(run(&["serve"]).spawn().unwrap());
    let base = format!("http://{free}");
    let stranger = crate::world::Client::new(&base, "");
    let give_up = Instant::now() + Duration::from_secs(20);
    while stranger
        .try_get("/readyz")
        .await
        .is_none_or(|answer| answer.status != 200)
    {
        assert!(Instant::now() < give_up);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let cli = |args: &[&str]| -> Value {
        let output = run(args)
            .arg("--json")
            .stdout(std::process::Stdio::piped())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let account =
        cli(&["account", "create", "--email", "ana@example.com"])["account_id"].to_string();
    let key = cli(&["key", "create", "--account", &account])["api_key"].clone();
    assert!(key.as_str().unwrap().starts_with("tg_live_"));
    let ana = crate::world::Client::new(&base, key.as_str().unwrap());
    assert_eq!(ana.balance().await, "0.000000");
    assert_eq!(ana.smm("services").await.data()["services"], json!([]));
    assert_eq!(ana.otp("countries").await.data()["countries"], json!([]));
    assert_eq!(
        ana.buy(discord()).await.status,
        400,
        "no server peter is configured"
    );
    // practice keys and unclassified services are for the demo only
    let unsafe_text = format!(
        "{}\n[upstreams.a]\nprotocol = \"handler_api\"\nurl = \"https://a.example/x\"\nkey = \"sandbox-a-key\"\n",
        std::fs::read_to_string(&file).unwrap()
    );
    server.terminate();
    std::fs::write(&file, unsafe_text).unwrap();
    let refused = run(&["serve"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        why.contains("upstreams.a.key") && !why.contains("sandbox-a-key"),
        "{why}"
    );
}

/// The clients that the docs show make their whole journey against the demo.
#[tokio::test]
async fn the_example_clients_run() {
    let world = World::new().await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap();
    let base = format!("{}/api/v1", world.facts["base_url"].as_str().unwrap());
    for (program, file) in [
        ("php", "examples/php/client.php"),
        ("node", "examples/javascript/client.mjs"),
        ("python3", "examples/python/client.py"),
    ] {
        let run = |key: &str| {
            Command::new(program)
                .arg(root.join(file))
                .env("TOLLGATE_URL", &base)
                .env("TOLLGATE_KEY", key)
                .output()
                .unwrap_or_else(|error| panic!("{program}: {error}"))
        };
        let good = run(world.facts["api_key"].as_str().unwrap());
        let text = String::from_utf8_lossy(&good.stdout).into_owned();
        assert!(
            good.status.success(),
            "{program}: {text}{}",
            String::from_utf8_lossy(&good.stderr)
        );
        let bad = run("tg_demo_wrong");
        assert!(!bad.status.success(), "{program} with a wrong key");
    }
    world.verify();
}

#[tokio::test]
async fn docs_and_description_are_served() {
    let world = World::new().await;
    let root = world.client.get("/").await;
    assert!(root.text.contains("/sign-in") && root.text.contains("/docs"));
    let docs = world.client.get("/docs").await;
    assert!(docs.text.contains("buy_number"));
    let described = world.client.get("/api/v1/openapi.json").await.json();
    assert_eq!(described["openapi"], "3.1.0");
    assert_eq!(world.client.get("/healthz").await.status, 200);
    assert_eq!(world.client.get("/readyz").await.status, 200);
}
