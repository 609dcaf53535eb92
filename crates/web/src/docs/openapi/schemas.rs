//! JSON schemas: of parameters, of answers, and the named ones that operations refer to.

use serde_json::{Map, Value, json};

use crate::docs::endpoints::{self, Answer, Endpoint, Field, Kind, Method, Place, Required, Shape};
use crate::docs::errors::CODES;

/// Whole numbers on the wire stay exact in every client language up to here.
const MOST: u64 = (1 << 53) - 1;

/// A whole number from 1 as text, short of the bound above.
const ORDER_ID_TEXT: &str = "^[1-9][0-9]{0,14}$";

/// A web address in the characters that one may have; what else makes it one that is taken (a public
/// host of the right platform, no user name) no pattern says.
const LINK: &str = "^[Hh][Tt][Tt][Pp][Ss]?://[!#$%&'()*+,./0-9:;=?@A-Z\\[\\]_a-z~-]+$";

/// A parameter's schema where every value is text: a query or a header.
pub(super) fn of_query(kind: Kind) -> Value {
    match kind {
        Kind::Text(longest) => json!({ "type": "string", "minLength": 1, "maxLength": longest }),
        Kind::CatalogueId => json!({ "type": "string", "minLength": 1, "maxLength": 64 }),
        Kind::OrderId => json!({ "type": "integer", "minimum": 1, "maximum": MOST }),
        Kind::Integer(least, most) => integer(least, most),
        Kind::Money => {
            json!({ "type": "string", "pattern": "^(0|[1-9][0-9]{0,8})([.][0-9]{1,6})?$" })
        }
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::OneOf(words) => json!({ "type": "string", "enum": words }),
        Kind::Routes => {
            let route = "(0|[1-9][0-9]{0,4}):(0|[1-9][0-9]{0,8})";
            json!({ "type": "string", "pattern": format!("^{route}(,{route}){{0,49}}$") })
        }
        Kind::Link => json!({
            "type": "string",
            "maxLength": 2048,
            "pattern": LINK,
        }),
        Kind::Cursor => {
            json!({ "type": "string", "maxLength": 200, "pattern": "^[A-Za-z0-9_-]{2,}$" })
        }
        Kind::IdempotencyKey => json!({
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": "^[!-~]+$",
        }),
    }
}

/// A parameter's schema in a body, where numbers may be numbers or plain text.
fn of_body(kind: Kind) -> Value {
    match kind {
        Kind::CatalogueId => {
            json!({ "anyOf": [of_query(kind), integer(0, MOST)] })
        }
        Kind::OrderId => {
            json!({ "anyOf": [of_query(kind), { "type": "string", "pattern": ORDER_ID_TEXT }] })
        }
        Kind::Integer(..) => {
            let text = json!({ "type": "string", "pattern": "^(0|[1-9][0-9]{0,15})$" });
            json!({ "anyOf": [of_query(kind), text] })
        }
        Kind::Money => {
            let number = json!({ "type": "number", "minimum": 0, "maximum": 999_999_999 });
            json!({ "anyOf": [of_query(kind), number] })
        }
        other => of_query(other),
    }
}

/// The schema of a value in an answer.
fn of_answer(shape: &Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Id => json!({ "type": "string", "minLength": 1 }),
        Shape::OrderId => json!({ "type": "string", "pattern": "^[1-9][0-9]*$" }),
        Shape::Integer(least, most) => integer(*least, *most),
        Shape::Money => json!({ "type": "number", "minimum": 0 }),
        Shape::MoneyText => json!({ "type": "string", "pattern": "^[0-9]+[.][0-9]{6}$" }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Time => json!({ "type": "string", "format": "date-time" }),
        Shape::OneOf(words) => json!({ "type": "string", "enum": words }),
        Shape::Object(fields) => object(fields),
        Shape::List(item) => json!({ "type": "array", "items": of_answer(item) }),
        Shape::Map(value) => {
            json!({ "type": "object", "additionalProperties": of_answer(value) })
        }
        Shape::Nullable(value) => json!({ "anyOf": [of_answer(value), { "type": "null" }] }),
        Shape::AnyObject => json!({ "type": "object" }),
    }
}

fn integer(least: u64, most: u64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

/// An object of an answer. Others than these members may be added later, so it stays open.
fn object(fields: &[Field]) -> Value {
    let required: Vec<_> = fields
        .iter()
        .filter(|one| one.always)
        .map(|one| one.name)
        .collect();
    let property = |one: &Field| (one.name.to_owned(), described(of_answer(&one.shape), one));
    let properties: Map<_, _> = fields.iter().map(property).collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

fn described(mut schema: Value, field: &Field) -> Value {
    schema["description"] = json!(field.description);
    schema
}

/// Either the only schema there is, or a choice among several.
pub(super) fn choice(keyword: &str, mut choices: Vec<Value>) -> Value {
    match choices.len() {
        1 => choices.remove(0),
        _ => json!({ keyword: choices }),
    }
}

/// A reference to the schema of what an endpoint answers.
pub(super) fn answer_reference(endpoint: &Endpoint, suffix: &str) -> Value {
    reference(&format!("{}{suffix}", pascal_case(endpoint.id)))
}

/// A reference to the schema of a write's body.
pub(super) fn request_reference(endpoint: &Endpoint) -> Value {
    reference(&format!("{}Request", pascal_case(endpoint.id)))
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Every named schema.
pub(super) fn shared() -> Value {
    let mut schemas = Map::new();
    schemas.insert("Error".to_owned(), error());
    let codes: Vec<_> = CODES.iter().map(|error| error.code).collect();
    let code = json!({
        "type": "string",
        "description": "Tells refusals apart for a program; stable.",
        "enum": codes,
    });
    schemas.insert("ErrorCode".to_owned(), code);
    for endpoint in endpoints::all() {
        let name = pascal_case(endpoint.id);
        if endpoint.method == Method::Post {
            schemas.insert(format!("{name}Request"), request(endpoint));
        }
        schemas.insert(format!("{name}Data"), content(&endpoint.answer));
        if let Some(accepted) = &endpoint.accepted {
            schemas.insert(format!("{name}Pending"), content(accepted));
        }
    }
    Value::Object(schemas)
}

fn error() -> Value {
    json!({
        "type": "object",
        "description": "A refusal.",
        "required": ["success", "error", "code"],
        "properties": {
            "success": { "type": "boolean", "const": false, "description": "Always false." },
            "error": {
                "type": "string",
                "minLength": 1,
                "description": "A sentence for a person; it names the parameter at fault.",
            },
            "code": { "$ref": "#/components/schemas/ErrorCode" },
        },
    })
}

/// The whole body of a success, around its `data`.
pub(super) fn envelope(data: Value) -> Value {
    json!({
        "type": "object",
        "required": ["success", "data"],
        "properties": {
            "success": { "type": "boolean", "const": true, "description": "Always true." },
            "data": data,
        },
    })
}

/// What an answer says: the `data` of a wrapped one, the whole of any other.
fn content(answer: &Answer) -> Value {
    let mut schema = object(answer.fields);
    schema["description"] = json!(answer.description);
    schema
}

/// The body of a write. Unknown members are ignored, so it stays open.
fn request(endpoint: &Endpoint) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in endpoint
        .parameters
        .iter()
        .filter(|one| one.place == Place::Body)
    {
        let mut schema = of_body(parameter.kind);
        for alias in parameter.aliases {
            let mut schema = schema.clone();
            schema["description"] = json!(format!("Another name for `{}`.", parameter.name));
            properties.insert((*alias).to_owned(), schema);
        }
        schema["description"] = json!(parameter.description);
        properties.insert(parameter.name.to_owned(), schema);
        if parameter.required == Required::Yes {
            required.push(parameter.name);
        }
    }
    json!({
        "type": "object",
        "description": endpoint.summary,
        "required": required,
        "properties": properties,
    })
}

/// `otp-buy-number` becomes `OtpBuyNumber`.
fn pascal_case(id: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_ascii_uppercase())
    };
    id.split('-').map(capital).collect()
}

/// `service-healthz` becomes `serviceHealthz`.
pub(super) fn camel_case(id: &str) -> String {
    let name = pascal_case(id);
    let (first, rest) = name.split_at(name.len().min(1));
    format!("{}{rest}", first.to_ascii_lowercase())
}
