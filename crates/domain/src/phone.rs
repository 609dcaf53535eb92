//! Phone numbers in E.164 form.

use std::fmt;

/// Digits of an E.164 number without the plus: 7 to 15 of them, the first not 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Phone(String);

impl Phone {
    /// Reads a number as upstreams write it: everything that is not a digit is dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let fits = (7..=15).contains(&digits.len()) && !digits.starts_with('0');
        fits.then_some(Self(digits))
    }

    /// The digits alone.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_normalised_to_plus_and_digits() {
        let shown = |text| Phone::parse(text).map(|phone| phone.to_string());
        assert_eq!(shown("79584123456").as_deref(), Some("+79584123456"));
        assert_eq!(shown("+1 (415) 555-0100").as_deref(), Some("+14155550100"));
        for bad in ["", "123456", "0123456789", "1234567890123456", "abc"] {
            assert_eq!(shown(bad), None, "{bad:?}");
        }
    }
}
