//! Denied sales, counted in memory until they are written down.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How often each class was denied since it was last written down.
#[derive(Debug, Default)]
pub(crate) struct Denials(Mutex<BTreeMap<&'static str, u64>>);

impl Denials {
    /// A sale of this class was denied.
    pub(crate) fn note(&self, class: &'static str) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counted.entry(class).or_default() += 1;
    }

    /// Hands them over; the count begins anew.
    pub(crate) fn take(&self) -> Vec<(String, u64)> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = std::mem::take(&mut *counted).into_iter();
        taken
            .map(|(class, count)| (class.to_owned(), count))
            .collect()
    }
}
