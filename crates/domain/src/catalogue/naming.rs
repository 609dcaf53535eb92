//! How the names that upstreams use become those of the house: one country, one service, however
//! it is spelled, and what the operator wants renamed or not shown at all.

use crate::countries::{self, Country};
use crate::policy::well_known;
use std::collections::{BTreeMap, BTreeSet};

/// Spellings of well-known services, folded, and the name they are sold under.
const SERVICE_ALIASES: &[(&str, &str)] = &[
    ("whatsup", "WhatsApp"),
    ("whatsappmessenger", "WhatsApp"),
    ("telegrammessenger", "Telegram"),
    ("discordapp", "Discord"),
    ("vibermessenger", "Viber"),
    ("signalmessenger", "Signal"),
    ("linemessenger", "LINE"),
    ("facebookcom", "Facebook"),
    ("instagramcom", "Instagram"),
    ("instagramthreads", "Instagram"),
    ("twittercom", "Twitter"),
    ("twitterx", "Twitter"),
    ("xtwitter", "Twitter"),
    ("tiktokdouyin", "TikTok"),
    ("tiktokcom", "TikTok"),
    ("redditcom", "Reddit"),
    ("snapchatcom", "Snapchat"),
    ("twitchtv", "Twitch"),
    ("steampowered", "Steam"),
    ("steamcom", "Steam"),
    ("netflixcom", "Netflix"),
    ("spotifycom", "Spotify"),
];

/// What the operator says about names; what it leaves out goes by the compiled-in tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Naming {
    countries: BTreeMap<String, &'static Country>,
    country_names: BTreeMap<&'static str, String>,
    hidden_countries: BTreeSet<String>,
    services: BTreeMap<String, String>,
    hidden_services: BTreeSet<String>,
}

impl Naming {
    /// Upstreams that write `spelling` mean this country.
    pub fn country_alias(&mut self, spelling: &str, country: &'static Country) {
        self.countries.insert(fold(spelling), country);
    }

    /// Shows a country under another name; its key stays.
    pub fn rename_country(&mut self, country: &'static Country, name: &str) {
        self.country_names.insert(country.key, name.to_owned());
    }

    /// Does not sell in the country with this canonical key.
    pub fn hide_country(&mut self, key: &str) {
        self.hidden_countries.insert(key.to_owned());
    }

    /// Sells what upstreams call `spelling` under `name`. The policy engine still judges the
    /// upstream's own name: a new name makes nothing sellable.
    pub fn service_alias(&mut self, spelling: &str, name: &str) {
        self.services.insert(fold(spelling), name.to_owned());
    }

    /// Does not sell the service of this name.
    pub fn hide_service(&mut self, name: &str) {
        self.hidden_services.insert(fold(name));
    }

    /// What the operator has upstreams mean by spellings of countries: folded spelling and country.
    pub fn country_aliases(&self) -> Vec<(String, String)> {
        let rows = self.countries.iter();
        rows.map(|(spelling, country)| (spelling.clone(), country.name.to_owned()))
            .collect()
    }

    /// Countries that the operator shows under another name: key and that name.
    pub fn renamed_countries(&self) -> Vec<(String, String)> {
        let rows = self.country_names.iter();
        rows.map(|(key, name)| ((*key).to_owned(), name.clone()))
            .collect()
    }

    /// Services that the operator sells under another name: folded spelling and that name.
    pub fn service_aliases(&self) -> Vec<(String, String)> {
        let rows = self.services.iter();
        rows.map(|(spelling, name)| (spelling.clone(), name.clone()))
            .collect()
    }

    /// Keys of countries and folded names of services that the operator does not sell.
    pub fn hidden(&self) -> Vec<String> {
        let all = self.hidden_countries.iter().chain(&self.hidden_services);
        all.cloned().collect()
    }

    /// Canonical key and shown name of a country as an upstream names it; nothing if it is hidden.
    pub fn country(&self, listed: &str) -> Option<(String, String)> {
        let aliased = self.countries.get(&fold(listed)).copied();
        let (key, name) = match aliased.or_else(|| countries::find(listed)) {
            Some(country) => {
                let renamed = self.country_names.get(country.key);
                let name = renamed.map_or(country.name, String::as_str);
                (country.key.to_owned(), name.to_owned())
            }
            None => (countries::fold(listed), listed.to_owned()),
        };
        (!self.hidden_countries.contains(&key)).then_some((key, name))
    }

    /// The name a service is sold under; nothing if it is hidden.
    pub fn service(&self, listed: &str) -> Option<String> {
        let folded = fold(listed);
        let compiled = || {
            let row = SERVICE_ALIASES.iter().find(|(known, _)| *known == folded);
            row.map(|(_, name)| (*name).to_owned())
        };
        let named = self.services.get(&folded).cloned().or_else(compiled);
        let well_known = || well_known(listed).map(str::to_owned);
        let name = named.or_else(well_known);
        let name = name.unwrap_or_else(|| listed.to_owned());
        let hidden =
            self.hidden_services.contains(&folded) || self.hidden_services.contains(&fold(&name));
        (!hidden).then_some(name)
    }
}

/// What spellings of one name have in common, in any script.
fn fold(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_mapped_renamed_and_hidden() {
        let germany = countries::by_key("germany").unwrap();
        let mut naming = Naming::default();
        naming.country_alias("BRD (alt)", germany);
        naming.rename_country(germany, "Deutschland");
        naming.hide_country("cuba");
        naming.service_alias("Телеграм", "Telegram");
        naming.hide_service("Odd one");
        let pair = |key: &str, name: &str| Some((key.to_owned(), name.to_owned()));
        assert_eq!(naming.country("brd alt"), pair("germany", "Deutschland"));
        assert_eq!(naming.country("Germany"), pair("germany", "Deutschland"));
        assert_eq!(naming.country("Cuba"), None);
        assert_eq!(naming.country("Nowhere 7"), pair("nowhere7", "Nowhere 7"));
        assert_eq!(naming.service("ТЕЛЕГРАМ").as_deref(), Some("Telegram"));
        assert_eq!(naming.service("Whats-Up").as_deref(), Some("WhatsApp"));
        assert_eq!(naming.service("odd-ONE"), None);
        assert_eq!(naming.service("Kakaotalk").as_deref(), Some("KakaoTalk"));
        assert_eq!(naming.service("Обмен").as_deref(), Some("Обмен"));
        let told = |one: &str, other: &str| vec![(one.to_owned(), other.to_owned())];
        assert_eq!(naming.country_aliases(), told("brdalt", "Germany"));
        assert_eq!(naming.renamed_countries(), told("germany", "Deutschland"));
        assert_eq!(naming.service_aliases(), told("телеграм", "Telegram"));
        assert_eq!(naming.hidden(), ["cuba", "oddone"]);
    }
}
