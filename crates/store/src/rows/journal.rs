//! The books: wallets as the pure rules make them, journal events and their legs.

use std::collections::HashMap;

use crate::sql::{Connection, params};
use domain::ids::{AccountId, OrderId};
use domain::ledger::{Entry, Wallet};
use domain::time::Timestamp;
use domain::usd::Usd;

use crate::chain::{self, Event, Link};
use crate::sql::cells::{Cells, one};
use crate::sql::fault::Fault;
use domain::change::Refused;

/// A wallet row as it will be when the group is committed.
struct Kept {
    wallet: Wallet,
    chain: Link,
    last_event: Option<i64>,
    moved: bool,
}

impl Kept {
    /// A wallet that never moved.
    const NEW: Self = Self {
        wallet: Wallet {
            available: Usd::ZERO,
            held: Usd::ZERO,
            receivable: Usd::ZERO,
            uncleared: Usd::ZERO,
        },
        chain: chain::START,
        last_event: None,
        moved: false,
    };
}

/// The wallets a group touches: read once inside its transaction, written once at its end.
#[derive(Default)]
pub(crate) struct Wallets {
    kept: HashMap<AccountId, Kept>,
    /// The journal's newest event, once one is to follow it: ids are in the order of commits,
    /// whatever the engine would give.
    newest_event: Option<i64>,
}

impl Wallets {
    /// The wallet as the changes so far left it; nothing if there is none.
    pub(crate) fn get(
        &mut self,
        conn: &dyn Connection,
        account: AccountId,
    ) -> Result<Option<Wallet>, Fault> {
        if let Some(kept) = self.kept.get(&account) {
            return Ok(Some(kept.wallet));
        }
        let Some(kept) = read(conn, account)? else {
            return Ok(None);
        };
        let wallet = kept.wallet;
        self.kept.insert(account, kept);
        Ok(Some(wallet))
    }

    /// The wallet after a change whose guards all passed.
    pub(crate) fn set(&mut self, account: AccountId, wallet: Wallet) {
        let kept = self.kept.entry(account).or_insert(Kept::NEW);
        kept.wallet = wallet;
    }

    /// Asks for what is asked for once in a group.
    pub(crate) fn foresee(&mut self, conn: &dyn Connection) {
        let _unknown_yet = self.next_event(conn);
    }

    /// The id of one event more.
    fn next_event(&mut self, conn: &dyn Connection) -> Result<i64, Fault> {
        let newest = match self.newest_event {
            Some(newest) => newest,
            None => {
                let sql = "SELECT COALESCE(MAX(id), 0) FROM journal";
                let found = one(conn, sql, params![], |row| {
                    Cells::new("journal", row).take()
                })?;
                found.unwrap_or(0)
            }
        };
        self.newest_event = Some(newest + 1);
        Ok(newest + 1)
    }

    /// A new event of the customer.
    fn set_last_event(&mut self, account: AccountId, journal_id: i64) {
        if let Some(kept) = self.kept.get_mut(&account) {
            kept.last_event = Some(journal_id);
            kept.moved = true;
        }
    }

    /// The customer's newest event so far.
    fn last_event(&self, account: AccountId) -> Option<i64> {
        self.kept.get(&account).and_then(|kept| kept.last_event)
    }

    /// One leg of a customer more: the chain after it.
    fn extend(&mut self, account: AccountId, next: impl FnOnce(&Link) -> Link) -> Option<Link> {
        let kept = self.kept.get_mut(&account)?;
        kept.chain = next(&kept.chain);
        Some(kept.chain)
    }

    /// Writes every wallet that moved, by ascending id.
    pub(crate) fn save(&self, conn: &dyn Connection) -> Result<(), Fault> {
        let mut moved: Vec<_> = self.kept.iter().filter(|(_, kept)| kept.moved).collect();
        moved.sort_unstable_by_key(|(account, _)| **account);
        let sql = "UPDATE wallet SET available = ?2, held = ?3, receivable = ?4, uncleared = ?5, \
                   chain = ?6, last_event = ?7 WHERE account_id = ?1";
        for (account, kept) in moved {
            let wallet = &kept.wallet;
            let cells = params![
                account.0,
                wallet.available.0,
                wallet.held.0,
                wallet.receivable.0,
                wallet.uncleared.0,
                kept.chain,
                kept.last_event,
            ];
            conn.write_one(sql, cells, Refused::NoSuchAccount)?;
        }
        Ok(())
    }
}

/// An empty wallet.
pub(crate) fn open_wallet(conn: &dyn Connection, account: AccountId) -> Result<(), Fault> {
    let sql = "INSERT INTO wallet (account_id, available, held, receivable, chain) \
               VALUES (?1, 0, 0, 0, ?2)";
    conn.write(sql, params![account.0, chain::START])
}

fn read(conn: &dyn Connection, account: AccountId) -> Result<Option<Kept>, Fault> {
    let sql = "SELECT available, held, receivable, uncleared, chain, last_event FROM wallet \
               WHERE account_id = ?1";
    one(conn, sql, params![account.0], |row| {
        let cells = &mut Cells::new("wallet", row);
        Ok(Kept {
            wallet: Wallet {
                available: cells.usd()?,
                held: cells.usd()?,
                receivable: cells.usd()?,
                uncleared: cells.usd()?,
            },
            chain: cells.take()?,
            last_event: cells.take()?,
            moved: false,
        })
    })
}

/// A customer's money.
pub(crate) fn wallet(conn: &dyn Connection, account: AccountId) -> Result<Option<Wallet>, Fault> {
    Ok(read(conn, account)?.map(|kept| kept.wallet))
}

/// When the newest entry was made, if there is one.
pub(crate) fn newest_entry(conn: &dyn Connection) -> Result<Option<Timestamp>, Fault> {
    let sql = "SELECT at FROM journal ORDER BY id DESC LIMIT 1";
    one(conn, sql, &[], |row| Cells::new("journal", row).time())
}

/// Appends an event and its legs.
pub(crate) fn append(
    conn: &dyn Connection,
    wallets: &mut Wallets,
    entry: &Entry,
    at: Timestamp,
) -> Result<(), Fault> {
    let (kind, reference, seq) = entry.cause.parts();
    let customer = entry.postings.iter().find_map(|leg| leg.book.customer());
    let previous = customer.and_then(|account| wallets.last_event(account));
    let journal_id = wallets.next_event(conn)?;
    let sql = "INSERT INTO journal (id, kind, reference, seq, at, account_id, previous) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let owner = customer.map(|account| account.0);
    let cells = params![journal_id, kind, reference, seq, at.0, owner, previous];
    conn.write(sql, cells)?;
    if let Some(account) = customer {
        wallets.set_last_event(account, journal_id);
    }
    let event = Event {
        kind,
        reference,
        seq,
        at,
    };
    let sql = "INSERT INTO entry (journal_id, leg, book, account_id, upstream, amount, chain) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    for (number, leg) in (1_i64..).zip(&entry.postings) {
        let owner = leg.book.customer();
        let link = owner.and_then(|account| {
            wallets.extend(account, |before| chain::extend(before, event, account, leg))
        });
        conn.write(
            sql,
            params![
                journal_id,
                number,
                leg.book.slug(),
                owner.map(|account| account.0),
                leg.book.upstream(),
                leg.amount.0,
                link,
            ],
        )?;
    }
    Ok(())
}

/// Money set aside.
pub(crate) fn insert_hold(
    conn: &dyn Connection,
    account: AccountId,
    order: OrderId,
    amount: Usd,
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO hold (order_id, account_id, amount, created_at) VALUES (?1, ?2, ?3, ?4)";
    conn.write(sql, params![order.0, account.0, amount.0, at.0])
}

/// The hold of an order fits another price.
pub(crate) fn insert_hold_change(
    conn: &dyn Connection,
    order: OrderId,
    seq: i64,
    more: Usd,
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO hold_change (order_id, seq, amount, at) VALUES (?1, ?2, ?3, ?4)";
    conn.write(sql, params![order.0, seq, more.0, at.0])
}

/// What is known of an order's hold.
pub(crate) struct HoldRow {
    /// Whose.
    pub(crate) account: AccountId,
    /// Amount.
    pub(crate) amount: Usd,
    /// What went back at the resolution, once there was one.
    pub(crate) released: Option<Usd>,
    /// What went back by adjustments since.
    pub(crate) adjusted: Usd,
}

/// An order's hold.
pub(crate) fn hold(conn: &dyn Connection, order: OrderId) -> Result<Option<HoldRow>, Fault> {
    let sql = "SELECT h.account_id, h.amount, r.released, \
               (SELECT COALESCE(SUM(a.amount), 0) FROM adjustment a WHERE a.order_id = h.order_id) \
               FROM held h LEFT JOIN resolution r ON r.order_id = h.order_id \
               WHERE h.order_id = ?1";
    one(conn, sql, params![order.0], |row| {
        let cells = &mut Cells::new("hold", row);
        Ok(HoldRow {
            account: AccountId(cells.take()?),
            amount: cells.usd()?,
            released: cells.maybe_usd()?,
            adjusted: cells.usd()?,
        })
    })
}

/// The one outcome of a hold.
pub(crate) fn insert_resolution(
    conn: &dyn Connection,
    order: OrderId,
    (posted, released): (Usd, Usd),
    reason: &str,
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO resolution (order_id, posted, released, reason, at) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    conn.write(sql, params![order.0, posted.0, released.0, reason, at.0])
}

/// More goes back.
pub(crate) fn insert_adjustment(
    conn: &dyn Connection,
    order: OrderId,
    (seq, amount): (i64, Usd),
    observation: Option<i64>,
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO adjustment (order_id, seq, amount, at, observation) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    conn.write(sql, params![order.0, seq, amount.0, at.0, observation])
}

/// The operator's credit.
pub(crate) fn insert_credit(
    conn: &dyn Connection,
    account: AccountId,
    row: i64,
    amount: Usd,
    note: &str,
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO credit (id, account_id, amount, note, at) VALUES (?1, ?2, ?3, ?4, ?5)";
    conn.write(sql, params![row, account.0, amount.0, note, at.0])
}

/// The operator's debit.
pub(crate) fn insert_debit(
    conn: &dyn Connection,
    account: AccountId,
    row: i64,
    amount: Usd,
    note: &str,
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO debit (id, account_id, amount, note, at) VALUES (?1, ?2, ?3, ?4, ?5)";
    conn.write(sql, params![row, account.0, amount.0, note, at.0])
}
