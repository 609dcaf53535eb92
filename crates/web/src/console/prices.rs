//! `/console/prices`: the markup rules in force, and what others would change.

use super::{Operator, OperatorsForm, Routes};
use crate::dashboard::page::Failed;
use crate::dashboard::view::percent;
use crate::door::Door;
use app::{Comparison, PriceExample};
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use domain::desk::Deed;
use domain::ids::AccountId;
use domain::markup::{Markup, Rule};
use minijinja::{Value, context};
use std::sync::Arc;

/// Examples of changed prices.
const EXAMPLES: usize = 50;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/prices", Deed::SeeCatalogue, get(show))
        .act("/console/prices/preview", Deed::ChangePrices, post(preview))
}

/// Changed rules as somebody wrote them, and what came of them.
#[derive(Default)]
struct Tried {
    text: Option<String>,
    tier: u8,
    account: Option<i64>,
    compared: Option<Comparison>,
    failed: Option<Failed>,
}

async fn show(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    let tried = Tried {
        tier: 3,
        ..Tried::default()
    };
    page(&door, &operator, tried)
}

fn page(door: &Door, operator: &Operator, tried: Tried) -> Response {
    let page = operator.page("Prices", "prices").with_failure(tried.failed);
    let markups = door.stock.markups();
    let rules: Vec<Value> = markups.rules.iter().map(rule_view).collect();
    let values = context! {
        general => markup_view(&markups.general),
        rules,
        text => tried.text.unwrap_or_else(|| door.stock.markup_text()),
        tier => tried.tier,
        account => tried.account,
        compared => tried.compared.as_ref().map(comparison_view),
    };
    page.show("console/prices.html", values)
}

/// A rule, ready for a page.
pub(super) fn rule_view(rule: &Rule) -> Value {
    context! {
        server => &rule.server,
        service => &rule.service,
        country => &rule.country,
        tier => rule.tier,
        account => rule.account.map(|account| account.0),
        markup => markup_view(&rule.markup),
    }
}

fn markup_view(markup: &Markup) -> Value {
    context! {
        percent => percent(markup.parts_per_million),
        fixed => markup.fixed.0,
        min_margin => markup.min_margin.0,
        round_to => markup.round_to.0,
        below_cost => markup.below_cost,
    }
}

fn comparison_view(compared: &Comparison) -> Value {
    let same = compared.offers - compared.dearer - compared.cheaper - compared.unsold;
    context! {
        tier => compared.tier,
        account => compared.account.map(|account| account.0),
        offers => compared.offers,
        same,
        dearer => compared.dearer,
        cheaper => compared.cheaper,
        unsold => compared.unsold,
        below_cost => compared.below_cost,
        least_before => compared.least_margin_before.map(|usd| usd.0),
        least => compared.least_margin.map(|usd| usd.0),
        examples => compared.examples.iter().map(example_view).collect::<Vec<_>>(),
    }
}

fn example_view(one: &PriceExample) -> Value {
    context! {
        server => &one.server,
        kind => one.provider_type,
        country_id => &one.country_id,
        service => &one.service,
        service_id => &one.service_id,
        cost => one.cost.0,
        before => one.before.0,
        after => one.after.map(|usd| usd.0),
        margin => one.after.map(|usd| usd.0 - one.cost.0),
    }
}

/// `POST …/preview`: nothing changes.
async fn preview(State(door): State<Arc<Door>>, form: OperatorsForm) -> Response {
    let text = form.fields.text("rules").to_owned();
    let tier = form.fields.number("tier").filter(|tier| *tier <= 3);
    let account = form.fields.whole::<i64>("account");
    let mut tried = Tried {
        tier: tier.unwrap_or(3),
        account: account.as_ref().ok().copied().flatten(),
        ..Tried::default()
    };
    let compared = async {
        let tier = tier.ok_or_else(|| Failed::field("tier", "The tier is 0, 1, 2 or 3."))?;
        let payer = door.stock.whose(tier, account?.map(AccountId)).await?;
        Ok::<_, Failed>(door.stock.preview(&text, payer, EXAMPLES).await?)
    };
    match compared.await {
        Ok(compared) => tried.compared = Some(compared),
        Err(failed) => tried.failed = Some(failed),
    }
    tried.text = Some(text);
    page(&door, &form.operator, tried)
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn percents_lose_no_digit() {
        assert_eq!(percent(200_000), "20");
        assert_eq!(percent(125_100), "12.51");
        assert_eq!(percent(-5_000), "\u{2212}0.5");
        assert_eq!(percent(0), "0");
    }
}
