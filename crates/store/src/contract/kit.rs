//! Duplicates at once, a hot account and duplicates of a refusal, as the public ledger conformance
//! kit has them. Each check is also put to ledgers with one planted defect: it has to notice its own
//! and no other.

use domain::access::{KeptAnswer, KeyClaim};
use domain::change::{Refused, Write};
use domain::ids::AccountId;
use domain::ports::Store;
use domain::time::Millis;
use domain::usd::Usd;
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{NOW, Outcome, PLAN, PRICE, World, refused};

/// What is wrong with a ledger; `None` is the product's own.
type Planted = Option<Defect>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    /// A duplicate is a change of its own.
    CountsDuplicates,
    /// Of many credits of one account one is acknowledged and not there.
    LosesUnderLoad,
    /// What was refused once is said to be done when it comes again.
    ForgetsRefusals,
}

struct Ledger<'a> {
    world: World<'a>,
    planted: Planted,
    credits: AtomicU32,
    refusals: Mutex<HashSet<String>>,
}

impl<'a> Ledger<'a> {
    fn new(store: &'a dyn Store, planted: Planted) -> Self {
        Self {
            world: World::new(store),
            planted,
            credits: AtomicU32::new(0),
            refusals: Mutex::default(),
        }
    }

    fn apply(&self, mut writes: Vec<Write>) -> Outcome {
        let called = format!("{writes:?}");
        if let [Write::Credit { row, .. }] = writes.as_mut_slice() {
            let before = self.credits.fetch_add(1, Ordering::SeqCst);
            match self.planted {
                Some(Defect::CountsDuplicates) => *row = self.world.store.next_row_id(),
                Some(Defect::LosesUnderLoad) if before == 200 => return Ok(()),
                _ => {}
            }
        }
        let outcome = self.world.commit(writes);
        if self.planted == Some(Defect::ForgetsRefusals)
            && outcome == refused(Refused::InsufficientFunds)
            && !self.refusals.lock().unwrap().insert(called)
        {
            return Ok(());
        }
        outcome
    }

    /// The same change from so many callers at once.
    fn at_once(&self, times: usize, change: impl Fn() -> Vec<Write> + Sync) -> Vec<Outcome> {
        std::thread::scope(|scope| {
            let calls: Vec<_> = (0..times)
                .map(|_| scope.spawn(|| self.apply(change())))
                .collect();
            calls.into_iter().map(|one| one.join().unwrap()).collect()
        })
    }
}

/// Check 5: of 64 equal changes at once one counts.
fn duplicates_at_once(ledger: &Ledger<'_>) -> Result<(), String> {
    let ana = ledger.world.customer(Usd::ZERO);
    let credit = ledger.world.credit(ana, Usd(7));
    let outcomes = ledger.at_once(64, || vec![credit.clone()]);
    let applied = outcomes.iter().filter(|one| one.is_ok()).count();
    equal(
        "applied, available",
        &(applied, money(ledger, ana)),
        &(1, (7, 0)),
    )
}

/// Check 6: 500 credits of one account at once are all there.
fn a_hot_account(ledger: &Ledger<'_>) -> Result<(), String> {
    let ana = ledger.world.customer(Usd::ZERO);
    let outcomes = ledger.at_once(500, || vec![ledger.world.credit(ana, Usd(3))]);
    let applied = outcomes.iter().filter(|one| one.is_ok()).count();
    let expected = (500, (1_500, 0));
    equal(
        "applied, available",
        &(applied, money(ledger, ana)),
        &expected,
    )
}

/// Check 15: 32 duplicates of a purchase without funds stay refused, at once and after the money
/// came, for its key remembers the refusal.
fn duplicates_of_a_refusal(ledger: &Ledger<'_>) -> Result<(), String> {
    let world = &ledger.world;
    let ana = world.customer(Usd(PRICE.0 - 1));
    let claim = |answer| {
        Write::Claim(KeyClaim {
            account: ana,
            endpoint: "/otp buy".into(),
            key: "once".into(),
            fingerprint: [1; 32],
            answer,
            expires_at: NOW + Millis(1),
        })
    };
    let order = world.new_activation(ana);
    let mut buy = vec![claim(KeptAnswer::Order(order.id))];
    buy.extend(order.open(&PLAN));
    let outcomes = ledger.at_once(32, || buy.clone());
    let without_funds = refused(Refused::InsufficientFunds);
    let refusals = outcomes.iter().filter(|one| **one == without_funds).count();
    equal("refused at once", &refusals, &32)?;
    let kept = vec![claim(KeptAnswer::InsufficientFunds)];
    equal("kept", &world.commit(kept), &Ok(()))?;
    let pay = vec![world.credit(ana, PRICE)];
    equal("paid in", &world.commit(pay), &Ok(()))?;
    let outcomes = ledger.at_once(32, || buy.clone());
    let taken = refused(Refused::KeyTaken);
    let refusals = outcomes.iter().filter(|one| **one == taken).count();
    equal("refused with funds", &refusals, &32)?;
    equal("untouched", &money(ledger, ana), &(2 * PRICE.0 - 1, 0))
}

fn money(ledger: &Ledger<'_>, account: AccountId) -> (i64, i64) {
    ledger.world.money(account)
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, is: &T, should: &T) -> Result<(), String> {
    match is == should {
        true => Ok(()),
        false => Err(format!("{what}: {is:?} instead of {should:?}")),
    }
}

type Check = fn(&Ledger<'_>) -> Result<(), String>;

const CHECKS: [(&str, Check, Defect); 3] = [
    ("5", duplicates_at_once, Defect::CountsDuplicates),
    ("6", a_hot_account, Defect::LosesUnderLoad),
    ("15", duplicates_of_a_refusal, Defect::ForgetsRefusals),
];

pub(crate) fn the_kits_checks_hold(store: &dyn Store) {
    for (name, check, _) in CHECKS {
        assert_eq!(check(&Ledger::new(store, None)), Ok(()), "check {name}");
    }
    World::new(store).audited();
}

pub(crate) fn each_planted_defect_breaks_its_own_check(store: &dyn Store) {
    for (planted, _, defect) in CHECKS {
        for (name, check, _) in CHECKS {
            let broken = check(&Ledger::new(store, Some(defect))).is_err();
            assert_eq!(broken, name == planted, "check {name} of {defect:?}");
        }
    }
}
