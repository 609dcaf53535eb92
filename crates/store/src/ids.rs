//! Fresh ids. A series hands out one after the other; where several nodes share a database, each
//! takes them from blocks that it reserved.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a caller waits for a block when the last one is used up.
const PATIENCE: Duration = Duration::from_secs(1);

/// The ids of one installation.
pub(crate) struct Ids {
    /// Of orders.
    pub(crate) orders: Series,
    /// Of all other numbered rows.
    pub(crate) rows: Series,
}

/// One series of ids.
pub(crate) struct Series {
    stock: Mutex<Stock>,
    more: Condvar,
}

/// What is reserved.
struct Stock {
    blocks: VecDeque<Range<i64>>,
    /// The id handed out last.
    last: i64,
    /// Handed out since the stock was looked at.
    used: i64,
}

impl Series {
    /// Ids after this one, without end.
    pub(crate) fn after(last: i64) -> Self {
        let series = Self::default();
        series.replace(Some(last + 1..i64::MAX));
        series
    }

    /// A fresh id. When all are used up and no more come, the last one again: a database that cannot
    /// reserve a block cannot take a row either, and two rows of one id are refused.
    pub(crate) fn next(&self) -> i64 {
        let mut stock = self.stock();
        if stock.blocks.is_empty() {
            let waited = self
                .more
                .wait_timeout_while(stock, PATIENCE, |stock| stock.blocks.is_empty());
            stock = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        stock.used += 1;
        if let Some(block) = stock.blocks.front_mut() {
            let id = block.start;
            block.start += 1;
            if block.is_empty() {
                stock.blocks.pop_front();
            }
            stock.last = id;
        }
        stock.last
    }

    /// Goes on with other blocks.
    pub(crate) fn replace(&self, blocks: impl IntoIterator<Item = Range<i64>>) {
        self.stock().blocks = blocks.into_iter().collect();
        self.more.notify_all();
    }

    /// Goes on with these when the ones before are used up.
    pub(crate) fn extend(&self, blocks: impl IntoIterator<Item = Range<i64>>) {
        self.stock().blocks.extend(blocks);
        self.more.notify_all();
    }

    /// How many are left.
    pub(crate) fn left(&self) -> i64 {
        self.stock()
            .blocks
            .iter()
            .map(|block| block.end - block.start)
            .sum()
    }

    /// The end of what was reserved last.
    pub(crate) fn end(&self) -> i64 {
        let stock = self.stock();
        stock
            .blocks
            .back()
            .map_or(stock.last + 1, |block| block.end)
    }

    /// How many were used since this was asked last.
    pub(crate) fn take_used(&self) -> i64 {
        std::mem::take(&mut self.stock().used)
    }

    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Series {
    /// Without any ids yet.
    fn default() -> Self {
        Self {
            stock: Mutex::new(Stock {
                blocks: VecDeque::new(),
                last: 0,
                used: 0,
            }),
            more: Condvar::new(),
        }
    }
}
