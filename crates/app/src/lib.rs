//! app

pub mod api_key;
pub mod limits;
