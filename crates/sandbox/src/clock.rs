//! The sandbox's own clock, and how times are written on the wire.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time in unix milliseconds.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The machine's clock.
pub fn system_clock() -> Clock {
    Arc::new(system_now_ms)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox is the outside world; it has its own clock"
)]
fn system_now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// `YYYY-MM-DD HH:MM:SS` in UTC, without saying so: the protocol knows no zone.
pub(crate) fn wire_time(unix_ms: i64) -> String {
    let seconds = unix_ms.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`: RFC 3339.
pub(crate) fn rfc3339(unix_ms: i64) -> String {
    let millis = unix_ms.rem_euclid(1000);
    format!("{}.{millis:03}Z", wire_time(unix_ms).replacen(' ', "T", 1))
}

/// Year, month and day of a count of days since 1970-01-01, by 400-year eras that start in March.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_times_are_right_around_leap_days() {
        for (unix_s, text) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_399, "2000-02-28 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (1_709_251_200, "2024-03-01 00:00:00"),
            (1_780_335_057, "2026-06-01 17:30:57"),
            (4_107_542_399, "2100-02-28 23:59:59"),
            (4_107_542_400, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(wire_time(unix_s * 1000 + 999), text);
        }
    }

    #[test]
    fn zoned_times_carry_their_milliseconds() {
        assert_eq!(rfc3339(1_780_335_057_009), "2026-06-01T17:30:57.009Z");
    }

    #[test]
    fn the_system_clock_is_in_this_century() {
        assert!(system_clock()() > 1_600_000_000_000);
    }
}
