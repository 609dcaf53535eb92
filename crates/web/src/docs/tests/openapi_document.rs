//! The OpenAPI document has all that the table has, and hangs together.

use super::*;

#[test]
fn it_says_what_it_is() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["license"]["identifier"], "Apache-2.0");
    assert_eq!(document["servers"][0]["url"], "/");
    assert_eq!(
        document["externalDocs"]["url"],
        "https://otp.example:8443/docs"
    );
    let key = &document["components"]["securitySchemes"]["apiKey"];
    assert_eq!(
        (key["in"].as_str(), key["name"].as_str()),
        (Some("header"), Some("X-API-Key"))
    );
}

#[test]
fn it_has_every_endpoint_and_no_other() {
    let document = document();
    for endpoint in endpoints::all() {
        let operation = operation(&document, endpoint);
        assert_eq!(operation.get("security").is_some(), !endpoint.authenticated);
        let Some(action) = endpoint.action else {
            continue;
        };
        let actions = &operation["parameters"][0];
        assert_eq!(
            (&actions["name"], &actions["required"]),
            (&"action".into(), &true.into())
        );
        let listed = actions["schema"]["enum"].as_array().unwrap();
        assert_eq!(
            listed.iter().filter(|one| *one == action).count(),
            1,
            "{}",
            endpoint.id
        );
    }
    let operations: usize = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|path| path.as_object().unwrap().len())
        .sum();
    assert_eq!(operations, 7);
}

#[test]
fn it_has_every_parameter_under_every_name() {
    let document = document();
    for endpoint in endpoints::all() {
        let operation = operation(&document, endpoint);
        for parameter in endpoint.parameters {
            let names = [parameter.name]
                .into_iter()
                .chain(parameter.aliases.iter().copied());
            for name in names {
                let found = match parameter.place {
                    Place::Body => in_body(&document, operation, endpoint, name),
                    place => outside_body(operation, place, name),
                };
                assert!(found, "{}: {name}", endpoint.id);
            }
        }
    }
}

fn outside_body(operation: &Value, place: Place, name: &str) -> bool {
    let parameters = operation["parameters"].as_array().unwrap();
    let mut named = parameters.iter().filter(|one| one["name"] == name);
    named.next().is_some_and(|one| one["in"] == place.word()) && named.next().is_none()
}

/// Whether both media types take the member, in the schema that is this endpoint's own.
fn in_body(document: &Value, operation: &Value, endpoint: &Endpoint, name: &str) -> bool {
    let required = endpoint
        .parameters
        .iter()
        .any(|one| one.name == name && one.required == Required::Yes);
    ["application/json", "application/x-www-form-urlencoded"]
        .iter()
        .all(|media_type| {
            let schema = &operation["requestBody"]["content"][media_type]["schema"];
            let alone = std::slice::from_ref(schema);
            let choices = schema["anyOf"].as_array().map_or(alone, Vec::as_slice);
            choices
                .iter()
                .map(|choice| resolve(document, choice))
                .any(|schema| {
                    let listed = schema["required"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .any(|one| *one == *name);
                    schema["description"] == endpoint.summary
                        && schema["properties"][name].is_object()
                        && listed == required
                })
        })
}

#[test]
fn it_has_every_error_under_its_status() {
    let document = document();
    for endpoint in endpoints::all() {
        let responses = &operation(&document, endpoint)["responses"];
        for error in endpoint.errors() {
            let response = &responses[error.status.to_string()];
            let schema = &response["content"]["application/json"]["schema"];
            let listed = schema["allOf"][1]["properties"]["code"]["enum"]
                .as_array()
                .unwrap();
            assert!(
                listed.iter().any(|code| code == error.code),
                "{}",
                error.code
            );
            let description = response["description"].as_str().unwrap();
            assert!(description.contains(error.code) && description.contains(error.when));
        }
    }
    let known = document["components"]["schemas"]["ErrorCode"]["enum"]
        .as_array()
        .unwrap();
    assert_eq!(known.len(), CODES.len());
}

#[test]
fn its_examples_are_those_of_the_table() {
    let document = document();
    for endpoint in endpoints::all() {
        let responses = &operation(&document, endpoint)["responses"];
        let accepted = endpoint.accepted.as_ref().map(|answer| ("202", answer));
        for (status, answer) in [("200", &endpoint.answer)].into_iter().chain(accepted) {
            let name = endpoint.action.unwrap_or(endpoint.id);
            let content = &responses[status]["content"]["application/json"];
            let expected: Value = serde_json::from_str(answer.example).unwrap();
            assert_eq!(
                content["examples"][name]["value"], expected,
                "{}",
                endpoint.id
            );
            let data = if answer.wrapped {
                &expected["data"]
            } else {
                &expected
            };
            for field in answer.fields.iter().filter(|field| field.always) {
                assert!(
                    data.get(field.name).is_some(),
                    "{}: {}",
                    endpoint.id,
                    field.name
                );
            }
            for name in data.as_object().unwrap().keys() {
                let described = answer.fields.iter().any(|field| field.name == name);
                assert!(described, "{}: {name}", endpoint.id);
            }
        }
    }
}

#[test]
fn its_links_lead_from_a_purchase_to_the_order() {
    let document = document();
    for endpoint in endpoints::all() {
        let links = &operation(&document, endpoint)["responses"]["200"]["links"];
        for id in endpoint.leads_to {
            let target = endpoints::all().find(|one| one.id == *id).unwrap();
            assert!(
                target.parameters.iter().any(|one| one.name == "order_id"),
                "{id}"
            );
            let operation_id = &operation(&document, target)["operationId"];
            let linked = links.as_object().unwrap().values().any(|link| {
                link["operationId"] == *operation_id
                    && link["parameters"]["action"] == Value::from(target.action)
            });
            assert!(linked, "{} does not link to {id}", endpoint.id);
        }
        assert_eq!(
            links.is_null(),
            endpoint.leads_to.is_empty() && endpoint.id != "otp-cancel"
        );
    }
}

#[test]
fn its_references_lead_somewhere_and_its_descriptions_say_something() {
    let document = document();
    let mut visited = 0;
    visit(&document, &mut |key, value| {
        visited += 1;
        if key == "$ref" {
            let target = value.as_str().unwrap();
            assert!(
                document.pointer(&target[1..]).is_some(),
                "{target} leads nowhere"
            );
        }
        // A property may itself be called description; then it is a schema.
        if let ("description" | "summary" | "title", Some(text)) = (key, value.as_str()) {
            assert!(!text.trim().is_empty(), "an empty {key}");
        }
    });
    assert!(visited > 1000);
    for path in document["paths"].as_object().unwrap().values() {
        for operation in path.as_object().unwrap().values() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(response["description"].is_string(), "{status}");
            }
        }
    }
}

fn visit(value: &Value, see: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                see(key, value);
                visit(value, see);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        _ => {}
    }
}
