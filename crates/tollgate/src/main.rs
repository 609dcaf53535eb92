//! The program: command line, settings, wiring, start and stop.

mod admin;
mod assembly;
mod background;
mod checkpoints;
mod cli;
mod clock;
mod commands;
mod demo;
mod doctor;
mod installation;
mod logs;
mod metrics;
mod notify;
mod os_user;
mod payments;
mod postman;
mod print;
mod proxies;
mod public_address;
mod reload;
mod secrets;
mod server;
mod settings;
mod shared_windows;
mod socket;
mod tasks;
mod traces;
mod wiring;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return commands::failed(cli.json, "the TLS provider was installed twice");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return commands::failed(cli.json, &format!("no runtime: {error}")),
    };
    runtime.block_on(commands::run(cli))
}
