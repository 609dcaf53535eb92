//! web

pub mod docs;
