//! Nodes restarted one after the other, and a node that sleeps past its leases: clients repeat what the
//! API says may be repeated, and nothing is lost or bought twice.

use crate::conformance::gate::Gate;
use crate::nodes::{Postgres, any_service, settings};
use crate::served::Served;
use crate::world::{Client, sandbox};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How long one purchase may be repeated before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(90);

struct Shop {
    nodes: Vec<Client>,
    service: String,
    stop: AtomicBool,
    next: AtomicU64,
    /// Orders by key.
    bought: Mutex<BTreeMap<String, String>>,
}

impl Shop {
    fn count(&self) -> usize {
        self.bought.lock().unwrap().len()
    }

    /// Waits until so many more were bought.
    async fn goes_on(&self, more: usize) {
        let (before, give_up) = (self.count(), Instant::now() + PATIENCE);
        while self.count() < before + more {
            assert!(Instant::now() < give_up, "nothing is sold any more");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn buyers(self: &Arc<Self>, count: usize) -> Vec<JoinHandle<()>> {
        let buyer = |first| {
            let work = buy(Arc::clone(self), first);
            #[expect(clippy::disallowed_methods, reason = "these are the customers")]
            tokio::spawn(work)
        };
        (0..count).map(buyer).collect()
    }
}

/// Buys until the shop closes. No answer, and what the API calls temporary, is repeated under its key
/// at the next node; anything else is a failure that a client would not repeat.
async fn buy(shop: Arc<Shop>, first: usize) {
    let body = json!({ "service_id": shop.service, "country_id": "6", "server": "goods" });
    while !shop.stop.load(Ordering::Relaxed) {
        let key = format!("k{}", shop.next.fetch_add(1, Ordering::Relaxed));
        let give_up = Instant::now() + PATIENCE;
        for turn in first.. {
            assert!(Instant::now() < give_up, "{key} is lost");
            let node = &shop.nodes[turn % shop.nodes.len()];
            let path = "/api/v1/otp?action=buy_number";
            let answer = node.try_post_keyed(path, &body, &key).await;
            let Some(answer) = answer else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            if answer.status < 300 {
                let order = answer.data()["order_id"].as_str().unwrap().to_owned();
                shop.bought.lock().unwrap().insert(key, order);
                break;
            }
            let temporary = answer.status == 503 || answer.verdict().contains("in_progress");
            assert!(temporary, "{key}: {} {}", answer.status, answer.text);
            assert!(answer.header("retry-after").is_some(), "{}", answer.text);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

struct Street {
    shop: Arc<Shop>,
    nodes: [Served; 3],
    practice: String,
    _running: (crate::world::Running, Gate, Postgres),
}

/// Three nodes over one server, with more lines for each.
async fn street(listen: &str, upstream: &str) -> Street {
    let postgres = Postgres::start();
    let (running, practice) = sandbox();
    let address = practice.trim_start_matches("http://").parse().unwrap();
    let gate = Gate::translating(address, "good-key", "sandbox-paul-key");
    let more = format!("allow_plain_http = true\n{upstream}");
    let settings = settings(&postgres, &gate).replace("allow_plain_http = true\n", &more);
    let first = Served::start_listening(listen, &settings, 1).await;
    let second = Served::node_listening(listen, &settings, 1).await;
    let third = Served::node_listening(listen, &settings, 1).await;
    let account = ["--account", &first.account];
    let credit = ["wallet", "credit", "--usd", "1000", "--note", "load"];
    first.cli(&[&credit[..], &account].concat());
    let key = ["key", "create", "--rate-limit", "100000"];
    let key = first.cli(&[&key[..], &account].concat());
    let key = key["api_key"].as_str().unwrap();
    let clients = [&first, &second, &third].map(|node| node.client_with(key));
    let shop = Arc::new(Shop {
        service: any_service(&clients[0]).await,
        nodes: clients.to_vec(),
        stop: AtomicBool::new(false),
        next: AtomicU64::new(0),
        bought: Mutex::default(),
    });
    Street {
        shop,
        nodes: [first, second, third],
        practice,
        _running: (running, gate, postgres),
    }
}

impl Street {
    /// Closes the shop and looks at everything that was sold.
    async fn check(&self, buyers: Vec<JoinHandle<()>>) {
        self.shop.stop.store(true, Ordering::Relaxed);
        for buyer in buyers {
            buyer.await.unwrap();
        }
        let begun = self.shop.next.load(Ordering::Relaxed);
        let bought = self.shop.bought.lock().unwrap().clone();
        assert_eq!(bought.len() as u64, begun, "each key has its order");
        let mut orders: Vec<_> = bought.values().cloned().collect();
        orders.sort();
        orders.dedup();
        assert_eq!(orders.len(), bought.len(), "an order was given out twice");
        for order in &orders {
            let query = format!("get_status&order_id={order}");
            assert_eq!(self.shop.nodes[2].otp(&query).await.status, 200, "{order}");
        }
        let sold = Client::new(&self.practice, "")
            .get("/_sandbox/orders")
            .await;
        let sold = sold.json()["orders"].as_array().unwrap().len() as u64;
        assert!(sold <= begun, "{sold} were bought for {begun} purchases");
        self.nodes[0].verify();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_loses_nothing_and_says_not_ready_before_it_drains() {
    let mut street = street("drain_s = 1\n", "").await;
    let buyers = street.shop.buyers(4);
    street.shop.goes_on(5).await;
    for node in &mut street.nodes {
        node.restart_gently().await;
        street.shop.goes_on(5).await;
    }
    street.check(buyers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_sleeps_past_its_leases_changes_nothing_when_it_wakes() {
    let street = street("", "timeout_ms = 1000\nconnect_timeout_ms = 1000\n").await;
    let buyers = street.shop.buyers(6);
    street.shop.goes_on(5).await;
    street.nodes[0].signal("STOP");
    // its calls are given up after six seconds; whatever it holds in the database after five
    tokio::time::sleep(Duration::from_secs(8)).await;
    street.nodes[0].signal("CONT");
    street.shop.goes_on(10).await;
    street.check(buyers).await;
}
