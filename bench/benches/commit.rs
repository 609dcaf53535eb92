//! How many orders a second become durable: each a hold, an activation and an attempt in one
//! commit, by 1 to 512 callers at once over 10,000 wallets, then by 64 callers of one wallet; then how
//! long a store with all these orders takes to open, and its audit to run.
//!
//! `cargo bench -p bench --bench commit` for SQLite; its database lies in the target folder, on the
//! disk that the figures are for. `-- --postgres postgres://…` for an empty database of a PostgreSQL
//! server. `-- --before N` puts N orders into the store first, by thousands in one commit.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use domain::access::Account;
use domain::activation::{Activation, ActivationState, Plan, Wanted};
use domain::change::{Change, Write};
use domain::ids::{AccountId, OrderId};
use domain::order::Told;
use domain::ports::Store;
use domain::time::{Millis, Timestamp};
use domain::usd::Usd;
use store::{Database, PostgresSettings};
use tokio::task::JoinSet;

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const WALLETS: i64 = 10_000;
const PRICE: Usd = Usd(40_000);

const PLAN: Plan = Plan {
    lease: Millis::seconds(60),
    in_doubt_window: Millis::minutes(20),
    min_cancel_age: Millis::minutes(2),
    lifetime: Millis::minutes(20),
    retry: Millis::seconds(5),
};

/// What is measured: so many callers buy so many orders out of so many wallets.
const RUNS: [(usize, i64, i64); 5] = [
    (1, 4_000, WALLETS),
    (8, 16_000, WALLETS),
    (64, 60_000, WALLETS),
    (512, 120_000, WALLETS),
    (64, 60_000, 1),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let before = value("--before").map_or(0, |count| count.parse().expect("--before N"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let Some(url) = value("--postgres") {
        let store = Database::connect(&PostgresSettings::new(&url)).expect("the server answers");
        runtime.block_on(measure_all(store, before));
        return;
    }
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("commit");
    let _absent = std::fs::remove_dir_all(&directory);
    let store = Database::open(&directory).expect("the store opens");
    runtime.block_on(measure_all(store, before));
    if before == 0 {
        reopen(&directory, &runtime);
    }
    let _left_over = std::fs::remove_dir_all(&directory);
}

async fn measure_all(store: Database, before: i64) {
    let store = Arc::new(store);
    furnish(&*store).await;
    fill(&store, before).await;
    for (callers, orders, wallets) in RUNS {
        measure(&store, callers, orders, wallets).await;
    }
}

/// Orders that are there already, a thousand to a commit.
async fn fill(store: &Database, orders: i64) {
    let start = Instant::now();
    for _ in 0..orders / 1000 {
        let bought = (0..1000).flat_map(|_| order(store, WALLETS).open(&PLAN));
        store
            .commit(Change::new("fill", NOW, bought.collect()))
            .await
            .expect("affordable orders are accepted");
    }
    if orders > 0 {
        println!(
            "{orders} orders before, put there in {:.1?}",
            start.elapsed()
        );
    }
}

fn reopen(directory: &Path, runtime: &tokio::runtime::Runtime) {
    let start = Instant::now();
    let store = Database::open(directory).expect("the store opens again");
    println!("open: {:?}", start.elapsed());
    let start = Instant::now();
    let audit = runtime.block_on(store.audit(NOW)).expect("the audit runs");
    println!(
        "audit: {:?} for {} open orders, {} entries, {} violations",
        start.elapsed(),
        audit.open_holds,
        audit.entries,
        audit.violations.len()
    );
}

async fn furnish(store: &dyn Store) {
    for first in (1..=WALLETS).step_by(500) {
        let writes = (first..first + 500).flat_map(customer).collect();
        store
            .commit(Change::new("furnish", NOW, writes))
            .await
            .expect("customers are there");
    }
}

fn customer(id: i64) -> [Write; 2] {
    let account = Account {
        id: AccountId(id),
        email: format!("customer{id}@example.com"),
        tier: 2,
        api_access: true,
        suspended: false,
        created_at: NOW,
    };
    let credit = Write::Credit {
        account: account.id,
        row: id,
        amount: Usd(100_000_000_000),
        note: "bench".into(),
    };
    [Write::InsertAccount(Box::new(account)), credit]
}

async fn measure(store: &Arc<Database>, callers: usize, orders: i64, wallets: i64) {
    let left = Arc::new(AtomicI64::new(orders));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (store, left) = (Arc::clone(store), Arc::clone(&left));
        tasks.spawn(async move {
            let mut spans = Vec::new();
            while left.fetch_sub(1, Ordering::Relaxed) > 0 {
                spans.push(buy(&store, wallets).await);
            }
            spans
        });
    }
    let mut spans: Vec<Duration> = tasks.join_all().await.concat();
    let elapsed = start.elapsed();
    spans.sort_unstable();
    let rate = u128::from(orders.unsigned_abs()) * 1_000_000 / elapsed.as_micros();
    let (median, late) = (spans[spans.len() / 2], spans[spans.len() * 99 / 100]);
    println!(
        "{callers:>4} callers, {wallets:>5} wallets: {rate:>7} orders/s, p50 {median:>9.1?}, p99 {late:>9.1?}"
    );
}

async fn buy(store: &Database, wallets: i64) -> Duration {
    let writes = order(store, wallets).open(&PLAN);
    let start = Instant::now();
    store
        .commit(Change::new("buy", NOW, writes))
        .await
        .expect("an affordable order is accepted");
    start.elapsed()
}

/// The next order, of a wallet that lies far from the last one's.
fn order(store: &Database, wallets: i64) -> Activation {
    let id = store.next_order_id();
    activation(id, AccountId(id.0 * 7919 % wallets + 1))
}

fn activation(id: OrderId, account: AccountId) -> Activation {
    Activation {
        id,
        account,
        version: 1,
        state: ActivationState::Calling,
        told: Told::Pending,
        wanted: Wanted {
            server: "peter".into(),
            provider_type: 1,
            country_id: "61".into(),
            country_key: "pk".into(),
            service_id: "306343".into(),
            service_name: "Discord".into(),
            pool_id: None,
        },
        price: PRICE,
        cost_quote: Usd(30_000),
        policy: ("messaging".into(), 3),
        upstream: "peter1".into(),
        attempt: 1,
        upstream_id: None,
        phone: None,
        cost: None,
        disclosed_at: None,
        message: None,
        messages: 0,
        created_at: NOW,
        in_doubt_until: None,
        expires_at: None,
        cancel_allowed_at: None,
        late_code_at: None,
        due_at: None,
        tries: 0,
        failure: None,
    }
}
