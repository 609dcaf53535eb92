//! The OpenAPI 3.1 document, made from the table of endpoints.

mod operation;
mod parameters;
mod responses;
mod schemas;

use serde_json::{Map, Value, json};

use super::endpoints::{self, Endpoint, Method};
use super::origin;

/// The whole document as JSON text, for `/api/v1/openapi.json`. `base_url` is the origin under
/// which the reader reached the gateway; the same origin always gets the same text.
pub fn openapi(base_url: &str) -> String {
    let mut text = format!("{:#}", document(origin(base_url)));
    text.push('\n');
    text
}

/// The endpoints that share one path and method, and so become one operation.
type Actions = Vec<&'static Endpoint>;

fn document(base_url: &str) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": info(),
        "servers": [{ "url": "/", "description": "The gateway that serves this document." }],
        "externalDocs": {
            "description": "The same API for reading, with examples in four languages.",
            "url": format!("{base_url}/docs"),
        },
        "security": [{ "apiKey": [] }],
        "tags": [
            { "name": "OTP", "description": "Buy a number, read the code that it receives." },
            { "name": "SMM", "description": "Place orders for social media services." },
            { "name": "Service", "description": "The gateway itself; no key needed." },
        ],
        "paths": paths(),
        "components": components(),
    })
}

fn info() -> Value {
    json!({
        "title": "Tollgate API",
        "summary": "OTP activations and SMM orders over one API with a prepaid USD wallet.",
        "description": "Endpoints that share a path are told apart by the `action` query \
            parameter; each operation lists its actions and which parameters belong to which \
            (`x-actions`, for programs). \
            Answers are `{\"success\": true, \"data\": …}`, refusals \
            `{\"success\": false, \"error\": \"…\", \"code\": \"…\"}`. Money is exact to six \
            decimals. Unknown query and body members are ignored.",
        "version": env!("CARGO_PKG_VERSION"),
        "license": { "name": "Apache License 2.0", "identifier": "Apache-2.0" },
    })
}

fn paths() -> Value {
    let mut paths = Map::new();
    for endpoint in endpoints::all() {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        let method = endpoint.method.name().to_lowercase();
        if path.get(&method).is_none() {
            path[method] = operation::operation(&sharing(endpoint.path, endpoint.method));
        }
    }
    Value::Object(paths)
}

fn sharing(path: &str, method: Method) -> Actions {
    endpoints::all()
        .filter(|one| one.path == path && one.method == method)
        .collect()
}

fn components() -> Value {
    json!({
        "securitySchemes": {
            "apiKey": {
                "type": "apiKey",
                "in": "header",
                "name": "X-API-Key",
                "description": "An API key of the account. It is only taken from this header.",
            },
        },
        "headers": responses::headers(),
        "schemas": schemas::shared(),
    })
}
