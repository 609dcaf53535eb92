//! What accounts paid by day and service: sums that every resolution and adjustment moves on, so that
//! nobody ever has to add up orders.

use std::collections::BTreeMap;

use crate::sql::{Connection, params};
use domain::books::DAY_MS;
use domain::change::{Change, Write};
use domain::ids::{AccountId, OrderId};
use domain::ports::Spent;
use domain::time::Timestamp;
use domain::usd::Usd;

use super::audit::each;
use crate::audit::Findings;
use crate::sql::cells::{Cells, many, one};
use crate::sql::fault::Fault;

/// Day, account and service.
type Place = (i64, i64, String);

/// What a group of changes adds: written once at its end, each row at most once.
#[derive(Default)]
pub(crate) struct Spending {
    /// Orders and micro-dollars.
    more: BTreeMap<Place, (i64, i64)>,
}

impl Spending {
    /// Takes in a change that was written.
    pub(crate) fn note(&mut self, conn: &dyn Connection, change: &Change) -> Result<(), Fault> {
        for write in &change.writes {
            let (account, order, orders, amount) = match *write {
                Write::Resolve {
                    account,
                    order,
                    posted,
                    ..
                } if posted > Usd::ZERO => (account, order, 1, posted.0),
                Write::Adjust {
                    account,
                    order,
                    amount,
                    ..
                } => (account, order, 0, -amount.0),
                _ => continue,
            };
            // an order moves on in the change that pays for it; else it is looked up
            let told = change.writes.iter().find_map(|write| told_by(write, order));
            let told = match told {
                Some((day, service)) => Some((day, service.to_owned())),
                None => stored(conn, order)?,
            };
            if let Some((day, service)) = told {
                let sum = self.more.entry((day, account.0, service)).or_default();
                *sum = (sum.0 + orders, sum.1 + amount);
            }
        }
        Ok(())
    }

    /// Writes what has come together.
    pub(crate) fn save(&self, conn: &dyn Connection) -> Result<(), Fault> {
        let sql = "INSERT INTO spending (day, account_id, service, orders, amount) \
                   VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (day, account_id, service) DO UPDATE \
                   SET orders = spending.orders + excluded.orders, \
                       amount = spending.amount + excluded.amount";
        for ((day, account, service), (orders, amount)) in &self.more {
            conn.write(sql, params![*day, *account, service, *orders, *amount])?;
        }
        Ok(())
    }
}

/// Day and service of an order, where this is its row.
fn told_by(write: &Write, order: OrderId) -> Option<(i64, &str)> {
    match write {
        Write::InsertActivation(row) | Write::UpdateActivation(row) if row.id == order => {
            Some((day(row.created_at), &row.wanted.service_name))
        }
        Write::InsertSmmOrder(row) | Write::UpdateSmmOrder(row) if row.id == order => {
            Some((day(row.created_at), &row.service_name))
        }
        _ => None,
    }
}

fn day(at: Timestamp) -> i64 {
    at.0.div_euclid(DAY_MS)
}

fn stored(conn: &dyn Connection, order: OrderId) -> Result<Option<(i64, String)>, Fault> {
    let sql = "SELECT created_at, service_name FROM activation WHERE id = ?1 \
               UNION ALL SELECT created_at, service_name FROM smm_order WHERE id = ?1";
    one(conn, sql, params![order.0], |row| {
        let cells = &mut Cells::new("order", row);
        Ok((day(cells.time()?), cells.take()?))
    })
}

/// Sums of an account from one day to another, both included; newest day first.
pub(crate) fn spent(
    conn: &dyn Connection,
    account: AccountId,
    (first, last): (i64, i64),
) -> Result<Vec<Spent>, Fault> {
    let sql = "WITH RECURSIVE span (day) AS ( \
                   SELECT ?2 UNION ALL SELECT day + 1 FROM span WHERE day < ?3) \
               SELECT s.day, s.service, s.orders, s.amount FROM span \
               JOIN spending s ON s.day = span.day AND s.account_id = ?1 \
               ORDER BY s.day DESC, s.amount DESC";
    many(conn, sql, params![account.0, first, last], |row| {
        let cells = &mut Cells::new("spending", row);
        Ok(Spent {
            day: cells.take()?,
            service: cells.take()?,
            orders: cells.count()?,
            amount: cells.usd()?,
        })
    })
}

/// Every sum against the orders behind it.
pub(crate) fn check(conn: &dyn Connection, findings: &mut Findings) -> Result<(), Fault> {
    let sql = format!(
        "SELECT account_id, day, SUM(orders), SUM(amount) FROM ( \
             SELECT account_id, day, service, orders, amount FROM spending \
             UNION ALL \
             SELECT o.account_id, o.created_at / {DAY_MS}, o.service_name, -1, \
                 COALESCE((SELECT SUM(a.amount) FROM adjustment a WHERE a.order_id = o.id), 0) \
                     - r.posted \
             FROM (SELECT id, account_id, service_name, created_at FROM activation UNION ALL \
                   SELECT id, account_id, service_name, created_at FROM smm_order) o \
             JOIN resolution r ON r.order_id = o.id AND r.posted > 0) sums \
         GROUP BY account_id, day, service HAVING SUM(orders) <> 0 OR SUM(amount) <> 0"
    );
    each(conn, &sql, |row| {
        let cells = &mut Cells::new("spending", row);
        let (account, day): (i64, i64) = (cells.take()?, cells.take()?);
        let (orders, amount): (i64, i64) = (cells.take()?, cells.take()?);
        findings.add(
            "I-04",
            format!(
                "spending of account {account} on day {day} is {orders} orders and {amount} \
                 micro-dollars above its orders"
            ),
        );
        Ok(())
    })
}
