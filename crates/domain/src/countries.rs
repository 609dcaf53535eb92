//! Countries and territories: one key for each, however a provider spells it, and its calling codes.

mod africa;
mod americas;
mod asia;
mod europe;
mod oceania;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::LazyLock;

/// One country or territory of ISO 3166-1 (and Kosovo, which phone providers sell).
#[derive(Debug, PartialEq, Eq)]
pub struct Country {
    /// Two upper-case letters of ISO 3166-1.
    pub iso2: &'static str,
    /// The canonical key, `a` to `z` only: `unitedstates`.
    pub key: &'static str,
    /// What people are shown: `USA`.
    pub name: &'static str,
    /// How E.164 numbers of this country begin, without the plus. Where countries share a code
    /// (1, 7) the smaller ones have more digits here.
    pub calling_codes: &'static [&'static str],
    /// Other names that providers use, already folded.
    pub aliases: &'static [&'static str],
}

const fn row(
    iso2: &'static str,
    key: &'static str,
    name: &'static str,
    calling_codes: &'static [&'static str],
    aliases: &'static [&'static str],
) -> Country {
    Country {
        iso2,
        key,
        name,
        calling_codes,
        aliases,
    }
}

static BY_FOLDED_NAME: LazyLock<HashMap<String, &'static Country>> = LazyLock::new(|| {
    let names = |country: &'static Country| {
        let spellings = [
            country.key.to_owned(),
            fold(country.name),
            fold(country.iso2),
        ];
        let aliases = country.aliases.iter().map(|alias| (*alias).to_owned());
        spellings
            .into_iter()
            .chain(aliases)
            .map(move |name| (name, country))
    };
    all().flat_map(names).collect()
});

/// Every country, region by region.
pub fn all() -> impl Iterator<Item = &'static Country> {
    [
        africa::ROWS,
        americas::ROWS,
        asia::ROWS,
        europe::ROWS,
        oceania::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// The country a provider means by a name, key, alias or two-letter code.
pub fn find(name: &str) -> Option<&'static Country> {
    BY_FOLDED_NAME.get(&fold(name)).copied()
}

/// The country with exactly this canonical key.
pub fn by_key(key: &str) -> Option<&'static Country> {
    BY_FOLDED_NAME
        .get(key)
        .copied()
        .filter(|country| country.key == key)
}

/// The country with this two-letter code, in either case.
pub fn by_iso2(iso2: &str) -> Option<&'static Country> {
    let country = find(iso2)?;
    country.iso2.eq_ignore_ascii_case(iso2).then_some(country)
}

/// Whether E.164 digits (no plus) can be a number of the country: they begin with one of its
/// calling codes and go on. The big sharers of +1 also fit numbers of the small ones.
pub fn number_fits(country: &Country, digits: &str) -> bool {
    let begins = |code: &&str| digits.len() > code.len() && digits.starts_with(*code);
    digits.bytes().all(|byte| byte.is_ascii_digit()) && country.calling_codes.iter().any(begins)
}

/// A name reduced to what spellings have in common: lower case, no accents, only `a-z0-9`.
pub fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' | '0'..='9' => folded.push(letter),
            _ => folded.push_str(without_accent(letter)),
        }
    }
    folded
}

/// The plain spelling of an accented lower-case Latin letter; empty for everything else.
pub(crate) fn without_accent(letter: char) -> &'static str {
    match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' | 'ạ' | 'ả' | 'ấ'..='ặ' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ð' | 'ď' | 'đ' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' | 'ẹ'..='ệ' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' | 'ỉ' | 'ị' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'ơ' | 'ọ'..='ợ' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' | 'ư' | 'ụ'..='ự' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' | 'ỳ'..='ỹ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => "",
    }
}
