//! SMM orders over several panels: mapping, and the next one after a definite refusal.

use crate::served::Served;
use crate::world::Answer;
use serde_json::json;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::spawn;
use std::time::{Duration, Instant};

/// A panel that answers every action with one text, and notes what it was asked to add.
struct FakePanel {
    address: SocketAddr,
    adds: Arc<Mutex<Vec<String>>>,
    /// What it answers to the question; nothing while it is down.
    balance: Arc<Mutex<Option<&'static str>>>,
}

const DOLLARS: &str = "{\"balance\":\"100\",\"currency\":\"USD\"}";
const RUPEES: &str = "{\"balance\":\"8400\",\"currency\":\"INR\"}";

impl FakePanel {
    fn new(services: &'static str, add: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let adds = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&adds);
        let balance = Arc::new(Mutex::new(Some(DOLLARS)));
        let told = Arc::clone(&balance);
        spawn(move || {
            for stream in listener.incoming().flatten() {
                let (noted, told) = (Arc::clone(&noted), Arc::clone(&told));
                spawn(move || {
                    let told = *told.lock().unwrap();
                    if let Some(balance) = told {
                        answer(stream, [services, add, balance], &noted);
                    }
                });
            }
        });
        Self {
            address,
            adds,
            balance,
        }
    }

    fn adds(&self) -> Vec<String> {
        self.adds.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, [services, add, balance]: [&str; 3], noted: &Mutex<Vec<String>>) {
    let mut asked = Vec::new();
    let mut part = [0; 4096];
    let action = |asked: &[u8]| String::from_utf8_lossy(asked).contains("action=");
    while !action(&asked) {
        match stream.read(&mut part) {
            Ok(read @ 1..) => asked.extend_from_slice(&part[..read]),
            _ => return,
        }
    }
    let asked = String::from_utf8_lossy(&asked).into_owned();
    let body = match asked.split_once("action=").map(|(_, action)| action) {
        Some(action) if action.starts_with("services") => services,
        Some(action) if action.starts_with("add") => {
            noted.lock().unwrap().push(asked.clone());
            add
        }
        Some(action) if action.starts_with("balance") => balance,
        _ => "{}",
    };
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
    let _ = write!(stream, "{head}\r\ncontent-length: {length}\r\n\r\n{body}");
}

const FIRST: &str = "[{\"service\":1,\"name\":\"Sponsored post\",\"type\":\"Default\",\
    \"category\":\"Instagram\",\"rate\":\"0.90\",\"min\":\"50\",\"max\":\"1000\",\
    \"refill\":true,\"cancel\":true}]";
const SECOND: &str = "[{\"service\":1,\"name\":\"Sponsored post\",\"type\":\"Default\",\
    \"category\":\"Instagram\",\"rate\":\"0.50\",\"min\":\"1\",\"max\":\"10\"},\
    {\"service\":77,\"name\":\"Sponsored post\",\"type\":\"Default\",\
    \"category\":\"Instagram\",\"rate\":\"1.00\",\"min\":\"100\",\"max\":\"5000\"}]";

/// A server over two panels that sells service 1 from both.
async fn shop(first: &FakePanel, second: &FakePanel) -> Served {
    let panel = |name: &str, panel: &FakePanel| {
        format!(
            "[upstreams.{name}]\nprotocol = \"panel_v2\"\nurl = \"http://{}/api/v2\"\n\
             key = \"key-of-{name}\"\nallow_plain_http = true\n",
            panel.address
        )
    };
    let settings = format!(
        "[sync]\nbalance_s = 1\n\
         [policy.smm_confirmation]\nby = \"Ann\"\nat = \"2026-01-31\"\n\
         statement = \"own accounts\"\n\
         [smm]\nupstreams = [\"first\", \"second\"]\n[smm.services.1]\n\
         sources = [\"first:1\", \"second:77\"]\n{}{}",
        panel("first", first),
        panel("second", second)
    );
    Served::start(&settings, 2).await
}

async fn place(shop: &Served, quantity: u32) -> Answer {
    let link = format!("https://instagram.com/user{quantity}");
    let order = json!({ "service_id": "1", "link": link, "quantity": quantity });
    shop.client.place(order).await
}

#[tokio::test]
async fn a_definite_refusal_goes_on_to_the_next_panel_within_one_charge() {
    let first = FakePanel::new(FIRST, "{\"error\":\"Not enough funds on balance\"}");
    let second = FakePanel::new(SECOND, "{\"order\":4711}");
    let shop = shop(&first, &second).await;
    let services = shop.client.smm("services").await;
    let listed = services.data()["services"].as_array().unwrap().clone();
    let ids: Vec<&str> = listed
        .iter()
        .map(|one| one["service_id"].as_str().unwrap())
        .collect();
    // the second panel's own 1 got a number of its own; its 77 is a source of service 1
    assert_eq!(ids, ["1", "1000001"], "{}", services.text);
    assert_eq!(
        (&listed[0]["min"], &listed[0]["max"]),
        (&json!(50), &json!(5000))
    );
    assert_eq!(listed[0]["cancel"], false);
    for word in ["first", "second", "77"] {
        assert!(!services.text.contains(word), "{}", services.text);
    }
    let placed = place(&shop, 500).await;
    assert!(
        placed.text.contains("\"charged\":0.540000"),
        "{}",
        placed.text
    );
    assert_eq!(shop.client.balance().await, "9.460000");
    assert_eq!((first.adds().len(), second.adds().len()), (1, 1));
    assert!(
        second.adds()[0].contains("service=77"),
        "{:?}",
        second.adds()
    );
    shop.verify();
}

#[tokio::test]
async fn an_unknown_outcome_is_never_taken_to_the_next_panel() {
    let first = FakePanel::new(FIRST, "<html>gateway</html>");
    let second = FakePanel::new(SECOND, "{\"order\":4711}");
    let shop = shop(&first, &second).await;
    let placed = place(&shop, 500).await;
    assert_eq!(placed.verdict(), "503 purchase_outcome_unknown");
    assert_eq!((first.adds().len(), second.adds().len()), (1, 0));
    assert_eq!(shop.client.balance().await, "9.460000");
    // only the other panel takes so many: the order goes there at once
    let placed = place(&shop, 2000).await;
    assert!(
        placed.text.contains("\"charged\":2.160000"),
        "{}",
        placed.text
    );
    assert_eq!((first.adds().len(), second.adds().len()), (1, 1));
}

#[tokio::test]
async fn a_panel_whose_account_changes_its_currency_is_blocked_until_it_is_back() {
    let first = FakePanel::new(FIRST, "{\"order\":4711}");
    let second = FakePanel::new(SECOND, "{\"order\":5822}");
    let shop = shop(&first, &second).await;
    let state_becomes = async |wanted: &str| {
        let give_up = Instant::now() + Duration::from_secs(30);
        loop {
            let list = shop.cli(&["upstream", "list"]);
            let rows = list["upstreams"].as_array().unwrap();
            let row = rows.iter().find(|row| row["name"] == "first").unwrap();
            if row["state"].as_str().unwrap().contains(wanted) {
                return;
            }
            assert!(Instant::now() < give_up, "{list}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    *first.balance.lock().unwrap() = Some(RUPEES);
    state_becomes("another currency").await;
    assert!(shop.log().contains("is in INR"), "{}", shop.log());
    assert_eq!(place(&shop, 500).await.status, 200);
    assert_eq!((first.adds().len(), second.adds().len()), (0, 1));
    *first.balance.lock().unwrap() = Some(DOLLARS);
    state_becomes("open").await;
    assert_eq!(place(&shop, 600).await.status, 200);
    assert_eq!((first.adds().len(), second.adds().len()), (1, 1));
    shop.verify();
}

#[tokio::test]
async fn services_and_cancels_answer_after_a_restart_while_every_panel_is_down() {
    let first = FakePanel::new(FIRST, "{\"order\":4711}");
    let second = FakePanel::new(SECOND, "{\"order\":5822}");
    let mut shop = shop(&first, &second).await;
    let placed = place(&shop, 50).await.data();
    let before = shop.client.smm("services").await;
    let tag = before.header("etag").unwrap().to_owned();
    for panel in [&first, &second] {
        *panel.balance.lock().unwrap() = None;
    }
    shop.die_and_start_again().await;
    let after = shop.client.smm("services").await;
    assert_eq!((after.status, &after.text), (200, &before.text));
    let path = "/api/v1/smm?action=services";
    let known = shop.client.get_with(path, &[("If-None-Match", &tag)]).await;
    assert_eq!((known.status, known.text.as_str()), (304, ""));
    let cancel = json!({ "order_id": placed["order_id"] });
    let path = "/api/v1/smm?action=cancel_order";
    let cancelled = shop.client.post(path, cancel).await.data();
    assert_eq!(cancelled["cancel"], "requested");
    let gone = json!({ "service_id": "99", "link": "https://instagram.com/u", "quantity": 50 });
    assert_eq!(
        shop.client.place(gone).await.verdict(),
        "404 service_not_found"
    );
    shop.verify();
}
