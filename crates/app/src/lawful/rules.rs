//! The rules in force, as anybody may read them.

use super::Denied;
use crate::accounts::AdminError;
use crate::audit_log::AuditLog;
use crate::engine::Engine;
use domain::audit_log::LinesOf;
use domain::policy::RULE_VERSION;
use domain::policy::velocity::Velocity;
use domain::policy::{OtpClass, SmmClass, Strength};

/// What lines of the audit log are called that say by which rules the program started.
pub const RULES_NOTED: &str = "rules_in_force";

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
        let rules = &self.known.now().rules;
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
        let rules = &self.known.now().rules;
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
                    standing: domain::policy::Standing::Good,
                };
                domain::policy::decide_smm(rules, &request).is_allowed()
            },
        };
        classes.map(in_force).collect()
    }

    /// The rules in force in one line: version, what is lifted, whether SMM orders are confirmed.
    fn rules_in_words(&self) -> String {
        let classes = self.otp_classes().into_iter().chain(self.smm_classes());
        let lifted = classes.filter(|class| class.lifted);
        let lifted: Vec<&str> = lifted.map(|class| class.class).collect();
        let lifted = match lifted.as_slice() {
            [] => "nothing lifted".to_owned(),
            classes => format!("lifted: {}", classes.join(", ")),
        };
        let smm = match self.smm_is_confirmed() {
            true => "SMM orders confirmed",
            false => "SMM orders not confirmed",
        };
        format!("rules version {RULE_VERSION}; {lifted}; {smm}")
    }

    /// The latest sales that this process denied, newest first.
    pub fn denied_lately(&self) -> Vec<Denied> {
        self.denials.latest()
    }

    /// Whether the operator has recorded that SMM orders are lawful where they are sold.
    pub fn smm_is_confirmed(&self) -> bool {
        self.settings.rules.smm_confirmed
    }

    /// The bounds of every tier.
    pub fn velocities(&self) -> [Velocity; 4] {
        self.known.now().velocity.clone()
    }
}

impl AuditLog {
    /// Notes by which rules the program starts, if they are not those of the start before: since when
    /// something is lifted is then in the log.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn note_rules(&self) -> Result<(), AdminError> {
        let wanted = LinesOf {
            action: Some(RULES_NOTED.to_owned()),
            limit: 1,
            ..LinesOf::default()
        };
        // what two persons loosened is not read yet when the program starts
        self.engine().in_force().await?;
        let rules = self.engine().rules_in_words();
        let noted = self.lines(&wanted).await?;
        match noted.first() {
            Some(line) if line.note.object == rules => Ok(()),
            _ => self.note(RULES_NOTED, None, rules).await,
        }
    }
}
