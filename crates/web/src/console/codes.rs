//! `/console/codes`: redeem codes in batches; the codes themselves are shown once, when made.

use super::{Operator, OperatorsForm, Routes};
use crate::dashboard::once;
use crate::dashboard::page::Failed;
use crate::door::Door;
use app::CodeOrder;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::desk::Deed;
use domain::redeem::CodeSource;
use minijinja::{Value, context};
use std::sync::Arc;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/codes", Deed::SeeCodes, get(show))
        .act("/console/codes/make", Deed::MakeCodes, post(make))
        .act(
            "/console/codes/{id}/disable",
            Deed::MakeCodes,
            post(disable),
        )
}

async fn show(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    page(&door, &operator, (None, None)).await
}

async fn page(
    door: &Door,
    operator: &Operator,
    (made, failed): (Option<Value>, Option<Failed>),
) -> Response {
    let page = operator.page("Redeem codes", "codes").with_failure(failed);
    let values = values(door).await;
    let values = values.map(|values| context! { made, ..values });
    page.showing("console/codes.html", values)
}

async fn values(door: &Door) -> Result<Value, Failed> {
    let now = door.engine.now();
    let codes = door.redeem.list().await?;
    let rows: Vec<Value> = codes
        .iter()
        .map(|code| {
            let over = code.expires_at.is_some_and(|end| end <= now);
            let state = match (&code.redeemed, code.disabled, over) {
                (Some(_), ..) => "redeemed",
                (None, true, _) => "switched off",
                (None, false, true) => "expired",
                (None, false, false) => "open",
            };
            context! {
                id => code.id,
                batch => code.batch,
                amount => code.amount.0,
                source => code.source.slug(),
                note => &code.note,
                at => code.created_at.0,
                expires_at => code.expires_at.map(|at| at.0),
                state,
                account => code.redeemed.map(|(account, _)| account.0),
                redeemed_at => code.redeemed.map(|(_, at)| at.0),
            }
        })
        .collect();
    Ok(context! { codes => rows, cap => door.desk.cap().0, once => once::key()? })
}

async fn make(State(door): State<Arc<Door>>, form: OperatorsForm) -> Response {
    let done = async {
        let once = once::read(&form.fields)?;
        let order = order(&form)?;
        let made = door.desk.make_codes(&door.redeem, order, &once);
        let made = form.because(made).await?;
        Ok::<_, Failed>(context! { batch => made.batch, codes => made.codes })
    };
    let shown = match done.await {
        Ok(made) => (Some(made), None),
        Err(failed) => (None, Some(failed)),
    };
    page(&door, &form.operator, shown).await
}

fn order(form: &OperatorsForm) -> Result<CodeOrder, Failed> {
    let amount = form.dollars()?;
    let count = form.fields.whole("count")?;
    let count = count.ok_or_else(|| Failed::field("count", "Say how many codes."))?;
    Ok(CodeOrder {
        amount,
        count,
        expires_days: form.fields.whole("expires_days")?,
        source: match form.fields.ticked("gift") {
            true => CodeSource::Gift,
            false => CodeSource::Sold,
        },
        note: form.reason()?.to_owned(),
    })
}

async fn disable(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = async { form.because(door.redeem.disable(id)).await };
    match done.await {
        Ok(()) => Redirect::to("/console/codes?notice=code-off").into_response(),
        Err(failed) => page(&door, &form.operator, (None, Some(failed))).await,
    }
}
