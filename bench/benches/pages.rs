//! What each page of the dashboard costs on an account with 100,000 orders, as many lines in its API
//! log and all the movements of money that belong to them: the whole router, without a socket.
//!
//! `cargo bench -p bench --bench pages`

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use app::api_key::Pepper;
use app::{CatalogueSettings, Engine, Outside, Settings};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, header};
use domain::activation::{Activation, ActivationState, Plan, Wanted};
use domain::api_log::{CallKind, Calls, LogWrite};
use domain::change::{Change, Reason, Write};
use domain::ids::{AccountId, KeyId, OrderId};
use domain::order::Told;
use domain::phone::Phone;
use domain::policy::Rules;
use domain::ports::{Clock, Store, Tasks};
use domain::smm_order::{Candidate, SmmOrder, SmmPlan, SmmState};
use domain::time::{Millis, Timestamp};
use domain::upstream::{Number, PanelStatus, Pending, Progress, Sms};
use domain::usd::Usd;
use store::Database;
use tower::ServiceExt;

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const PRICE: Usd = Usd(40_000);
const EMAIL: &str = "large@example.com";
const PASSWORD: &str = "violet anchor parade seven";

/// Orders of each kind.
const ORDERS: i64 = 50_000;
/// Orders in one commit.
const TOGETHER: i64 = 500;
/// Days that they are spread over.
const DAYS: i64 = 60;
/// Visits of each page.
const VISITS: usize = 21;

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

fn smm_plan() -> SmmPlan {
    SmmPlan {
        lease: Millis::seconds(60),
        in_doubt_window: Millis::minutes(20),
        confirmation: Millis::seconds(2),
        remains_patience: SmmPlan::REMAINS_PATIENCE,
        poll: vec![Millis::seconds(60)],
        retry: Millis::seconds(5),
        watch: Millis::minutes(60),
        refill_window: None,
        correction_max: Usd(10_000_000),
    }
}

/// When the order in this place was made.
fn made_at(place: i64) -> Timestamp {
    NOW - Millis::minutes(DAYS * 24 * 60)
        + Millis(place * (Millis::minutes(DAYS * 24 * 60).0 / (2 * ORDERS)))
}

fn activation(id: OrderId, account: AccountId, place: i64) -> Activation {
    Activation {
        id,
        account,
        version: 1,
        state: ActivationState::Calling,
        told: Told::Done,
        wanted: Wanted {
            server: "peter".into(),
            provider_type: 1,
            country_id: "61".into(),
            country_key: "pakistan".into(),
            service_id: format!("{}", place % 40),
            service_name: format!("Service {}", place % 40),
            pool_id: None,
        },
        price: PRICE,
        cost_quote: Usd(33_333),
        policy: ("social_messaging/otp.limit".into(), 1),
        upstream: "peter1".into(),
        attempt: 1,
        upstream_id: None,
        phone: None,
        cost: None,
        disclosed_at: Some(made_at(place)),
        message: None,
        messages: 0,
        created_at: made_at(place),
        in_doubt_until: None,
        expires_at: None,
        cancel_allowed_at: None,
        due_at: None,
        tries: 0,
        failure: None,
    }
}

fn smm_order(id: OrderId, account: AccountId, place: i64) -> SmmOrder {
    SmmOrder {
        id,
        account,
        version: 1,
        state: SmmState::Calling,
        told: Told::Done,
        service_id: "1".into(),
        service_name: format!("Followers {}", place % 20),
        link: format!("https://instagram.com/user{place}"),
        members: String::new(),
        quantity: 1000,
        flat: false,
        price: PRICE,
        cost_quote: Usd(30_000),
        policy: ("social".into(), 1),
        upstream: "panel1".into(),
        upstream_service: "88".into(),
        attempt: 1,
        upstream_id: None,
        progress: Progress::Pending,
        remains: 1000,
        start_count: 0,
        charge: None,
        candidate: None,
        observations: 0,
        returned: Usd::ZERO,
        adjustments: 0,
        created_at: made_at(place),
        in_doubt_until: None,
        resolved_at: None,
        due_at: None,
        tries: 0,
        failure: None,
    }
}

fn number(place: i64) -> Number {
    Number {
        id: format!("u{place}"),
        phone: Phone::parse(&format!("+92300{place:07}")).expect("a number"),
        cost: Some(Usd(30_000)),
        lifetime: None,
        cancel_after: None,
    }
}

async fn commit(store: &Database, at: Timestamp, writes: Vec<Write>) {
    let change = Change::new("furnish", at, writes);
    store.commit(change).await.expect("what is furnished");
}

/// Numbers: most with their code, the newest still waiting.
async fn numbers(store: &Database, account: AccountId) {
    for start in (0..ORDERS).step_by(TOGETHER as usize) {
        let places: Vec<(i64, OrderId)> = (start..start + TOGETHER)
            .map(|place| (place * 2, store.next_order_id()))
            .collect();
        let at = made_at(start * 2);
        let opened = places
            .iter()
            .flat_map(|(place, id)| activation(*id, account, *place).open(&PLAN));
        commit(store, at, opened.collect()).await;
        let mut bought = Vec::new();
        for (place, id) in &places {
            let row = store.activation(*id).await.expect("a read");
            let row = row.expect("an order");
            bought.extend(row.bought(&number(*place), &PLAN, at, "raw".into()));
        }
        commit(store, at, bought).await;
        if start + TOGETHER >= ORDERS {
            return;
        }
        let mut ended = Vec::new();
        for (place, id) in &places {
            let row = store.activation(*id).await.expect("a read");
            let row = row.expect("an order");
            let sms = Sms {
                code: "123456".into(),
                text: Some("Your code is 123456".into()),
            };
            ended.extend(match place % 10 {
                0 => row.closed_upstream(Reason::Cancelled),
                _ => row.message_seen(sms, &PLAN, at),
            });
        }
        commit(store, at, ended).await;
    }
}

/// What a panel says of an order that is done.
fn completed() -> PanelStatus {
    PanelStatus {
        progress: Some(Progress::Completed),
        raw_status: "Completed".into(),
        remains: Some(0),
        start_count: Some(10),
        charge: None,
        children: Vec::new(),
        child_ids: Vec::new(),
    }
}

/// SMM orders: most completed, the newest still running.
async fn smm_orders(store: &Database, account: AccountId) {
    for start in (0..ORDERS).step_by(TOGETHER as usize) {
        let places: Vec<(i64, OrderId)> = (start..start + TOGETHER)
            .map(|place| (place * 2 + 1, store.next_order_id()))
            .collect();
        let at = made_at(start * 2 + 1);
        let opened = places
            .iter()
            .flat_map(|(place, id)| smm_order(*id, account, *place).open(&smm_plan()));
        commit(store, at, opened.collect()).await;
        let mut accepted = Vec::new();
        for (place, id) in &places {
            let row = store.smm_order(*id).await.expect("a read");
            let row = row.expect("an order");
            accepted.extend(row.accepted(&format!("p{place}"), &smm_plan(), at, "raw".into()));
        }
        commit(store, at, accepted).await;
        if start + TOGETHER >= ORDERS {
            return;
        }
        let mut done = Vec::new();
        for (_, id) in &places {
            let row = store.smm_order(*id).await.expect("a read");
            let mut row = row.expect("an order");
            row.candidate = Some(Candidate {
                progress: Progress::Completed,
                remains: Some(0),
                since: at,
            });
            let later = at + Millis::seconds(3);
            done.extend(row.observed(&completed(), &smm_plan(), 0, later));
        }
        commit(store, at, done).await;
    }
}

async fn calls(store: &Database, account: AccountId) {
    for start in (0..2 * ORDERS).step_by(1_000) {
        let lines = (start..start + 1_000).map(|place| {
            let at = made_at(place);
            let action = ["get_status", "buy_number", "balance"][(place % 3) as usize];
            Calls {
                kind: CallKind {
                    account,
                    key: KeyId(1),
                    service: "otp",
                    action,
                    status: 200,
                    error: "",
                    order: (place % 3 != 2).then_some(OrderId(100_001 + place)),
                    minute: place,
                },
                count: 3,
                first_at: at,
                last_at: at,
                method: "GET".into(),
                duration_us: 250,
                request_id: format!("{place:032x}"),
            }
        });
        let lines = Write::ApiLog(LogWrite::Add(lines.collect()));
        commit(store, NOW, vec![lines]).await;
    }
}

async fn answer(router: &Router, request: Request<Body>) -> (Response<()>, usize) {
    let response = router.clone().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 10_000_000)
        .await
        .expect("a page");
    (Response::from_parts(parts, ()), body.len())
}

/// Signs in; gives the cookie.
async fn signed_in(router: &Router) -> String {
    let form = format!(
        "email={EMAIL}&password={}&next=/",
        PASSWORD.replace(' ', "+")
    );
    let request = Request::post("/sign-in")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::HOST, "127.0.0.1:8080")
        .header(header::ORIGIN, "http://127.0.0.1:8080");
    let request = request.body(Body::from(form)).expect("a request");
    let (answer, _) = answer(router, request).await;
    let line = answer.headers().get(header::SET_COOKIE).expect("a session");
    let line = line.to_str().expect("a cookie");
    line.split(';').next().unwrap_or_default().to_owned()
}

async fn furnish(store: &Database, engine: &Engine) -> AccountId {
    let account = engine.create_account(EMAIL, 3, Some(PASSWORD)).await;
    let account = account.expect("an account");
    let credit = Write::Credit {
        account,
        row: store.next_row_id(),
        amount: Usd(1_000_000_000_000),
        note: "bench".into(),
    };
    commit(store, NOW - Millis::minutes(DAYS * 24 * 60), vec![credit]).await;
    numbers(store, account).await;
    smm_orders(store, account).await;
    calls(store, account).await;
    account
}

/// Every page that tells of orders, money or requests; `{}` is an order.
const PAGES: [&str; 26] = [
    "/",
    "/numbers",
    "/numbers/live",
    "/smm",
    "/orders",
    "/orders?status=waiting",
    "/orders?status=received",
    "/orders?status=cancelled",
    "/orders?status=pending",
    "/orders?since=2023-11-13",
    "/orders?since=2024-01-01",
    "/orders?before=100100",
    "/orders?kind=smm",
    "/orders?kind=smm&status=Canceled",
    "/orders?kind=smm&status=Partial",
    "/orders?kind=smm&since=2023-11-14",
    "/orders/100101",
    "/search?q=100101",
    "/search?q=%2B923000000200",
    "/search?q=https://instagram.com/user201",
    "/wallet",
    "/wallet/top-up",
    "/keys",
    "/log",
    "/log?action=countries",
    "/account",
];

async fn visits(router: &Router, cookie: &str) {
    println!(
        "{:<45} {:>9} {:>9} {:>9}",
        "page", "median", "slowest", "bytes"
    );
    for page in PAGES.into_iter().chain(["/docs", "/docs/changelog"]) {
        let mut took = Vec::new();
        let mut size = 0;
        for _ in 0..VISITS {
            let request = Request::get(page).header(header::COOKIE, cookie);
            let request = request.body(Body::empty()).expect("a request");
            let start = Instant::now();
            let (response, bytes) = answer(router, request).await;
            took.push(start.elapsed());
            let status = response.status();
            // a search for an id leads to its order
            let fine = status.is_success() || status.is_redirection();
            assert!(fine, "{page}: {status}");
            size = bytes;
        }
        took.sort();
        let ms = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1_000.0);
        let (median, slowest) = (ms(took.get(VISITS / 2)), ms(took.last()));
        println!("{page:<45} {median:>6.1} ms {slowest:>6.1} ms {size:>9}");
    }
}

fn main() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    let _absent = std::fs::remove_dir_all(&directory);
    let store = Arc::new(Database::open(&directory).expect("the store opens"));
    let outside = Outside {
        store: Arc::clone(&store) as _,
        clock: Arc::new(Still),
        tasks: Arc::new(Still),
        numbers: HashMap::new(),
        panels: Vec::new(),
        archive: None,
    };
    let engine = Engine::new(outside, settings());
    let pepper = Pepper::new(&[1; 32]).expect("a pepper");
    let router = bench::router(Arc::clone(&engine), Arc::clone(&store), pepper);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let start = Instant::now();
        furnish(&store, &engine).await;
        println!("furnished in {:?}", start.elapsed());
        visits(&router, &signed_in(&router).await).await;
    });
    let _left_over = std::fs::remove_dir_all(&directory);
}
