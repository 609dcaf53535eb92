//! The rules in force, as anybody may read them.

use crate::engine::Engine;
use domain::policy::velocity::Velocity;
use domain::policy::{OtpClass, SmmClass, Strength};

/// How one class stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassInForce {
    /// Stable name.
    pub class: &'static str,
    /// What falls into it, in words for anybody.
    pub title: &'static str,
    /// How strongly it is denied by default.
    pub strength: Strength,
    /// The lowest tier that may buy it where it is sold; nothing where tiers play no part.
    pub lowest_tier: Option<u8>,
    /// Whether the operator has lifted the denial.
    pub lifted: bool,
    /// Whether anybody may buy it here.
    pub sold: bool,
}

impl Engine {
    /// Every class of OTP services.
    pub fn otp_classes(&self) -> Vec<ClassInForce> {
        let rules = &self.settings.rules;
        let classes = OtpClass::ALL.into_iter();
        let in_force = |class: OtpClass| ClassInForce {
            class: class.slug(),
            title: class.title(),
            strength: class.strength(),
            lowest_tier: Some(class.lowest_tier()),
            lifted: rules.is_otp_lifted(class),
            sold: domain::policy::sellable_otp(rules, class, 3),
        };
        classes.map(in_force).collect()
    }

    /// Every class of SMM services.
    pub fn smm_classes(&self) -> Vec<ClassInForce> {
        let rules = &self.settings.rules;
        let classes = SmmClass::ALL.into_iter();
        let in_force = |class: SmmClass| ClassInForce {
            class: class.slug(),
            title: class.title(),
            strength: class.strength(),
            lowest_tier: None,
            lifted: rules.is_smm_lifted(class),
            sold: {
                let request = domain::policy::SmmRequest {
                    class,
                    account_suspended: false,
                };
                domain::policy::decide_smm(rules, &request).is_allowed()
            },
        };
        classes.map(in_force).collect()
    }

    /// Whether the operator has recorded that SMM orders are lawful where they are sold.
    pub fn smm_is_confirmed(&self) -> bool {
        self.settings.rules.smm_confirmed
    }

    /// The bounds of every tier.
    pub fn velocities(&self) -> Vec<&Velocity> {
        self.settings.velocity.iter().collect()
    }
}
