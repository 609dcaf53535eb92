//! Times of others. Of a time without a zone only the distance to another one in the same answer
//! can be used; RFC 3339 names its zone.

use domain::time::{Millis, Timestamp};

/// Longest span believed, in seconds: no activation lives longer.
const SPAN_MAX_S: i64 = 7 * 86_400;

/// The span between two `YYYY-MM-DD HH:MM:SS` texts, where both are well-formed and the span is
/// more than nothing and at most a week.
pub(crate) fn span(from: &str, to: &str) -> Option<Millis> {
    let span = seconds(to)? - seconds(from)?;
    (1..=SPAN_MAX_S)
        .contains(&span)
        .then(|| Millis::seconds(span))
}

/// An RFC 3339 time (`2026-10-13T08:13:38.809469Z`), to the millisecond.
pub(crate) fn rfc3339(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (clock, rest) = (text.get(..19)?, text.get(19..)?);
    let local = seconds(&clock.replacen(['T', 't'], " ", 1))? - seconds("1970-01-01 00:00:00")?;
    let (millis, zone) = match rest.strip_prefix('.') {
        None => (0, rest),
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let thousandths: String = rest[..digits].chars().chain("00".chars()).take(3).collect();
            (
                thousandths.parse().ok().filter(|_| digits > 0)?,
                &rest[digits..],
            )
        }
    };
    let utc = local.checked_sub(offset(zone)?)?;
    Some(Timestamp(utc.checked_mul(1000)?.checked_add(millis)?))
}

/// Seconds that a zone is ahead: `Z` or `+03:00`.
fn offset(zone: &str) -> Option<i64> {
    let (sign, clock) = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => return Some(0),
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let at = seconds(&format!("1970-01-01 {clock}:00"))?;
    Some(sign * (at - seconds("1970-01-01 00:00:00")?))
}

/// Seconds since an arbitrary day, on a clock without a zone.
fn seconds(text: &str) -> Option<i64> {
    let text = text.trim().as_bytes();
    let shape = b"0000-00-00 00:00:00";
    let separators = [4, 7, 10, 13, 16];
    if text.len() != shape.len() || separators.iter().any(|at| text[*at] != shape[*at]) {
        return None;
    }
    let number = |from: usize, to: usize| {
        text[from..to].iter().try_fold(0_i64, |value, digit| {
            digit
                .is_ascii_digit()
                .then(|| value * 10 + i64::from(digit - b'0'))
        })
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let sane = (1..=12).contains(&month) && (1..=31).contains(&day);
    let sane = sane && hour < 24 && minute < 60 && second < 60 && year >= 1970;
    sane.then(|| days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Days of the Gregorian calendar: years begin in March, so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zoned_times_are_moments() {
        for (text, unix_ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-06-01T17:30:57.809469Z", 1_780_335_057_809),
            ("2026-06-01T17:30:57.8Z", 1_780_335_057_800),
            ("2026-06-01t20:30:57+03:00", 1_780_335_057_000),
            ("2026-06-01T12:00:57-05:30", 1_780_335_057_000),
        ] {
            assert_eq!(rfc3339(text), Some(Timestamp(unix_ms)), "{text}");
        }
        for text in [
            "",
            "2026-06-01T17:30:57",
            "2026-06-01T17:30:57.Z",
            "2026-06-01T17:30:57+3",
            "2026-06-01T17:30:57Zulu",
            "2026-13-01T17:30:57Z",
            "2026-06-01T17:30:5\u{e9}Z",
        ] {
            assert_eq!(rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn spans_across_days_months_and_leap_years() {
        for (from, to, seconds) in [
            ("2026-06-01 17:30:57", "2026-06-01 17:50:57", 1200),
            ("2026-12-31 23:59:59", "2027-01-01 00:00:00", 1),
            ("2028-02-28 23:00:00", "2028-03-01 01:00:00", 26 * 3600),
            ("2026-02-28 23:00:00", "2026-03-01 01:00:00", 2 * 3600),
        ] {
            assert_eq!(
                span(from, to),
                Some(Millis::seconds(seconds)),
                "{from} {to}"
            );
        }
        for (from, to) in [
            ("2026-06-01 17:30:57", "2026-06-01 17:30:57"),
            ("2026-06-01 17:30:57", "2026-06-01 17:30:56"),
            ("2026-06-01 17:30:57", "2026-07-01 17:30:57"),
            ("2026-06-01T17:30:57", "2026-06-01 17:50:57"),
            ("2026-06-01 17:30:57", "2026-13-01 17:50:57"),
            ("", ""),
        ] {
            assert_eq!(span(from, to), None, "{from} {to}");
        }
    }
}
