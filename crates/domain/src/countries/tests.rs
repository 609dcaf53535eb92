//! The table is complete, unambiguous, and finds what providers write.

use std::collections::{HashMap, HashSet};

use super::*;

fn key_of(name: &str) -> Option<&'static str> {
    find(name).map(|country| country.key)
}

#[test]
fn the_table_is_complete_and_well_formed() {
    assert!(all().count() >= 249);
    let keys: HashSet<_> = all().map(|country| country.key).collect();
    let codes: HashSet<_> = all().map(|country| country.iso2).collect();
    assert_eq!((keys.len(), codes.len()), (all().count(), all().count()));
    for country in all() {
        assert!(
            country.key.bytes().all(|byte| byte.is_ascii_lowercase()),
            "{country:?}"
        );
        assert!(country.iso2.len() == 2 && country.iso2.bytes().all(|b| b.is_ascii_uppercase()));
        assert!(
            !country.calling_codes.is_empty() && !country.name.is_empty(),
            "{country:?}"
        );
        let digits =
            |code: &&str| code.bytes().all(|b| b.is_ascii_digit()) && !code.starts_with('0');
        assert!(country.calling_codes.iter().all(digits), "{country:?}");
    }
}

#[test]
fn no_spelling_means_two_countries() {
    let mut owner: HashMap<String, &str> = HashMap::new();
    for country in all() {
        let spellings = country
            .aliases
            .iter()
            .chain([&country.key, &country.name, &country.iso2]);
        for spelling in spellings {
            let folded = fold(spelling);
            assert!(folded.len() >= 2, "{country:?}");
            let before = *owner.entry(folded).or_insert(country.key);
            assert_eq!(before, country.key, "{spelling:?} is claimed twice");
        }
        for alias in country.aliases {
            assert_eq!(fold(alias), *alias, "aliases are kept folded");
        }
    }
}

#[test]
fn providers_spellings_are_found() {
    let same = [
        (
            "unitedstates",
            "USA US us United-States America unitedstatesvirtual",
        ),
        ("unitedkingdom", "England UK gb GreatBritain unitedkingdom"),
        ("russia", "Russia RU russianfederation"),
        ("ivorycoast", "Côted'Ivoire IvoryCoast cotedivoire CI"),
        ("czechia", "Czech CzechRepublic cz"),
        ("southkorea", "SouthKorea Korea KR"),
        ("vietnam", "VietNam Vietnam VN"),
        ("turkey", "Türkiye Turkey TR"),
        ("hongkong", "HongKong HK"),
        ("reunion", "Réunion reunion"),
        ("bosniaandherzegovina", "bih Bosnia Bosnia&Herzegovina"),
        ("trinidadandtobago", "tit Trinidad&Tobago"),
        ("drcongo", "drcongo CD"),
        ("saintlucia", "St.Lucia saintlucia"),
        ("pakistan", "Pakistan PK"),
    ];
    for (key, names) in same {
        for name in names.split(' ') {
            assert_eq!(key_of(name), Some(key), "{name}");
        }
    }
    assert_eq!(key_of("United States (virtual)"), Some("unitedstates"));
    for nowhere in ["", "  ", "Atlantis", "???", "Страна", "pakistan' OR 1=1--"] {
        assert_eq!(key_of(nowhere), None, "{nowhere:?}");
    }
}

#[test]
fn keys_and_codes_are_exact_where_asked_for() {
    assert_eq!(
        by_key("unitedstates").map(|country| country.name),
        Some("USA")
    );
    assert_eq!(
        by_key("pakistan").map(|country| country.name),
        Some("Pakistan")
    );
    assert_eq!(by_key("usa"), None);
    assert_eq!(by_key("Pakistan"), None);
    assert_eq!(by_iso2("pk").map(|country| country.key), Some("pakistan"));
    assert_eq!(by_iso2("uk"), None);
    for country in all() {
        assert_eq!(by_key(country.key), Some(country));
        assert_eq!(by_iso2(country.iso2), Some(country));
    }
}

#[test]
fn numbers_fit_their_country_only() {
    let fits = |key, digits| number_fits(by_key(key).unwrap(), digits);
    assert!(fits("unitedstates", "14155550100"));
    assert!(fits("pakistan", "923001234567"));
    assert!(fits("bahamas", "12425551234"));
    assert!(fits("russia", "79584123456") && !fits("russia", "77012345678"));
    assert!(fits("kazakhstan", "77012345678") && !fits("kazakhstan", "79584123456"));
    assert!(!fits("pakistan", "14155550100"));
    assert!(!fits("bahamas", "14155550100"));
    assert!(!fits("pakistan", "92"));
    assert!(!fits("pakistan", "+923001234567"));
    assert!(!fits("pakistan", ""));
}
