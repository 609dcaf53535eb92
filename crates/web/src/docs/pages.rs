//! The docs page: the table of endpoints and the example clients, laid out for reading.

mod view;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

use super::clients::CLIENTS;
use super::endpoints::Group;
use super::{errors, origin};

/// The page's templates by name.
const TEMPLATES: &[(&str, &str)] = &[
    ("page.html", include_str!("../../templates/docs/page.html")),
    (
        "guide.html",
        include_str!("../../templates/docs/guide.html"),
    ),
    (
        "endpoint.html",
        include_str!("../../templates/docs/endpoint.html"),
    ),
    (
        "macros.html",
        include_str!("../../templates/docs/macros.html"),
    ),
];

/// The whole docs page as HTML. `base_url` is the origin under which the reader reached the
/// gateway: the examples carry it, so that they work as they stand.
pub fn page(base_url: &str) -> String {
    match render(origin(base_url)) {
        Ok(html) => html,
        Err(error) => {
            // The templates and their data are compiled in and rendered by a test, so this
            // branch means a broken build; the reader still gets to the description.
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "cannot render the docs"
            );
            "<!doctype html><title>Tollgate</title><p>See /api/v1/openapi.json.</p>".to_owned()
        }
    }
}

fn render(base_url: &str) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    let clients: Vec<_> = CLIENTS
        .iter()
        .map(|client| {
            context! {
                language => client.language,
                file => client.file,
                command => client.command,
                code => client.source(base_url),
            }
        })
        .collect();
    environment.get_template("page.html")?.render(context! {
        base_url,
        version => env!("CARGO_PKG_VERSION"),
        groups => vec![
            view::group(Group::Otp, base_url),
            view::group(Group::Smm, base_url),
            view::group(Group::Service, base_url),
        ],
        statuses => view::statuses(),
        common_codes => errors::EVERYWHERE.to_vec(),
        write_codes => errors::WRITES.to_vec(),
        clients,
    })
}
