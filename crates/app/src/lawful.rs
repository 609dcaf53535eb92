//! What account holders say about their use, and what nobody may be used for.

mod cases;
mod denials;
mod forget;
mod loosen;
mod report;
mod rules;

pub use cases::CaseDeed;
pub(crate) use denials::Denials;
pub use denials::Denied;
pub use forget::CONTACTS_KEPT;
pub use report::Report;
pub use rules::{ClassInForce, RULES_NOTED};

use crate::accounts::AdminError;
use crate::engine::Engine;
use domain::change::{CommitError, Refused, Write};
use domain::ids::AccountId;
use domain::link::{self, Link};
use domain::phone::Phone;
use domain::policy::{
    ATTESTATION_VERSION, Attestation, Blocked, BlockedKind, Counters, PolicyWrite,
    needs_attestation,
};
use domain::ports::PolicyRows;
use domain::time::Timestamp;
use std::sync::{Arc, Mutex};

/// Characters of a purpose or a reason.
const TEXT: std::ops::RangeInclusive<usize> = 10..=2000;

/// Rows listed at most.
const LISTED: u32 = 1000;

/// The use cases.
pub struct Lawful {
    engine: Arc<Engine>,
    rows: Arc<dyn PolicyRows>,
    /// What the public was last told, and when it was counted.
    counted: Mutex<Option<(Timestamp, Counters)>>,
}

impl Lawful {
    /// Over an engine and what is remembered.
    pub fn new(engine: Arc<Engine>, rows: Arc<dyn PolicyRows>) -> Self {
        Self {
            engine,
            rows,
            counted: Mutex::default(),
        }
    }

    /// An account's holder, or whoever acts for it, says what it uses the service for and agrees to the
    /// statement of today.
    ///
    /// # Errors
    /// The purpose is too short or too long, or there is no such account.
    pub async fn attest(&self, account: AccountId, purpose: &str) -> Result<(), AdminError> {
        let purpose = sentence("the purpose", purpose)?;
        let attestation = Attestation {
            id: self.engine.store().next_row_id(),
            account,
            version: ATTESTATION_VERSION,
            purpose,
            at: self.engine.now(),
        };
        let write = PolicyWrite::Attest(Box::new(attestation));
        let written = self.engine.commit("attest", vec![Write::Policy(write)]);
        match written.await {
            Err(CommitError::Refused(Refused::NoSuchAccount)) => {
                Err(AdminError::NotFound(format!("account {account}")))
            }
            outcome => Ok(outcome?),
        }
    }

    /// What an account has attested, newest first.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn attestations(&self, account: AccountId) -> Result<Vec<Attestation>, AdminError> {
        Ok(self.rows.attestations(account).await?)
    }

    /// Whether an account has to attest before it may buy.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn must_attest(&self, account: AccountId, tier: u8) -> Result<bool, AdminError> {
        let given = self.rows.attestations(account).await?;
        let current = given.iter().any(|one| one.version >= ATTESTATION_VERSION);
        Ok(needs_attestation(tier) && !current)
    }

    /// From now on nobody uses a number or a target. Gives it as it is kept.
    ///
    /// # Errors
    /// It is none, or no reason is given.
    pub async fn block(
        &self,
        kind: BlockedKind,
        value: &str,
        why: &str,
    ) -> Result<String, AdminError> {
        let (value, why) = (kept(kind, value)?, sentence("the reason", why)?);
        let blocked = Blocked {
            id: self.engine.store().next_row_id(),
            kind,
            value: value.clone(),
            why,
            at: self.engine.now(),
        };
        let write = PolicyWrite::Block(Box::new(blocked));
        self.engine
            .commit("block", vec![Write::Policy(write)])
            .await?;
        Ok(value)
    }

    /// It may be used again.
    ///
    /// # Errors
    /// It is not blocked.
    pub async fn unblock(&self, kind: BlockedKind, value: &str) -> Result<String, AdminError> {
        let value = kept(kind, value)?;
        let write = PolicyWrite::Unblock {
            kind,
            value: value.clone(),
            at: self.engine.now(),
        };
        let written = self.engine.commit("unblock", vec![Write::Policy(write)]);
        match written.await {
            Err(CommitError::Refused(_)) => {
                let what = format!("blocked {} {value}", kind.slug());
                Err(AdminError::NotFound(what))
            }
            outcome => {
                outcome?;
                Ok(value)
            }
        }
    }

    /// What is not to be used, newest first.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn blocked(&self) -> Result<Vec<Blocked>, AdminError> {
        Ok(self.rows.blocked(LISTED).await?)
    }
}

/// A number or a target, spelt as it is compared.
fn kept(kind: BlockedKind, value: &str) -> Result<String, AdminError> {
    match kind {
        BlockedKind::Number => Phone::parse(value)
            .map(|phone| phone.digits().to_owned())
            .ok_or_else(|| {
                AdminError::Invalid(format!(
                    "{value:?} is not a phone number: give country code and digits, like +14155550100"
                ))
            }),
        BlockedKind::Target => Link::parse(value)
            .map(|link| link::target(link.text()))
            .map_err(|why| AdminError::Invalid(format!("the target {value:?} {why}"))),
    }
}

fn sentence(what: &str, text: &str) -> Result<String, AdminError> {
    let text = text.trim();
    let printable = !text
        .chars()
        .any(|c| c.is_control() && c != '\n' && c != '\r');
    if printable && TEXT.contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    let (least, most) = (TEXT.start(), TEXT.end());
    Err(AdminError::Invalid(format!(
        "{what} must have {least} to {most} characters"
    )))
}
