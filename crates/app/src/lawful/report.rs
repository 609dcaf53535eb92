//! Reports of abuse by anybody, legal holds, and what the public may know.

use super::{Lawful, kept, sentence};
use crate::accounts::AdminError;
use crate::acting;
use domain::access::Account;
use domain::audit_log::{Actor, By};
use domain::change::{CommitError, Refused, Write};
use domain::phone::Phone;
use domain::policy::{
    AbuseCase, BlockedKind, Counters, Harm, Held, LegalHold, Measure, PolicyWrite, Signal,
};
use domain::time::{Millis, Timestamp};
use std::sync::PoisonError;

/// Letters of a receipt that nobody confuses.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";
/// Letters of a receipt.
const RECEIPT: usize = 12;
/// Characters of a reporter's address.
const CONTACT_MAX: usize = 200;
/// Cases and holds listed at most.
const LISTED: u32 = 1000;
/// The public counters are counted anew no sooner: anybody may ask for them.
const COUNTED_FOR: Millis = Millis::minutes(10);

/// What a stranger reports.
#[derive(Clone, Debug)]
pub struct Report {
    /// A number or the address of a page.
    pub subject: String,
    /// When it happened, as far as they know.
    pub at: Option<Timestamp>,
    /// What was harmed.
    pub harm: Harm,
    /// What happened.
    pub what: String,
    /// How to reach them; may be empty.
    pub contact: String,
}

impl Lawful {
    /// Takes a report in. Gives its receipt, and nothing about anybody: whoever stands behind it is the
    /// operator's to know.
    ///
    /// # Errors
    /// A field is unusable; which and why.
    pub async fn report(&self, report: Report) -> Result<String, AdminError> {
        let (kind, subject) = subject_of(&report.subject)?;
        let what = sentence("what happened", &report.what)?;
        let contact = report.contact.trim();
        if contact.chars().count() > CONTACT_MAX || contact.chars().any(char::is_control) {
            return Err(AdminError::Invalid(format!(
                "the address must have at most {CONTACT_MAX} characters"
            )));
        }
        let now = self.engine.now();
        let at = report.at.map(|at| at.min(now));
        let behind = match kind {
            BlockedKind::Number => self.rows.activation_holding(&subject, at).await?,
            BlockedKind::Target => {
                let latest = at.unwrap_or(now);
                self.rows.smm_order_before(&subject, latest).await?
            }
        };
        // without a time nobody knows that it was this holder: the operator decides
        let known = behind.as_ref().filter(|_| at.is_some());
        let account = match &behind {
            Some(behind) => self.engine.store().account(behind.account).await?,
            None => None,
        };
        let stops = |one: &Account| {
            !one.suspended && known.is_some_and(|known| known.is_stopped(report.harm, one.tier))
        };
        let suspended = account.as_ref().is_some_and(stops);
        let case = AbuseCase {
            id: self.engine.store().next_row_id(),
            receipt: receipt()?,
            kind,
            subject,
            harm: report.harm,
            what,
            contact: contact.to_owned(),
            happened_at: report.at,
            suspended,
            behind,
            opened_at: now,
            closed_at: None,
            note: None,
        };
        // the program by itself stops purchases: the audit log says so
        let by = By::new(Actor::System).because(format!("report {}", case.id));
        acting::acting(by, self.take_in(case, account)).await
    }

    /// The case, the hold on its evidence, and the stop of its account's purchases are one change.
    async fn take_in(
        &self,
        case: AbuseCase,
        account: Option<Account>,
    ) -> Result<String, AdminError> {
        let receipt = case.receipt.clone();
        let mut writes = Vec::new();
        writes.extend(account.map(|account| {
            let at_once = case.suspended.then_some(Measure::SuspendBuys);
            let seen = format!("report {} of {}", case.id, case.harm.slug());
            self.raised(&account, (Signal::Complaint, seen), at_once)
        }));
        if let Some(behind) = &case.behind {
            writes.push(Write::Policy(PolicyWrite::Hold(Box::new(LegalHold {
                id: self.engine.store().next_row_id(),
                held: Held::Order(behind.order),
                why: format!("evidence of report {receipt}"),
                at: case.opened_at,
                case: Some(case.id),
            }))));
        }
        tracing::warn!(
            case = case.id,
            harm = case.harm.slug(),
            found = case.behind.is_some(),
            suspended = case.suspended,
            "an abuse report came in"
        );
        writes.push(Write::Policy(PolicyWrite::OpenCase(Box::new(case))));
        self.engine.commit("report", writes).await?;
        self.engine.in_force_changed().await;
        Ok(receipt)
    }

    /// Reports, newest first.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn cases(&self, open_only: bool) -> Result<Vec<AbuseCase>, AdminError> {
        Ok(self.rows.abuse_cases(open_only, LISTED).await?)
    }

    /// One report.
    ///
    /// # Errors
    /// There is none.
    pub async fn case(&self, id: i64) -> Result<AbuseCase, AdminError> {
        let found = self.rows.abuse_case(id).await?;
        found.ok_or_else(|| AdminError::NotFound(format!("report {id}")))
    }

    /// Closes a report. Its hold on the evidence ends with it, and no other one; purchases that were
    /// stopped stay so until the account's case is decided or it is resumed.
    ///
    /// # Errors
    /// It is not open, or the note says nothing.
    pub async fn close_case(&self, id: i64, note: &str) -> Result<AbuseCase, AdminError> {
        let note = sentence("the note", note)?;
        let write = Write::Policy(PolicyWrite::CloseCase { case: id, note });
        match self.engine.commit("close_case", vec![write]).await {
            Err(CommitError::Refused(Refused::Stale)) => {
                Err(AdminError::NotFound(format!("open report {id}")))
            }
            outcome => {
                outcome?;
                self.case(id).await
            }
        }
    }

    /// From now on no retention touches an order, or anything of an account.
    ///
    /// # Errors
    /// No reason is given.
    pub async fn hold(&self, held: Held, why: &str) -> Result<(), AdminError> {
        let hold = LegalHold {
            id: self.engine.store().next_row_id(),
            held,
            why: sentence("the reason", why)?,
            at: self.engine.now(),
            case: None,
        };
        let write = Write::Policy(PolicyWrite::Hold(Box::new(hold)));
        Ok(self.engine.commit("hold", vec![write]).await?)
    }

    /// What it was held for by [`Self::hold`] is over. Its retention goes on unless an open report needs it.
    ///
    /// # Errors
    /// No operator holds it.
    pub async fn release(&self, held: Held) -> Result<(), AdminError> {
        let write = Write::Policy(PolicyWrite::Release(held));
        match self.engine.commit("release", vec![write]).await {
            Err(CommitError::Refused(Refused::Stale)) => {
                let (kind, id) = held.parts();
                Err(AdminError::NotFound(format!(
                    "hold of an operator on {kind} {id} (that of a report ends when the report is closed)"
                )))
            }
            outcome => Ok(outcome?),
        }
    }

    /// What is under legal hold, newest first.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn holds(&self) -> Result<Vec<LegalHold>, AdminError> {
        Ok(self.rows.legal_holds(LISTED).await?)
    }

    /// How the rules work out, as it was some minutes ago at most.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn counters(&self) -> Result<Counters, AdminError> {
        let now = self.engine.now();
        let counted = {
            let kept = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
            kept.clone()
        };
        if let Some((at, counters)) = counted
            && now - at < COUNTED_FOR
        {
            return Ok(counters);
        }
        let counters = self.rows.policy_counters().await?;
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((now, counters.clone()));
        Ok(counters)
    }

    /// Writes down how many sales were denied since the last time.
    pub async fn write_denials(&self) {
        let denials = self.engine.denials.take();
        if denials.is_empty() {
            return;
        }
        let write = Write::Policy(PolicyWrite::CountDenials(denials));
        if let Err(error) = self.engine.commit("count_denials", vec![write]).await {
            tracing::warn!(?error, "denied sales could not be counted");
        }
    }
}

/// What a text names: a number in any usual spelling, or a page.
fn subject_of(text: &str) -> Result<(BlockedKind, String), AdminError> {
    let text = text.trim();
    if text.starts_with('+') || Phone::parse(text).is_some() {
        return Ok((BlockedKind::Number, kept(BlockedKind::Number, text)?));
    }
    Ok((BlockedKind::Target, kept(BlockedKind::Target, text)?))
}

fn receipt() -> Result<String, AdminError> {
    let mut bytes = [0; RECEIPT];
    getrandom::fill(&mut bytes)
        .map_err(|_| AdminError::Invalid("the system gives no randomness".to_owned()))?;
    let letters = bytes.iter();
    let letters = letters.map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    Ok(letters.collect())
}
