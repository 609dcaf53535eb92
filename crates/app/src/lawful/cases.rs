//! Cases against accounts: what raises them, what becomes of them by themselves, and what people decide.

use super::{Lawful, sentence};
use crate::accounts::AdminError;
use crate::acting;
use domain::access::Account;
use domain::audit_log::{Actor, By};
use domain::change::{CommitError, Refused, Write};
use domain::ids::{AccountId, PersonId};
use domain::policy::{
    AccountCase, CannotDecide, FAILED_KEYS, Measure, PolicyWrite, SHARED, Seen, Signal, WITHHELD,
    of_orders,
};
use domain::ticket::{Ticket, TicketKind};
use domain::time::Millis;

/// Cases listed at most.
const LISTED: u32 = 200;
/// Accounts of one device that are named.
const NAMED: usize = 50;
/// Cases that time out in one pass.
const DUE: u32 = 100;
/// Purchases of an account that are looked at, newest first.
const LATEST: u32 = 200;
/// Over which withheld messages are counted.
const WITHHELD_OVER: Millis = Millis::minutes(30 * 24 * 60);
/// Over which sessions are compared, and how often.
const SESSIONS_OVER: Millis = Millis::minutes(7 * 24 * 60);
const SESSIONS_LOOK: Millis = Millis::minutes(60);

/// What a person does about a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseDeed {
    /// Another rung.
    Step(Measure),
    /// It is over, and nothing holds because of it any longer.
    Dismiss,
    /// The account should be closed.
    ProposeClosure,
    /// It is closed: a second person agrees.
    GrantClosure,
}

impl CaseDeed {
    /// Reads what a form names.
    pub fn from_slug(slug: &str) -> Option<Self> {
        match slug {
            "dismiss" => Some(Self::Dismiss),
            "propose_closure" => Some(Self::ProposeClosure),
            "grant_closure" => Some(Self::GrantClosure),
            rung => Measure::from_slug(rung).map(Self::Step),
        }
    }
}

impl From<CannotDecide> for AdminError {
    fn from(why: CannotDecide) -> Self {
        match why {
            CannotDecide::TakesTwo => Self::Forbidden(why.sentence()),
            _ => Self::Conflict(why.sentence().to_owned()),
        }
    }
}

impl Lawful {
    /// Cases against one account or all, newest first.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn account_cases(
        &self,
        account: Option<AccountId>,
        open_only: bool,
    ) -> Result<Vec<AccountCase>, AdminError> {
        Ok(self.rows.account_cases(account, open_only, LISTED).await?)
    }

    /// One case.
    ///
    /// # Errors
    /// There is none.
    pub async fn account_case(&self, id: i64) -> Result<AccountCase, AdminError> {
        let found = self.rows.account_case(id).await?;
        found.ok_or_else(|| AdminError::NotFound(format!("case {id}")))
    }

    /// Staff open a case by hand: nothing holds because of it until somebody decides.
    ///
    /// # Errors
    /// There is no such account, or too little is said.
    pub async fn open_account_case(&self, id: AccountId, why: &str) -> Result<(), AdminError> {
        let why = sentence("what was seen", why)?;
        let account = self.engine.store().account(id).await?;
        let account = account.ok_or_else(|| AdminError::NotFound(format!("account {id}")))?;
        let writes = vec![self.raised(&account, (Signal::Staff, why), None)];
        self.engine.commit("open_account_case", writes).await?;
        Ok(())
    }

    /// Suspends or resumes an account as [`Engine::suspend_account`](crate::Engine::suspend_account) does.
    ///
    /// # Errors
    /// Those of the engine, or whoever acts would let an account of their own go on.
    pub async fn suspend_account(&self, id: AccountId, suspended: bool) -> Result<(), AdminError> {
        if !suspended {
            acting::not_own(self.rows.as_ref(), acting::staff(), id).await?;
        }
        self.engine.suspend_account(id, suspended).await
    }

    /// Whether an account is a member of staff's own: somebody else decides on it.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn is_own(&self, who: PersonId, account: AccountId) -> Result<bool, AdminError> {
        Ok(self.rows.is_own(who, account).await?)
    }

    /// A case for a signal, on the rung it begins on, or on one that was decided on at once.
    pub(super) fn raised(&self, account: &Account, seen: Seen, at_once: Option<Measure>) -> Write {
        let (id, now) = (self.engine.store().next_row_id(), self.engine.now());
        let case = AccountCase::raised(id, (account.id, account.tier), seen, now);
        let case = match at_once {
            Some(measure) => case.at_once(measure, now),
            None => case,
        };
        Write::Policy(PolicyWrite::RaiseCase(Box::new(case)))
    }

    /// A person decides on a case. What holds because of it holds from now on, at every process.
    ///
    /// # Errors
    /// There is none or it has moved meanwhile, its rules do not allow it, or too little is said.
    pub async fn decide_case(
        &self,
        who: PersonId,
        id: i64,
        (deed, note): (CaseDeed, &str),
    ) -> Result<AccountCase, AdminError> {
        let note = &sentence("the reason", note)?;
        let (before, now) = (self.account_case(id).await?, self.engine.now());
        acting::not_own(self.rows.as_ref(), Some(who), before.account).await?;
        let old = before.clone();
        let after = match deed {
            CaseDeed::Step(measure) => old.stepped(who, measure, note),
            CaseDeed::Dismiss => old.dismissed(who, note, now),
            CaseDeed::ProposeClosure => old.closure_proposed(who, note, now),
            CaseDeed::GrantClosure => old.closure_granted(who, note, now),
        }?;
        self.move_case("decide_case", (&before, after)).await
    }

    /// The holder of an account has shown their second factor: what asked for it asks no longer.
    ///
    /// # Errors
    /// No case asks for it.
    pub async fn challenge_met(&self, account: AccountId) -> Result<(), AdminError> {
        let open = self.account_cases(Some(account), true).await?;
        let mut asking = open
            .into_iter()
            .filter(|case| case.measure == Measure::Challenge)
            .peekable();
        if asking.peek().is_none() {
            return Err(CannotDecide::NoChallenge.into());
        }
        for case in asking {
            let met = case.clone().challenge_met()?;
            self.move_case("challenge_met", (&case, met)).await?;
        }
        Ok(())
    }

    /// The holder of an account says something against a case.
    ///
    /// # Errors
    /// It is none of theirs, they have said something before, or it is too short or too long.
    pub async fn appeal(&self, account: AccountId, id: i64, text: &str) -> Result<(), AdminError> {
        let case = self.account_case(id).await?;
        if case.account != account {
            return Err(AdminError::NotFound(format!("case {id}")));
        }
        let text = sentence("the appeal", text)?;
        let appealed = case.clone().appealed(&text, self.engine.now())?;
        self.move_case("appeal", (&case, appealed)).await.map(drop)
    }

    /// Writes a case as it is now, with what it means for the account's own flag. Money is not touched:
    /// open orders settle and refunds land whatever the flag says.
    async fn move_case(
        &self,
        name: &'static str,
        (before, after): (&AccountCase, AccountCase),
    ) -> Result<AccountCase, AdminError> {
        let flag = self.flag(&after).await?;
        let (id, ticket) = (after.id, self.answered_ticket(before, &after).await?);
        let mut writes = vec![Write::Policy(PolicyWrite::MoveCase(Box::new(after)))];
        writes.extend(flag.map(|account| Write::UpdateAccount(Box::new(account))));
        writes.extend(ticket);
        let written = self.engine.commit(name, writes).await;
        self.engine.callers.forget_account(before.account);
        self.engine.in_force_changed().await;
        match written {
            Err(CommitError::Refused(Refused::Stale)) => Err(AdminError::Conflict(format!(
                "case {id} has moved meanwhile: look again"
            ))),
            outcome => {
                outcome?;
                self.account_case(id).await
            }
        }
    }

    /// The close of the ticket that a person's decision answers.
    async fn answered_ticket(
        &self,
        before: &AccountCase,
        after: &AccountCase,
    ) -> Result<Option<Write>, AdminError> {
        let decided = after.decided_by.is_some() && before.decided_by != after.decided_by;
        if !decided {
            return Ok(None);
        }
        let open = self.engine.store().open_tickets(TicketKind::AccountCase);
        let mut open = open.await?.into_iter();
        let ticket = open.find(|ticket| ticket.reference == after.id);
        Ok(ticket.map(|ticket| Write::CloseTicket {
            ticket: ticket.id,
            note: after.note.clone().unwrap_or_default(),
        }))
    }

    /// The account suspended, where the case suspends it and it is not yet. What somebody decided on apart
    /// from the case may hold it too: [`Self::suspend_account`] alone lets it go on.
    async fn flag(&self, after: &AccountCase) -> Result<Option<Account>, AdminError> {
        if !after.measure.suspends_account() {
            return Ok(None);
        }
        let account = self.engine.store().account(after.account).await?;
        let account = account.filter(|account| !account.suspended);
        Ok(account.map(|account| Account {
            suspended: true,
            ..account
        }))
    }

    /// Looks for signals, and takes automatic steps that have stood too long to people.
    pub async fn look_at_accounts(&self) {
        let by = By::new(Actor::System);
        acting::acting(by, async {
            if let Err(error) = self.time_out().await {
                tracing::warn!(?error, "cases against accounts could not be looked at");
            }
            self.look_for_signals().await;
        })
        .await;
    }

    async fn time_out(&self) -> Result<(), AdminError> {
        let now = self.engine.now();
        for case in self.rows.account_cases_due(now, DUE).await? {
            let Some(late) = case.clone().timed_out(now) else {
                continue;
            };
            let ticket = Ticket::account_case(self.engine.store().next_row_id(), &late, now);
            let writes = vec![
                Write::Policy(PolicyWrite::MoveCase(Box::new(late))),
                Write::OpenTicket(Box::new(ticket)),
            ];
            if self.engine.step("case_timed_out", writes).await {
                self.engine.in_force_changed().await;
            }
        }
        Ok(())
    }

    /// An account that could not be looked at keeps no other one from it, and is noted for the next pass.
    async fn look_for_signals(&self) {
        let signals = &self.engine.signals;
        let noted = signals.take(self.engine.now());
        for account in noted.bought {
            if !looked_at(account, self.look_at_orders(account).await) {
                signals.bought(account);
            }
        }
        for account in noted.withheld {
            if !looked_at(account, self.look_at_withheld(account).await) {
                signals.withheld(account);
            }
        }
        // those are noted for an hour, and devices are compared over days
        for (account, count) in noted.failed_keys {
            let said = format!("{count} requests within an hour with keys that work no longer");
            let seen = (count >= FAILED_KEYS).then_some((Signal::FailedKeys, said));
            looked_at(account, self.raise(account, seen).await);
        }
        if self.engine.has_turn("shared devices", SESSIONS_LOOK).await {
            self.look_at_devices().await;
        }
    }

    async fn look_at_orders(&self, account: AccountId) -> Result<(), AdminError> {
        let seen = self.seen_of_orders(account).await?;
        self.raise(account, seen).await
    }

    async fn look_at_withheld(&self, account: AccountId) -> Result<(), AdminError> {
        let since = self.engine.now() - WITHHELD_OVER;
        let count = self.rows.withheld_since(account, since).await?;
        let said = format!("{count} messages withheld within 30 days");
        let seen = (count >= WITHHELD).then_some((Signal::WithheldMessages, said));
        self.raise(account, seen).await
    }

    async fn seen_of_orders(&self, account: AccountId) -> Result<Vec<Seen>, AdminError> {
        let latest = self.rows.recent_numbers(account, LATEST).await?;
        let latest: Vec<_> = latest
            .into_iter()
            .map(|(wanted, mut number)| {
                number.usual = self.engine.success_of(&wanted, None).0;
                number
            })
            .collect();
        Ok(of_orders(&latest, self.engine.now()))
    }

    async fn look_at_devices(&self) {
        let since = self.engine.now() - SESSIONS_OVER;
        let groups = match self.rows.shared_devices(since).await {
            Ok(groups) => groups,
            Err(error) => {
                tracing::warn!(?error, "devices of accounts could not be compared");
                return;
            }
        };
        for accounts in groups.iter().filter(|group| group.len() >= SHARED) {
            let said = of_one_device(accounts);
            for account in accounts {
                let seen = Some((Signal::SharedDevice, said.clone()));
                looked_at(*account, self.raise(*account, seen).await);
            }
        }
    }

    /// Raises a case for each signal that no case covers: what somebody has just looked at is not raised again.
    async fn raise(
        &self,
        id: AccountId,
        seen: impl IntoIterator<Item = Seen>,
    ) -> Result<(), AdminError> {
        let mut seen = seen.into_iter().peekable();
        if seen.peek().is_none() {
            return Ok(());
        }
        let known = self.account_cases(Some(id), false).await?;
        let now = self.engine.now();
        let Some(account) = self.engine.store().account(id).await? else {
            return Ok(());
        };
        for seen in seen {
            if known.iter().any(|case| case.covers(seen.0, now)) {
                continue;
            }
            tracing::warn!(
                account.id = id.0,
                signal = seen.0.slug(),
                "a signal raised a case against account {id}"
            );
            let writes = vec![self.raised(&account, seen, None)];
            self.engine.commit("raise_case", writes).await?;
            self.engine.in_force_changed().await;
        }
        Ok(())
    }
}

/// Whether an account could be looked at; where not, the log says so.
fn looked_at(account: AccountId, outcome: Result<(), AdminError>) -> bool {
    if let Err(error) = &outcome {
        tracing::warn!(
            account.id = account.0,
            ?error,
            "signals of account {account} could not be looked for"
        );
    }
    outcome.is_ok()
}

/// What a case says of accounts that share a device: which accounts, and nothing of the device.
fn of_one_device(accounts: &[AccountId]) -> String {
    let named = accounts.iter().take(NAMED);
    let named: Vec<String> = named.map(AccountId::to_string).collect();
    let (count, named) = (accounts.len(), named.join(", "));
    format!("{count} accounts signed in from one device: {named}")
}
