//! The audit log, for the command line.

use super::rfc3339;
use app::{AdminError, AuditLog};
use domain::audit_log::{Line, LinesOf};
use domain::ids::AccountId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What can be asked about the audit log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Lists lines.
    List {
        /// Only about this account.
        account: Option<i64>,
        /// Only by these.
        actor: Option<String>,
        /// Only this action.
        action: Option<String>,
        /// Lines at most.
        limit: u32,
    },
    /// Looks at all of it.
    Verify {
        /// A checkpoint from elsewhere.
        checkpoint: Option<PathBuf>,
    },
    /// Makes a checkpoint.
    Export {
        /// Where to; the place of the settings where none is named.
        to: Option<PathBuf>,
    },
}

/// Answers with one JSON object.
pub(super) async fn answer(log: &AuditLog, question: Question) -> Result<Value, AdminError> {
    match question {
        Question::List {
            account,
            actor,
            action,
            limit,
        } => {
            let wanted = LinesOf {
                account: account.map(AccountId),
                actor,
                action,
                limit,
                ..LinesOf::default()
            };
            let lines = log.lines(&wanted).await?;
            Ok(json!({ "lines": lines.iter().map(view).collect::<Vec<_>>() }))
        }
        Question::Verify { checkpoint } => verify(log, checkpoint).await,
        Question::Export { to: Some(file) } => {
            let (checkpoint, file) = log.export(file).await?;
            Ok(json!({ "ok": true, "lines": checkpoint.size, "file": file }))
        }
        Question::Export { to: None } => {
            let file = log.checkpoint().await?;
            Ok(json!({ "ok": true, "new": file.is_some(), "file": file }))
        }
    }
}

async fn verify(log: &AuditLog, checkpoint: Option<PathBuf>) -> Result<Value, AdminError> {
    let found = log.verify(checkpoint).await?;
    let bad = found.bad();
    Ok(json!({
        "ok": found.is_ok(),
        "lines": found.verified.lines,
        "checkpoints": found.verified.checkpoints,
        "first_bad_line": bad.map(|bad| bad.id),
        "why": bad.map(|bad| &bad.why),
        "unbelievable": found.unbelievable,
    }))
}

fn view(line: &Line) -> Value {
    let note = &line.note;
    json!({
        "line": line.id,
        "at": rfc3339(line.at.0),
        "account_id": note.account.map(|account| account.0),
        "actor": note.actor,
        "action": note.action,
        "object": note.object,
        "reason": note.reason,
        "details": note.details,
    })
}
