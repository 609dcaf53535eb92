//! A whole gateway in memory: the real router, engine and store over scripted upstreams.

mod damaged;
mod outside;
mod settings;

pub(super) use outside::HandClock;
pub(super) use settings::generous;

use damaged::Damaged;
use outside::{Drawer, Tracked, stock};
use settings::settings;

use super::payments::FakeProcessor;
use super::upstreams::{Numbers, Panel};
use crate::{Door, DoorSettings, Streams, router};
use app::api_key::{Environment, Pepper};
use app::limits::Limits;
use app::people::{People, PeopleSettings};
use app::{
    AuditLog, Desk, Engine, KeyOrder, Lawful, Outside, RedeemCodes, Settings, UpstreamLimits,
};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request};
use domain::access::{Account, ApiKey};
use domain::catalogue::ServerRoute;
use domain::change::{Change, Write};
use domain::ids::{AccountId, KeyId};
use domain::ledger::Wallet;
use domain::ports::{Clock, Page, Store};
use domain::time::{Millis, Timestamp};
use domain::upstream::{NumberUpstream, Sms};
use domain::usd::Usd;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64};
use store::{Database, Vault};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// When every world begins.
pub(super) const NOW: Timestamp = Timestamp(1_769_860_800_000);

/// Whose numbers are sold.
const UPSTREAMS: [&str; 4] = ["peter", "paul", "andrew", "mark"];

/// The gateway, one account with money and one key.
pub(super) struct World {
    pub router: Router,
    pub door: Arc<Door>,
    pub store: Arc<Database>,
    /// The same as the engine has it.
    pub damaged: Arc<Damaged>,
    pub clock: Arc<HandClock>,
    pub numbers: Arc<Numbers>,
    pub panel: Arc<Panel>,
    pub account: AccountId,
    pub key: String,
    pub tasks: TaskTracker,
    pub payments: Arc<FakeProcessor>,
}

/// Everything that a refused request must leave alone.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Books {
    pub wallet: Wallet,
    pub entries: u64,
    pub open_holds: u64,
    pub orders: usize,
}

/// An answer, read whole.
pub(super) struct Answered {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn data(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["data"].clone()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Use cases about people; mails stay to be read where it is a demo.
fn people(
    engine: &Arc<Engine>,
    store: &Arc<Database>,
    (limits, pepper): (&Arc<Limits>, &Pepper),
    keeps_mails: bool,
) -> People {
    let settings = PeopleSettings {
        base_url: "http://127.0.0.1:8080".to_owned(),
        console_url: "http://127.0.0.1:8080".to_owned(),
        sign_up_tier: 0,
        mails: true,
        keeps_mails,
    };
    let (engine, limits) = (Arc::clone(engine), Arc::clone(limits));
    People::new(
        engine,
        Arc::clone(store) as _,
        limits,
        pepper.clone(),
        settings,
    )
}

fn outside_of(
    (store, clock, tasks): (&Arc<Damaged>, &Arc<HandClock>, &TaskTracker),
    numbers: &Arc<Numbers>,
    panel: &Arc<Panel>,
) -> Outside {
    let upstreams =
        UPSTREAMS.map(|name| (name.to_owned(), numbers.of(name) as Arc<dyn NumberUpstream>));
    Outside {
        store: Arc::clone(store) as _,
        clock: Arc::clone(clock) as _,
        tasks: Arc::new(Tracked(tasks.clone())),
        numbers: upstreams.into(),
        panels: vec![("panel".to_owned(), Arc::clone(panel) as _)],
        archive: None,
    }
}

fn redeem(
    engine: &Arc<Engine>,
    store: &Arc<Database>,
    (limits, pepper): (&Arc<Limits>, &Pepper),
) -> RedeemCodes {
    let rows = Arc::clone(store) as _;
    RedeemCodes::new(Arc::clone(engine), rows, Arc::clone(limits), pepper.clone())
}

impl World {
    /// What is due of SMM orders, at every panel.
    pub async fn run_smm_orders(&self) {
        let engine = &self.door.engine;
        for at in engine.panel_places() {
            engine.run_due_smm_orders(&at).await;
        }
    }

    /// What is due of cancels and refills, at every panel.
    pub async fn run_smm_requests(&self) {
        let engine = &self.door.engine;
        for at in engine.panel_places() {
            engine.run_due_smm_requests(&at).await;
        }
    }

    pub async fn start() -> Self {
        Self::with(generous()).await
    }

    pub async fn with(door_settings: DoorSettings) -> Self {
        Self::of(door_settings, settings(), true).await
    }

    /// A world that is no demo: its mails do not stay to be read.
    pub async fn that_sends_mail() -> Self {
        Self::of(generous(), settings(), false).await
    }

    /// A world in which `mark` stands behind the first route of `peter` as well, and the operator
    /// limits what is bought at `peter`.
    pub async fn with_two_upstreams(limits: UpstreamLimits) -> Self {
        let mut settings = settings();
        let mark = ServerRoute {
            provider_type: 1,
            upstream: "mark".to_owned(),
        };
        settings.servers[0].routes.push(mark);
        let plan = settings.activations[&("peter".to_owned(), "peter".to_owned())];
        let place = ("peter".to_owned(), "mark".to_owned());
        settings.activations.insert(place, plan);
        settings.upstreams.insert("peter".to_owned(), limits);
        Self::of(generous(), settings, true).await
    }

    /// A world that limits what is bought at one upstream.
    pub async fn limiting(upstream: &str, limits: UpstreamLimits) -> Self {
        let mut settings = settings();
        settings.upstreams.insert(upstream.to_owned(), limits);
        Self::of(generous(), settings, true).await
    }

    /// A world whose codes are sealed, and forgotten with the keys of this vault.
    pub async fn sealed_by(vault: Arc<Vault>) -> Self {
        let store = Database::in_memory().unwrap().with_vault(vault);
        Self::over(store, generous(), settings(), true).await
    }

    async fn of(door_settings: DoorSettings, settings: Settings, keeps_mails: bool) -> Self {
        let store = Database::in_memory().unwrap();
        Self::over(store, door_settings, settings, keeps_mails).await
    }

    async fn over(
        store: Database,
        door_settings: DoorSettings,
        settings: Settings,
        keeps_mails: bool,
    ) -> Self {
        let store = Arc::new(store);
        let clock = Arc::new(HandClock(AtomicI64::new(NOW.0)));
        let (numbers, panel) = (Arc::new(Numbers::default()), Arc::new(Panel::default()));
        let tasks = TaskTracker::new();
        let damaged = Arc::new(Damaged::not_yet(&store));
        let outside = outside_of((&damaged, &clock, &tasks), &numbers, &panel);
        let engine = Engine::new(outside, settings);
        for name in UPSTREAMS.into_iter().chain(["panel"]) {
            engine.refresh_upstream(name).await.outcome.unwrap();
        }
        let pepper = Pepper::new(&[7; 32]).unwrap();
        let limits = Arc::new(Limits::new(1_000));
        let people = people(&engine, &store, (&limits, &pepper), keeps_mails);
        let lawful = Lawful::new(Arc::clone(&engine), Arc::clone(&store) as _);
        let redeem = redeem(&engine, &store, (&limits, &pepper));
        let (of, rows) = (Arc::clone(&engine), Arc::clone(&store) as _);
        let audit = AuditLog::new(of, rows, Arc::new(Drawer::default()));
        let desk = Desk::new(
            Arc::clone(&engine),
            Arc::clone(&store) as _,
            Usd(100_000_000),
        );
        let log = app::ApiLog::new(Arc::clone(&engine), Arc::clone(&store) as _);
        let stock = stock(&engine, &numbers);
        let (payments, top_ups) = super::payments::top_ups(&engine, &store, &limits);
        let door = Arc::new(Door {
            log: Arc::new(log),
            audit: Arc::new(audit),
            desk: Arc::new(desk),
            stock: Arc::new(stock),
            engine,
            top_ups,
            redeem: Arc::new(redeem),
            lawful: Arc::new(lawful),
            people: Arc::new(people),
            pages: Arc::clone(&store) as _,
            streams: Streams::default(),
            environment: Environment::Demo,
            limits,
            pepper,
            lists: Arc::default(),
            settings: door_settings,
            ready: AtomicBool::new(true),
        });
        let mut world = Self {
            payments,
            router: router(Arc::clone(&door)),
            door,
            store,
            damaged,
            clock,
            numbers,
            panel,
            account: AccountId(0),
            key: String::new(),
            tasks,
        };
        (world.account, world.key) = world.new_account("ana@example.com").await;
        world.credit("50").await;
        world
    }

    /// The same gateway as it starts anew, before anything was asked of it.
    pub fn started_anew(&self) -> (Lawful, AuditLog) {
        let beside = (&self.damaged, &self.clock, &self.tasks);
        let outside = outside_of(beside, &self.numbers, &self.panel);
        let engine = Engine::new(outside, settings());
        let lawful = Lawful::new(Arc::clone(&engine), Arc::clone(&self.store) as _);
        let rows = Arc::clone(&self.store) as _;
        let audit = AuditLog::new(engine, rows, Arc::new(Drawer::default()));
        (lawful, audit)
    }

    /// Another account with access and a key.
    pub async fn new_account(&self, email: &str) -> (AccountId, String) {
        let engine = &self.door.engine;
        let account = engine.create_account(email, 3, None).await.unwrap();
        let key = self.new_key(account, KeyOrder::default()).await;
        (account, key)
    }

    pub async fn new_key(&self, account: AccountId, order: KeyOrder) -> String {
        let order = KeyOrder {
            name: "test".to_owned(),
            ..order
        };
        let making = (Environment::Live, &self.door.pepper);
        let issued = self.door.engine.issue_key(account, order, making).await;
        issued.unwrap().text
    }

    /// A key whose row is changed before it is ever stored.
    pub async fn odd_key(&self, account: AccountId, change: impl FnOnce(&mut ApiKey)) -> String {
        let random = app::api_key::fresh_random().unwrap();
        let fresh = app::api_key::generate(Environment::Live, &random);
        let mut key = ApiKey {
            id: KeyId(self.store.next_row_id()),
            account,
            public_id: fresh.public_id().to_owned(),
            mac: fresh.mac(&self.door.pepper),
            name: "odd".to_owned(),
            last4: fresh.last4().to_owned(),
            scopes: Vec::new(),
            rate_limit: None,
            allowed_addresses: Vec::new(),
            created_at: self.clock.now(),
            expires_at: None,
            disabled: false,
            revoked: false,
        };
        change(&mut key);
        self.write(Write::InsertKey(Box::new(key))).await;
        fresh.reveal().to_owned()
    }

    pub async fn change_account(&self, change: impl FnOnce(&mut Account)) {
        let found = self.store.account(self.account).await.unwrap();
        let mut account = found.unwrap();
        change(&mut account);
        self.write(Write::UpdateAccount(Box::new(account))).await;
    }

    async fn write(&self, write: Write) {
        let change = Change::new("test", self.clock.now(), vec![write]);
        self.store.commit(change).await.unwrap();
    }

    pub async fn credit(&self, amount: &str) {
        let amount = Usd::parse(amount).unwrap();
        let credit = self.door.engine.credit_wallet(self.account, amount, "test");
        credit.await.unwrap();
    }

    /// Sends a request as it is, from 127.0.0.1.
    pub async fn send(&self, request: Request<Body>) -> Answered {
        self.send_from("127.0.0.1:4000", request).await
    }

    pub async fn send_from(&self, peer: &str, mut request: Request<Body>) -> Answered {
        let peer: SocketAddr = peer.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answered {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    pub async fn get(&self, target: &str) -> Answered {
        self.send(self.request("GET", target, &[], "")).await
    }

    /// A write with a JSON body and further headers.
    pub async fn post(&self, target: &str, headers: &[(&str, &str)], body: &str) -> Answered {
        let json = [&[("content-type", "application/json")], headers].concat();
        self.send(self.request("POST", target, &json, body)).await
    }

    /// A request with the world's key, unless the headers bring one.
    pub fn request(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(target);
        if !headers.iter().any(|(name, _)| *name == "x-api-key") {
            request = request.header("x-api-key", &self.key);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_empty() {
            request = request.header("content-length", body.len());
        }
        request.body(Body::from(body.to_owned())).unwrap()
    }

    pub async fn wallet(&self) -> Wallet {
        self.store.wallet(self.account).await.unwrap().unwrap()
    }

    pub async fn books(&self) -> Books {
        let audit = self.store.audit(self.clock.now()).await.unwrap();
        assert_eq!(audit.violations, []);
        let page = Page {
            limit: 100,
            before: None,
            since: None,
            states: Vec::new(),
            progress: Vec::new(),
        };
        let activations = self.store.activations(self.account, &page).await.unwrap();
        let smm_orders = self.store.smm_orders(self.account, &page).await.unwrap();
        Books {
            wallet: self.wallet().await,
            entries: audit.entries,
            open_holds: audit.open_holds,
            orders: activations.len() + smm_orders.len(),
        }
    }

    /// A message arrives for an order at peter, and is seen.
    pub async fn receive(&self, order: &str, code: &str) {
        // a number counts as shown once its owner has asked for it
        let shown = self
            .get(&format!("/api/v1/otp?action=get_status&order_id={order}"))
            .await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        *self.numbers.message.lock().unwrap() = Some(Sms {
            code: code.to_owned(),
            text: None,
        });
        self.clock.advance(Millis::seconds(5));
        self.door.engine.poll_upstream("peter").await;
        *self.numbers.message.lock().unwrap() = None;
    }

    /// Buys a Discord number at peter and gives its order id.
    pub async fn buy(&self) -> String {
        let answer = self.post(BUY, &[], DISCORD).await;
        answer.data()["order_id"].as_str().unwrap().to_owned()
    }
}

pub(super) const BUY: &str = "/api/v1/otp?action=buy_number";
pub(super) const CANCEL: &str = "/api/v1/otp?action=cancel";
pub(super) const PLACE: &str = "/api/v1/smm?action=place_order";
pub(super) const DISCORD: &str = r#"{"service_id":"306343","country_id":"61"}"#;
