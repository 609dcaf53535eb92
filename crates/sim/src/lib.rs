//! The simulation that proves the engine: the real rules and the real store on one thread, with
//! upstreams, clients, time and trouble drawn from a seed.

mod asks;
pub mod campaign;
pub mod cases;
pub mod checks;
pub mod client;
pub mod contested;
pub mod corners;
pub mod coverage;
pub mod evidence;
pub mod executor;
pub mod failover;
pub mod hanging;
pub mod mutants;
pub mod node;
pub mod node_store;
pub mod numbers;
pub mod panel;
mod products;
pub mod race;
pub mod random;
pub mod rented;
pub mod restored;
pub mod sale;
pub mod schedule;
pub mod settled;
pub mod story;
pub mod tickets;
pub mod truth;
pub mod undone;
pub mod world;

#[cfg(test)]
mod tests;
