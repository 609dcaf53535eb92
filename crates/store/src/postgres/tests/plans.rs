//! The questions of pages on an account with very many orders: each goes by an index.

use super::{intruder, private};
use crate::Database;
use crate::rows::plans::{Explaining, asked_by_pages, asked_by_ports, asked_by_steps};
use crate::threads::Owned;

/// Many accounts with 20,000 orders of each kind between them, every two hundredth of them Ana's, and what money
/// and requests belong to those.
const FURNITURE: &str = "
SET session_replication_role = replica;
INSERT INTO account (id, email, tier, api_access, suspended, created_at)
    SELECT n, n || '@example.com', 3, 1, 0, 0 FROM generate_series(1, 200) n;
INSERT INTO wallet (account_id, available, held, receivable, chain, last_event)
    SELECT n, 1000, 0, 0, decode(repeat('00', 32), 'hex'), CASE WHEN n = 1 THEN 40000 END
    FROM generate_series(1, 200) n;
INSERT INTO activation (id, account_id, version, state, told, server, provider_type, country_id,
        country_key, service_id, service_name, price, cost_quote, policy_class, policy_version, upstream,
        attempt, upstream_id, phone, disclosed_at, messages, created_at, tries)
    SELECT 100000 + n, CASE WHEN n % 200 = 0 THEN 1 ELSE 2 + n % 198 END, 3,
        CASE WHEN n > 19900 THEN 'active' WHEN n % 7 = 0 THEN 'cancelled' ELSE 'received' END, 'done',
        'peter', 1, '61', 'pakistan', '306343', 'Discord', 40000, 33333, 'social', 1, 'peter1', 1,
        'u' || n, '92300' || lpad(n::text, 7, '0'), n, 1, n * 1000, 0
    FROM generate_series(1, 20000) n;
INSERT INTO smm_order (id, account_id, version, state, told, service_id, service_name, link, target,
        members, quantity, flat, price, cost_quote, policy_class, policy_version, upstream,
        upstream_service, attempt, upstream_id, progress, remains, start_count, observations, returned,
        adjustments, created_at, tries)
    SELECT 200000 + n, CASE WHEN n % 200 = 0 THEN 1 ELSE 2 + n % 198 END, 3,
        CASE WHEN n > 19900 THEN 'active' ELSE 'done' END, 'done', '1', 'Followers',
        'https://instagram.com/u' || n, 'instagram.com/u' || n, '', 1000, 0, 40000, 30000, 'social', 1,
        'panel1', '88', 1, 'p' || n, CASE WHEN n > 19900 THEN 'In progress' ELSE 'Completed' END, 0, 0, 1,
        0, 0, n * 1000, 0
    FROM generate_series(1, 20000) n;
INSERT INTO hold (order_id, account_id, amount, created_at)
    SELECT id, account_id, price, created_at FROM activation
    UNION ALL SELECT id, account_id, price, created_at FROM smm_order;
INSERT INTO resolution (order_id, posted, released, reason, at)
    SELECT order_id, amount, 0, 'delivered', created_at FROM hold WHERE order_id % 100000 <= 19900;
INSERT INTO journal (id, kind, reference, seq, at, account_id, previous)
    SELECT n, 'hold', 100000 + n, 1, n * 1000, 1, CASE WHEN n > 1 THEN n - 1 END
    FROM generate_series(1, 40000) n;
INSERT INTO entry (journal_id, leg, book, account_id, amount, chain)
    SELECT n, leg, CASE leg WHEN 1 THEN 'available' ELSE 'held' END, 1, leg * 2 - 3,
        decode(repeat('00', 32), 'hex')
    FROM generate_series(1, 40000) n, generate_series(1, 2) leg;
INSERT INTO spending (day, account_id, service, orders, amount)
    SELECT day, account, 'Discord', 1, 40000
    FROM generate_series(19000, 19100) day, generate_series(1, 200) account;
INSERT INTO api_call (account_id, order_id, minute, key_id, service, action, status, error, method, calls,
        first_at, last_at, duration_us, request_id)
    SELECT CASE WHEN n % 200 = 0 THEN 1 ELSE 2 END, 100000 + n, n, 1, 'otp', 'get_status', 200, '', 'GET', 1,
        n * 1000, n * 1000, 250, 'r' || n FROM generate_series(1, 20000) n;
INSERT INTO topup (id, account_id, version, processor, amount, fee, bonus, live, state, note, credited,
        refunded, reversed, reversed_fee, reversed_bonus, reversals, created_at, expires_at, credited_at, tries)
    SELECT n, 1 + n % 200, 3, 'stripe', 500, 0, 0, 1, CASE WHEN n % 200 = 0 THEN 'review' ELSE 'credited' END,
        '', CASE WHEN n % 200 = 0 THEN 0 ELSE 500 END, 0, 0, 0, 0, 0, n, n,
        CASE WHEN n % 200 = 0 THEN NULL ELSE n END, 0
    FROM generate_series(1, 20000) n;
UPDATE activation SET due_at = id, upstream = 'peter' || id % 4 WHERE id % 2 = 0;
INSERT INTO orphan (id, version, upstream, upstream_id, state, cost, found_at, due_at, tries)
    SELECT n, 1, 'peter' || n % 4, 'o' || n, 'found', 0, n, CASE WHEN n % 2 = 0 THEN n END, 0
    FROM generate_series(1, 20000) n;
SET session_replication_role = DEFAULT;
ANALYZE;
";

/// None of the large tables is read from end to end, and each of these indexes leads somewhere.
fn goes_by(what: &str, steps: &str, indexes: &[&str]) {
    let large = [
        "activation",
        "smm_order",
        "api_call",
        "hold",
        "resolution",
        "journal",
        "entry",
        "topup",
        "orphan",
    ];
    for table in large {
        for whole in [
            format!("Seq Scan on {table} "),
            format!("Seq Scan on {table}\n"),
        ] {
            assert!(
                !steps.contains(&whole),
                "{table} is read whole for {what}:\n{steps}"
            );
        }
    }
    for index in indexes {
        assert!(
            steps.contains(index),
            "{index} is not used for {what}:\n{steps}"
        );
    }
}

/// By which index each question goes; nothing where several do equally well.
const WAYS: [(&str, &[&str]); 11] = [
    ("numbers", &["activation_list"]),
    ("older numbers", &["activation_list"]),
    ("SMM orders", &["smm_order_list"]),
    ("holds", &["activation_open", "smm_order_open"]),
    ("spending", &["spending_pkey"]),
    ("statement", &["journal_pkey", "entry_pkey"]),
    ("a link", &["smm_order_link"]),
    ("top-ups that wait", &["topup_waiting"]),
    ("upstreams with due rows", &["activation_due", "orphan_due"]),
    ("due numbers of an upstream", &["activation_due"]),
    ("due orphans of an upstream", &["orphan_due"]),
];

#[test]
fn pages_of_a_large_account_go_by_their_indexes() {
    let settings = private().database();
    drop(Database::connect(&settings).unwrap());
    let link = intruder(&settings);
    link.batch(FURNITURE).unwrap();
    let explaining = Explaining::new(Box::new(link), ("EXPLAIN", 0));
    let mut known = 0;
    for (what, ask) in asked_by_pages().into_iter().chain(asked_by_steps()) {
        let way = WAYS.iter().find(|(name, _)| *name == what);
        known += usize::from(way.is_some());
        goes_by(
            what,
            &explaining.steps(ask),
            way.map_or(&[], |(_, way)| way),
        );
    }
    assert_eq!(known, WAYS.len(), "each way is one of a question");
    let connect = move || Box::new(intruder(&settings)) as Owned;
    for (what, steps) in asked_by_ports(connect, ("EXPLAIN", 0)) {
        goes_by(what, &steps, &[]);
    }
}
