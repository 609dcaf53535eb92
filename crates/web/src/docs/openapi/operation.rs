//! One operation: everything that is behind one path and method.

use serde_json::{Map, Value, json};

use super::{parameters, responses, schemas};
use crate::docs::endpoints::{Endpoint, Group, Method, Place, Required, Sample};

/// The operation of endpoints that share a path and a method.
pub(super) fn operation(actions: &[&'static Endpoint]) -> Value {
    let first = actions[0];
    let mut operation = json!({
        "operationId": operation_id(first),
        "summary": summary(actions),
        "description": description(actions),
        "tags": [tag(first.group)],
    });
    let parameters = parameters::of(actions);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if first.method == Method::Post {
        operation["requestBody"] = request_body(actions);
    }
    operation["responses"] = responses::of(actions);
    if !first.authenticated {
        operation["security"] = json!([]);
    }
    operation
}

const fn tag(group: Group) -> &'static str {
    match group {
        Group::Otp => "OTP",
        Group::Smm => "SMM",
        Group::Service => "Service",
    }
}

/// The name of the operation that an endpoint is part of.
pub(super) fn operation_id(first: &Endpoint) -> String {
    match (first.action, first.method) {
        (None, _) => schemas::camel_case(first.id),
        (Some(_), Method::Get) => format!("{}Read", tag(first.group).to_lowercase()),
        (Some(_), Method::Post) => format!("{}Write", tag(first.group).to_lowercase()),
    }
}

fn summary(actions: &[&Endpoint]) -> String {
    let titles: Vec<_> = actions.iter().map(|endpoint| endpoint.title).collect();
    titles.join(", ")
}

/// Every action with what it does and which parameters it reads.
fn description(actions: &[&Endpoint]) -> String {
    let lines: Vec<_> = actions
        .iter()
        .map(|endpoint| action_description(endpoint))
        .collect();
    lines.join("\n\n")
}

fn action_description(endpoint: &Endpoint) -> String {
    let Some(action) = endpoint.action else {
        return endpoint.summary.to_owned();
    };
    let mut text = format!("**`action={action}`**: {}", endpoint.summary);
    for (required, lead) in [
        (Required::Yes, "Required"),
        (Required::Conditional, "Conditional"),
        (Required::No, "Optional"),
    ] {
        let names: Vec<_> = endpoint
            .parameters
            .iter()
            .filter(|parameter| parameter.required == required)
            .map(|parameter| format!("`{}`", parameter.name))
            .collect();
        if !names.is_empty() {
            text.push_str(&format!(" {lead}: {}.", names.join(", ")));
        }
    }
    text
}

/// The body in both media types. An unknown member is ignored, so a body may well fit more
/// than one action: hence `anyOf`.
fn request_body(actions: &[&Endpoint]) -> Value {
    let choices = actions
        .iter()
        .map(|endpoint| schemas::request_reference(endpoint))
        .collect();
    let schema = schemas::choice("anyOf", choices);
    let examples: Map<_, _> = actions
        .iter()
        .map(|endpoint| {
            let example = json!({ "summary": endpoint.title, "value": sample_body(endpoint) });
            (endpoint.action.unwrap_or(endpoint.id).to_owned(), example)
        })
        .collect();
    let body = json!({ "schema": schema, "examples": examples });
    json!({
        "required": true,
        "description": "The parameters of the action, at most 64 KiB.",
        "content": { "application/json": body, "application/x-www-form-urlencoded": body },
    })
}

fn sample_body(endpoint: &Endpoint) -> Value {
    let takes = |name: &str| {
        endpoint
            .parameters
            .iter()
            .any(|one| one.name == name && one.place == Place::Body)
    };
    let members: Map<_, _> = endpoint
        .sample
        .iter()
        .filter(|(name, _)| takes(name))
        .map(|(name, value)| {
            let value = match value {
                Sample::Text(text) => json!(text),
                Sample::Number(number) => json!(number),
            };
            ((*name).to_owned(), value)
        })
        .collect();
    Value::Object(members)
}
