//! `/console/new-upstream`: values of an upstream that is not in the settings yet, tried out, and the section
//! to write into the settings file. The key is used for the trial alone and never shown.

use super::one::trial_view;
use crate::console::{Operator, OperatorsForm};
use crate::dashboard::fields::Fields;
use crate::dashboard::page::Failed;
use crate::door::Door;
use app::{KeyPlace, TriedDraft, UpstreamDraft};
use axum::extract::State;
use axum::response::Response;
use minijinja::context;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Settings beside the address that the form asks for, in the order of the file.
const OTHERS: [&str; 5] = [
    "dialect",
    "usd_per_unit",
    "currency",
    "float_warn_usd",
    "float_stop_usd",
];

/// What the form shows again: everything but the key.
const SHOWN: [&str; 6] = ["name", "protocol", "url", "key_place", "key_name", "server"];

/// `GET /console/new-upstream`.
pub(super) async fn form(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    page(&door, &operator, &Fields::default(), (None, None))
}

fn page(
    door: &Door,
    operator: &Operator,
    fields: &Fields,
    (tried, failed): (Option<TriedDraft>, Option<Failed>),
) -> Response {
    let (protocols, dialects) = door.stock.languages();
    let given = |name: &&'static str| (*name, fields.text(name).to_owned());
    let given: BTreeMap<&str, String> = SHOWN.iter().chain(&OTHERS).map(given).collect();
    let servers: Vec<String> = door
        .stock
        .servers()
        .into_iter()
        .map(|one| one.name)
        .collect();
    let values = context! {
        protocols,
        dialects,
        servers,
        given,
        tried => tried.as_ref().map(|tried| context! {
            trial => trial_view(&tried.trial),
            section => &tried.section,
            used => use_of(fields),
        }),
    };
    let page = operator.page("Add an upstream", "upstreams");
    page.with_failure(failed)
        .show("console/new_upstream.html", values)
}

/// What makes the program buy there.
fn use_of(fields: &Fields) -> String {
    let (name, server) = (fields.text("name").trim(), fields.text("server"));
    match (fields.text("protocol"), server) {
        ("panel_v2", _) => {
            format!("[smm]\nupstreams = [\"{name}\"]  # beside those that are there\n")
        }
        (_, "") => String::new(),
        (_, server) => format!("[[servers.{server}.routes]]\nupstream = \"{name}\"\n"),
    }
}

fn draft(fields: &Fields) -> Result<UpstreamDraft, Failed> {
    let text = |name: &str| fields.text(name).trim().to_owned();
    let name = text("name");
    let place = match fields.text("key_place") {
        "env" => KeyPlace::Environment,
        _ => KeyPlace::File,
    };
    let named = fields.filled("key_name").map(str::to_owned);
    let named = named.ok_or_else(|| {
        Failed::field(
            "key_name",
            "Name the file or the variable that will have the key.",
        )
    })?;
    let others = OTHERS.into_iter().filter_map(|key| {
        let value = fields.filled(key)?;
        Some((key, value.to_owned()))
    });
    Ok(UpstreamDraft {
        name,
        protocol: text("protocol"),
        url: text("url"),
        key: text("key"),
        key_at: (place, named),
        others: others.collect(),
    })
}

/// `POST /console/new-upstream`.
pub(super) async fn check(State(door): State<Arc<Door>>, form: OperatorsForm) -> Response {
    let tried = async {
        let draft = draft(&form.fields)?;
        let trial = door.stock.try_draft(&draft);
        Ok::<_, Failed>(form.operator.acting("", trial).await?)
    };
    let shown = match tried.await {
        Ok(tried) => (Some(tried), None),
        Err(failed) => (None, Some(failed)),
    };
    page(&door, &form.operator, &form.fields, shown)
}
