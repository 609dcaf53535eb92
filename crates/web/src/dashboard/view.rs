//! How values look on pages.

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::activation::PublicStatus;
use domain::time::Timestamp;
use domain::top_up::Proof;
use domain::usd::Usd;
use minijinja::{Value, context};

/// Media type of a table as a file.
pub(crate) const CSV: &str = "text/csv; charset=utf-8";

/// A file that the browser keeps, and no cache. `name` is one of ours: plain letters.
pub(crate) fn file(name: &str, media_type: &'static str, body: impl Into<Body>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, body.into()).into_response()
}

/// A file that shows a transfer, without itself.
pub(crate) fn proof(proof: &Proof) -> Value {
    context! {
        kind => proof.kind.slug(),
        kib => proof.size.saturating_add(1023) / 1024,
        at => proof.at.0,
    }
}

/// Micro-dollars as people read them: two decimals, and up to six where they count.
pub(crate) fn usd(micros: i64) -> String {
    let shown = Usd(micros.saturating_abs()).short();
    let (whole, decimals) = shown.split_once('.').unwrap_or((&shown, ""));
    let sign = if micros < 0 { "\u{2212}" } else { "" };
    format!("{sign}${}.{decimals}", grouped(whole))
}

/// Millionths as percent with as many decimals as they have, at most four.
pub(crate) fn percent(parts_per_million: i64) -> String {
    let sign = if parts_per_million < 0 {
        "\u{2212}"
    } else {
        ""
    };
    let parts = parts_per_million.unsigned_abs();
    let decimals = format!("{:04}", parts % 10_000);
    match decimals.trim_end_matches('0') {
        "" => format!("{sign}{}", parts / 10_000),
        decimals => format!("{sign}{}.{decimals}", parts / 10_000),
    }
}

/// A count of things as people read it.
pub(crate) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// Thousands parted by commas.
fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Unix milliseconds as a `<time>` element, in UTC until the reader's browser turns it into local
/// time.
pub(crate) fn time(millis: i64) -> Value {
    let at = rfc3339(Timestamp(millis));
    let shown = at.get(..16).unwrap_or(&at).replace('T', " ");
    Value::from_safe_string(format!("<time datetime=\"{at}\">{shown} UTC</time>"))
}

/// The day of unix milliseconds, in UTC.
pub(crate) fn date(millis: i64) -> String {
    let at = rfc3339(Timestamp(millis));
    at.get(..10).unwrap_or(&at).to_owned()
}

/// A time of the day in UTC, until a script counts down to it: `RFC 3339` to `13:37 UTC`.
pub(crate) fn until(at: &str) -> String {
    format!("{} UTC", at.get(11..16).unwrap_or(at))
}

/// The public word of an activation's state.
pub(crate) fn status(status: PublicStatus) -> &'static str {
    match status {
        PublicStatus::Pending => "pending",
        PublicStatus::Waiting => "waiting",
        PublicStatus::Received => "received",
        PublicStatus::Cancelled => "cancelled",
    }
}

/// RFC 3339, to the second.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.0.div_euclid(1000))
        .map(|at| at.to_string())
        .unwrap_or_default()
}

/// A text as a cell that no spreadsheet takes for a formula.
pub(crate) fn csv_cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B-151.
    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(csv_cell(text), format!("\"'{text}\""));
        }
        assert_eq!(csv_cell("Discord, \"new\""), "\"Discord, \"\"new\"\"\"");
    }

    #[test]
    fn money_keeps_every_millionth_and_at_least_cents() {
        assert_eq!(usd(0), "$0.00");
        assert_eq!(usd(40_000), "$0.04");
        assert_eq!(usd(370_440), "$0.37044");
        assert_eq!(usd(12_450_000), "$12.45");
        assert_eq!(usd(1_234_567_000_001), "$1,234,567.000001");
        assert_eq!(usd(-40_000), "\u{2212}$0.04");
    }

    #[test]
    fn percent_has_the_decimals_it_needs() {
        for (parts, shown) in [
            (0, "0"),
            (50_000, "5"),
            (25_000, "2.5"),
            (29_900, "2.99"),
            (1, "0.0001"),
            (-5000, "\u{2212}0.5"),
        ] {
            assert_eq!(percent(parts), shown);
        }
    }

    #[test]
    fn times_are_machine_readable() {
        assert_eq!(until("2023-11-14T22:13:20Z"), "22:13 UTC");
        let shown = time(1_700_000_000_123).to_string();
        assert_eq!(
            shown,
            "<time datetime=\"2023-11-14T22:13:20Z\">2023-11-14 22:13 UTC</time>"
        );
    }
}
