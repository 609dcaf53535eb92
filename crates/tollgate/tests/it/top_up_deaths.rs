//! The real program dies at each named point of a top-up's life and is started again: one credit,
//! one refund, no payment lost.

use crate::crash::{ready, start_with};
use crate::failpoints::{SIGABRT, mortal_program};
use crate::visitor::Visitor;
use crate::world::{Client, PROGRAM, Running, Scratch, World, facts, free_address, sandbox};
use serde_json::{Value, json};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A point that was not reached by then is not reached at all.
const REACHED_WITHIN: Duration = Duration::from_secs(30);
/// What was left open is settled by then: a refund is told again half a minute later.
const SETTLED_WITHIN: Duration = Duration::from_secs(90);

/// What is asked of the program that dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Errand {
    /// A customer begins a top-up.
    Begin,
    /// A customer pays at this processor.
    Pay(&'static str),
    /// The refund is told before the payment.
    Backwards,
    /// Other money arrives than was asked.
    Odd,
    /// The processor returned 4 dollars of it.
    Returned,
    /// We return 4 dollars of it.
    Refund,
}

/// Point of a top-up's life, where the program dies, and at what.
const DEATHS: [(&str, &str, Errand); 18] = [
    (
        "before the processor knows",
        "stored:begin_top_up",
        Errand::Begin,
    ),
    (
        "before we know the place",
        "before:open_top_up",
        Errand::Begin,
    ),
    (
        "TOP-2",
        "before:receive_top_up_event",
        Errand::Pay("stripe"),
    ),
    (
        "TOP-2",
        "written:receive_top_up_event",
        Errand::Pay("btcpay"),
    ),
    (
        "TOP-3",
        "stored:receive_top_up_event",
        Errand::Pay("nowpayments"),
    ),
    ("TOP-3", "before:credit_top_up", Errand::Pay("stripe")),
    ("TOP-4", "writing:credit_top_up", Errand::Pay("nowpayments")),
    ("TOP-4", "written:credit_top_up", Errand::Pay("stripe")),
    ("TOP-5", "stored:credit_top_up", Errand::Pay("stripe")),
    ("TOP-8", "stored:credit_top_up", Errand::Backwards),
    ("TOP-9", "written:review_top_up", Errand::Odd),
    ("TOP-10", "stored:credit_top_up", Errand::Pay("btcpay")),
    ("reversal", "written:reverse_top_up", Errand::Returned),
    ("reversal", "stored:reverse_top_up", Errand::Returned),
    ("own refund", "writing:refund_top_up", Errand::Refund),
    ("own refund", "stored:refund_top_up", Errand::Refund),
    ("own refund", "before:tell_refund", Errand::Refund),
    ("own refund", "stored:tell_refund", Errand::Refund),
];

/// An installation that dies and is started again at the same address.
struct Patient {
    mortal: PathBuf,
    dir: Scratch,
    port: u16,
    practice: String,
    client: Client,
    ana: Visitor,
    /// Dollars that must be in the wallet, and of which top-ups the payer must have 4 back.
    owns: i64,
    returned: Vec<i64>,
}

impl Patient {
    fn start(&self, program: &Path, die_at: &str) -> Running {
        let mut command = Command::new(program);
        command.env("TOLLGATE_DIE_AT", die_at);
        start_with(command, &self.dir, self.port, &self.practice)
    }

    async fn act(&self, processor: &str, act: Value, deliver: Value) {
        let order = json!({ "processor": processor, "act": act, "deliver": deliver });
        let made = Client::new(&self.practice, "");
        let made = made.post("/_sandbox/payments", order).await;
        assert_eq!(made.status, 200, "{}", made.text);
    }

    async fn payment_of(&self, id: i64) -> Value {
        let shown = Client::new(&self.practice, "");
        let shown = shown.get("/_sandbox/payments").await.json()["payments"].clone();
        let rows = shown.as_array().unwrap();
        let ours = |one: &&Value| one["reference"] == format!("tu_{id}");
        rows.iter().find(ours).cloned().unwrap_or_default()
    }

    fn top_up(&self, id: i64) -> Value {
        let listed = World::command(self.dir.path(), &["topup", "list", "--all"]);
        let rows = listed["top_ups"].as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap().clone()
    }

    /// What has to be there before the program that dies is started.
    async fn prepared(&mut self, errand: Errand) -> i64 {
        let method = match errand {
            Errand::Begin => return 0,
            Errand::Pay(processor) => processor,
            _ => "stripe",
        };
        let id = self.ana.top_up(method, "10").await.unwrap();
        let place = self.payment_of(id).await["id"].clone();
        if let Errand::Returned | Errand::Refund = errand {
            self.act("stripe", json!({ "id": place, "do": "pay" }), json!({}))
                .await;
            assert_eq!(self.ana.state(id).await, "credited");
        }
        if errand == Errand::Backwards {
            let silent = json!({ "times": 0 });
            self.act("stripe", json!({ "id": place, "do": "pay" }), silent)
                .await;
            let part = json!({ "id": place, "do": "refund", "cents": 400 });
            self.act("stripe", part, json!({})).await;
        }
        id
    }

    async fn errand(&mut self, errand: Errand, id: i64) {
        let place = self.payment_of(id).await["id"].clone();
        let (pay, none) = (json!({ "id": place, "do": "pay" }), json!({}));
        match errand {
            Errand::Begin => {
                let _ = self.ana.top_up("stripe", "10").await;
            }
            Errand::Pay(processor) => self.act(processor, pay, none).await,
            // the payment is told of by nobody: the gateway asks by itself
            Errand::Backwards => {}
            Errand::Odd => {
                let odd = json!({ "id": place, "do": "pay", "currency": "eur" });
                self.act("stripe", odd, none).await;
            }
            Errand::Returned => {
                let part = json!({ "id": place, "do": "refund", "cents": 400 });
                self.act("stripe", part, none).await;
            }
            Errand::Refund => {
                let data = self.dir.path().to_str().unwrap().to_owned();
                let words = format!("topup refund tu_{id} --usd 4 --reason asked --data {data}");
                let mut refund = Command::new(PROGRAM);
                refund.args(words.split(' '));
                let output = tokio::task::spawn_blocking(move || refund.output());
                output.await.unwrap().unwrap();
            }
        }
    }

    /// Dies at the point on the errand, and starts again; gives the top-up.
    async fn survive(&mut self, number: usize) -> i64 {
        let (point, place, errand) = DEATHS[number];
        let mut healthy = self.start(Path::new(PROGRAM), "");
        ready(&self.client).await;
        let id = self.prepared(errand).await;
        healthy.kill();
        let mut mortal = self.start(&self.mortal, place);
        ready(&self.client).await;
        let asked = Instant::now();
        self.errand(errand, id).await;
        let ended = loop {
            if let Some(ended) = mortal.0.try_wait().unwrap() {
                break ended;
            }
            let late = asked.elapsed() > REACHED_WITHIN;
            assert!(!late, "{point} {place} is not reached");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert_eq!(ended.signal(), Some(SIGABRT), "{point} {place}: {ended}");
        id
    }

    /// What must come of an errand.
    fn expects(&mut self, errand: Errand, id: i64, place: &str) {
        match errand {
            Errand::Pay(_) => self.owns += 10,
            // what was not written before the death was never asked for
            Errand::Refund if place == "writing:refund_top_up" => self.owns += 10,
            Errand::Backwards | Errand::Returned | Errand::Refund => {
                self.owns += 6;
                self.returned.push(id);
            }
            Errand::Begin | Errand::Odd => {}
        }
    }

    /// Waits until everything that was left open is settled.
    async fn settled(&self) {
        let asked = Instant::now();
        let wanted = format!("{}.000000", self.owns);
        loop {
            let balance = self.client.balance().await;
            let mut told = true;
            for id in &self.returned {
                told &= self.payment_of(*id).await["refunded_cents"] == 400;
            }
            if balance == wanted && told {
                return;
            }
            let late = asked.elapsed() > SETTLED_WITHIN;
            assert!(
                !late,
                "{balance} instead of {wanted}, all refunds told: {told}"
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

async fn patient(practice: &str) -> Patient {
    let (dir, port) = (Scratch::new(), free_address().port());
    let base = format!("http://127.0.0.1:{port}");
    let mut first = start_with(Command::new(PROGRAM), &dir, port, practice);
    ready(&Client::new(&base, "")).await;
    while !dir.path().join("demo.json").exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let facts = facts(dir.path());
    let ana = Visitor::customer(&facts).await;
    // the test asks faster than a customer may
    let words = format!(
        "key create --rate-limit 1000000 --account {}",
        facts["account_id"]
    );
    let key = World::command(dir.path(), &words.split(' ').collect::<Vec<_>>());
    first.kill();
    Patient {
        mortal: mortal_program(),
        port,
        practice: practice.to_owned(),
        client: Client::new(&base, key["api_key"].as_str().unwrap()),
        ana,
        dir,
        owns: 50,
        returned: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_at_each_point_of_a_top_up_credits_and_returns_once() {
    let (_practice, practice) = sandbox();
    let mut patient = patient(&practice).await;
    let mut begun = Vec::new();
    for (number, (_, place, errand)) in DEATHS.into_iter().enumerate() {
        let id = patient.survive(number).await;
        patient.expects(errand, id, place);
        begun.push(id);
    }
    let _healthy = patient.start(Path::new(PROGRAM), "");
    ready(&patient.client).await;
    // a place to pay that we do not know of is paid all the same
    let listed = World::command(patient.dir.path(), &["topup", "list", "--all"]);
    let rows = listed["top_ups"].as_array().unwrap();
    let lost = rows.iter().filter(|row| row["processor_ref"].is_null());
    let mut opened = 0;
    for row in lost {
        let place = patient.payment_of(row["id"].as_i64().unwrap()).await["id"].clone();
        if place.is_string() {
            let pay = json!({ "id": place, "do": "pay" });
            patient.act("stripe", pay, json!({})).await;
            patient.owns += 10;
            opened += 1;
        }
    }
    assert_eq!(
        opened, 1,
        "one was opened and not known of, one was never opened"
    );
    patient.settled().await;
    for id in &patient.returned {
        assert_eq!(patient.top_up(*id)["returned_usd"], "4.000000");
    }
    for ((.., errand), id) in DEATHS.into_iter().zip(begun) {
        if errand == Errand::Odd {
            assert_eq!(patient.top_up(id)["state"], "review");
        }
        if errand == Errand::Refund && patient.returned.contains(&id) {
            let times = patient.payment_of(id).await["refunds"].clone();
            assert_eq!(times, 1, "a key counts once");
        }
    }
    let report = World::command(patient.dir.path(), &["ledger", "verify"]);
    assert_eq!(report["ok"], true, "{report}");
}
