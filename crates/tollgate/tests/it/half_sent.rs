//! The real program is killed while its purchase is half sent, and stopped in the middle of one until
//! its lease is over: what it had asked for is found or given up, and bought once at most.

use crate::crash::{ready, rich_client, start_with};
use crate::failpoints::{BUY, wanted};
use crate::world::{Answer, Client, PROGRAM, Running, Scratch, World, free_address, sandbox};
use serde_json::{Value, json};
use std::io::{Read, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longer than a purchase call of the demo may take with its lease.
const PAST_THE_LEASE: Duration = Duration::from_secs(42);
/// The lease, the window and the looking of a purchase that nobody ever made.
const SETTLED_WITHIN: Duration = Duration::from_secs(240);

/// What becomes of the next purchase on its way.
enum Trap {
    /// Half of it goes on, then nothing.
    Half(Sender<()>),
    /// It goes on; its answer waits for the word to come.
    Hold(Sender<()>, Receiver<()>),
}

/// Stands before the providers.
struct Between {
    url: String,
    next: Arc<Mutex<Option<Trap>>>,
}

impl Between {
    fn new(practice: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let next: Arc<Mutex<Option<Trap>>> = Arc::default();
        let (shared, behind) = (Arc::clone(&next), practice.replace("http://", ""));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (next, behind) = (Arc::clone(&shared), behind.clone());
                // a connection that ends early is no fault of the test
                std::thread::spawn(move || carry(client, &behind, &next).ok());
            }
        });
        Self { url, next }
    }

    fn set(&self, trap: Trap) {
        *self.next.lock().unwrap() = Some(trap);
    }
}

fn carry(mut client: TcpStream, behind: &str, next: &Mutex<Option<Trap>>) -> std::io::Result<()> {
    let mut provider = TcpStream::connect(behind)?;
    let mut head = vec![0; 16 * 1024];
    let length = client.read(&mut head)?;
    head.truncate(length);
    let is_purchase = String::from_utf8_lossy(&head).contains("action=getNumber");
    match is_purchase.then(|| next.lock().unwrap().take()).flatten() {
        Some(Trap::Half(arrived)) => {
            provider.write_all(&head[..length / 2])?;
            arrived.send(()).unwrap();
            // nothing more comes, and nothing is closed before the sender is dead
            let _ = client.read(&mut head);
            return provider.shutdown(Shutdown::Both);
        }
        Some(Trap::Hold(arrived, go_on)) => {
            provider.write_all(&head)?;
            let mut answer = vec![0; 16 * 1024];
            let length = provider.read(&mut answer)?;
            arrived.send(()).unwrap();
            let _ = go_on.recv();
            client.write_all(&answer[..length])?;
        }
        None => provider.write_all(&head)?,
    }
    let (mut from, mut to) = (provider.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || {
        let _ = copy(&mut from, &mut to);
        to.shutdown(Shutdown::Write)
    });
    copy(&mut client, &mut provider)?;
    provider.shutdown(Shutdown::Write)
}

/// An installation behind which a purchase can be stopped on its way.
struct House {
    _providers: Running,
    practice: String,
    between: Between,
    dir: Scratch,
    port: u16,
    demo: Running,
    client: Client,
    body: Value,
}

impl House {
    async fn new() -> Self {
        let (providers, practice) = sandbox();
        let between = Between::new(&practice);
        let (dir, port) = (Scratch::new(), free_address().port());
        let base = format!("http://127.0.0.1:{port}");
        let demo = start_with(Command::new(PROGRAM), &dir, port, &between.url);
        ready(&Client::new(&base, "")).await;
        while !dir.path().join("demo.json").exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let client = rich_client(&dir, &base);
        Self {
            // a code that is there before its number was shown would end it
            body: wanted(&client, "Sandbox: never a code").await,
            _providers: providers,
            practice,
            between,
            dir,
            port,
            demo,
            client,
        }
    }

    /// A purchase under way whose trap was sprung.
    async fn buys_into(&self, trap: Trap, arrived: Receiver<()>) {
        self.between.set(trap);
        let (client, body) = (self.client.clone(), self.body.clone());
        #[expect(clippy::disallowed_methods, reason = "this is the customer")]
        tokio::spawn(async move { client.try_post_keyed(BUY, &body, "once").await });
        let waited = tokio::task::spawn_blocking(move || arrived.recv_timeout(SETTLED_WITHIN));
        waited.await.unwrap().expect("the purchase sets out");
    }

    fn signal(&self, name: &str) {
        let pid = self.demo.0.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    async fn dies_and_starts_again(&mut self) {
        self.demo.kill();
        self.demo = start_with(
            Command::new(PROGRAM),
            &self.dir,
            self.port,
            &self.between.url,
        );
        ready(&self.client).await;
    }

    /// The final answer under the key.
    async fn last_word(&self) -> Answer {
        let asked = Instant::now();
        loop {
            let answer = self.client.try_post_keyed(BUY, &self.body, "once").await;
            let is_last = |answer: &Answer| {
                let again = answer.header("idempotent-replayed") == Some("true");
                again && answer.status != 202
            };
            if let Some(answer) = answer.filter(is_last) {
                return answer;
            }
            assert!(asked.elapsed() < SETTLED_WITHIN, "the key has no answer");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn sold(&self) -> usize {
        let sold = Client::new(&self.practice, "")
            .get("/_sandbox/orders")
            .await;
        sold.json()["orders"].as_array().unwrap().len()
    }

    fn verify(&self) -> Value {
        World::command(self.dir.path(), &["ledger", "verify"])
    }
}

/// BUY-4: nobody knows whether half a request counts, so nothing is released before the window ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purchase_half_sent_as_the_program_dies_is_given_up_after_its_window() {
    let mut house = House::new().await;
    let before = house.client.balance().await;
    let (arrived, has_arrived) = channel();
    house.buys_into(Trap::Half(arrived), has_arrived).await;
    house.dies_and_starts_again().await;
    assert!(house.client.balance().await < before, "it is on hold");
    let answer = house.last_word().await;
    assert_eq!(answer.verdict(), "503 provider_unavailable");
    assert_eq!(house.client.balance().await, before);
    assert_eq!(house.sold().await, 0);
    let report = house.verify();
    let found = (&report["ok"], &report["open_holds"]);
    assert_eq!(found, (&json!(true), &json!(0)), "{report}");
}

/// BUY-10: the answer comes to a process that wakes after its lease.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_wakes_after_its_lease_sells_what_it_bought_once() {
    let mut house = House::new().await;
    let (arrived, has_arrived) = channel();
    let (go_on, word) = channel();
    house
        .buys_into(Trap::Hold(arrived, word), has_arrived)
        .await;
    house.signal("-STOP");
    tokio::time::sleep(PAST_THE_LEASE).await;
    go_on.send(()).unwrap();
    house.signal("-CONT");
    let woken = house.last_word().await;
    assert_eq!(woken.status, 200, "{}", woken.text);
    house.dies_and_starts_again().await;
    let again = house.last_word().await;
    assert_eq!(again.text, woken.text);
    assert_eq!(house.sold().await, 1);
    let report = house.verify();
    assert_eq!(report["ok"], true, "{report}");
}
