//! The command line: scripts rely on its words, its JSON and its exit status.

mod access;
mod desk;
mod lawful;
mod money;
mod stock;

pub use access::{Account, Key};
pub use desk::{Audit, Staff};
pub use lawful::{Abuse, Block, Hold, Secrets};
pub use money::{Ledger, Redeem, TopUp, Wallet};
pub use stock::{Catalogue, Number, Upstreams};

use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The open, self-hosted gateway for OTP activations and SMM orders.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, about, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Where the installation is.
    #[command(flatten)]
    pub place: Place,
    /// Print one JSON object instead of text.
    #[arg(long, global = true)]
    pub json: bool,
}

/// Where the installation is: a settings file, or a demo's directory.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// Settings file [default: tollgate.toml where there is one].
    #[arg(long, global = true, value_name = "FILE", env = "TOLLGATE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Data directory of a demo [default: tollgate-demo].
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "TOLLGATE_DATA",
        conflicts_with = "config"
    )]
    pub data: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything on this machine with practice providers and one account with $50.
    Demo {
        /// Address to answer at.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
        /// Practice providers that run elsewhere, instead of in this process.
        #[arg(long, value_name = "URL")]
        sandbox_url: Option<String>,
    },
    /// Run for real customers, from a settings file.
    Serve {
        /// Go on although the machine's clock shows a time before the newest entry of the books.
        /// Needed once, where an earlier start had a clock that ran ahead.
        #[arg(long)]
        trust_clock: bool,
    },
    /// Run the practice providers alone.
    Sandbox {
        /// Address to answer at.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
        listen: SocketAddr,
        /// Offers beyond the ordinary catalogue, to practise with a large one.
        #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=5_000_000))]
        offers: u32,
    },
    /// Write a commented settings file and the secrets it needs; what is there already stays.
    Init {
        /// Directory to write to.
        #[arg(default_value = ".")]
        directory: PathBuf,
    },
    /// Name everything that is wrong with the settings.
    CheckConfig,
    /// Look at everything an installation stands on, and say what to do where something is wrong.
    Doctor,
    /// Print the OpenAPI description of the API.
    Openapi,
    /// Bring the store to this version's form; or move a whole installation to PostgreSQL.
    Migrate {
        /// Move from here, while no server runs on it: a data directory or a backup.
        #[arg(long, value_name = "sqlite:PATH", requires = "to")]
        from: Option<String>,
        /// Move to this database, which must be empty; in the environment nobody sees the password.
        #[arg(
            long,
            value_name = "postgres://…",
            requires = "from",
            env = "TOLLGATE_MIGRATE_TO",
            hide_env_values = true
        )]
        to: Option<String>,
    },
    /// Copy the store into a file, also while the server runs, and check the copy.
    Backup {
        /// Where to; a file that is there is not overwritten.
        file: PathBuf,
    },
    /// Bring a backup back while no server runs. On PostgreSQL: after pg_restore, without a file.
    Restore {
        /// The backup.
        file: Option<PathBuf>,
        /// Replace a store that is there; it is kept aside under another name.
        #[arg(long)]
        force: bool,
    },
    /// Accounts: customers and their access.
    #[command(subcommand)]
    Account(Account),
    /// API keys.
    #[command(subcommand)]
    Key(Key),
    /// Wallets.
    #[command(subcommand)]
    Wallet(Wallet),
    /// Redeem codes.
    #[command(subcommand)]
    Redeem(Redeem),
    /// Numbers and targets that are not to be used.
    #[command(subcommand)]
    Block(Block),
    /// Top-ups: money that customers pay in.
    #[command(subcommand, name = "topup")]
    TopUp(TopUp),
    /// Reports of abuse.
    #[command(subcommand)]
    Abuse(Abuse),
    /// Legal holds: orders and accounts that no retention touches.
    #[command(subcommand)]
    Hold(Hold),
    /// The keys that stored secrets are sealed with.
    #[command(subcommand)]
    Secrets(Secrets),
    /// The books.
    #[command(subcommand)]
    Ledger(Ledger),
    /// Who works at the console.
    #[command(subcommand)]
    Staff(Staff),
    /// The audit log: who did what, and whether it is as it was written.
    #[command(subcommand)]
    Audit(Audit),
    /// The accounts at providers.
    #[command(subcommand)]
    Upstream(Upstreams),
    /// What is on sale.
    #[command(subcommand)]
    Catalogue(Catalogue),
    /// Your own numbers, rented out by an upstream with protocol own_numbers.
    #[command(subcommand)]
    Number(Number),
}
