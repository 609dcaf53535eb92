//! The words by which countries, operators and products are known.

use std::fmt;

/// Longest slug believed, in bytes.
const LENGTH_MAX: usize = 64;

/// A country, operator or product: 1 to 64 ASCII letters, digits, `-` and `_`. Nothing else may
/// become a part of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

impl Slug {
    /// Nothing where the text is no slug.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let fits = (1..=LENGTH_MAX).contains(&text.len()) && text.bytes().all(plain);
        fits.then(|| Self(text.to_owned()))
    }

    /// Whatever operator the server chooses.
    pub fn any() -> Self {
        Self("any".to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
