//! What the policy engine remembers, as use cases ask for it.

use super::{OwnAccounts, Read};
use crate::activation::Wanted;
use crate::ids::{AccountId, OrderId};
use crate::policy::{
    AbuseCase, AccountCase, Attestation, Behind, Blocked, Counters, LegalHold, NotYet,
    RecentNumber, RuleChange,
};
use crate::time::Timestamp;

/// What the policy engine remembers; written through [`Store::commit`](super::Store::commit).
pub trait PolicyRows: OwnAccounts {
    /// What an account has attested, newest first.
    fn attestations(&self, account: AccountId) -> Read<'_, Vec<Attestation>>;
    /// What is not to be used, newest first.
    fn blocked(&self, limit: u32) -> Read<'_, Vec<Blocked>>;
    /// Reports, newest first; only the open ones, or all.
    fn abuse_cases(&self, open_only: bool, limit: u32) -> Read<'_, Vec<AbuseCase>>;
    /// One report.
    fn abuse_case(&self, id: i64) -> Read<'_, Option<AbuseCase>>;
    /// The activation that held a number (its digits) at a time, give or take what a reporter's clock may
    /// be off, or ever; the latest, also where the number is kept as its hash only.
    fn activation_holding<'a>(
        &'a self,
        number: &'a str,
        at: Option<Timestamp>,
    ) -> Read<'a, Option<Behind>>;
    /// The latest SMM order for a target before a time.
    fn smm_order_before<'a>(&'a self, target: &'a str, at: Timestamp) -> Read<'a, Option<Behind>>;
    /// What is under legal hold, newest first.
    fn legal_holds(&self, limit: u32) -> Read<'_, Vec<LegalHold>>;
    /// Orders that ended before a time and still have their number in clear, not under hold, and what the
    /// number's hash is; of one account or of all.
    fn numbers_to_forget(
        &self,
        account: Option<AccountId>,
        before: Timestamp,
        limit: u32,
    ) -> Read<'_, Vec<(OrderId, String)>>;
    /// Whether [`PolicyWrite::ForgetBefore`](crate::policy::PolicyWrite::ForgetBefore) with this time has
    /// answers or mails to forget.
    fn is_overdue(&self, before: Timestamp) -> Read<'_, bool>;
    /// Why an account cannot be deleted yet, if it cannot.
    fn keeps_account(&self, account: AccountId) -> Read<'_, Option<NotYet>>;
    /// What was asked to be loosened of the rules, newest first.
    fn rule_changes(&self, limit: u32) -> Read<'_, Vec<RuleChange>>;
    /// One of them.
    fn rule_change(&self, id: i64) -> Read<'_, Option<RuleChange>>;
    /// Cases against accounts, newest first: those of one account or of all, only the open ones or all.
    fn account_cases(
        &self,
        account: Option<AccountId>,
        open_only: bool,
        limit: u32,
    ) -> Read<'_, Vec<AccountCase>>;
    /// One case against an account.
    fn account_case(&self, id: i64) -> Read<'_, Option<AccountCase>>;
    /// Cases whose automatic step times out until then, longest due first.
    fn account_cases_due(&self, until: Timestamp, limit: u32) -> Read<'_, Vec<AccountCase>>;
    /// What an account bought last, newest first, without what is usual there.
    fn recent_numbers(
        &self,
        account: AccountId,
        limit: u32,
    ) -> Read<'_, Vec<(Wanted, RecentNumber)>>;
    /// How many messages of an account's numbers were withheld since then.
    fn withheld_since(&self, account: AccountId, since: Timestamp) -> Read<'_, u64>;
    /// Accounts that were used from one device (address and browser) since then, for each such device;
    /// which device is told to nobody.
    fn shared_devices(&self, since: Timestamp) -> Read<'_, Vec<Vec<AccountId>>>;
    /// How the rules work out.
    fn policy_counters(&self) -> Read<'_, Counters>;
}
