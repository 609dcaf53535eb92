//! What is remembered: the only SQL. One write door (`commit`), reads as questions of the
//! business, and an audit that re-derives the books.

mod audit;
mod catalogue_files;
mod chain;
#[cfg(test)]
mod contract;
mod order_audit;
mod sqlite;

pub use catalogue_files::{CatalogueFiles, History};
pub use sqlite::{OpenError, Sqlite};
