//! Which class an OTP service falls into, by its name and, where that is silent, its code.

mod listed;
mod words;

use std::sync::LazyLock;

use super::keywords::Keywords;
use super::skeleton::Name;
use super::{OtpClass, Strength};
use listed::{Listed, SERVICES, plain};

#[cfg(test)]
pub(super) use listed::{SERVICES as LISTED_SERVICES, plain as plain_name};

/// What denies a name in any disguise: words and listed names, those of hard denials first.
static DENIED: LazyLock<Keywords<OtpClass>> = LazyLock::new(|| {
    let of_strength = |strength| {
        let is_meant = move |listed: &&Listed| listed.class.strength() == strength;
        SERVICES.entries.iter().filter(is_meant)
    };
    let mut keywords = Keywords::default();
    keywords.extend(words::HARD);
    of_strength(Strength::HardDeny).for_each(|listed| listed.add_to(&mut keywords));
    keywords.extend(words::SOFT);
    of_strength(Strength::DefaultDeny).for_each(|listed| listed.add_to(&mut keywords));
    keywords
});

/// Classifies a service by the compiled-in list and keywords. Names decide; a code only speaks
/// where the name says nothing. Costs tens of microseconds: meant to be asked once per distinct
/// service of an import, not per order.
pub fn classify_otp(name: &str, code: &str) -> OtpClass {
    if is_sandbox(name) {
        return OtpClass::Unclassified;
    }
    if !is_silent(name, code) {
        return class_of_name(name)
            .or_else(|| denied_slug(code))
            .unwrap_or(OtpClass::Unclassified);
    }
    let by_code = SERVICES
        .by_code
        .get(code.trim().to_ascii_lowercase().as_str())
        .copied();
    by_code
        .or_else(|| class_of_name(code))
        .unwrap_or(OtpClass::Unclassified)
}

/// How a well-known service is written that is meant by this spelling of its name, whatever its
/// case and punctuation.
pub fn well_known(name: &str) -> Option<&'static str> {
    SERVICES.written.get(&plain(name)?).copied()
}

/// Whether the name is one of the practice services, which stay unclassified whatever they say.
pub(crate) fn is_sandbox(name: &str) -> bool {
    name.trim_start().starts_with("Sandbox:")
}

/// A name that only repeats the code, or an upstream's number for the service.
fn is_silent(name: &str, code: &str) -> bool {
    let name = name.trim();
    // a short number is an id, except the few that are names themselves
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    let is_listed = plain(name).is_some_and(|name| SERVICES.by_name.contains_key(&name));
    !is_listed && (is_number || name.eq_ignore_ascii_case(code.trim()))
}

fn class_of_name(name: &str) -> Option<OtpClass> {
    let listed = |name: &str| SERVICES.by_name.get(&plain(name)?).copied();
    let parts = || {
        let parts = name.split([',', '/', '|', '+', '&', ';']).map(listed);
        // of several services in one the strictest decides, and every one must be known
        parts
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .min_by_key(|class| class.strength())
    };
    listed(name)
        .or_else(|| DENIED.find(&Name::read(name)))
        .or_else(parts)
}

/// Some upstreams use words for codes; such a word can deny a service whose name is unknown.
fn denied_slug(code: &str) -> Option<OtpClass> {
    let is_word = code.chars().filter(|letter| letter.is_alphabetic()).count() >= 4;
    let class = is_word.then(|| class_of_name(code)).flatten()?;
    matches!(class.strength(), Strength::HardDeny | Strength::DefaultDeny).then_some(class)
}
