//! Top-ups, for the command line.

use super::rfc3339;
use app::{AdminError, Matched, RefundOrder, TopUps};
use domain::books::DAY_MS;
use domain::time::Timestamp;
use domain::top_up::{Reconciliation, TopUp, TopUpState, read_reference, reference};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What can be asked about top-ups.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Lists those that wait for an operator, or the newest of all.
    List {
        /// All.
        all: bool,
    },
    /// Credits one.
    Approve {
        /// `tu_42` or `42`.
        id: String,
        /// What arrived, where it is not what was declared.
        usd: Option<String>,
        /// The bank's reference.
        reference: String,
        /// Why.
        reason: String,
    },
    /// Closes one without money.
    Reject {
        /// `tu_42` or `42`.
        id: String,
        /// Why.
        reason: String,
    },
    /// Returns money to the payer.
    Refund {
        /// `tu_42` or `42`.
        id: String,
        /// How much.
        usd: String,
        /// What the wallet lacks is owed.
        #[serde(default)]
        owe: bool,
        /// Why.
        reason: String,
    },
    /// Matches lines of the bank account's statement.
    Import {
        /// The file's text.
        file: String,
    },
    /// Compares a day with the processors.
    Reconcile {
        /// The day; yesterday where none is named.
        day: Option<String>,
    },
}

/// Answers with one JSON object.
pub(super) async fn answer(top_ups: &TopUps, question: Question) -> Result<Value, AdminError> {
    match question {
        Question::List { all } => {
            let rows = top_ups.list(!all).await?;
            Ok(json!({ "top_ups": rows.iter().map(view).collect::<Vec<_>>() }))
        }
        Question::Approve {
            id,
            usd,
            reference,
            reason,
        } => {
            let amount = usd.as_deref().map(super::dollars).transpose()?;
            let row = top_ups
                .approve(number(&id)?, amount, &reference, &reason)
                .await?;
            let mut shown = view(&row);
            shown["needs_second_person"] = (row.state != TopUpState::Credited).into();
            Ok(shown)
        }
        Question::Import { file } => import(top_ups, &file).await,
        Question::Reject { id, reason } => Ok(view(&top_ups.reject(number(&id)?, &reason).await?)),
        Question::Refund {
            id,
            usd,
            owe,
            reason,
        } => {
            let order = RefundOrder {
                amount: super::dollars(&usd)?,
                reason: &reason,
                may_owe: owe,
                seen: None,
            };
            let id = number(&id)?;
            let refunded = top_ups.refund(id, order).await?;
            let needs_second_person = refunded.is_none();
            let row = match refunded {
                Some(row) => row,
                None => top_ups.one(id).await?,
            };
            let mut shown = view(&row);
            shown["needs_second_person"] = needs_second_person.into();
            Ok(shown)
        }
        Question::Reconcile { day } => reconcile(top_ups, day.as_deref()).await,
    }
}

fn number(text: &str) -> Result<i64, AdminError> {
    let plain = || text.parse().ok().filter(|id| *id > 0);
    let id = read_reference(text).or_else(plain);
    id.ok_or_else(|| AdminError::Invalid(format!("{text}: give a top-up such as tu_42")))
}

async fn import(top_ups: &TopUps, file: &str) -> Result<Value, AdminError> {
    let lines = web::read_bank_statement(file).map_err(AdminError::Invalid)?;
    let matched = top_ups.import(&lines).await?;
    let rows = lines.iter().zip(&matched).map(|(line, matched)| {
        let (outcome, top_up, why) = match matched {
            Matched::Outgoing => ("outgoing", None, ""),
            Matched::Credited(id) => ("credited", Some(*id), ""),
            Matched::Proposed(id) => ("needs_second_person", Some(*id), ""),
            Matched::Before(id) => ("before", Some(*id), ""),
            Matched::Review(id, why) => ("review", Some(*id), why.as_str()),
            Matched::Unmatched(why) => ("unmatched", None, why.as_str()),
        };
        json!({ "id": line.id, "outcome": outcome, "top_up": top_up.map(reference), "why": why })
    });
    Ok(json!({ "lines": rows.collect::<Vec<_>>() }))
}

async fn reconcile(top_ups: &TopUps, day: Option<&str>) -> Result<Value, AdminError> {
    let day = match day {
        Some(text) => first_ms(text)?,
        None => (top_ups.now().0.div_euclid(DAY_MS) - 1) * DAY_MS,
    };
    let compared = top_ups.reconcile(Timestamp(day)).await?;
    let clearings = top_ups.clearings().await?;
    let open = |one: &Reconciliation| {
        let of = clearings.iter().find(|of| of.processor == one.processor);
        of.map(|of| of.open().to_string())
    };
    let clean = |one: &Reconciliation| one.unexplained.is_empty() && one.failure.is_none();
    let rows: Vec<Value> = compared
        .iter()
        .map(|one| {
            json!({
                "processor": one.processor.slug(),
                "listed": one.listed,
                "credited": one.credited,
                "credited_usd": one.amount.to_string(),
                "fees_usd": one.fees.to_string(),
                "paid_out_usd": one.paid_out.to_string(),
                "open_usd": open(one),
                "unexplained": one.unexplained,
                "failure": one.failure,
            })
        })
        .collect();
    Ok(json!({
        "ok": compared.iter().all(clean),
        "day": rfc3339(day).chars().take(10).collect::<String>(),
        "processors": rows,
    }))
}

fn first_ms(text: &str) -> Result<i64, AdminError> {
    let bad = || AdminError::Invalid(format!("{text}: give a day such as 2026-11-23"));
    let date: Date = text.parse().map_err(|_| bad())?;
    let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| bad())?;
    Ok(zoned.timestamp().as_millisecond())
}

fn view(row: &TopUp) -> Value {
    json!({
        "id": row.id,
        "reference": reference(row.id),
        "account_id": row.account.0,
        "processor": row.processor.slug(),
        "state": row.state.slug(),
        "usd": row.amount.to_string(),
        "fee_usd": row.fee.to_string(),
        "credited_usd": row.credited.to_string(),
        "bonus_usd": row.bonus.to_string(),
        "returned_usd": row.reversed.amount.to_string(),
        "processor_ref": row.processor_ref,
        "payment_ref": row.payment_ref,
        "note": row.note,
        "created_at": rfc3339(row.created_at.0),
        "credited_at": row.credited_at.map(|at| rfc3339(at.0)),
    })
}
