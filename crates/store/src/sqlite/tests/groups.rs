//! A group of changes in one transaction, and what stands under its guards.

use domain::ids::OrderId;

use crate::contract::groups::{self, ANA, buy, customer, group};
use crate::contract::{NOW, PLAN, PRICE, activation};
use crate::rows::activation as activations;
use crate::sqlite::open;

#[test]
fn groups_on_this_engine() {
    for test in groups::ALL {
        test(&open::in_memory().unwrap());
    }
}

/// A second hold for one order passes the guards and fails on its key, in the middle of writing.
/// The guard under the guards: the wallet's own constraint.
#[test]
fn the_wallet_itself_refuses_to_go_below_zero() {
    let conn = open::in_memory().unwrap();
    group(&conn, vec![customer(ANA, PRICE)]);
    for side in ["available", "held", "receivable"] {
        let below = conn.execute(&format!("UPDATE wallet SET {side} = -1"), []);
        assert!(below.unwrap_err().to_string().contains("CHECK"), "{side}");
    }
}

#[test]
fn what_happened_stays_written() {
    let conn = open::in_memory().unwrap();
    group(&conn, vec![customer(ANA, PRICE), buy(10, ANA)]);
    let bought = activation(OrderId(10), ANA);
    let number = crate::contract::number("u1", "+923001234567");
    group(
        &conn,
        vec![bought.bought(&number, &PLAN, NOW, String::new())],
    );
    let mut received = activations::by_id(&conn, OrderId(10)).unwrap().unwrap();
    received.disclosed_at = Some(NOW);
    let sms = domain::upstream::Sms {
        code: "1".into(),
        text: None,
    };
    group(&conn, vec![received.message_seen(sms, &PLAN, NOW)]);
    conn.execute_batch(
        "PRAGMA foreign_keys = OFF; INSERT INTO adjustment VALUES (10, 1, 1, 1, 1); \
         INSERT INTO observation VALUES (10, 1, 'x', 1, 1, 1, 1, NULL);",
    )
    .unwrap();
    let tables = [
        ("hold", "amount"),
        ("resolution", "posted"),
        ("adjustment", "amount"),
        ("upstream_link", "order_id"),
        ("message", "received_at"),
        ("observation", "at"),
        ("journal", "at"),
        ("entry", "amount"),
        ("credit", "amount"),
    ];
    for (table, column) in tables {
        let statements = [
            format!("UPDATE {table} SET {column} = {column} + 1"),
            format!("DELETE FROM {table}"),
            format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table}"),
        ];
        for sql in statements {
            let refused = conn.execute(&sql, []).unwrap_err().to_string();
            assert!(refused.contains("append-only"), "{sql}: {refused}");
        }
    }
}

#[test]
fn an_unknown_word_is_named_with_its_place() {
    let conn = open::in_memory().unwrap();
    group(&conn, vec![customer(ANA, PRICE), buy(10, ANA)]);
    conn.execute("UPDATE activation SET state = 'lost'", [])
        .unwrap();
    let error = activations::by_id(&conn, OrderId(10))
        .unwrap_err()
        .to_string();
    for part in ["activation", "10", "state", "lost"] {
        assert!(error.contains(part), "{error}");
    }
}
