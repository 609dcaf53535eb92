//! `/policy` and `/report-abuse`: the rules in force and how they work out, for anybody, and the form
//! for whoever was harmed.

use super::fields::{Fields, Form};
use super::page::{Failed, Page};
use super::session::Visitor;
use crate::door::Door;
use app::limits::Bucket;
use app::{ClassInForce, Report};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use domain::desk::Deed;
use domain::people::Role;
use domain::policy::velocity::Velocity;
use domain::policy::{ATTESTATION, Harm, RULE_VERSION, Strength};
use domain::time::Timestamp;
use minijinja::{Value, context};
use std::sync::Arc;

/// Reports a minute from one address.
const FROM_ONE: u32 = 3;
/// Reports a minute from everybody.
const FROM_ALL: u32 = 60;

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/policy", get(show))
        .route("/report-abuse", get(form).post(report))
}

async fn show(State(door): State<Arc<Door>>, visitor: Visitor) -> Response {
    let page = Page::new(&visitor, "Policy");
    match values(&door).await {
        Ok(values) => page.show("policy.html", values),
        Err(failed) => page.failed(&failed),
    }
}

async fn values(door: &Door) -> Result<Value, Failed> {
    let (engine, counters) = (&door.engine, door.lawful.counters().await?);
    let loosened = door.lawful.loosened().await?;
    let classes = |all: Vec<ClassInForce>| all.iter().map(class).collect::<Vec<_>>();
    let tiers = engine.velocities();
    let denials: Vec<Value> = counters
        .denials
        .iter()
        .map(|(class, count)| context! { class, count })
        .collect();
    Ok(context! {
        version => RULE_VERSION,
        statement => ATTESTATION,
        readers => readers(),
        otp => classes(engine.otp_classes()),
        smm => classes(engine.smm_classes()),
        smm_confirmed => engine.smm_is_confirmed(),
        loosened => loosened.iter().map(|one| context! {
            what => one.what.in_words().replace('_', " "),
            reason => &one.reason,
            asked_at => one.asked_at.0,
            since => one.decided_at.map(|at| at.0),
        }).collect::<Vec<_>>(),
        bounds => bounds(&tiers),
        tiers => (0..tiers.len()).collect::<Vec<_>>(),
        orders => counters.orders,
        denials,
        reports => counters.reports,
        suspensions => counters.suspensions,
        response_hours => counters.response.map(|span| span.0 / 3_600_000),
    })
}

/// A class with its rule in words, ready for a page.
pub(crate) fn class(one: &ClassInForce) -> Value {
    let rule = match one.strength {
        Strength::HardDeny => "never sold",
        Strength::DefaultDeny if one.lifted => "sold here: the operator has lifted the denial",
        Strength::DefaultDeny if one.sold => "sold here",
        Strength::DefaultDeny => "not sold",
        Strength::NotSold if one.sold => "sold here",
        Strength::NotSold => "not sold until somebody has looked at it",
        Strength::Limit if one.sold => "sold, within bounds",
        Strength::Allow if one.sold => "sold",
        Strength::Limit | Strength::Allow => "not sold",
    };
    let tier = one.lowest_tier.filter(|_| one.sold);
    context! { class => one.class, title => one.title, rule, tier }
}

/// The roles of staff that may read customers' messages, in words.
fn readers() -> String {
    let roles = Role::ALL.into_iter().filter(|role| role.is_staff());
    let may = roles.filter(|role| Deed::ReadMessages.is_for(*role));
    may.map(Role::slug).collect::<Vec<_>>().join(" and ")
}

/// The bounds of the tiers, a row for each under the name that refusals give; nothing where a tier
/// has none.
fn bounds(tiers: &[Velocity]) -> Vec<Value> {
    let row = |name: &str, title: &str, of: fn(&Velocity) -> Option<String>| {
        let figures: Vec<Option<String>> = tiers.iter().map(of).collect();
        context! { name, title, figures }
    };
    macro_rules! count {
        ($name:ident, $title:literal) => {
            row(stringify!($name), $title, |tier| {
                tier.$name.map(|count| count.to_string())
            })
        };
    }
    vec![
        count!(open_activations, "Numbers waiting at once"),
        count!(buys_per_hour, "Numbers in an hour"),
        count!(buys_per_day, "Numbers in a day"),
        count!(same_offer_per_day, "Of one service and country in a day"),
        row("cancel_percent", "Cancelled of the last fifty", |tier| {
            tier.cancel_percent.map(|share| format!("{share} %"))
        }),
        count!(services_per_hour, "Services in an hour"),
        row("daily_spend_usd", "Spending in a day", |tier| {
            tier.daily_spend.map(|usd| format!("${}", usd.short()))
        }),
        count!(smm_per_day, "SMM orders in a day"),
        count!(smm_per_target_week, "SMM orders for one target in a week"),
        count!(keys, "API keys"),
    ]
}

async fn form(visitor: Visitor) -> Response {
    report_page(&visitor, &Fields::default(), None)
}

fn report_page(visitor: &Visitor, fields: &Fields, failed: Option<Failed>) -> Response {
    let values = context! {
        receipt => "",
        subject => fields.text("subject"),
        when => fields.text("when"),
        what => fields.text("what"),
        contact => fields.text("contact"),
        harm => fields.text("harm"),
        harms => Harm::ALL.map(|harm| context! { slug => harm.slug(), words => words(harm) }).to_vec(),
    };
    Page::new(visitor, "Report abuse")
        .with_failure(failed)
        .show("report_abuse.html", values)
}

fn words(harm: Harm) -> &'static str {
    match harm {
        Harm::Money => "A bank, card or payment account",
        Harm::StateIdentity => "A state service or somebody's identity",
        Harm::Health => "Health",
        Harm::Children => "Somebody under 18",
        Harm::Other => "Something else",
    }
}

async fn report(State(door): State<Arc<Door>>, form: Form) -> Response {
    let (visitor, fields) = (&form.visitor, &form.fields);
    match take(&door, visitor, fields).await {
        Ok(receipt) => {
            let values = context! { receipt };
            Page::new(visitor, "Thank you").show("report_abuse.html", values)
        }
        Err(failed) => report_page(visitor, fields, Some(failed)),
    }
}

async fn take(door: &Door, visitor: &Visitor, fields: &Fields) -> Result<String, Failed> {
    let harm = Harm::from_slug(fields.text("harm"))
        .ok_or_else(|| Failed::field("harm", "Say what was harmed."))?;
    let at = match fields.filled("when") {
        Some(text) => Some(utc(text).ok_or_else(|| {
            Failed::field("when", "Give date and time like 2026-11-23T07:10, in UTC.")
        })?),
        None => None,
    };
    let report = Report {
        subject: fields.text("subject").to_owned(),
        at,
        harm,
        what: fields.text("what").to_owned(),
        contact: fields.text("contact").to_owned(),
    };
    admit(door, visitor).await?;
    Ok(door.lawful.report(report).await?)
}

async fn admit(door: &Door, visitor: &Visitor) -> Result<(), Failed> {
    const WHERE: &str = "report_abuse";
    let address = &visitor.place.address;
    let from = Bucket::place(address, WHERE);
    let now = door.engine.now().0;
    for (bucket, limit) in [
        (from, FROM_ONE),
        (Bucket::text("everybody", WHERE), FROM_ALL),
    ] {
        if !door.limits.admit(bucket, limit, now).await.admitted {
            let why = "Too many reports at once; wait a minute and send it again.";
            return Err(Failed::new(StatusCode::TOO_MANY_REQUESTS, why));
        }
    }
    Ok(())
}

/// A time as browsers send it.
fn utc(text: &str) -> Option<Timestamp> {
    let time: jiff::civil::DateTime = text.parse().ok()?;
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Timestamp(time.timestamp().as_millisecond()))
}
