//! The router as callers meet it, over the real engine and store and scripted upstreams.

mod access;
mod answers;
mod at_once;
mod bad_input;
mod cases;
mod catalogue;
mod console;
mod dashboard;
mod everywhere;
mod hang_up;
mod health;
mod hooks;
mod lawful;
mod overdue;
mod panels;
mod payments;
mod policy;
mod polling;
mod replays;
mod routes;
mod several_upstreams;
mod smm_requests;
mod surroundings;
mod tickets;
mod upstreams;
mod world;
