//! Dialects of `handler_api`: what a provider of each family offers and how it is best asked. Only
//! data; an operator can override each of it.

use domain::time::Millis;
use domain::upstream::Capabilities;
use std::fmt;

/// A family of providers that speak alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// As the protocol's inventor spoke it: status 200 and words.
    Classic,
    /// HeroSMS: HTTP statuses with JSON problems, lists in pages.
    Hero,
    /// SMSBower: arrays, stock by price and by provider.
    SmsBower,
    /// Grizzly: as SMSBower, the active list a bare array.
    Grizzly,
    /// DaisySMS: one country, cancel at any time, no list of active numbers; price and text in
    /// headers.
    DaisySms,
    /// SMSHub: words alone, stock by price, no lists of names or of active numbers.
    SmsHub,
}

impl Dialect {
    /// Every dialect with its word in the settings.
    pub const WORDS: [(&str, Self); 6] = [
        ("classic", Self::Classic),
        ("hero", Self::Hero),
        ("smsbower", Self::SmsBower),
        ("grizzly", Self::Grizzly),
        ("daisysms", Self::DaisySms),
        ("smshub", Self::SmsHub),
    ];

    /// What its providers offer.
    pub fn profile(self) -> Profile {
        let classic = Profile {
            purchase: PurchaseAction::GetNumberV2,
            status: StatusAction::GetStatus,
            prices: PriceList::Prices,
            text_in_header: false,
            capabilities: Capabilities {
                history: true,
                ..Capabilities::numbers()
            },
        };
        match self {
            Self::Classic => classic,
            Self::Hero => Profile {
                status: StatusAction::GetStatusV2,
                capabilities: Capabilities {
                    list_page_limit: Some(100),
                    ..classic.capabilities
                },
                ..classic
            },
            Self::SmsBower | Self::Grizzly => Profile {
                status: StatusAction::GetStatusV2,
                prices: PriceList::PricesV3,
                ..classic
            },
            Self::DaisySms => Profile {
                purchase: PurchaseAction::GetNumber,
                text_in_header: true,
                capabilities: Capabilities {
                    list_active: false,
                    history: false,
                    min_cancel_age: Millis(0),
                    ..classic.capabilities
                },
                ..classic
            },
            Self::SmsHub => Profile {
                purchase: PurchaseAction::GetNumber,
                capabilities: Capabilities {
                    list_active: false,
                    history: false,
                    ..classic.capabilities
                },
                ..classic
            },
        }
    }
}

/// How the providers of a dialect are asked, and their capability sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// How numbers are bought.
    pub purchase: PurchaseAction,
    /// How one activation is read.
    pub status: StatusAction,
    /// Which price list is read.
    pub prices: PriceList,
    /// Whether a status call that asks for it answers the message's text in a header.
    pub text_in_header: bool,
    /// What they can do.
    pub capabilities: Capabilities,
}

/// Action by which numbers are bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurchaseAction {
    /// `getNumber`: id and number alone.
    GetNumber,
    /// `getNumberV2`: with the real cost and times.
    GetNumberV2,
}

impl PurchaseAction {
    /// Every action with its word in the settings and on the wire.
    pub const WORDS: [(&str, Self); 2] = [
        ("getNumberV2", Self::GetNumberV2),
        ("getNumber", Self::GetNumber),
    ];
}

/// Action by which one activation is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusAction {
    /// `getStatus`: the code alone.
    GetStatus,
    /// `getStatusV2`: with the text.
    GetStatusV2,
}

impl StatusAction {
    /// Every action with its word in the settings and on the wire.
    pub const WORDS: [(&str, Self); 2] = [
        ("getStatus", Self::GetStatus),
        ("getStatusV2", Self::GetStatusV2),
    ];
}

/// The price list that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceList {
    /// `getPrices`: one price, or stock by price where the server adds it.
    Prices,
    /// `getPricesExtended`: with stock by price.
    PricesExtended,
    /// `getPricesV2`: stock by price.
    PricesV2,
    /// `getPricesV3`: price and stock of each provider.
    PricesV3,
}

impl PriceList {
    /// Every list with its word in the settings and on the wire.
    pub const WORDS: [(&str, Self); 4] = [
        ("getPrices", Self::Prices),
        ("getPricesExtended", Self::PricesExtended),
        ("getPricesV2", Self::PricesV2),
        ("getPricesV3", Self::PricesV3),
    ];
}

/// The word of a choice.
fn word<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    let found = words.iter().find(|(_, known)| known == value);
    found.map_or("", |(word, _)| word)
}

macro_rules! shown_as_its_word {
    ($($choice:ty),+) => {$(
        impl fmt::Display for $choice {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(word(&Self::WORDS, self))
            }
        }
    )+};
}

shown_as_its_word!(Dialect, PurchaseAction, StatusAction, PriceList);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_has_a_word_and_none_promises_what_costs_money_if_wrong() {
        for (name, dialect) in Dialect::WORDS {
            assert_eq!(dialect.to_string(), name);
            let sheet = dialect.profile().capabilities;
            // a repeated purchase where ids are ignored is a second purchase
            assert!(!sheet.idempotency_key && !sheet.shared_key, "{name}");
        }
    }

    #[test]
    fn dialects_differ_where_their_providers_do() {
        let sheet = |dialect: Dialect| dialect.profile().capabilities;
        assert_eq!(sheet(Dialect::Hero).list_page_limit, Some(100));
        assert!(!sheet(Dialect::DaisySms).list_active);
        assert_eq!(sheet(Dialect::DaisySms).min_cancel_age, Millis(0));
        assert_eq!(Dialect::Grizzly.profile().prices, PriceList::PricesV3);
    }
}
