//! Who is examined: every adapter, each before the practice provider that speaks its protocol.

use super::gate::Gate;
use domain::own_number::{Carrier, InboundSms, NewNumber, PoolWrite};
use domain::phone::Phone;
use domain::ports::{Clock, Store};
use domain::time::{Millis, Timestamp};
use domain::upstream::{NumberUpstream, Pending};
use domain::usd::Usd;
use sandbox::{Running, Sandbox, misbehaving_services};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use store::Database;
use upstream::{
    Account, Dialect, FiveSim, FiveSimSettings, HandlerApi, HandlerApiSettings, OwnNumbers,
    OwnNumbersSettings, Panel, PanelSettings, SmsPool, SmsPoolSettings,
};

/// When everything begins, in unix milliseconds.
const BEGIN_MS: i64 = 1_780_000_000_000;

/// A clock that stands until it is moved.
pub struct HandClock(AtomicI64);

impl HandClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(BEGIN_MS)))
    }

    pub fn pass(&self, span: Millis) {
        self.0.fetch_add(span.0, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    fn sleep(&self, _: Millis) -> Pending<'static, ()> {
        Box::pin(async {})
    }
}

/// What an adapter of numbers speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    HandlerApi(Dialect),
    /// A provider that recognises a purchase which is sent again.
    Repeating,
    FiveSim,
    SmsPool,
}

/// Every tongue with the practice account that speaks it.
pub const TONGUES: [(&str, Tongue); 9] = [
    ("romeo", Tongue::HandlerApi(Dialect::Classic)),
    ("paul", Tongue::Repeating),
    ("juliet", Tongue::HandlerApi(Dialect::Hero)),
    ("peter2", Tongue::HandlerApi(Dialect::SmsBower)),
    ("mark", Tongue::HandlerApi(Dialect::Grizzly)),
    ("peter1", Tongue::HandlerApi(Dialect::DaisySms)),
    ("luke", Tongue::HandlerApi(Dialect::SmsHub)),
    ("john", Tongue::FiveSim),
    ("andrew", Tongue::SmsPool),
];

/// The practice account of that name.
pub fn practice_account(name: &str) -> &'static sandbox::Account {
    let found = sandbox::accounts().iter().find(|one| one.name == name);
    found.unwrap()
}

/// An adapter for a provider at this address. `timeout_ms` is what it waits for an answer.
pub fn adapter(
    name: &str,
    tongue: Tongue,
    origin: &str,
    key: &str,
    timeout_ms: u64,
) -> Arc<dyn NumberUpstream> {
    // taken by whoever was first
    let _ = rustls::crypto::ring::default_provider().install_default();
    let practice = practice_account(name);
    let account = Account {
        timeout_ms,
        ..Account::new(name, &format!("{origin}{}", practice.path), key)
    };
    let min_cancel_age = Millis::seconds(practice.min_cancel_age_s.into());
    match tongue {
        Tongue::HandlerApi(dialect) => {
            let mut settings = HandlerApiSettings::new(dialect, account);
            settings.capabilities.min_cancel_age = min_cancel_age;
            Arc::new(HandlerApi::new(settings).unwrap())
        }
        Tongue::Repeating => {
            let mut settings = HandlerApiSettings::new(Dialect::Classic, account);
            settings.capabilities.min_cancel_age = min_cancel_age;
            settings.capabilities.idempotency_key = true;
            Arc::new(HandlerApi::new(settings).unwrap())
        }
        Tongue::FiveSim => {
            let mut settings = FiveSimSettings::new(account);
            settings.listing_pause_ms = 0;
            settings.capabilities.min_cancel_age = min_cancel_age;
            Arc::new(FiveSim::new(settings).unwrap())
        }
        Tongue::SmsPool => {
            let mut settings = SmsPoolSettings::new(account);
            settings.capabilities.min_cancel_age = min_cancel_age;
            Arc::new(SmsPool::new(settings).unwrap())
        }
    }
}

/// An adapter for the practice panel at this address, which lists its orders.
pub fn panel_adapter(origin: &str, key: &str, timeout_ms: u64) -> Panel {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let practice = practice_account("panel");
    let account = Account {
        timeout_ms,
        ..Account::new("panel", &format!("{origin}{}", practice.path), key)
    };
    let mut settings = PanelSettings::new(account);
    settings.lists_orders = true;
    settings.capabilities.list_active = true;
    Panel::new(settings).unwrap()
}

/// One adapter with everything that a promise needs to be put to the test.
pub struct Party {
    pub name: String,
    pub upstream: Arc<dyn NumberUpstream>,
    pub clock: Arc<HandClock>,
    outside: Outside,
}

/// Where the numbers come from.
enum Outside {
    Provider(Box<Provider>),
    OwnNumbers(Arc<Database>),
}

struct Provider {
    tongue: Tongue,
    gate: Gate,
    practice: Practice,
}

/// The practice providers on a clock of the test's.
pub struct Practice {
    running: Running,
}

impl Practice {
    pub async fn open(clock: &Arc<HandClock>) -> Self {
        let settings = sandbox::Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            state_file: None,
            seed: 1,
            offers: 0,
        };
        let hands = Arc::clone(clock);
        let time: sandbox::Clock = Arc::new(move || hands.now().0);
        let running = Sandbox::start_with_clock(settings, time).await.unwrap();
        Self { running }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.addr
    }

    pub async fn post(&self, path: &str, body: &str) {
        let url = format!("http://{}{path}", self.running.addr);
        let sent = reqwest::Client::new()
            .post(url)
            .body(body.to_owned())
            .send();
        assert_eq!(sent.await.unwrap().status(), 200);
    }

    /// How many things were sold so far.
    pub async fn sold(&self) -> usize {
        let url = format!("http://{}/_sandbox/orders", self.running.addr);
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        let all: serde_json::Value = serde_json::from_str(&text).unwrap();
        all["orders"].as_array().unwrap().len()
    }
}

/// Long enough for any answer that is on its way.
pub const PATIENT_MS: u64 = 20_000;

impl Party {
    /// Everybody, each in a world of its own.
    pub async fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for (name, tongue) in TONGUES {
            all.push(Self::before_provider(name, tongue).await);
        }
        all.push(Self::own_numbers().await);
        all
    }

    async fn before_provider(name: &str, tongue: Tongue) -> Self {
        let clock = HandClock::new();
        let practice = Practice::open(&clock).await;
        let gate = Gate::before(practice.address());
        let key = practice_account(name).key;
        Self {
            name: format!("{name} ({tongue:?})"),
            upstream: adapter(name, tongue, &gate.url(), key, PATIENT_MS),
            clock,
            outside: Outside::Provider(Box::new(Provider {
                tongue,
                gate,
                practice,
            })),
        }
    }

    async fn own_numbers() -> Self {
        let clock = HandClock::new();
        let store = Arc::new(Database::in_memory().unwrap());
        let settings = OwnNumbersSettings {
            name: "own".to_owned(),
            services: vec![("tg".to_owned(), "Telegram".to_owned())],
            cost: Usd(100_000),
            costs: vec![],
            cooling_off: Millis::minutes(15),
            sell_again: false,
            capabilities: OwnNumbersSettings::capabilities(),
        };
        let pool = OwnNumbers::new(
            settings,
            Arc::clone(&store) as _,
            Arc::clone(&store) as _,
            Arc::clone(&clock) as _,
        );
        let party = Self {
            name: "own numbers".to_owned(),
            upstream: Arc::new(pool),
            clock,
            outside: Outside::OwnNumbers(Arc::clone(&store)),
        };
        for last in 10..20 {
            let number = NewNumber::read("own", &format!("+141555501{last}"), "US").unwrap();
            party.commit(&store, PoolWrite::Add(Box::new(number))).await;
        }
        party
    }

    async fn commit(&self, store: &Arc<Database>, write: PoolWrite) {
        let now = self.clock.now();
        let change =
            domain::change::Change::new("test", now, vec![domain::change::Write::Pool(write)]);
        store.commit(change).await.unwrap();
    }

    /// Lets the code come for the number.
    pub async fn code_comes(&self, phone: &Phone) {
        self.clock.pass(Millis::seconds(5));
        if let Outside::OwnNumbers(store) = &self.outside {
            let sms = InboundSms {
                carrier: Carrier::Twilio,
                message_id: format!("m{phone}"),
                event_id: None,
                from: "+14155550100".to_owned(),
                to: phone.digits().to_owned(),
                text: "Your code is 415127".to_owned(),
                received_at: self.clock.now(),
            };
            self.commit(store, PoolWrite::Receive(Box::new(sms))).await;
        }
    }

    /// The gate, where there is an outside.
    pub fn gate(&self) -> Option<&Gate> {
        match &self.outside {
            Outside::Provider(provider) => Some(&provider.gate),
            Outside::OwnNumbers(_) => None,
        }
    }

    /// The practice providers, where there is an outside.
    pub fn practice(&self) -> Option<&Practice> {
        match &self.outside {
            Outside::Provider(provider) => Some(&provider.practice),
            Outside::OwnNumbers(_) => None,
        }
    }

    /// The account's name there.
    fn account(&self) -> &str {
        self.name.split(' ').next().unwrap()
    }

    /// The same account, asked with a key that it does not have.
    pub fn with_wrong_key(&self) -> Option<Arc<dyn NumberUpstream>> {
        let Outside::Provider(provider) = &self.outside else {
            return None;
        };
        let url = provider.gate.url();
        Some(adapter(
            self.account(),
            provider.tongue,
            &url,
            "not-the-key",
            PATIENT_MS,
        ))
    }

    /// The same adapter towards an address where nobody listens.
    pub fn at_nobody(&self) -> Option<Arc<dyn NumberUpstream>> {
        let Outside::Provider(provider) = &self.outside else {
            return None;
        };
        Some(adapter(
            self.account(),
            provider.tongue,
            "http://127.0.0.1:9",
            "key",
            PATIENT_MS,
        ))
    }

    /// Empties our balance there.
    pub async fn spend_everything(&self) {
        let Some(practice) = self.practice() else {
            return;
        };
        let body = format!(
            "{{\"upstream\":\"{}\",\"balance\":\"0.00\"}}",
            self.account()
        );
        practice.post("/_sandbox/balance", &body).await;
    }
}

/// Whether a service id is that of a service which misbehaves on purpose, and of which.
pub fn misbehaves(service: &str) -> Option<sandbox::Misbehaviour> {
    let found = misbehaving_services()
        .iter()
        .find(|one| one.code == service || one.numeric_id.to_string() == service);
    found.map(|one| one.behaviour)
}
