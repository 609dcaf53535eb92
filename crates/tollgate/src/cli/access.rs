//! Words of the command line about accounts and their keys.

use crate::admin::{Request, abuse, lawful};
use clap::Subcommand;

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
    /// Print what is kept of an account, as JSON.
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

impl From<Account> for Request {
    fn from(command: Account) -> Self {
        match command {
            Account::Create {
                email,
                password,
                tier,
            } => Self::AccountCreate {
                email,
                tier,
                password,
            },
            Account::Tier { account, tier } => {
                Self::Lawful(lawful::Question::Tier { account, tier })
            }
            Account::Attest { account, purpose } => {
                Self::Lawful(lawful::Question::Attest { account, purpose })
            }
            Account::Export { id } => Self::Abuse(abuse::Question::Export { account: id }),
            Account::Delete { id } => Self::Abuse(abuse::Question::Delete { account: id }),
            Account::List => Self::AccountList,
            Account::Show { id } => Self::AccountShow { id },
            Account::Suspend { id } => Self::AccountSuspend {
                id,
                suspended: true,
            },
            Account::Resume { id } => Self::AccountSuspend {
                id,
                suspended: false,
            },
        }
    }
}

impl From<Key> for Request {
    fn from(command: Key) -> Self {
        match command {
            Key::Create {
                account,
                name,
                rate_limit,
                scope,
            } => Self::KeyCreate {
                account,
                name,
                rate_limit,
                scopes: scope,
            },
            Key::List { account } => Self::KeyList { account },
            Key::Revoke { id } => Self::KeyRevoke { id },
        }
    }
}
