//! `[sync]`: how often upstreams are asked for news.

use super::section::Section;
use domain::time::Millis;
use toml::Value;

/// `[sync]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sync {
    /// Between two readings of an upstream's prices.
    pub refresh_catalogue: Millis,
    /// Between two questions about open activations.
    pub activation_poll: Millis,
    /// Between two readings of our balance at an upstream.
    pub balance: Millis,
    /// Between two comparisons of such a balance with the books.
    pub reconcile: Millis,
    /// Pauses between questions about an SMM order; the last one repeats. Never empty.
    pub smm_poll: Vec<Millis>,
}

/// Pauses of an SMM order where nothing else is said, in seconds.
const DEFAULT_SMM_POLL_S: [u32; 4] = [30, 60, 300, 900];

impl Sync {
    /// Reads the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        let refresh_s = part.number("refresh_catalogue_s", 300, 10..=86_400);
        let activation_poll_ms = part.number("activation_poll_ms", 3000, 250..=60_000);
        let balance_s = part.number("balance_s", 60, 1..=3600);
        let reconcile_s = part.number("reconcile_s", 3600, 1..=86_400);
        if reconcile_s < balance_s {
            part.problem("reconcile_s", "must not be shorter than balance_s");
        }
        let mut smm_poll_s = part.list("smm_poll_s", DEFAULT_SMM_POLL_S.to_vec(), pause_s);
        if smm_poll_s.is_empty() {
            if !part.has_problem("smm_poll_s") {
                part.problem("smm_poll_s", "must have at least one pause");
            }
            smm_poll_s = DEFAULT_SMM_POLL_S.to_vec();
        }
        if !smm_poll_s.is_sorted() {
            part.problem(
                "smm_poll_s",
                "must not shrink: an order is asked for less as it ages",
            );
        }
        Self {
            refresh_catalogue: Millis::seconds(refresh_s.into()),
            activation_poll: Millis(activation_poll_ms.into()),
            balance: Millis::seconds(balance_s.into()),
            reconcile: Millis::seconds(reconcile_s.into()),
            smm_poll: smm_poll_s
                .iter()
                .map(|pause| Millis::seconds((*pause).into()))
                .collect(),
        }
    }
}

fn pause_s(value: &Value) -> Result<u32, String> {
    let whole = value
        .as_integer()
        .and_then(|seconds| u32::try_from(seconds).ok());
    whole
        .filter(|seconds| (1..=86_400).contains(seconds))
        .ok_or_else(|| "must be a whole number of seconds from 1 to 86400".to_owned())
}
