//! What the operator may loosen of the rules, and what it takes: a reason and two persons. Tightening takes
//! one. Nothing here reaches what is denied for good.

use super::velocity::Velocity;
use super::{OtpClass, Rules, SmmClass, Strength};
use crate::ids::PersonId;
use crate::time::Timestamp;
use crate::usd::Usd;

/// Something that can be loosened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loosening {
    /// A class of OTP services that is denied by default is sold.
    Otp(OtpClass),
    /// A class of SMM services that is denied by default is sold.
    Smm(SmmClass),
    /// A bound of a tier is another one.
    Bound {
        /// 0 to 3.
        tier: u8,
        /// Which: the name of its setting.
        bound: &'static str,
        /// How much from now on; dollars for `daily_spend`.
        to: u32,
    },
}

/// Bounds that may be raised, by the names of their settings.
pub const BOUNDS: [&str; 10] = [
    "open_activations",
    "buys_per_hour",
    "buys_per_day",
    "same_offer_per_day",
    "cancel_percent",
    "services_per_hour",
    "daily_spend_usd",
    "smm_per_day",
    "smm_per_target_week",
    "keys",
];

/// The greatest figure of a bound.
const MOST: u32 = 1_000_000;

impl Loosening {
    /// Reads a row or a form: `otp.dating`, `smm.inauthentic_engagement`, or `tier.2.buys_per_hour` with
    /// its figure. Nothing for a class that cannot be lifted and a bound that is none.
    pub fn parse(subject: &str, figure: Option<u32>) -> Option<Self> {
        let mut parts = subject.split('.');
        let (kind, first, second) = (parts.next()?, parts.next()?, parts.next());
        if parts.next().is_some() {
            return None;
        }
        match (kind, second) {
            ("otp", None) => OtpClass::from_slug(first)
                .filter(|class| class.strength() == Strength::DefaultDeny)
                .map(Self::Otp),
            ("smm", None) => SmmClass::from_slug(first)
                .filter(|class| class.strength() == Strength::DefaultDeny)
                .map(Self::Smm),
            ("tier", Some(bound)) => {
                let tier = first.parse().ok().filter(|tier| *tier <= 3)?;
                let bound = BOUNDS.into_iter().find(|known| *known == bound)?;
                let most = if bound == "cancel_percent" { 100 } else { MOST };
                let to = figure.filter(|to| (1..=most).contains(to))?;
                Some(Self::Bound { tier, bound, to })
            }
            _ => None,
        }
    }

    /// Its row's words: the subject, and the figure where there is one.
    pub fn parts(&self) -> (String, Option<u32>) {
        match self {
            Self::Otp(class) => (format!("otp.{}", class.slug()), None),
            Self::Smm(class) => (format!("smm.{}", class.slug()), None),
            Self::Bound { tier, bound, to } => (format!("tier.{tier}.{bound}"), Some(*to)),
        }
    }

    /// What it changes, for anybody to read.
    pub fn in_words(&self) -> String {
        match self {
            Self::Otp(class) => format!("numbers: {} is sold", class.slug()),
            Self::Smm(class) => format!("SMM orders: {} is sold", class.slug()),
            Self::Bound { tier, bound, to } => format!("tier {tier}: {bound} is {to}"),
        }
    }

    /// Whether it would loosen anything of these rules and bounds.
    pub fn loosens(&self, rules: &Rules, tiers: &[Velocity; 4]) -> bool {
        match self {
            Self::Otp(class) => !rules.is_otp_lifted(*class),
            Self::Smm(class) => !rules.is_smm_lifted(*class),
            Self::Bound { tier, bound, to } => {
                let velocity = &tiers[usize::from(*tier).min(tiers.len() - 1)];
                velocity.figure(bound).is_some_and(|now| now < *to)
            }
        }
    }

    /// These rules and bounds with it. What cannot be lifted stays denied whatever a row says.
    pub fn apply(&self, rules: &mut Rules, tiers: &mut [Velocity; 4]) {
        match self {
            Self::Otp(class) => drop(rules.lift_otp(*class)),
            Self::Smm(class) => drop(rules.lift_smm(*class)),
            Self::Bound { tier, bound, to } if self.loosens(rules, tiers) => {
                let last = tiers.len() - 1;
                tiers[usize::from(*tier).min(last)].set(bound, *to);
            }
            Self::Bound { .. } => {}
        }
    }
}

impl Velocity {
    fn count(&mut self, bound: &str) -> Option<&mut Option<u32>> {
        Some(match bound {
            "open_activations" => &mut self.open_activations,
            "buys_per_hour" => &mut self.buys_per_hour,
            "buys_per_day" => &mut self.buys_per_day,
            "same_offer_per_day" => &mut self.same_offer_per_day,
            "cancel_percent" => &mut self.cancel_percent,
            "services_per_hour" => &mut self.services_per_hour,
            "smm_per_day" => &mut self.smm_per_day,
            "smm_per_target_week" => &mut self.smm_per_target_week,
            "keys" => &mut self.keys,
            _ => return None,
        })
    }

    /// A bound by the name of its setting, spending in whole dollars; nothing where there is no bound.
    fn figure(&self, bound: &str) -> Option<u32> {
        match bound {
            "daily_spend_usd" => {
                let dollars = self.daily_spend?.0 / 1_000_000;
                u32::try_from(dollars).ok()
            }
            count => *self.clone().count(count)?,
        }
    }

    fn set(&mut self, bound: &str, to: u32) {
        if bound == "daily_spend_usd" {
            self.daily_spend = Some(Usd(i64::from(to) * 1_000_000));
        } else if let Some(count) = self.count(bound) {
            *count = Some(to);
        }
    }
}

/// How far a loosening has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LooseningState {
    /// Waits for a second person.
    Asked,
    /// In force.
    Granted,
    /// It will not be.
    Refused,
    /// It was in force.
    Ended,
}

impl LooseningState {
    /// Stable word.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Ended => "ended",
        }
    }

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        [Self::Asked, Self::Granted, Self::Refused, Self::Ended]
            .into_iter()
            .find(|state| state.slug() == slug)
    }
}

/// Somebody wants rules loosened, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleChange {
    /// Row.
    pub id: i64,
    /// What.
    pub what: Loosening,
    /// Why: anybody may read it while it is in force.
    pub reason: String,
    /// Who asked.
    pub asked_by: PersonId,
    /// When.
    pub asked_at: Timestamp,
    /// How far it has come.
    pub state: LooseningState,
    /// Who decided, or ended it.
    pub decided_by: Option<PersonId>,
    /// When.
    pub decided_at: Option<Timestamp>,
}

impl RuleChange {
    /// Whether this person may decide on it: a second one.
    pub fn is_for(&self, person: PersonId) -> bool {
        self.state == LooseningState::Asked && self.asked_by != person
    }
}
