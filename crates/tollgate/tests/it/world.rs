//! A world for one test: practice providers and a demo, each a process of its own, and a client.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_tollgate");

/// An address nobody listens on, to be used again over restarts. The port is below those that the system
/// gives to outgoing connections: one of these could take it while the program is down, even a
/// connection to itself by a client that keeps asking.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 12_000 + std::process::id() % 200 * 100;
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(first).unwrap() + number % 100;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener.local_addr().unwrap();
        }
    }
}

/// A directory that is gone when the test is over.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("tollgate-it-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process that does not outlive its test.
pub struct Running(pub Child);

impl Running {
    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// SIGTERM; gives how long the process took to end, and that it ended well.
    pub fn terminate(&mut self) -> Duration {
        let asked = Instant::now();
        self.signal("TERM");
        let status = self.0.wait().unwrap();
        assert!(status.success(), "{status}");
        asked.elapsed()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts the practice providers alone; gives them and their address.
pub fn sandbox() -> (Running, String) {
    sandbox_with(&[])
}

/// The same, with arguments of its own.
pub fn sandbox_with(args: &[&str]) -> (Running, String) {
    let mut child = Command::new(PROGRAM)
        .args(["sandbox", "--listen", "127.0.0.1:0"])
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let url = line
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .unwrap();
    (Running(child), url.trim_end_matches(';').to_owned())
}

/// An answer of the API.
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// `data` of a success.
    pub fn data(&self) -> Value {
        let body = self.json();
        assert_eq!(body["success"], true, "{} {}", self.status, self.text);
        body["data"].clone()
    }

    /// Status and code, such as `402 insufficient_balance`.
    pub fn verdict(&self) -> String {
        let body = self.json();
        let code = body["code"].as_str().unwrap_or("-").to_owned();
        format!("{} {code}", self.status)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A caller of the API.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
}

impl Client {
    pub fn new(base: &str, key: &str) -> Self {
        // taken by whoever was first
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(40))
            .build()
            .unwrap();
        Self {
            http,
            base: base.to_owned(),
            key: key.to_owned(),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        let request = self
            .http
            .get(format!("{}{path}", self.base))
            .header("X-API-Key", &self.key);
        read(request).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = self.http.get(format!("{}{path}", self.base));
        let request = request.header("X-API-Key", &self.key);
        let with = |request: reqwest::RequestBuilder, (name, value): &(&str, &str)| {
            request.header(*name, *value)
        };
        read(headers.iter().fold(request, with)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_with(path, body, &[]).await
    }

    pub async fn post_keyed(&self, path: &str, body: Value, key: &str) -> Answer {
        self.post_with(path, body, &[("Idempotency-Key", key)])
            .await
    }

    pub async fn post_with(&self, path: &str, body: Value, headers: &[(&str, &str)]) -> Answer {
        let mut request = self
            .http
            .post(format!("{}{path}", self.base))
            .header("X-API-Key", &self.key)
            .header("Content-Type", "application/json")
            .body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request).await
    }

    /// A form to somebody who is not the gateway, with these headers.
    pub async fn post_form(&self, path: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
        let request = self.http.post(format!("{}{path}", self.base));
        let request = request
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form.to_owned());
        let with = |request: reqwest::RequestBuilder, (name, value): &(&str, &str)| {
            request.header(*name, *value)
        };
        read(headers.iter().fold(request, with)).await
    }

    /// As [`Self::get`]; nothing where no answer came.
    pub async fn try_get(&self, path: &str) -> Option<Answer> {
        let request = self.http.get(format!("{}{path}", self.base));
        try_read(request.header("X-API-Key", &self.key)).await
    }

    /// As [`Self::post_keyed`]; nothing where no answer came.
    pub async fn try_post_keyed(&self, path: &str, body: &Value, key: &str) -> Option<Answer> {
        try_read(self.posted(path, body).header("Idempotency-Key", key)).await
    }

    /// As [`Self::try_post_keyed`], without a key.
    pub async fn try_post(&self, path: &str, body: &Value) -> Option<Answer> {
        try_read(self.posted(path, body)).await
    }

    fn posted(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        self.http
            .post(format!("{}{path}", self.base))
            .header("X-API-Key", &self.key)
            .header("Content-Type", "application/json")
            .body(body.to_string())
    }

    pub async fn otp(&self, query: &str) -> Answer {
        self.get(&format!("/api/v1/otp?action={query}")).await
    }

    pub async fn smm(&self, query: &str) -> Answer {
        self.get(&format!("/api/v1/smm?action={query}")).await
    }

    pub async fn buy(&self, body: Value) -> Answer {
        self.post("/api/v1/otp?action=buy_number", body).await
    }

    pub async fn place(&self, body: Value) -> Answer {
        self.post("/api/v1/smm?action=place_order", body).await
    }

    pub async fn balance(&self) -> String {
        let data = self.otp("balance").await.data();
        data["wallet_balance"].as_str().unwrap().to_owned()
    }
}

async fn read(request: reqwest::RequestBuilder) -> Answer {
    try_read(request).await.expect("an answer")
}

async fn try_read(request: reqwest::RequestBuilder) -> Option<Answer> {
    let response = request.send().await.ok()?;
    Some(Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.ok()?,
    })
}

/// Providers, a demo over them, and its account.
pub struct World {
    pub demo: Running,
    pub client: Client,
    pub facts: Value,
    pub practice: String,
    pub dir: Scratch,
    sandbox: Running,
}

impl World {
    pub async fn new() -> Self {
        Self::with(start_demo).await
    }

    /// A world whose demo is started in a way of its own.
    pub async fn with(start: impl FnOnce(&Path, &[&str]) -> Running) -> Self {
        let (sandbox, practice) = sandbox();
        let dir = Scratch::new();
        let demo = start(dir.path(), &["--sandbox-url", &practice]);
        let world = Self::around(demo, sandbox, practice, dir);
        world.until_on_sale().await;
        world
    }

    /// A world whose providers sell so many offers more.
    pub fn large(offers: u32) -> Self {
        let (sandbox, practice) = sandbox_with(&["--offers", &offers.to_string()]);
        let dir = Scratch::new();
        let demo = start_demo(dir.path(), &["--sandbox-url", &practice]);
        Self::around(demo, sandbox, practice, dir)
    }

    /// A world for what needs no catalogue: nobody waits for one.
    pub fn unstocked() -> Self {
        Self::large(0)
    }

    /// Ends the practice providers.
    pub fn close_providers(&mut self) {
        self.sandbox.kill();
    }

    fn around(demo: Running, sandbox: Running, practice: String, dir: Scratch) -> Self {
        let facts = facts(dir.path());
        let text = |name: &str| facts[name].as_str().unwrap().to_owned();
        let mut world = Self {
            demo,
            client: Client::new(&text("base_url"), &text("api_key")),
            facts: facts.clone(),
            practice,
            dir,
            sandbox,
        };
        // tests ask faster than a customer may
        let account = facts["account_id"].to_string();
        let args = [
            "key",
            "create",
            "--account",
            &account,
            "--rate-limit",
            "100000",
        ];
        let key = world.cli(&args)["api_key"].as_str().unwrap().to_owned();
        world.client = Client::new(&text("base_url"), &key);
        world
    }

    /// A start does not wait for catalogues for ever: on a busy machine some come later.
    async fn until_on_sale(&self) {
        let give_up = Instant::now() + Duration::from_secs(60);
        let servers = [
            "romeo", "juliet", "peter", "paul", "andrew", "mark", "luke", "john",
        ];
        for query in servers.map(|server| format!("countries&server={server}")) {
            while self.client.otp(&query).await.status == 503 {
                assert!(Instant::now() < give_up, "{query}: no catalogue");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        while self.client.smm("services").await.status == 503 {
            assert!(Instant::now() < give_up, "no catalogue of the panel");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Starts the demo again on the same data; its address is another one.
    pub fn restart(&mut self) {
        self.restart_with(start_demo);
    }

    /// As [`Self::restart`], started in a way of its own.
    pub fn restart_with(&mut self, start: impl FnOnce(&Path, &[&str]) -> Running) {
        self.demo = start(self.dir.path(), &["--sandbox-url", &self.practice]);
        self.facts = facts(self.dir.path());
        self.client.base = self.facts["base_url"].as_str().unwrap().to_owned();
    }

    /// Runs a command on this installation; gives its JSON.
    pub fn cli(&self, args: &[&str]) -> Value {
        Self::command(self.dir.path(), args)
    }

    /// Runs a command on an installation; gives its JSON.
    pub fn command(data: &Path, args: &[&str]) -> Value {
        let output = command_output(data, args);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {text}{why}");
        serde_json::from_str(&text).unwrap()
    }

    pub fn cli_output(&self, args: &[&str]) -> Output {
        command_output(self.dir.path(), args)
    }

    /// States of what belongs to nobody.
    pub fn orphans(&self) -> Vec<String> {
        orphans(self.dir.path())
    }

    /// Sets what the practice providers do wrong.
    pub async fn faults(&self, faults: Value) {
        let set = Client::new(&self.practice, "")
            .post("/_sandbox/faults", faults)
            .await;
        assert_eq!(set.status, 200, "{}", set.text);
    }

    /// Everything the practice providers sold.
    pub async fn sold(&self) -> Vec<Value> {
        let url = format!("{}/_sandbox/orders", self.practice);
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["orders"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// The service id behind a name, on a server's Pakistan or United States route.
    pub async fn service(&self, server: &str, country_id: &str, name: &str) -> String {
        let query = format!("services&server={server}&country_id={country_id}");
        let data = self.client.otp(&query).await.data();
        let services = data["services"].as_array().unwrap();
        let found = services.iter().find(|service| service["name"] == name);
        found.unwrap_or_else(|| panic!("no {name}"))["service_id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Asks for an order's status until it is one of these.
    pub async fn wait_for(&self, order: &Value, wanted: &[&str], at_most: Duration) -> Value {
        let query = format!("get_status&order_id={}", order.as_str().unwrap());
        self.wait(&format!("/api/v1/otp?action={query}"), wanted, at_most)
            .await
    }

    pub async fn wait_for_smm(&self, order: &Value, wanted: &[&str], at_most: Duration) -> Value {
        let query = format!("order_status&order_id={}", order.as_str().unwrap());
        self.wait(&format!("/api/v1/smm?action={query}"), wanted, at_most)
            .await
    }

    async fn wait(&self, path: &str, wanted: &[&str], at_most: Duration) -> Value {
        let give_up = Instant::now() + at_most;
        loop {
            let data = self.client.get(path).await.data();
            if wanted.contains(&data["status"].as_str().unwrap()) {
                return data;
            }
            assert!(Instant::now() < give_up, "still {data} after {at_most:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until the balance is this.
    pub async fn balance_becomes(&self, wanted: &str, at_most: Duration) {
        let give_up = Instant::now() + at_most;
        loop {
            let balance = self.client.balance().await;
            if balance == wanted {
                return;
            }
            assert!(
                Instant::now() < give_up,
                "still {balance} instead of {wanted}"
            );
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// The books must be in order.
    pub fn verify(&self) -> Value {
        let report = self.cli(&["ledger", "verify"]);
        assert_eq!(report["ok"], true, "{report}");
        let books = self.cli(&["ledger", "books"]);
        assert_eq!(books["ok"], true, "{books}");
        let days = books["days"].as_array().unwrap();
        for day in days {
            assert_eq!(day["unexplained"], "0.000000", "{day}");
        }
        report
    }
}

pub fn command_output(data: &Path, args: &[&str]) -> Output {
    let data = data.to_str().unwrap();
    Command::new(PROGRAM)
        .args(args)
        .args(["--json", "--data", data])
        .output()
        .unwrap()
}

/// Starts a demo on a free port and waits until it answers.
pub fn start_demo(dir: &Path, more: &[&str]) -> Running {
    start_demo_with(Command::new(PROGRAM), dir, more)
}

/// As [`start_demo`], by a command that runs the program.
pub fn start_demo_with(mut command: Command, dir: &Path, more: &[&str]) -> Running {
    let facts = dir.join("demo.json");
    let before = std::fs::metadata(&facts)
        .and_then(|data| data.modified())
        .ok();
    let data = dir.to_str().unwrap();
    command
        .args(["demo", "--listen", "127.0.0.1:0", "--data", data])
        .args(more);
    let mut running = Running(command.stdout(Stdio::null()).spawn().unwrap());
    let give_up = Instant::now() + Duration::from_secs(30);
    while std::fs::metadata(&facts)
        .and_then(|data| data.modified())
        .ok()
        == before
    {
        assert!(running.0.try_wait().unwrap().is_none(), "the demo ended");
        assert!(Instant::now() < give_up, "the demo does not come up");
        std::thread::sleep(Duration::from_millis(10));
    }
    running
}

/// States of the upstream activations and orders that belong to nobody, in an installation's books.
pub fn orphans(dir: &Path) -> Vec<String> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let books = rusqlite::Connection::open_with_flags(dir.join("tollgate.db"), flags).unwrap();
    let mut rows = books
        .prepare("SELECT state FROM orphan ORDER BY state")
        .unwrap();
    let states = rows.query_map([], |row| row.get(0)).unwrap();
    states.collect::<Result<_, _>>().unwrap()
}

/// What a demo wrote of itself.
pub fn facts(dir: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(dir.join("demo.json")).unwrap()).unwrap()
}

/// The reference's own purchase.
pub fn discord() -> Value {
    json!({ "service_id": "306343", "country_id": "61", "server": "peter", "provider_type": 1 })
}
