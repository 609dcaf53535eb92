//! What one `get_status` and one `balance` cost: the whole router with its checks, the key from
//! memory, one indexed read of a store file with 10,000 orders; without a socket.
//!
//! `cargo bench -p bench --bench status`

use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use app::api_key::{self, Environment, Pepper};
use app::{CatalogueSettings, Engine, Outside, Settings};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use criterion::{Criterion, criterion_group, criterion_main};
use domain::access::{Account, ApiKey};
use domain::activation::{Activation, ActivationState, Plan, Wanted};
use domain::change::{Change, Write};
use domain::ids::{AccountId, KeyId, OrderId};
use domain::order::Told;
use domain::policy::Rules;
use domain::ports::{Clock, Store, Tasks};
use domain::time::{Millis, Timestamp};
use domain::upstream::Pending;
use domain::usd::Usd;
use store::Database;
use tower::ServiceExt;

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const ORDERS: i64 = 10_000;
const FIRST: i64 = 200_000;

const PLAN: Plan = Plan {
    lease: Millis::seconds(60),
    in_doubt_window: Millis::minutes(20),
    min_cancel_age: Millis::minutes(2),
    lifetime: Millis::minutes(20),
    retry: Millis::seconds(5),
};

/// Time stands still: nothing here waits.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW
    }
    fn sleep(&self, _: Millis) -> Pending<'static, ()> {
        Box::pin(std::future::pending())
    }
}

impl Tasks for Still {
    fn spawn(&self, _: Pending<'static, ()>) {}
}

fn settings() -> Settings {
    Settings {
        default_server: "peter".into(),
        servers: Vec::new(),
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

/// An account with a key and its orders; gives the key.
async fn furnish(store: &Database, pepper: &Pepper) -> String {
    let account = Account {
        id: AccountId(1),
        email: "bench@example.com".into(),
        tier: 3,
        api_access: true,
        suspended: false,
        created_at: NOW,
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
        created_at: NOW,
        expires_at: None,
        disabled: false,
        revoked: false,
    };
    let amount = Usd(1_000_000_000_000);
    let credit = Write::Credit {
        account: account.id,
        row: 1,
        amount,
        note: "bench".into(),
    };
    let mut writes = vec![Write::InsertAccount(Box::new(account)), credit];
    writes.push(Write::InsertKey(Box::new(row)));
    store
        .commit(Change::new("furnish", NOW, writes))
        .await
        .expect("an account");
    for id in FIRST..FIRST + ORDERS {
        let writes = activation(OrderId(id)).open(&PLAN);
        store
            .commit(Change::new("furnish", NOW, writes))
            .await
            .expect("an order");
    }
    key.reveal().to_owned()
}

fn activation(id: OrderId) -> Activation {
    Activation {
        id,
        account: AccountId(1),
        version: 0,
        state: ActivationState::Active,
        told: Told::Done,
        wanted: Wanted {
            server: "peter".into(),
            provider_type: 1,
            country_id: "61".into(),
            country_key: "pakistan".into(),
            service_id: "306343".into(),
            service_name: "Discord".into(),
            pool_id: None,
        },
        price: Usd(40_000),
        cost_quote: Usd(33_333),
        policy: ("social_messaging/otp.limit".into(), 1),
        upstream: "peter1".into(),
        attempt: 1,
        upstream_id: Some(id.to_string()),
        phone: None,
        cost: None,
        disclosed_at: Some(NOW),
        message: None,
        messages: 0,
        created_at: NOW,
        in_doubt_until: None,
        expires_at: Some(NOW + Millis::minutes(20)),
        cancel_allowed_at: Some(NOW + Millis::minutes(2)),
        late_code_at: None,
        due_at: None,
        tries: 0,
        failure: None,
    }
}

fn door(store: Arc<Database>, pepper: Pepper) -> Router {
    let outside = Outside {
        store: Arc::clone(&store) as _,
        clock: Arc::new(Still),
        tasks: Arc::new(Still),
        numbers: HashMap::new(),
        panels: Vec::new(),
        archive: None,
    };
    bench::router(Engine::new(outside, settings()), store, pepper)
}

fn request(path: &str, key: &str) -> Request<Body> {
    let builder = Request::get(path).header("X-API-Key", key);
    builder.body(Body::empty()).expect("a request")
}

fn status(criterion: &mut Criterion) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("status");
    let _absent = std::fs::remove_dir_all(&directory);
    let store = Arc::new(Database::open(&directory).expect("the store opens"));
    let pepper = Pepper::new(&[1; 32]).expect("a pepper");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let key = runtime.block_on(furnish(&store, &pepper));
    let router = door(store, pepper);
    let mut id = FIRST;
    for (name, action) in [
        ("get_status", "get_status&order_id="),
        ("balance", "balance"),
    ] {
        criterion.bench_function(&format!("router/{name}"), |bencher| {
            bencher.iter(|| {
                id = FIRST + (id + 7919) % ORDERS;
                let tail = if name == "balance" {
                    String::new()
                } else {
                    id.to_string()
                };
                let request = request(&format!("/api/v1/otp?action={action}{tail}"), &key);
                let response = runtime
                    .block_on(router.clone().oneshot(request))
                    .expect("an answer");
                assert_eq!(response.status(), 200);
                black_box(response)
            });
        });
    }
    let _left_over = std::fs::remove_dir_all(&directory);
}

criterion_group!(benches, status);
criterion_main!(benches);
