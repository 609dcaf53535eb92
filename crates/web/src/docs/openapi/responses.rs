//! The responses of one operation, by status, and the headers they carry.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{operation, schemas};
use crate::docs::endpoints::{self, Answer, Endpoint, Method};
use crate::docs::errors::ErrorCode;

/// Refused while the request was still being parsed: no body, no headers of ours.
const BY_THE_PARSER: &[(&str, &str)] =
    &[("431", "The headers are too large. The answer has no body.")];

/// The responses of endpoints that share a path and a method.
pub(super) fn of(actions: &[&'static Endpoint]) -> Value {
    let mut responses = Map::new();
    let answers: Vec<_> = actions
        .iter()
        .map(|one| (*one, &one.answer, "Data"))
        .collect();
    responses.insert("200".to_owned(), success(200, actions, &answers));
    let accepted: Vec<_> = actions
        .iter()
        .filter_map(|one| Some((*one, one.accepted.as_ref()?, "Pending")))
        .collect();
    if !accepted.is_empty() {
        responses.insert("202".to_owned(), success(202, actions, &accepted));
    }
    for (status, codes) in refusals(actions) {
        responses.insert(status.to_string(), refusal(status, actions, &codes));
    }
    for (status, description) in BY_THE_PARSER {
        responses.insert((*status).to_owned(), json!({ "description": description }));
    }
    Value::Object(responses)
}

fn success(
    status: u16,
    actions: &[&'static Endpoint],
    answers: &[(&'static Endpoint, &Answer, &str)],
) -> Value {
    let mut lines = Vec::new();
    let mut examples = Map::new();
    let mut choices = Vec::new();
    for (endpoint, answer, suffix) in answers {
        let name = endpoint.action.unwrap_or(endpoint.id);
        lines.push(match endpoint.action {
            Some(action) => format!("`{action}`: {}", answer.description),
            None => answer.description.to_owned(),
        });
        choices.push(schemas::answer_reference(endpoint, suffix));
        let body: Value = serde_json::from_str(answer.example).unwrap_or_default();
        examples.insert(
            name.to_owned(),
            json!({ "summary": endpoint.title, "value": body }),
        );
    }
    let data = schemas::choice("oneOf", choices);
    let wrapped = answers.iter().all(|(_, answer, _)| answer.wrapped);
    let schema = if wrapped {
        schemas::envelope(data)
    } else {
        data
    };
    let mut response = json!({
        "description": lines.join("\n\n"),
        "headers": header_references(status, actions),
        "content": {
            "application/json": {
                "schema": schema,
                "examples": examples,
            },
        },
    });
    let links = links(actions);
    if !links.is_empty() {
        response["links"] = Value::Object(links);
    }
    response
}

/// What can be done with the `order_id` of an answer.
fn links(actions: &[&'static Endpoint]) -> Map<String, Value> {
    let order_id = "$response.body#/data/order_id";
    let targets = actions.iter().flat_map(|endpoint| endpoint.leads_to);
    targets
        .filter_map(|id| endpoints::all().find(|endpoint| endpoint.id == *id))
        .map(|target| {
            let from = actions
                .iter()
                .filter(|one| one.leads_to.contains(&target.id));
            let mut link = json!({
                "operationId": operation::operation_id(target),
                "description": target.summary,
                "parameters": { "action": target.action },
                "x-actions": from.filter_map(|one| one.action).collect::<Vec<_>>(),
            });
            match target.method {
                Method::Get => link["parameters"]["order_id"] = json!(order_id),
                Method::Post => link["requestBody"] = json!({ "order_id": order_id }),
            }
            (schemas::camel_case(target.id), link)
        })
        .collect()
}

/// Every code that one of the endpoints refuses with, by status.
fn refusals(actions: &[&'static Endpoint]) -> BTreeMap<u16, Vec<&'static ErrorCode>> {
    let mut by_status: BTreeMap<u16, Vec<&'static ErrorCode>> = BTreeMap::new();
    for error in actions.iter().flat_map(|endpoint| endpoint.errors()) {
        let codes = by_status.entry(error.status).or_default();
        if !codes.iter().any(|known| known.code == error.code) {
            codes.push(error);
        }
    }
    by_status
}

fn refusal(status: u16, actions: &[&'static Endpoint], codes: &[&'static ErrorCode]) -> Value {
    let lines: Vec<_> = codes
        .iter()
        .map(|error| format!("- `{}`: {}", error.code, error.when))
        .collect();
    let names: Vec<_> = codes.iter().map(|error| error.code).collect();
    json!({
        "description": lines.join("\n"),
        "headers": header_references(status, actions),
        "content": {
            "application/json": {
                "schema": {
                    "allOf": [
                        { "$ref": "#/components/schemas/Error" },
                        { "type": "object", "properties": { "code": { "enum": names } } },
                    ],
                },
                "example": {
                    "success": false,
                    "error": codes[0].when,
                    "code": codes[0].code,
                },
            },
        },
    })
}

fn header_references(status: u16, actions: &[&'static Endpoint]) -> Value {
    let authenticated = actions.iter().any(|endpoint| endpoint.authenticated);
    let writes = actions
        .iter()
        .any(|endpoint| endpoint.method == Method::Post);
    let mut names = vec!["X-Request-Id"];
    if authenticated {
        names.extend(["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]);
    }
    if authenticated && matches!(status, 409 | 429 | 503) {
        names.push("Retry-After");
    }
    if writes && matches!(status, 200 | 202 | 402 | 503) {
        names.push("Idempotent-Replayed");
    }
    if status == 405 {
        names.push("Allow");
    }
    let reference = |name: &&str| {
        let target = format!("#/components/headers/{name}");
        ((*name).to_owned(), json!({ "$ref": target }))
    };
    Value::Object(names.iter().map(reference).collect())
}

/// The headers that responses refer to.
pub(super) fn headers() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    json!({
        "X-Request-Id": {
            "description": "Names this request in the gateway's log; echoed when the request \
                            carried a plain one of its own.",
            "required": true,
            "schema": { "type": "string", "minLength": 1 },
        },
        "RateLimit-Limit": {
            "description": "How many requests 60 seconds admit, for this key and action; with \
                            status 401, how many that fail like this one, from this address.",
            "schema": count,
        },
        "RateLimit-Remaining": {
            "description": "How many requests are left just now.",
            "schema": count,
        },
        "RateLimit-Reset": {
            "description": "In how many seconds the whole limit is there again.",
            "schema": count,
        },
        "Retry-After": {
            "description": "How many seconds to wait before trying again.",
            "schema": { "type": "integer", "minimum": 1 },
        },
        "Idempotent-Replayed": {
            "description": "Sent when this is the first answer to the same Idempotency-Key again.",
            "schema": { "type": "string", "enum": ["true"] },
        },
        "Allow": {
            "description": "The methods that this path and action take.",
            "required": true,
            "schema": { "type": "string", "minLength": 1 },
        },
    })
}
