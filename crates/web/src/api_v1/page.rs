//! Pages of orders: limit, cursor and since, the same on both paths.

use super::members::Members;
use super::problem::Problem;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::OrderId;
use domain::ports::Page;
use domain::time::Timestamp;

const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: i128 = 100;
const CURSOR_MAX: usize = 200;
const TIME_MAX: usize = 64;

/// The page that is asked for, not filtered by status yet.
pub(crate) fn read(members: &Members) -> Result<Page, Problem> {
    Ok(Page {
        limit: limit(members)?,
        before: cursor(members)?,
        since: since(members)?,
        states: Vec::new(),
        progress: Vec::new(),
    })
}

fn limit(members: &Members) -> Result<u32, Problem> {
    let Some(given) = members.whole("limit") else {
        return Ok(LIMIT_DEFAULT);
    };
    let limit = given.ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit
        .and_then(|limit| u32::try_from(limit).ok())
        .ok_or_else(|| Problem::invalid("limit", "must be a whole number from 1 to 100"))
}

fn cursor(members: &Members) -> Result<Option<OrderId>, Problem> {
    let Some(text) = members.text("cursor", CURSOR_MAX)? else {
        return Ok(None);
    };
    let decoded = URL_SAFE_NO_PAD.decode(text).ok();
    let id = decoded.and_then(|bytes| OrderId::parse(std::str::from_utf8(&bytes).ok()?));
    id.map(Some)
        .ok_or_else(|| Problem::invalid("cursor", "must be the next_cursor of a page before"))
}

fn since(members: &Members) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = members.text("since", TIME_MAX)? else {
        return Ok(None);
    };
    let time = text.parse::<jiff::Timestamp>();
    time.map(|time| Some(Timestamp(time.as_millisecond())))
        .map_err(|_| Problem::invalid("since", "must be a time such as 2026-01-31T00:00:00Z"))
}

/// The cursor of the page after this order.
pub(crate) fn cursor_after(last: OrderId) -> String {
    URL_SAFE_NO_PAD.encode(last.to_string())
}

/// The page that would follow: one order is enough to know whether there is any.
pub(crate) fn beyond(page: &Page, last: OrderId) -> Page {
    Page {
        limit: 1,
        before: Some(last),
        ..page.clone()
    }
}

/// The one of these words that `status` asks for, if it asks.
pub(crate) fn status<T: Copy>(
    members: &Members,
    words: &[(&str, T)],
) -> Result<Option<T>, Problem> {
    let Some(asked) = members.text("status", TIME_MAX)? else {
        return Ok(None);
    };
    let found = words.iter().find(|(word, _)| *word == asked);
    found.map(|(_, meant)| Some(*meant)).ok_or_else(|| {
        let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        Problem::invalid("status", &format!("must be one of {}", names.join(", ")))
    })
}
