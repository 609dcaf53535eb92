//! What activations and SMM orders have in common: what the client was told, why an order failed.

/// What the client that sent the purchase was last told, written before the answer leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// "Pending": the client holds the order id or an idempotency key and will learn the outcome.
    Pending,
    /// "Failed", or nothing that a client without a key could ever use: never charged.
    Failed,
    /// The outcome.
    Done,
}

impl Told {
    /// What holds before any answer left. A client without a key cannot learn of an order whose
    /// answer is lost, so that silence counts as "failed".
    pub fn at_start(keyed: bool) -> Self {
        if keyed { Self::Pending } else { Self::Failed }
    }

    /// Stable word for rows.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Done => "done",
        }
    }

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        [Self::Pending, Self::Failed, Self::Done]
            .into_iter()
            .find(|told| told.slug() == slug)
    }
}

/// Why a purchase failed, in the words of the public API. Kept with the order so that an
/// idempotency key replays the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing in stock.
    NoNumbers,
    /// Not reachable, throttled, our funds, our key, our mapping: the route's fault.
    ProviderUnavailable,
    /// Any other listed refusal.
    ProviderRejected,
    /// The buyer's own price cap was below the real price.
    PriceChanged,
    /// The upstream already runs an order for this link.
    DuplicateActiveOrder,
    /// The upstream refused a member of the request.
    InvalidMember(&'static str),
}

/// Members an upstream can refuse, as they are named in the API.
const MEMBERS: [&str; 6] = [
    "link",
    "quantity",
    "comments",
    "usernames",
    "username",
    "hashtags",
];

impl Failure {
    /// Stable word for rows; the member follows a colon.
    pub fn slug(self) -> String {
        match self {
            Self::NoNumbers => "no_numbers".into(),
            Self::ProviderUnavailable => "provider_unavailable".into(),
            Self::ProviderRejected => "provider_rejected".into(),
            Self::PriceChanged => "price_changed".into(),
            Self::DuplicateActiveOrder => "duplicate_active_order".into(),
            Self::InvalidMember(member) => format!("invalid_parameter:{member}"),
        }
    }

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        if let Some(member) = slug.strip_prefix("invalid_parameter:") {
            let known = MEMBERS.into_iter().find(|known| *known == member);
            return known.map(Self::InvalidMember);
        }
        [
            Self::NoNumbers,
            Self::ProviderUnavailable,
            Self::ProviderRejected,
            Self::PriceChanged,
            Self::DuplicateActiveOrder,
        ]
        .into_iter()
        .find(|failure| failure.slug() == slug)
    }

    /// The public failure behind an upstream's refusal.
    pub fn of(refusal: &crate::upstream::Refusal) -> Self {
        use crate::upstream::Refusal as R;
        match refusal {
            R::NoStock | R::PriceMoved => Self::NoNumbers,
            R::NotSold
            | R::UpstreamFunds
            | R::UpstreamAuth
            | R::AccountBlocked
            | R::Throttled
            | R::WrongCurrency
            | R::Unreachable => Self::ProviderUnavailable,
            R::OurFault => Self::ProviderRejected,
            R::RejectedInput { member } => member
                .and_then(|member| MEMBERS.into_iter().find(|known| *known == member))
                .map_or(Self::ProviderRejected, Self::InvalidMember),
            R::DuplicateLink => Self::DuplicateActiveOrder,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::Refusal;

    #[test]
    fn failures_survive_their_row() {
        for failure in [
            Failure::NoNumbers,
            Failure::ProviderUnavailable,
            Failure::ProviderRejected,
            Failure::PriceChanged,
            Failure::DuplicateActiveOrder,
            Failure::InvalidMember("link"),
        ] {
            assert_eq!(Failure::from_slug(&failure.slug()), Some(failure));
        }
        assert_eq!(Failure::from_slug("invalid_parameter:price"), None);
    }

    #[test]
    fn the_houses_empty_float_is_never_the_customers_402() {
        assert_eq!(
            Failure::of(&Refusal::UpstreamFunds),
            Failure::ProviderUnavailable
        );
    }
}
