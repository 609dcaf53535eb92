//! Two nodes count requests together in a real Redis; when it is killed each counts by itself.

use crate::conformance::gate::Gate;
use crate::nodes::{Postgres, settings};
use crate::served::Served;
use crate::world::{Client, Running, Scratch, sandbox};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A Redis server of this test alone, reached through a socket in its folder.
struct Redis {
    running: Running,
    folder: Scratch,
}

impl Redis {
    fn start() -> Self {
        let folder = Scratch::new();
        let running = Running(spawn(&folder));
        let redis = Self { running, folder };
        redis.until_up();
        redis
    }

    fn url(&self) -> String {
        format!("redis+unix://{}/socket", self.folder.path().display())
    }

    fn until_up(&self) {
        let give_up = Instant::now() + Duration::from_secs(20);
        let socket = self.folder.path().join("socket");
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < give_up, "redis-server does not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Throws the times of all windows away, as a server that is short of memory may.
    fn evict_times(&self) {
        let script =
            "for _, key in ipairs(redis.call('KEYS', '*:times')) do redis.call('DEL', key) end";
        let mut client = Command::new("redis-cli");
        let socket = self.folder.path().join("socket");
        let done = client.arg("-s").arg(&socket).args(["eval", script, "0"]);
        assert!(done.stdout(Stdio::null()).status().unwrap().success());
    }

    fn start_again(&mut self) {
        self.running = Running(spawn(&self.folder));
        self.until_up();
    }
}

fn spawn(folder: &Scratch) -> std::process::Child {
    let socket = folder.path().join("socket");
    Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--unixsocket"])
        .arg(&socket)
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server, from Debian's package of that name")
}

/// Asks both nodes in turn; gives how many requests were answered.
async fn answered(nodes: &[Client; 2], requests: usize) -> usize {
    let mut answered = 0;
    for request in 0..requests {
        let answer = nodes[request % 2].otp("balance").await;
        match answer.status {
            200 => answered += 1,
            429 => assert!(answer.header("retry-after").is_some()),
            other => panic!("{other} {}", answer.text),
        }
    }
    answered
}

/// Twenty requests of a fresh key are answered by both nodes together, once both have found Redis: a
/// busy machine may have kept one of them from it.
async fn until_together(new_key: &impl Fn() -> [Client; 2]) {
    let give_up = Instant::now() + Duration::from_secs(30);
    while answered(&new_key(), 50).await != 20 {
        assert!(Instant::now() < give_up, "the nodes do not count together");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn two_nodes_count_together_and_each_by_itself_when_redis_is_gone() {
    let postgres = Postgres::start();
    let mut redis = Redis::start();
    let (_practice, practice) = sandbox();
    let address = practice.trim_start_matches("http://").parse().unwrap();
    let provider = Gate::translating(address, "good-key", "sandbox-paul-key");
    let limits = format!("connections = 2\n[limits]\nredis = \"{}\"\n", redis.url());
    let settings = settings(&postgres, &provider).replace("connections = 2\n", &limits);
    let first = Served::start(&settings, 0).await;
    let second = Served::node(&settings, 0).await;
    let new_key = || {
        let args = [
            "key",
            "create",
            "--account",
            &first.account,
            "--rate-limit",
            "20",
        ];
        let key = first.cli(&args)["api_key"].as_str().unwrap().to_owned();
        [&first, &second].map(|node| node.client_with(&key))
    };
    until_together(&new_key).await;

    let nodes = new_key();
    assert_eq!(answered(&nodes, 50).await, 20);
    redis.evict_times();
    assert_eq!(answered(&nodes, 50).await, 20, "counts without times stay");

    let nodes = new_key();
    assert_eq!(answered(&nodes, 10).await, 10);
    redis.running.kill();
    // each node knows of the five that it admitted itself
    assert_eq!(answered(&nodes, 50).await, 30, "fifteen more of each");
    assert_eq!(answered(&new_key(), 60).await, 40, "each node by itself");
    assert!(first.log().contains("each node counts requests by itself"));

    redis.start_again();
    until_together(&new_key).await;
    assert!(first.log().contains("is back"));
}
