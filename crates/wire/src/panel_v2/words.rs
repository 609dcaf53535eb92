//! The one table of error texts: matched loosely, after everything we sent has been taken out.

use domain::upstream::Refusal;

/// What an error text means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// A refusal of whatever was asked.
    Refused(Refusal),
    /// The order id is not ours there.
    UnknownOrder,
    /// A refill is refused.
    RefillRefused,
}

/// One way in which a text matches: all of these words are in it.
type AllOf = &'static [&'static str];

const AUTH: Class = Class::Refused(Refusal::UpstreamAuth);
const BLOCKED: Class = Class::Refused(Refusal::AccountBlocked);
const FUNDS: Class = Class::Refused(Refusal::UpstreamFunds);
const THROTTLED: Class = Class::Refused(Refusal::Throttled);
const NOT_SOLD: Class = Class::Refused(Refusal::NotSold);
const DUPLICATE: Class = Class::Refused(Refusal::DuplicateLink);
const OUR_FAULT: Class = Class::Refused(Refusal::OurFault);
const QUANTITY: Class = input(Some("quantity"));
const LINK: Class = input(Some("link"));
const COMMENTS: Class = input(Some("comments"));
const USERNAME: Class = input(Some("username"));
/// A hashtag may be `hashtag` or `hashtags`, an answer `answer_number`: the text does not say.
const OTHER_INPUT: Class = input(None);

const fn input(member: Option<&'static str>) -> Class {
    Class::Refused(Refusal::RejectedInput { member })
}

/// Rows in order; the first that matches wins.
const TABLE: &[(AllOf, Class)] = &[
    (&["invalid api key"], AUTH),
    (&["invalid key"], AUTH),
    (&["incorrect key"], AUTH),
    (&["wrong key"], AUTH),
    (&["account", "suspended"], BLOCKED),
    (&["account", "blocked"], BLOCKED),
    (&["account", "inactive"], BLOCKED),
    (&["not enough funds"], FUNDS),
    (&["insufficient funds"], FUNDS),
    (&["insufficient balance"], FUNDS),
    (&["not enough balance"], FUNDS),
    (&["too many requests"], THROTTLED),
    (&["rate limit"], THROTTLED),
    (&["incorrect service id"], NOT_SOLD),
    (&["service not found"], NOT_SOLD),
    (&["invalid service"], NOT_SOLD),
    (&["service", "inactive"], NOT_SOLD),
    (&["service", "disabled"], NOT_SOLD),
    (&["service", "unavailable"], NOT_SOLD),
    (&["active order with this link"], DUPLICATE),
    (&["already running"], DUPLICATE),
    (&["wait until order"], DUPLICATE),
    (&["incorrect request"], OUR_FAULT),
    (&["invalid action"], OUR_FAULT),
    (&["neither parameter is set"], OUR_FAULT),
    (&["incorrect order id"], Class::UnknownOrder),
    (&["refill not found"], Class::RefillRefused),
    (&["not eligible"], Class::RefillRefused),
    (&["quantity", "min"], QUANTITY),
    (&["quantity", "max"], QUANTITY),
    (&["quantity", "less"], QUANTITY),
    (&["quantity", "more"], QUANTITY),
    (&["link", "incorrect"], LINK),
    (&["link", "invalid"], LINK),
    (&["link", "bad"], LINK),
    (&["link", "wrong"], LINK),
    (&["link", "private"], LINK),
    (&["comments", "incorrect"], COMMENTS),
    (&["comments", "invalid"], COMMENTS),
    (&["comments", "empty"], COMMENTS),
    (&["username", "incorrect"], USERNAME),
    (&["username", "invalid"], USERNAME),
    (&["username", "empty"], USERNAME),
    (&["hashtag", "incorrect"], OTHER_INPUT),
    (&["hashtag", "invalid"], OTHER_INPUT),
    (&["hashtag", "empty"], OTHER_INPUT),
    (&["answer", "incorrect"], OTHER_INPUT),
    (&["answer", "invalid"], OTHER_INPUT),
    (&["answer", "empty"], OTHER_INPUT),
];

/// Class of an error text from which sent values have been removed; nothing where no row matches.
/// Untranslated keys (`neworder.error.not_enough_funds`) match by the words inside.
pub fn class_of(text: &str) -> Option<Class> {
    let text = text.to_lowercase();
    let spaced: String = text
        .chars()
        .map(|c| if matches!(c, '_' | '.' | '-') { ' ' } else { c })
        .collect();
    let matches = |all: &AllOf| {
        all.iter().all(|word| text.contains(word)) || all.iter().all(|word| spaced.contains(word))
    };
    TABLE
        .iter()
        .find(|(all, _)| matches(all))
        .map(|(_, class)| class.clone())
}

/// Shortest value worth removing: no keyword of the table is shorter.
const VALUE_MIN: usize = 3;

/// The text in lower case without the values that were sent: a customer's own words, echoed by
/// the panel, must not disable a route. Every line of a list counts as a value.
pub fn without_sent<'a>(text: &str, sent: impl IntoIterator<Item = &'a str>) -> String {
    let mut values: Vec<String> = sent
        .into_iter()
        .flat_map(|value| std::iter::once(value).chain(value.lines()))
        .map(|value| value.trim().to_lowercase())
        .filter(|value| value.len() >= VALUE_MIN && !value.bytes().all(|b| b.is_ascii_digit()))
        .collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.dedup();
    values
        .iter()
        .fold(text.to_lowercase(), |text, value| text.replace(value, " "))
}
