//! Numbers as others write them: decimals and ids read as text, never through a float.

use rust_decimal::Decimal;

/// Longest text that is looked at as a number. A double prints at most 24 characters.
const LENGTH_MAX: usize = 32;
/// Greatest amount believed: leaves room for every later multiplication.
const AMOUNT_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
/// Exponents that honest printers of small floats produce (`5.0e-5`); anything further is abuse.
const EXPONENT_RANGE: std::ops::RangeInclusive<i32> = -12..=6;
/// Longest id believed, in bytes.
const ID_MAX: usize = 64;

/// A price, cost or balance: plain decimal or small exponent, 0 to 1,000,000,000. Signs, `NaN`,
/// infinities, separators and over-long text give nothing.
pub fn amount(text: &str) -> Option<Decimal> {
    let text = text.trim();
    if text.len() > LENGTH_MAX {
        return None;
    }
    let value = match text.split_once(['e', 'E']) {
        None => plain(text)?,
        Some((mantissa, exponent)) => shifted(plain(mantissa)?, exponent)?,
    };
    (value <= AMOUNT_MAX).then_some(value)
}

/// As [`amount`], with commas between groups of three digits accepted: `1,234.50`.
pub fn amount_with_separators(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let grouped = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    if !whole.contains(',') || !grouped || part.contains(',') {
        return amount(text);
    }
    amount(&text.replace(',', ""))
}

/// A whole number with an optional minus: what panels send as `remains`.
pub fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// A whole number from 0.
pub fn count(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// An id: 1 to 64 printable ASCII characters without white space.
pub fn id(text: &str) -> Option<String> {
    let text = text.trim();
    let printable = text.bytes().all(|b| b.is_ascii_graphic());
    ((1..=ID_MAX).contains(&text.len()) && printable).then(|| text.to_owned())
}

/// The text, cut after `characters_max` characters.
pub fn cut(text: &str, characters_max: usize) -> String {
    text.chars().take(characters_max).collect()
}

fn plain(text: &str) -> Option<Decimal> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && part.is_empty() || !digits(whole) || !digits(part) {
        return None;
    }
    Decimal::from_str_exact(text).ok()
}

fn shifted(mantissa: Decimal, exponent: &str) -> Option<Decimal> {
    let exponent: i32 = exponent
        .parse()
        .ok()
        .filter(|e| EXPONENT_RANGE.contains(e))?;
    let power = Decimal::from(10_i64.checked_pow(exponent.unsigned_abs())?);
    if exponent < 0 {
        mantissa.checked_div(power)
    } else {
        mantissa.checked_mul(power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Option<String> {
        amount(text).map(|value| value.normalize().to_string())
    }

    #[test]
    fn amounts_are_exact_or_refused() {
        for (text, value) in [
            ("0.2", "0.2"),
            (" 12.4500 ", "12.45"),
            ("5.0e-5", "0.00005"),
            ("1E3", "1000"),
            (".5", "0.5"),
            ("0.12345678901", "0.12345678901"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(value), "{text:?}");
        }
        for bad in [
            "",
            ".",
            "-1",
            "+1",
            "NaN",
            "inf",
            "Infinity",
            "1e99",
            "1e-99",
            "1e-13",
            "0e19",
            "1e",
            "e5",
            "1,000.5",
            "0x10",
            "1 000",
            "2000000000",
            "0.123456789012345678901234567890123",
            "9999999999999999999999999999999",
            "١",
        ] {
            assert_eq!(shown(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn separators_only_between_groups_of_three() {
        let read = |text| amount_with_separators(text).map(|value| value.to_string());
        assert_eq!(read("1,234.50").as_deref(), Some("1234.50"));
        assert_eq!(read("12,345,678").as_deref(), Some("12345678"));
        for bad in ["1,23", "1,2345", ",123", "1.2,345", "1,,234"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn whole_numbers_and_ids() {
        assert_eq!(whole("-5"), Some(-5));
        for bad in ["", "-", "+5", "1.0", "Unknown", "99999999999999999999"] {
            assert_eq!(whole(bad), None, "{bad:?}");
        }
        assert_eq!(count("0"), Some(0));
        assert_eq!(count("-1"), None);
        assert_eq!(id(" 635468024 ").as_deref(), Some("635468024"));
        assert_eq!(id("a b"), None);
        assert_eq!(id(&"1".repeat(65)), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = (amount(&text), amount_with_separators(&text), whole(&text), count(&text));
        }

        #[test]
        fn printed_amounts_are_read_back(units in 0..1_000_000_000_i64, scale in 0..10_u32) {
            let value = Decimal::new(units, scale);
            prop_assert_eq!(amount(&value.to_string()), Some(value));
        }
    }
}
