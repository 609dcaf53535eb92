//! A store that cannot tell what was withheld from one account.

use domain::activation::Wanted;
use domain::ids::{AccountId, OrderId, PersonId};
use domain::policy::{
    AbuseCase, AccountCase, Attestation, Behind, Blocked, Counters, LegalHold, NotYet,
    RecentNumber, RuleChange,
};
use domain::ports::{OwnAccounts, PolicyRows, Read, StoreError};
use domain::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::Database;

pub(super) struct Unread {
    rows: Arc<Database>,
    account: AccountId,
    fails: AtomicBool,
}

impl Unread {
    pub fn of(rows: &Arc<Database>, account: AccountId) -> Self {
        Self {
            rows: Arc::clone(rows),
            account,
            fails: AtomicBool::new(true),
        }
    }

    pub fn reads_again(&self) {
        self.fails.store(false, Ordering::SeqCst);
    }
}

macro_rules! as_stored {
    ($($name:ident($($arg:ident: $type:ty),*) -> $found:ty;)+) => {$(
        fn $name<'a>(&'a self, $($arg: $type),*) -> Read<'a, $found> {
            self.rows.$name($($arg),*)
        }
    )+};
}

impl OwnAccounts for Unread {
    as_stored! {
        is_own(staff: PersonId, account: AccountId) -> bool;
    }
}

impl PolicyRows for Unread {
    fn withheld_since(&self, account: AccountId, since: Timestamp) -> Read<'_, u64> {
        if account == self.account && self.fails.load(Ordering::SeqCst) {
            let why = StoreError("the disk is busy".to_owned());
            return Box::pin(async { Err(why) });
        }
        self.rows.withheld_since(account, since)
    }

    as_stored! {
        attestations(account: AccountId) -> Vec<Attestation>;
        blocked(limit: u32) -> Vec<Blocked>;
        abuse_cases(open_only: bool, limit: u32) -> Vec<AbuseCase>;
        abuse_case(id: i64) -> Option<AbuseCase>;
        activation_holding(number: &'a str, at: Option<Timestamp>) -> Option<Behind>;
        smm_order_before(target: &'a str, at: Timestamp) -> Option<Behind>;
        legal_holds(limit: u32) -> Vec<LegalHold>;
        numbers_to_forget(account: Option<AccountId>, before: Timestamp, limit: u32)
            -> Vec<(OrderId, String)>;
        is_overdue(before: Timestamp) -> bool;
        keeps_account(account: AccountId) -> Option<NotYet>;
        rule_changes(limit: u32) -> Vec<RuleChange>;
        rule_change(id: i64) -> Option<RuleChange>;
        account_cases(account: Option<AccountId>, open_only: bool, limit: u32)
            -> Vec<AccountCase>;
        account_case(id: i64) -> Option<AccountCase>;
        account_cases_due(until: Timestamp, limit: u32) -> Vec<AccountCase>;
        recent_numbers(account: AccountId, limit: u32) -> Vec<(Wanted, RecentNumber)>;
        shared_devices(since: Timestamp) -> Vec<Vec<AccountId>>;
        policy_counters() -> Counters;
    }
}
