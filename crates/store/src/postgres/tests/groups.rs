//! Groups that are read ahead and written in bulk end as if their changes had come one by one.

use domain::activation::{Activation, ActivationState};
use domain::change::{Change, Reason, Write};
use domain::ids::OrderId;
use domain::order::Failure;
use domain::upstream::Sms;
use domain::usd::Usd;

use super::{intruder, private};
use crate::contract::groups::{self, ANA, BOB, buy, customer};
use crate::contract::{NOW, Outcome, PLAN, PRICE, number};
use crate::postgres::link::Link;
use crate::rows::group::apply_group;
use crate::rows::{activation as activations, audit, journal};
use crate::sql::Connection;
use crate::{Database, sqlite};

/// A connection to an empty database.
fn empty() -> Link {
    let settings = private().database();
    drop(Database::connect(&settings).unwrap());
    intruder(&settings)
}

#[test]
fn groups_on_this_engine() {
    for test in groups::ALL {
        test(&empty());
    }
}

fn apply(conn: &dyn Connection, changes: &[Change]) -> Vec<Outcome> {
    let applied = apply_group(conn, &changes.iter().collect::<Vec<_>>());
    assert!(!applied.storage_failed);
    applied.outcomes
}

/// The next change of an order, from the row as it is or, now and then, as it was before.
fn step(row: &Activation, dice: u64) -> Vec<Write> {
    let name = format!("u{}", row.id);
    let phone = format!("+92300{:07}", row.id.0 % 7);
    let code = || Sms {
        code: "1234".into(),
        text: None,
    };
    match (row.state, dice % 4) {
        (ActivationState::Calling, 0) => {
            row.clone()
                .refused(Failure::NoNumbers, "no_stock", String::new())
        }
        (ActivationState::Calling, _) => {
            row.clone()
                .bought(&number(&name, &phone), &PLAN, NOW, String::new())
        }
        (ActivationState::Active, 0) => row.clone().closed_upstream(Reason::ClosedUpstream),
        _ => {
            let mut shown = row.clone();
            shown.disclosed_at = Some(NOW);
            shown.message_seen(code(), &PLAN, NOW)
        }
    }
}

#[test]
fn any_group_ends_as_its_changes_one_by_one() {
    let (server, plain) = (empty(), sqlite::empty());
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut dice = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut orders: Vec<i64> = Vec::new();
    let mut before: Vec<Activation> = Vec::new();
    let rich = Usd(PRICE.0 * 60);
    let mut group = vec![Change::new("ana", NOW, customer(ANA, rich))];
    let mut wanted = apply(&plain, &group);
    for round in 0..400_i64 {
        let writes = match dice() % 3 {
            0 => {
                let id = 1000 + round;
                orders.push(id);
                buy(id, if dice() % 2 == 0 { ANA } else { BOB })
            }
            1 if !before.is_empty() => {
                let stale = usize::try_from(dice()).unwrap_or(0) % before.len();
                step(&before[stale], dice())
            }
            _ if !orders.is_empty() => {
                let one = usize::try_from(dice() % orders.len() as u64).unwrap();
                match activations::by_id(&plain, OrderId(orders[one])).unwrap() {
                    Some(row) => {
                        before.push(row.clone());
                        step(&row, dice())
                    }
                    None => customer(BOB, rich),
                }
            }
            _ => customer(BOB, rich),
        };
        let change = Change::new("any", NOW, writes);
        let alone = apply(&plain, std::slice::from_ref(&change));
        group.push(change);
        wanted.extend(alone);
        if dice() % 12 == 0 {
            assert_eq!(apply(&server, &group), wanted, "round {round}");
            group.clear();
            wanted.clear();
        }
    }
    apply(&server, &group);
    for id in &orders {
        let row = |conn: &dyn Connection| activations::by_id(conn, OrderId(*id)).unwrap();
        assert_eq!(row(&server), row(&plain), "order {id}");
    }
    for account in [ANA, BOB] {
        let wallet = |conn: &dyn Connection| journal::wallet(conn, account).unwrap();
        assert_eq!(wallet(&server), wallet(&plain));
    }
    for conn in [&server as &dyn Connection, &plain] {
        let audit = audit::run(conn, NOW, true).unwrap();
        assert_eq!(audit.violations, []);
        assert!(audit.entries > 100, "{audit:?}");
    }
}
