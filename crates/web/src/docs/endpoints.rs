//! What every endpoint takes, answers and refuses, as data: the docs page and the OpenAPI
//! document are both made from it, so they cannot drift apart.

mod otp;
mod otp_catalogue;
mod service;
mod smm;
mod smm_requests;

use super::errors::{self, ErrorCode};

/// The method an endpoint is called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A read.
    Get,
    /// A write.
    Post,
}

impl Method {
    /// The method as it stands on the request line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// Which part of the product an endpoint belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// OTP activations.
    Otp,
    /// SMM orders.
    Smm,
    /// The gateway itself.
    Service,
}

/// Whether a parameter has to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Required {
    /// Always.
    Yes,
    /// Never.
    No,
    /// Depends on other parameters; the description says how.
    Conditional,
}

impl Required {
    /// As the parameter tables print it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Yes => "Yes",
            Self::No => "No",
            Self::Conditional => "Conditional",
        }
    }

    /// As the API description's `x-actions` has it.
    pub const fn word_for_programs(self) -> &'static str {
        match self {
            Self::Yes => "required",
            Self::No => "optional",
            Self::Conditional => "conditional",
        }
    }
}

/// Where a parameter is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The query string.
    Query,
    /// The JSON or urlencoded body.
    Body,
    /// A request header.
    Header,
}

impl Place {
    /// As the parameter tables print it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Body => "body",
            Self::Header => "header",
        }
    }
}

/// What values a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text of at most so many characters.
    Text(u32),
    /// A catalogue id: text, though a plain JSON number is taken too.
    CatalogueId,
    /// The id of an order: a whole number from 1, as a number or as text.
    OrderId,
    /// A whole number within these bounds.
    Integer(u64, u64),
    /// US dollars with at most six decimals.
    Money,
    /// An RFC 3339 time.
    Time,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Comma-separated `provider_type:country_id` pairs.
    Routes,
    /// An http or https URL.
    Link,
    /// The `next_cursor` of a page.
    Cursor,
    /// The value of the `Idempotency-Key` header.
    IdempotencyKey,
}

impl Kind {
    /// The type as the parameter tables print it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OrderId | Self::Integer(..) => "integer",
            Self::Money => "number",
            _ => "string",
        }
    }
}

/// One parameter of an endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// The name the tables lead with.
    pub name: &'static str,
    /// Other names for the same parameter.
    pub aliases: &'static [&'static str],
    /// What values it takes.
    pub kind: Kind,
    /// Whether it has to be given.
    pub required: Required,
    /// Where it is put.
    pub place: Place,
    /// What it does, in full sentences.
    pub description: &'static str,
    /// A value it could have.
    pub example: &'static str,
}

/// A value in an example request.
#[derive(Clone, Copy, Debug)]
pub enum Sample {
    /// Text.
    Text(&'static str),
    /// A whole number.
    Number(u64),
}

/// The shape of a value in an answer.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Text.
    Text,
    /// An id, as text.
    Id,
    /// The id of an order: digits, as text.
    OrderId,
    /// A whole number within these bounds.
    Integer(u64, u64),
    /// US dollars as a JSON number with at most six decimals.
    Money,
    /// US dollars as text with exactly six decimals.
    MoneyText,
    /// True or false.
    Boolean,
    /// An RFC 3339 time in UTC.
    Time,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Exactly these members.
    Object(&'static [Field]),
    /// Values of one shape, in order.
    List(&'static Shape),
    /// Values of one shape, by name.
    Map(&'static Shape),
    /// The value, or null.
    Nullable(&'static Shape),
    /// Any JSON object.
    AnyObject,
}

impl Shape {
    /// The type as the field tables print it.
    pub fn word(&self) -> String {
        match self {
            Self::Text | Self::Id | Self::OrderId | Self::MoneyText | Self::OneOf(_) => {
                "string".to_owned()
            }
            Self::Time => "string (RFC 3339)".to_owned(),
            Self::Integer(..) => "integer".to_owned(),
            Self::Money => "number".to_owned(),
            Self::Boolean => "boolean".to_owned(),
            Self::Object(_) | Self::AnyObject => "object".to_owned(),
            Self::List(item) => format!("list of {}", plural(&item.word())),
            Self::Map(value) => format!("map of {}", plural(&value.word())),
            Self::Nullable(value) => format!("{} or null", value.word()),
        }
    }
}

/// `string` becomes `strings`, `list of strings` becomes `lists of strings`.
fn plural(word: &str) -> String {
    match word.split_once(' ') {
        Some((first, rest)) => format!("{first}s {rest}"),
        None => format!("{word}s"),
    }
}

/// One member of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its shape.
    pub shape: Shape,
    /// Whether every answer has it; where not, the description says when.
    pub always: bool,
    /// What it says, in full sentences.
    pub description: &'static str,
}

/// A member that every answer has.
const fn field(name: &'static str, shape: Shape, description: &'static str) -> Field {
    Field {
        name,
        shape,
        always: true,
        description,
    }
}

/// A member that some answers have.
const fn maybe(name: &'static str, shape: Shape, description: &'static str) -> Field {
    Field {
        name,
        shape,
        always: false,
        description,
    }
}

/// What an endpoint answers when all went well.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// What this answer means.
    pub description: &'static str,
    /// The members of `data`, or of the whole body where it is not wrapped.
    pub fields: &'static [Field],
    /// Whether the body is the usual `{"success": true, "data": …}`.
    pub wrapped: bool,
    /// A whole body, as JSON text.
    pub example: &'static str,
}

/// One endpoint: a path, an action where the path has several, and a method.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// Unique over all endpoints; the anchor on the page and the stem of generated names.
    pub id: &'static str,
    /// Where it is listed.
    pub group: Group,
    /// The path.
    pub path: &'static str,
    /// The value of the `action` query parameter, where the path has actions.
    pub action: Option<&'static str>,
    /// How it is called.
    pub method: Method,
    /// Its heading.
    pub title: &'static str,
    /// What it does, in full sentences.
    pub summary: &'static str,
    /// Whether it wants an API key and counts against the rate limit.
    pub authenticated: bool,
    /// What it takes, besides `action` and the key.
    pub parameters: &'static [Parameter],
    /// The values of the example request, in order.
    pub sample: &'static [(&'static str, Sample)],
    /// The answer with status 200.
    pub answer: Answer,
    /// The answer with status 202, where there is one.
    pub accepted: Option<Answer>,
    /// The endpoints, by id, that the `order_id` of the answer is good for.
    pub leads_to: &'static [&'static str],
    /// The codes it refuses with, in groups.
    pub refusals: &'static [&'static [&'static str]],
}

impl Endpoint {
    /// Path and action, as a reader would type them.
    pub fn target(&self) -> String {
        match self.action {
            Some(action) => format!("{}?action={action}", self.path),
            None => self.path.to_owned(),
        }
    }

    /// Every error it can refuse with, in the order of the error table.
    pub fn errors(&self) -> impl Iterator<Item = &'static ErrorCode> {
        let named = self.refusals;
        errors::CODES
            .iter()
            .filter(move |error| named.iter().any(|group| group.contains(&error.code)))
    }
}

/// Every endpoint, in the order in which the docs show them.
pub fn all() -> impl Iterator<Item = &'static Endpoint> + Clone {
    otp::ENDPOINTS
        .iter()
        .chain(smm::ENDPOINTS)
        .chain(service::ENDPOINTS)
}

/// The key of a write, for repeating it safely.
const IDEMPOTENCY_KEY: Parameter = Parameter {
    name: "Idempotency-Key",
    aliases: &[],
    kind: Kind::IdempotencyKey,
    required: Required::No,
    place: Place::Header,
    description: "Makes the call safe to repeat for 24 hours: the same key with the same body \
                  gets the first answer again. 1 to 255 visible ASCII characters.",
    example: "9f0c1d9e-order-1",
};

/// The paging and filtering parameters that both order lists take, but for their statuses.
const LIMIT: Parameter = Parameter {
    name: "limit",
    aliases: &[],
    kind: Kind::Integer(1, 100),
    required: Required::No,
    place: Place::Query,
    description: "How many orders to return at most, 1 to 100. Default 50.",
    example: "50",
};
const CURSOR: Parameter = Parameter {
    name: "cursor",
    aliases: &[],
    kind: Kind::Cursor,
    required: Required::No,
    place: Place::Query,
    description: "Where to go on: the next_cursor of the previous page. Leave it out for the \
                  first page.",
    example: "MTAwMDQy",
};
const SINCE: Parameter = Parameter {
    name: "since",
    aliases: &[],
    kind: Kind::Time,
    required: Required::No,
    place: Place::Query,
    description: "Only orders created at this time or later, as RFC 3339.",
    example: "2026-01-31T00:00:00Z",
};

/// The answer of both `balance` actions.
const BALANCE: Answer = Answer {
    description: "The wallet.",
    fields: &[
        field(
            "wallet_balance",
            Shape::MoneyText,
            "What can be spent now, with exactly six decimals. Money on hold for an order whose \
             outcome is not known yet is not in it.",
        ),
        field("currency", Shape::OneOf(&["USD"]), "Always USD."),
    ],
    wrapped: true,
    example: r#"{
  "success": true,
  "data": { "wallet_balance": "12.450000", "currency": "USD" }
}"#,
};

/// The answer to a keyed purchase whose outcome is not known yet.
const ACCEPTED: Answer = Answer {
    description: "The outcome of the purchase is not known yet. Only sent when the request had an \
                  Idempotency-Key: repeat the request with the same key to get the settled answer.",
    fields: &[
        field(
            "order_id",
            Shape::OrderId,
            "The order, to ask for its status with.",
        ),
        field("status", Shape::OneOf(&["pending"]), "Always pending."),
    ],
    wrapped: true,
    example: r#"{
  "success": true,
  "data": { "order_id": "42", "status": "pending" }
}"#,
};
