//! Fresh ids. A series hands out one after the other; where several nodes share a database, each
//! takes them from a block of its own.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// The ids of one installation.
pub(crate) struct Ids {
    /// Of orders.
    pub(crate) orders: Series,
    /// Of all other numbered rows.
    pub(crate) rows: Series,
}

/// One series of ids.
pub(crate) struct Series(Mutex<Range<i64>>);

impl Series {
    /// Ids after this one, without end.
    pub(crate) fn after(last: i64) -> Self {
        Self::of(last + 1..i64::MAX)
    }

    /// Ids of one block.
    pub(crate) fn of(block: Range<i64>) -> Self {
        Self(Mutex::new(block))
    }

    /// A fresh id. A block that was used up gives its last id again: a store that cannot give a
    /// new block cannot take a row either, and two rows of one id are refused.
    pub(crate) fn next(&self) -> i64 {
        let mut block = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = block.start;
        if id < block.end - 1 {
            block.start += 1;
        }
        id
    }

    /// Goes on with another block.
    #[cfg(feature = "simulation")]
    pub(crate) fn go_on_with(&self, block: Range<i64>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = block;
    }
}
