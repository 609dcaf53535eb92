//! A group of changes in one transaction, on a connection of any engine that is still empty.

use domain::change::{Change, CommitError, Refused, Write};
use domain::ids::{AccountId, OrderId};
use domain::order::Failure;
use domain::usd::Usd;

use super::{NOW, Outcome, PLAN, PRICE, account, activation, refused};
use crate::rows::group::{Applied, apply_group};
use crate::rows::{activation as activations, audit, journal};
use crate::sql::Connection;

/// All of them.
pub(crate) const ALL: [fn(&dyn Connection); 3] = [
    later_changes_see_what_earlier_ones_did,
    a_fault_while_writing_fails_alone,
    a_dangling_row_is_the_programs_fault_and_fails_alone,
];

pub(crate) const ANA: AccountId = AccountId(1);
pub(crate) const BOB: AccountId = AccountId(2);

pub(crate) fn customer(id: AccountId, money: Usd) -> Vec<Write> {
    let credit = Write::Credit {
        account: id,
        row: id.0,
        amount: money,
        note: String::new(),
    };
    vec![Write::InsertAccount(Box::new(account(id))), credit]
}

pub(crate) fn buy(order: i64, account: AccountId) -> Vec<Write> {
    activation(OrderId(order), account).open(&PLAN)
}

pub(crate) fn group(conn: &dyn Connection, group: Vec<Vec<Write>>) -> Vec<Outcome> {
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

pub(crate) fn money(conn: &dyn Connection, account: AccountId) -> (i64, i64) {
    let wallet = journal::wallet(conn, account).unwrap().unwrap();
    (wallet.available.0, wallet.held.0)
}

pub(crate) fn later_changes_see_what_earlier_ones_did(conn: &dyn Connection) {
    let mut paid_back = activation(OrderId(11), ANA);
    paid_back.due_at = Some(NOW);
    let outcomes = group(
        conn,
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
    assert_eq!(money(conn, ANA), (0, PRICE.0));
}

pub(crate) fn a_fault_while_writing_fails_alone(conn: &dyn Connection) {
    let rich = Usd(PRICE.0 * 10);
    group(conn, vec![customer(ANA, rich), customer(BOB, rich)]);
    let mut torn = buy(11, ANA);
    torn.extend(buy(10, ANA));
    let outcomes = group(conn, vec![buy(10, ANA), torn, buy(12, BOB), buy(13, ANA)]);
    assert_eq!(outcomes, [Ok(()), refused(Refused::Stale), Ok(()), Ok(())]);
    assert_eq!(money(conn, ANA), (PRICE.0 * 8, PRICE.0 * 2));
    assert_eq!(money(conn, BOB), (PRICE.0 * 9, PRICE.0));
    assert_eq!(activations::by_id(conn, OrderId(11)).unwrap(), None);
}

pub(crate) fn a_dangling_row_is_the_programs_fault_and_fails_alone(conn: &dyn Connection) {
    group(conn, vec![customer(ANA, PRICE)]);
    let message = Write::Message {
        order: OrderId(999),
        seq: 1,
        sms: domain::upstream::Sms {
            code: "1".into(),
            text: None,
        },
        received_at: NOW,
    };
    let outcomes = group(conn, vec![vec![message], buy(10, ANA)]);
    assert!(
        matches!(&outcomes[0], Err(CommitError::Storage(_))),
        "{outcomes:?}"
    );
    assert_eq!(outcomes[1], Ok(()));
}
