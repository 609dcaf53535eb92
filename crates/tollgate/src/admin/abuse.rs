//! Reports of abuse, legal holds, and accounts whose holders want their data or want to be forgotten,
//! for the command line.

use super::{Office, rfc3339};
use app::{AdminError, ApiLog};
use domain::ids::{AccountId, OrderId};
use domain::policy::{AbuseCase, Held};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// What can be asked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Lists reports.
    List {
        /// Closed ones as well.
        all: bool,
    },
    /// Shows one report.
    Show {
        /// Row.
        id: i64,
    },
    /// Closes a report.
    Close {
        /// Row.
        id: i64,
        /// What came of it.
        note: String,
    },
    /// Lists legal holds.
    Holds,
    /// No retention touches it from now on.
    Hold {
        /// On what.
        on: On,
        /// Who wants it, why, and until when.
        why: String,
    },
    /// Its retention goes on.
    Release {
        /// What is held.
        on: On,
    },
    /// Everything that is kept of an account.
    Export {
        /// Account.
        account: i64,
    },
    /// Forgets who an account was.
    Delete {
        /// Account.
        account: i64,
    },
}

/// An order or an account.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// One order.
    Order(i64),
    /// Everything of an account.
    Account(i64),
}

impl From<On> for Held {
    fn from(on: On) -> Self {
        match on {
            On::Order(id) => Self::Order(OrderId(id)),
            On::Account(id) => Self::Account(AccountId(id)),
        }
    }
}

/// Answers with one JSON object.
pub(super) async fn answer(office: &Office, question: Question) -> Result<Value, AdminError> {
    let lawful = &office.lawful;
    match question {
        Question::List { all } => {
            let cases = lawful.cases(!all).await?;
            Ok(json!({ "reports": cases.iter().map(view).collect::<Vec<_>>() }))
        }
        Question::Show { id } => Ok(view(&lawful.case(id).await?)),
        Question::Close { id, note } => Ok(view(&lawful.close_case(id, &note).await?)),
        Question::Holds => {
            let holds = lawful.holds().await?;
            let holds = holds.iter().map(|hold| {
                let (kind, id) = hold.held.parts();
                json!({
                    "on": kind,
                    "id": id,
                    "why": hold.why,
                    "report_id": hold.case,
                    "since": rfc3339(hold.at.0),
                })
            });
            Ok(json!({ "holds": holds.collect::<Vec<_>>() }))
        }
        Question::Hold { on, why } => {
            lawful.hold(on.into(), &why).await?;
            Ok(held(on, true))
        }
        Question::Release { on } => {
            lawful.release(on.into()).await?;
            Ok(held(on, false))
        }
        Question::Export { account } => export(office, AccountId(account)).await,
        Question::Delete { account } => {
            let id = AccountId(account);
            lawful.delete_account(id, &office.people).await?;
            Ok(json!({ "account_id": account, "deleted": true }))
        }
    }
}

async fn export(office: &Office, id: AccountId) -> Result<Value, AdminError> {
    let rows = Arc::clone(&office.store) as _;
    let sources = web::Sources {
        engine: &office.engine,
        lawful: &office.lawful,
        people: &office.people,
        top_ups: &office.top_ups,
        redeem: &office.redeem,
        log: &ApiLog::new(Arc::clone(&office.engine), rows),
        pages: office.pages.as_ref(),
    };
    let kept = web::account_export(&sources, id).await?;
    let object = format!("account {id}");
    let noted = office.audit.note("export_account", Some(id), object);
    noted.await?;
    Ok(kept)
}

fn held(on: On, held: bool) -> Value {
    let (kind, id) = Held::from(on).parts();
    json!({ "on": kind, "id": id, "held": held })
}

fn view(case: &AbuseCase) -> Value {
    let behind = case.behind.as_ref();
    json!({
        "id": case.id,
        "receipt": case.receipt,
        "kind": case.kind.slug(),
        "subject": case.subject,
        "harm": case.harm.slug(),
        "what": case.what,
        "contact": case.contact,
        "happened_at": case.happened_at.map(|at| rfc3339(at.0)),
        "order_id": behind.map(|behind| behind.order.0),
        "account_id": behind.map(|behind| behind.account.0),
        "class": behind.map(|behind| &behind.class),
        "purchases_stopped": case.suspended,
        "opened_at": rfc3339(case.opened_at.0),
        "closed_at": case.closed_at.map(|at| rfc3339(at.0)),
        "note": case.note,
    })
}
