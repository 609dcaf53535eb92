//! Questions over all accounts that only the console asks.

use crate::sql::{Arg, Connection, Row, params};
use domain::access::Account;
use domain::desk::{
    AccountNote, Announcement, BookTotal, EventsOf, JournalEvent, MoneyRequest, OrderLine,
    OrdersOf, ReportBy, ReportLine, Sold,
};
use domain::ids::{AccountId, OrderId};
use domain::ledger::Wallet;
use domain::ports::{DeskRows, Read};
use domain::ticket::Ticket;
use domain::time::Timestamp;

use super::{access, balance, desk};
use crate::database::Database;
use crate::sql::cells::{Cells, many, one};
use crate::sql::fault::Fault;

/// A condition that grows, with the values it names.
#[derive(Default)]
pub(super) struct Where {
    pub(super) text: String,
    pub(super) args: Vec<Arg<'static>>,
}

impl Where {
    /// One more condition, where there is a value for it: `@` stands for that value.
    pub(super) fn and(&mut self, condition: &str, arg: Option<Arg<'static>>) {
        if let Some(arg) = arg {
            let place = self.place(arg);
            self.and_fixed(&condition.replace('@', &place));
        }
    }

    /// One more condition without a value, so that an index over just those rows is found.
    pub(super) fn and_fixed(&mut self, condition: &str) {
        let joined = if self.text.is_empty() { "WHERE" } else { "AND" };
        self.text.push_str(&format!("{joined} {condition} "));
    }

    /// The place of one more value.
    pub(super) fn place(&mut self, arg: Arg<'static>) -> String {
        self.args.push(arg);
        format!("?{}", self.args.len())
    }
}

fn text(text: &Option<String>) -> Option<Arg<'static>> {
    text.as_ref().map(|text| Arg::Text(text.clone().into()))
}

/// A text in which no letter stands for others.
fn literally(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%");
    format!("%{}%", escaped.replace('_', "\\_"))
}

fn accounts_like(
    conn: &dyn Connection,
    wanted: &str,
    limit: u32,
) -> Result<Vec<(Account, Wallet)>, Fault> {
    let number: i64 = wanted.parse().unwrap_or(-1);
    let sql = format!(
        "SELECT {}, w.available, w.held, w.receivable, w.uncleared FROM account a \
         JOIN wallet w ON w.account_id = a.id \
         WHERE a.email LIKE ?1 ESCAPE '\\' OR a.id = ?2 \
         OR a.id IN (SELECT k.account_id FROM api_key k WHERE k.public_id = ?3) \
         OR a.id IN (SELECT h.account_id FROM hold h WHERE h.order_id = ?2) \
         ORDER BY a.id DESC LIMIT ?4",
        access::account_columns!()
    );
    let like = literally(&wanted.to_ascii_lowercase());
    many(conn, &sql, params![like, number, wanted, limit], |row| {
        let account = access::read_account(row, 0)?;
        let cells = &mut Cells::from("wallet", row, 6);
        let wallet = Wallet {
            available: cells.usd()?,
            held: cells.usd()?,
            receivable: cells.usd()?,
            uncleared: cells.usd()?,
        };
        Ok((account, wallet))
    })
}

/// Activations and SMM orders as one table.
const ORDERS: &str = "SELECT id, 'number' AS sold, account_id, service_name AS service, \
     COALESCE(phone, '') AS target, state, price, upstream, created_at, server, upstream_id, \
     COALESCE(phone_hash, '') AS phone_hash FROM activation UNION ALL \
     SELECT id, 'smm', account_id, service_name, link, state, price, upstream, created_at, 'smm', \
     upstream_id, '' FROM smm_order";

/// A number is found by its hash as well, once no more of it is kept.
fn orders_like(
    conn: &dyn Connection,
    wanted: &OrdersOf,
    hash: Option<String>,
) -> Result<Vec<OrderLine>, Fault> {
    let mut condition = Where::default();
    condition.and(
        "o.account_id = @",
        wanted.account.map(|one| Arg::Int(one.0)),
    );
    condition.and("o.state = @", text(&wanted.state));
    condition.and("o.upstream = @", text(&wanted.upstream));
    condition.and("o.id < @", wanted.before.map(Arg::Int));
    let number = wanted.text.as_ref().map(|text| text.parse().unwrap_or(-1));
    if let (Some(number), Some(found)) = (number, text(&wanted.text)) {
        let id = condition.place(Arg::Int(number));
        let hash = condition.place(Arg::Text(hash.unwrap_or_default().into()));
        let named = format!(
            "(o.id = {id} OR o.target = @ OR o.upstream_id = @ \
             OR (o.phone_hash = {hash} AND o.phone_hash <> ''))"
        );
        condition.and(&named, Some(found));
    }
    let limit = condition.place(Arg::Int(wanted.limit.into()));
    let sql = format!(
        "SELECT o.id, o.sold, o.account_id, o.service, o.target, o.state, o.price, o.upstream, \
         o.created_at FROM ({ORDERS}) o {}ORDER BY o.id DESC LIMIT {limit}",
        condition.text
    );
    many(conn, &sql, &condition.args, |row| {
        let cells = &mut Cells::new("orders", row);
        Ok(OrderLine {
            id: cells.take()?,
            sold: cells.word(|word| match word {
                "number" => Some(Sold::Number),
                "smm" => Some(Sold::Smm),
                _ => None,
            })?,
            account: AccountId(cells.take()?),
            service: cells.take()?,
            target: cells.take()?,
            state: cells.take()?,
            price: cells.usd()?,
            upstream: cells.take()?,
            at: cells.time()?,
        })
    })
}

/// Sales are what customers paid, what went back to them left out; what an upstream took is what its
/// cost and variance were charged with.
fn report(
    conn: &dyn Connection,
    by: ReportBy,
    (from, until): (Timestamp, Timestamp),
    limit: u32,
) -> Result<Vec<ReportLine>, Fault> {
    let key = match by {
        ReportBy::Day => "CAST(j.at / 86400000 AS TEXT)",
        ReportBy::Server => "o.server",
        ReportBy::Service => "o.service",
        ReportBy::Account => "CAST(o.account_id AS TEXT)",
        ReportBy::Upstream => "o.upstream",
    };
    let order = match by {
        ReportBy::Day => "MIN(j.at) DESC",
        _ => "4 DESC, 1",
    };
    let sql = format!(
        "SELECT {key}, \
         COUNT(DISTINCT CASE WHEN j.kind = 'resolution' THEN j.reference END), \
         COUNT(DISTINCT CASE WHEN j.kind = 'resolution' AND e.book = 'sales' THEN j.reference END), \
         CAST(SUM(CASE WHEN e.book = 'sales' THEN e.amount ELSE 0 END) AS BIGINT), \
         CAST(SUM(CASE WHEN e.book IN ('cost', 'variance') THEN e.amount ELSE 0 END) AS BIGINT), \
         CAST(SUM(CASE WHEN e.book = 'available' THEN e.amount ELSE 0 END) AS BIGINT) \
         FROM journal j JOIN entry e ON e.journal_id = j.id JOIN ({ORDERS}) o ON o.id = j.reference \
         WHERE j.kind IN ('resolution', 'adjustment', 'upstream_cost') \
         AND j.at >= ?1 AND j.at < ?2 GROUP BY 1 ORDER BY {order} LIMIT ?3"
    );
    many(conn, &sql, params![from.0, until.0, limit], |row| {
        let cells = &mut Cells::new("journal", row);
        Ok(ReportLine {
            key: cells.take()?,
            orders: cells.count()?,
            paid: cells.count()?,
            revenue: cells.usd()?,
            cost: cells.usd()?,
            refunds: cells.usd()?,
        })
    })
}

fn orders_begun(conn: &dyn Connection, from: Timestamp, until: Timestamp) -> Result<u64, Fault> {
    let sql = "SELECT COUNT(*) FROM hold WHERE created_at >= ?1 AND created_at < ?2";
    let counted = one(conn, sql, params![from.0, until.0], |row| {
        Cells::new("hold", row).count()
    })?;
    Ok(counted.unwrap_or(0))
}

fn events(conn: &dyn Connection, wanted: &EventsOf) -> Result<Vec<JournalEvent>, Fault> {
    let mut condition = Where::default();
    condition.and("account_id = @", wanted.account.map(|one| Arg::Int(one.0)));
    condition.and("kind = @", text(&wanted.kind));
    condition.and("reference = @", wanted.reference.map(Arg::Int));
    condition.and("at >= @", wanted.since.map(|at| Arg::Int(at.0)));
    condition.and("at < @", wanted.until.map(|at| Arg::Int(at.0)));
    condition.and("id < @", wanted.before.map(Arg::Int));
    let limit = condition.place(Arg::Int(wanted.limit.into()));
    let sql = format!(
        "SELECT j.id, j.kind, j.reference, j.seq, j.at, j.account_id, e.book, e.upstream, e.amount \
         FROM (SELECT id, kind, reference, seq, at, account_id FROM journal {}ORDER BY id DESC \
         LIMIT {limit}) j LEFT JOIN entry e ON e.journal_id = j.id ORDER BY j.id DESC, e.leg",
        condition.text
    );
    let mut events: Vec<JournalEvent> = Vec::new();
    conn.query(&sql, &condition.args, &mut |row| {
        let (mut event, leg) = event(row)?;
        match events.last_mut() {
            Some(last) if last.id == event.id => last.legs.extend(leg),
            _ => {
                event.legs.extend(leg);
                events.push(event);
            }
        }
        Ok(true)
    })?;
    Ok(events)
}

/// A leg as an event's list has it.
type Leg = (String, Option<String>, domain::usd::Usd);

fn event(row: &Row<'_>) -> Result<(JournalEvent, Option<Leg>), Fault> {
    let cells = &mut Cells::new("journal", row);
    let event = JournalEvent {
        id: cells.take()?,
        kind: cells.take()?,
        reference: cells.take()?,
        seq: cells.take()?,
        at: cells.time()?,
        account: cells.take::<Option<i64>>()?.map(AccountId),
        legs: Vec::new(),
    };
    let book: Option<String> = cells.take()?;
    let upstream = cells.take()?;
    let amount = cells.maybe_usd()?;
    let leg = book
        .zip(amount)
        .map(|(book, amount)| (book, upstream, amount));
    Ok((event, leg))
}

fn book_totals(conn: &dyn Connection) -> Result<Vec<BookTotal>, Fault> {
    let sql = "SELECT book, upstream, CAST(SUM(amount) AS BIGINT) FROM entry \
               GROUP BY book, upstream ORDER BY book, upstream";
    many(conn, sql, &[], |row| {
        let cells = &mut Cells::new("entry", row);
        Ok(BookTotal {
            book: cells.take()?,
            upstream: cells.take()?,
            total: cells.usd()?,
        })
    })
}

impl DeskRows for Database {
    fn tickets_of(&self, order: OrderId) -> Read<'_, Vec<Ticket>> {
        self.ask(move |conn| balance::tickets_of(conn, order))
    }

    fn accounts_like<'a>(&'a self, text: &'a str, limit: u32) -> Read<'a, Vec<(Account, Wallet)>> {
        let text = text.to_owned();
        self.ask(move |conn| accounts_like(conn, &text, limit))
    }

    fn orders_like<'a>(&'a self, wanted: &'a OrdersOf) -> Read<'a, Vec<OrderLine>> {
        let wanted = wanted.clone();
        let hash = wanted.text.as_deref().map(|number| self.hash_of(number));
        self.ask(move |conn| orders_like(conn, &wanted, hash.clone()))
    }

    fn report(
        &self,
        by: ReportBy,
        span: (Timestamp, Timestamp),
        limit: u32,
    ) -> Read<'_, Vec<ReportLine>> {
        self.ask(move |conn| report(conn, by, span, limit))
    }

    fn orders_begun(&self, from: Timestamp, until: Timestamp) -> Read<'_, u64> {
        self.ask(move |conn| orders_begun(conn, from, until))
    }

    fn events<'a>(&'a self, wanted: &'a EventsOf) -> Read<'a, Vec<JournalEvent>> {
        let wanted = wanted.clone();
        self.ask(move |conn| events(conn, &wanted))
    }

    fn book_totals(&self) -> Read<'_, Vec<BookTotal>> {
        self.ask(book_totals)
    }

    fn money_request(&self, id: i64) -> Read<'_, Option<MoneyRequest>> {
        self.ask(move |conn| desk::money_request(conn, id))
    }

    fn money_request_once<'a>(&'a self, once: &'a str) -> Read<'a, Option<MoneyRequest>> {
        let once = once.to_owned();
        self.ask(move |conn| desk::money_request_once(conn, &once))
    }

    fn money_requests(
        &self,
        account: Option<AccountId>,
        open_only: bool,
        limit: u32,
    ) -> Read<'_, Vec<MoneyRequest>> {
        self.ask(move |conn| desk::money_requests(conn, account, open_only, limit))
    }

    fn account_notes(&self, account: AccountId, limit: u32) -> Read<'_, Vec<AccountNote>> {
        self.ask(move |conn| desk::account_notes(conn, account, limit))
    }

    fn announcements(&self, at: Option<Timestamp>, limit: u32) -> Read<'_, Vec<Announcement>> {
        self.ask(move |conn| desk::announcements(conn, at, limit))
    }
}
