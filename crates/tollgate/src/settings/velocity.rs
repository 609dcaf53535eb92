//! `[policy.tiers.N]`: how much the accounts of a tier may do. The tiers below the contract may only be
//! bounded tighter than they are anyway; the contract tier has the bounds that are set here.

use super::exact;
use super::section::Section;
use domain::policy::velocity::Velocity;
use domain::usd::Usd;
use toml::Value;

/// The tier without bounds of its own.
const CONTRACT: u8 = 3;

/// Reads the bounds of one tier. `None` where there is no such tier, which is noted.
pub fn read(name: &str, part: &mut Section<'_>) -> Option<(usize, Velocity)> {
    let tier = name.parse().ok().filter(|tier| *tier <= CONTRACT);
    let usual = Velocity::of_tier(tier.unwrap_or(CONTRACT));
    let mut bound = |key: &str, usual: Option<u32>| {
        let most = usual
            .filter(|_| tier != Some(CONTRACT))
            .unwrap_or(1_000_000);
        part.optional_number(key, 0..=most).or(usual)
    };
    let mut velocity = Velocity {
        open_activations: bound("open_activations", usual.open_activations),
        buys_per_hour: bound("buys_per_hour", usual.buys_per_hour),
        buys_per_day: bound("buys_per_day", usual.buys_per_day),
        same_offer_per_day: bound("same_offer_per_day", usual.same_offer_per_day),
        services_per_hour: bound("services_per_hour", usual.services_per_hour),
        smm_per_day: bound("smm_per_day", usual.smm_per_day),
        smm_per_target_week: bound("smm_per_target_week", usual.smm_per_target_week),
        keys: bound("keys", usual.keys),
        ..usual.clone()
    };
    velocity.cancel_percent = match (usual.cancel_percent, tier) {
        (Some(most), Some(0..CONTRACT)) => part.optional_number("cancel_percent", 1..=most),
        _ => part.optional_number("cancel_percent", 1..=100),
    }
    .or(usual.cancel_percent);
    let most = usual.daily_spend.filter(|_| tier != Some(CONTRACT));
    let dollars = |value: &Value| {
        let given = exact::dollars(value)?;
        match most {
            Some(most) if given > most => Err(format!("may only be lowered, from \"{most}\"")),
            _ => Ok(given),
        }
    };
    let spend: Option<Usd> = part.optional("daily_spend_usd", dollars, None);
    velocity.daily_spend = spend.or(usual.daily_spend);
    if tier.is_none() {
        part.problem("", "is no tier: there are 0, 1, 2 and 3");
    }
    tier.map(|tier| (usize::from(tier), velocity))
}
