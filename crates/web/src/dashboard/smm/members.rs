//! What a form of an SMM order holds beside its link, by the service's type.

use crate::dashboard::fields::Fields;
use crate::dashboard::page::Failed;
use app::{PlaceOrder, Refusal, TEXT_MEMBERS};
use domain::catalogue::SmmService;
use domain::usd::Usd;
use minijinja::{Value, context};
use std::collections::BTreeMap;

/// How a member is filled in.
enum Input {
    Line,
    Number,
    /// One item on each line.
    Lines,
    /// One of these values, by their meaning.
    Choice(&'static [(&'static str, &'static str)]),
}

/// A member as people know it.
struct Member {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    input: Input,
}

const fn member(
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    input: Input,
) -> Member {
    Member {
        name,
        label,
        hint,
        input,
    }
}

const DEVICES: &[(&str, &str)] = &[
    ("1", "Desktop"),
    ("2", "Android"),
    ("3", "iOS"),
    ("4", "Phones and tablets, mixed"),
    ("5", "All kinds, mixed"),
];

const TRAFFIC: &[(&str, &str)] = &[
    ("1", "From a Google search"),
    ("2", "From another page"),
    ("3", "Direct"),
];

const DELAYS: &[(&str, &str)] = &[
    ("0", "At once"),
    ("5", "After 5 minutes"),
    ("10", "After 10 minutes"),
    ("15", "After 15 minutes"),
    ("30", "After 30 minutes"),
    ("60", "After an hour"),
    ("90", "After an hour and a half"),
];

const MEMBERS: [Member; 24] = [
    member("link", "Link", "", Input::Line),
    member("quantity", "Quantity", "", Input::Number),
    member(
        "runs",
        "Runs",
        "Drip-feed: how often the quantity is delivered. Every run is paid.",
        Input::Number,
    ),
    member("interval", "Minutes between runs", "", Input::Number),
    member(
        "comments",
        "Comments",
        "One on each line; each counts as one.",
        Input::Lines,
    ),
    member("usernames", "User names", "One on each line.", Input::Lines),
    member("username", "User name", "Without @.", Input::Line),
    member("hashtags", "Hashtags", "One on each line.", Input::Lines),
    member("hashtag", "Hashtag", "", Input::Line),
    member(
        "media",
        "Link of the post",
        "Whose likers are mentioned.",
        Input::Line,
    ),
    member(
        "answer_number",
        "Number of the answer",
        "Counted from 1.",
        Input::Number,
    ),
    member("keywords", "Keywords", "One on each line.", Input::Lines),
    member("groups", "Groups", "One on each line.", Input::Lines),
    member(
        "country",
        "Country of the visitors",
        "Such as US.",
        Input::Line,
    ),
    member("device", "Device", "", Input::Choice(DEVICES)),
    member(
        "type_of_traffic",
        "Where visitors come from",
        "",
        Input::Choice(TRAFFIC),
    ),
    member(
        "google_keyword",
        "Search words",
        "For visits from a Google search.",
        Input::Line,
    ),
    member(
        "referring_url",
        "Referring page",
        "For visits from another page.",
        Input::Line,
    ),
    member("min", "Least for each post", "", Input::Number),
    member("max", "Most for each post", "", Input::Number),
    member(
        "posts",
        "New posts",
        "How many posts from now on are served.",
        Input::Number,
    ),
    member(
        "old_posts",
        "Posts before now",
        "How many posts that are there already are served too.",
        Input::Number,
    ),
    member("delay", "When", "", Input::Choice(DELAYS)),
    member("expiry", "Last day", "As DD/MM/YYYY.", Input::Line),
];

fn known(name: &str) -> Option<&'static Member> {
    MEMBERS.iter().find(|member| member.name == name)
}

/// The fields of a service's form, with what was filled in.
pub(super) fn form(service: &SmmService, fields: &Fields) -> Vec<Value> {
    let (needed, optional) = (service.kind.needed(), service.kind.optional());
    let drips = |name: &str| service.dripfeed || !matches!(name, "runs" | "interval");
    let optional = optional.iter().filter(|name| drips(name));
    let all = needed
        .iter()
        .map(|name| (*name, true))
        .chain(optional.map(|name| (*name, false)));
    all.filter_map(|(name, required)| Some((known(name)?, required)))
        .map(|(member, required)| field(member, required, fields.text(member.name)))
        .collect()
}

fn field(member: &Member, required: bool, value: &str) -> Value {
    let choices: Vec<Value> = match member.input {
        Input::Choice(choices) => choices
            .iter()
            .map(|(value, title)| context! { value => *value, title => *title })
            .collect(),
        _ => Vec::new(),
    };
    context! {
        name => member.name,
        label => member.label,
        hint => member.hint,
        input => match member.input {
            Input::Line => "line",
            Input::Number => "number",
            Input::Lines => "lines",
            Input::Choice(_) => "choice",
        },
        choices,
        required,
        value,
    }
}

/// The order that a form asks for.
///
/// # Errors
/// A number is none. Everything else is the engine's to judge.
pub(super) fn order(fields: &Fields) -> Result<PlaceOrder, Failed> {
    // digits alone, as the API has it: what is padded or signed may be a slip
    let whole = |name: &'static str| match fields.text(name) {
        "" => Ok(None),
        text => crate::api_v1::whole(text).map(Some).ok_or_else(|| {
            let why = "must be a whole number in plain digits";
            not(Refusal::InvalidParameter(name, why.to_owned()))
        }),
    };
    let texts: BTreeMap<&'static str, String> = TEXT_MEMBERS
        .into_iter()
        .filter_map(|name| Some((name, fields.filled(name)?.to_owned())))
        .collect();
    let max_price = fields.filled("max_price").map(Usd::parse).transpose();
    let max_price = max_price.map_err(|_| {
        let why = "This form is incomplete. Look at the price, then order again.";
        Failed::field("max_price", why)
    })?;
    Ok(PlaceOrder {
        service_id: fields.text("service").to_owned(),
        link: fields.text("link").trim().to_owned(),
        quantity: whole("quantity")?,
        runs: whole("runs")?,
        interval: whole("interval")?,
        texts,
        max_price,
    })
}

/// Why an order was not placed, at the field it is about and by the field's own name.
pub(super) fn not(refusal: Refusal) -> Failed {
    let label = |name: &'static str| known(name).map_or(name, |member| member.label);
    let (field, why) = match &refusal {
        Refusal::MissingParameter(name) => (*name, format!("{} is missing.", label(name))),
        Refusal::InvalidParameter(name, why) => (*name, format!("{} {why}.", label(name))),
        Refusal::InvalidLink(why) => ("link", format!("Link {why}.")),
        Refusal::LinkHostMismatch => (
            "link",
            "This link does not lead to the platform of the service.".to_owned(),
        ),
        Refusal::QuantityOutOfRange { member, min, max } => {
            (*member, format!("Order at least {min} and at most {max}."))
        }
        Refusal::PriceChanged(price) => {
            let why = "The price is not the one you saw. Look at it, then order again";
            (
                "max_price",
                format!("{why}: it is {}.", super::super::view::usd(price.0)),
            )
        }
        Refusal::InsufficientBalance => (
            "",
            "Your available balance is below the price. Top up first.".to_owned(),
        ),
        _ => return refusal.into(),
    };
    Failed {
        field,
        why,
        ..refusal.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::order_type::OrderType;

    #[test]
    fn every_member_of_every_type_that_is_sold_has_its_field() {
        for kind in OrderType::all() {
            for name in kind.needed().iter().chain(kind.optional()) {
                assert!(known(name).is_some(), "{kind:?} {name}");
            }
        }
        let texts = MEMBERS
            .iter()
            .filter(|member| !matches!(member.name, "link" | "quantity" | "runs" | "interval"));
        for member in texts {
            assert!(TEXT_MEMBERS.contains(&member.name), "{}", member.name);
        }
    }

    #[test]
    fn a_number_that_is_none_is_named_by_its_label() {
        let failed = order(&Fields::parse(b"service=1&link=x&interval=soon")).unwrap_err();
        assert_eq!(failed.field, "interval");
        assert_eq!(
            failed.why,
            "Minutes between runs must be a whole number in plain digits."
        );
    }
}
