//! What the operator may configure, and the limits of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::otp::is_sandbox;
use super::{OtpClass, SmmClass, Strength, classify_otp, classify_smm};

/// The operator's configuration. The default sells the least; no value of it makes a hard-denied
/// destination sellable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Whether unclassified services are sold. Only the sandboxed demo sets it.
    pub sell_unclassified: bool,
    /// Whether the legal confirmation for SMM is on record; without it nothing of SMM is sold.
    pub smm_confirmed: bool,
    /// Whether default-denied SMM classes are sold without being lifted. Only the demo sets it.
    pub sell_default_denied_smm: bool,
    otp_by_name: BTreeMap<String, OtpClass>,
    otp_by_code: BTreeMap<String, OtpClass>,
    smm_by_name: BTreeMap<String, SmmClass>,
    lifted_otp: BTreeSet<OtpClass>,
    lifted_smm: BTreeSet<SmmClass>,
}

/// The class is not one that an operator can lift: it is denied hard, or not denied at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CannotLift {
    /// Stable name of the class.
    pub class: &'static str,
}

impl fmt::Display for CannotLift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "class {} cannot be lifted", self.class)
    }
}

impl std::error::Error for CannotLift {}

impl Rules {
    /// The sandboxed demo: sells what is unclassified and counts SMM as confirmed.
    pub fn demo() -> Self {
        Self {
            sell_unclassified: true,
            smm_confirmed: true,
            sell_default_denied_smm: true,
            ..Self::default()
        }
    }

    /// Classifies the OTP service of this name. Without effect on a hard-denied one.
    pub fn classify_otp_name_as(&mut self, name: &str, class: OtpClass) {
        self.otp_by_name.insert(entry(name), class);
    }

    /// Classifies the OTP services with this upstream code. Without effect on hard-denied ones.
    pub fn classify_otp_code_as(&mut self, code: &str, class: OtpClass) {
        self.otp_by_code.insert(entry(code), class);
    }

    /// Classifies the SMM service of this name. Without effect on a hard-denied one.
    pub fn classify_smm_name_as(&mut self, name: &str, class: SmmClass) {
        self.smm_by_name.insert(entry(name), class);
    }

    /// OTP services that the operator classified by name.
    pub fn otp_names(&self) -> impl Iterator<Item = (&str, OtpClass)> {
        let named = self.otp_by_name.iter();
        named.map(|(name, class)| (name.as_str(), *class))
    }

    /// Lifts the default denial of an OTP class; its lowest tier still holds.
    pub fn lift_otp(&mut self, class: OtpClass) -> Result<(), CannotLift> {
        if class.strength() != Strength::DefaultDeny {
            return Err(CannotLift {
                class: class.slug(),
            });
        }
        self.lifted_otp.insert(class);
        Ok(())
    }

    /// Lifts the default denial of an SMM class.
    pub fn lift_smm(&mut self, class: SmmClass) -> Result<(), CannotLift> {
        if class.strength() != Strength::DefaultDeny {
            return Err(CannotLift {
                class: class.slug(),
            });
        }
        self.lifted_smm.insert(class);
        Ok(())
    }

    /// The class of an OTP service: the compiled-in one where that is fixed, else the operator's
    /// for its name or code, else the compiled-in one. Asked once per service at import.
    pub fn otp_class(&self, name: &str, code: &str) -> OtpClass {
        let compiled = classify_otp(name, code);
        if compiled.is_fixed() || is_sandbox(name) {
            return compiled;
        }
        let named = self.otp_by_name.get(&entry(name));
        named
            .or_else(|| self.otp_by_code.get(&entry(code)))
            .copied()
            .unwrap_or(compiled)
    }

    /// The class of an SMM service, found the same way. Asked once per service at import.
    pub fn smm_class(&self, name: &str, category: &str, kind: &str) -> SmmClass {
        let compiled = classify_smm(name, category, kind);
        if compiled.strength() == Strength::HardDeny {
            return compiled;
        }
        self.smm_by_name
            .get(&entry(name))
            .copied()
            .unwrap_or(compiled)
    }

    /// Whether the operator has lifted the default denial of an OTP class.
    pub fn is_otp_lifted(&self, class: OtpClass) -> bool {
        self.lifted_otp.contains(&class)
    }

    /// Whether the operator has lifted the default denial of an SMM class.
    pub fn is_smm_lifted(&self, class: SmmClass) -> bool {
        self.lifted_smm.contains(&class)
    }
}

/// Settings name services as the catalogue shows them, give or take case and outer spaces.
fn entry(text: &str) -> String {
    text.trim().to_lowercase()
}
