//! The pages' templates, parsed once, and what they can call.

use super::view;
use crate::{assets, docs};
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use std::sync::LazyLock;

macro_rules! templates {
    (dashboard: $($name:literal),*; console: $($desk:literal),* $(,)?) => {
        &[
            $(($name, include_str!(concat!("../../templates/dashboard/", $name))),)*
            $((
                concat!("console/", $desk),
                include_str!(concat!("../../templates/console/", $desk)),
            ),)*
        ]
    };
}

/// Every template by name.
pub(crate) const TEMPLATES: &[(&str, &str)] = templates![
    dashboard:
    "account.html",
    "confirm.html",
    "error.html",
    "forgot.html",
    "home.html",
    "keys.html",
    "layout.html",
    "live.html",
    "log.html",
    "log_lines.html",
    "macros.html",
    "mailbox.html",
    "numbers.html",
    "order_number.html",
    "order_smm.html",
    "order_story.html",
    "orders.html",
    "overview.html",
    "policy.html",
    "prove.html",
    "report_abuse.html",
    "reset.html",
    "search.html",
    "sign_in.html",
    "sign_in_code.html",
    "sign_up.html",
    "smm.html",
    "smm_mass.html",
    "smm_order.html",
    "smm_quote.html",
    "standing.html",
    "strength.html",
    "one_top_up.html",
    "receipt.html",
    "top_up.html",
    "wallet.html";
    console:
    "account.html",
    "accounts.html",
    "announcements.html",
    "audit.html",
    "case.html",
    "cases.html",
    "catalogue.html",
    "codes.html",
    "cost_changes.html",
    "dead_offers.html",
    "error.html",
    "join.html",
    "layout.html",
    "ledger.html",
    "money.html",
    "names.html",
    "new_upstream.html",
    "order.html",
    "orders.html",
    "overview.html",
    "parts.html",
    "policy.html",
    "prices.html",
    "reports.html",
    "second_factor.html",
    "server.html",
    "servers.html",
    "processors.html",
    "recovery.html",
    "sign_in.html",
    "sign_in_code.html",
    "staff.html",
    "tickets.html",
    "upstream.html",
    "top_up.html",
    "top_up_import.html",
    "top_ups.html",
    "upstream_books.html",
    "upstreams.html",
];

static ENVIRONMENT: LazyLock<Result<Environment<'static>, minijinja::Error>> =
    LazyLock::new(environment);

fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    for (name, source) in TEMPLATES.iter().chain(docs::pages::TEMPLATES) {
        environment.add_template(name, source)?;
    }
    environment.add_function("asset", |name: &str| assets::address(name));
    environment.add_filter("usd", view::usd);
    environment.add_filter("count", view::count);
    environment.add_filter("time", view::time);
    environment.add_filter("date", view::date);
    environment.add_filter("until", view::until);
    Ok(environment)
}

/// A template with its values.
pub(crate) fn render(name: &str, values: Value) -> Result<String, minijinja::Error> {
    #[cfg(test)]
    RENDERED.with_borrow_mut(|rendered| rendered.insert(name.to_owned()));
    let environment = ENVIRONMENT.as_ref().map_err(|error| {
        minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, error.to_string())
    })?;
    environment.get_template(name)?.render(values)
}

#[cfg(test)]
thread_local! {
    /// What a test has asked for by name.
    pub(crate) static RENDERED: std::cell::RefCell<std::collections::BTreeSet<String>> =
        const { std::cell::RefCell::new(std::collections::BTreeSet::new()) };
}
