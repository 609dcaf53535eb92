//! The decision before every hold: a pure function of the rules, the class and the account.

use super::{OtpClass, RULE_VERSION, Rules, SmmClass, Standing, Strength};

/// What the engine needs to know about an OTP purchase. The class was found when the catalogue
/// was imported, by [`Rules::otp_class`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtpRequest {
    /// The class of the service.
    pub class: OtpClass,
    /// The account's tier, 0 to 3.
    pub tier: u8,
    /// Whether the account may buy at present.
    pub standing: Standing,
}

/// What the engine needs to know about an SMM order. The class was found when the catalogue was
/// imported, by [`Rules::smm_class`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmmRequest {
    /// The class of the service.
    pub class: SmmClass,
    /// Whether the account may buy at present.
    pub standing: Standing,
}

/// Whether the sale may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The request goes on.
    Allow,
    /// Nothing is held, nothing is bought.
    Deny(DenyReason),
}

/// Why a sale is denied, as the caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenyReason {
    /// The destination is denied, unclassified, or the trade itself is not confirmed.
    ServiceRestricted,
    /// The class is sold, but only from this tier on.
    TierRequired(u8),
    /// The account's holder has to show their second factor first.
    ChallengeRequired,
    /// People have to look at the account first.
    ReviewRequired,
    /// The account may not buy.
    AccountSuspended,
}

/// A verdict and where it came from; stored with the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The outcome.
    pub verdict: Verdict,
    /// Stable name of the class decided on.
    pub class: &'static str,
    /// Stable name of the rule that decided.
    pub rule_id: &'static str,
    /// [`RULE_VERSION`] at the time.
    pub rule_version: u32,
}

impl Decision {
    /// Whether the sale may go on.
    pub const fn is_allowed(&self) -> bool {
        matches!(self.verdict, Verdict::Allow)
    }
}

type Outcome = (Verdict, &'static str);

const fn restricted(rule_id: &'static str) -> Outcome {
    (Verdict::Deny(DenyReason::ServiceRestricted), rule_id)
}

const fn allowed(rule_id: &'static str) -> Outcome {
    (Verdict::Allow, rule_id)
}

/// Decides an OTP purchase. The same input always gives the same decision.
pub fn decide_otp(rules: &Rules, request: &OtpRequest) -> Decision {
    let (verdict, rule_id) = match request.standing {
        Standing::Good => otp_outcome(rules, request.class, request.tier),
        Standing::Challenged => (
            Verdict::Deny(DenyReason::ChallengeRequired),
            "otp.challenge",
        ),
        Standing::InReview => (Verdict::Deny(DenyReason::ReviewRequired), "otp.review"),
        Standing::Suspended => (
            Verdict::Deny(DenyReason::AccountSuspended),
            "otp.account_suspended",
        ),
    };
    Decision {
        verdict,
        class: request.class.slug(),
        rule_id,
        rule_version: RULE_VERSION,
    }
}

/// Whether an account of this tier may buy the class: what `services` lists.
pub fn sellable_otp(rules: &Rules, class: OtpClass, tier: u8) -> bool {
    otp_outcome(rules, class, tier).0 == Verdict::Allow
}

fn otp_outcome(rules: &Rules, class: OtpClass, tier: u8) -> Outcome {
    let tier_is_low = tier < class.lowest_tier();
    match class.strength() {
        Strength::HardDeny => restricted("otp.hard_deny"),
        // an inbox for any service stays a hard denial below the contract tier, lifted or not
        Strength::DefaultDeny if class == OtpClass::AnyOther && tier_is_low => {
            restricted("otp.any_other_below_contract")
        }
        Strength::DefaultDeny if !rules.is_otp_lifted(class) => restricted("otp.default_deny"),
        Strength::DefaultDeny if tier_is_low => (
            Verdict::Deny(DenyReason::TierRequired(class.lowest_tier())),
            "otp.tier",
        ),
        Strength::DefaultDeny => allowed("otp.lifted"),
        Strength::NotSold if rules.sell_unclassified => allowed("otp.unclassified_sold"),
        Strength::NotSold => restricted("otp.unclassified"),
        Strength::Limit if tier_is_low => (
            Verdict::Deny(DenyReason::TierRequired(class.lowest_tier())),
            "otp.tier",
        ),
        Strength::Limit => allowed("otp.limit"),
        Strength::Allow => allowed("otp.allow"),
    }
}

/// Decides an SMM order. The same input always gives the same decision.
pub fn decide_smm(rules: &Rules, request: &SmmRequest) -> Decision {
    let (verdict, rule_id) = match request.standing {
        Standing::Good => smm_outcome(rules, request.class),
        Standing::Challenged => (
            Verdict::Deny(DenyReason::ChallengeRequired),
            "smm.challenge",
        ),
        Standing::InReview => (Verdict::Deny(DenyReason::ReviewRequired), "smm.review"),
        Standing::Suspended => (
            Verdict::Deny(DenyReason::AccountSuspended),
            "smm.account_suspended",
        ),
    };
    Decision {
        verdict,
        class: request.class.slug(),
        rule_id,
        rule_version: RULE_VERSION,
    }
}

fn smm_outcome(rules: &Rules, class: SmmClass) -> Outcome {
    match class.strength() {
        Strength::HardDeny => restricted("smm.hard_deny"),
        _ if !rules.smm_confirmed => restricted("smm.not_confirmed"),
        Strength::DefaultDeny if rules.sell_default_denied_smm => allowed("smm.default_deny_sold"),
        Strength::DefaultDeny if rules.is_smm_lifted(class) => allowed("smm.lifted"),
        Strength::DefaultDeny => restricted("smm.default_deny"),
        Strength::NotSold if rules.sell_unclassified => allowed("smm.unclassified_sold"),
        Strength::NotSold => restricted("smm.unclassified"),
        Strength::Limit | Strength::Allow => allowed("smm.allow"),
    }
}
