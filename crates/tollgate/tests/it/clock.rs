//! The real program started again and again under a machine clock that jumped while nothing ran.

use crate::storage::{library, set_time};
use crate::world::{Answer, PROGRAM, Running, Scratch, World, discord, start_demo_with};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How far the clock jumps, in both directions, as faketime reads it.
const JUMPS: [&str; 22] = [
    "1s", "2s", "5s", "10s", "30s", "59s", "61s", "5m", "19m", "21m", "59m", "2h", "12h", "23h",
    "25h", "7d", "8d", "30d", "90d", "1y", "4y", "10y",
];

/// Background work gets this long to do something early.
const LOOKED_FOR: Duration = Duration::from_millis(350);

/// A machine whose clock can be set while nothing runs and while something does.
struct Machine {
    clock: Scratch,
    world: World,
}

impl Machine {
    async fn new() -> Self {
        let clock = Scratch::new();
        set_time(&time_file(&clock), "+0");
        let file = time_file(&clock);
        let world = World::with(|dir, more| start(&file, dir, more)).await;
        Self { clock, world }
    }

    fn set(&self, offset: &str) {
        set_time(&time_file(&self.clock), offset);
    }

    /// The program dies, the clock jumps, the program starts.
    fn restart_at(&mut self, offset: &str) {
        self.world.demo.kill();
        self.set(offset);
        let file = time_file(&self.clock);
        self.world.restart_with(|dir, more| start(&file, dir, more));
    }
}

fn time_file(clock: &Scratch) -> PathBuf {
    clock.path().join("time")
}

fn start(file: &Path, dir: &Path, more: &[&str]) -> Running {
    let mut command = Command::new(PROGRAM);
    command.env("LD_PRELOAD", library("libfaketime", "/libfaketime.so.1"));
    command.env("FAKETIME_TIMESTAMP_FILE", file);
    command
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("TOLLGATE_LOG", "off");
    start_demo_with(command, dir, more)
}

/// One order in each state that holds money, and what the wallet shows with them.
struct Open {
    waiting: Value,
    doubt: Value,
    smm: Value,
    balance: String,
}

async fn open_orders(world: &World) -> Open {
    let wanted = async |name: &str| {
        let service = world.service("romeo", "13", name).await;
        json!({ "service_id": service, "country_id": "13", "server": "romeo" })
    };
    let never = wanted("Sandbox: never a code").await;
    let waiting = world.client.buy(never).await.data()["order_id"].clone();
    let path = "/api/v1/otp?action=buy_number";
    let lost = wanted("Sandbox: answer lost before the sale").await;
    let promised = world.client.post_keyed(path, lost, "k").await;
    assert_eq!(promised.status, 202, "{}", promised.text);
    let link = "https://instagram.com/a?sandbox=never";
    let order = json!({ "service_id": "1", "link": link, "quantity": 50 });
    let smm = world.client.place(order).await.data()["order_id"].clone();
    Open {
        waiting,
        doubt: promised.data()["order_id"].clone(),
        smm,
        balance: world.client.balance().await,
    }
}

impl Open {
    /// Nothing was released, expired or charged.
    async fn still_open(&self, world: &World, offset: &str) {
        let status = async |id: &Value| {
            let query = format!("get_status&order_id={}", id.as_str().unwrap());
            world.client.otp(&query).await.data()["status"].clone()
        };
        assert_eq!(status(&self.waiting).await, "waiting", "{offset}");
        assert_eq!(status(&self.doubt).await, "pending", "{offset}");
        let query = format!("order_status&order_id={}", self.smm.as_str().unwrap());
        let shown = world.client.smm(&query).await.data()["status"].clone();
        let running = ["Pending", "Processing", "In progress"];
        assert!(
            running.contains(&shown.as_str().unwrap()),
            "{offset}: {shown}"
        );
        assert_eq!(world.client.balance().await, self.balance, "{offset}");
    }
}

/// Says that it waits for the clock.
fn waits_for_the_clock(answer: &Answer) -> bool {
    answer.verdict() == "503 not_ready" && answer.text.contains("clock")
}

#[tokio::test]
async fn a_clock_that_jumped_between_two_starts_ends_nothing_early() {
    let mut machine = Machine::new().await;
    let open = open_orders(&machine.world).await;
    for jump in JUMPS {
        let offset = format!("+{jump}");
        machine.restart_at(&offset);
        assert_eq!(machine.world.client.get("/readyz").await.status, 200);
        tokio::time::sleep(LOOKED_FOR).await;
        open.still_open(&machine.world, &offset).await;
    }
    for jump in JUMPS {
        let offset = format!("-{jump}");
        machine.restart_at(&offset);
        let ready = machine.world.client.get("/readyz").await;
        // the newest entry may be older than a step of seconds
        if !(jump.ends_with('s') && ready.status == 200) {
            assert!(waits_for_the_clock(&ready), "{offset}: {}", ready.text);
        }
        if !jump.ends_with('s') {
            let refused = machine.world.client.buy(discord()).await;
            assert_eq!(refused.verdict(), "503 storage_unavailable", "{offset}");
        }
        open.still_open(&machine.world, &offset).await;
    }
    machine.set("+0");
    buys_in_the_end(&machine.world, Duration::from_secs(20)).await;
    assert_eq!(machine.world.client.get("/readyz").await.status, 200);
    machine.world.verify();
}

/// Money moves again without anybody's help.
async fn buys_in_the_end(world: &World, at_most: Duration) {
    let asked = Instant::now();
    loop {
        let answer = world.client.buy(discord()).await;
        if answer.status == 200 {
            return;
        }
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(asked.elapsed() < at_most, "{}", answer.text);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
