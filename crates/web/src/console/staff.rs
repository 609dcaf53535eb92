//! `/console/staff`: who works here.

use super::{Operator, OperatorsForm, Routes};
use crate::dashboard::page::Failed;
use crate::door::Door;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::desk::Deed;
use domain::ids::PersonId;
use domain::people::Role;
use minijinja::{Value, context};
use std::sync::Arc;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/staff", Deed::SeeStaff, get(show))
        .act("/console/staff/add", Deed::ManageStaff, post(add))
        .act(
            "/console/staff/{id}/role",
            Deed::ManageStaff,
            post(set_role),
        )
        .act(
            "/console/staff/{id}/suspend",
            Deed::ManageStaff,
            post(suspend),
        )
        .act("/console/staff/{id}/reset", Deed::ManageStaff, post(reset))
}

async fn show(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    page(&door, &operator, (None, None)).await
}

async fn page(
    door: &Door,
    operator: &Operator,
    (link, failed): (Option<String>, Option<Failed>),
) -> Response {
    let page = operator.page("Staff", "staff").with_failure(failed);
    let values = values(door, operator).await;
    let values = values.map(|values| context! { link, ..values });
    page.showing("console/staff.html", values)
}

async fn values(door: &Door, operator: &Operator) -> Result<Value, Failed> {
    let staff = door.people.staff().await?;
    let rows: Vec<Value> = staff
        .iter()
        .map(|person| {
            context! {
                id => person.id.0,
                email => &person.email,
                role => person.role.slug(),
                second_factor => person.has_second_factor(),
                suspended => person.disabled,
                since => person.created_at.0,
                is_me => person.id == operator.signed.person.id,
            }
        })
        .collect();
    let roles = Role::ALL.into_iter().filter(|role| role.is_staff());
    Ok(context! { staff => rows, roles => roles.map(Role::slug).collect::<Vec<_>>() })
}

fn role(form: &OperatorsForm) -> Result<Role, Failed> {
    let role = Role::from_slug(form.fields.text("role")).filter(|role| role.is_staff());
    role.ok_or_else(|| Failed::field("role", "Choose a role."))
}

async fn outcome(
    door: &Door,
    form: &OperatorsForm,
    done: Result<Option<String>, Failed>,
) -> Response {
    match done {
        Ok(None) => Redirect::to("/console/staff?notice=staff-changed").into_response(),
        Ok(link) => page(door, &form.operator, (link, None)).await,
        Err(failed) => page(door, &form.operator, (None, Some(failed))).await,
    }
}

async fn add(State(door): State<Arc<Door>>, form: OperatorsForm) -> Response {
    let done = async {
        let deed = door
            .people
            .add_staff(form.fields.text("email"), role(&form)?);
        Ok(Some(form.because(deed).await?.link))
    };
    outcome(&door, &form, done.await).await
}

async fn set_role(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = async {
        let deed = door.people.set_role(PersonId(id), role(&form)?);
        form.because(deed).await?;
        Ok(None)
    };
    outcome(&door, &form, done.await).await
}

async fn suspend(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = async {
        let suspended = form.fields.yes_or_no("suspended")?;
        let deed = door.people.suspend_staff(PersonId(id), suspended);
        form.because(deed).await?;
        Ok(None)
    };
    outcome(&door, &form, done.await).await
}

async fn reset(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = async {
        let joining = form.because(door.people.reset_staff(PersonId(id))).await?;
        Ok(Some(joining.link))
    };
    outcome(&door, &form, done.await).await
}
