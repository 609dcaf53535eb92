//! Why a request was not done, in the words of the public API. Every door translates from here.

use domain::ids::OrderId;
use domain::order::Failure;
use domain::policy::{Decision, DenyReason, Verdict};
use domain::ports::StoreError;
use domain::time::Millis;
use domain::usd::Usd;

/// A refused request. Nothing was charged in any of these cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No public server of that name.
    UnknownServer(String),
    /// The server is switched off, or nothing is known of its offers.
    ServerOff,
    /// A member has an unusable value; name and what is allowed.
    InvalidParameter(&'static str, String),
    /// A member that is needed is missing.
    MissingParameter(&'static str),
    /// A list of one server's services needs the country.
    MissingCountryId,
    /// No pools on this server, or no such pool.
    InvalidPool,
    /// No such typed route, or it does not sell this service.
    InvalidProviderType,
    /// Units outside the service's bounds.
    QuantityOutOfRange {
        /// The member that decides how many it is.
        member: &'static str,
        /// Least.
        min: u64,
        /// Greatest.
        max: u64,
    },
    /// The link is not one that can be ordered for; why.
    InvalidLink(&'static str),
    /// The link does not belong to the service's platform.
    LinkHostMismatch,
    /// No such country.
    CountryNotFound,
    /// No such service here.
    ServiceNotFound,
    /// No such order of this account.
    OrderNotFound,
    /// Policy: the destination is not sold.
    ServiceRestricted,
    /// Policy: the account's tier is too low.
    TierRequired(u8),
    /// Policy: the account has not said what it uses the service for.
    AttestationRequired,
    /// Policy: whoever owns the target does not want it to be used.
    TargetBlocked,
    /// Policy: the account would pass one of its bounds (its name); after how long there is room.
    VelocityLimit(&'static str, Millis),
    /// Policy: the account's holder has to show their second factor first.
    ChallengeRequired,
    /// Policy: people have to look at the account first.
    ReviewRequired,
    /// The account is suspended.
    AccountSuspended,
    /// The price is above what the caller accepts; the price.
    PriceChanged(Usd),
    /// The order's purchase is not settled yet.
    OrderPending,
    /// A code is there: nothing to cancel.
    AlreadyReceived,
    /// Cancel is locked for this long.
    CancelTooEarly(Millis),
    /// The route offers no cancel.
    CancelNotSupported,
    /// The service offers no cancel.
    CancelNotOffered,
    /// The order is final: nothing is left to cancel.
    OrderFinal,
    /// The service offers no refill, or not for an order that ended like this.
    RefillNotOffered,
    /// The order is not completed, or was refilled a short time ago; how long to wait.
    RefillNotDue(Option<Millis>),
    /// A refill of the order is open.
    RefillOpen,
    /// No such refill of this account.
    RefillNotFound,
    /// An order for this service and link is running.
    DuplicateActiveOrder,
    /// Available balance below the price.
    InsufficientBalance,
    /// An earlier top-up was returned: so much is owed before anything can be bought.
    DebtDue(Usd),
    /// Nothing in stock.
    NoNumbers,
    /// Too many purchases at the provider are in doubt: nothing was begun.
    RouteClosed,
    /// The provider could not; try again after this long.
    ProviderUnavailable(Option<Millis>),
    /// The provider refused.
    ProviderRejected,
    /// Nobody knows yet what the provider did.
    OutcomeUnknown,
    /// The idempotency key belongs to another request.
    IdempotencyKeyReused,
    /// The first request with this key is still running.
    IdempotencyInProgress,
    /// The store cannot take writes or answer reads.
    StorageUnavailable,
}

impl Refusal {
    /// The stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownServer(_) => "unknown_server",
            Self::InvalidParameter("routes", _) => "invalid_routes",
            Self::InvalidParameter("quantity", _) => "invalid_quantity",
            Self::InvalidParameter(..) => "invalid_parameter",
            Self::MissingCountryId => "missing_country_id",
            Self::MissingParameter(_) => "missing_parameter",
            Self::InvalidPool => "invalid_pool",
            Self::InvalidProviderType => "invalid_provider_type",
            Self::QuantityOutOfRange { .. } => "quantity_out_of_range",
            Self::InvalidLink(_) => "invalid_link",
            Self::LinkHostMismatch => "link_host_mismatch",
            Self::CountryNotFound => "country_not_found",
            Self::ServiceNotFound => "service_not_found",
            Self::OrderNotFound => "order_not_found",
            Self::ServiceRestricted | Self::TargetBlocked => "service_restricted",
            Self::AttestationRequired => "attestation_required",
            Self::VelocityLimit(..) => "velocity_limit",
            Self::TierRequired(_) => "tier_required",
            Self::ChallengeRequired => "challenge_required",
            Self::ReviewRequired => "review_required",
            Self::AccountSuspended => "account_suspended",
            Self::PriceChanged(_) => "price_changed",
            Self::OrderPending => "order_pending",
            Self::AlreadyReceived => "already_received",
            Self::CancelTooEarly(_) => "cancel_too_early",
            Self::CancelNotSupported => "cancel_not_supported",
            Self::CancelNotOffered => "cancel_not_offered",
            Self::OrderFinal => "order_final",
            Self::RefillNotOffered => "refill_not_offered",
            Self::RefillNotDue(_) => "refill_not_due",
            Self::RefillOpen => "refill_open",
            Self::RefillNotFound => "refill_not_found",
            Self::DuplicateActiveOrder => "duplicate_active_order",
            Self::InsufficientBalance | Self::DebtDue(_) => "insufficient_balance",
            Self::NoNumbers => "no_numbers",
            Self::ServerOff | Self::RouteClosed | Self::ProviderUnavailable(_) => {
                "provider_unavailable"
            }
            Self::ProviderRejected => "provider_rejected",
            Self::OutcomeUnknown => "purchase_outcome_unknown",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::IdempotencyInProgress => "idempotency_in_progress",
            Self::StorageUnavailable => "storage_unavailable",
        }
    }

    /// The sentence for a person: what is wrong and what to do about it.
    pub fn sentence(&self) -> String {
        match self {
            Self::UnknownServer(name) => format!("There is no server \"{name}\"."),
            Self::InvalidParameter(name, why) => format!("Parameter {name} {why}."),
            Self::MissingParameter(name) => format!("Parameter {name} is missing."),
            Self::QuantityOutOfRange { member, min, max } => {
                let what = match *member {
                    "quantity" | "min" | "max" => "must lie",
                    "runs" => "makes a quantity that must lie",
                    _ => "must have a number of lines",
                };
                format!("Parameter {member} {what} between {min} and {max}.")
            }
            Self::InvalidLink(why) => format!("Parameter link {why}."),
            Self::TierRequired(tier) => {
                format!("This service is sold to accounts of tier {tier} and above.")
            }
            Self::VelocityLimit(bound, left) => format!(
                "This account's limit {bound} is reached; there is room again in {}. Nothing was \
                 charged.",
                spoken(*left)
            ),
            Self::PriceChanged(price) => {
                format!("The price is now {price} USD, above the max_price_usd you sent.")
            }
            Self::DebtDue(due) => format!(
                "An earlier top-up was returned; {} USD are due. Top up to pay it, then order again.",
                due.short()
            ),
            Self::CancelTooEarly(left) => match left.ceil_seconds().max(1) {
                1 => "This number can be cancelled in 1 second.".to_owned(),
                seconds => format!("This number can be cancelled in {seconds} seconds."),
            },
            plain => plain.fixed_sentence().to_owned(),
        }
    }

    fn fixed_sentence(&self) -> &'static str {
        match self {
            Self::ServerOff => {
                "This server is switched off or out of reach at the moment. Nothing was charged."
            }
            Self::RouteClosed => {
                "This route takes no purchases for the moment. Nothing was charged and nothing was \
                 sent; the same request may be sent again."
            }
            Self::MissingCountryId => {
                "Parameter country_id is missing. Send it for one server, or country_key for all."
            }
            Self::InvalidPool => "Parameter pool_id does not name a pool of this server.",
            Self::InvalidProviderType => {
                "Parameter provider_type does not name a route that sells this service."
            }
            Self::LinkHostMismatch => "Parameter link does not belong to the service's platform.",
            Self::CountryNotFound => "There is no such country. See the countries list.",
            Self::ServiceNotFound => "There is no such service here. See the services list.",
            Self::OrderNotFound => "There is no such order.",
            Self::OrderPending => "The outcome of this purchase is not known yet.",
            Self::AlreadyReceived => "A code was received, so the order can not be cancelled.",
            Self::CancelNotSupported => "This route offers no cancel; the order ends by itself.",
            Self::CancelNotOffered => "This service offers no cancel.",
            Self::OrderFinal => "The order is final: nothing is left to cancel.",
            Self::RefillNotOffered => {
                "No refill is offered for this order: its service has none, or it did not end as \
                 Completed."
            }
            Self::RefillNotDue(None) => "Only a completed order can be refilled.",
            Self::RefillNotDue(Some(_)) => {
                "This order was refilled within the last 24 hours. Retry-After says how long to wait."
            }
            Self::RefillOpen => "A refill of this order is still open.",
            Self::RefillNotFound => "There is no such refill.",
            Self::DuplicateActiveOrder => "An order for this service and link is still running.",
            Self::NoNumbers => {
                "No numbers are in stock at the moment. Nothing was charged; a new try needs a new \
                 Idempotency-Key."
            }
            Self::ProviderUnavailable(_) => {
                "The provider is unavailable at the moment. Nothing was charged; a new try needs a \
                 new Idempotency-Key."
            }
            Self::ProviderRejected => {
                "The provider rejected this order. Nothing was charged; a new try needs a new \
                 Idempotency-Key."
            }
            Self::OutcomeUnknown => {
                "The provider did not answer in time. You are not charged: should the purchase turn \
                 out to have succeeded it is undone."
            }
            Self::IdempotencyKeyReused => {
                "This Idempotency-Key was used with another request. Use a new key."
            }
            Self::IdempotencyInProgress => {
                "The first request with this Idempotency-Key is still running."
            }
            Self::InsufficientBalance => {
                "The available balance is below the price. Top up, then try again with a new \
                 Idempotency-Key."
            }
            _ => self.sentence_of_policy(),
        }
    }

    /// The same of what the policy engine refuses, and of what has no sentence of its own.
    fn sentence_of_policy(&self) -> &'static str {
        match self {
            Self::ServiceRestricted => "This service is not sold here.",
            Self::AttestationRequired => {
                "This account has not said yet what it uses the service for. Its holder does so once, \
                 on the dashboard's account page."
            }
            Self::TargetBlocked => "The owner of this link does not want it to be ordered for.",
            Self::ChallengeRequired => {
                "This account buys again once its holder has confirmed it with a code of their \
                 two-step sign-in, on the dashboard's page /account/standing. Nothing was charged."
            }
            Self::ReviewRequired => {
                "Somebody has to look at this account before it buys again. Its holder sees why, and \
                 can say something to it, on the dashboard's page /account/standing. Nothing was \
                 charged."
            }
            Self::AccountSuspended => "This account is suspended. Open orders still settle.",
            _ => "The service can not take this request at the moment. Nothing was charged.",
        }
    }

    /// After how long a new try makes sense, where that is known.
    pub fn retry_after(&self) -> Option<Millis> {
        match self {
            Self::CancelTooEarly(left) | Self::VelocityLimit(_, left) => Some(*left),
            Self::ProviderUnavailable(after) | Self::RefillNotDue(after) => *after,
            Self::ServerOff | Self::RouteClosed => Some(Millis::seconds(15)),
            Self::IdempotencyInProgress => Some(Millis::seconds(1)),
            Self::StorageUnavailable => Some(Millis::seconds(5)),
            _ => None,
        }
    }

    /// The refusal behind a stored failure.
    pub fn of_failure(failure: Failure) -> Self {
        match failure {
            Failure::NoNumbers => Self::NoNumbers,
            Failure::ProviderUnavailable => Self::ProviderUnavailable(None),
            Failure::ProviderRejected => Self::ProviderRejected,
            Failure::PriceChanged => Self::NoNumbers,
            Failure::DuplicateActiveOrder => Self::DuplicateActiveOrder,
            Failure::InvalidMember(name) => {
                Self::InvalidParameter(name, "was refused by the provider".to_owned())
            }
        }
    }

    /// The refusal of a policy decision, if it is one.
    pub fn of_policy(decision: &Decision) -> Option<Self> {
        match decision.verdict {
            Verdict::Allow => None,
            Verdict::Deny(DenyReason::ServiceRestricted) => Some(Self::ServiceRestricted),
            Verdict::Deny(DenyReason::TierRequired(tier)) => Some(Self::TierRequired(tier)),
            Verdict::Deny(DenyReason::ChallengeRequired) => Some(Self::ChallengeRequired),
            Verdict::Deny(DenyReason::ReviewRequired) => Some(Self::ReviewRequired),
            Verdict::Deny(DenyReason::AccountSuspended) => Some(Self::AccountSuspended),
        }
    }
}

/// A span as people say it, rounded up.
fn spoken(left: Millis) -> String {
    let seconds = left.ceil_seconds().max(1);
    let (count, unit) = match seconds {
        0..=119 => (seconds, "second"),
        120..=7199 => ((seconds + 59) / 60, "minute"),
        _ => ((seconds + 3599) / 3600, "hour"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, "the store could not answer");
        Self::StorageUnavailable
    }
}

/// What came of a write that may carry an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// The outcome.
    pub outcome: Result<T, Refusal>,
    /// Whether it is the first answer again.
    pub replayed: bool,
}

impl<T> Answer<T> {
    /// An answer given for the first time.
    pub fn first(outcome: Result<T, Refusal>) -> Self {
        Self {
            outcome,
            replayed: false,
        }
    }

    /// The first answer again.
    pub fn again(outcome: Result<T, Refusal>) -> Self {
        Self {
            outcome,
            replayed: true,
        }
    }
}

/// What a purchase came to: done, or promised under an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purchased<T> {
    /// Done.
    Done(T),
    /// Not known yet; the order can be followed by this id.
    Pending(OrderId),
}
