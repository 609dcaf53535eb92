//! What must hold in the books, checked by rules over rows: no SQL here, and none of the code that
//! writes the rows.

use std::collections::HashMap;

use domain::activation::ActivationState;
use domain::ids::{AccountId, OrderId};
use domain::ledger::{Book, Posting, Wallet};
use domain::ports::Violation;
use domain::smm_order::SmmState;
use domain::time::{Millis, Timestamp};
use domain::usd::Usd;

use crate::chain::{self, Event, Link};

/// Violations named in one audit at most; the rest is counted.
const NAMED_MAX: usize = 1000;

/// A step that is overdue by more than this has no owner.
const PATIENCE: Millis = Millis::minutes(15);

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
        ("receivable", Some(account), None) => Book::Receivable(account),
        ("sales", None, None) => Book::Sales,
        ("goodwill", None, None) => Book::Goodwill,
        ("writeoff", None, None) => Book::WriteOff,
        ("manual_clearing", None, None) => Book::ManualClearing,
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
                _ => books.receivable += amount,
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
}

impl HoldFacts {
    /// Its parts against its amount.
    pub(crate) fn check(&self, books: &mut Books, findings: &mut Findings) {
        let Self { order, amount, .. } = self;
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

/// What the money of an order must look like in a state.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Money {
    Held,
    Released,
    Posted,
    Resolved,
}

/// Where an order of either kind stands.
#[derive(Clone, Copy)]
pub(crate) enum State {
    Otp(ActivationState),
    Smm(SmmState),
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Otp(state) => state.slug(),
            Self::Smm(state) => state.slug(),
        }
    }

    fn money(self) -> Money {
        use ActivationState as A;
        use SmmState as S;
        match self {
            Self::Otp(A::Received) => Money::Posted,
            Self::Otp(A::Cancelled | A::Failed) | Self::Smm(S::Undo | S::Failed) => Money::Released,
            Self::Smm(S::Resolved) => Money::Resolved,
            Self::Otp(A::Calling | A::InDoubt | A::Undo | A::Active | A::CancelRequested)
            | Self::Smm(S::Calling | S::InDoubt | S::Active | S::Review) => Money::Held,
        }
    }

    fn is_linked(self) -> bool {
        use ActivationState as A;
        use SmmState as S;
        matches!(
            self,
            Self::Otp(A::Undo | A::Active | A::CancelRequested | A::Received)
                | Self::Smm(S::Undo | S::Active | S::Resolved | S::Review)
        )
    }

    fn is_owned(self) -> bool {
        use ActivationState as A;
        use SmmState as S;
        matches!(
            self,
            Self::Otp(A::Calling | A::InDoubt | A::Undo | A::CancelRequested)
                | Self::Smm(S::Calling | S::InDoubt | S::Undo)
        )
    }
}

/// An order of either kind with the rows that must stand beside it.
pub(crate) struct OrderFacts {
    pub(crate) id: OrderId,
    pub(crate) account: AccountId,
    pub(crate) price: Usd,
    pub(crate) state: State,
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) upstream_id: Option<String>,
    /// The order the link names.
    pub(crate) linked_to: Option<OrderId>,
    /// Customer and amount of the hold.
    pub(crate) hold: Option<(AccountId, Usd)>,
    pub(crate) posted: Option<Usd>,
}

impl OrderFacts {
    /// The order against its hold, its resolution, its link and its clock.
    pub(crate) fn check(&self, now: Timestamp, findings: &mut Findings) {
        let (id, word) = (self.id, self.state.word());
        let held = self.hold == Some((self.account, self.price));
        findings.require(held, "I-12", || {
            let hold = self
                .hold
                .map(|(account, amount)| format!("{amount} of account {account}"));
            format!(
                "order {id} of account {} for {}: hold is {}",
                self.account,
                self.price,
                hold.unwrap_or_else(|| "missing".into())
            )
        });
        findings.require(self.money_fits(), "I-15", || {
            let posted = self.posted.map(|posted| posted.to_string());
            format!(
                "order {id} is {word}, posted {}",
                posted.unwrap_or_else(|| "nothing yet".into())
            )
        });
        let linked = self.upstream_id.is_some() && self.linked_to.is_some();
        findings.require(linked || !self.state.is_linked(), "I-15", || {
            format!("order {id} is {word} and not linked")
        });
        let own = self.linked_to.is_none_or(|order| order == id);
        findings.require(own, "I-14", || {
            format!(
                "the upstream id of order {id} is linked to order {:?}",
                self.linked_to
            )
        });
        if self.state.is_owned() {
            let what = || format!("order {id} ({word})");
            check_due(self.due_at, now, what, findings);
        }
    }

    fn money_fits(&self) -> bool {
        match (self.state.money(), self.posted) {
            (Money::Held, posted) => posted.is_none(),
            (Money::Released, posted) => posted == Some(Usd::ZERO),
            (Money::Posted, Some(posted)) => posted > Usd::ZERO || self.price == Usd::ZERO,
            (Money::Resolved, posted) => posted.is_some(),
            (Money::Posted, None) => false,
        }
    }
}

/// A step in the background has an owner: it is due some time, and not long ago.
pub(crate) fn check_due(
    due_at: Option<Timestamp>,
    now: Timestamp,
    what: impl Fn() -> String,
    findings: &mut Findings,
) {
    findings.require(due_at.is_some(), "I-20", || {
        format!("{} is never due", what())
    });
    let late = due_at.map(|due_at| now - due_at);
    findings.require(late.is_none_or(|late| late <= PATIENCE), "I-20", || {
        format!(
            "{} is overdue by {} s",
            what(),
            late.map_or(0, Millis::ceil_seconds)
        )
    });
}
