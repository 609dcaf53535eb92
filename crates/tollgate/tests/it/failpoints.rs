//! The real program dies at each named point of an order's life and is started again. It is built
//! once more for this, with the feature that lets it die there.

use crate::crash::{Told, all_orders, check, note, port, ready, rich_client, settle, start_with};
use crate::world::{Answer, Client, PROGRAM, Running, Scratch, World, sandbox};
use serde_json::{Value, json};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

pub const SIGABRT: i32 = 6;
/// A point that was not reached by then is not reached at all.
const REACHED_WITHIN: Duration = Duration::from_secs(30);
/// From this age on a number of romeo can be cancelled.
const CANCELLABLE: Duration = Duration::from_secs(11);
const BUY: &str = "/api/v1/otp?action=buy_number";
const PLACE: &str = "/api/v1/smm?action=place_order";
const CANCEL: &str = "/api/v1/otp?action=cancel";

/// What is asked of the program that dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Errand {
    /// A number whose code arrives.
    Buy,
    /// A number whose answer is lost after the sale.
    BuyLost,
    /// An SMM order.
    Place,
    /// An SMM order whose answer is lost.
    PlaceLost,
    /// A cancel of a number that is old enough.
    Cancel,
}

/// Point of the specification, where the program dies, and at what.
const DEATHS: [(&str, &str, Errand); 37] = [
    ("BUY-1", "before:buy_number", Errand::Buy),
    ("BUY-2", "writing:buy_number", Errand::Buy),
    ("BUY-2", "written:buy_number", Errand::Buy),
    ("BUY-3", "stored:buy_number", Errand::Buy),
    ("BUY-5", "before:number_bought", Errand::Buy),
    ("BUY-6", "before:in_doubt", Errand::BuyLost),
    ("BUY-6", "written:in_doubt", Errand::BuyLost),
    ("BUY-7", "writing:number_bought", Errand::Buy),
    ("BUY-7", "written:number_bought", Errand::Buy),
    ("BUY-8", "stored:number_bought", Errand::Buy),
    ("BUY-11", "before:linked", Errand::BuyLost),
    ("BUY-12", "writing:linked", Errand::BuyLost),
    ("BUY-12", "written:linked", Errand::BuyLost),
    ("RCV-1", "before:message", Errand::Buy),
    ("RCV-2", "writing:message", Errand::Buy),
    ("RCV-2", "written:message", Errand::Buy),
    ("RCV-3", "stored:message", Errand::Buy),
    ("SMM-1", "before:place_order", Errand::Place),
    ("SMM-2", "writing:place_order", Errand::Place),
    ("SMM-2", "written:place_order", Errand::Place),
    ("SMM-3", "stored:place_order", Errand::Place),
    ("SMM-5", "before:order_accepted", Errand::Place),
    ("SMM-7", "writing:order_accepted", Errand::Place),
    ("SMM-7", "written:order_accepted", Errand::Place),
    ("SMM-8", "stored:order_accepted", Errand::Place),
    ("SMM-11", "before:smm_linked", Errand::PlaceLost),
    ("SMM-12", "written:smm_linked", Errand::PlaceLost),
    ("REF-1", "before:smm_status", Errand::Place),
    ("REF-2", "written:smm_status", Errand::Place),
    ("REF-3", "writing:smm_status#4", Errand::Place),
    ("REF-3", "written:smm_status#4", Errand::Place),
    ("CAN-1", "before:ask_cancel", Errand::Cancel),
    ("CAN-2", "stored:ask_cancel", Errand::Cancel),
    ("CAN-3", "before:closed", Errand::Cancel),
    ("CAN-4", "writing:closed", Errand::Cancel),
    ("CAN-5", "written:closed", Errand::Cancel),
    ("CAN-5", "stored:closed", Errand::Cancel),
];

/// Builds the program that can die, next to the one under test and with its dependencies.
pub fn mortal_program() -> PathBuf {
    let folder = Path::new(PROGRAM).parent().unwrap();
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut build = Command::new(cargo);
    build
        .args(["build", "--quiet", "--package", "tollgate"])
        .args(["--bin", "tollgate-mortal", "--features", "failpoints"])
        .arg("--target-dir")
        .arg(folder.parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success());
    folder.join("tollgate-mortal")
}

/// An installation that dies and is started again at the same address.
struct Patient {
    mortal: PathBuf,
    dir: Scratch,
    port: u16,
    practice: String,
    client: Client,
    told: Told,
    never: Value,
    lost: Value,
    plain: Value,
    cancellable: Vec<Value>,
    sent: Vec<(Errand, String, &'static str, Value)>,
    slowest: Duration,
}

impl Patient {
    fn start(&self, program: &Path, die_at: &str) -> Running {
        let mut command = Command::new(program);
        command.env("TOLLGATE_DIE_AT", die_at);
        start_with(command, &self.dir, self.port, &self.practice)
    }

    /// What an errand sends.
    fn request(&mut self, errand: Errand, key: &str) -> (&'static str, Value) {
        let smm = |story: &str| {
            let link = format!("https://instagram.com/{key}{story}");
            json!({ "service_id": "1", "link": link, "quantity": 50 })
        };
        match errand {
            Errand::Buy => (BUY, self.plain.clone()),
            Errand::BuyLost => (BUY, self.lost.clone()),
            Errand::Place => (PLACE, smm("")),
            Errand::PlaceLost => (PLACE, smm("?sandbox=lost")),
            Errand::Cancel => {
                let order = self.cancellable.pop().unwrap();
                (CANCEL, json!({ "order_id": order }))
            }
        }
    }

    /// Dies at the point on the errand and starts again.
    async fn survive(&mut self, number: usize) {
        let (point, place, errand) = DEATHS[number];
        let key = format!("death{number}");
        let (path, body) = self.request(errand, &key);
        let mut mortal = self.start(&self.mortal, place);
        let asked = Instant::now();
        // it may die before it is asked: older orders come by the same place
        let mut answered = false;
        let ended = loop {
            if let Some(ended) = mortal.0.try_wait().unwrap() {
                break ended;
            }
            let late = asked.elapsed() > REACHED_WITHIN;
            assert!(!late, "{point} {place} is not reached");
            if !answered {
                let answer = self.client.try_post_keyed(path, &body, &key).await;
                answered = self.heard(errand, &key, answer);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert_eq!(ended.signal(), Some(SIGABRT), "{point} {place}: {ended}");
        self.sent.push((errand, key, path, body));
        let mut healthy = self.start(Path::new(PROGRAM), "");
        self.slowest = self.slowest.max(ready(&self.client).await);
        healthy.kill();
    }

    /// What was asked, asked again under its key until the answer is final: an order whose call was
    /// cut is in doubt only when its lease is over.
    async fn last_word(&self, number: usize) {
        let (errand, key, path, body) = &self.sent[number];
        let asked = Instant::now();
        loop {
            let answer = self.client.try_post_keyed(path, body, key).await;
            if self.heard(*errand, key, answer) {
                return;
            }
            assert!(asked.elapsed() < 3 * REACHED_WITHIN, "{key} has no answer");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Takes an answer down; says whether it was one: not "still running", not "nothing on sale yet".
    fn heard(&self, errand: Errand, key: &str, answer: Option<Answer>) -> bool {
        let Some(answer) = answer else { return false };
        let again = answer.header("idempotent-replayed") == Some("true");
        if answer.status == 409 || (answer.status == 503 && !again) {
            return false;
        }
        if errand == Errand::Cancel {
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.data()["refunded"], true);
        } else {
            note(&self.told, key, &answer);
        }
        true
    }
}

/// A service of romeo by name, as a purchase asks for it.
async fn wanted(client: &Client, name: &str) -> Value {
    let query = "services&server=romeo&country_id=13";
    let listed = client.otp(query).await.data()["services"].clone();
    let fits = |row: &&Value| match name {
        "" => !row["name"].as_str().unwrap().starts_with("Sandbox"),
        name => row["name"] == name,
    };
    let service = listed.as_array().unwrap().iter().find(fits).unwrap();
    json!({ "service_id": service["service_id"], "country_id": "13", "server": "romeo" })
}

async fn patient(practice: &str) -> Patient {
    let (dir, port) = (Scratch::new(), port());
    let base = format!("http://127.0.0.1:{port}");
    let _first = start_with(Command::new(PROGRAM), &dir, port, practice);
    ready(&Client::new(&base, "")).await;
    while !dir.path().join("demo.json").exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let client = rich_client(&dir, &base);
    let mut patient = Patient {
        mortal: mortal_program(),
        port,
        practice: practice.to_owned(),
        told: Told::default(),
        never: wanted(&client, "Sandbox: never a code").await,
        lost: wanted(&client, "Sandbox: answer lost after the sale").await,
        plain: wanted(&client, "").await,
        cancellable: Vec::new(),
        sent: Vec::new(),
        slowest: Duration::ZERO,
        client,
        dir,
    };
    for (number, (_, _, errand)) in DEATHS.iter().enumerate() {
        if *errand == Errand::Cancel {
            let body = patient.never.clone();
            let key = format!("old{number}");
            let bought = patient.client.post_keyed(BUY, body, &key).await;
            note(&patient.told, &key, &bought);
            patient.cancellable.push(bought.data()["order_id"].clone());
        }
    }
    patient
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_at_each_named_point_loses_and_doubles_nothing() {
    let (_practice, practice) = sandbox();
    let mut patient = patient(&practice).await;
    let began = Instant::now();
    for (number, (.., errand)) in DEATHS.iter().enumerate() {
        if *errand == Errand::Cancel {
            tokio::time::sleep(CANCELLABLE.saturating_sub(began.elapsed())).await;
        }
        patient.survive(number).await;
    }
    let _healthy = patient.start(Path::new(PROGRAM), "");
    ready(&patient.client).await;
    for number in 0..DEATHS.len() {
        patient.last_word(number).await;
    }
    settle(&patient.client).await;
    check(&patient.client, &practice, &patient.told).await;
    assert!(patient.cancellable.is_empty());
    let numbers = all_orders(&patient.client, "otp").await;
    let cancelled = numbers
        .iter()
        .filter(|order| order["status"] == "cancelled");
    let asked = DEATHS
        .iter()
        .filter(|(.., errand)| *errand == Errand::Cancel);
    assert!(cancelled.count() >= asked.count());
    let report = World::command(patient.dir.path(), &["ledger", "verify"]);
    assert_eq!(
        (&report["ok"], &report["open_holds"]),
        (&json!(true), &json!(0)),
        "{report}"
    );
    println!(
        "{} deaths, slowest start {:?}",
        DEATHS.len(),
        patient.slowest
    );
}
