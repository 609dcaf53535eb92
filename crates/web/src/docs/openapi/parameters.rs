//! The query and header parameters of one operation: the union over its actions.

use serde_json::{Map, Value, json};

use super::schemas;
use crate::docs::endpoints::{Endpoint, Kind, Parameter, Place, Required};

/// The parameters of endpoints that share a path and a method, each once.
pub(super) fn of(actions: &[&'static Endpoint]) -> Vec<Value> {
    let mut parameters = Vec::new();
    let names: Vec<_> = actions
        .iter()
        .filter_map(|endpoint| endpoint.action)
        .collect();
    if !names.is_empty() {
        parameters.push(action(&names));
    }
    let mut seen: Vec<&str> = Vec::new();
    let outside_body = actions
        .iter()
        .flat_map(|endpoint| endpoint.parameters)
        .filter(|parameter| parameter.place != Place::Body);
    for parameter in outside_body {
        if !seen.contains(&parameter.name) {
            seen.push(parameter.name);
            let users = users(parameter, actions);
            parameters.push(one(parameter, &users, actions.len()));
            let alias = |name: &&str| alias(parameter, name);
            parameters.extend(parameter.aliases.iter().map(alias));
        }
    }
    parameters
}

fn action(names: &[&str]) -> Value {
    json!({
        "name": "action",
        "in": "query",
        "required": true,
        "description": "What to do. It decides which of the other parameters are read.",
        "schema": { "type": "string", "enum": names },
        "example": names[0],
    })
}

/// The actions that read a parameter, each with what it says of it.
type Users<'a> = [(&'a Endpoint, &'a Parameter)];

fn users(
    parameter: &Parameter,
    actions: &[&'static Endpoint],
) -> Vec<(&'static Endpoint, &'static Parameter)> {
    let of = |endpoint: &&'static Endpoint| {
        let mut own = endpoint.parameters.iter();
        Some((*endpoint, own.find(|other| other.name == parameter.name)?))
    };
    actions.iter().filter_map(of).collect()
}

/// One parameter, with what each action says of it. Only a parameter that every action
/// requires can be required here; OpenAPI has no way to tie it to `action`.
fn one(parameter: &Parameter, users: &Users<'_>, actions: usize) -> Value {
    let always = users.len() == actions
        && users
            .iter()
            .all(|(_, found)| found.required == Required::Yes);
    let mut value = json!({
        "name": parameter.name,
        "in": parameter.place.word(),
        "required": always,
        "description": description(users),
        "schema": schemas::of_query(parameter.kind),
        "example": example(parameter),
    });
    let read_by: Map<_, _> = users
        .iter()
        .filter_map(|(endpoint, found)| {
            let wanted = found.required.word_for_programs();
            Some((endpoint.action?.to_owned(), json!(wanted)))
        })
        .collect();
    if !read_by.is_empty() {
        value["x-actions"] = Value::Object(read_by);
    }
    value
}

fn description(users: &Users<'_>) -> String {
    let mut texts: Vec<(&str, Vec<String>)> = Vec::new();
    for (endpoint, parameter) in users {
        let action = match parameter.required {
            Required::Yes => format!("`{}` (required)", endpoint.action.unwrap_or_default()),
            Required::Conditional => {
                format!("`{}` (conditional)", endpoint.action.unwrap_or_default())
            }
            Required::No => format!("`{}`", endpoint.action.unwrap_or_default()),
        };
        match texts
            .iter_mut()
            .find(|(text, _)| *text == parameter.description)
        {
            Some((_, actions)) => actions.push(action),
            None => texts.push((parameter.description, vec![action])),
        }
    }
    let line =
        |(text, actions): &(&str, Vec<String>)| format!("For {}: {text}", actions.join(", "));
    texts.iter().map(line).collect::<Vec<_>>().join("\n\n")
}

fn alias(parameter: &Parameter, name: &str) -> Value {
    json!({
        "name": name,
        "in": parameter.place.word(),
        "required": false,
        "description": format!(
            "Another name for `{}`. Given together, they have to agree.",
            parameter.name
        ),
        "schema": schemas::of_query(parameter.kind),
        "example": example(parameter),
    })
}

fn example(parameter: &Parameter) -> Value {
    match (parameter.kind, parameter.example.parse::<u64>()) {
        (Kind::Integer(..) | Kind::OrderId, Ok(number)) => json!(number),
        _ => json!(parameter.example),
    }
}
