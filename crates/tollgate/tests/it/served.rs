//! A `serve` over upstreams of a test's own, and one customer with ten dollars.

use crate::world::{Client, PROGRAM, Running, Scratch, free_address};
use serde_json::Value;
use std::fs::{File, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub struct Served {
    pub client: Client,
    pub account: String,
    address: SocketAddr,
    server: Running,
    dir: Scratch,
}

impl Served {
    /// Starts it with these settings, and waits until the lists of so many upstreams were read.
    pub async fn start(settings: &str, read: usize) -> Self {
        Self::start_listening("", settings, read).await
    }

    /// The same with more lines in `[listen]`.
    pub async fn start_listening(listen: &str, settings: &str, read: usize) -> Self {
        let mut served = Self::node_listening(listen, settings, read).await;
        served.welcome_customer();
        served
    }

    /// The same without a customer: one more node over a store that has them.
    pub async fn node(settings: &str, read: usize) -> Self {
        Self::node_listening("", settings, read).await
    }

    /// The same with more lines in `[listen]`.
    pub async fn node_listening(listen: &str, settings: &str, read: usize) -> Self {
        Self::run(Command::new(PROGRAM), listen, settings, read).await
    }

    /// The same under a manager of services that listens at this socket.
    pub async fn told_to(manager: &Path, listen: &str) -> Self {
        let mut program = Command::new(PROGRAM);
        program.env("NOTIFY_SOCKET", manager);
        Self::run(program, listen, "", 0).await
    }

    async fn run(program: Command, listen: &str, settings: &str, read: usize) -> Self {
        let (dir, address) = installation(listen, settings);
        let server = spawn(program, dir.path());
        let mut served = Self {
            client: Client::new(&format!("http://{address}"), ""),
            account: String::new(),
            address,
            server,
            dir,
        };
        served.until_ready(read).await;
        served
    }

    /// What a node says that does not start with these settings.
    pub fn refused(settings: &str) -> String {
        let (dir, _) = installation("", settings);
        let mut server = spawn(Command::new(PROGRAM), dir.path());
        let status = server.0.wait().unwrap();
        assert!(!status.success(), "{status}");
        std::fs::read_to_string(dir.path().join("log")).unwrap()
    }

    /// Kills it, and starts it again on the same data.
    pub async fn die_and_start_again(&mut self) {
        self.server.kill();
        self.server = spawn(Command::new(PROGRAM), self.dir.path());
        self.until_ready(0).await;
    }

    /// Kills it, and starts on the same data a program that dies when it comes by this place.
    pub async fn turn_mortal(&mut self, mortal: &Path, place: &str) {
        self.server.kill();
        let mut command = Command::new(mortal);
        command.env("TOLLGATE_DIE_AT", place);
        self.server = spawn(command, self.dir.path());
        self.until_ready(0).await;
    }

    /// Waits until it has died by itself.
    pub async fn until_dead(&mut self) {
        let give_up = Instant::now() + Duration::from_secs(30);
        while self.server.0.try_wait().unwrap().is_none() {
            assert!(Instant::now() < give_up, "it lives on");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Tells it to stop, sees it say that it is not ready while it still answers, and starts it again.
    pub async fn restart_gently(&mut self) {
        self.signal("TERM");
        let give_up = Instant::now() + Duration::from_secs(10);
        let mut said = false;
        while self.server.0.try_wait().unwrap().is_none() {
            let answer = self.client.try_get("/readyz").await;
            said |= answer.is_some_and(|answer| answer.status == 503);
            assert!(Instant::now() < give_up, "it does not stop");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(said, "it never said that it is not ready");
        let status = self.server.0.wait().unwrap();
        assert!(status.success(), "{status}");
        self.server = spawn(Command::new(PROGRAM), self.dir.path());
        self.until_ready(0).await;
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        self.server.signal(name);
    }

    /// Ends it in good order.
    pub fn stop(&mut self) {
        self.server.terminate();
    }

    /// A client of this node with somebody's key.
    pub fn client_with(&self, key: &str) -> Client {
        Client::new(&format!("http://{}", self.address), key)
    }

    fn welcome_customer(&mut self) {
        let args = ["account", "create", "--email", "ana@example.com"];
        self.account = self.cli(&args)["account_id"].to_string();
        let account = self.account.clone();
        let credit = ["--account", &account, "--usd", "10", "--note", "cash"];
        self.cli(&[&["wallet", "credit"], &credit[..]].concat());
        let key = [
            "key",
            "create",
            "--account",
            &account,
            "--rate-limit",
            "100000",
        ];
        let key = self.cli(&key)["api_key"].clone();
        self.client = Client::new(&format!("http://{}", self.address), key.as_str().unwrap());
    }

    async fn until_ready(&mut self, read: usize) {
        let give_up = Instant::now() + Duration::from_secs(60);
        let client = self.client.clone();
        let ready = async || {
            let answer = client.try_get("/readyz").await;
            answer.is_some_and(|answer| answer.status == 200)
        };
        while !ready().await || (read > 0 && self.listings() < read) {
            assert!(
                Instant::now() < give_up,
                "the server does not come up: {}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// How many upstreams have shown what they sell.
    fn listings(&self) -> usize {
        let stats = self.cli(&["catalogue", "stats"]);
        let count = |part: &str| stats[part].as_array().map_or(0, Vec::len);
        count("upstreams") + count("panels")
    }

    /// Runs a command on this installation; gives its JSON.
    pub fn cli(&self, args: &[&str]) -> Value {
        let mut command = Command::new(PROGRAM);
        let command = command.args(args).arg("--json");
        let output = command.current_dir(self.dir.path()).output().unwrap();
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {why}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Where its settings and its data are.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Where it answers.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Replaces a part of its settings file, which has to be there.
    pub fn change_settings(&self, before: &str, after: &str) {
        let file = self.dir.path().join("tollgate.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(before), "{before}");
        std::fs::write(&file, text.replace(before, after)).unwrap();
    }

    /// SIGHUP.
    pub fn hang_up(&self) {
        self.signal("HUP");
    }

    /// Waits until it has logged this.
    pub async fn says(&self, line: &str) {
        let give_up = Instant::now() + Duration::from_secs(30);
        while !self.log().contains(line) {
            assert!(Instant::now() < give_up, "{line}: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    /// The most memory that it has held so far, in MiB.
    pub fn peak_mib(&self) -> u64 {
        let status = format!("/proc/{}/status", self.server.0.id());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = line
            .unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap();
        kib / 1024
    }

    /// The books must be in order.
    pub fn verify(&self) {
        assert_eq!(self.cli(&["ledger", "verify"])["ok"], true);
    }
}

/// A directory with settings and keys, and where it will answer.
pub fn installation(listen: &str, settings: &str) -> (Scratch, SocketAddr) {
    let dir = Scratch::new();
    let address = free_address();
    let settings = format!(
        "[listen]\naddress = \"{address}\"\n{listen}[store]\ndata_dir = \"data\"\n{settings}"
    );
    secret_file(&dir.path().join("tollgate.toml"), &settings);
    let pepper = "0123456789abcdef".repeat(4);
    secret_file(&dir.path().join("tollgate.pepper"), &pepper);
    let keys = format!("index:{pepper},1:{pepper}");
    secret_file(&dir.path().join("tollgate.keys"), &keys);
    (dir, address)
}

/// Starts the program in an installation's directory; what it says goes to `log` there.
pub fn spawn(mut serve: Command, dir: &Path) -> Running {
    let log = File::options()
        .create(true)
        .append(true)
        .open(dir.join("log"));
    serve.arg("serve").current_dir(dir);
    Running(
        serve
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .spawn()
            .unwrap(),
    )
}

/// A file that only its owner may read, as the program wants it.
fn secret_file(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}
