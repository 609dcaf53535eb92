//! The real program dies at each named point of an order's life and is started again. It is built
//! once more for this, with the feature that lets it die there. Several installations die at the
//! same time, each at points of its own.

use crate::crash::{
    Told, all_orders, check_beside, micros, note, ready, rich_client, settle, start_with,
};
use crate::world::{Answer, Client, PROGRAM, Running, Scratch, World, free_address, sandbox};
use serde_json::{Value, json};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

pub const SIGABRT: i32 = 6;
/// A point that was not reached by then is not reached at all.
const REACHED_WITHIN: Duration = Duration::from_secs(90);
/// Installations that are made at the same time: it is what costs most.
const STARTED_AT_ONCE: usize = 2;
/// A purchase without a key that has come by no point by then is made once more.
const ASK_AGAIN: Duration = Duration::from_secs(25);
/// From this age on a number of romeo can be cancelled.
pub const CANCELLABLE: Duration = Duration::from_secs(11);
pub const BUY: &str = "/api/v1/otp?action=buy_number";
pub const PLACE: &str = "/api/v1/smm?action=place_order";
pub const CANCEL: &str = "/api/v1/otp?action=cancel";

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
    /// A number whose answer is lost, for a client without a key: it is told "failed", and what was
    /// bought for it is undone.
    BuyUndone,
    /// The same with an SMM order.
    PlaceUndone,
    /// Nothing: what happens by itself.
    Wait,
}

impl Errand {
    fn is_keyless(self) -> bool {
        matches!(self, Self::BuyUndone | Self::PlaceUndone)
    }
}

/// Point of the specification, where the program dies, and at what.
type Death = (&'static str, &'static str, Errand);

const BUYING: [Death; 19] = [
    ("BUY-1", "before:buy_number", Errand::Buy),
    ("BUY-2", "writing:buy_number", Errand::Buy),
    ("BUY-2", "written:buy_number", Errand::Buy),
    ("BUY-3", "stored:buy_number", Errand::Buy),
    ("BUY-5", "before:number_bought", Errand::Buy),
    ("BUY-6", "answered:buy_number", Errand::Buy),
    ("BUY-6", "before:in_doubt", Errand::BuyLost),
    ("BUY-6", "written:in_doubt", Errand::BuyLost),
    ("BUY-7", "writing:number_bought", Errand::Buy),
    ("BUY-7", "written:number_bought", Errand::Buy),
    ("BUY-8", "stored:number_bought", Errand::Buy),
    ("BUY-9", "answering:\"order_id\"", Errand::Buy),
    ("BUY-11", "before:linked", Errand::BuyLost),
    ("BUY-12", "writing:linked", Errand::BuyLost),
    ("BUY-12", "written:linked", Errand::BuyLost),
    ("RCV-1", "before:message", Errand::Buy),
    ("RCV-2", "writing:message", Errand::Buy),
    ("RCV-2", "written:message", Errand::Buy),
    ("RCV-3", "stored:message", Errand::Buy),
];

const PLACING: [Death; 21] = [
    ("SMM-1", "before:place_order", Errand::Place),
    ("SMM-2", "writing:place_order", Errand::Place),
    ("SMM-2", "written:place_order", Errand::Place),
    ("SMM-3", "stored:place_order", Errand::Place),
    ("SMM-5", "before:order_accepted", Errand::Place),
    ("SMM-6", "answered:place_order", Errand::Place),
    ("SMM-6", "before:in_doubt", Errand::PlaceLost),
    ("SMM-6", "written:in_doubt", Errand::PlaceLost),
    ("SMM-7", "writing:order_accepted", Errand::Place),
    ("SMM-7", "written:order_accepted", Errand::Place),
    ("SMM-8", "stored:order_accepted", Errand::Place),
    ("SMM-9", "answering:\"order_id\"", Errand::Place),
    ("SMM-11", "before:smm_linked", Errand::PlaceLost),
    ("SMM-12", "written:smm_linked", Errand::PlaceLost),
    ("REF-1", "before:smm_status", Errand::Place),
    ("REF-2", "written:smm_status", Errand::Place),
    ("REF-3", "writing:smm_status#4", Errand::Place),
    ("REF-3", "written:smm_status#4", Errand::Place),
    ("SMM-12", "stored:smm_linked", Errand::PlaceUndone),
    ("SMM-12", "before:request_answered", Errand::PlaceUndone),
    ("SMM-12", "written:request_answered", Errand::PlaceUndone),
];

const UNDOING: [Death; 14] = [
    ("CAN-1", "before:ask_cancel", Errand::Cancel),
    ("CAN-2", "stored:ask_cancel", Errand::Cancel),
    ("CAN-3", "before:closed", Errand::Cancel),
    ("CAN-4", "writing:closed", Errand::Cancel),
    ("CAN-5", "written:closed", Errand::Cancel),
    ("CAN-5", "stored:closed", Errand::Cancel),
    ("BUY-12", "stored:linked", Errand::BuyUndone),
    ("BUY-12", "before:claim_cancel_step", Errand::BuyUndone),
    ("BUY-12", "stored:claim_cancel_step", Errand::BuyUndone),
    ("CAN-9", "before:cancel_too_early", Errand::BuyUndone),
    ("CAN-9", "writing:cancel_too_early", Errand::BuyUndone),
    ("CAN-9", "stored:cancel_too_early", Errand::BuyUndone),
    ("BUY-12", "before:closed", Errand::BuyUndone),
    ("BUY-12", "written:closed", Errand::BuyUndone),
];

/// A number and an SMM order that no order of ours explains, each found and settled. It takes half a
/// minute until one counts as nobody's, and what was found stays found.
const ORPHANS: [Death; 4] = [
    ("BUY-14", "written:orphan_found", Errand::Wait),
    ("BUY-14", "before:orphan", Errand::Wait),
    ("BUY-14", "writing:orphan", Errand::Wait),
    ("BUY-14", "written:orphan", Errand::Wait),
];

/// Panels that say later that they delivered less than they had said: of a Partial order, and of one
/// that was complete.
const CORRECTING: [&[Death]; 2] = [
    &[
        ("REF-11", "before:smm_adjusted", Errand::Wait),
        ("REF-11", "writing:smm_adjusted", Errand::Wait),
        ("REF-11", "written:smm_adjusted", Errand::Wait),
        ("REF-11", "stored:smm_adjusted", Errand::Wait),
    ],
    &[
        ("REF-12", "before:smm_adjusted", Errand::Wait),
        ("REF-12", "writing:smm_adjusted", Errand::Wait),
        ("REF-12", "written:smm_adjusted", Errand::Wait),
        ("REF-12", "stored:smm_adjusted", Errand::Wait),
    ],
];
/// Units of each order that its panel corrects, and how many of them remain in the end.
const CORRECTED: (i64, i64) = (50, 30);

/// The program that can die: built once by whoever needs it first, next to the one under test and
/// with its dependencies.
pub fn mortal_program() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build_mortal_program).clone()
}

fn build_mortal_program() -> PathBuf {
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
    deaths: &'static [Death],
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
    /// Numbers that were asked for without a key.
    undone: usize,
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
            Errand::Buy | Errand::Wait => (BUY, self.plain.clone()),
            Errand::BuyLost | Errand::BuyUndone => (BUY, self.lost.clone()),
            Errand::Place => (PLACE, smm("")),
            Errand::PlaceLost => (PLACE, smm("?sandbox=lost")),
            Errand::PlaceUndone => (PLACE, smm("keyless?sandbox=lost")),
            Errand::Cancel => {
                let order = self.cancellable.pop().unwrap();
                (CANCEL, json!({ "order_id": order }))
            }
        }
    }

    /// Starts again, and dies at the point on the errand.
    async fn survive(&mut self, number: usize) {
        let (point, place, errand) = self.deaths[number];
        let key = format!("death{number}");
        let (path, body) = self.request(errand, &key);
        let mut mortal = self.start(&self.mortal, place);
        let started = Instant::now();
        // it may die before it is asked, even before it is up: older orders come by the same place
        let (mut up, mut answered) = (None, errand == Errand::Wait);
        let mut told_at = Instant::now();
        let ended = loop {
            if let Some(ended) = mortal.0.try_wait().unwrap() {
                break ended;
            }
            let late = started.elapsed() > REACHED_WITHIN;
            assert!(!late, "{point} {place} is not reached");
            if up.is_none() && self.is_up().await {
                up = Some(started.elapsed());
            }
            // what is undone so slowly that its number can be cancelled already does not come by
            let again = errand == Errand::BuyUndone && told_at.elapsed() > ASK_AGAIN;
            if up.is_some() && (!answered || again) {
                answered = self.ask(errand, (path, &body), &key).await;
                self.undone += usize::from(errand == Errand::BuyUndone);
                told_at = Instant::now();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert_eq!(ended.signal(), Some(SIGABRT), "{point} {place}: {ended}");
        self.slowest = self.slowest.max(up.unwrap_or_default());
        if errand != Errand::Wait && !errand.is_keyless() {
            self.sent.push((errand, key, path, body));
        }
    }

    async fn is_up(&self) -> bool {
        let answer = self.client.try_get("/readyz").await;
        answer.is_some_and(|answer| answer.status == 200)
    }

    /// Asks once; says whether there was an answer. Without a key nothing may be asked twice once
    /// it was taken.
    async fn ask(&self, errand: Errand, (path, body): (&str, &Value), key: &str) -> bool {
        if !errand.is_keyless() {
            let answer = self.client.try_post_keyed(path, body, key).await;
            return self.heard(errand, key, answer);
        }
        let Some(answer) = self.client.try_post(path, body).await else {
            return false;
        };
        let verdict = answer.verdict();
        assert!(verdict.starts_with("503 "), "{verdict}: its answer is lost");
        verdict == "503 purchase_outcome_unknown"
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

    /// Takes an answer down; says whether it was the last: not "pending", not "still running", not
    /// "nothing on sale yet".
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
        answer.status != 202
    }
}

/// A service of romeo by name, as a purchase asks for it.
pub async fn wanted(client: &Client, name: &str) -> Value {
    let query = "services&server=romeo&country_id=13";
    let asked = Instant::now();
    let listed = loop {
        let answer = client.otp(query).await;
        // ready may be said before this provider has listed what it sells
        if answer.status == 200 || asked.elapsed() > REACHED_WITHIN {
            break answer.data()["services"].clone();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let fits = |row: &&Value| match name {
        "" => !row["name"].as_str().unwrap().starts_with("Sandbox"),
        name => row["name"] == name,
    };
    let service = listed.as_array().unwrap().iter().find(fits).unwrap();
    json!({ "service_id": service["service_id"], "country_id": "13", "server": "romeo" })
}

async fn patient(practice: &str, deaths: &'static [Death]) -> Patient {
    let (dir, port) = (Scratch::new(), free_address().port());
    let base = format!("http://127.0.0.1:{port}");
    let _first = start_with(Command::new(PROGRAM), &dir, port, practice);
    ready(&Client::new(&base, "")).await;
    while !dir.path().join("demo.json").exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let client = rich_client(&dir, &base);
    let mut patient = Patient {
        deaths,
        mortal: mortal_program(),
        port,
        practice: practice.to_owned(),
        told: Told::default(),
        never: wanted(&client, "Sandbox: never a code").await,
        lost: wanted(&client, "Sandbox: answer lost after the sale").await,
        plain: wanted(&client, "").await,
        cancellable: Vec::new(),
        sent: Vec::new(),
        undone: 0,
        slowest: Duration::ZERO,
        client,
        dir,
    };
    for (number, (_, _, errand)) in deaths.iter().enumerate() {
        if *errand == Errand::Cancel {
            let body = patient.never.clone();
            let key = format!("old{number}");
            let bought = patient.client.post_keyed(BUY, body, &key).await;
            note(&patient.told, &key, &bought);
            patient.cancellable.push(bought.data()["order_id"].clone());
        }
    }
    match deaths[0].0 {
        "BUY-14" => patient.plant_orphans().await,
        "REF-11" => patient.place_corrected("more").await,
        "REF-12" => patient.place_corrected("late").await,
        _ => tokio::time::sleep(patient.until_cancellable()).await,
    }
    patient
}

impl Patient {
    fn until_cancellable(&self) -> Duration {
        match self.cancellable.is_empty() {
            true => Duration::ZERO,
            false => CANCELLABLE,
        }
    }

    /// After a purchase of ours at each, a number and an order that the provider made by itself.
    async fn plant_orphans(&self) {
        let number = self.client.post_keyed(BUY, self.plain.clone(), "n").await;
        note(&self.told, "n", &number);
        let link = |name: &str| format!("https://instagram.com/{name}");
        let order = json!({ "service_id": "1", "link": link("ours"), "quantity": 50 });
        let order = self.client.post_keyed(PLACE, order, "o").await;
        note(&self.told, "o", &order);
        let provider = Client::new(&self.practice, "");
        let service = self.plain["service_id"].as_str().unwrap();
        let query = format!("action=getNumber&service={service}&country=13");
        let path = format!("/romeo/stubs/handler_api.php?api_key=sandbox-romeo-key&{query}");
        let made = provider.get(&path).await;
        assert!(made.text.starts_with("ACCESS_NUMBER"), "{}", made.text);
        let add = json!({ "key": "sandbox-panel-key", "action": "add", "service": "1",
            "quantity": "50", "link": link("keyless") });
        let made = provider.post("/panel/api/v2", add).await;
        assert!(made.json()["order"].is_number(), "{}", made.text);
    }

    /// Two orders that are paid out, and whose panel says later how many units remain after all.
    async fn place_corrected(&self, story: &str) {
        let (quantity, remains) = CORRECTED;
        for key in ["one", "two"] {
            let link = format!("https://instagram.com/{key}?sandbox={story}:{remains}");
            let order = json!({ "service_id": "1", "link": link, "quantity": quantity });
            let placed = self.client.post_keyed(PLACE, order, key).await;
            assert_eq!(placed.status, 200, "{}", placed.text);
            note(&self.told, key, &placed);
        }
        settle(&self.client).await;
    }

    /// The share of what remained in the end went back of each corrected order, and no more.
    async fn corrections_are_made(&self) {
        let (quantity, remains) = CORRECTED;
        let is_made = |order: &Value| {
            let (paid, back) = (micros(&order["charged"]), micros(&order["refunded"]));
            !order["link"].as_str().unwrap().contains(":30") || back * quantity == paid * remains
        };
        let asked = Instant::now();
        loop {
            let orders = all_orders(&self.client, "smm").await;
            if orders.iter().all(is_made) {
                return;
            }
            assert!(asked.elapsed() < REACHED_WITHIN, "{orders:?}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Dies at all its points, then lives on until everything is final and every book is right.
    async fn live(mut self) {
        for number in 0..self.deaths.len() {
            self.survive(number).await;
        }
        let _healthy = self.start(Path::new(PROGRAM), "");
        ready(&self.client).await;
        for number in 0..self.sent.len() {
            self.last_word(number).await;
        }
        settle(&self.client).await;
        self.corrections_are_made().await;
        let cli = |words: &[&str]| World::command(self.dir.path(), words);
        // what was undone for a client without a key stands in no list that is waited for
        let quiet = Instant::now();
        while cli(&["ledger", "verify"])["open_holds"] != 0 && quiet.elapsed() < REACHED_WITHIN {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let unlisted = self.undone + usize::from(self.deaths == ORPHANS);
        check_beside(&self.client, &self.practice, &self.told, unlisted).await;
        assert!(self.cancellable.is_empty());
        let is_cancel = |death: &&Death| death.2 == Errand::Cancel;
        let asked = self.deaths.iter().filter(is_cancel).count();
        let numbers = all_orders(&self.client, "otp").await;
        let cancelled = |order: &&Value| order["status"] == "cancelled";
        assert!(numbers.iter().filter(cancelled).count() >= asked);
        let report = cli(&["ledger", "verify"]);
        assert_eq!(
            (&report["ok"], &report["open_holds"]),
            (&json!(true), &json!(0)),
            "{report}"
        );
        println!(
            "{} deaths, slowest start {:?}",
            self.deaths.len(),
            self.slowest
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_at_each_named_point_loses_and_doubles_nothing() {
    // before anything runs that would wait for it
    mortal_program();
    let starting = &Semaphore::new(STARTED_AT_ONCE);
    let [partial, complete] = CORRECTING;
    let groups: [&[Death]; 6] = [&BUYING, &PLACING, &UNDOING, &ORPHANS, partial, complete];
    let lives = groups.map(|deaths| async move {
        let (_practice, practice) = sandbox();
        let place = starting.acquire().await;
        let patient = patient(&practice, deaths).await;
        drop(place);
        patient.live().await;
    });
    let [buying, placing, undoing, orphans, partial, complete] = lives;
    tokio::join!(buying, placing, undoing, orphans, partial, complete);
}
