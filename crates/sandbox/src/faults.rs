//! Faults that strike ordinary purchases and reads at random, by rates a test sets.

use crate::mix::pick;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::time::Duration;

/// A rate of 1: rates are kept in parts per million.
const WHOLE: u32 = 1_000_000;
/// How late a slow answer is unless a test says otherwise.
pub(crate) const SLOW_MS: u64 = 5_000;
/// Longest delay that may be asked for.
const SLOW_MS_MAX: u64 = 600_000;

/// Names of the faults; the last one strikes reads, the others purchases.
const NAMES: [&str; 10] = [
    "lost_before",
    "error_500_before",
    "garbage",
    "refused",
    "no_numbers",
    "double_booking",
    "lost_after",
    "error_500_after",
    "slow",
    READ_500,
];
const READ_500: &str = "read_500";

/// How a purchase goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Booked and answered.
    Plain,
    /// Connection closed, nothing booked.
    LostBefore,
    /// Status 500, nothing booked.
    Error500Before,
    /// HTML page with status 200, nothing booked.
    Garbage,
    /// A definite refusal.
    Refused,
    /// Nothing in stock.
    NoNumbers,
    /// Booked twice, the first one answered.
    DoubleBooking,
    /// Booked, connection closed.
    LostAfter,
    /// Booked, status 500.
    Error500After,
    /// Booked at once, answered late.
    Slow(Duration),
}

/// The rates in force.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    seed: u64,
    purchases: u64,
    reads: u64,
    rates_ppm: [u32; NAMES.len()],
    slow_ms: u64,
}

/// What a test posts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted<'a> {
    #[serde(default)]
    seed: u64,
    #[serde(default, borrow)]
    rates: BTreeMap<String, &'a RawValue>,
    slow_ms: Option<u64>,
}

impl Faults {
    /// No faults.
    pub(crate) fn none() -> Self {
        let rates_ppm = [0; NAMES.len()];
        Self {
            seed: 0,
            purchases: 0,
            reads: 0,
            rates_ppm,
            slow_ms: SLOW_MS,
        }
    }

    /// Reads `{"seed":1,"rates":{"lost_after":0.05},"slow_ms":5000}`; a fault that is not named has
    /// the rate 0. The error says what is wrong in words.
    pub(crate) fn read(body: &[u8]) -> Result<Self, String> {
        let wanted: Wanted<'_> = serde_json::from_slice(body)
            .map_err(|error| format!("expected {{\"seed\":…,\"rates\":{{…}}}}: {error}"))?;
        let mut faults = Self {
            seed: wanted.seed,
            ..Self::none()
        };
        for (name, rate) in &wanted.rates {
            let Some(at) = NAMES.iter().position(|known| known == name) else {
                return Err(format!(
                    "unknown fault {name:?}; known are {}",
                    NAMES.join(", ")
                ));
            };
            faults.rates_ppm[at] = ppm(rate.get())
                .ok_or_else(|| format!("rate of {name} is {rate}, it must be 0 to 1"))?;
        }
        if let Some(slow_ms) = wanted.slow_ms {
            faults.slow_ms = slow_ms;
        }
        match faults.slow_ms <= SLOW_MS_MAX {
            true => Ok(faults),
            false => Err(format!("slow_ms must be at most {SLOW_MS_MAX}")),
        }
    }

    /// The rates in force, in the shape [`Faults::read`] takes.
    pub(crate) fn show(&self) -> String {
        let rates: Vec<String> = NAMES
            .iter()
            .zip(self.rates_ppm)
            .map(|(name, ppm)| format!("\"{name}\":{}", Decimal::new(ppm.into(), 6).normalize()))
            .collect();
        let (seed, slow_ms) = (self.seed, self.slow_ms);
        format!(
            "{{\"seed\":{seed},\"rates\":{{{}}},\"slow_ms\":{slow_ms}}}",
            rates.join(",")
        )
    }

    /// Decides the next purchase. Each fault is drawn for itself, the first that hits strikes.
    pub(crate) fn next_purchase(&mut self) -> Manner {
        self.purchases += 1;
        let drawn = (0..NAMES.len() - 1).find(|&at| self.hits(at, self.purchases));
        match drawn.map_or("", |at| NAMES[at]) {
            "lost_before" => Manner::LostBefore,
            "error_500_before" => Manner::Error500Before,
            "garbage" => Manner::Garbage,
            "refused" => Manner::Refused,
            "no_numbers" => Manner::NoNumbers,
            "double_booking" => Manner::DoubleBooking,
            "lost_after" => Manner::LostAfter,
            "error_500_after" => Manner::Error500After,
            "slow" => Manner::Slow(Duration::from_millis(self.slow_ms)),
            _ => Manner::Plain,
        }
    }

    /// Decides whether the next read fails with status 500.
    pub(crate) fn next_read_fails(&mut self) -> bool {
        self.reads += 1;
        self.hits(NAMES.len() - 1, self.reads)
    }

    fn hits(&self, at: usize, count: u64) -> bool {
        let rate = u64::from(self.rates_ppm[at]);
        rate > 0 && pick(WHOLE.into(), &[self.seed, at as u64, count]) < rate
    }
}

fn ppm(text: &str) -> Option<u32> {
    let rate = Decimal::from_str_exact(text)
        .or_else(|_| Decimal::from_scientific(text))
        .ok()?;
    if rate < Decimal::ZERO || rate > Decimal::ONE {
        return None;
    }
    (rate * Decimal::from(WHOLE))
        .round()
        .to_string()
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manners(body: &str, count: usize) -> Vec<Manner> {
        let mut faults = Faults::read(body.as_bytes()).unwrap();
        (0..count).map(|_| faults.next_purchase()).collect()
    }

    #[test]
    fn rates_hold_and_the_seed_decides_who_is_struck() {
        let body = r#"{"seed":1,"rates":{"lost_after":0.05,"garbage":0.1}}"#;
        let drawn = manners(body, 20_000);
        let count = |wanted| drawn.iter().filter(|&&manner| manner == wanted).count();
        assert!((1_850..2_150).contains(&count(Manner::Garbage)));
        assert!(
            (800..1_000).contains(&count(Manner::LostAfter)),
            "{}",
            count(Manner::LostAfter)
        );
        assert_eq!(drawn, manners(body, 20_000));
        assert_ne!(
            drawn,
            manners(&body.replace("\"seed\":1", "\"seed\":2"), 20_000)
        );
    }

    #[test]
    fn every_fault_can_be_made_certain() {
        for (name, manner) in [
            ("lost_before", Manner::LostBefore),
            ("error_500_before", Manner::Error500Before),
            ("garbage", Manner::Garbage),
            ("refused", Manner::Refused),
            ("no_numbers", Manner::NoNumbers),
            ("double_booking", Manner::DoubleBooking),
            ("lost_after", Manner::LostAfter),
            ("error_500_after", Manner::Error500After),
            ("slow", Manner::Slow(Duration::from_millis(70))),
            ("read_500", Manner::Plain),
        ] {
            let body = format!(r#"{{"rates":{{"{name}":1}},"slow_ms":70}}"#);
            assert_eq!(manners(&body, 3), [manner; 3], "{name}");
            let mut faults = Faults::read(body.as_bytes()).unwrap();
            assert_eq!(faults.next_read_fails(), name == READ_500);
        }
    }

    #[test]
    fn wrong_wishes_are_refused_in_words() {
        for (body, word) in [
            (r#"{"rates":{"lost":0.1}}"#, "unknown fault"),
            (r#"{"rates":{"garbage":1.01}}"#, "0 to 1"),
            (r#"{"rates":{"garbage":-0.1}}"#, "0 to 1"),
            (r#"{"rates":{"garbage":"0.1"}}"#, "0 to 1"),
            (r#"{"rates":{"garbage":null}}"#, "0 to 1"),
            (r#"{"rate":{}}"#, "rate"),
            (r#"{"slow_ms":600001}"#, "slow_ms"),
            ("", "expected"),
        ] {
            let error = Faults::read(body.as_bytes()).unwrap_err();
            assert!(error.contains(word), "{body}: {error}");
        }
    }

    #[test]
    fn what_is_shown_can_be_posted_again() {
        let body = r#"{"seed":7,"rates":{"slow":0.25,"read_500":1e-3},"slow_ms":100}"#;
        let shown = Faults::read(body.as_bytes()).unwrap().show();
        assert_eq!(Faults::read(shown.as_bytes()).unwrap().show(), shown);
        assert!(shown.contains(r#""slow":0.25"#) && shown.contains(r#""read_500":0.001"#));
        assert!(shown.starts_with(r#"{"seed":7,"#) && shown.ends_with(r#""slow_ms":100}"#));
    }
}
