//! The one integration-test binary: black-box tests against the real program.
#![expect(
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

mod audit_log;
mod between;
mod canary;
mod catalogue;
mod clock;
mod conformance;
mod crash;
mod disk;
mod failover;
mod failpoints;
mod half_sent;
mod incidents;
mod nodes;
mod operations;
mod otp;
mod own_numbers;
mod packaging;
mod panels;
mod program;
mod restore;
mod rolling;
mod served;
mod shared_limits;
mod smm;
mod storage;
mod tidy;
mod tls;
mod top_up_deaths;
mod top_up_nodes;
mod top_ups;
mod traces;
mod upstreams;
mod visitor;
mod world;
