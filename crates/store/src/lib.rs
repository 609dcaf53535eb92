//! What is remembered: the only SQL. One write door (`commit`), reads as questions of the
//! business, and an audit that re-derives the books.

mod audit;
mod audit_chain;
mod backup_error;
mod catalogue_files;
mod chain;
#[cfg(test)]
mod contract;
mod database;
mod ids;
#[cfg(any(test, feature = "simulation"))]
mod memory;
mod merkle;
mod open_error;
mod order_audit;
mod postgres;
mod rows;
mod smm_audit;
mod sql;
mod sqlite;
mod threads;
mod top_up_audit;
mod vault;

pub use backup_error::BackupError;
pub use catalogue_files::{CatalogueFiles, History};
pub use database::Database;
#[cfg(any(test, feature = "simulation"))]
pub use memory::Memory;
pub use open_error::OpenError;
pub use postgres::{Moved, PostgresSettings, TransferError, transfer};
pub use sqlite::{Copied, Restored};
pub use vault::{Vault, VaultError, check_keys, fresh_keys, with_new_key};
