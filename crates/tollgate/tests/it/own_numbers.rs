//! The operator's own numbers, from the settings file to a code: the real `serve`, with a carrier's
//! signed webhooks.

use crate::world::{Client, PROGRAM, Running, Scratch, World, free_address};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wire::inbound::Inbound;
use wire::twilio::{self, Algorithm};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const NUMBER: &str = "+14155550199";
const SETTINGS: &str = r#"
[upstreams.mine]
protocol = "own_numbers"
own_services = { tg = "Telegram", wa = "WhatsApp" }
own_costs_usd = { "US/tg" = "0.30" }
poll_interval_ms = 250
[servers.luke]
routes = [{ upstream = "mine" }]
[hooks.twilio]
auth_token_env = "TWILIO_TOKEN"
"#;

/// A `serve` with a pool of its own.
struct Gate {
    dir: Scratch,
    base: String,
    /// Where it is watched.
    admin: String,
    _server: Running,
}

fn command(dir: &Scratch, args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(args).current_dir(dir.path());
    command.env("TWILIO_TOKEN", TOKEN).stdout(Stdio::null());
    command
}

impl Gate {
    async fn open() -> Self {
        let dir = Scratch::new();
        assert!(command(&dir, &["init"]).status().unwrap().success());
        let (free, admin) = (free_address(), free_address());
        let file = dir.path().join("tollgate.toml");
        let mut text = std::fs::read_to_string(&file).unwrap();
        for (before, after) in [
            ("127.0.0.1:8080", free.to_string().as_str()),
            (
                "#address = \"127.0.0.1:9465\"",
                &format!("address = \"{admin}\""),
            ),
            (
                "#public_url = \"https://sms.example.org\"",
                "public_url = \"https://gate.example\"",
            ),
            ("default_server = \"peter\"", "default_server = \"luke\""),
            ("activation_poll_ms = 3000", "activation_poll_ms = 250"),
        ] {
            assert!(text.contains(before), "{before}");
            text = text.replace(before, after);
        }
        std::fs::write(&file, text + SETTINGS).unwrap();
        let server = Running(command(&dir, &["serve"]).spawn().unwrap());
        let base = format!("http://{free}");
        let stranger = Client::new(&base, "");
        let give_up = Instant::now() + Duration::from_secs(40);
        while stranger
            .try_get("/readyz")
            .await
            .is_none_or(|answer| answer.status != 200)
        {
            assert!(Instant::now() < give_up, "not ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self {
            dir,
            base,
            admin: format!("http://{admin}"),
            _server: server,
        }
    }

    fn cli(&self, args: &[&str]) -> Value {
        let mut command = command(&self.dir, args);
        let output = command
            .arg("--json")
            .stdout(Stdio::piped())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{args:?} {text}");
        serde_json::from_str(&text).unwrap()
    }

    fn customer(&self) -> Client {
        let account = self.cli(&["account", "create", "--email", "ana@example.com"]);
        let account = account["account_id"].to_string();
        let credit = [
            "wallet",
            "credit",
            "--account",
            &account,
            "--usd",
            "5",
            "--note",
            "x",
        ];
        self.cli(&credit);
        let key = self.cli(&[
            "key",
            "create",
            "--account",
            &account,
            "--rate-limit",
            "100000",
        ]);
        Client::new(&self.base, key["api_key"].as_str().unwrap())
    }

    /// The carrier delivers a message.
    async fn deliver(&self, token: &str, id: &str, text: &str) -> (u16, String) {
        let message = Inbound {
            message_id: id.to_owned(),
            event_id: None,
            from: "+14155550100".to_owned(),
            to: NUMBER.to_owned(),
            text: text.to_owned(),
            received_at: None,
        };
        let form = twilio::form(&message, "AC1");
        let told = "https://gate.example/hooks/twilio/sms";
        let signature = twilio::sign((token, Algorithm::Sha1), told, form.as_bytes());
        let answer = reqwest::Client::new()
            .post(format!("{}/hooks/twilio/sms", self.base))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("X-Twilio-Signature", signature)
            .body(form)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// One number in service, and one that was.
    fn stock(&self) {
        let of_mine = |command, rest: &[&str]| {
            let args = [&["number", command, "--upstream", "mine"], rest].concat();
            self.cli(&args)
        };
        let added = of_mine("add", &["--country", "US", "--number", NUMBER]);
        assert_eq!(added, json!({ "added": 1, "already": 0 }));
        let list = self.dir.path().join("numbers.csv");
        let lines = format!("# mine\n{NUMBER},US\n+447700900123,GB\n");
        std::fs::write(&list, lines).unwrap();
        let imported = of_mine("import", &[list.to_str().unwrap()]);
        assert_eq!(imported, json!({ "added": 1, "already": 1 }));
        of_mine("retire", &["--number", "+447700900123"]);
    }

    /// Whether any file of the installation holds these bytes in clear.
    fn holds(&self, text: &str) -> bool {
        let mut left = vec![self.dir.path().to_owned()];
        while let Some(path) = left.pop() {
            if path.is_dir() {
                let entries = std::fs::read_dir(&path).unwrap();
                left.extend(entries.map(|entry| entry.unwrap().path()));
            } else if let Ok(bytes) = std::fs::read(&path)
                && bytes
                    .windows(text.len())
                    .any(|part| part == text.as_bytes())
            {
                return true;
            }
        }
        false
    }

    fn states(&self) -> Vec<String> {
        let pool = self.cli(&["number", "list", "--upstream", "mine"]);
        let rows = pool["numbers"].as_array().unwrap().iter();
        rows.map(|row| row["state"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Waits for the code of an order.
async fn received(customer: &Client, order: &str) -> Value {
    let give_up = Instant::now() + Duration::from_secs(20);
    loop {
        let seen = customer.otp(order).await.data();
        if seen["status"] == "received" {
            return seen;
        }
        assert!(Instant::now() < give_up, "{seen}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_customer_rents_the_operators_number_and_reads_its_code() {
    let gate = Gate::open().await;
    gate.stock();
    let acknowledged = (200, "<Response/>".to_owned());
    let old = gate.deliver(TOKEN, "SM0", "an old code 111111").await;
    assert_eq!(old, acknowledged);

    let ana = gate.customer();
    let want = json!({ "service_id": "tg", "country_id": "US" });
    let bought = ana.buy(want.clone()).await.data();
    let shown = bought["phone_number"].as_str().unwrap();
    assert_eq!(shown.trim_start_matches('+'), &NUMBER[1..]);
    assert_eq!(ana.balance().await, "4.640000");
    assert_eq!(gate.states(), ["rented", "retired"]);
    let order = bought["order_id"].as_str().unwrap();
    let order = format!("get_status&order_id={order}");
    assert_eq!(ana.otp(&order).await.data()["status"], "waiting");

    let forged = gate.deliver("another token of 32 characters..", "SM1", "222222");
    assert_eq!(forged.await.0, 403);
    let fresh = gate.deliver(TOKEN, "SM2", "Your code is 415-127").await;
    assert_eq!(fresh, acknowledged);
    let received = received(&ana, &order).await;
    assert!(received.to_string().contains("415127"), "{received}");
    assert_eq!(ana.buy(want).await.verdict(), "503 no_numbers");

    // a message that nobody may have is dropped, and what is kept is kept sealed
    let bank = "Harbor Bank: 986532 approves your transfer";
    assert_eq!(gate.deliver(TOKEN, "SM3", bank).await, acknowledged);
    let unmatched = gate.cli(&["number", "unmatched"]);
    assert_eq!(unmatched["messages"].as_array().unwrap().len(), 1);
    assert_eq!(unmatched["messages"][0]["text"], "an old code 111111");
    let order = ana.otp(&order).await.data();
    assert!(order.to_string().contains("415127"), "{order}");
    for hidden in ["986532", "approves your", "415127", "415-127", "111111"] {
        assert!(!gate.holds(hidden), "{hidden} is in the data in clear");
    }
    assert!(gate.holds("sealed:d"), "nothing was sealed");
    let status = gate.cli(&["secrets", "status"]);
    assert_eq!(
        (&status["key"], &status["sealed_with_older_keys"]),
        (&json!(1), &json!(0))
    );
    gate.cli(&["secrets", "new-key"]);
    let rotated = gate.cli(&["secrets", "rotate"]);
    assert_eq!((&rotated["ok"], &rotated["key"]), (&json!(true), &json!(2)));
    assert_eq!(gate.cli(&["ledger", "verify"])["ok"], true);
}

#[tokio::test]
async fn whoever_watches_sees_what_happened_and_no_secret() {
    let gate = Gate::open().await;
    gate.stock();
    let ana = gate.customer();
    let want = json!({ "service_id": "tg", "country_id": "US" });
    let bought = ana.buy(want).await.data();
    gate.deliver(TOKEN, "SM1", "Your code is 415-127").await;
    let order = bought["order_id"].as_str().unwrap();
    received(&ana, &format!("get_status&order_id={order}")).await;

    let watcher = Client::new(&gate.admin, "");
    assert_eq!(watcher.get("/readyz").await.status, 200);
    assert_eq!(watcher.get("/api/v1/otp").await.status, 404);
    assert_eq!(ana.get("/metrics").await.status, 404);
    // the audit of the start runs beside everything else
    let give_up = Instant::now() + Duration::from_secs(20);
    let mut metrics = watcher.get("/metrics").await;
    while !metrics.text.contains("tollgate_audits_total{") && Instant::now() < give_up {
        tokio::time::sleep(Duration::from_millis(50)).await;
        metrics = watcher.get("/metrics").await;
    }
    for said in [
        "tollgate_audit_violations 0",
        "tollgate_audits_total{result=\"in_order\"} 1",
        "tollgate_money_moves 1",
        "tollgate_tickets_open 0",
        "tollgate_upstream_open{upstream=\"mine\"} 1",
        "tollgate_purchase_calls_total{upstream=\"mine\",class=\"done\"} 1",
        "tollgate_queue_rows{queue=\"activations\"} 0",
        "tollgate_requests_total{path=\"/api/v1/otp\",action=\"buy_number\",status=\"200\"} 1",
        "tollgate_commit_changes_bucket{le=\"1\"}",
    ] {
        assert!(metrics.text.contains(said), "{said}\n{}", metrics.text);
    }
    for hidden in [&NUMBER[1..], "415127", "ana@example.com", TOKEN, &gate.base] {
        assert!(!metrics.text.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn the_demos_own_numbers_get_their_codes_from_a_carrier() {
    let mut world = World::new().await;
    let luke = json!({ "service_id": "tg", "country_id": "PK", "server": "luke" });
    let bought = world.client.buy(luke).await.data();
    assert!(
        bought["phone_number"].as_str().unwrap().starts_with("+92"),
        "{bought}"
    );
    let received = world
        .wait_for(&bought["order_id"], &["received"], Duration::from_secs(20))
        .await;
    let (code, text) = (
        received["code"].as_str().unwrap(),
        received["text"].as_str().unwrap(),
    );
    assert_eq!(text, format!("Your Telegram code is {code}"));
    let names = world
        .client
        .otp("services&country_id=usa&server=john")
        .await
        .data();
    let names = names["services"].to_string();
    for (readable, word) in [
        ("WhatsApp", "Whatsapp"),
        ("Sandbox: never a code", "Sbnever"),
    ] {
        assert!(
            names.contains(readable) && !names.contains(word),
            "{readable}"
        );
    }
    assert_eq!(
        world.cli(&["catalogue", "unclassified"]),
        json!({ "services": [] })
    );
    // the numbers are there after a restart, and are not brought in twice
    let listed = |world: &World| {
        let pool = world.cli(&["number", "list", "--upstream", "luke"]);
        pool["numbers"].as_array().unwrap().len()
    };
    let before = listed(&world);
    world.demo.terminate();
    world.restart();
    assert_eq!(listed(&world), before);
    world.verify();
}

#[tokio::test]
async fn the_demos_own_numbers_misbehave_like_everybody_elses() {
    let world = World::new().await;
    let buy = async |code: &str| {
        let wanted = json!({ "service_id": code, "country_id": "PK", "server": "luke" });
        world.client.buy(wanted).await
    };
    let soon = Duration::from_secs(20);
    let cancelled = buy("sbcancelled").await.data();
    assert_eq!(buy("sbnonumbers").await.verdict(), "503 no_numbers");
    for unknown in ["sblostafter", "sblostbefore", "sbgarbage"] {
        let verdict = buy(unknown).await.verdict();
        assert_eq!(verdict, "503 purchase_outcome_unknown", "{unknown}");
    }
    let slow = buy("sbslow").await.data();
    world.wait_for(&slow["order_id"], &["received"], soon).await;
    world
        .wait_for(&cancelled["order_id"], &["cancelled"], soon)
        .await;
    let listed = world.client.otp("services&country_id=PK&server=luke").await;
    let services = listed.data()["services"].as_array().unwrap().clone();
    let odd = services.iter().filter(|one| {
        let name = one["name"].as_str().unwrap();
        name.starts_with("Sandbox:")
    });
    assert_eq!(odd.count(), 10);
    world.verify();
}
