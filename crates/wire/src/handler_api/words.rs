//! The one table of error words and HTTP statuses, and the classes they fall into.

use domain::upstream::Refusal;

/// What an answer that is no plain success means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Nothing to sell now.
    NoStock,
    /// The cap is below the real price.
    PriceMoved,
    /// Wrong or withdrawn service or country.
    NotSold,
    /// The account there is empty.
    UpstreamFunds,
    /// The key is wrong or missing.
    UpstreamAuth,
    /// The account there is blocked.
    AccountBlocked,
    /// Rate, concurrency or bot filter.
    Throttled,
    /// The request was wrong.
    OurFault,
    /// Idempotent repeat of a purchase.
    Duplicate,
    /// The upstream reports its own error.
    Fault,
    /// Nothing received yet.
    Waiting,
    /// Closed before.
    Closed,
    /// The cancel lock is still on.
    TooEarly,
    /// Not allowed in the order's present state.
    BadTransition,
    /// The id is not known there.
    UnknownOrder,
    /// An empty list spelled as an error.
    Empty,
    /// An extra is refused.
    NotAvailable,
    /// Nobody can say whether it was carried out.
    Unknown,
}

impl Class {
    /// The refusal that this class is on any call; nothing where it is none.
    pub fn refusal(self) -> Option<Refusal> {
        Some(match self {
            Self::NoStock => Refusal::NoStock,
            Self::PriceMoved => Refusal::PriceMoved,
            Self::NotSold => Refusal::NotSold,
            Self::UpstreamFunds => Refusal::UpstreamFunds,
            Self::UpstreamAuth => Refusal::UpstreamAuth,
            Self::AccountBlocked => Refusal::AccountBlocked,
            Self::Throttled => Refusal::Throttled,
            Self::OurFault => Refusal::OurFault,
            Self::Duplicate
            | Self::Fault
            | Self::Waiting
            | Self::Closed
            | Self::TooEarly
            | Self::BadTransition
            | Self::UnknownOrder
            | Self::Empty
            | Self::NotAvailable
            | Self::Unknown => return None,
        })
    }
}

/// Every word that is listed. `STATUS_…` and `ACCESS_…` answers to a status call are no errors and
/// stand in the status file.
pub const TABLE: &[(&str, Class)] = &[
    ("BAD_KEY", Class::UpstreamAuth),
    ("NO_KEY", Class::UpstreamAuth),
    ("API_KEY_NOT_VALID", Class::UpstreamAuth),
    ("INVALID_SIGNATURE", Class::UpstreamAuth),
    ("BAD_ACTION", Class::OurFault),
    ("BAD_SERVICE", Class::NotSold),
    ("WRONG_SERVICE", Class::NotSold),
    ("BAD_COUNTRY", Class::NotSold),
    ("WRONG_COUNTRY", Class::NotSold),
    ("SERVICE_UNAVAILABLE_REGION", Class::NotSold),
    ("NO_YULA_MAIL", Class::NotSold),
    ("WHATSAPP_NOT_AVAILABLE", Class::NotSold),
    ("NO_NUMBERS", Class::NoStock),
    ("OUT_OF_STOCK", Class::NoStock),
    ("NO_BALANCE", Class::UpstreamFunds),
    ("NO_MONEY", Class::UpstreamFunds),
    ("NO_BALANCE_FORWARD", Class::UpstreamFunds),
    ("WRONG_MAX_PRICE", Class::PriceMoved),
    ("MAX_PRICE_EXCEEDED", Class::PriceMoved),
    ("WRONG_EXCEPTION_PHONE", Class::OurFault),
    ("WRONG_DATE", Class::OurFault),
    ("NO_ACTIVATION", Class::UnknownOrder),
    ("WRONG_ACTIVATION_ID", Class::UnknownOrder),
    ("INVALID_ACTIVATION_ID", Class::UnknownOrder),
    ("BAD_DATA", Class::UnknownOrder),
    ("BAD_STATUS", Class::BadTransition),
    ("INVALID_STATUS", Class::BadTransition),
    ("EARLY_CANCEL_DENIED", Class::TooEarly),
    ("ALREADY_CANCELED", Class::Closed),
    ("ACCESS_CANCEL_ALREADY", Class::Closed),
    ("ORDER_ALREADY_EXISTS", Class::Duplicate),
    ("TRY_AGAIN", Class::Waiting),
    ("TOO_MANY_ACTIVE_RENTALS", Class::Throttled),
    ("RATE_LIMIT", Class::Throttled),
    ("CHANNELS_LIMIT", Class::Throttled),
    ("BANNED", Class::AccountBlocked),
    ("ACCOUNT_INACTIVE", Class::AccountBlocked),
    ("ERROR_SQL", Class::Fault),
    ("SQL_ERROR", Class::Fault),
    ("SERVER_ERROR", Class::Fault),
    ("NO_CONNECTION", Class::Fault),
    ("OPERATORS_NOT_FOUND", Class::Empty),
    ("NO_ACTIVATIONS", Class::Empty),
    ("RENEW_ACTIVATION_NOT_AVAILABLE", Class::NotAvailable),
    ("NEW_ACTIVATION_IMPOSSIBLE", Class::NotAvailable),
    ("SIM_OFFLINE", Class::NotAvailable),
    ("REPEAT_ADDITIONAL_SERVICE", Class::NotAvailable),
    ("WRONG_ADDITIONAL_SERVICE", Class::NotAvailable),
    ("WRONG_SECURITY", Class::NotAvailable),
    ("WRONG_OPERATOR", Class::NotAvailable),
    ("NOT_INCOMING", Class::NotAvailable),
    ("CALL_TASK_ALREADY_EXIST", Class::NotAvailable),
    ("NUMBER_NOT_EXIST", Class::NotAvailable),
    ("NO_CALL", Class::NotAvailable),
    ("PARSE_COUNT_EXCEED", Class::NotAvailable),
    ("NO_METRICS", Class::NotAvailable),
];

/// Part of a sentence that means "not sold to you" wherever it stands.
const PROHIBITED: &str = "prohibited for sale";

/// Class of a bare word, of `WORD:argument`, or of a problem's title; nothing where it is not
/// listed.
pub fn class_of(text: &str) -> Option<Class> {
    let head = text.split(':').next().unwrap_or(text).trim();
    let listed = TABLE
        .iter()
        .find(|(word, _)| head.eq_ignore_ascii_case(word));
    match listed {
        Some((_, class)) => Some(*class),
        None => text
            .to_ascii_lowercase()
            .contains(PROHIBITED)
            .then_some(Class::NotSold),
    }
}

/// Class of a 4xx status whose body has no listed word. The application itself must have spoken:
/// empty bodies and pages for people never get here.
pub fn class_of_status(status: u16) -> Option<Class> {
    Some(match status {
        400 | 404 => Class::OurFault,
        401 => Class::UpstreamAuth,
        402 => Class::UpstreamFunds,
        403 => Class::AccountBlocked,
        409 => Class::BadTransition,
        429 => Class::Throttled,
        _ => return None,
    })
}

/// Status under which a server of the Hero dialect says a word.
pub fn hero_status(word: &str) -> u16 {
    match class_of(word) {
        Some(Class::UpstreamAuth) => 401,
        Some(Class::UpstreamFunds) => 402,
        Some(Class::AccountBlocked) => 403,
        Some(Class::NoStock | Class::UnknownOrder | Class::Empty | Class::NotAvailable) => 404,
        Some(Class::OurFault) if word == "BAD_ACTION" => 404,
        Some(Class::Closed | Class::TooEarly | Class::BadTransition) => 409,
        Some(Class::Duplicate | Class::Waiting) => 409,
        Some(Class::Throttled) => 429,
        Some(Class::Fault | Class::Unknown) | None => 500,
        Some(Class::PriceMoved | Class::NotSold | Class::OurFault) => 400,
    }
}
