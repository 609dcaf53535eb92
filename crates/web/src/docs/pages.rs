//! The documentation laid out for reading: the page, and the same as Markdown.

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
        "reference.md",
        include_str!("../../templates/docs/reference.md"),
    ),
    ("llms.txt", include_str!("../../templates/docs/llms.txt")),
    (
        "macros.html",
        include_str!("../../templates/docs/macros.html"),
    ),
];

/// The whole docs page as HTML. `base_url` is the origin under which the reader reached the
/// gateway: the examples carry it, so that they work as they stand. `signed` readers find the way
/// back to their pages.
pub fn page(base_url: &str, signed: bool) -> String {
    let broken = "<!doctype html><title>Tollgate</title><p>See /api/v1/openapi.json.</p>";
    render("page.html", origin(base_url), signed).unwrap_or_else(|| broken.to_owned())
}

/// The reference as Markdown.
pub fn reference(base_url: &str) -> String {
    render("reference.md", origin(base_url), false).unwrap_or_default()
}

/// The way to the documentation for language models.
pub fn llms(base_url: &str) -> String {
    render("llms.txt", origin(base_url), false).unwrap_or_default()
}

/// The guide for consumers as Markdown.
pub const GUIDE: &str = include_str!("../../../../docs/api.md");

/// The templates and their data are compiled in and rendered by tests: nothing means a broken
/// build, which the log says.
fn render(template: &str, base_url: &str, signed: bool) -> Option<String> {
    let rendered = rendered(template, base_url, signed);
    if let Err(error) = &rendered {
        let error = error as &dyn std::error::Error;
        tracing::error!(template, error, "cannot render the docs");
    }
    rendered.ok()
}

fn rendered(template: &str, base_url: &str, signed: bool) -> Result<String, minijinja::Error> {
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
    environment.get_template(template)?.render(context! {
        base_url,
        signed,
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
