//! A code that comes after its cancel was confirmed: nobody sees it, and the release stands.

use super::Activation;
use crate::change::{Reason, Write};
use crate::mutant::lacks_rule;
use crate::time::Timestamp;
use crate::upstream::Sms;

impl Activation {
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
