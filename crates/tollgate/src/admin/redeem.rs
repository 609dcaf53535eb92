//! Redeem codes, for the command line.

use super::rfc3339;
use app::{AdminError, CodeOrder, RedeemCodes};
use domain::redeem::{CodeSource, RedeemCode};
use domain::time::Timestamp;
use domain::usd::Usd;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What can be asked about redeem codes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Makes codes.
    Create {
        /// Worth of each in dollars, at most six decimals.
        usd: String,
        /// How many.
        count: u32,
        /// Days until they expire.
        expires_days: Option<u32>,
        /// The house gives them away; else they are sold elsewhere.
        gift: bool,
        /// Why.
        note: String,
    },
    /// Lists the newest codes.
    List,
    /// Switches a code off.
    Disable {
        /// Its row.
        id: i64,
    },
}

/// Answers with one JSON object.
pub(super) async fn answer(codes: &RedeemCodes, question: Question) -> Result<Value, AdminError> {
    match question {
        Question::Create {
            usd,
            count,
            expires_days,
            gift,
            note,
        } => {
            let amount = super::dollars(&usd)?;
            let source = if gift {
                CodeSource::Gift
            } else {
                CodeSource::Sold
            };
            let order = CodeOrder {
                amount,
                count,
                expires_days,
                source,
                note,
            };
            create(codes, order, amount).await
        }
        Question::List => {
            let rows = codes.list().await?;
            Ok(json!({ "codes": rows.iter().map(view).collect::<Vec<_>>() }))
        }
        Question::Disable { id } => {
            codes.disable(id).await?;
            Ok(json!({ "id": id, "disabled": true }))
        }
    }
}

async fn create(codes: &RedeemCodes, order: CodeOrder, amount: Usd) -> Result<Value, AdminError> {
    let made = codes.create(order, None).await?;
    Ok(json!({
        "batch": made.batch,
        "usd": amount.to_string(),
        "expires_at": time(made.expires_at),
        "codes": made.codes,
    }))
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| rfc3339(at.0))
}

fn view(code: &RedeemCode) -> Value {
    json!({
        "id": code.id,
        "batch": code.batch,
        "usd": code.amount.to_string(),
        "source": code.source.slug(),
        "note": code.note,
        "created_at": rfc3339(code.created_at.0),
        "expires_at": time(code.expires_at),
        "disabled": code.disabled,
        "redeemed_by": code.redeemed.map(|(account, _)| account.0),
        "redeemed_at": time(code.redeemed.map(|(_, at)| at)),
    })
}
