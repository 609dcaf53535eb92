//! Which rows of an upstream's list purchases in doubt may take while other purchase calls for the
//! same are still under way: what a call has booked is listed before its answer arrives.

use crate::time::Timestamp;

/// Until when rows were made among which at least one is no running call's. `made_before`: for each
/// free row that fits, by when it was there; `begun`: when each running call for the same was sent. A
/// call cannot have made what was there before it was sent, so that a row is free for good once the
/// calls of its time have ended, however many follow.
pub fn spare_until(made_before: &[Timestamp], begun: &[Timestamp]) -> Option<Timestamp> {
    let by = |all: &[Timestamp], at| all.iter().filter(|one| **one <= at).count();
    let spare = |at: &&Timestamp| by(made_before, **at) > by(begun, **at);
    made_before.iter().filter(spare).min().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spare(made_before: &[i64], begun: &[i64]) -> Option<i64> {
        let times = |all: &[i64]| all.iter().copied().map(Timestamp).collect::<Vec<_>>();
        spare_until(&times(made_before), &times(begun)).map(|at| at.0)
    }

    #[test]
    fn a_row_alone_is_left_to_a_call_that_may_have_made_it() {
        assert_eq!(spare(&[100], &[]), Some(100));
        assert_eq!(spare(&[100], &[100]), None);
        assert_eq!(spare(&[100], &[40]), None);
        assert_eq!(spare(&[], &[]), None);
    }

    #[test]
    fn calls_sent_after_a_row_was_there_leave_it_alone() {
        assert_eq!(spare(&[100], &[101, 102, 103]), Some(100));
    }

    #[test]
    fn of_more_rows_than_calls_one_is_spare() {
        assert_eq!(spare(&[100, 200], &[50]), Some(200));
        assert_eq!(spare(&[100, 200], &[150]), Some(100));
        assert_eq!(spare(&[100, 200], &[50, 150]), None);
        // the younger rows are as many as their own calls, and take nothing from the older one
        assert_eq!(spare(&[100, 200, 300], &[150, 250, 260]), Some(100));
    }
}
