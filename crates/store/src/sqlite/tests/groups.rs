//! A group of changes in one transaction.

use domain::change::{Change, CommitError, Refused, Write};
use domain::ids::{AccountId, OrderId};
use domain::order::Failure;
use domain::usd::Usd;
use rusqlite::Connection;

use crate::contract::{NOW, Outcome, PLAN, PRICE, account, activation, refused};
use crate::rows::group::{Applied, apply_group};
use crate::rows::{activation as activations, audit, journal};
use crate::sqlite::open;

const ANA: AccountId = AccountId(1);
const BOB: AccountId = AccountId(2);

fn customer(id: AccountId, money: Usd) -> Vec<Write> {
    let credit = Write::Credit {
        account: id,
        row: id.0,
        amount: money,
        note: String::new(),
    };
    vec![Write::InsertAccount(Box::new(account(id))), credit]
}

fn buy(order: i64, account: AccountId) -> Vec<Write> {
    activation(OrderId(order), account).open(&PLAN)
}

fn group(conn: &Connection, group: Vec<Vec<Write>>) -> Vec<Outcome> {
    let change = |writes| Change::new("group", NOW, writes);
    let changes: Vec<_> = group.into_iter().map(change).collect();
    let Applied {
        outcomes,
        storage_failed,
    } = apply_group(conn, &changes.iter().collect::<Vec<_>>());
    assert!(!storage_failed);
    assert_eq!(audit::run(conn, NOW, true).unwrap().violations, []);
    outcomes
}

fn money(conn: &Connection, account: AccountId) -> (i64, i64) {
    let wallet = journal::wallet(conn, account).unwrap().unwrap();
    (wallet.available.0, wallet.held.0)
}

#[test]
fn later_changes_see_what_earlier_ones_did() {
    let conn = open::in_memory().unwrap();
    let mut paid_back = activation(OrderId(11), ANA);
    paid_back.due_at = Some(NOW);
    let outcomes = group(
        &conn,
        vec![
            buy(10, ANA),
            customer(ANA, PRICE),
            buy(11, ANA),
            buy(12, ANA),
            paid_back.refused(Failure::NoNumbers, "no_stock", String::new()),
            buy(13, ANA),
        ],
    );
    let no_account = refused(Refused::NoSuchAccount);
    let no_money = refused(Refused::InsufficientFunds);
    assert_eq!(
        outcomes,
        [no_account, Ok(()), Ok(()), no_money, Ok(()), Ok(())]
    );
    assert_eq!(money(&conn, ANA), (0, PRICE.0));
}

/// A second hold for one order passes the guards and fails on its key, in the middle of writing.
#[test]
fn a_fault_while_writing_fails_alone() {
    let conn = open::in_memory().unwrap();
    let rich = Usd(PRICE.0 * 10);
    group(&conn, vec![customer(ANA, rich), customer(BOB, rich)]);
    let mut torn = buy(11, ANA);
    torn.extend(buy(10, ANA));
    let outcomes = group(&conn, vec![buy(10, ANA), torn, buy(12, BOB), buy(13, ANA)]);
    assert_eq!(outcomes, [Ok(()), refused(Refused::Stale), Ok(()), Ok(())]);
    assert_eq!(money(&conn, ANA), (PRICE.0 * 8, PRICE.0 * 2));
    assert_eq!(money(&conn, BOB), (PRICE.0 * 9, PRICE.0));
    assert_eq!(activations::by_id(&conn, OrderId(11)).unwrap(), None);
}

#[test]
fn a_dangling_row_is_the_programs_fault_and_fails_alone() {
    let conn = open::in_memory().unwrap();
    group(&conn, vec![customer(ANA, PRICE)]);
    let message = Write::Message {
        order: OrderId(999),
        seq: 1,
        sms: domain::upstream::Sms {
            code: "1".into(),
            text: None,
        },
        received_at: NOW,
    };
    let outcomes = group(&conn, vec![vec![message], buy(10, ANA)]);
    assert!(
        matches!(&outcomes[0], Err(CommitError::Storage(_))),
        "{outcomes:?}"
    );
    assert_eq!(outcomes[1], Ok(()));
}

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
        "PRAGMA foreign_keys = OFF; INSERT INTO adjustment VALUES (10, 1, 1, 1); \
         INSERT INTO observation VALUES (10, 1, 'x', 1, 1, 1, 1);",
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
