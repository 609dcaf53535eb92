//! From the protocol's words to the engine's: the rules of what counts as what.

use crate::civil;
use crate::handler_api::classify::is_number;
use crate::money::Exchange;
use crate::sms;
use domain::phone::Phone;
use domain::time::Millis;
use domain::upstream::{
    CancelReply, ListedNumber, Number, NumberStatus, Purchase, ReadFailure, Sms,
};
use wire::fivesim::{self, Order, OrderStatus};
use wire::handler_api::{Class, Failure, Refused};

/// Longest life believed, as in `civil`: no activation lives longer.
const LIFETIME_MAX: Millis = Millis::minutes(7 * 24 * 60);

/// A sale counts only with a number that is one, for what was asked, and still open; anything less
/// may hide a purchase and is unknown.
pub(super) fn sold(
    order: &Order,
    wanted: &fivesim::Purchase,
    exchange: Exchange,
) -> Purchase<Number> {
    let phone = Phone::parse(&order.phone).filter(|_| is_number(&order.phone));
    let Some(phone) = phone.filter(|_| is_open(order) && is_for(order, wanted)) else {
        return Purchase::Unknown;
    };
    Purchase::Done(Number {
        id: order.id.to_string(),
        phone,
        cost: order.price.and_then(|price| exchange.cost(price)),
        lifetime: lifetime(order),
        cancel_after: None,
    })
}

/// What an order does not say about itself speaks not against it.
fn is_for(order: &Order, wanted: &fivesim::Purchase) -> bool {
    let agrees = |said: &str, asked: &fivesim::Slug| {
        said.is_empty() || said.eq_ignore_ascii_case(asked.as_str())
    };
    agrees(&order.product, &wanted.product) && agrees(&order.country, &wanted.country)
}

pub(super) fn is_open(order: &Order) -> bool {
    matches!(order.status, OrderStatus::Pending | OrderStatus::Received)
}

/// From sale to end, as the order states both.
pub(super) fn lifetime(order: &Order) -> Option<Millis> {
    let moment = |text: &Option<String>| civil::rfc3339(text.as_deref()?);
    let life = moment(&order.expires)? - moment(&order.created_at)?;
    (life > Millis(0) && life <= LIFETIME_MAX).then_some(life)
}

/// State of one order. The word alone never says that a message came: `RECEIVED` stands for
/// waiting too, and an order that is over may still hold its message.
pub(super) fn number_status(order: &Order) -> Result<NumberStatus, ReadFailure> {
    let message = newest(order);
    Ok(match (&order.status, message) {
        (OrderStatus::Canceled | OrderStatus::Banned, _) | (OrderStatus::Timeout, None) => {
            NumberStatus::Closed
        }
        (OrderStatus::Other(word), _) => {
            return Err(ReadFailure::Fault(format!("unknown status {word}")));
        }
        (_, Some(sms)) => NumberStatus::Code(sms),
        (OrderStatus::Pending | OrderStatus::Received, None) => NumberStatus::Waiting,
        (OrderStatus::Finished, None) => NumberStatus::ClosedAmbiguous,
    })
}

/// New messages are put behind the old ones.
fn newest(order: &Order) -> Option<Sms> {
    let messages = order.sms.iter().rev();
    messages
        .filter_map(|message| sms::message(&message.code, &message.text))
        .next()
}

/// A row of the list.
pub(super) fn listed_number(order: &Order, exchange: Exchange) -> ListedNumber {
    ListedNumber {
        id: order.id.to_string(),
        service: order.product.clone(),
        country: Some(order.country.clone()).filter(|country| !country.is_empty()),
        phone: Phone::parse(&order.phone),
        cost: order.price.and_then(|price| exchange.cost(price)),
        created_at: order.created_at.as_deref().and_then(civil::rfc3339),
        sms: newest(order),
        retry_asked: false,
    }
}

/// What came of a cancel. Whatever is no plain success has the status read once more: a message
/// may have come while the cancel was on its way.
pub(super) fn cancelled(answer: Result<Order, Failure>) -> CancelReply {
    let failure = match answer {
        Ok(order) => {
            return match (order.status, order.sms.is_empty()) {
                (OrderStatus::Canceled | OrderStatus::Banned, true) => CancelReply::Cancelled,
                _ => CancelReply::BadTransition,
            };
        }
        Err(failure) => failure,
    };
    let Failure::Refused(Refused { class, .. }) = failure else {
        return CancelReply::Unknown;
    };
    match class {
        Class::TooEarly => CancelReply::TooEarly(None),
        Class::BadTransition | Class::Closed => CancelReply::BadTransition,
        Class::UnknownOrder => CancelReply::UnknownOrder,
        _ => CancelReply::Unknown,
    }
}
