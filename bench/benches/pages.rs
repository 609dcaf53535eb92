//! What each page of the dashboard costs on an account with 100,000 orders, as many lines in its API
//! log and all the movements of money that belong to them: the whole router, without a socket.
//!
//! `cargo bench -p bench --bench pages` for SQLite; `-- --postgres postgres://…` for an empty database
//! of a PostgreSQL server.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use app::api_key::Pepper;
use app::{CatalogueSettings, Engine, Outside, Settings};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use bench::market::{self, Lister, Panel, servers, upstreams};
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
use domain::top_up::{Processor, TopUp, TopUpWrite};
use domain::upstream::PanelUpstream;
use domain::upstream::{Number, PanelStatus, Pending, Progress, Sms};
use domain::usd::Usd;
use store::{Database, PostgresSettings};
use tower::ServiceExt;

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const PRICE: Usd = Usd(40_000);
const EMAIL: &str = "large@example.com";
const PANEL: &str = "panel1";
const PASSWORD: &str = "violet anchor parade seven";

/// Orders of each kind.
const ORDERS: i64 = 50_000;
/// Orders in one commit.
const TOGETHER: i64 = 500;
/// Days that they are spread over.
const DAYS: i64 = 60;
/// Top-ups, all credited.
const TOP_UPS: i64 = 500;
/// Visits of each page.
const VISITS: usize = 101;

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
        default_server: market::name(0),
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
        late_code_at: None,
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
    let body = axum::body::to_bytes(body, usize::MAX)
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

fn top_up(id: i64, account: AccountId, at: Timestamp) -> TopUp {
    TopUp {
        fee: Usd(1_000_000),
        processor_ref: Some(format!("cs_{id}")),
        ..TopUp::begun(
            id,
            account,
            (Processor::Stripe, Usd(25_000_000)),
            at,
            at + Millis::minutes(60),
        )
    }
}

/// Top-ups; gives the newest.
async fn top_ups(store: &Database, account: AccountId) -> i64 {
    let mut newest = 0;
    for place in 0..TOP_UPS {
        let at = made_at(place * (2 * ORDERS / TOP_UPS));
        newest = store.next_row_id();
        let row = top_up(newest, account, at);
        let payment = format!("pi_{newest}");
        let credit = TopUpWrite::Credit {
            row: Box::new(row.paid(&payment, row.amount, at)),
            payment,
        };
        let insert = TopUpWrite::Insert(Box::new(row));
        commit(store, at, vec![Write::TopUp(insert)]).await;
        commit(store, at, vec![Write::TopUp(credit)]).await;
    }
    newest
}

/// One account with all of it; gives its newest top-up.
async fn furnish(store: &Database, engine: &Engine) -> i64 {
    for upstream in (0..market::UPSTREAMS).map(market::name) {
        let refreshed = engine.refresh_upstream(&upstream).await;
        refreshed.outcome.expect("a listing");
    }
    let refreshed = engine.refresh_upstream(PANEL).await;
    refreshed.outcome.expect("a list of services");
    let account = engine.create_account(EMAIL, 3, Some(PASSWORD)).await;
    let account = account.expect("an account");
    let credit = Write::Credit {
        account,
        row: store.next_row_id(),
        amount: Usd(1_000_000_000_000),
        note: "bench".into(),
    };
    commit(store, made_at(0), vec![credit]).await;
    numbers(store, account).await;
    smm_orders(store, account).await;
    calls(store, account).await;
    top_ups(store, account).await
}

/// Every page that somebody who is signed in can open, and what makes it read most; a test of `web`
/// finds a route that has none here. `TOP_UP` is a top-up.
const PAGES: [&str; 57] = [
    "/",
    "/account",
    "/account/standing",
    "/account/totp/begin",
    "/confirm-password",
    "/docs",
    "/docs/changelog",
    "/docs/guide.md",
    "/docs/reference.md",
    "/forgot",
    "/keys",
    "/llms.txt",
    "/log",
    "/log?action=countries",
    "/look",
    "/look/end",
    "/mailbox",
    "/numbers",
    "/numbers?q=united",
    "/numbers?q=practice",
    "/numbers?service=Practice+app+0007",
    "/numbers?country=pakistan",
    "/numbers?country=pakistan&q=practice",
    "/numbers/live",
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
    "/orders/160101",
    "/policy",
    "/report-abuse",
    "/reset?token=none",
    "/search?q=100101",
    "/search?q=%2B923000000200",
    "/search?q=https://instagram.com/user201",
    "/sign-in",
    "/sign-in/code",
    "/sign-up",
    "/smm",
    "/smm?q=youtube",
    "/smm/mass",
    "/smm/order?service=1",
    "/verify?token=none",
    "/wallet",
    "/wallet/top-up",
    "/wallet/top-up/TOP_UP",
    "/wallet/top-up/TOP_UP/receipt",
    "/wallet/top-up/TOP_UP/receipt.pdf",
];

/// Whole files: everything there is of an account, sent as it is read.
const FILES: [&str; 2] = ["/account/export", "/wallet/statement.csv"];

async fn visit(router: &Router, cookie: &str, page: &str, visits: usize) {
    let mut took = Vec::new();
    let (mut status, mut size) = (StatusCode::OK, 0);
    for _ in 0..visits {
        let request = Request::get(page).header(header::COOKIE, cookie);
        let request = request.body(Body::empty()).expect("a request");
        let start = Instant::now();
        let (response, bytes) = answer(router, request).await;
        took.push(start.elapsed());
        (status, size) = (response.status(), bytes);
        assert!(!status.is_server_error(), "{page}: {status}");
    }
    took.sort();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
    let (median, p99) = (at(50), at(99));
    let status = status.as_u16();
    println!("{page:<45} {median:>6.1} ms {p99:>6.1} ms {size:>9} {status:>6}");
}

async fn visits(router: &Router, cookie: &str, top_up: i64) {
    println!("{:<45} {:>9} {:>9} {:>9}", "page", "median", "p99", "bytes");
    for page in PAGES {
        let page = page.replace("TOP_UP", &top_up.to_string());
        visit(router, cookie, &page, VISITS).await;
    }
    println!("files, all of the account:");
    for file in FILES {
        visit(router, cookie, file, 3).await;
    }
}

async fn measure(store: Database) {
    let store = Arc::new(store);
    let listers: Vec<_> = (0..market::UPSTREAMS).map(Lister::at).collect();
    let outside = Outside {
        store: Arc::clone(&store) as _,
        clock: Arc::new(Still),
        tasks: Arc::new(Still),
        numbers: upstreams(&listers),
        panels: vec![(PANEL.to_owned(), Panel::large() as Arc<dyn PanelUpstream>)],
        archive: None,
    };
    let engine = Engine::new(outside, settings());
    let pepper = Pepper::new(&[1; 32]).expect("a pepper");
    let router = bench::router(Arc::clone(&engine), Arc::clone(&store), pepper);
    let start = Instant::now();
    let top_up = furnish(&store, &engine).await;
    println!("furnished in {:?}", start.elapsed());
    let offers = engine.catalogue().size().0;
    println!("{offers} offers of numbers are on sale");
    visits(&router, &signed_in(&router).await, top_up).await;
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let postgres = arguments.iter().position(|one| one == "--postgres");
    if let Some(url) = postgres.and_then(|at| arguments.get(at + 1)) {
        let store = Database::connect(&PostgresSettings::new(url)).expect("the server answers");
        return runtime.block_on(measure(store));
    }
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    let _absent = std::fs::remove_dir_all(&directory);
    let store = Database::open(&directory).expect("the store opens");
    runtime.block_on(measure(store));
    let _left_over = std::fs::remove_dir_all(&directory);
}
