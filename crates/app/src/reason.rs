//! Why an operator does something: what is taken as a reason, everywhere the same.

use crate::accounts::AdminError;

/// Characters of a reason, so that it says something and stays readable in a list.
const LENGTH: std::ops::RangeInclusive<usize> = 3..=500;

/// A reason without the white space around it.
///
/// # Errors
/// It is too short, too long, or more than a line.
pub fn reason(given: &str) -> Result<&str, AdminError> {
    let given = given.trim();
    let fits = LENGTH.contains(&given.chars().count()) && !given.contains(char::is_control);
    fits.then_some(given).ok_or_else(|| {
        let (least, most) = (LENGTH.start(), LENGTH.end());
        let why = format!("reason: give one line of {least} to {most} characters");
        AdminError::Invalid(why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_of_3_to_500_characters() {
        let long = "ä".repeat(500);
        for good in ["ill", "  asked for it\n", &long] {
            assert_eq!(reason(good).unwrap(), good.trim());
        }
        for bad in [
            "",
            "   ",
            "no",
            " no ",
            "a\nb\nc",
            "a\u{7f}bc",
            &"ä".repeat(501),
        ] {
            assert!(reason(bad).is_err(), "{bad:?}");
        }
    }
}
