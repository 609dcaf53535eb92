//! web

pub mod docs;
pub mod serve;
pub mod strict_head;
