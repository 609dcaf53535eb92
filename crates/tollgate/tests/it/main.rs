//! The one integration-test binary: black-box tests against the real program.

mod otp;
mod program;
mod smm;
mod tidy;
mod world;
