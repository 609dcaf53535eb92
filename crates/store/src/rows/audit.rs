//! The audit's rows: one snapshot, each table streamed once, every money event derived anew from
//! the row that caused it.

use crate::sql::{Connection, Row, params, snapshot};
use domain::ids::{AccountId, OrderId};
use domain::ledger::{Entry, Posting, Wallet};
use domain::ports::Audit;
use domain::time::Timestamp;

use super::derive::{self, Derived};
use super::{audit_orders, audit_top_ups, balance, spending};
use crate::audit::{Books, Findings, HoldFacts, book};
use crate::chain::{Event, Link};
use crate::sql::cells::{Cells, one};
use crate::sql::fault::Fault;

/// Re-derives everything. `append_only`: whether the schema must keep what happened written.
pub(crate) fn run(
    conn: &dyn Connection,
    now: Timestamp,
    append_only: bool,
) -> Result<Audit, Fault> {
    snapshot(conn, |conn| whole(conn, now, append_only))
}

/// The same inside a transaction that is open.
pub(crate) fn inside(conn: &dyn Connection, now: Timestamp) -> Result<Audit, Fault> {
    whole(conn, now, true)
}

fn whole(conn: &dyn Connection, now: Timestamp, append_only: bool) -> Result<Audit, Fault> {
    let mut audit = Audit::default();
    let mut findings = Findings::default();
    let mut books = Books::default();
    if append_only {
        conn.check_triggers(&mut findings)?;
    }
    audit.entries = journal(conn, &mut books, &mut findings)?;
    audit.open_holds = holds(conn, &mut books, &mut findings)?;
    audit.accounts = wallets(conn, &mut books, &mut findings)?;
    books.finish(&mut findings);
    readings(conn, &mut findings)?;
    audit_orders::check(conn, now, &mut findings)?;
    audit_top_ups::check(conn, now, &mut findings)?;
    spending::check(conn, &mut findings)?;
    audit.violations = findings.into_violations();
    Ok(audit)
}

/// Shows each row of a query.
pub(crate) fn each(
    conn: &dyn Connection,
    sql: &str,
    mut see: impl FnMut(&Row<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    conn.stream(sql, &mut see)
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
    hold_changes: u64,
    resolutions: u64,
    adjustments: u64,
    credits: u64,
    debits: u64,
    redeemed: u64,
    top_ups: u64,
    clearings: u64,
    bonuses: u64,
    reversals: u64,
    movements: u64,
    readings: u64,
}

fn journal(
    conn: &dyn Connection,
    books: &mut Books,
    findings: &mut Findings,
) -> Result<u64, Fault> {
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

fn gather(id: i64, cells: &mut Cells<'_>) -> Result<Gathered, Fault> {
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

fn read_leg(cells: &mut Cells<'_>) -> Result<Option<(Posting, Option<Link>)>, Fault> {
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
    conn: &dyn Connection,
    event: &Gathered,
    seen: &mut Seen,
    books: &mut Books,
    findings: &mut Findings,
) -> Result<(), Fault> {
    seen.events += 1;
    seen.legs += event.legs.len() as u64;
    let derived = match event.kind.as_str() {
        "hold" => count(&mut seen.holds, derive::hold(conn, event.reference)?),
        "hold_change" => count(
            &mut seen.hold_changes,
            derive::hold_change(conn, event.reference, event.seq)?,
        ),
        "resolution" => count(
            &mut seen.resolutions,
            derive::resolution(conn, event.reference)?,
        ),
        "adjustment" => count(
            &mut seen.adjustments,
            derive::adjustment(conn, event.reference, event.seq)?,
        ),
        "credit" => count(&mut seen.credits, derive::credit(conn, event.reference)?),
        "debit" => count(&mut seen.debits, derive::debit(conn, event.reference)?),
        "redeem" => count(&mut seen.redeemed, derive::redeem(conn, event.reference)?),
        "top_up" => count(&mut seen.top_ups, derive::top_up(conn, event.reference)?),
        "top_up_bonus" => count(
            &mut seen.bonuses,
            derive::top_up_bonus(conn, event.reference)?,
        ),
        "top_up_cleared" => count(
            &mut seen.clearings,
            derive::top_up_cleared(conn, event.reference)?,
        ),
        "top_up_reversal" => count(
            &mut seen.reversals,
            derive::top_up_reversal(conn, event.reference, event.seq)?,
        ),
        "processor_movement" => count(
            &mut seen.movements,
            derive::processor_movement(conn, event.reference)?,
        ),
        "balance" => count(&mut seen.readings, derive::balance(conn, event.reference)?),
        "upstream_cost" => derive::upstream_cost(conn, event.reference, event.seq)?,
        _ => Derived::NotNeeded,
    };
    let is_cost = event.kind == "upstream_cost";
    let rule = if is_cost { "I-18" } else { "I-09" };
    let legs = || event.legs.iter().map(|(leg, _)| leg);
    let fits = match &derived {
        Derived::NotNeeded => true,
        Derived::Missing => false,
        Derived::Entry(entry) => entry.postings.iter().eq(legs()),
    };
    findings.require(fits, rule, || {
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

fn count(seen: &mut u64, entry: Option<Entry>) -> Derived {
    match entry {
        Some(entry) => {
            *seen += 1;
            Derived::Entry(entry)
        }
        None => Derived::Missing,
    }
}

fn repeated_causes(conn: &dyn Connection, findings: &mut Findings) -> Result<(), Fault> {
    let sql = "SELECT kind, reference, seq, COUNT(*) FROM journal \
               GROUP BY kind, reference, seq HAVING COUNT(*) > 1";
    each(conn, sql, |row| {
        let cells = &mut Cells::new("journal", row);
        let kind: String = cells.take()?;
        let (reference, seq, times): (i64, i64, i64) =
            (cells.take()?, cells.take()?, cells.take()?);
        findings.add(
            "I-09",
            format!("{kind} {reference} {seq} was booked {times} times"),
        );
        Ok(())
    })
}

/// Each event was found to have its row, so equal numbers mean that each row has its event.
fn rows_without_event(
    conn: &dyn Connection,
    seen: &Seen,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let tables = [
        ("hold", seen.holds),
        ("hold_change", seen.hold_changes),
        ("resolution", seen.resolutions),
        ("adjustment", seen.adjustments),
        ("credit", seen.credits),
        ("debit", seen.debits),
        ("redeem_code WHERE redeemed_by IS NOT NULL", seen.redeemed),
        ("topup_credit WHERE kind = 'credit'", seen.top_ups),
        ("topup_credit WHERE kind = 'bonus'", seen.bonuses),
        ("topup_clearing", seen.clearings),
        ("topup_reversal", seen.reversals),
        ("processor_movement", seen.movements),
        ("balance_reading WHERE booked <> 0", seen.readings),
        ("entry", seen.legs),
    ];
    for (table, events) in tables {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let rows = one(conn, &sql, params![], |row| {
            Cells::new("journal", row).count()
        })?;
        let rows = rows.unwrap_or(0);
        findings.require(rows == events, "I-09", || {
            format!("table {table} has {rows} rows, the journal tells of {events}")
        });
    }
    Ok(())
}

/// What each upstream's newest reading says of the books, against the journal.
fn readings(conn: &dyn Connection, findings: &mut Findings) -> Result<(), Fault> {
    for (upstream, row, told, derived) in balance::told_and_derived(conn)? {
        findings.require(told == derived, "I-18", || {
            format!("reading {row} of {upstream} counts {told} prepaid, the journal {derived}")
        });
    }
    Ok(())
}

fn holds(conn: &dyn Connection, books: &mut Books, findings: &mut Findings) -> Result<u64, Fault> {
    let sql = "SELECT h.order_id, h.account_id, h.amount, r.posted, r.released, \
               COALESCE((SELECT SUM(a.amount) FROM adjustment a WHERE a.order_id = h.order_id), 0), \
               EXISTS (SELECT 1 FROM activation o WHERE o.id = h.order_id) \
               OR EXISTS (SELECT 1 FROM smm_order o WHERE o.id = h.order_id) \
               FROM held h LEFT JOIN resolution r ON r.order_id = h.order_id ORDER BY h.order_id";
    let mut open = 0;
    each(conn, sql, |row| {
        let cells = &mut Cells::new("hold", row);
        let facts = HoldFacts {
            order: OrderId(cells.take()?),
            account: AccountId(cells.take()?),
            amount: cells.usd()?,
            resolution: cells.maybe_usd()?.zip(cells.maybe_usd()?),
            adjusted: cells.usd()?,
            has_order: cells.take()?,
        };
        open += u64::from(facts.resolution.is_none());
        facts.check(books, findings);
        Ok(())
    })?;
    Ok(open)
}

fn wallets(
    conn: &dyn Connection,
    books: &mut Books,
    findings: &mut Findings,
) -> Result<u64, Fault> {
    let sql = "SELECT a.id, w.available, w.held, w.receivable, w.uncleared, w.chain, w.last_event \
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
            uncleared: cells.usd()?,
        };
        let end = (cells.take()?, cells.take()?);
        books.wallet(account, wallet, end, findings);
        Ok(())
    })?;
    Ok(accounts)
}
