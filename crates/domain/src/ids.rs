//! One type for each kind of id, so that no two can be swapped in a call.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A consumer.
    AccountId
);
id!(
    /// An order, OTP activation or SMM order alike: one sequence serves both, below 2^53.
    OrderId
);
id!(
    /// An API key's row; the public part printed inside the key is another value.
    KeyId
);
id!(
    /// Somebody who signs in.
    PersonId
);

/// Largest id that goes out: clients read ids as JavaScript numbers.
pub const MAX_ID: i64 = (1 << 53) - 1;

impl OrderId {
    /// Reads an id as callers send it: base-10 digits, no sign, no leading zero, at most 2^53 - 1.
    pub fn parse(text: &str) -> Option<Self> {
        let canonical = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
        if !canonical || text.len() > 16 {
            return None;
        }
        text.parse()
            .ok()
            .filter(|id| (1..=MAX_ID).contains(id))
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_ids_are_canonical_and_bounded() {
        assert_eq!(OrderId::parse("42"), Some(OrderId(42)));
        assert_eq!(OrderId::parse("9007199254740991"), Some(OrderId(MAX_ID)));
        for bad in [
            "",
            "0",
            "042",
            "+42",
            "-42",
            "4 2",
            "0x2A",
            "42.0",
            "9007199254740992",
        ] {
            assert_eq!(OrderId::parse(bad), None, "{bad:?}");
        }
    }
}
