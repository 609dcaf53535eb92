//! Telling answers from refusals, which come with `"success":0` under status 200 as well as under
//! 4xx, with a `type`, with a list of bad fields, with a list of pools, or with words alone.

use super::text::plain;
use crate::amount::cut;
use crate::answer::Answer;
use crate::handler_api::{Class, Failure, Refused};
use crate::json::{Keyed, Node, Object, print};
use serde::Serialize;

/// `type` of a purchase for which nothing is in stock.
pub const OUT_OF_STOCK: &str = "OUT_OF_STOCK";
/// `type` of a purchase that the account cannot pay.
pub const BALANCE_ERROR: &str = "BALANCE_ERROR";
/// `type` of a purchase whose cap is below every price.
pub const PRICE_NOT_FOUND: &str = "PRICE_NOT_FOUND";

/// Longest text of a refusal carried on, in characters.
const WORD_MAX: usize = 200;
/// Most pools or fields of a refusal that are looked at.
const PARTS_MAX: usize = 200;

/// Fields that say what is wanted.
const GOODS: [&str; 3] = ["country", "pool", "service"];

/// Every `type` that is listed. Of several pools that refuse for different reasons the first one
/// here speaks for all: it is what somebody has to see to.
const TYPES: [(&str, Class); 3] = [
    (BALANCE_ERROR, Class::UpstreamFunds),
    (PRICE_NOT_FOUND, Class::PriceMoved),
    (OUT_OF_STOCK, Class::NoStock),
];

/// Texts that are listed, in lower case, by what they contain.
const TEXTS: [(&str, Class); 9] = [
    ("cannot be cancelled yet", Class::TooEarly),
    ("could not find this order", Class::UnknownOrder),
    ("invalid api key", Class::UpstreamAuth),
    ("could not be requested again", Class::NotAvailable),
    ("cannot be resent", Class::NotAvailable),
    ("out of stock", Class::NoStock),
    ("no stock", Class::NoStock),
    ("no numbers available", Class::NoStock),
    ("not in stock", Class::NoStock),
];

/// The document of an answer that is no failure.
pub fn open(answer: Answer<'_>) -> Result<Node<'_>, Failure> {
    open_as(answer, |_| None)
}

/// As [`open`]; `unlisted` names the class of an application's refusal that is not listed.
pub(super) fn open_as<'a>(
    answer: Answer<'a>,
    unlisted: impl Fn(Answer<'_>) -> Option<Class>,
) -> Result<Node<'a>, Failure> {
    let text = answer.text();
    if answer.is_html() {
        return Err(unsettled(answer, None).unwrap_or(Failure::Html));
    }
    let node = answer.is_json().then(|| Node::read(text)).flatten();
    let Some(node) = node else {
        let class = class_of_status(answer.status);
        let refused = class.map(|class| refused(class, text));
        let unreadable = || Failure::Unreadable("not well-formed JSON".to_owned());
        let failure = unsettled(answer, class).or(refused);
        return Err(failure.unwrap_or_else(unreadable));
    };
    let object = node.object().unwrap_or_default();
    let refusing = object.get("success").is_some() && !object.flag("success");
    if answer.is_success() && !refusing {
        return Ok(node);
    }
    let said = Said::read(&object);
    let listed = said.class(answer.status);
    let class = listed.or_else(|| unlisted(answer).filter(|_| refusing));
    let failure = unsettled(answer, listed).or_else(|| Some(refused(class?, &said.text)));
    Err(failure.unwrap_or_else(|| {
        let why = format!("not a listed refusal: {}", cut(&said.text, WORD_MAX));
        Failure::Unreadable(why)
    }))
}

fn unsettled(answer: Answer<'_>, class: Option<Class>) -> Option<Failure> {
    let nobody_knows = answer.is_unsettled();
    nobody_knows.then_some(Failure::Unsettled(answer.status, class))
}

fn refused(class: Class, text: &str) -> Failure {
    Failure::Refused(Refused {
        class,
        word: cut(text, WORD_MAX),
        cancel_age_s: None,
    })
}

fn class_of_status(status: u16) -> Option<Class> {
    match status {
        401 => Some(Class::UpstreamAuth),
        429 => Some(Class::Throttled),
        _ => None,
    }
}

/// What a refusal says.
struct Said {
    /// Its words without tags: the message, or that of the first bad field.
    text: String,
    /// The `type` of the whole, or else those of its pools.
    types: Vec<String>,
    /// Names of fields that are missing or bad.
    fields: Vec<String>,
}

impl Said {
    fn read(object: &Object<'_>) -> Self {
        let fields = parts(object.get("errors"));
        let of_field = fields.first().and_then(|field| field.text(&["message"]));
        let text = object.filled("message").or(of_field).unwrap_or_default();
        let of_pool = |pool: Object<'_>| pool.text(&["type"]).unwrap_or_default();
        let types = match object.filled("type") {
            Some(one) => vec![one],
            None => parts(object.get("pools"))
                .into_iter()
                .map(of_pool)
                .collect(),
        };
        Self {
            text: plain(&text),
            types,
            fields: fields
                .iter()
                .filter_map(|one| one.filled("param"))
                .collect(),
        }
    }

    fn class(&self, status: u16) -> Option<Class> {
        if status == 429 {
            return class_of_status(status);
        }
        let lower = self.text.to_lowercase();
        let by_text = || TEXTS.iter().find(|(part, _)| lower.contains(part));
        let by_fields = || (status == 400).then(|| self.class_of_fields()).flatten();
        self.class_of_types()
            .or_else(|| by_text().map(|(_, class)| *class))
            .or_else(|| class_of_status(status))
            .or_else(by_fields)
    }

    /// We built a bad request, unless nothing but the ids of what is wanted is refused: they came
    /// from the provider's own list, and what they stand for is no longer sold.
    fn class_of_fields(&self) -> Option<Class> {
        let is_goods = |field: &String| GOODS.contains(&field.as_str());
        let class = match self.fields.iter().all(is_goods) {
            true => Class::NotSold,
            false => Class::OurFault,
        };
        (!self.fields.is_empty()).then_some(class)
    }

    /// Certain only where each of the types is listed.
    fn class_of_types(&self) -> Option<Class> {
        let listed = |word: &String| TYPES.iter().position(|(known, _)| known == word);
        let found: Option<Vec<usize>> = self.types.iter().map(listed).collect();
        found?.into_iter().min().map(|at| TYPES[at].1)
    }
}

/// The objects of a member that is an array or an object of them.
fn parts(member: Option<Node<'_>>) -> Vec<Object<'_>> {
    let nodes = member.map(Node::values).unwrap_or_default();
    let objects = nodes.into_iter().take(PARTS_MAX);
    objects.filter_map(Node::object).collect()
}

/// A refusal in words, with a `type` where one is listed.
pub fn print_refusal(message: &str, kind: Option<&str>) -> String {
    #[derive(Serialize)]
    struct Printed<'a> {
        success: u8,
        message: &'a str,
        #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
        kind: Option<&'a str>,
    }
    print(&Printed {
        success: 0,
        message,
        kind,
    })
}

/// A refusal for which each pool has its reason; goes with status 422.
pub fn print_pools<'a>(message: &'a str, pools: &[(&'a str, &'a str)]) -> String {
    #[derive(Serialize)]
    struct Pool<'a> {
        success: u8,
        message: &'a str,
        #[serde(rename = "type")]
        kind: &'a str,
    }
    #[derive(Serialize)]
    struct Printed<'a> {
        success: u8,
        message: &'a str,
        pools: Keyed<&'a str, Pool<'a>>,
    }
    let pool = |(name, kind): &(&'a str, &'a str)| {
        let success = 0;
        (
            *name,
            Pool {
                success,
                message,
                kind,
            },
        )
    };
    print(&Printed {
        success: 0,
        message,
        pools: Keyed(pools.iter().map(pool).collect()),
    })
}

/// A field of a request that is missing or bad.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Field<'a> {
    /// What is wrong.
    pub message: &'a str,
    /// Name of the field.
    pub param: &'a str,
    /// The same at length.
    pub description: &'a str,
}

/// A refusal that names bad fields; goes with status 400.
pub fn print_fields(fields: &[Field<'_>]) -> String {
    #[derive(Serialize)]
    struct Printed<'a> {
        success: u8,
        errors: &'a [Field<'a>],
    }
    print(&Printed {
        success: 0,
        errors: fields,
    })
}
