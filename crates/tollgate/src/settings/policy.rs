//! `[policy]`: what the operator answers for. Nothing here can lift a class that is denied for
//! good: such a line is a mistake, and the policy engine would not follow it either.

use super::nearest::hint;
use super::section::{Section, text};
use super::velocity;
use domain::policy::velocity::Velocity;
use domain::policy::{CannotLift, OtpClass, Rules, SmmClass, Strength};
use jiff::civil::Date;
use std::fmt;
use toml::Value;

/// `[policy]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether services nobody has classified are sold. Only the demo may.
    pub sell_unclassified: bool,
    /// The legal confirmation without which no SMM service is sold; nothing until all three
    /// members are there.
    pub smm_confirmation: Option<SmmConfirmation>,
    /// Classes sold although they are denied by default.
    pub lifted: Vec<Class>,
    /// The operator's own classification: service name or code, and its class.
    pub classify: Vec<(String, Class)>,
    /// How much accounts may do, by tier.
    pub tiers: [Velocity; 4],
}

/// Who has confirmed that the SMM side is lawful, when, and in which words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmmConfirmation {
    /// A person.
    pub by: String,
    /// The day.
    pub at: Date,
    /// What was confirmed.
    pub statement: String,
}

/// A class of either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Of a service that sends codes.
    Otp(OtpClass),
    /// Of an SMM service.
    Smm(SmmClass),
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Otp(class) => class.slug(),
            Self::Smm(class) => class.slug(),
        })
    }
}

impl Class {
    fn all() -> impl Iterator<Item = Self> {
        let otp = OtpClass::ALL.into_iter().map(Self::Otp);
        otp.chain(SmmClass::ALL.into_iter().map(Self::Smm))
    }

    fn strength(self) -> Strength {
        match self {
            Self::Otp(class) => class.strength(),
            Self::Smm(class) => class.strength(),
        }
    }

    fn slug(self) -> &'static str {
        match self {
            Self::Otp(class) => class.slug(),
            Self::Smm(class) => class.slug(),
        }
    }
}

impl Policy {
    /// Reads the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        Self {
            sell_unclassified: part.flag("sell_unclassified", false),
            smm_confirmation: part.section("smm_confirmation", SmmConfirmation::read),
            lifted: part.list("lifted", Vec::new(), liftable),
            classify: part.words("classify", assignable),
            tiers: {
                let mut tiers = Velocity::of_tiers();
                for (tier, bounds) in part.named("tiers", velocity::read).into_iter().flatten() {
                    tiers[tier] = bounds;
                }
                tiers
            },
        }
    }

    /// The same for the policy engine. Fails where a class that cannot be lifted was lifted by
    /// other means than a settings file.
    pub fn rules(&self) -> Result<Rules, CannotLift> {
        let mut rules = Rules::default();
        rules.sell_unclassified = self.sell_unclassified;
        rules.smm_confirmed = self.smm_confirmation.is_some();
        for class in &self.lifted {
            match class {
                Class::Otp(class) => rules.lift_otp(*class)?,
                Class::Smm(class) => rules.lift_smm(*class)?,
            }
        }
        for (service, class) in &self.classify {
            match class {
                Class::Otp(class) => {
                    rules.classify_otp_name_as(service, *class);
                    rules.classify_otp_code_as(service, *class);
                }
                Class::Smm(class) => rules.classify_smm_name_as(service, *class),
            }
        }
        Ok(rules)
    }
}

impl SmmConfirmation {
    /// All three members, or none; a part of them counts for nothing and is noted.
    fn read(part: &mut Section<'_>) -> Option<Self> {
        let sentence = |value: &Value| text(value).map(str::to_owned);
        let by = part.parsed("by", String::new(), sentence);
        let at = part.parsed("at", String::new(), day);
        let statement = part.parsed("statement", String::new(), sentence);
        let members = [("by", &by), ("at", &at), ("statement", &statement)];
        if members.iter().any(|(_, value)| !value.trim().is_empty()) {
            for (key, value) in members {
                if value.trim().is_empty() && !part.has_problem(key) {
                    let why = "is missing: a confirmation counts only with by, at and statement";
                    part.problem(key, why);
                }
            }
        }
        let complete = !by.trim().is_empty() && !statement.trim().is_empty();
        let at = at.parse().ok().filter(|_| complete)?;
        Some(Self { by, at, statement })
    }
}

/// A day in the one form that cannot be misread, or nothing yet.
fn day(value: &Value) -> Result<String, String> {
    let allowed = "must be a day in quotes, like \"2026-01-31\"";
    let given = text(value).map_err(|_| allowed)?;
    let exact = given
        .parse::<Date>()
        .is_ok_and(|date| date.to_string() == given);
    if given.is_empty() || exact {
        Ok(given.to_owned())
    } else {
        Err(allowed.to_owned())
    }
}

fn class(value: &Value) -> Result<Class, String> {
    let given = text(value)?;
    Class::all()
        .find(|class| class.slug() == given)
        .ok_or_else(|| {
            let near = hint(given, Class::all().map(Class::slug));
            format!("is not a class{near}; the classes are listed in docs/settings.md")
        })
}

fn liftable(value: &Value) -> Result<Class, String> {
    let class = class(value)?;
    match class.strength() {
        Strength::DefaultDeny => Ok(class),
        Strength::HardDeny => Err(format!(
            "names the class {class}, which is never sold: no setting can lift it"
        )),
        Strength::NotSold => {
            Err("cannot be lifted: give the services a class in policy.classify".to_owned())
        }
        Strength::Limit | Strength::Allow => Err(format!(
            "names the class {class}, which is sold without being lifted"
        )),
    }
}

/// A class to put a service into. A stricter one than the engine's own is followed; a freer one
/// than a denial for good is not.
fn assignable(value: &Value) -> Result<Class, String> {
    let class = class(value)?;
    if class.strength() == Strength::NotSold {
        return Err("is no classification: leave the line out".to_owned());
    }
    Ok(class)
}
