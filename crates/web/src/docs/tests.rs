//! The table, the page, the OpenAPI document, the guide and the clients say the same.

use std::collections::BTreeSet;

use serde_json::Value;

use super::clients::CLIENTS;
use super::endpoints::{self, Endpoint, Kind, Method, Parameter, Place, Required};
use super::errors::{CODES, EVERYWHERE, PURCHASES, STATUSES, WRITES};
use super::{openapi, origin, samples};
use crate::dashboard::{Page, Visitor};

const BASE: &str = "https://otp.example:8443";
use super::pages::GUIDE;

/// The reference as a stranger sees it.
fn page(base_url: &str) -> String {
    let visitor = Visitor::unknown();
    let page = Page::new(&visitor, "API documentation").under("docs");
    let page = page.render("docs/page.html", super::pages::values(base_url));
    page.unwrap()
}

fn document() -> Value {
    serde_json::from_str(&openapi(BASE)).unwrap()
}

fn operation<'a>(document: &'a Value, endpoint: &Endpoint) -> &'a Value {
    &document["paths"][endpoint.path][endpoint.method.name().to_lowercase()]
}

/// A text as it stands in the page, after escaping.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#x27;")
        .replace('/', "&#x2f;")
}

/// The part of the page that belongs to one endpoint.
fn section<'a>(page: &'a str, endpoint: &Endpoint) -> &'a str {
    let start = page
        .find(&format!(
            "<section class=\"endpoint\" id=\"{}\"",
            endpoint.id
        ))
        .unwrap();
    let length = page[start..].find("</section>").unwrap();
    &page[start..start + length]
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => schema,
    }
}

#[test]
fn the_table_has_the_ten_endpoints_and_the_lists() {
    let targets: Vec<_> = endpoints::all()
        .map(|one| format!("{} {}", one.method.name(), one.target()))
        .collect();
    assert_eq!(
        targets,
        [
            "GET /api/v1/otp?action=countries",
            "GET /api/v1/otp?action=services",
            "POST /api/v1/otp?action=buy_number",
            "GET /api/v1/otp?action=get_status",
            "POST /api/v1/otp?action=cancel",
            "GET /api/v1/otp?action=balance",
            "GET /api/v1/otp?action=orders",
            "GET /api/v1/smm?action=services",
            "POST /api/v1/smm?action=place_order",
            "GET /api/v1/smm?action=order_status",
            "POST /api/v1/smm?action=cancel_order",
            "POST /api/v1/smm?action=refill",
            "GET /api/v1/smm?action=refill_status",
            "GET /api/v1/smm?action=balance",
            "GET /api/v1/smm?action=orders",
            "GET /healthz",
            "GET /readyz",
            "GET /api/v1/openapi.json",
        ]
    );
}

#[test]
fn the_table_is_whole() {
    let ids: BTreeSet<_> = endpoints::all().map(|one| one.id).collect();
    assert_eq!(ids.len(), endpoints::all().count(), "ids are unique");
    for endpoint in endpoints::all() {
        assert!(
            !endpoint.title.is_empty() && !endpoint.summary.is_empty(),
            "{}",
            endpoint.id
        );
        for (name, _) in endpoint.sample {
            let known = endpoint.parameters.iter().any(|one| one.name == *name);
            assert!(known, "{}: the sample has an unknown {name}", endpoint.id);
        }
        for parameter in endpoint.parameters {
            assert!(
                !parameter.description.is_empty(),
                "{}: {}",
                endpoint.id,
                parameter.name
            );
            assert!(
                !parameter.example.is_empty(),
                "{}: {}",
                endpoint.id,
                parameter.name
            );
            let sampled = endpoint
                .sample
                .iter()
                .any(|(name, _)| *name == parameter.name);
            let needed = parameter.required == Required::Yes;
            assert!(
                sampled || !needed,
                "{}: no sample of {}",
                endpoint.id,
                parameter.name
            );
        }
    }
}

#[test]
fn writes_take_their_parameters_from_the_body_and_a_key_for_repeating() {
    for endpoint in endpoints::all() {
        let expected = if endpoint.method == Method::Post {
            Place::Body
        } else {
            Place::Query
        };
        for parameter in endpoint
            .parameters
            .iter()
            .filter(|one| one.place != Place::Header)
        {
            assert_eq!(
                parameter.place, expected,
                "{}: {}",
                endpoint.id, parameter.name
            );
        }
        let repeatable = endpoint
            .parameters
            .iter()
            .any(|one| one.kind == Kind::IdempotencyKey);
        assert_eq!(
            repeatable,
            endpoint.method == Method::Post,
            "{}",
            endpoint.id
        );
    }
}

#[test]
fn the_codes_of_the_table_are_those_of_the_catalogue() {
    let known: BTreeSet<_> = CODES.iter().map(|error| error.code).collect();
    assert_eq!(known.len(), CODES.len(), "codes are unique");
    let named: BTreeSet<_> = endpoints::all()
        .flat_map(|endpoint| endpoint.refusals)
        .chain([&EVERYWHERE, &WRITES, &PURCHASES])
        .flat_map(|group| group.iter().copied())
        .collect();
    assert_eq!(
        named.difference(&known).collect::<Vec<_>>(),
        Vec::<&&str>::new()
    );
    // A path without an endpoint is the one refusal that belongs to none of them.
    assert_eq!(
        known.difference(&named).copied().collect::<Vec<_>>(),
        ["not_found"]
    );
    let statuses: BTreeSet<_> = STATUSES.iter().map(|one| one.status).collect();
    assert_eq!(statuses, CODES.iter().map(|error| error.status).collect());
}

#[test]
fn what_the_use_cases_refuse_with_is_in_the_catalogue() {
    let source = include_str!("../../../app/src/refusal.rs");
    let after = source.split("fn code(").nth(1).unwrap();
    let body = after.split("pub fn ").next().unwrap();
    let codes: Vec<_> = body
        .split("=> \"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(
        codes.contains(&"no_numbers"),
        "refusal.rs is no longer read right"
    );
    for code in codes {
        assert!(
            CODES.iter().any(|error| error.code == code),
            "{code} is not documented"
        );
    }
}

#[test]
fn every_member_that_an_order_may_have_is_in_the_table() {
    let placing = endpoints::all().find(|one| one.action == Some("place_order"));
    let parameters = placing.unwrap().parameters;
    for name in app::TEXT_MEMBERS.into_iter().chain(["runs", "interval"]) {
        assert!(parameters.iter().any(|one| one.name == name), "{name}");
    }
}

#[test]
fn the_page_shows_every_endpoint_with_all_that_belongs_to_it() {
    let page = page(BASE);
    for endpoint in endpoints::all() {
        let section = section(&page, endpoint);
        assert!(
            page.contains(&format!("href=\"#{}\"", endpoint.id)),
            "{}",
            endpoint.id
        );
        assert!(
            section.contains(&escaped(&endpoint.target())),
            "{}",
            endpoint.id
        );
        assert!(
            section.contains(&escaped(endpoint.title)),
            "{}",
            endpoint.id
        );
        assert!(
            section.contains(&escaped(endpoint.summary)),
            "{}",
            endpoint.id
        );
        assert!(
            section.contains(&escaped(endpoint.answer.example)),
            "{}",
            endpoint.id
        );
        shows_parameters(section, endpoint);
        for example in samples::of(endpoint, BASE) {
            assert!(
                section.contains(&escaped(&example.code)),
                "{}",
                example.code
            );
        }
        for field in endpoint.answer.fields {
            assert!(
                section.contains(&escaped(field.description)),
                "{}",
                field.name
            );
        }
        let own = |code: &str| !EVERYWHERE.contains(&code) && !WRITES.contains(&code);
        for error in endpoint.errors().filter(|error| own(error.code)) {
            assert!(
                section.contains(error.code),
                "{}: {}",
                endpoint.id,
                error.code
            );
        }
    }
}

fn shows_parameters(section: &str, endpoint: &Endpoint) {
    for Parameter {
        name,
        aliases,
        description,
        ..
    } in endpoint.parameters
    {
        assert!(
            section.contains(&format!("<code>{name}</code>")),
            "{}: {name}",
            endpoint.id
        );
        assert!(
            section.contains(&escaped(description)),
            "{}: {name}",
            endpoint.id
        );
        for alias in *aliases {
            assert!(
                section.contains(&format!("<code>{alias}</code>")),
                "{alias}"
            );
        }
    }
}

#[test]
fn the_page_lists_every_error_and_every_client() {
    let page = page(BASE);
    let errors = &page[page.find("id=\"errors\"").unwrap()..];
    for error in CODES {
        assert!(
            errors.contains(&format!("<code>{}</code>", error.code)),
            "{}",
            error.code
        );
        assert!(errors.contains(&escaped(error.when)), "{}", error.when);
    }
    for client in CLIENTS {
        assert!(
            page.contains(&escaped(&client.source(BASE))),
            "{}",
            client.file
        );
    }
}

#[test]
fn the_page_obeys_a_strict_content_policy() {
    let page = page(BASE).replace("&#x2f;", "/");
    let scripts = page.matches("<script").count();
    assert_eq!(page.matches("<script src=\"/assets/").count(), scripts);
    for name in ["app.js", "docs.js", "try.js"] {
        assert!(page.contains(&crate::assets::address(name)), "{name}");
    }
    for forbidden in ["<style", "style=\"", " onclick=", "javascript:"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for (before, _) in page.match_indices("/assets/") {
        let name: String = page[before + "/assets/".len()..]
            .chars()
            .take_while(|c| !['"', '?'].contains(c))
            .collect();
        assert!(
            crate::assets::content(&name).is_some_and(|content| !content.is_empty()),
            "{name}"
        );
    }
    assert!(crate::assets::content("nothing").is_none());
}

#[test]
fn ids_and_links_of_the_page_fit() {
    let page = page(BASE);
    let values = |attribute: &str| -> Vec<String> {
        page.match_indices(attribute)
            .map(|(at, _)| {
                page[at + attribute.len()..]
                    .chars()
                    .take_while(|c| *c != '"')
                    .collect()
            })
            .collect()
    };
    let ids = values(" id=\"");
    assert_eq!(
        ids.iter().collect::<BTreeSet<_>>().len(),
        ids.len(),
        "ids are unique"
    );
    for target in values("href=\"#").iter().chain(&values(" for=\"")) {
        assert!(ids.contains(target), "{target}");
    }
}

#[test]
fn a_hostile_host_header_reaches_neither_page_nor_examples() {
    for hostile in [
        "http://a';system('x",
        "http://a\"><script>",
        "http://a$(x)",
        "http://a b",
        "http://",
        "javascript:alert",
        "",
    ] {
        assert_eq!(origin(hostile), "http://127.0.0.1:8080", "{hostile}");
        assert_eq!(page(hostile), page("http://127.0.0.1:8080"), "{hostile}");
        assert_eq!(
            openapi(hostile),
            openapi("http://127.0.0.1:8080"),
            "{hostile}"
        );
    }
    assert_eq!(origin("https://otp.example/"), "https://otp.example");
    assert_eq!(origin("http://[::1]:8080"), "http://[::1]:8080");
}

#[test]
fn examples_carry_the_readers_own_address() {
    for endpoint in endpoints::all() {
        for example in samples::of(endpoint, BASE) {
            let address = format!("{BASE}{}", endpoint.target());
            assert!(
                example.code.contains(&address),
                "{}: {}",
                example.language,
                endpoint.id
            );
            let with_key = example.code.contains("your_api_key_here");
            assert_eq!(with_key, endpoint.authenticated, "{}", example.code);
            for (name, _) in endpoint.sample {
                assert!(example.code.contains(name), "{}: {name}", endpoint.id);
            }
        }
    }
    for client in CLIENTS {
        let source = client.source(BASE);
        assert!(
            source.contains("https://otp.example:8443/api/v1"),
            "{}",
            client.file
        );
        assert!(!source.contains("127.0.0.1"), "{}", client.file);
        assert!(source.lines().count() < 120, "{}", client.file);
    }
}

#[test]
fn the_guide_names_every_endpoint_and_every_code() {
    for endpoint in endpoints::all() {
        let row = format!("| {} | `{}` |", endpoint.method.name(), endpoint.target());
        assert!(GUIDE.contains(&row), "docs/api.md lacks {row}");
    }
    let named: BTreeSet<_> = GUIDE
        .split("?action=")
        .skip(1)
        .map(|rest| {
            rest.split(|c: char| !c.is_ascii_lowercase() && c != '_')
                .next()
                .unwrap()
        })
        .collect();
    let known: BTreeSet<_> = endpoints::all()
        .filter_map(|endpoint| endpoint.action)
        .collect();
    assert_eq!(named, known, "actions in docs/api.md");
}

#[test]
fn the_error_table_of_the_guide_is_that_of_the_catalogue() {
    for status in STATUSES {
        let codes: Vec<_> = CODES
            .iter()
            .filter(|error| error.status == status.status)
            .map(|error| format!("`{}`", error.code))
            .collect();
        let row = format!(
            "| {} | {} | {} | {} |",
            status.status,
            status.meaning,
            status.handling,
            codes.join(", ")
        );
        assert!(
            GUIDE.lines().any(|line| line == row),
            "docs/api.md lacks {row}"
        );
    }
    let rows = GUIDE.lines().filter(|line| {
        line.strip_prefix("| ")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    assert_eq!(rows.count(), STATUSES.len());
}

mod openapi_document;

#[test]
fn every_endpoint_can_be_tried_with_its_own_parameters() {
    let page = page(BASE);
    for endpoint in endpoints::all() {
        let section = section(&page, endpoint);
        let method = format!("data-method=\"{}\"", endpoint.method.name());
        assert!(section.contains(&method), "{}", endpoint.id);
        for parameter in endpoint.parameters {
            let field = format!(
                "<input name=\"{}\" data-place=\"{}\"",
                parameter.name,
                parameter.place.word()
            );
            assert!(section.contains(&field), "{} {field}", endpoint.id);
        }
    }
}

#[test]
fn the_markdown_has_every_endpoint_and_error_and_llms_txt_leads_to_it() {
    let reference = super::reference(BASE);
    for endpoint in endpoints::all() {
        let heading = format!("### {}\n", endpoint.title);
        let target = format!("`{} {}`", endpoint.method.name(), endpoint.target());
        assert!(reference.contains(&heading) && reference.contains(&target));
        for parameter in endpoint.parameters {
            let row = format!("| `{}`", parameter.name);
            assert!(reference.contains(&row), "{}: {row}", endpoint.id);
        }
    }
    for error in CODES {
        assert!(reference.contains(&format!("| `{}` | {} |", error.code, error.status)));
    }
    assert!(!reference.contains("&quot;") && !reference.contains("&#x"));
    let llms = super::llms(BASE);
    assert!(llms.starts_with("# Tollgate\n\n> "));
    for path in [
        "/docs/guide.md",
        "/docs/reference.md",
        "/api/v1/openapi.json",
    ] {
        assert!(llms.contains(&format!("({BASE}{path})")), "{path}");
    }
}
