//! Loosening the rules: one person asks with a reason, another one decides; tightening again takes one.

use super::{Lawful, sentence};
use crate::accounts::AdminError;
use domain::change::{CommitError, Refused, Write};
use domain::ids::PersonId;
use domain::policy::{Loosening, LooseningState, PolicyWrite, RuleChange};

/// Rows listed at most.
const LISTED: u32 = 100;

impl Lawful {
    /// What was asked to be loosened, newest first.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn rule_changes(&self) -> Result<Vec<RuleChange>, AdminError> {
        Ok(self.rows.rule_changes(LISTED).await?)
    }

    /// What two persons have loosened and is in force, oldest first.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn loosened(&self) -> Result<Vec<RuleChange>, AdminError> {
        Ok(self.engine.in_force().await?.loosened.clone())
    }

    /// Somebody wants the rules loosened. Nothing changes before another one agrees.
    ///
    /// # Errors
    /// It would loosen nothing, it was asked for already, or too little is said.
    pub async fn ask_loosening(
        &self,
        who: PersonId,
        what: Loosening,
        why: &str,
    ) -> Result<(), AdminError> {
        let reason = sentence("the reason", why)?;
        self.engine.in_force().await?;
        let effective = self.engine.known.now();
        if !what.loosens(&effective.rules, &effective.velocity) {
            let why = "this changes nothing: it is so already, or a bound would not become looser";
            return Err(AdminError::Invalid(why.to_owned()));
        }
        let change = RuleChange {
            id: self.engine.store().next_row_id(),
            what,
            reason,
            asked_by: who,
            asked_at: self.engine.now(),
            state: LooseningState::Asked,
            decided_by: None,
            decided_at: None,
        };
        let write = PolicyWrite::AskLoosening(Box::new(change));
        self.write_loosening("ask_loosening", write).await
    }

    /// A second person decides, or anybody ends what is in force. It holds from now on, at every process.
    ///
    /// # Errors
    /// There is none to be decided on so, or it is their own.
    pub async fn decide_loosening(
        &self,
        who: PersonId,
        id: i64,
        state: LooseningState,
    ) -> Result<(), AdminError> {
        let found = self.rows.rule_change(id).await?;
        let change = found.ok_or_else(|| AdminError::NotFound(format!("change {id}")))?;
        if state == LooseningState::Granted && change.asked_by == who {
            let why = "whoever asked cannot grant: it takes a second person";
            return Err(AdminError::Forbidden(why));
        }
        let change = RuleChange {
            state,
            decided_by: Some(who),
            decided_at: Some(self.engine.now()),
            ..change
        };
        let write = PolicyWrite::DecideLoosening(Box::new(change));
        self.write_loosening("decide_loosening", write).await
    }

    async fn write_loosening(
        &self,
        name: &'static str,
        write: PolicyWrite,
    ) -> Result<(), AdminError> {
        let written = self.engine.commit(name, vec![Write::Policy(write)]).await;
        self.engine.in_force_changed().await;
        match written {
            Err(CommitError::Refused(Refused::Stale)) => Err(AdminError::Conflict(
                "somebody has asked for this or decided on it already: look again".to_owned(),
            )),
            outcome => Ok(outcome?),
        }
    }
}
