//! From the protocol's words to the engine's: the rules of what counts as what.

use super::{Exchange, civil, sms};
use domain::phone::Phone;
use domain::time::Millis;
use domain::upstream::{
    CancelReply, ListedNumber, Number, NumberStatus, Purchase, ReadFailure, Refusal,
};
use wire::handler_api::{
    Active, ActiveState, Failure, NumberV2, Refused, SetStatusReply, Status, StatusV2Reply,
    words::Class,
};

/// Longest activation id taken, in bytes.
const ID_MAX: usize = 32;

/// A sale counts only with an id in the expected alphabet and a number that is one; anything less
/// may hide a purchase and is unknown.
pub(super) fn sold(number: &NumberV2, exchange: Exchange) -> Purchase<Number> {
    let phone = Phone::parse(&number.phone).filter(|_| is_number(&number.phone));
    let (true, Some(phone)) = (is_id(&number.id), phone) else {
        return Purchase::Unknown;
    };
    let sold_at = number.time.as_deref();
    let since_sale = |time: &Option<String>| civil::span(sold_at?, time.as_deref()?);
    Purchase::Done(Number {
        id: number.id.clone(),
        phone,
        cost: number.cost.and_then(|cost| exchange.cost(cost)),
        lifetime: since_sale(&number.end),
        cancel_after: since_sale(&number.cancel_from),
    })
}

/// Whether an id is in the alphabet that upstreams use.
pub(crate) fn is_id(id: &str) -> bool {
    (1..=ID_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Digits, perhaps with a plus and the separators people write; a word with digits in it is none.
pub(crate) fn is_number(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')'))
}

/// A failed purchase: refused where that is certain.
pub(crate) fn unknown_or_refused(failure: &Failure) -> Purchase<Number> {
    failure
        .on_purchase()
        .refusal()
        .map_or(Purchase::Unknown, Purchase::Refused)
}

/// A failed read. `clean` takes secrets out of what the upstream said.
pub(crate) fn read_failure(failure: &Failure, clean: impl Fn(&str) -> String) -> ReadFailure {
    let class = failure.on_read();
    match (class, class.refusal()) {
        (_, Some(refusal)) => ReadFailure::Refused(refusal),
        (Class::UnknownOrder, _) => ReadFailure::UnknownOrder,
        (Class::NotAvailable, _) => ReadFailure::NotOffered,
        _ if matches!(failure, Failure::Unreadable(_)) => {
            ReadFailure::Unusable(clean(&said(failure)))
        }
        _ => ReadFailure::Fault(clean(&said(failure))),
    }
}

fn said(failure: &Failure) -> String {
    match failure {
        Failure::Refused(refused) => format!("answered {}", refused.word),
        Failure::Unsettled(status, _) => format!("HTTP status {status}"),
        Failure::Html => "answered a page for people".to_owned(),
        Failure::Unreadable(why) => why.clone(),
    }
}

/// Failures of a read that the next try may not see.
pub(crate) fn may_pass(failure: &ReadFailure) -> bool {
    matches!(
        failure,
        ReadFailure::Fault(_) | ReadFailure::Refused(Refusal::Unreachable)
    )
}

/// State of one activation. "Received" needs a code or a text, whatever the shape of the answer.
pub(super) fn number_status(reply: StatusV2Reply) -> NumberStatus {
    match reply {
        StatusV2Reply::Word(Status::WaitCode | Status::WaitResend) => NumberStatus::Waiting,
        StatusV2Reply::Word(Status::WaitRetry(_)) => NumberStatus::WaitingRetry,
        StatusV2Reply::Word(Status::Cancelled) => NumberStatus::ClosedAmbiguous,
        StatusV2Reply::Word(Status::Code(code)) => {
            sms::message(&code, "").map_or(NumberStatus::Waiting, NumberStatus::Code)
        }
        StatusV2Reply::Object(status) => {
            let sms = status
                .sms
                .and_then(|sms| sms::message(&sms.code, &sms.text));
            let call = status
                .call
                .and_then(|call| sms::message(&call.code, &call.text));
            sms.or(call)
                .map_or(NumberStatus::Waiting, NumberStatus::Code)
        }
    }
}

/// A row of the active list. Its time has no zone and is not trusted.
pub(super) fn listed_number(row: &Active, exchange: Exchange) -> ListedNumber {
    let code = row.codes.last().map_or("", String::as_str);
    ListedNumber {
        id: row.id.clone(),
        service: row.service.clone(),
        country: row.country.clone(),
        phone: Phone::parse(&row.phone),
        cost: row.cost.and_then(|cost| exchange.cost(cost)),
        created_at: None,
        sms: sms::message(code, row.text.as_deref().unwrap_or_default()),
        retry_asked: row.state == ActiveState::RetryAsked,
    }
}

/// What came of a cancel. `lock` is the age before which the engine does not ask.
pub(super) fn cancelled(answer: Result<SetStatusReply, Failure>, lock: Millis) -> CancelReply {
    let failure = match answer {
        Ok(SetStatusReply::Cancelled) => return CancelReply::Cancelled,
        // any other success means that the activation was not open to a cancel
        Ok(_) => return CancelReply::BadTransition,
        Err(failure) => failure,
    };
    match &failure {
        Failure::Refused(refused) => match refused.class {
            Class::Closed => CancelReply::Cancelled,
            Class::TooEarly => CancelReply::TooEarly(lock_left(refused, lock)),
            Class::BadTransition => CancelReply::BadTransition,
            Class::UnknownOrder => CancelReply::UnknownOrder,
            _ => CancelReply::Unknown,
        },
        _ => CancelReply::Unknown,
    }
}

/// The upstream names the age from which it cancels. As the engine asks at `lock` at the earliest,
/// at most the difference is left.
fn lock_left(refused: &Refused, lock: Millis) -> Option<Millis> {
    let age = Millis::seconds(i64::from(refused.cancel_age_s?));
    (age > lock).then(|| Millis(age.0 - lock.0))
}
