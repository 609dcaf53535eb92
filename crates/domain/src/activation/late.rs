//! A code that comes after its cancel was confirmed: nobody sees it, and the release stands.

use super::{Activation, ActivationState};
use crate::change::{Reason, Write};
use crate::mutant::lacks_rule;
use crate::time::Timestamp;
use crate::upstream::Sms;

impl Activation {
    /// Whether its lifetime is over.
    pub fn is_past(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Why a cancel that nobody waits for any more is under way: a client's is asked for before the end
    /// of the lifetime, and stays the client's when it is finished in the background.
    pub fn why_cancelled(&self, now: Timestamp) -> Reason {
        let lives = self.expires_at.is_some_and(|end| now < end);
        let asked = self.state == ActivationState::CancelRequested && lives;
        match asked && !lacks_rule(61) {
            true => Reason::Cancelled,
            false => Reason::Expired,
        }
    }

    /// A client's cancel that was confirmed is looked at once more at the end of the lifetime.
    pub(super) fn look_after(&mut self, reason: Reason) {
        if reason == Reason::Cancelled && !lacks_rule(58) {
            self.tries = 0;
            self.due_at = self.expires_at;
        }
    }

    /// The upstream has a code all the same. It is dropped; the order is marked, so that what the
    /// upstream takes for it is known to be the house's to bear.
    pub fn late_code(mut self, sms: Sms, now: Timestamp) -> Vec<Write> {
        self.due_at = None;
        self.late_code_at = Some(now);
        let shown = lacks_rule(57).then(|| self.keep(sms, now));
        shown.into_iter().chain([self.save()]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;
    use super::*;

    #[test]
    fn a_cancel_asked_for_within_the_lifetime_stays_the_clients() {
        let mut row = shown();
        let end = Timestamp(row.created_at.0 + 1_000);
        row.expires_at = Some(end);
        let before = Timestamp(end.0 - 1);
        assert_eq!(row.why_cancelled(end), Reason::Expired);
        row.state = ActivationState::CancelRequested;
        assert_eq!(row.why_cancelled(before), Reason::Cancelled);
        assert_eq!(row.why_cancelled(end), Reason::Expired);
        row.expires_at = None;
        assert_eq!(row.why_cancelled(before), Reason::Expired);
    }
}
