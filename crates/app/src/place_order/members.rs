//! From what a buyer sends to the members that a panel takes, and the units that they bill.

use super::PlaceOrder;
use crate::refusal::Refusal;
use domain::catalogue::SmmService;
use domain::order_type::{Units, lines};

/// Members of the richer order types that `place_order` takes as text.
pub const TEXT_MEMBERS: [&str; 20] = [
    "comments",
    "usernames",
    "username",
    "hashtags",
    "hashtag",
    "media",
    "answer_number",
    "keywords",
    "groups",
    "country",
    "device",
    "type_of_traffic",
    "google_keyword",
    "referring_url",
    "min",
    "max",
    "posts",
    "old_posts",
    "delay",
    "expiry",
];

/// Longest text member, in bytes.
const TEXT_MAX: usize = 32 * 1024;

/// Member name and value in sending order.
pub(super) type Members = Vec<(&'static str, String)>;

/// What an order consists of.
pub(super) struct Wanted {
    /// The members to send besides the link.
    pub(super) members: Members,
    /// The units they bill; of a subscription the most that it can come to.
    pub(super) units: u64,
    /// Least and most units of one delivery, which a panel's limits are about.
    pub(super) sizes: (u64, u64),
}

/// The user whose posts a subscription waits for.
pub(super) fn target(request: &PlaceOrder) -> Result<String, Refusal> {
    text(request, "username")?.ok_or(Refusal::MissingParameter("username"))
}

/// The members to send besides the link, and the units they bill.
pub(super) fn members(service: &SmmService, request: &PlaceOrder) -> Result<Wanted, Refusal> {
    let kind = service.kind;
    let mut sent = Members::new();
    for name in kind.needed().iter().copied().filter(|name| *name != "link") {
        let value = match name {
            "quantity" => quantity(service, request)?.to_string(),
            _ => text(request, name)?.ok_or(Refusal::MissingParameter(name))?,
        };
        sent.push((name, value));
    }
    if service.dripfeed {
        sent.extend(drip_feed(request)?);
    }
    for name in kind.optional().iter().copied() {
        sent.extend(text(request, name)?.map(|value| (name, value)));
    }
    let member = |name: &str| {
        let found = sent.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    };
    if let Some(missing) = kind
        .needed_with(&member)
        .filter(|name| member(name).is_none())
    {
        return Err(Refusal::MissingParameter(missing));
    }
    if let Err((name, why)) = kind.check(&member) {
        return Err(Refusal::InvalidParameter(name, why.to_owned()));
    }
    // each run alone is in range by now
    let counted_by = match member("runs") {
        Some(_) => "runs",
        None => kind.counted_by(),
    };
    let (units, sizes) = match kind.units(&member) {
        Ok(Units::Counted(units)) => (in_range(service, units, counted_by)?, (units, units)),
        // the hold has to cover the most that can be charged
        Ok(Units::PerChild(0)) => return Err(Refusal::MissingParameter("posts")),
        Ok(Units::PerChild(units)) => {
            let size = |name| member(name).and_then(|text| text.parse().ok());
            let least = in_range(service, size("min").unwrap_or(0), "min")?;
            let most = in_range(service, size("max").unwrap_or(0), "max")?;
            (units, (least, most))
        }
        Ok(Units::Flat) => (1, (1, 1)),
        Err(name) => (in_range(service, u64::MAX, name)?, (0, 0)),
    };
    Ok(Wanted {
        members: sent,
        units,
        sizes,
    })
}

fn quantity(service: &SmmService, request: &PlaceOrder) -> Result<u64, Refusal> {
    let asked = request
        .quantity
        .ok_or(Refusal::MissingParameter("quantity"))?;
    in_range(service, u64::try_from(asked).unwrap_or(0), "quantity")
}

fn in_range(service: &SmmService, units: u64, member: &'static str) -> Result<u64, Refusal> {
    let (min, max) = (service.min, service.max);
    if (min..=max).contains(&units) {
        Ok(units)
    } else {
        Err(Refusal::QuantityOutOfRange { member, min, max })
    }
}

/// Runs of a drip-fed order at most.
pub(crate) const RUNS_MAX: u32 = 10_000;

/// Runs and the minutes between them, where drip-feed is asked for.
fn drip_feed(request: &PlaceOrder) -> Result<Members, Refusal> {
    let Some(runs) = request.runs else {
        return Ok(Vec::new());
    };
    let bad = |name, why: &str| Refusal::InvalidParameter(name, why.to_owned());
    if !(1..=i128::from(RUNS_MAX)).contains(&runs) {
        return Err(bad("runs", &format!("must lie between 1 and {RUNS_MAX}")));
    }
    let interval = request
        .interval
        .ok_or(Refusal::MissingParameter("interval"))?;
    if !(1..=10_080).contains(&interval) {
        return Err(bad("interval", "must be 1 to 10080 minutes"));
    }
    Ok(vec![
        ("runs", runs.to_string()),
        ("interval", interval.to_string()),
    ])
}

/// A text member, cleaned: lists by line are sent as they are counted.
fn text(request: &PlaceOrder, name: &'static str) -> Result<Option<String>, Refusal> {
    let Some(given) = request.texts.get(name) else {
        return Ok(None);
    };
    if given.len() > TEXT_MAX {
        return Err(Refusal::InvalidParameter(
            name,
            format!("must be at most {TEXT_MAX} bytes"),
        ));
    }
    let cleaned = lines(given).join("\n");
    Ok((!cleaned.is_empty()).then_some(cleaned))
}
