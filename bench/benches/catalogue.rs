//! A catalogue of a million offers from eight upstreams: memory, processor time of a refresh, and
//! what `services` and `countries` cost through the whole router, cold and from ready bytes.
//!
//! `cargo bench -p bench --bench catalogue`. It prints figures of its own: what matters here is the
//! 99th of a hundred requests, and memory.
#![expect(clippy::print_stdout, reason = "this is what its user reads")]

use app::api_key::{self, Environment, Pepper};
use app::{CatalogueSettings, Engine, Outside, Settings};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use bench::market::{COUNTRIES, Lister, UPSTREAMS, name, processor, servers, upstreams};
use domain::access::{Account, ApiKey};
use domain::change::{Change, Write};
use domain::ids::{AccountId, KeyId};
use domain::policy::Rules;
use domain::ports::{Clock, Store, Tasks};
use domain::time::{Millis, Timestamp};
use domain::upstream::Pending;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use store::Database;
use tower::ServiceExt;

const CACHED_REQUESTS: usize = 20_000;

/// A clock that is moved by hand, so that nothing ends by itself.
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
    fn sleep(&self, _: Millis) -> Pending<'static, ()> {
        Box::pin(std::future::pending())
    }
}

impl Tasks for Hand {
    fn spawn(&self, _: Pending<'static, ()>) {}
}

fn settings() -> Settings {
    Settings {
        default_server: name(0),
        servers: servers(),
        activations: HashMap::new(),
        smm: HashMap::new(),
        activation_poll: Millis::seconds(3),
        upstreams: HashMap::new(),
        routing: app::Routing::default(),
        sync_budget: Millis::seconds(25),
        price_grace: Millis::seconds(60),
        key_lifetime: Millis::minutes(60),
        orphan_after: Millis::seconds(40),
        reconcile_every: Millis::minutes(60),
        balance_steps: HashMap::new(),
        markups: Arc::default(),
        rules: Rules::demo(),
        velocity: domain::policy::velocity::Velocity::of_tiers(),
        catalogue: CatalogueSettings::default(),
    }
}

async fn furnish(store: &Database, pepper: &Pepper, now: Timestamp) -> String {
    let account = Account {
        id: AccountId(1),
        email: "bench@example.com".into(),
        tier: 3,
        api_access: true,
        suspended: false,
        created_at: now,
    };
    let key = api_key::generate(Environment::Demo, &[7; api_key::RANDOM_LEN]);
    let row = ApiKey {
        id: KeyId(1),
        account: account.id,
        public_id: key.public_id().to_owned(),
        mac: key.mac(pepper),
        name: "bench".into(),
        last4: key.last4().to_owned(),
        scopes: Vec::new(),
        rate_limit: Some(1_000_000_000),
        allowed_addresses: Vec::new(),
        created_at: now,
        expires_at: None,
        disabled: false,
        revoked: false,
    };
    let writes = vec![
        Write::InsertAccount(Box::new(account)),
        Write::InsertKey(Box::new(row)),
    ];
    let change = Change::new("furnish", now, writes);
    store.commit(change).await.expect("an account");
    key.reveal().to_owned()
}

/// Kilobytes of memory that the process holds.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    let words = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    words.unwrap_or(0)
}

async fn ask(router: &Router, key: &str, query: &str, coding: &str) -> (Duration, usize) {
    let request = Request::get(format!("/api/v1/otp?action={query}"))
        .header("X-API-Key", key)
        .header("Accept-Encoding", coding);
    let request = request.body(Body::empty()).expect("a request");
    let begun = Instant::now();
    let response = router.clone().oneshot(request).await.expect("an answer");
    assert_eq!(response.status(), 200);
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    (begun.elapsed(), body.expect("a body").len())
}

fn show(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!("{what}: median {:?}, p99 {:?}", at(50), at(99));
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let store = Arc::new(Database::in_memory().expect("a store"));
    let pepper = Pepper::new(&[1; 32]).expect("a pepper");
    let clock = Arc::new(Hand(AtomicI64::new(1_700_000_000_000)));
    let key = furnish(&store, &pepper, clock.now()).await;
    let listers: Vec<Arc<Lister>> = (0..UPSTREAMS).map(Lister::at).collect();
    let outside = Outside {
        store: Arc::clone(&store) as _,
        clock: clock.clone(),
        tasks: clock.clone(),
        numbers: upstreams(&listers),
        panels: Vec::new(),
        archive: None,
    };
    let engine = Engine::new(outside, settings());
    let empty_kb = resident_kb();
    for (round, surcharge) in [("first", 0), ("every cost changed", 100)] {
        let begun = processor();
        for (index, lister) in listers.iter().enumerate() {
            lister.now_costs_more_by(surcharge);
            let refreshed = engine.refresh_upstream(&name(index)).await;
            refreshed.outcome.expect("a listing");
        }
        let made: Duration = listers.iter().map(|one| one.took_to_list()).sum();
        let spent = (processor() - begun).saturating_sub(made);
        println!("full refresh, {round}: {spent:?} of processor time");
    }
    let states = engine.listing_states();
    let bytes: usize = states.iter().map(|state| state.bytes).sum();
    let resident = resident_kb().saturating_sub(empty_kb);
    let offers = engine.catalogue().size().0;
    println!(
        "{offers} offers kept: {bytes} bytes by structure, {resident} kB more resident than before"
    );
    let router = bench::router(engine, store, pepper);
    requests(&router, &key, &clock).await;
}

async fn requests(router: &Router, key: &str, clock: &Hand) {
    let catalogue: Vec<&str> = domain::countries::all()
        .take(COUNTRIES)
        .map(|country| country.key)
        .collect();
    let server_query = |at: usize| format!("services&server=up1&country_id={}", at * UPSTREAMS + 1);
    for coding in ["identity", "gzip", "br"] {
        // whatever is ready is too old by now
        clock.0.fetch_add(60_000, Ordering::SeqCst);
        let (mut cold, mut size) = (Vec::new(), 0);
        for at in 0..COUNTRIES {
            let (time, bytes) = ask(router, key, &server_query(at), coding).await;
            (size, _) = (bytes, cold.push(time));
        }
        show(
            &format!("services, one server, cold, {coding}, {size} bytes"),
            cold,
        );
        let (mut cold, mut size) = (Vec::new(), 0);
        for country in &catalogue {
            let query = format!("services&country_key={country}");
            let (time, bytes) = ask(router, key, &query, coding).await;
            (size, _) = (bytes, cold.push(time));
        }
        show(
            &format!("services, all servers, cold, {coding}, {size} bytes"),
            cold,
        );
        for query in [
            "services&server=up1&country_id=1",
            "services&country_key=pakistan",
            "countries",
        ] {
            ask(router, key, query, coding).await;
            let mut ready = Vec::new();
            for _ in 0..CACHED_REQUESTS {
                ready.push(ask(router, key, query, coding).await.0);
            }
            show(&format!("{query}, ready, {coding}"), ready);
        }
    }
}
