//! The ledger that the checks are put to: the product's own, or one with a planted defect.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use domain::access::KeyClaim;
use domain::change::{Refused, Write};
use domain::desk::{EventsOf, JournalEvent};
use domain::ids::AccountId;
use domain::ports::{DeskRows, Movement, OpenHold, PageRows};
use domain::time::{Millis, Timestamp};
use domain::top_up::Sum;
use domain::usd::Usd;

use super::super::{NOW, Outcome, World, refused, wait};
use crate::Database;
use crate::chain::{Link, START};
use crate::sql::cells::{Cells, one};
use crate::sql::params;

/// What is wrong with a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    /// An entry whose legs do not sum to zero is said to be written.
    TakesWhatDoesNotBalance,
    /// The oldest event is another one when it is looked at again.
    RewritesHistory,
    /// Legs are left out of the chain.
    ForgetsTheChain,
    /// What came a while ago counts again.
    CountsRepeats,
    /// What comes many times at once counts more than once.
    CountsDuplicates,
    /// Of many credits of one account one is acknowledged and not there.
    LosesUnderLoad,
    /// Of many transfers at once one only takes.
    HalvesATransfer,
    /// The balance that is shown leaves out what came back later.
    LeavesOutAdjustments,
    /// Of many withdrawals at once one finds money that is not there.
    Lends,
    /// An amount of one micro-dollar is too little to be counted.
    LosesSmallAmounts,
    /// An amount of any currency counts as dollars.
    MixesCurrencies,
    /// A reversed movement and its reversal are gone.
    ErasesWhatWasReversed,
    /// What is on hold is one hold less.
    ForgetsAHold,
    /// Two movements stand in the other order.
    SwapsNeighbours,
    /// What was refused once is said to be done when it comes again.
    ForgetsRefusals,
    /// A claim on a key never ends.
    KeepsClaims,
}

/// One ledger for one check.
pub(super) struct Ledger<'a> {
    pub(super) world: World<'a>,
    store: &'a Database,
    planted: Option<Defect>,
    /// Whether many callers are at work.
    crowded: AtomicBool,
    changes: AtomicU32,
    lent: AtomicBool,
    looked: AtomicBool,
    done: Mutex<HashSet<String>>,
    refusals: Mutex<HashSet<String>>,
    /// What came back to customers later.
    returned: Mutex<Vec<(AccountId, Usd)>>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(store: &'a Database, planted: Option<Defect>) -> Self {
        Self {
            world: World::new(store),
            store,
            planted,
            crowded: AtomicBool::new(false),
            changes: AtomicU32::new(0),
            lent: AtomicBool::new(false),
            looked: AtomicBool::new(false),
            done: Mutex::default(),
            refusals: Mutex::default(),
            returned: Mutex::default(),
        }
    }

    fn has(&self, defect: Defect) -> bool {
        self.planted == Some(defect)
    }

    pub(super) fn apply(&self, writes: Vec<Write>) -> Outcome {
        self.apply_at(NOW, writes)
    }

    pub(super) fn apply_at(&self, at: Timestamp, mut writes: Vec<Write>) -> Outcome {
        let called = format!("{writes:?}");
        let crowded = self.crowded.load(Ordering::SeqCst);
        if let Some(outcome) = self.spoil(&mut writes, &called, crowded) {
            return outcome;
        }
        let outcome = self.world.commit_at(at, writes.clone());
        if outcome.is_ok() {
            self.done.lock().unwrap().insert(called.clone());
            let returned = writes.iter().filter_map(|write| match write {
                Write::Adjust {
                    account, amount, ..
                } => Some((*account, *amount)),
                _ => None,
            });
            self.returned.lock().unwrap().extend(returned);
        }
        match outcome == refused(Refused::InsufficientFunds) {
            true => self.after_refusal(writes, called, crowded),
            false => outcome,
        }
    }

    /// What a planted defect makes of a change before it is written.
    fn spoil(&self, writes: &mut Vec<Write>, called: &str, crowded: bool) -> Option<Outcome> {
        let before = self.changes.fetch_add(1, Ordering::SeqCst);
        match (self.planted?, writes.as_mut_slice()) {
            (Defect::TakesWhatDoesNotBalance, [Write::Book(entry)]) => {
                let sum: i64 = entry.postings.iter().map(|leg| leg.amount.0).sum();
                (sum != 0).then_some(Ok(()))
            }
            (Defect::CountsRepeats, [Write::Credit { row, .. }]) => {
                let again = !crowded && self.done.lock().unwrap().contains(called);
                if again {
                    *row = self.world.store.next_row_id();
                }
                None
            }
            (Defect::CountsDuplicates, [Write::Credit { row, .. }]) if crowded => {
                *row = self.world.store.next_row_id();
                None
            }
            (Defect::LosesUnderLoad, [Write::Credit { .. }]) if crowded && before == 200 => {
                Some(Ok(()))
            }
            (Defect::HalvesATransfer, [Write::Debit { .. }, Write::Credit { .. }])
                if before == 100 =>
            {
                writes.pop();
                None
            }
            (Defect::LosesSmallAmounts, [Write::Credit { amount, .. }, ..]) => {
                if *amount == Usd(1) && before == 5 {
                    writes.pop();
                }
                None
            }
            (Defect::KeepsClaims, [Write::Claim(KeyClaim { expires_at, .. }), ..]) => {
                *expires_at = NOW + Millis::minutes(1_000_000);
                None
            }
            _ => None,
        }
    }

    fn after_refusal(&self, mut writes: Vec<Write>, called: String, crowded: bool) -> Outcome {
        let refusal = refused(Refused::InsufficientFunds);
        if self.has(Defect::ForgetsRefusals) && !self.refusals.lock().unwrap().insert(called) {
            return Ok(());
        }
        let Some(Write::Debit {
            account, amount, ..
        }) = writes.first()
        else {
            return refusal;
        };
        let alone = crowded && writes.len() == 1;
        if !self.has(Defect::Lends) || !alone || self.lent.swap(true, Ordering::SeqCst) {
            return refusal;
        }
        writes.insert(0, self.world.credit(*account, *amount));
        self.world.commit(writes)
    }

    /// The same or other changes from so many callers at once.
    pub(super) fn at_once(
        &self,
        times: usize,
        change: impl Fn(usize) -> Vec<Write> + Sync,
    ) -> Vec<Outcome> {
        self.crowded.store(true, Ordering::SeqCst);
        let change = &change;
        let outcomes = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..times)
                .map(|number| scope.spawn(move || self.apply(change(number))))
                .collect();
            calls.into_iter().map(|one| one.join().unwrap()).collect()
        });
        self.crowded.store(false, Ordering::SeqCst);
        outcomes
    }

    /// Available and held, in micro-dollars.
    pub(super) fn money(&self, account: AccountId) -> (i64, i64) {
        let (available, held) = self.world.money(account);
        if !self.has(Defect::LeavesOutAdjustments) {
            return (available, held);
        }
        let returned = self.returned.lock().unwrap();
        let of_account = returned.iter().filter(|(owner, _)| *owner == account);
        (
            available - of_account.map(|(_, amount)| amount.0).sum::<i64>(),
            held,
        )
    }

    /// Every event of a customer, oldest first.
    pub(super) fn events(&self, account: AccountId) -> Vec<JournalEvent> {
        let wanted = EventsOf {
            account: Some(account),
            limit: 2_000,
            ..EventsOf::default()
        };
        let mut events = wait(self.store.events(&wanted)).unwrap();
        events.reverse();
        if self.has(Defect::RewritesHistory) && self.looked.swap(true, Ordering::SeqCst) {
            events[0].at = events[0].at + Millis(1);
        }
        if self.has(Defect::ErasesWhatWasReversed) {
            let moved = |event: &JournalEvent| event.legs.first().map_or(0, |leg| leg.2.0.abs());
            let of = |kind: &str| -> HashSet<i64> {
                let such = events.iter().filter(|event| event.kind == kind);
                such.map(moved).collect()
            };
            let reversed = &of("credit") & &of("debit");
            events.retain(|event| !reversed.contains(&moved(event)));
        }
        events
    }

    /// The chain over a customer's legs as it is stored.
    pub(super) fn link(&self, account: AccountId) -> Link {
        if self.has(Defect::ForgetsTheChain) {
            return START;
        }
        let stored = self.store.ask(move |conn| {
            let sql = "SELECT chain FROM wallet WHERE account_id = ?1";
            one(conn, sql, params![account.0], |row| {
                Cells::new("wallet", row).take::<Link>()
            })
        });
        wait(stored).unwrap().unwrap()
    }

    /// A customer's movements, newest first.
    pub(super) fn statement(&self, account: AccountId) -> Vec<Movement> {
        let mut rows = wait(self.store.statement(account, None, 2_000)).unwrap();
        if self.has(Defect::SwapsNeighbours) {
            rows.swap(0, 1);
        }
        rows
    }

    /// What a customer's money is on hold for.
    pub(super) fn open_holds(&self, account: AccountId) -> Vec<OpenHold> {
        let mut holds = wait(self.store.open_holds(account, 2_000)).unwrap();
        if self.has(Defect::ForgetsAHold) {
            holds.pop();
        }
        holds
    }

    /// An amount as it may be credited.
    pub(super) fn dollars(&self, sum: &Sum) -> Option<Usd> {
        if self.has(Defect::MixesCurrencies) {
            return Some(Usd(sum.minor * 10_000));
        }
        sum.usd()
    }
}
