//! `/console/top-ups/import`: a statement of the bank account is looked at first and taken then. What is
//! taken is the very file that was looked at: the page carries it.

use crate::console::{Operator, OperatorsForm};
use crate::dashboard::page::Failed;
use crate::dashboard::upload::{self, Bounds, Upload};
use crate::door::Door;
use app::Matched;
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::top_up::{BankLine, reference};
use minijinja::{Value, context};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Lines shown: of a long statement those that do something come first.
const SHOWN: usize = 500;

/// The form with the file.
const CHOSEN: Bounds = Bounds {
    file: "statement",
    file_max: wire::bank::LENGTH_MAX,
    text_max: 64 * 1024,
    too_large: "The file is too large: at most 2 MiB are taken here. The command line takes as much; \
                a longer statement is saved in parts.",
};

/// The form with what was looked at.
const LOOKED_AT: Bounds = Bounds {
    file: "",
    file_max: 0,
    text_max: wire::bank::LENGTH_MAX / 3 * 4 + 64 * 1024,
    too_large: "This form takes no file.",
};

/// What a page shows of a statement.
struct Sheet {
    lines: Vec<BankLine>,
    matched: Vec<Matched>,
    /// The file, while it is only looked at.
    file: Option<String>,
}

pub(super) async fn show(operator: Operator) -> Response {
    page(&operator, None, None)
}

/// `POST …/import`: what the statement would do. Nothing is done.
pub(super) async fn preview(
    State(door): State<Arc<Door>>,
    operator: Operator,
    request: Request,
) -> Response {
    match looked_at(&door, &operator, request).await {
        Ok(sheet) => page(&operator, Some(sheet), None),
        Err(failed) => page(&operator, None, Some(failed)),
    }
}

async fn looked_at(door: &Door, operator: &Operator, request: Request) -> Result<Sheet, Failed> {
    let (parts, body) = request.into_parts();
    let sent = upload::sent(&operator.visitor, &parts.headers, body, &CHOSEN).await;
    let chosen = sent?.file?;
    let chosen = chosen.ok_or_else(|| Failed::field(CHOSEN.file, "Choose a file."))?;
    let text = String::from_utf8(chosen)
        .map_err(|_| Failed::field(CHOSEN.file, "The file is no text in UTF-8."))?;
    let lines = read(&text)?;
    let matched = operator.acting("", door.top_ups.preview(&lines)).await?;
    let file = Some(STANDARD.encode(text));
    Ok(Sheet {
        lines,
        matched,
        file,
    })
}

/// `POST …/import/take`: the statement that was looked at is taken.
pub(super) async fn take(
    State(door): State<Arc<Door>>,
    operator: Operator,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let sent = upload::sent(&operator.visitor, &parts.headers, body, &LOOKED_AT).await;
    let fields = match sent {
        Ok(Upload { fields, .. }) => fields,
        Err(failed) => return page(&operator, None, Some(failed)),
    };
    let form = OperatorsForm { operator, fields };
    match taken(&door, &form).await {
        Ok(sheet) => page(&form.operator, Some(sheet), None),
        Err(failed) => page(&form.operator, None, Some(failed)),
    }
}

async fn taken(door: &Door, form: &OperatorsForm) -> Result<Sheet, Failed> {
    form.reason()?;
    let incomplete = || Failed::field("", "This form is incomplete. Choose the file again.");
    let file = STANDARD.decode(form.fields.text("looked_at"));
    let file = file.ok().and_then(|file| String::from_utf8(file).ok());
    let lines = read(&file.ok_or_else(incomplete)?)?;
    let matched = form.because(door.top_ups.import(&lines)).await?;
    let file = None;
    Ok(Sheet {
        lines,
        matched,
        file,
    })
}

fn read(text: &str) -> Result<Vec<BankLine>, Failed> {
    let lines = wire::bank::read(text);
    lines.map_err(|why| Failed::field(CHOSEN.file, &format!("This is no statement: {why}.")))
}

fn page(operator: &Operator, sheet: Option<Sheet>, failed: Option<Failed>) -> Response {
    let page = operator.page("Import a statement", "top-ups");
    let sheet = sheet.as_ref().map(sheet_view);
    page.with_failure(failed)
        .show("console/top_up_import.html", context! { sheet })
}

fn sheet_view(sheet: &Sheet) -> Value {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rows: Vec<(bool, Value)> = Vec::with_capacity(sheet.lines.len());
    for (line, matched) in sheet.lines.iter().zip(&sheet.matched) {
        let (outcome, top_up, why) = outcome(matched);
        *counts.entry(outcome).or_default() += 1;
        let idle = matches!(matched, Matched::Outgoing | Matched::Before(_));
        rows.push((idle, row(line, outcome, top_up, why)));
    }
    rows.sort_by_key(|(idle, _)| *idle);
    let rows = rows.into_iter().map(|(_, row)| row);
    context! {
        lines => sheet.lines.len(),
        counts => counts.into_iter().collect::<Vec<_>>(),
        rows => rows.take(SHOWN).collect::<Vec<_>>(),
        more => sheet.lines.len().saturating_sub(SHOWN),
        file => &sheet.file,
    }
}

fn row(line: &BankLine, outcome: &str, top_up: Option<i64>, why: &str) -> Value {
    context! {
        id => &line.id,
        sum => line.sum.as_ref().map(ToString::to_string),
        text => &line.text,
        outcome,
        top_up,
        reference => top_up.map(reference),
        why,
    }
}

fn outcome(matched: &Matched) -> (&'static str, Option<i64>, &str) {
    match matched {
        Matched::Outgoing => ("money that went out", None, ""),
        Matched::Credited(id) => ("credited", Some(*id), ""),
        Matched::Proposed(id) => ("needs a second person", Some(*id), ""),
        Matched::Before(id) => ("taken before", Some(*id), ""),
        Matched::Review(id, why) => ("to look at", Some(*id), why),
        Matched::Unmatched(why) => ("not matched", None, why),
    }
}
