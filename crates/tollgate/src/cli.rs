//! The command line: scripts rely on its words, its JSON and its exit status.

mod desk;
mod lawful;

pub use desk::{Audit, Staff};
pub use lawful::{Abuse, Hold, Secrets};

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
    /// Write a commented settings file and the secret it needs.
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

/// Accounts.
#[derive(Debug, Subcommand)]
pub enum Account {
    /// Make an account with API access and an empty wallet.
    Create {
        /// E-mail address.
        #[arg(long)]
        email: String,
        /// Password for signing in; better left out where others see the command line.
        #[arg(long)]
        password: Option<String>,
        /// Trust tier, 0 to 3; your own customers are tier 3.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=3))]
        tier: u8,
    },
    /// List all accounts.
    List,
    /// Show one account.
    Show {
        /// Account id.
        id: i64,
    },
    /// Move an account to another trust tier.
    Tier {
        /// Account id.
        #[arg(long, value_name = "ID")]
        account: i64,
        /// Trust tier, 0 to 3.
        #[arg(long, value_parser = clap::value_parser!(u8).range(0..=3))]
        tier: u8,
    },
    /// Note what an account uses the service for, as its holder has stated it to you.
    Attest {
        /// Account id.
        #[arg(long, value_name = "ID")]
        account: i64,
        /// The purpose, in its holder's words.
        #[arg(long, value_name = "TEXT")]
        purpose: String,
    },
    /// Stop an account from buying; open orders still settle.
    Suspend {
        /// Account id.
        id: i64,
    },
    /// Let a suspended account buy again.
    Resume {
        /// Account id.
        id: i64,
    },
    /// Print everything that is kept of an account, as JSON.
    Export {
        /// Account id.
        id: i64,
    },
    /// Forget who an account was; orders and money stay without a name. Its orders must have settled and
    /// its balance must be paid out.
    Delete {
        /// Account id.
        id: i64,
    },
}

/// Numbers and targets that are not to be used.
#[derive(Debug, Subcommand)]
pub enum Block {
    /// Nobody is sold this number, or orders for this target, from now on.
    Add {
        #[command(flatten)]
        subject: Subject,
        /// Who asked for it, and why.
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// It may be used again.
    Remove {
        #[command(flatten)]
        subject: Subject,
    },
    /// List what is not to be used.
    List,
}

/// A number or a target.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Subject {
    /// A phone number with its country code.
    #[arg(long, value_name = "PHONE")]
    pub number: Option<String>,
    /// A link that SMM orders can be for.
    #[arg(long, value_name = "LINK")]
    pub target: Option<String>,
}

/// API keys.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make a key; it is shown this once.
    Create {
        /// Account id.
        #[arg(long, value_name = "ID")]
        account: i64,
        /// Name to recognise it by.
        #[arg(long, default_value = "default")]
        name: String,
        /// Requests per minute and action, instead of the general limit.
        #[arg(long, value_name = "PER_MINUTE", value_parser = clap::value_parser!(u32).range(1..))]
        rate_limit: Option<u32>,
        /// What it may do: otp, smm, read; everything where left out.
        #[arg(
            long,
            value_name = "SCOPES",
            value_delimiter = ',',
            value_parser = ["otp", "smm", "read"]
        )]
        scope: Vec<String>,
    },
    /// List an account's keys.
    List {
        /// Account id.
        #[arg(long, value_name = "ID")]
        account: i64,
    },
    /// Revoke a key, at once and for good.
    Revoke {
        /// Key id.
        id: i64,
    },
}

/// Wallets.
#[derive(Debug, Subcommand)]
pub enum Wallet {
    /// Put money into a wallet.
    Credit {
        /// Account id.
        #[arg(long, value_name = "ID")]
        account: i64,
        /// Dollars, such as 12.50.
        #[arg(long, value_name = "AMOUNT", value_parser = dollars)]
        usd: String,
        /// Why; kept with the entry.
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
    /// Show what is available and what is on hold.
    Show {
        /// Account id.
        #[arg(long, value_name = "ID")]
        account: i64,
    },
}

/// Redeem codes.
#[derive(Debug, Subcommand)]
pub enum Redeem {
    /// Make codes; they are shown this once.
    Create {
        /// Worth of each in dollars, such as 5.00.
        #[arg(long, value_name = "AMOUNT", value_parser = dollars)]
        usd: String,
        /// How many.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        count: u32,
        /// Days until they expire [default: never].
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3_650))]
        expires_days: Option<u32>,
        /// The house gives them away; otherwise they count as sold elsewhere.
        #[arg(long)]
        gift: bool,
        /// Why; kept with the codes.
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
    },
    /// List the newest codes and who redeemed them; not the codes themselves.
    List,
    /// Switch a code off that nobody has redeemed.
    Disable {
        /// Id from the list.
        id: i64,
    },
}

/// Top-ups.
#[derive(Debug, Subcommand)]
pub enum TopUp {
    /// List those that wait for you.
    List {
        /// The newest of all instead.
        #[arg(long)]
        all: bool,
    },
    /// Credit a bank transfer that arrived, or a top-up in review.
    Approve {
        /// Top-up, such as tu_42.
        id: String,
        /// What arrived, where it is not what was declared.
        #[arg(long, value_name = "AMOUNT", value_parser = dollars)]
        usd: Option<String>,
        /// The bank's reference of the transfer, or the processor's id of the payment; each counts
        /// once.
        #[arg(long, value_name = "TEXT")]
        reference: String,
        /// Why; kept with the top-up.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Close one without money.
    Reject {
        /// Top-up, such as tu_42.
        id: String,
        /// Why; kept with the top-up.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Return money to the payer: out of the wallet first, then at the processor.
    Refund {
        /// Top-up, such as tu_42.
        id: String,
        /// How much.
        #[arg(long, value_name = "AMOUNT", value_parser = dollars)]
        usd: String,
        /// Why; kept in the log.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Credit announced transfers by a statement of the bank account, as CSV with the columns id,
    /// amount, currency and text. A line counts once.
    Import {
        /// The statement.
        file: PathBuf,
    },
    /// Compare a day's credits with the processors' own lists.
    Reconcile {
        /// Day (UTC) [default: yesterday].
        #[arg(long, value_name = "YYYY-MM-DD")]
        day: Option<String>,
    },
}

/// The books.
#[derive(Debug, Subcommand)]
pub enum Ledger {
    /// Re-derive every balance from the journal and name what is wrong.
    Verify,
    /// What each upstream took and gave back, by day, and what for.
    Books {
        /// One day (UTC) [default: today].
        #[arg(long, value_name = "YYYY-MM-DD", conflicts_with_all = ["from", "to"])]
        day: Option<String>,
        /// First day (UTC).
        #[arg(long, value_name = "YYYY-MM-DD", requires = "to")]
        from: Option<String>,
        /// Last day (UTC).
        #[arg(long, value_name = "YYYY-MM-DD", requires = "from")]
        to: Option<String>,
        /// Only this upstream.
        #[arg(long, value_name = "NAME")]
        upstream: Option<String>,
    },
    /// What a person has to look at.
    Tickets {
        /// Also those that are closed.
        #[arg(long)]
        all: bool,
    },
    /// Close a ticket.
    Close {
        /// Ticket id.
        id: i64,
        /// What was found; kept with the ticket.
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
    /// Return to the customer what a ticket withholds, and close it.
    Pay {
        /// Ticket id.
        id: i64,
        /// Why; kept with the ticket.
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
}

/// Your own numbers.
#[derive(Debug, Subcommand)]
pub enum Number {
    /// Bring a number into service.
    Add {
        /// Upstream whose pool it joins.
        #[arg(long, value_name = "NAME")]
        upstream: String,
        /// The number with its country code, such as +14155550199.
        #[arg(long, value_name = "NUMBER")]
        number: String,
        /// Country: name or two letters.
        #[arg(long, value_name = "COUNTRY")]
        country: String,
        /// Part of the pool that customers choose by itself.
        #[arg(long, value_name = "POOL")]
        pool: Option<String>,
        /// Service codes it may be rented for; all where left out.
        #[arg(long, value_name = "CODES", value_delimiter = ',')]
        only: Vec<String>,
        /// Service codes it may not be rented for.
        #[arg(long, value_name = "CODES", value_delimiter = ',')]
        never: Vec<String>,
    },
    /// Bring many numbers into service: lines of NUMBER,COUNTRY or NUMBER,COUNTRY,POOL.
    Import {
        /// Upstream whose pool they join.
        #[arg(long, value_name = "NAME")]
        upstream: String,
        /// The file.
        file: PathBuf,
    },
    /// List a pool.
    List {
        /// Upstream.
        #[arg(long, value_name = "NAME")]
        upstream: String,
    },
    /// Take a number out of service; whoever rents it keeps it to the end.
    Retire {
        /// Upstream.
        #[arg(long, value_name = "NAME")]
        upstream: String,
        /// The number.
        #[arg(long, value_name = "NUMBER")]
        number: String,
    },
    /// Show the latest messages that came while nobody rented their number.
    Unmatched {
        /// Messages at most.
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
}

/// The accounts at providers.
#[derive(Debug, Subcommand)]
pub enum Upstreams {
    /// Show every upstream: protocol, servers, state, last known balance.
    List,
    /// Try one out, step by step, and say what is wrong. Nothing is bought.
    Test {
        /// Its name in the settings.
        name: String,
    },
}

/// What is on sale.
#[derive(Debug, Subcommand)]
pub enum Catalogue {
    /// Read all upstreams' catalogues anew.
    Refresh,
    /// Count what is on sale, by upstream, with age and trouble.
    Stats,
    /// List services that are not sold because nobody has classified them.
    Unclassified,
    /// Classify a service, at once and over restarts. What is denied for good stays denied.
    Classify {
        /// Name of the service as "unclassified" lists it.
        name: String,
        /// Class, such as social_messaging; all are in docs/settings.md.
        class: String,
    },
    /// Show how costs changed, the latest first.
    History {
        /// Only this service, by id or name.
        #[arg(long, value_name = "SERVICE")]
        service: Option<String>,
        /// Only this country.
        #[arg(long, value_name = "COUNTRY")]
        country: Option<String>,
        /// Only this upstream.
        #[arg(long, value_name = "NAME")]
        upstream: Option<String>,
        /// Changes at most.
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Show which prices the [markup] of another settings file would change.
    Preview {
        /// The changed settings file, or one with nothing but [markup] in it.
        file: PathBuf,
        /// Tier of the account whose prices are compared.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=3))]
        tier: u8,
        /// Examples at most.
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=10_000))]
        limit: u32,
    },
}

fn dollars(text: &str) -> Result<String, String> {
    match domain::usd::Usd::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("give dollars with at most six decimals, such as 12.50".to_owned()),
    }
}
