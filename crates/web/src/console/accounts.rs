//! `/console/accounts`: who buys here, and all that is done to them.

mod deeds;
mod one;

use super::{Operator, Routes};
use crate::dashboard::page::Failed;
use crate::door::Door;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use domain::desk::Deed;
use minijinja::{Value, context};
use std::sync::Arc;

/// Accounts shown at most.
const ROWS: u32 = 100;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/accounts", Deed::SeeAccounts, get(list))
        .see("/console/accounts/{id}", Deed::SeeAccounts, get(one::show))
        .act(
            "/console/accounts/{id}/suspend",
            Deed::SuspendAccounts,
            post(deeds::suspend),
        )
        .act(
            "/console/accounts/{id}/tier",
            Deed::SetTiers,
            post(deeds::set_tier),
        )
        .act(
            "/console/accounts/{id}/api-access",
            Deed::SetApiAccess,
            post(deeds::set_api_access),
        )
        .act(
            "/console/accounts/{id}/keys/revoke",
            Deed::RevokeKeys,
            post(deeds::revoke_key),
        )
        .act(
            "/console/accounts/{id}/note",
            Deed::NoteAccounts,
            post(deeds::note),
        )
        .act(
            "/console/accounts/{id}/money",
            Deed::MoveMoney,
            post(deeds::move_money),
        )
        .act(
            "/console/accounts/{id}/look",
            Deed::Impersonate,
            post(deeds::look),
        )
}

async fn list(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    let page = operator.page("Accounts", "accounts");
    page.showing("console/accounts.html", found(&door, &operator).await)
}

async fn found(door: &Door, operator: &Operator) -> Result<Value, Failed> {
    let text = operator.visitor.asked("q");
    let accounts = door.desk.rows().accounts_like(text.trim(), ROWS).await?;
    let rows: Vec<Value> = accounts
        .iter()
        .map(|(account, wallet)| {
            context! {
                id => account.id.0,
                email => &account.email,
                tier => account.tier,
                api_access => account.api_access,
                suspended => account.suspended,
                since => account.created_at.0,
                available => wallet.available.0,
                held => wallet.held.0,
                uncleared => wallet.uncleared.0,
                due => wallet.receivable.0,
            }
        })
        .collect();
    Ok(context! { accounts => rows, text, most => ROWS })
}
