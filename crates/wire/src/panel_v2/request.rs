//! Requests: the form of a call, printed by a client and read by a server, which takes JSON too.

use crate::json::{Id, Keyed, Node, Object, print};
use form_urlencoded::Serializer;
use serde::Serialize;
use std::collections::HashSet;
use std::fmt;

/// Most ids in one call.
pub const IDS_MAX: usize = 100;
/// Most members looked at.
const MEMBERS_MAX: usize = 64;
/// Members that a JSON body has as integers, where they are some.
const COUNTED: [&str; 11] = [
    "service",
    "order",
    "refill",
    "quantity",
    "runs",
    "interval",
    "min",
    "max",
    "posts",
    "old_posts",
    "delay",
];

/// One call: whose key, and what is asked.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The key in the body; nothing where there is none, or only a blank one.
    pub key: Option<String>,
    /// What is asked.
    pub request: Request,
}

impl fmt::Debug for Call {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `services`.
    Services,
    /// `add`.
    Add(Add),
    /// `status` with `order` or `orders`.
    Status(Ids),
    /// `refill` with `order` or `orders`.
    Refill(Ids),
    /// `refill_status` with `refill` or `refills`.
    RefillStatus(Ids),
    /// `cancel` with `orders`, or `order` as lookalikes' clients send it.
    Cancel(Ids),
    /// `balance`.
    Balance,
    /// `orders`: the account's own orders (a deviation).
    Orders,
}

/// Members of `add`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Add {
    /// Service id; empty where none was sent.
    pub service: String,
    /// Caller's own id, by which a repeat is recognised (an extension).
    pub request_id: Option<String>,
    /// Every other member in the order it came, `key` and `action` left out.
    pub members: Vec<(String, String)>,
}

impl Add {
    /// A member's value that is not blank; the first of two equal names.
    pub fn member(&self, name: &str) -> Option<&str> {
        let found = self.members.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.trim().is_empty())
    }
}

/// Ids of a call: the singular member or the plural one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ids {
    /// The singular member.
    One(String),
    /// The plural member: at most 100, without blanks and repeats, not otherwise checked.
    Many(Vec<String>),
}

/// A request that cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRequest {
    /// Malformed, no action or an unknown one, ids missing or in both members.
    Incorrect,
    /// More than 100 ids.
    TooManyIds,
    /// Two different keys.
    Keys,
}

impl BadRequest {
    /// The text a panel answers.
    pub fn text(self) -> &'static str {
        match self {
            Self::Incorrect => "Incorrect request",
            Self::TooManyIds => "Too many IDs, the maximum is 100",
            Self::Keys => "Invalid API key",
        }
    }
}

impl Call {
    /// Reads a form body or a query string.
    pub fn parse_form(body: &str) -> Result<Self, BadRequest> {
        let pairs = form_urlencoded::parse(body.as_bytes()).take(MEMBERS_MAX);
        Self::read(
            pairs
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// Reads a JSON body: an object of strings, numbers and booleans; lists are taken for ids and
    /// for members that hold one value per line.
    pub fn parse_json(body: &str) -> Result<Self, BadRequest> {
        let object = Node::read(body.trim()).and_then(Node::object);
        let object = object.ok_or(BadRequest::Incorrect)?;
        Self::read(flat(&object).ok_or(BadRequest::Incorrect)?)
    }

    /// Reads decoded members, for transports with their own decoding (multipart).
    pub fn read(members: Vec<(String, String)>) -> Result<Self, BadRequest> {
        let members: Vec<(String, String)> = members
            .into_iter()
            .map(|(name, value)| (name.trim().to_owned(), value))
            .collect();
        let members = Members(members);
        let mut keys = members
            .0
            .iter()
            .filter(|(name, _)| name == "key")
            .map(|(_, key)| key);
        if keys
            .next()
            .is_some_and(|first| keys.any(|other| other.trim() != first.trim()))
        {
            return Err(BadRequest::Keys);
        }
        let request = members.request()?;
        Ok(Self {
            key: members.get("key"),
            request,
        })
    }

    /// Prints the form body, which is the query too. It holds the key: never log it.
    pub fn form(&self) -> String {
        let mut out = Serializer::new(String::new());
        for (name, value) in self.members() {
            out.append_pair(&name, &value);
        }
        out.finish()
    }

    /// Prints the JSON body, for panels that take no form. It holds the key: never log it.
    pub fn json(&self) -> String {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Value<'a> {
            Count(Id<'a>),
            Text(&'a str),
        }
        let members = self.members();
        let printed = members.iter().map(|(name, value)| {
            let value = match COUNTED.contains(&name.as_str()) {
                true => Value::Count(Id(value)),
                false => Value::Text(value),
            };
            (name, value)
        });
        print(&Keyed(printed.collect()))
    }

    /// Every member, the key and the action before those of the request.
    fn members(&self) -> Vec<(String, String)> {
        let key = self.key.iter().map(|key| ("key".to_owned(), key.clone()));
        let action = ("action".to_owned(), self.request.action().to_owned());
        key.chain([action]).chain(self.request.members()).collect()
    }
}

impl Request {
    /// The `action` on the wire.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Add(_) => "add",
            Self::Status(_) => "status",
            Self::Refill(_) => "refill",
            Self::RefillStatus(_) => "refill_status",
            Self::Cancel(_) => "cancel",
            Self::Balance => "balance",
            Self::Orders => "orders",
        }
    }

    fn members(&self) -> Vec<(String, String)> {
        match self {
            Self::Services | Self::Balance | Self::Orders => vec![],
            Self::Add(add) => {
                let mut members = vec![("service".to_owned(), add.service.clone())];
                members.extend(add.members.iter().cloned());
                members.extend(
                    add.request_id
                        .clone()
                        .map(|id| ("request_id".to_owned(), id)),
                );
                members
            }
            Self::Status(ids) | Self::Refill(ids) | Self::Cancel(ids) => {
                vec![ids.member("order", "orders")]
            }
            Self::RefillStatus(ids) => vec![ids.member("refill", "refills")],
        }
    }
}

impl Ids {
    fn member(&self, one: &str, many: &str) -> (String, String) {
        match self {
            Self::One(id) => (one.to_owned(), id.clone()),
            Self::Many(ids) => (many.to_owned(), ids.join(",")),
        }
    }
}

/// Decoded members of a request.
struct Members(Vec<(String, String)>);

impl Members {
    /// A value that is not blank, trimmed.
    fn get(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn request(&self) -> Result<Request, BadRequest> {
        Ok(
            match self.get("action").ok_or(BadRequest::Incorrect)?.as_str() {
                "services" => Request::Services,
                "add" => Request::Add(self.add()),
                "status" => Request::Status(self.ids("order", "orders")?),
                "refill" => Request::Refill(self.ids("order", "orders")?),
                "refill_status" => Request::RefillStatus(self.ids("refill", "refills")?),
                "cancel" => Request::Cancel(self.ids("order", "orders")?),
                "balance" => Request::Balance,
                "orders" => Request::Orders,
                _ => return Err(BadRequest::Incorrect),
            },
        )
    }

    fn add(&self) -> Add {
        const OURS: [&str; 4] = ["key", "action", "service", "request_id"];
        let members = self
            .0
            .iter()
            .filter(|(name, _)| !OURS.contains(&name.as_str()));
        Add {
            service: self.get("service").unwrap_or_default(),
            request_id: self.get("request_id"),
            members: members.cloned().collect(),
        }
    }

    fn ids(&self, one: &str, many: &str) -> Result<Ids, BadRequest> {
        match (self.get(one), self.get(many)) {
            (Some(id), None) => Ok(Ids::One(id)),
            (None, Some(list)) => distinct(&list).map(Ids::Many),
            _ => Err(BadRequest::Incorrect),
        }
    }
}

fn distinct(list: &str) -> Result<Vec<String>, BadRequest> {
    let mut seen = HashSet::new();
    let ids = list
        .split(',')
        .map(str::trim)
        .filter(|id| !id.is_empty() && seen.insert(*id));
    let ids: Vec<String> = ids.take(IDS_MAX + 1).map(str::to_owned).collect();
    match ids.len() {
        0 => Err(BadRequest::Incorrect),
        1..=IDS_MAX => Ok(ids),
        _ => Err(BadRequest::TooManyIds),
    }
}

/// Members of a JSON body as text; nothing where a value has no text form.
fn flat(object: &Object<'_>) -> Option<Vec<(String, String)>> {
    let members = object
        .0
        .iter()
        .take(MEMBERS_MAX)
        .filter(|(_, node)| !node.is_null());
    members
        .map(|(name, node)| Some((name.clone(), value(name, *node)?)))
        .collect()
}

fn value(name: &str, node: Node<'_>) -> Option<String> {
    if let Some(items) = node.items() {
        let separator = if matches!(name, "orders" | "refills") {
            ","
        } else {
            "\n"
        };
        let texts: Option<Vec<String>> = items.into_iter().map(Node::text).collect();
        return texts.map(|texts| texts.join(separator));
    }
    let text = node.text()?;
    Some(match (node.string().is_some(), text.as_str()) {
        (false, "true") => "1".to_owned(),
        (false, "false") => "0".to_owned(),
        _ => text,
    })
}
