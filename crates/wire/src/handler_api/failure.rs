//! Telling answers from failures: the one door every body of this protocol comes through.

use super::words::{Class, class_of, class_of_status};
use crate::amount::cut;
use crate::answer::Answer;
use crate::json::{Node, Object, print};
use serde::Serialize;

/// Longest word carried on, in characters.
const WORD_MAX: usize = 200;

/// A body that is no failure; what it says is for the reply types to read.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// A bare word with its arguments.
    Word(&'a str),
    /// A JSON document.
    Json(Node<'a>),
}

/// A failure that is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What it means.
    pub class: Class,
    /// The word as sent, with its argument; cut.
    pub word: String,
    /// Age in seconds from which a cancel is allowed, where a refused cancel tells it.
    pub cancel_age_s: Option<u32>,
}

/// Why an answer is not the reply that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The upstream's application said so, in a way that is listed.
    Refused(Refused),
    /// A status after which nothing is certain (5xx, 408, 3xx), with the listed class of its word.
    Unsettled(u16, Option<Class>),
    /// A page for people.
    Html,
    /// Empty, malformed, of another shape, or a word that is not listed.
    Unreadable(String),
}

impl Failure {
    /// What it means on a call that changes nothing.
    pub fn on_read(&self) -> Class {
        match self {
            Self::Refused(refused) => refused.class,
            Self::Unsettled(_, Some(Class::Throttled)) | Self::Html => Class::Throttled,
            Self::Unsettled(..) | Self::Unreadable(_) => Class::Fault,
        }
    }

    /// What it means on a purchase: everything that is not a listed refusal is unknown.
    pub fn on_purchase(&self) -> Class {
        match self {
            Self::Refused(refused) if refused.class.refusal().is_some() => refused.class,
            Self::Refused(Refused {
                class: Class::Duplicate,
                ..
            }) => Class::Duplicate,
            _ => Class::Unknown,
        }
    }

    pub(super) fn shape(what: &str) -> Self {
        Self::Unreadable(format!("not {what}"))
    }
}

/// Separates bodies from failures: status, HTML, emptiness, listed words, JSON problems.
pub fn open(answer: Answer<'_>) -> Result<Body<'_>, Failure> {
    let text = answer.text();
    if text.is_empty() {
        return Err(unsettled_or(answer, None, || {
            Failure::Unreadable("empty body".to_owned())
        }));
    }
    if answer.is_html() {
        return Err(unsettled_or(answer, None, || Failure::Html));
    }
    let (body, said) = match answer.is_json() {
        true => match Node::read(text) {
            Some(node) => (Body::Json(node), problem(answer, node)),
            None => {
                return Err(unsettled_or(answer, None, || {
                    Failure::shape("well-formed JSON")
                }));
            }
        },
        false => (Body::Word(text), bare(answer, text)),
    };
    match said {
        None => Ok(body),
        Some(said) => {
            let class = class_of(&said.word);
            Err(unsettled_or(answer, class, || refused(answer, class, said)))
        }
    }
}

fn unsettled_or(
    answer: Answer<'_>,
    class: Option<Class>,
    otherwise: impl FnOnce() -> Failure,
) -> Failure {
    if answer.is_unsettled() {
        Failure::Unsettled(answer.status, class)
    } else {
        otherwise()
    }
}

fn refused(answer: Answer<'_>, listed: Option<Class>, said: Said) -> Failure {
    let by_status = || class_of_status(answer.status);
    let class = if answer.status == 429 {
        by_status()
    } else {
        listed.or_else(by_status)
    };
    match class {
        Some(class) => Failure::Refused(Refused {
            class,
            word: said.word,
            cancel_age_s: said.cancel_age_s,
        }),
        None => Failure::Unreadable(format!("not a listed word: {}", said.word)),
    }
}

/// What an answer that is a failure says.
struct Said {
    word: String,
    cancel_age_s: Option<u32>,
}

/// A bare word is a failure where it is listed or the status says so.
fn bare(answer: Answer<'_>, text: &str) -> Option<Said> {
    let failed = class_of(text).is_some() || !answer.is_success();
    failed.then(|| Said {
        word: cut(text, WORD_MAX),
        cancel_age_s: None,
    })
}

/// The word of a JSON problem: `title`, or `error`, or `message` beside a status word.
fn problem(answer: Answer<'_>, node: Node<'_>) -> Option<Said> {
    let Some(object) = node.object() else {
        return (!answer.is_success()).then(|| Said {
            word: String::new(),
            cancel_age_s: None,
        });
    };
    let failed = !answer.is_success() || has_error_status(&object);
    let string = |name: &str| object.get(name).and_then(Node::string);
    let spoken = string("title").or_else(|| string("error"));
    let word = match (spoken, failed) {
        (Some(word), _) => word,
        (None, true) => string("message").unwrap_or_default(),
        (None, false) => return None,
    };
    Some(Said {
        word: cut(word.trim(), WORD_MAX),
        cancel_age_s: cancel_age(&object),
    })
}

fn has_error_status(object: &Object<'_>) -> bool {
    let status = object
        .text(&["status"])
        .unwrap_or_default()
        .to_ascii_lowercase();
    matches!(status.as_str(), "error" | "fail" | "failed" | "false")
}

fn cancel_age(object: &Object<'_>) -> Option<u32> {
    let info = object.get("info")?.object()?;
    u32::try_from(info.count("minActivationTime")?).ok()
}

/// A problem as HeroSMS prints it; goes with a 4xx status.
pub fn hero_problem(title: &str, details: &str, cancel_age_s: Option<u32>) -> String {
    #[derive(Serialize)]
    struct Info {
        #[serde(rename = "minActivationTime", skip_serializing_if = "Option::is_none")]
        cancel_age_s: Option<u32>,
    }
    #[derive(Serialize)]
    struct Problem<'a> {
        title: &'a str,
        details: &'a str,
        info: Info,
    }
    print(&Problem {
        title,
        details,
        info: Info { cancel_age_s },
    })
}

/// A problem as classic servers print it beside JSON replies; goes with status 200.
pub fn json_problem(word: &str) -> String {
    #[derive(Serialize)]
    struct Problem<'a> {
        status: &'a str,
        message: &'a str,
    }
    print(&Problem {
        status: "error",
        message: word,
    })
}
