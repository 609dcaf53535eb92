//! What is done to an account: each with a reason where money or access moves.

use super::one::{known, page};
use crate::console::{Operator, OperatorsForm};
use crate::dashboard::once;
use crate::dashboard::page::Failed;
use crate::door::Door;
use app::MoneyOrder;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::desk::MoneyState;
use domain::ids::{AccountId, KeyId};
use domain::usd::Usd;
use std::sync::Arc;

/// Back to the page with a notice, or the page again with what was wrong.
async fn outcome(
    door: &Door,
    operator: &Operator,
    id: i64,
    done: Result<&'static str, Failed>,
) -> Response {
    match done {
        Ok(notice) => {
            Redirect::to(&format!("/console/accounts/{id}?notice={notice}")).into_response()
        }
        Err(failed) => page(door, operator, AccountId(id), (None, Some(failed))).await,
    }
}

/// `POST …/suspend`.
pub(super) async fn suspend(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = async {
        let suspended = form.fields.yes_or_no("suspended")?;
        let deed = door.lawful.suspend_account(AccountId(id), suspended);
        form.because(deed).await?;
        Ok(if suspended { "suspended" } else { "resumed" })
    };
    outcome(&door, &form.operator, id, done.await).await
}

/// `POST …/tier`.
pub(super) async fn set_tier(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = async {
        let tier = form.fields.number("tier").filter(|tier| *tier <= 3);
        let tier = tier.ok_or_else(|| Failed::field("tier", "The tier is 0, 1, 2 or 3."))?;
        form.because(door.engine.set_tier(AccountId(id), tier))
            .await?;
        Ok("account-changed")
    };
    outcome(&door, &form.operator, id, done.await).await
}

/// `POST …/api-access`.
pub(super) async fn set_api_access(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = async {
        let on = form.fields.yes_or_no("on")?;
        form.because(door.engine.set_api_access(AccountId(id), on))
            .await?;
        Ok("account-changed")
    };
    outcome(&door, &form.operator, id, done.await).await
}

/// `POST …/keys/revoke`.
pub(super) async fn revoke_key(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = async {
        let key = KeyId(form.fields.number("key").unwrap_or(0));
        form.because(door.engine.revoke_own_key(AccountId(id), key))
            .await?;
        Ok("key-revoked")
    };
    outcome(&door, &form.operator, id, done.await).await
}

/// `POST …/note`.
pub(super) async fn note(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = async {
        let (who, text) = (form.operator.signed.person.id, form.fields.text("note"));
        let deed = door.desk.note(who, AccountId(id), text);
        form.operator.acting("", deed).await?;
        Ok("noted")
    };
    outcome(&door, &form.operator, id, done.await).await
}

/// `POST …/money`: a credit or a debit.
pub(super) async fn move_money(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = async {
        known(&door, AccountId(id)).await?;
        let reason = form.reason()?;
        let order = MoneyOrder {
            account: AccountId(id),
            amount: amount(&form)?,
            reason: reason.to_owned(),
            once: once::read(&form.fields)?,
        };
        let deed = door.desk.move_money(form.operator.signed.person.id, order);
        let request = form.because(deed).await?;
        Ok(match request.state {
            MoneyState::Open => "money-asked",
            MoneyState::Granted => "money-moved",
            MoneyState::Refused => "money-refused",
        })
    };
    outcome(&door, &form.operator, id, done.await).await
}

fn amount(form: &OperatorsForm) -> Result<Usd, Failed> {
    let amount = form.dollars()?;
    match form.fields.text("direction") {
        "in" => Ok(amount),
        "out" => Ok(-amount),
        _ => Err(Failed::field(
            "direction",
            "Say whether money goes in or out.",
        )),
    }
}

/// `POST …/look`: the dashboard as this customer sees it, for reading only. The page comes again with
/// a link there: browsers let a form lead nowhere but to its own host, and the dashboard has another
/// one where the console has a listener of its own.
pub(super) async fn look(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let account = AccountId(id);
    let done = async {
        known(&door, account).await?;
        let object = format!("dashboard of account {id}");
        let noted = door.audit.note("look_as_customer", Some(account), object);
        form.because(noted).await?;
        let me = form.operator.signed.person.id;
        Ok::<_, Failed>(door.people.look_link(me, account))
    };
    let shown = match done.await {
        Ok(link) => (Some(link), None),
        Err(failed) => (None, Some(failed)),
    };
    page(&door, &form.operator, account, shown).await
}
