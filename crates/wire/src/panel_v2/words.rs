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

fn refused(refusal: Refusal) -> Class {
    Class::Refused(refusal)
}

fn input(member: &'static str) -> Class {
    Class::Refused(Refusal::RejectedInput {
        member: Some(member),
    })
}

/// Rows in order; the first that matches wins.
fn rows() -> [(Class, &'static [AllOf]); 14] {
    [
        (
            refused(Refusal::UpstreamAuth),
            &[
                &["invalid api key"],
                &["invalid key"],
                &["incorrect key"],
                &["wrong key"],
            ],
        ),
        (
            refused(Refusal::AccountBlocked),
            &[
                &["account", "suspended"],
                &["account", "blocked"],
                &["account", "inactive"],
            ],
        ),
        (
            refused(Refusal::UpstreamFunds),
            &[
                &["not enough funds"],
                &["insufficient funds"],
                &["insufficient balance"],
                &["not enough balance"],
            ],
        ),
        (
            refused(Refusal::Throttled),
            &[&["too many requests"], &["rate limit"]],
        ),
        (
            refused(Refusal::NotSold),
            &[
                &["incorrect service id"],
                &["service not found"],
                &["invalid service"],
                &["service", "inactive"],
                &["service", "disabled"],
                &["service", "unavailable"],
            ],
        ),
        (
            refused(Refusal::DuplicateLink),
            &[
                &["active order with this link"],
                &["already running"],
                &["wait until order"],
            ],
        ),
        (
            refused(Refusal::OurFault),
            &[
                &["incorrect request"],
                &["invalid action"],
                &["neither parameter is set"],
            ],
        ),
        (Class::UnknownOrder, &[&["incorrect order id"]]),
        (
            Class::RefillRefused,
            &[&["refill not found"], &["not eligible"]],
        ),
        (
            input("quantity"),
            &[
                &["quantity", "min"],
                &["quantity", "max"],
                &["quantity", "less"],
                &["quantity", "more"],
            ],
        ),
        (
            input("link"),
            &[
                &["link", "incorrect"],
                &["link", "invalid"],
                &["link", "bad"],
                &["link", "wrong"],
                &["link", "private"],
            ],
        ),
        (input("comments"), FAULTY_COMMENTS),
        (input("username"), FAULTY_USERNAME),
        (
            refused(Refusal::RejectedInput { member: None }),
            FAULTY_OTHER,
        ),
    ]
}

const FAULTY_COMMENTS: &[AllOf] = &[
    &["comments", "incorrect"],
    &["comments", "invalid"],
    &["comments", "empty"],
];
const FAULTY_USERNAME: &[AllOf] = &[
    &["username", "incorrect"],
    &["username", "invalid"],
    &["username", "empty"],
];
/// A hashtag may be `hashtag` or `hashtags`, an answer `answer_number`: the text does not say.
const FAULTY_OTHER: &[AllOf] = &[
    &["hashtag", "incorrect"],
    &["hashtag", "invalid"],
    &["hashtag", "empty"],
    &["answer", "incorrect"],
    &["answer", "invalid"],
    &["answer", "empty"],
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
    let found = rows()
        .into_iter()
        .find(|(_, ways)| ways.iter().any(matches));
    found.map(|(class, _)| class)
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
