//! From the protocol's words to the engine's: the rules of what counts as what.

use super::names::Names;
use crate::handler_api::classify::is_id;
use crate::money::Exchange;
use crate::sms;
use domain::phone::Phone;
use domain::time::{Millis, Timestamp};
use domain::upstream::{CancelReply, ListedNumber, Number, NumberStatus, Purchase};
use wire::handler_api::{Class, Failure};
use wire::smspool::{Cancelled, Check, ListedOrder, NumberBought, OrderState, full_number};

/// Longest lifetime believed, in seconds.
const LIFETIME_MAX_S: u64 = 86_400;
/// Latest second believed as a time of sale: the year 2100.
const SECOND_MAX: u64 = 4_102_444_800;
/// Pause before a cancel that came too early is tried again: the lock's length is not told.
const CANCEL_PAUSE: Millis = Millis::seconds(20);
/// Calling codes behind which every number has ten digits.
const TEN_DIGITS: [&str; 2] = ["1", "7"];

/// A sale counts only with an order code in the expected alphabet and a number that is one;
/// anything less may hide a purchase and is unknown.
pub(super) fn sold(bought: &NumberBought, exchange: Exchange) -> Purchase<Number> {
    let (true, Some(phone)) = (is_id(&bought.order_id), Phone::parse(&bought.phone)) else {
        return Purchase::Unknown;
    };
    let lifetime_s = bought.expires_in_s;
    let lifetime_s = lifetime_s.filter(|seconds| (1..=LIFETIME_MAX_S).contains(seconds));
    Purchase::Done(Number {
        id: bought.order_id.clone(),
        phone,
        cost: bought.cost.and_then(|cost| exchange.cost(cost)),
        lifetime: lifetime_s.and_then(seconds),
        cancel_after: None,
    })
}

fn seconds(count: u64) -> Option<Millis> {
    i64::try_from(count).ok().map(Millis::seconds)
}

/// State of one order. "Received" needs a code or a text; what no document describes waits.
pub(super) fn number_status(check: &Check) -> NumberStatus {
    match check.state {
        OrderState::Completed => {
            let (code, text) = (check.sms.as_deref(), check.full_sms.as_deref());
            let sms = sms::message(code.unwrap_or_default(), text.unwrap_or_default());
            sms.map_or(NumberStatus::Waiting, NumberStatus::Code)
        }
        OrderState::Expired | OrderState::Cancelled | OrderState::Refunded => NumberStatus::Closed,
        OrderState::Resend => NumberStatus::WaitingRetry,
        OrderState::Pending
        | OrderState::Processing
        | OrderState::Activating
        | OrderState::Other(_) => NumberStatus::Waiting,
    }
}

/// A row of the active list.
pub(super) fn listed_number(row: &ListedOrder, names: &Names, exchange: Exchange) -> ListedNumber {
    let place = names.place(row.short_name.as_deref());
    let calling_code = place.and_then(|place| place.calling_code.as_deref());
    let (code, text) = (row.code.as_deref(), row.full_code.as_deref());
    ListedNumber {
        id: row.order_code.clone(),
        service: names.service(&row.service),
        country: place.and_then(|place| place.id.clone()),
        phone: listed_phone(row, calling_code),
        cost: row.cost.and_then(|cost| exchange.cost(cost)),
        created_at: row.sold_at_s().and_then(sold_at),
        sms: sms::message(code.unwrap_or_default(), text.unwrap_or_default()),
        retry_asked: row.state == OrderState::Resend,
    }
}

fn sold_at(second: u64) -> Option<Timestamp> {
    let second = i64::try_from(second)
        .ok()
        .filter(|_| second <= SECOND_MAX)?;
    Some(Timestamp(second * 1000))
}

/// The list does not say whether its numbers carry the calling code. One that does not begin with
/// its country's code, or is as short as a local one, is given it.
fn listed_phone(row: &ListedOrder, calling_code: Option<&str>) -> Option<Phone> {
    let phone = row.phone.as_deref();
    let whole = full_number(phone, None, None)?;
    let digits = match row.calling_code.as_deref().or(calling_code) {
        Some(code) if is_local(&whole, code) => full_number(None, Some(code), phone)?,
        _ => whole,
    };
    Phone::parse(&digits)
}

fn is_local(digits: &str, code: &str) -> bool {
    let short = TEN_DIGITS.contains(&code) && digits.len() == 10;
    short || !digits.starts_with(code)
}

/// What came of a cancel.
pub(super) fn cancelled(answer: Result<Cancelled, Failure>) -> CancelReply {
    let failure = match answer {
        Ok(_) => return CancelReply::Cancelled,
        Err(failure) => failure,
    };
    match failure {
        Failure::Refused(refused) => match refused.class {
            Class::TooEarly => CancelReply::TooEarly(Some(CANCEL_PAUSE)),
            Class::BadTransition => CancelReply::BadTransition,
            Class::UnknownOrder => CancelReply::UnknownOrder,
            _ => CancelReply::Unknown,
        },
        _ => CancelReply::Unknown,
    }
}
