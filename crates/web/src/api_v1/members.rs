//! The parameters of one request, whatever they came as: strict readers for each kind.

use super::problem::Problem;
use super::server;
use domain::ids::OrderId;
use domain::usd::Usd;
use std::collections::BTreeMap;

/// Longest id of a catalogue, in characters.
const ID_MAX: usize = 64;

/// A value as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// Text: from a query, a form, or a JSON string.
    Text(String),
    /// A JSON number, as it was written.
    Number(String),
    /// A JSON array of strings.
    Lines(Vec<String>),
    /// Anything else; kept as it was written.
    Other(String),
}

impl Given {
    /// The text, or the digits of a number.
    fn plain(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Lines(_) | Self::Other(_) => None,
        }
    }

    /// One spelling for each meaning: `42` and `"42"` are one, and so are lines in either form.
    fn canonical(&self) -> String {
        match self {
            Self::Text(text) | Self::Number(text) => format!("={text}"),
            Self::Lines(lines) => format!("={}", lines.join("\n")),
            Self::Other(raw) => format!("!{raw}"),
        }
    }
}

/// Parameters by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Members(BTreeMap<String, Given>);

impl Members {
    /// Adds one. The bracketed form of a name is that name with an unusable value. Says whether
    /// the name was free.
    pub fn add(&mut self, name: String, value: Given) -> bool {
        let (name, value) = match name.split_once('[') {
            Some((plain, _)) if !plain.is_empty() => (plain.to_owned(), Given::Other(name)),
            _ => (name, value),
        };
        self.0.insert(name, value).is_none()
    }

    /// Takes one out.
    pub fn take(&mut self, name: &str) -> Option<Given> {
        self.0.remove(name)
    }

    /// A name that both hold with different values; aliases of the server are one name.
    pub fn contradicts(&self, other: &Self) -> Option<&str> {
        let differs = |(name, value): &(&String, &Given)| {
            let aliases: &[&str] = match server::NAMES.contains(&name.as_str()) {
                true => &server::NAMES,
                false => &[name.as_str()],
            };
            let mut theirs = aliases.iter().filter_map(|alias| other.0.get(*alias));
            theirs.any(|theirs| theirs.canonical() != value.canonical())
        };
        self.0.iter().find(differs).map(|(name, _)| name.as_str())
    }

    /// Names and values in order, each in its one spelling.
    pub fn canonical(&self) -> impl Iterator<Item = (&str, String)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.canonical()))
    }

    /// A parameter as it was given.
    pub fn get(&self, name: &str) -> Option<&Given> {
        self.0.get(name)
    }

    /// Text of at most `longest` characters.
    pub fn text(&self, name: &str, longest: usize) -> Result<Option<&str>, Problem> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Given::Text(text)) if text.chars().count() <= longest => Ok(Some(text)),
            Some(Given::Text(_)) => Err(Problem::too_long(name, longest)),
            Some(_) => Err(Problem::invalid(name, "must be text")),
        }
    }

    /// An id of a catalogue: text, or a plain whole number.
    pub fn id(&self, name: &str) -> Result<Option<String>, Problem> {
        let bad = || Problem::invalid(name, "must be an id, as text or as a whole number");
        match self.0.get(name) {
            None => Ok(None),
            Some(Given::Number(digits)) => {
                let canonical = whole(digits).and_then(|id| u64::try_from(id).ok());
                canonical.map(|id| Some(id.to_string())).ok_or_else(bad)
            }
            Some(Given::Text(text)) if text.chars().count() > ID_MAX => {
                Err(Problem::too_long(name, ID_MAX))
            }
            Some(Given::Text(text)) if !text.is_empty() => Ok(Some(text.clone())),
            Some(_) => Err(bad()),
        }
    }

    /// An id that has to be there.
    pub fn needed_id(&self, name: &'static str) -> Result<String, Problem> {
        self.id(name)?.ok_or_else(|| Problem::missing(name))
    }

    /// The id of an order.
    pub fn order_id(&self) -> Result<OrderId, Problem> {
        let name = "order_id";
        let given = self.0.get(name).ok_or_else(|| Problem::missing(name))?;
        given.plain().and_then(OrderId::parse).ok_or_else(|| {
            let sentence = "Parameter order_id must be a whole number from 1.";
            Problem::bad("invalid_order_id", sentence)
        })
    }

    /// The id of a refill.
    pub fn refill_id(&self) -> Result<i64, Problem> {
        let name = "refill_id";
        let given = self.0.get(name).ok_or_else(|| Problem::missing(name))?;
        let id = given.plain().and_then(OrderId::parse).map(|id| id.0);
        id.ok_or_else(|| Problem::invalid(name, "must be a whole number from 1"))
    }

    /// A whole number in plain digits, perhaps below zero, perhaps far out of range; the inner
    /// error is any other value.
    pub fn signed(&self, name: &str) -> Option<Result<i128, ()>> {
        let given = self.0.get(name)?;
        Some(given.plain().and_then(signed).ok_or(()))
    }

    /// A whole number in plain digits; the inner error is any other value.
    pub fn whole(&self, name: &str) -> Option<Result<i128, ()>> {
        let given = self.0.get(name)?;
        Some(given.plain().and_then(whole).ok_or(()))
    }

    /// An exact amount.
    pub fn money(&self, name: &str) -> Result<Option<Usd>, Problem> {
        let Some(given) = self.0.get(name) else {
            return Ok(None);
        };
        let amount = given.plain().and_then(|text| Usd::parse(text).ok());
        amount.map(Some).ok_or_else(|| {
            Problem::invalid(name, "must be an amount in USD with at most six decimals")
        })
    }
}

/// Digits without sign, padding or anything else. More of them than any use has count as the
/// greatest number.
pub(crate) fn whole(text: &str) -> Option<i128> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (canonical && digits).then(|| text.parse().unwrap_or(i128::MAX))
}

/// The same, with a minus allowed: what is below zero is out of range rather than no number.
fn signed(text: &str) -> Option<i128> {
    match text.strip_prefix('-') {
        Some(digits) => whole(digits).map(|number| -number),
        None => whole(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_plain_digits() {
        for (text, number) in [("0", 0), ("7", 7), ("500", 500)] {
            assert_eq!(whole(text), Some(number));
        }
        assert_eq!(whole(&"9".repeat(400)), Some(i128::MAX));
        assert_eq!(signed("-5"), Some(-5));
        let bad = [
            "",
            " 5",
            "5 ",
            "+5",
            "05",
            "5.0",
            "5e2",
            "5,00",
            "0x5",
            "５００",
            "--5",
            "-",
            "true",
        ];
        for text in bad {
            assert_eq!(signed(text), None, "{text:?}");
        }
        assert_eq!(whole("-5"), None);
    }

    #[test]
    fn brackets_spoil_the_value_and_count_as_the_name() {
        let mut members = Members::default();
        assert!(members.add("order_id[]".into(), Given::Text("42".into())));
        assert!(members.order_id().is_err());
        assert!(!members.add("order_id".into(), Given::Text("42".into())));
    }

    #[test]
    fn spellings_of_one_value_are_canonically_equal() {
        let of = |value: Given| {
            let mut members = Members::default();
            members.add("a".into(), value);
            members
        };
        let text = of(Given::Text("1\n2".into()));
        let lines = of(Given::Lines(vec!["1".into(), "2".into()]));
        assert_eq!(text.contradicts(&lines), None);
        assert_eq!(
            of(Given::Text("42".into())).contradicts(&of(Given::Number("42".into()))),
            None
        );
        assert_eq!(
            of(Given::Text("true".into())).contradicts(&of(Given::Other("true".into()))),
            Some("a")
        );
    }
}
