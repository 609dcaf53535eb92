//! What is remembered of upstreams' catalogues.

use super::StoreError;
use crate::catalogue::CostChange;
use crate::policy::OtpClass;
use crate::time::Timestamp;

/// A changed cost as it is on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedChange {
    /// When it was read.
    pub at: Timestamp,
    /// Upstream.
    pub upstream: String,
    /// What changed.
    pub change: CostChange,
}

/// Which changes are asked for; members left out match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangesOf {
    /// Upstream.
    pub upstream: Option<String>,
    /// Service id or name, in any case.
    pub service: Option<String>,
    /// Canonical country key.
    pub country: Option<String>,
    /// Only at or after this.
    pub since: Timestamp,
    /// The latest so many.
    pub limit: usize,
}

/// What the catalogue remembers beside orders and money: each upstream's last listing, how costs
/// changed, and how the operator classified services. Calls may touch a disk.
pub trait CatalogueArchive: Send + Sync {
    /// Keeps an upstream's listing in place of the one before: all of it or none.
    fn keep(&self, upstream: &str, listing: &[u8]) -> Result<(), StoreError>;
    /// The kept listings that are sound; what is broken is thrown away.
    fn kept(&self) -> Result<Vec<Vec<u8>>, StoreError>;
    /// Adds to the history; what is too old or too much is dropped from its far end.
    fn note(&self, upstream: &str, at: Timestamp, changes: &[CostChange])
    -> Result<(), StoreError>;
    /// The latest changes, newest first.
    fn changes(&self, wanted: &ChangesOf) -> Result<Vec<NotedChange>, StoreError>;
    /// Classes that the operator gave to services by name, the latest word for each.
    fn classes(&self) -> Result<Vec<(String, OtpClass)>, StoreError>;
    /// Classifies a service.
    fn classify(&self, service: &str, class: OtpClass) -> Result<(), StoreError>;
}
