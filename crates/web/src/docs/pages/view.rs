//! What the templates are given: the table of endpoints, turned into rows of text.

use minijinja::{Value, context};

use crate::docs::endpoints::{self, Answer, Endpoint, Field, Group, Parameter, Shape};
use crate::docs::errors::{CODES, EVERYWHERE, ErrorCode, STATUSES, WRITES};
use crate::docs::samples;

/// One section of the page with its endpoints.
pub(super) fn group(group: Group, base_url: &str) -> Value {
    let (id, title, lead) = match group {
        Group::Otp => (
            "otp",
            "OTP",
            "Buy a number, read the code that it receives.",
        ),
        Group::Smm => (
            "smm",
            "SMM",
            "Place orders for social media services and follow them.",
        ),
        Group::Service => (
            "service",
            "Service",
            "The gateway itself. These need no key.",
        ),
    };
    let members = endpoints::all().filter(|one| one.group == group);
    let endpoints: Vec<_> = members.map(|one| endpoint(one, base_url)).collect();
    context! { id, title, lead, endpoints }
}

fn endpoint(endpoint: &Endpoint, base_url: &str) -> Value {
    let examples: Vec<_> = samples::of(endpoint, base_url)
        .into_iter()
        .map(|example| context! { language => example.language, code => example.code })
        .collect();
    let mut answers = vec![answer(200, &endpoint.answer)];
    answers.extend(
        endpoint
            .accepted
            .as_ref()
            .map(|accepted| answer(202, accepted)),
    );
    let own_error =
        |error: &&ErrorCode| !EVERYWHERE.contains(&error.code) && !WRITES.contains(&error.code);
    let own_errors: Vec<_> = endpoint.errors().filter(own_error).map(error).collect();
    context! {
        id => endpoint.id,
        method => endpoint.method.name(),
        target => endpoint.target(),
        title => endpoint.title,
        summary => endpoint.summary,
        authenticated => endpoint.authenticated,
        writes => endpoint.method == endpoints::Method::Post,
        parameters => endpoint.parameters.iter().map(parameter).collect::<Vec<_>>(),
        examples,
        answers,
        own_errors,
    }
}

fn parameter(parameter: &Parameter) -> Value {
    context! {
        name => parameter.name,
        aliases => parameter.aliases.to_vec(),
        kind => parameter.kind.word(),
        required => parameter.required.word(),
        place => parameter.place.word(),
        description => parameter.description,
        example => parameter.example,
    }
}

fn answer(status: u16, answer: &Answer) -> Value {
    let mut rows = Vec::new();
    let prefix = if answer.wrapped { "data." } else { "" };
    add_rows(&mut rows, prefix, answer.fields);
    context! { status, description => answer.description, example => answer.example, rows }
}

/// Lists fields depth first, each with its whole path: `data.countries[].id`.
fn add_rows(rows: &mut Vec<Value>, prefix: &str, fields: &[Field]) {
    for field in fields {
        let path = format!("{prefix}{}", field.name);
        rows.push(context! {
            path => path.as_str(),
            kind => field.shape.word(),
            always => field.always,
            description => field.description,
        });
        match &field.shape {
            Shape::Object(members) => add_rows(rows, &format!("{path}."), members),
            Shape::List(Shape::Object(members)) => add_rows(rows, &format!("{path}[]."), members),
            _ => {}
        }
    }
}

fn error(error: &ErrorCode) -> Value {
    context! { status => error.status, code => error.code, when => error.when }
}

/// The error table: every status with its codes.
pub(super) fn statuses() -> Vec<Value> {
    let codes = |status: u16| {
        let of_status = CODES.iter().filter(move |error| error.status == status);
        of_status.map(error).collect::<Vec<_>>()
    };
    STATUSES
        .iter()
        .map(|one| {
            context! {
                status => one.status,
                meaning => one.meaning,
                handling => one.handling,
                codes => codes(one.status),
            }
        })
        .collect()
}
