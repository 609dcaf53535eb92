//! Spans between two zone-less times of one and the same answer. Such a time says nothing about
//! now, but the distance of two of them needs no zone.

use domain::time::Millis;

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
