//! SMM orders over several panels: mapping, and the next one after a definite refusal.

use crate::world::{Client, PROGRAM, Running, Scratch};
use serde_json::{Value, json};
use std::fs::Permissions;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::spawn;
use std::time::{Duration, Instant};

/// A panel that answers every action with one text, and notes what it was asked to add.
struct FakePanel {
    address: SocketAddr,
    adds: Arc<Mutex<Vec<String>>>,
}

impl FakePanel {
    fn new(services: &'static str, add: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let adds = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&adds);
        spawn(move || {
            for stream in listener.incoming().flatten() {
                let noted = Arc::clone(&noted);
                spawn(move || answer(stream, services, add, &noted));
            }
        });
        Self { address, adds }
    }

    fn adds(&self) -> Vec<String> {
        self.adds.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, services: &str, add: &str, noted: &Mutex<Vec<String>>) {
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
        Some(action) if action.starts_with("balance") => {
            "{\"balance\":\"100\",\"currency\":\"USD\"}"
        }
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

/// A server over two panels that sells service 1 from both, and a customer with ten dollars.
struct Shop {
    _server: Running,
    dir: Scratch,
    ana: Client,
    account: String,
}

impl Shop {
    async fn open(first: &FakePanel, second: &FakePanel) -> Self {
        let dir = Scratch::new();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let free = free.unwrap();
        let panel = |name: &str, panel: &FakePanel| {
            format!(
                "[upstreams.{name}]\nprotocol = \"panel_v2\"\nurl = \"http://{}/api/v2\"\n\
                 key = \"key-of-{name}\"\nallow_plain_http = true\n",
                panel.address
            )
        };
        let settings = format!(
            "[listen]\naddress = \"{free}\"\n[store]\ndata_dir = \"data\"\n\
             [policy.smm_confirmation]\nby = \"Ann\"\nat = \"2026-01-31\"\n\
             statement = \"own accounts\"\n\
             [smm]\nupstreams = [\"first\", \"second\"]\n[smm.services.1]\n\
             sources = [\"first:1\", \"second:77\"]\n{}{}",
            panel("first", first),
            panel("second", second)
        );
        secret_file(&dir.path().join("tollgate.toml"), &settings);
        secret_file(
            &dir.path().join("tollgate.pepper"),
            &"0123456789abcdef".repeat(4),
        );
        let mut serve = Command::new(PROGRAM);
        serve.arg("serve").current_dir(dir.path());
        let server = Running(serve.stdout(Stdio::null()).spawn().unwrap());
        let base = format!("http://{free}");
        let mut shop = Self {
            _server: server,
            dir,
            ana: Client::new(&base, ""),
            account: String::new(),
        };
        shop.until_ready().await;
        let args = ["account", "create", "--email", "ana@example.com"];
        shop.account = shop.cli(&args)["account_id"].to_string();
        shop.cli(&[
            "wallet",
            "credit",
            "--account",
            &shop.account,
            "--usd",
            "10",
            "--note",
            "cash",
        ]);
        let key = shop.cli(&["key", "create", "--account", &shop.account])["api_key"].clone();
        shop.ana = Client::new(&base, key.as_str().unwrap());
        shop
    }

    async fn until_ready(&self) {
        let give_up = Instant::now() + Duration::from_secs(60);
        let ready = async || {
            let answer = self.ana.try_get("/readyz").await;
            answer.is_some_and(|answer| answer.status == 200)
        };
        while !ready().await || self.read() < 2 {
            assert!(Instant::now() < give_up, "the server does not come up");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// How many panels have shown what they sell.
    fn read(&self) -> usize {
        let stats = self.cli(&["catalogue", "stats"]);
        stats["panels"].as_array().map_or(0, Vec::len)
    }

    fn cli(&self, args: &[&str]) -> Value {
        let mut command = Command::new(PROGRAM);
        command
            .args(args)
            .arg("--json")
            .current_dir(self.dir.path());
        let output = command.output().unwrap();
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {why}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    async fn place(&self, quantity: u32) -> crate::world::Answer {
        let link = format!("https://instagram.com/user{quantity}");
        let order = json!({ "service_id": "1", "link": link, "quantity": quantity });
        self.ana.place(order).await
    }
}

/// A file that only its owner may read, as the program wants it.
fn secret_file(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn a_definite_refusal_goes_on_to_the_next_panel_within_one_charge() {
    let first = FakePanel::new(FIRST, "{\"error\":\"Not enough funds on balance\"}");
    let second = FakePanel::new(SECOND, "{\"order\":4711}");
    let shop = Shop::open(&first, &second).await;
    let services = shop.ana.smm("services").await;
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
    let placed = shop.place(500).await;
    assert!(
        placed.text.contains("\"charged\":0.540000"),
        "{}",
        placed.text
    );
    assert_eq!(shop.ana.balance().await, "9.460000");
    assert_eq!((first.adds().len(), second.adds().len()), (1, 1));
    assert!(
        second.adds()[0].contains("service=77"),
        "{:?}",
        second.adds()
    );
    assert_eq!(shop.cli(&["ledger", "verify"])["ok"], true);
}

#[tokio::test]
async fn an_unknown_outcome_is_never_taken_to_the_next_panel() {
    let first = FakePanel::new(FIRST, "<html>gateway</html>");
    let second = FakePanel::new(SECOND, "{\"order\":4711}");
    let shop = Shop::open(&first, &second).await;
    let placed = shop.place(500).await;
    assert_eq!(placed.verdict(), "503 purchase_outcome_unknown");
    assert_eq!((first.adds().len(), second.adds().len()), (1, 0));
    assert_eq!(shop.ana.balance().await, "9.460000");
    // only the other panel takes so many: the order goes there at once
    let placed = shop.place(2000).await;
    assert!(
        placed.text.contains("\"charged\":2.160000"),
        "{}",
        placed.text
    );
    assert_eq!((first.adds().len(), second.adds().len()), (1, 1));
}
