//! Tiers, what account holders attest, and the do-not-use list, for the command line.

use super::{Office, rfc3339};
use app::AdminError;
use domain::ids::AccountId;
use domain::policy::BlockedKind;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What can be asked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Notes what an account uses the service for.
    Attest {
        /// Account.
        account: i64,
        /// In its holder's words.
        purpose: String,
    },
    /// Moves an account to another tier.
    Tier {
        /// Account.
        account: i64,
        /// Tier, 0 to 3.
        tier: u8,
    },
    /// Puts a number or a target on the do-not-use list.
    Block {
        /// What it is.
        subject: Subject,
        /// Who asked for it, and why.
        why: String,
    },
    /// Takes it off again.
    Unblock {
        /// What it is.
        subject: Subject,
    },
    /// Shows the list.
    Blocked,
}

/// A number or a target.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A phone number.
    Number(String),
    /// A link that SMM orders can be for.
    Target(String),
}

impl Subject {
    fn parts(&self) -> (BlockedKind, &str) {
        match self {
            Self::Number(value) => (BlockedKind::Number, value),
            Self::Target(value) => (BlockedKind::Target, value),
        }
    }
}

/// Answers with one JSON object.
pub(super) async fn answer(office: &Office, question: Question) -> Result<Value, AdminError> {
    let lawful = &office.lawful;
    match question {
        Question::Attest { account, purpose } => {
            lawful.attest(AccountId(account), &purpose).await?;
            Ok(json!({ "account_id": account, "attested": true }))
        }
        Question::Tier { account, tier } => {
            office.engine.set_tier(AccountId(account), tier).await?;
            Ok(json!({ "account_id": account, "tier": tier }))
        }
        Question::Block { subject, why } => {
            let (kind, value) = subject.parts();
            let value = lawful.block(kind, value, &why).await?;
            Ok(json!({ "kind": kind.slug(), "value": value, "blocked": true }))
        }
        Question::Unblock { subject } => {
            let (kind, value) = subject.parts();
            let value = lawful.unblock(kind, value).await?;
            Ok(json!({ "kind": kind.slug(), "value": value, "blocked": false }))
        }
        Question::Blocked => {
            let rows = lawful.blocked().await?;
            let rows = rows.iter().map(|one| {
                json!({
                    "kind": one.kind.slug(),
                    "value": one.value,
                    "why": one.why,
                    "since": rfc3339(one.at.0),
                })
            });
            Ok(json!({ "blocked": rows.collect::<Vec<_>>() }))
        }
    }
}
