//! The one table of error texts and the classes they fall into.

use crate::handler_api::Class;

/// Longest body that is looked at as an error text, in bytes. The known ones are a few words; a
/// long text that happens to hold them proves nothing.
const TEXT_MAX: usize = 256;

/// An error text that a server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// Nothing in stock, or nothing at this price.
    NoFreePhones,
    /// The account is empty.
    NotEnoughBalance,
    /// No such country.
    BadCountry,
    /// No such operator.
    BadOperator,
    /// No such product.
    NoProduct,
    /// No such order.
    OrderNotFound,
    /// The order's life is over.
    OrderExpired,
    /// It has a message: neither cancel nor ban.
    OrderHasSms,
    /// It has none: no finish.
    OrderNoSms,
    /// The cancel lock is still on.
    WaitTime,
    /// The server's own error.
    Internal,
}

impl Text {
    /// As it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoFreePhones => "no free phones",
            Self::NotEnoughBalance => "not enough user balance",
            Self::BadCountry => "country is incorrect",
            Self::BadOperator => "bad operator",
            Self::NoProduct => "no product",
            Self::OrderNotFound => "order not found",
            Self::OrderExpired => "order expired",
            Self::OrderHasSms => "order has sms",
            Self::OrderNoSms => "order no sms",
            Self::WaitTime => "you need to wait time",
            Self::Internal => "internal error",
        }
    }
}

/// Every text that is listed. Of several in one body the first in the table counts, so a longer
/// text stands before the shorter one that it holds.
pub const TABLE: &[(&str, Class)] = &[
    ("no free phones", Class::NoStock),
    ("not enough user balance", Class::UpstreamFunds),
    ("not enough rating", Class::AccountBlocked),
    ("select country", Class::NotSold),
    ("select operator", Class::NotSold),
    ("bad country", Class::NotSold),
    ("bad operator", Class::NotSold),
    ("country is incorrect", Class::NotSold),
    ("product is incorrect", Class::NotSold),
    ("no product", Class::NotSold),
    ("server offline", Class::Fault),
    ("internal error", Class::Fault),
    ("order not found", Class::UnknownOrder),
    ("record not found", Class::UnknownOrder),
    ("order expired", Class::Closed),
    ("order has sms", Class::BadTransition),
    ("order no sms", Class::BadTransition),
    ("hosting order", Class::OurFault),
    ("you need to wait time", Class::TooEarly),
    ("reuse not possible", Class::NotAvailable),
    ("reuse false", Class::NotAvailable),
    ("reuse expired", Class::NotAvailable),
    ("too many requests", Class::Throttled),
    ("api limit is", Class::Throttled),
];

/// Class of an error text, in any case and wherever the known words stand in it; nothing where
/// none of them does, or where the text is too long to be one.
pub fn class_of(text: &str) -> Option<Class> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let text = text.to_ascii_lowercase();
    let listed = TABLE.iter().find(|(words, _)| text.contains(words));
    listed.map(|(_, class)| *class)
}
