//! Who does the work: one thread writes, a few read, so that the async executor never waits for a
//! disk or another machine.

pub(crate) mod health;
pub(crate) mod readers;
pub(crate) mod writer;

use crate::open_error::OpenError;
use crate::sql::Connection;

/// A connection that a thread owns.
pub(crate) type Owned = Box<dyn Connection + Send>;

/// Where connections come from.
pub(crate) trait Opener: Send + Sync {
    /// A connection that reads.
    fn reader(&self) -> Result<Owned, OpenError>;

    /// A connection that writes, after a storage failure: what must be checked first was checked.
    fn checked_writer(&self) -> Result<Owned, OpenError>;

    /// Checks the whole database.
    fn check_whole(&self, conn: &dyn Connection) -> Result<(), OpenError>;

    /// Whether a reader's connection may end without anything being wrong with the storage.
    fn loses_connections(&self) -> bool;

    /// How many connections read.
    fn readers(&self) -> u16;
}
