//! The sliding window of requests: at most `limit` admissions in any 60 s, not a bucket that
//! refills and lets twice the limit through in its first minute.

use std::collections::VecDeque;

/// Width of the window. An admission at `t` counts in `t .. t + 60_000` and has left at the end.
pub const WINDOW_MS: i64 = 60_000;

/// Up to this limit every admission keeps its own millisecond; above it they share slots.
pub const EXACT_LIMIT_MAX: u32 = 1_000;

/// Width of a slot above [`EXACT_LIMIT_MAX`]. A slot leaves as a whole, with its last millisecond,
/// so rounding may refuse up to this much longer but never admits more.
const SLOT_MS: i64 = 100;

/// Admissions of the last minute for one caller and endpoint. At most some 1,600 runs (26 KB)
/// whatever the limit; around 1 KB at 60 a minute.
#[derive(Clone, Debug)]
pub struct Window {
    /// Oldest first; times never fall.
    runs: VecDeque<Run>,
    /// Sum of the counts of all runs.
    admitted: u32,
    /// The latest time ever asked at; an earlier one afterwards counts as this.
    latest_ms: i64,
}

/// Admissions that leave the window at the same moment.
#[derive(Clone, Copy, Debug)]
struct Run {
    at_ms: i64,
    count: u32,
}

/// The verdict on one request and what the caller is told about the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Whether the request may go on. A refused request does not count.
    pub admitted: bool,
    /// Requests in any 60 s, as given.
    pub limit: u32,
    /// Requests that would be admitted now, after this one.
    pub remaining: u32,
    /// Whole seconds, rounded up: with nothing remaining, until a further request is admitted (on
    /// a refusal at least 1: the `Retry-After`); otherwise until the oldest admission leaves.
    pub reset_s: u32,
}

impl Window {
    /// A window nobody has asked yet.
    pub fn new() -> Self {
        Self {
            runs: VecDeque::new(),
            admitted: 0,
            latest_ms: i64::MIN,
        }
    }

    /// Admits the request at `now_ms` or refuses it. Only differences of time matter, so any
    /// clock will do, best one that cannot be set: while it goes back, time stands still here.
    /// `limit` may differ from call to call; a limit of 0 refuses always (and then says 60 s).
    pub fn admit(&mut self, limit: u32, now_ms: i64) -> Admission {
        self.latest_ms = self.latest_ms.max(now_ms);
        self.forget(self.latest_ms);
        let admitted = self.admitted < limit;
        if admitted {
            self.record(limit, self.latest_ms);
        }
        let remaining = limit.saturating_sub(self.admitted);
        // a slot may leave a little after its window; nobody is refused that long
        let wait_ms = self.next_change_ms(limit, now_ms).saturating_sub(now_ms);
        let reset_s = match admitted {
            true => whole_seconds(wait_ms.min(WINDOW_MS)),
            false => whole_seconds(wait_ms),
        };
        Admission {
            admitted,
            limit,
            remaining,
            reset_s,
        }
    }

    /// Undoes the latest admission: what it was counted for turned out not to count.
    pub fn take_back(&mut self) {
        let Some(newest) = self.runs.back_mut() else {
            return;
        };
        newest.count -= 1;
        self.admitted -= 1;
        if newest.count == 0 {
            self.runs.pop_back();
        }
    }

    /// Whether every admission has left: such a window may be dropped without loss.
    pub fn is_idle(&self, now_ms: i64) -> bool {
        self.runs
            .back()
            .is_none_or(|newest| leaves_ms(newest) <= now_ms)
    }

    fn forget(&mut self, now_ms: i64) {
        while let Some(oldest) = self.runs.front().filter(|run| leaves_ms(run) <= now_ms) {
            self.admitted -= oldest.count;
            self.runs.pop_front();
        }
    }

    fn record(&mut self, limit: u32, now_ms: i64) {
        let exact = limit <= EXACT_LIMIT_MAX;
        let wanted_ms = if exact {
            now_ms
        } else {
            last_ms_of_slot(now_ms)
        };
        // when a limit falls to an exact one, the last slot on record may end ahead of now
        let newest_ms = self.runs.back().map_or(wanted_ms, |newest| newest.at_ms);
        let at_ms = wanted_ms.max(newest_ms);
        match self.runs.back_mut().filter(|newest| newest.at_ms == at_ms) {
            Some(newest) => newest.count += 1,
            None => self.runs.push_back(Run { at_ms, count: 1 }),
        }
        self.admitted += 1;
    }

    /// When a request is next admitted if none is now, else when the oldest admission leaves.
    fn next_change_ms(&self, limit: u32, now_ms: i64) -> i64 {
        let mut left = self.admitted;
        for run in &self.runs {
            left -= run.count;
            if left < limit {
                return leaves_ms(run);
            }
        }
        now_ms.saturating_add(WINDOW_MS)
    }
}

impl Default for Window {
    fn default() -> Self {
        Self::new()
    }
}

fn leaves_ms(run: &Run) -> i64 {
    run.at_ms.saturating_add(WINDOW_MS)
}

fn last_ms_of_slot(now_ms: i64) -> i64 {
    now_ms.saturating_add(SLOT_MS - 1 - now_ms.rem_euclid(SLOT_MS))
}

fn whole_seconds(span_ms: i64) -> u32 {
    u32::try_from(span_ms.max(1).saturating_add(999) / 1_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
