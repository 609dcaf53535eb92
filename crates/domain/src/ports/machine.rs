//! What the engine needs of the machine it runs on: the time, and a place to run tasks.

use crate::time::{Millis, Timestamp};
use crate::upstream::Pending;

/// Time, as one source for the whole program.
pub trait Clock: Send + Sync {
    /// Now. Never jumps while the process runs, whatever the machine's clock does.
    fn now(&self) -> Timestamp;
    /// Completes after the span.
    fn sleep(&self, span: Millis) -> Pending<'static, ()>;
}

/// Runs work that must not die with the request that started it; shutdown waits for it.
pub trait Tasks: Send + Sync {
    /// Starts it.
    fn spawn(&self, work: Pending<'static, ()>);

    /// Does work that keeps a processor busy, beside the threads that answer requests where there
    /// are such.
    fn compute(&self, work: Box<dyn FnOnce() + Send>) -> Pending<'static, ()> {
        work();
        Box::pin(std::future::ready(()))
    }
}
