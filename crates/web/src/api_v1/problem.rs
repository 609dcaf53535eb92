//! A refusal as it leaves the house: status, code, one sentence; one translation for all doors.

use super::reply;
use app::Refusal;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    sentence: String,
    retry_after_s: Option<i64>,
    allow: Option<&'static str>,
    replayed: bool,
}

impl Problem {
    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable word for programs.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// A refusal with nothing but its status, code and sentence.
    pub fn new(status: StatusCode, code: &'static str, sentence: impl Into<String>) -> Self {
        Self {
            status,
            code,
            sentence: sentence.into(),
            retry_after_s: None,
            allow: None,
            replayed: false,
        }
    }

    /// The request's own fault.
    pub fn bad(code: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, sentence)
    }

    /// A parameter of the wrong type or form.
    pub fn invalid(name: &str, why: &str) -> Self {
        Self::bad("invalid_parameter", format!("Parameter {name} {why}."))
    }

    /// A parameter that is longer than it may be.
    pub fn too_long(name: &str, longest: usize) -> Self {
        let sentence = format!("Parameter {name} must have at most {longest} characters.");
        Self::bad("parameter_too_long", sentence)
    }

    /// A parameter that is needed and not there.
    pub fn missing(name: &'static str) -> Self {
        Refusal::MissingParameter(name).into()
    }

    /// A parameter that is given twice.
    pub fn duplicate(name: &str) -> Self {
        let shown: String = name.chars().take(64).collect();
        let sentence = format!("Parameter {shown} is given more than once.");
        Self::bad("duplicate_parameter", sentence)
    }

    /// A fault of ours.
    pub fn internal() -> Self {
        let sentence = "Something went wrong on our side. Quote the X-Request-Id to the operator.";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            sentence,
        )
    }

    /// Nothing at this path.
    pub fn not_found() -> Self {
        let sentence = "There is nothing at this path. Paths are exact.";
        Self::new(StatusCode::NOT_FOUND, "not_found", sentence)
    }

    /// A request target beyond the bound.
    pub fn uri_too_long() -> Self {
        let sentence = "The request target is longer than 16 KiB.";
        Self::new(StatusCode::URI_TOO_LONG, "uri_too_long", sentence)
    }

    /// A body beyond the bound.
    pub fn body_too_large() -> Self {
        let sentence = "The body is larger than 64 KiB.";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", sentence)
    }

    /// Not the method this is called with.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let sentence = format!("This is called with {allow}.");
        Self {
            allow: Some(allow),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                sentence,
            )
        }
    }

    /// Over a limit; `after_s` is when the next one is admitted.
    pub fn rate_limited(after_s: u32) -> Self {
        let after_s = i64::from(after_s.max(1));
        let sentence = format!("Too many requests. The next is admitted in {after_s} seconds.");
        Self {
            retry_after_s: Some(after_s),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", sentence)
        }
    }

    /// The same refusal as the first answer to its idempotency key, or as a new one.
    pub fn replayed(self, replayed: bool) -> Self {
        Self { replayed, ..self }
    }

    /// The sentence for a person.
    #[cfg(test)]
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// Whether it says that there is no such order.
    pub fn is_missing_order(&self) -> bool {
        matches!(self.code, "order_not_found" | "refill_not_found")
    }
}

/// The status that goes with each reason. A new reason has to pick its own.
fn status_of(refusal: &Refusal) -> StatusCode {
    use Refusal as R;
    match refusal {
        R::UnknownServer(_)
        | R::InvalidParameter(..)
        | R::MissingParameter(_)
        | R::MissingCountryId
        | R::InvalidPool
        | R::InvalidProviderType
        | R::QuantityOutOfRange { .. }
        | R::InvalidLink(_)
        | R::LinkHostMismatch => StatusCode::BAD_REQUEST,
        R::InsufficientBalance | R::DebtDue(_) => StatusCode::PAYMENT_REQUIRED,
        R::ServiceRestricted
        | R::TargetBlocked
        | R::TierRequired(_)
        | R::AttestationRequired
        | R::ChallengeRequired
        | R::ReviewRequired
        | R::AccountSuspended => StatusCode::FORBIDDEN,
        R::VelocityLimit(..) => StatusCode::TOO_MANY_REQUESTS,
        R::CountryNotFound | R::ServiceNotFound | R::OrderNotFound | R::RefillNotFound => {
            StatusCode::NOT_FOUND
        }
        R::PriceChanged(_)
        | R::OrderPending
        | R::AlreadyReceived
        | R::CancelTooEarly(_)
        | R::CancelNotSupported
        | R::CancelNotOffered
        | R::OrderFinal
        | R::RefillNotOffered
        | R::RefillNotDue(_)
        | R::RefillOpen
        | R::DuplicateActiveOrder
        | R::IdempotencyInProgress => StatusCode::CONFLICT,
        R::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        R::ServerOff
        | R::RouteClosed
        | R::NoNumbers
        | R::ProviderUnavailable(_)
        | R::ProviderRejected
        | R::OutcomeUnknown
        | R::StorageUnavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let retry_after = refusal.retry_after();
        Self {
            retry_after_s: retry_after.map(|span| span.ceil_seconds().max(1)),
            ..Self::new(status_of(&refusal), refusal.code(), refusal.sentence())
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let envelope = json!({ "success": false, "error": self.sentence, "code": self.code });
        let mut response = reply::json(self.status, envelope.to_string());
        let headers = response.headers_mut();
        if let Some(after_s) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(after_s));
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        reply::mark_replayed(headers, self.replayed);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::errors::CODES;
    use domain::time::Millis;
    use domain::usd::Usd;

    #[test]
    fn statuses_are_those_of_the_documented_codes() {
        use Refusal as R;
        let all = [
            R::UnknownServer("x".into()),
            R::ServerOff,
            R::InvalidParameter("routes", "x".into()),
            R::InvalidParameter("quantity", "x".into()),
            R::InvalidParameter("link", "x".into()),
            R::MissingParameter("link"),
            R::MissingCountryId,
            R::InvalidPool,
            R::InvalidProviderType,
            R::QuantityOutOfRange {
                member: "quantity",
                min: 1,
                max: 2,
            },
            R::InvalidLink("x"),
            R::LinkHostMismatch,
            R::CountryNotFound,
            R::ServiceNotFound,
            R::OrderNotFound,
            R::ServiceRestricted,
            R::TargetBlocked,
            R::TierRequired(1),
            R::AttestationRequired,
            R::VelocityLimit("buys_per_hour", Millis(1)),
            R::ChallengeRequired,
            R::ReviewRequired,
            R::AccountSuspended,
            R::PriceChanged(Usd(1)),
            R::OrderPending,
            R::AlreadyReceived,
            R::CancelTooEarly(Millis(1)),
            R::CancelNotSupported,
            R::CancelNotOffered,
            R::OrderFinal,
            R::RefillNotOffered,
            R::RefillNotDue(None),
            R::RefillOpen,
            R::RefillNotFound,
            R::DuplicateActiveOrder,
            R::InsufficientBalance,
            R::DebtDue(Usd(5_000_000)),
            R::NoNumbers,
            R::ServerOff,
            R::RouteClosed,
            R::ProviderUnavailable(None),
            R::ProviderRejected,
            R::OutcomeUnknown,
            R::IdempotencyKeyReused,
            R::IdempotencyInProgress,
            R::StorageUnavailable,
        ];
        for refusal in all {
            let problem = Problem::from(refusal);
            let documented = CODES.iter().find(|error| error.code == problem.code);
            let documented = documented.map(|error| error.status);
            assert_eq!(
                documented,
                Some(problem.status.as_u16()),
                "{}",
                problem.code
            );
        }
    }

    #[test]
    fn waiting_times_are_whole_seconds_and_never_none() {
        let after = |refusal: Refusal| Problem::from(refusal).retry_after_s;
        assert_eq!(after(Refusal::CancelTooEarly(Millis(1))), Some(1));
        assert_eq!(after(Refusal::CancelTooEarly(Millis(1_001))), Some(2));
        assert_eq!(after(Refusal::CancelTooEarly(Millis(0))), Some(1));
        assert_eq!(after(Refusal::NoNumbers), None);
        assert_eq!(Problem::rate_limited(0).retry_after_s, Some(1));
    }
}
