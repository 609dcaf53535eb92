//! What must hold in the books, checked by rules over rows: no SQL here, and none of the code that
//! writes the rows.

use std::collections::HashMap;

use domain::ids::{AccountId, OrderId};
use domain::ledger::{Book, Posting, Wallet};
use domain::ports::Violation;
use domain::top_up::Processor;
use domain::usd::Usd;

use crate::chain::{self, Event, Link};

/// Violations named in one audit at most; the rest is counted.
const NAMED_MAX: usize = 1000;

/// Tables whose rows are never changed and never removed.
pub(crate) const APPEND_ONLY: [&str; 19] = [
    "hold",
    "hold_change",
    "resolution",
    "adjustment",
    "upstream_link",
    "message",
    "observation",
    "journal",
    "entry",
    "credit",
    "balance_reading",
    "topup_credit",
    "topup_clearing",
    "topup_reversal",
    "processor_movement",
    "audit_log",
    "audit_node",
    "audit_checkpoint",
    "debit",
];

/// What an audit has found.
#[derive(Default)]
pub(crate) struct Findings {
    named: Vec<Violation>,
    more: u64,
}

impl Findings {
    /// One more.
    pub(crate) fn add(&mut self, rule: &'static str, detail: String) {
        if self.named.len() < NAMED_MAX {
            self.named.push(Violation { rule, detail });
        } else {
            self.more += 1;
        }
    }

    /// One more if something does not hold.
    pub(crate) fn require(&mut self, holds: bool, rule: &'static str, detail: impl Fn() -> String) {
        if !holds {
            self.add(rule, detail());
        }
    }

    /// All of them.
    pub(crate) fn into_violations(mut self) -> Vec<Violation> {
        if let (Some(last), true) = (self.named.last(), self.more > 0) {
            let (rule, detail) = (last.rule, format!("and {} more", self.more));
            self.named.push(Violation { rule, detail });
        }
        self.named
    }
}

/// A book from its cells; nothing if they contradict each other.
pub(crate) fn book(word: &str, account: Option<i64>, upstream: Option<String>) -> Option<Book> {
    let book = match (word, account.map(AccountId), upstream) {
        ("available", Some(account), None) => Book::Available(account),
        ("held", Some(account), None) => Book::Held(account),
        ("uncleared", Some(account), None) => Book::Uncleared(account),
        ("receivable", Some(account), None) => Book::Receivable(account),
        ("bank", None, None) => Book::Bank,
        ("sales", None, None) => Book::Sales,
        ("goodwill", None, None) => Book::Goodwill,
        ("writeoff", None, None) => Book::WriteOff,
        ("manual_clearing", None, None) => Book::ManualClearing,
        (word, None, None) if word.ends_with("_clearing") && word != "redeem_clearing" => {
            Book::ProcessorClearing(Processor::from_slug(word.trim_end_matches("_clearing"))?)
        }
        (word, None, None) if word.ends_with("_fees") => {
            Book::ProcessorFees(Processor::from_slug(word.trim_end_matches("_fees"))?)
        }
        ("redeem_clearing", None, None) => Book::RedeemClearing,
        ("funding", None, None) => Book::Funding,
        ("prepaid", None, Some(upstream)) => Book::Prepaid(upstream),
        ("cost", None, Some(upstream)) => Book::Cost(upstream),
        ("variance", None, Some(upstream)) => Book::Variance(upstream),
        ("orphan", None, Some(upstream)) => Book::Orphan(upstream),
        _ => return None,
    };
    Some(book)
}

/// A customer's books as the journal tells them.
struct Derived {
    available: i128,
    held: i128,
    uncleared: i128,
    receivable: i128,
    open_holds: i128,
    chain: Link,
    last_event: Option<i64>,
}

impl Default for Derived {
    fn default() -> Self {
        Self {
            available: 0,
            held: 0,
            uncleared: 0,
            receivable: 0,
            open_holds: 0,
            chain: chain::START,
            last_event: None,
        }
    }
}

/// All customers' books, derived anew.
#[derive(Default)]
pub(crate) struct Books(HashMap<AccountId, Derived>);

impl Books {
    /// One event with its legs and the hashes stored beside them.
    pub(crate) fn event(
        &mut self,
        event: Event<'_>,
        legs: &[(Posting, Option<Link>)],
        findings: &mut Findings,
    ) {
        let name = || format!("{} {} {}", event.kind, event.reference, event.seq);
        let sum: i128 = legs.iter().map(|(leg, _)| i128::from(leg.amount.0)).sum();
        findings.require(sum == 0, "I-01", || {
            format!("the legs of {} sum to {sum} micro-dollars", name())
        });
        for (leg, stored) in legs {
            let Some(owner) = leg.book.customer() else {
                continue;
            };
            let books = self.0.entry(owner).or_default();
            let amount = i128::from(leg.amount.0);
            match leg.book {
                Book::Available(_) => books.available += amount,
                Book::Held(_) => books.held += amount,
                Book::Uncleared(_) => books.uncleared += amount,
                // an asset: what is owed grows by debits
                _ => books.receivable -= amount,
            }
            let link = chain::extend(&books.chain, event, owner, leg);
            findings.require(Some(link) == *stored, "I-02", || {
                format!("the chain of account {owner} breaks at {}", name())
            });
            books.chain = stored.unwrap_or(link);
        }
    }

    /// An event's place in the list of its customer.
    pub(crate) fn place(
        &mut self,
        owner: AccountId,
        journal_id: i64,
        previous: Option<i64>,
        findings: &mut Findings,
    ) {
        let books = self.0.entry(owner).or_default();
        let last = books.last_event.replace(journal_id);
        findings.require(last == previous, "I-02", || {
            format!("event {journal_id} of account {owner} follows {previous:?}, not {last:?}")
        });
    }

    /// A hold that is not resolved.
    pub(crate) fn open_hold(&mut self, account: AccountId, amount: Usd) {
        self.0.entry(account).or_default().open_holds += i128::from(amount.0);
    }

    /// A stored wallet against what the journal tells; each account once.
    pub(crate) fn wallet(
        &mut self,
        account: AccountId,
        wallet: Wallet,
        (chain, last_event): (Link, Option<i64>),
        findings: &mut Findings,
    ) {
        let books = self.0.remove(&account).unwrap_or_default();
        let sides = [
            ("available", wallet.available, books.available),
            ("held", wallet.held, books.held),
            ("uncleared", wallet.uncleared, books.uncleared),
            ("receivable", wallet.receivable, books.receivable),
        ];
        for (side, stored, derived) in sides {
            findings.require(stored >= Usd::ZERO, "I-03", || {
                format!("account {account}: {side} is {stored}")
            });
            findings.require(i128::from(stored.0) == derived, "I-04", || {
                format!(
                    "account {account}: {side} is {stored}, entries sum to {derived} micro-dollars"
                )
            });
        }
        let open = books.open_holds;
        findings.require(i128::from(wallet.held.0) == open, "I-05", || {
            let held = wallet.held;
            format!("account {account}: held is {held}, open holds sum to {open} micro-dollars")
        });
        let at_end = chain == books.chain && last_event == books.last_event;
        findings.require(at_end, "I-02", || {
            format!("account {account}: the wallet is not at the end of its chain")
        });
    }

    /// What is left belongs to no wallet.
    pub(crate) fn finish(self, findings: &mut Findings) {
        for account in self.0.into_keys() {
            findings.add(
                "I-04",
                format!("account {account} has entries but no wallet"),
            );
        }
    }
}

/// A hold with what became of it.
pub(crate) struct HoldFacts {
    pub(crate) order: OrderId,
    pub(crate) account: AccountId,
    pub(crate) amount: Usd,
    /// Posted and released, once resolved.
    pub(crate) resolution: Option<(Usd, Usd)>,
    pub(crate) adjusted: Usd,
    /// Whether an order of either kind has this id.
    pub(crate) has_order: bool,
}

impl HoldFacts {
    /// Its parts against its amount.
    pub(crate) fn check(&self, books: &mut Books, findings: &mut Findings) {
        let Self { order, amount, .. } = self;
        findings.require(self.has_order, "I-12", || {
            let posted = match self.resolution {
                Some((posted, _)) => format!("posted {posted}"),
                None => "not resolved".into(),
            };
            format!(
                "a hold of {amount} of account {}, {posted}, is for order {order}, which is missing",
                self.account
            )
        });
        let Some((posted, released)) = self.resolution else {
            books.open_hold(self.account, *amount);
            return;
        };
        let parts = i128::from(posted.0) + i128::from(released.0);
        let whole = parts == i128::from(amount.0) && posted >= Usd::ZERO && released >= Usd::ZERO;
        findings.require(whole, "I-06", || {
            format!("order {order}: posted {posted} + released {released}, held {amount}")
        });
        let back = i128::from(released.0) + i128::from(self.adjusted.0);
        findings.require(back <= i128::from(amount.0), "I-07", || {
            format!(
                "order {order}: {released} + {} went back of {amount}",
                self.adjusted
            )
        });
    }
}
