//! The real program is killed while its purchases are half sent, and stopped in the middle of them until
//! their lease is over: what it had asked for is found or given up, and bought once at most.

use crate::between::{Between, Trap};
use crate::crash::{ready, rich_client, start_with};
use crate::failpoints::{BUY, CANCEL, CANCELLABLE, PLACE, mortal_program, wanted};
use crate::world::{Answer, Client, PROGRAM, Running, Scratch, World, free_address, sandbox};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longer than a purchase call of the demo may take with its lease.
const PAST_THE_LEASE: Duration = Duration::from_secs(42);
/// The lease, the window and the looking of a purchase that nobody ever made.
const SETTLED_WITHIN: Duration = Duration::from_secs(240);

/// Something that is bought once, under a key of its own.
struct Errand {
    path: &'static str,
    body: Value,
    /// What its request to the provider has in it.
    words: &'static str,
}

/// An installation whose requests to its providers can be stopped on their way.
struct House {
    _providers: Running,
    practice: String,
    between: Between,
    dir: Scratch,
    port: u16,
    demo: Running,
    client: Client,
    /// A number and an SMM order.
    errands: [Errand; 2],
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
        let order =
            json!({ "service_id": "1", "link": "https://instagram.com/once", "quantity": 50 });
        let number = Errand {
            path: BUY,
            // a code that is there before its number was shown would end it
            body: wanted(&client, "Sandbox: never a code").await,
            words: "action=getNumberV2",
        };
        let order = Errand {
            path: PLACE,
            body: order,
            words: "action=add",
        };
        Self {
            _providers: providers,
            practice,
            between,
            dir,
            port,
            demo,
            errands: [number, order],
            client,
        }
    }

    /// Both purchases under way, each with a trap that was sprung.
    async fn buys_into(&self, traps: Vec<(Trap, Receiver<()>)>) {
        for (errand, (trap, arrived)) in self.errands.iter().zip(traps) {
            self.between.set(errand.words, trap);
            let (client, path, body) = (self.client.clone(), errand.path, errand.body.clone());
            #[expect(clippy::disallowed_methods, reason = "this is the customer")]
            tokio::spawn(async move { client.try_post_keyed(path, &body, path).await });
            let waited = tokio::task::spawn_blocking(move || arrived.recv_timeout(SETTLED_WITHIN));
            waited.await.unwrap().expect("the purchase sets out");
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.demo.0.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Killed, and started again as this program, which dies at this point.
    async fn dies_and_starts_again(&mut self, program: &Path, die_at: &str) {
        self.demo.kill();
        let mut command = Command::new(program);
        command.env("TOLLGATE_DIE_AT", die_at);
        self.demo = start_with(command, &self.dir, self.port, &self.between.url);
        ready(&self.client).await;
    }

    /// Waits until it died by itself.
    async fn died(&mut self) {
        let asked = Instant::now();
        while self.demo.0.try_wait().unwrap().is_none() {
            assert!(asked.elapsed() < SETTLED_WITHIN, "it lives on");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The final answers under the keys, the number's first.
    async fn last_words(&self) -> [Answer; 2] {
        let [number, order] = &self.errands;
        [self.last_word(number).await, self.last_word(order).await]
    }

    async fn last_word(&self, Errand { path, body, .. }: &Errand) -> Answer {
        let asked = Instant::now();
        loop {
            let answer = self.client.try_post_keyed(path, body, path).await;
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

    /// What the providers sold, numbers first.
    async fn sold(&self) -> Vec<Value> {
        let sold = Client::new(&self.practice, "")
            .get("/_sandbox/orders")
            .await;
        sold.json()["orders"].as_array().unwrap().clone()
    }

    fn verify(&self) -> Value {
        World::command(self.dir.path(), &["ledger", "verify"])
    }
}

/// BUY-4, SMM-4: nobody knows whether half a request counts, so nothing is released before the window
/// ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_half_sent_as_the_program_dies_is_given_up_after_its_window() {
    let mut house = House::new().await;
    let before = house.client.balance().await;
    let halves = house.errands.iter().map(|_| {
        let (arrived, has_arrived) = channel();
        (Trap::Half(arrived), has_arrived)
    });
    house.buys_into(halves.collect()).await;
    house.dies_and_starts_again(Path::new(PROGRAM), "").await;
    let held = house.verify()["open_holds"].clone();
    assert_eq!(held, 2, "both are on hold");
    for answer in house.last_words().await {
        assert_eq!(answer.verdict(), "503 provider_unavailable");
    }
    assert_eq!(house.client.balance().await, before);
    assert_eq!(house.sold().await, Vec::<Value>::new());
    let report = house.verify();
    let found = (&report["ok"], &report["open_holds"]);
    assert_eq!(found, (&json!(true), &json!(0)), "{report}");
}

/// BUY-10, SMM-10: the answers come to a process that wakes after its lease.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_wakes_after_its_lease_sells_what_it_bought_once() {
    let mut house = House::new().await;
    let (mut words, mut held) = (Vec::new(), Vec::new());
    for _ in &house.errands {
        let ((arrived, has_arrived), (go_on, word)) = (channel(), channel());
        words.push(go_on);
        held.push((Trap::Hold(arrived, word), has_arrived));
    }
    house.buys_into(held).await;
    house.signal("-STOP");
    tokio::time::sleep(PAST_THE_LEASE).await;
    for word in words {
        word.send(()).unwrap();
    }
    house.signal("-CONT");
    let woken = house.last_words().await;
    house.dies_and_starts_again(Path::new(PROGRAM), "").await;
    let again = house.last_words().await;
    for (woken, again) in woken.iter().zip(again) {
        assert_eq!(woken.status, 200, "{}", woken.text);
        assert_eq!(again.text, woken.text);
    }
    assert_eq!(house.sold().await.len(), 2);
    dies_as_a_cancel_is_refused(&mut house, &woken[0]).await;
    let report = house.verify();
    assert_eq!(report["ok"], true, "{report}");
}

/// CAN-9: the provider says "too early", and the program dies as it has written that down. The hold
/// stays, the number goes on, and who asks again hears how long.
async fn dies_as_a_cancel_is_refused(house: &mut House, bought: &Answer) {
    let order = json!({ "order_id": bought.data()["order_id"] });
    let before = house.client.balance().await;
    house
        .dies_and_starts_again(&mortal_program(), "written:cancel_too_early")
        .await;
    // before that the provider is not asked at all
    tokio::time::sleep(CANCELLABLE).await;
    let too_early = || Trap::Say("EARLY_CANCEL_DENIED");
    house.between.set("action=setStatus", too_early());
    let cut = house.client.try_post(CANCEL, &order).await;
    assert!(cut.is_none(), "it died before it answered");
    house.died().await;
    house.dies_and_starts_again(Path::new(PROGRAM), "").await;
    assert_eq!(house.client.balance().await, before, "the hold is there");
    house.between.set("action=setStatus", too_early());
    let told = house.client.post(CANCEL, order).await;
    assert_eq!(told.verdict(), "409 cancel_too_early");
    assert!(told.header("retry-after").is_some());
    assert_eq!(house.client.balance().await, before);
}
