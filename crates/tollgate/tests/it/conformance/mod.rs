//! One suite over every adapter: what the ports promise holds whatever protocol is behind them,
//! and nothing that a provider answers does harm.

pub mod gate;
mod hostile;
mod lists;
mod numbers;
mod panel;
mod party;
mod siege;
