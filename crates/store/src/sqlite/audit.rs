//! The audit's rows: one snapshot, each table streamed once, every money event derived anew from
//! the row that caused it.

use domain::activation::ActivationState;
use domain::attempt::AttemptState;
use domain::ids::{AccountId, OrderId};
use domain::ledger::{Entry, Posting, Wallet};
use domain::orphan::OrphanState;
use domain::ports::Audit;
use domain::smm_order::SmmState;
use domain::time::Timestamp;
use rusqlite::{Connection, Row, params};

use super::cells::{Cells, one};
use super::derive;
use super::fault::Fault;
use crate::audit::{Books, Findings, HoldFacts, OrderFacts, State, book, check_due};
use crate::chain::{Event, Link};

/// Re-derives everything.
pub(super) fn run(conn: &Connection, now: Timestamp) -> Result<Audit, Fault> {
    let snapshot = conn.unchecked_transaction()?;
    let mut audit = Audit::default();
    let mut findings = Findings::default();
    let mut books = Books::default();
    audit.entries = journal(&snapshot, &mut books, &mut findings)?;
    audit.open_holds = holds(&snapshot, &mut books, &mut findings)?;
    audit.accounts = wallets(&snapshot, &mut books, &mut findings)?;
    books.finish(&mut findings);
    orders(&snapshot, ACTIVATIONS, otp_state, now, &mut findings)?;
    orders(&snapshot, SMM_ORDERS, smm_state, now, &mut findings)?;
    orphans(&snapshot, now, &mut findings)?;
    live_attempts(&snapshot, &mut findings)?;
    audit.violations = findings.into_violations();
    Ok(audit)
}

fn each(
    conn: &Connection,
    sql: &str,
    mut see: impl FnMut(&Row<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        see(row)?;
    }
    Ok(())
}

/// An event whose legs are being gathered.
struct Gathered {
    id: i64,
    kind: String,
    reference: i64,
    seq: i64,
    at: Timestamp,
    customer: Option<AccountId>,
    previous: Option<i64>,
    legs: Vec<(Posting, Option<Link>)>,
}

/// Events and legs of each kind that were seen, to find rows that have none.
#[derive(Default)]
struct Seen {
    events: u64,
    legs: u64,
    holds: u64,
    resolutions: u64,
    adjustments: u64,
    credits: u64,
}

fn journal(conn: &Connection, books: &mut Books, findings: &mut Findings) -> Result<u64, Fault> {
    let sql = "SELECT j.id, j.kind, j.reference, j.seq, j.at, j.account_id, j.previous, e.book, e.account_id, e.upstream, \
               e.amount, e.chain FROM journal j LEFT JOIN entry e ON e.journal_id = j.id \
               ORDER BY j.id, e.leg";
    let mut seen = Seen::default();
    let mut open: Option<Gathered> = None;
    each(conn, sql, |row| {
        let cells = &mut Cells::new("journal", row);
        let id = cells.take()?;
        if open.as_ref().is_none_or(|event| event.id != id) {
            if let Some(event) = open.take() {
                close(conn, &event, &mut seen, books, findings)?;
            }
            open = Some(gather(id, cells)?);
        }
        if let Some(event) = &mut open {
            let cells = &mut Cells::from("entry", row, FIRST_LEG_CELL);
            event.legs.extend(read_leg(cells)?);
        }
        Ok(())
    })?;
    if let Some(event) = open {
        close(conn, &event, &mut seen, books, findings)?;
    }
    repeated_causes(conn, findings)?;
    rows_without_event(conn, &seen, findings)?;
    Ok(seen.events)
}

/// Where a leg's cells start in a row of the journal.
const FIRST_LEG_CELL: usize = 7;

fn gather(id: i64, cells: &mut Cells<'_, '_>) -> Result<Gathered, Fault> {
    Ok(Gathered {
        id,
        kind: cells.take()?,
        reference: cells.take()?,
        seq: cells.take()?,
        at: cells.time()?,
        customer: cells.take::<Option<i64>>()?.map(AccountId),
        previous: cells.take()?,
        legs: Vec::with_capacity(3),
    })
}

fn read_leg(cells: &mut Cells<'_, '_>) -> Result<Option<(Posting, Option<Link>)>, Fault> {
    let Some(word) = cells.take::<Option<String>>()? else {
        return Ok(None);
    };
    let (account, upstream) = (cells.take()?, cells.take()?);
    let amount = cells.usd()?;
    let book = book(&word, account, upstream)
        .ok_or_else(|| Fault::Wrong(format!("corrupt row: table entry, book {word:?}")))?;
    Ok(Some((Posting { book, amount }, cells.take()?)))
}

fn close(
    conn: &Connection,
    event: &Gathered,
    seen: &mut Seen,
    books: &mut Books,
    findings: &mut Findings,
) -> Result<(), Fault> {
    seen.events += 1;
    seen.legs += event.legs.len() as u64;
    let derived = match event.kind.as_str() {
        "hold" => count(&mut seen.holds, derive::hold(conn, event.reference)?),
        "resolution" => count(
            &mut seen.resolutions,
            derive::resolution(conn, event.reference)?,
        ),
        "adjustment" => count(
            &mut seen.adjustments,
            derive::adjustment(conn, event.reference, event.seq)?,
        ),
        "credit" => count(&mut seen.credits, derive::credit(conn, event.reference)?),
        _ => Derived::NotNeeded,
    };
    let legs = || event.legs.iter().map(|(leg, _)| leg);
    let fits = match &derived {
        Derived::NotNeeded => true,
        Derived::Missing => false,
        Derived::Entry(entry) => entry.postings.iter().eq(legs()),
    };
    findings.require(fits, "I-09", || {
        let Gathered {
            kind,
            reference,
            seq,
            ..
        } = event;
        let legs: Vec<_> = legs().collect();
        format!("legs of {kind} {reference} {seq} do not follow from its row: {legs:?}")
    });
    let parts = Event {
        kind: &event.kind,
        reference: event.reference,
        seq: event.seq,
        at: event.at,
    };
    books.event(parts, &event.legs, findings);
    if let Some(customer) = event.customer {
        books.place(customer, event.id, event.previous, findings);
    }
    Ok(())
}

/// An event as its row makes it.
enum Derived {
    /// The house's own: its legs are all there is.
    NotNeeded,
    /// There is no row.
    Missing,
    /// The entry that must have been written.
    Entry(Entry),
}

fn count(seen: &mut u64, entry: Option<Entry>) -> Derived {
    match entry {
        Some(entry) => {
            *seen += 1;
            Derived::Entry(entry)
        }
        None => Derived::Missing,
    }
}

fn repeated_causes(conn: &Connection, findings: &mut Findings) -> Result<(), Fault> {
    let sql = "SELECT kind, reference, seq, COUNT(*) FROM journal \
               GROUP BY kind, reference, seq HAVING COUNT(*) > 1";
    each(conn, sql, |row| {
        let (kind, times): (String, i64) = (row.get(0)?, row.get(3)?);
        let (reference, seq): (i64, i64) = (row.get(1)?, row.get(2)?);
        findings.add(
            "I-09",
            format!("{kind} {reference} {seq} was booked {times} times"),
        );
        Ok(())
    })
}

/// Each event was found to have its row, so equal numbers mean that each row has its event.
fn rows_without_event(
    conn: &Connection,
    seen: &Seen,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let tables = [
        ("hold", seen.holds),
        ("resolution", seen.resolutions),
        ("adjustment", seen.adjustments),
        ("credit", seen.credits),
        ("entry", seen.legs),
    ];
    for (table, events) in tables {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let rows = one(conn, &sql, [], |row| Cells::new("journal", row).count())?;
        let rows = rows.unwrap_or(0);
        findings.require(rows == events, "I-09", || {
            format!("table {table} has {rows} rows, the journal tells of {events}")
        });
    }
    Ok(())
}

fn holds(conn: &Connection, books: &mut Books, findings: &mut Findings) -> Result<u64, Fault> {
    let sql = "SELECT h.order_id, h.account_id, h.amount, r.posted, r.released, \
               COALESCE((SELECT SUM(a.amount) FROM adjustment a WHERE a.order_id = h.order_id), 0) \
               FROM hold h LEFT JOIN resolution r ON r.order_id = h.order_id ORDER BY h.order_id";
    let mut open = 0;
    each(conn, sql, |row| {
        let cells = &mut Cells::new("hold", row);
        let facts = HoldFacts {
            order: OrderId(cells.take()?),
            account: AccountId(cells.take()?),
            amount: cells.usd()?,
            resolution: cells.maybe_usd()?.zip(cells.maybe_usd()?),
            adjusted: cells.usd()?,
        };
        open += u64::from(facts.resolution.is_none());
        facts.check(books, findings);
        Ok(())
    })?;
    Ok(open)
}

fn wallets(conn: &Connection, books: &mut Books, findings: &mut Findings) -> Result<u64, Fault> {
    let sql = "SELECT a.id, w.available, w.held, w.receivable, w.chain, w.last_event \
               FROM account a \
               LEFT JOIN wallet w ON w.account_id = a.id";
    let mut accounts = 0;
    each(conn, sql, |row| {
        accounts += 1;
        let cells = &mut Cells::new("wallet", row);
        let account = AccountId(cells.take()?);
        let Some(available) = cells.maybe_usd()? else {
            findings.add("I-04", format!("account {account} has no wallet"));
            return Ok(());
        };
        let wallet = Wallet {
            available,
            held: cells.usd()?,
            receivable: cells.usd()?,
        };
        let end = (cells.take()?, cells.take()?);
        books.wallet(account, wallet, end, findings);
        Ok(())
    })?;
    Ok(accounts)
}

macro_rules! order_facts {
    ($table:literal) => {
        concat!(
            "SELECT o.id, o.account_id, o.price, o.state, o.due_at, o.upstream_id, l.order_id, \
             h.account_id, h.amount, r.posted FROM ",
            $table,
            " o LEFT JOIN upstream_link l \
               ON l.upstream = o.upstream AND l.upstream_id = o.upstream_id \
             LEFT JOIN hold h ON h.order_id = o.id \
             LEFT JOIN resolution r ON r.order_id = o.id ORDER BY o.id"
        )
    };
}

const ACTIVATIONS: &str = order_facts!("activation");
const SMM_ORDERS: &str = order_facts!("smm_order");

fn otp_state(word: &str) -> Option<State> {
    ActivationState::from_slug(word).map(State::Otp)
}

fn smm_state(word: &str) -> Option<State> {
    SmmState::from_slug(word).map(State::Smm)
}

fn orders(
    conn: &Connection,
    sql: &str,
    state: fn(&str) -> Option<State>,
    now: Timestamp,
    findings: &mut Findings,
) -> Result<(), Fault> {
    each(conn, sql, |row| {
        let cells = &mut Cells::new("order", row);
        let facts = OrderFacts {
            id: OrderId(cells.take()?),
            account: AccountId(cells.take()?),
            price: cells.usd()?,
            state: cells.word(state)?,
            due_at: cells.maybe_time()?,
            upstream_id: cells.take()?,
            linked_to: cells.take::<Option<i64>>()?.map(OrderId),
            hold: cells
                .take::<Option<i64>>()?
                .map(AccountId)
                .zip(cells.maybe_usd()?),
            posted: cells.maybe_usd()?,
        };
        facts.check(now, findings);
        Ok(())
    })
}

fn orphans(conn: &Connection, now: Timestamp, findings: &mut Findings) -> Result<(), Fault> {
    let sql = "SELECT id, state, due_at FROM orphan";
    each(conn, sql, |row| {
        let cells = &mut Cells::new("orphan", row);
        let id: i64 = cells.take()?;
        if cells.word(OrphanState::from_slug)? == OrphanState::Open {
            check_due(
                cells.maybe_time()?,
                now,
                || format!("orphan {id}"),
                findings,
            );
        }
        Ok(())
    })
}

fn live_attempts(conn: &Connection, findings: &mut Findings) -> Result<(), Fault> {
    let sql = "SELECT order_id, COUNT(*) FROM attempt WHERE state IN (?1, ?2) \
               GROUP BY order_id HAVING COUNT(*) > 1";
    let mut statement = conn.prepare_cached(sql)?;
    let live = [AttemptState::Calling.slug(), AttemptState::InDoubt.slug()];
    let mut rows = statement.query(params![live[0], live[1]])?;
    while let Some(row) = rows.next()? {
        let (order, attempts): (i64, i64) = (row.get(0)?, row.get(1)?);
        findings.add(
            "I-13",
            format!("order {order} has {attempts} live attempts"),
        );
    }
    Ok(())
}
