//! Three nodes over one PostgreSQL server while one is killed, connections are cut and the server
//! starts again: no acknowledged order is lost, none is bought twice, the books are in order.

use crate::conformance::gate::Gate;
use crate::crash::{Told, note};
use crate::served::Served;
use crate::world::{Client, Running, Scratch, World, discord, sandbox};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A PostgreSQL server that ends with the test.
pub struct Postgres {
    url: String,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _running: Running,
    folder: Scratch,
}

impl Postgres {
    pub fn start() -> Self {
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../scripts/private-postgres"
        );
        let folder = Scratch::new();
        let home = folder.path().join("server").display().to_string();
        let mut child = Command::new(script)
            .arg(&home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut server = Self {
            url: format!("postgres://tollgate@{}/postgres", home.replace('/', "%2F")),
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            _running: Running(child),
            folder,
        };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&mut self) {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "no PostgreSQL server: see above");
    }

    /// What its nodes share: the rest of `[store]`, and the directory of daily keys.
    pub fn settings(&self) -> String {
        format!(
            "url = \"{}\"\nconnections = 2\n[secrets]\ndaily_keys_dir = \"{}\"\n",
            self.url,
            self.folder.path().join("daily-keys").display()
        )
    }

    fn order(&mut self, order: &str) {
        writeln!(self.input, "{order}").unwrap();
        self.wait_until_ready();
    }
}

impl Drop for Postgres {
    /// The script stops the server when its input ends; killed, it could not.
    fn drop(&mut self) {
        let _ = writeln!(self.input, "end");
        let mut line = String::new();
        let _ = self.output.read_line(&mut line);
    }
}

pub fn settings(postgres: &Postgres, provider: &Gate) -> String {
    format!(
        "{}[otp]\norder = [\"goods\"]\ndefault_server = \"goods\"\n\
         [upstreams.good]\nprotocol = \"handler_api\"\n\
         url = \"{}/paul/stubs/handler_api.php\"\nkey = \"good-key\"\nallow_plain_http = true\n\
         [servers.goods]\nroutes = [{{ upstream = \"good\" }}]\n",
        postgres.settings(),
        provider.url(),
    )
}

struct Load {
    stop: AtomicBool,
    next: AtomicU64,
    told: Told,
    nodes: Vec<Client>,
    service: String,
}

/// Buys until the load stops; what gets no answer from one node is asked of the next.
async fn buy_on(load: Arc<Load>, first: usize) {
    while !load.stop.load(Ordering::Relaxed) {
        let key = format!("k{}", load.next.fetch_add(1, Ordering::Relaxed));
        let body = json!({ "service_id": load.service, "country_id": "6", "server": "goods" });
        for turn in 0..40 {
            let node = &load.nodes[(first + turn) % load.nodes.len()];
            let path = "/api/v1/otp?action=buy_number";
            if let Some(answer) = node.try_post_keyed(path, &body, &key).await {
                note(&load.told, &key, &answer);
                if answer.status < 300 {
                    break;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

pub async fn any_service(client: &Client) -> String {
    let list = client.otp("services&server=goods&country_id=6").await;
    let services = list.data()["services"].clone();
    let services = services.as_array().unwrap();
    let behaves = |row: &&Value| !row["name"].as_str().unwrap().starts_with("Sandbox");
    let id = &services.iter().find(behaves).unwrap()["service_id"];
    id.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_outlive_a_kill_cut_connections_and_a_restarted_server() {
    let mut postgres = Postgres::start();
    let (_practice, practice) = sandbox();
    let address = practice.trim_start_matches("http://").parse().unwrap();
    let provider = Gate::translating(address, "good-key", "sandbox-paul-key");
    let settings = settings(&postgres, &provider);
    let first = Served::start(&settings, 1).await;
    let mut second = Served::node(&settings, 1).await;
    let third = Served::node(&settings, 1).await;
    let account = ["--account", &first.account];
    let credit = ["wallet", "credit", "--usd", "1000", "--note", "load"];
    first.cli(&[&credit[..], &account].concat());
    let new_key = ["key", "create", "--rate-limit", "100000"];
    let key = second.cli(&[&new_key[..], &account].concat());
    let (id, key) = (key["key_id"].to_string(), key["api_key"].as_str().unwrap());
    let nodes = [&first, &second, &third].map(|node| node.client_with(key));
    let load = Arc::new(Load {
        stop: AtomicBool::new(false),
        next: AtomicU64::new(0),
        told: Told::default(),
        service: any_service(&nodes[0]).await,
        nodes: nodes.to_vec(),
    });
    let buyers: Vec<_> = (0..4)
        .map(|buyer| {
            let work = buy_on(Arc::clone(&load), buyer);
            #[expect(clippy::disallowed_methods, reason = "these are the customers")]
            tokio::spawn(work)
        })
        .collect();
    let a_while = || tokio::time::sleep(Duration::from_secs(1));
    a_while().await;
    second.die_and_start_again().await;
    a_while().await;
    postgres.order("cut");
    a_while().await;
    postgres.order("restart");
    a_while().await;
    load.stop.store(true, Ordering::Relaxed);
    for buyer in buyers {
        buyer.await.unwrap();
    }
    let told = load.told.lock().unwrap().clone();
    assert!(told.len() > 10, "only {} orders", told.len());
    let mut orders = BTreeSet::new();
    for (key, (order, _)) in &told {
        let answer = nodes[2].otp(&format!("get_status&order_id={order}")).await;
        assert_eq!(answer.status, 200, "{key}: order {order}: {}", answer.text);
        assert!(orders.insert(order), "{order} was given out twice");
    }
    let sold = Client::new(&practice, "").get("/_sandbox/orders").await;
    let sold = sold.json()["orders"].as_array().unwrap().len() as u64;
    let asked = load.next.load(Ordering::Relaxed);
    assert!(sold <= asked, "{sold} were bought for {asked} orders");
    third.verify();

    // a key that one node revokes is good at no other
    first.cli(&["key", "revoke", &id]);
    for node in &nodes {
        for _ in 0..100 {
            if node.otp("balance").await.status == 401 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(node.otp("balance").await.status, 401);
    }
}

/// What one node has received another shows; one with daily keys of its own does not start.
#[tokio::test]
async fn nodes_read_each_others_codes() {
    let postgres = Postgres::start();
    let (_practice, practice) = sandbox();
    let address = practice.trim_start_matches("http://").parse().unwrap();
    let provider = Gate::translating(address, "good-key", "sandbox-paul-key");
    let settings = settings(&postgres, &provider);
    let first = Served::start(&settings, 1).await;
    let second = Served::node(&settings, 1).await;
    let service = any_service(&first.client).await;
    let body = json!({ "service_id": service, "country_id": "6", "server": "goods" });
    let path = "/api/v1/otp?action=buy_number";
    let bought = first.client.try_post_keyed(path, &body, "k").await.unwrap();
    let order = bought.data()["order_id"].clone();
    let order = order.as_str().unwrap();
    let key = first.cli(&["key", "create", "--account", &first.account]);
    let other = second.client_with(key["api_key"].as_str().unwrap());
    for node in [&first.client, &other] {
        let give_up = Instant::now() + Duration::from_secs(30);
        loop {
            let answer = node.otp(&format!("get_status&order_id={order}")).await;
            let code = answer.data()["code"].as_str().map(str::len);
            if code == Some(6) {
                break;
            }
            assert!(Instant::now() < give_up, "{}", answer.text);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let alone = settings.replace("[secrets]\ndaily_keys_dir", "[secrets]\n#daily_keys_dir");
    let said = Served::refused(&alone);
    assert!(said.contains("copy the file chain"), "{said}");
}

/// A demo that has lived for a while goes on over PostgreSQL.
#[tokio::test]
async fn an_installation_moves_to_postgres_with_all_it_has() {
    let postgres = Postgres::start();
    let mut world = World::new().await;
    let order = world.client.buy(discord()).await.data()["order_id"].clone();
    world
        .wait_for(&order, &["received"], Duration::from_secs(30))
        .await;
    let from = format!("sqlite:{}", world.dir.path().display());
    let migrate = ["migrate", "--from", &from, "--to", &postgres.url];
    let refused = world.cli_output(&migrate);
    assert_eq!(refused.status.code(), Some(1), "a server runs");
    let said = String::from_utf8(refused.stdout).unwrap();
    assert!(said.contains("in use"), "{said}");
    world.demo.terminate();
    let books = world.verify();
    let moved = world.cli(&migrate);
    for what in ["accounts", "entries", "open_holds"] {
        assert_eq!(moved[what], books[what], "{what}");
    }
    assert!(moved["rows"].as_u64().unwrap() > 10, "{moved}");
    let again = world.cli_output(&migrate);
    let said = String::from_utf8(again.stdout).unwrap();
    assert!(said.contains("not empty"), "{said}");

    let (_practice, practice) = sandbox();
    let address = practice.trim_start_matches("http://").parse().unwrap();
    let provider = Gate::translating(address, "good-key", "sandbox-paul-key");
    let node = Served::node(&settings(&postgres, &provider), 1).await;
    let report = node.cli(&["ledger", "verify"]);
    assert_eq!(report["ok"], true, "{report}");
    // the node may have booked since what a balance showed
    assert!(
        report["entries"].as_u64() >= books["entries"].as_u64(),
        "{report}"
    );
}
