//! Words of the command line about what is not to be used, reports of abuse, legal holds and the keys
//! of stored secrets.

use crate::admin::{abuse, keeper, lawful};
use clap::{Args, Subcommand};

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
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Subject {
    /// A phone number with its country code.
    #[arg(long, value_name = "PHONE")]
    pub number: Option<String>,
    /// A link that SMM orders can be for.
    #[arg(long, value_name = "LINK")]
    pub target: Option<String>,
}

/// Reports of abuse.
#[derive(Debug, Subcommand)]
pub enum Abuse {
    /// List the open reports.
    List {
        /// Closed ones as well.
        #[arg(long)]
        all: bool,
    },
    /// Show one report and what stands behind it.
    Show {
        /// Report id.
        id: i64,
    },
    /// Close a report; the hold on its evidence ends.
    Close {
        /// Report id.
        id: i64,
        /// What came of it.
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
}

/// Legal holds.
#[derive(Debug, Subcommand)]
pub enum Hold {
    /// No retention touches it from now on.
    Add {
        #[command(flatten)]
        on: HeldRow,
        /// Who wants it, why, and until when.
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// What you held it for is over. The hold of a report ends when the report is closed.
    Remove {
        #[command(flatten)]
        on: HeldRow,
    },
    /// List what is held.
    List,
}

/// What a legal hold is on.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct HeldRow {
    /// An order.
    #[arg(long, value_name = "ID")]
    pub order: Option<i64>,
    /// Everything of an account.
    #[arg(long, value_name = "ID")]
    pub account: Option<i64>,
}

/// The keys that stored secrets are sealed with.
#[derive(Debug, Subcommand)]
pub enum Secrets {
    /// Show which key is in use, and how much older keys still seal.
    Status,
    /// Add a key to the key file. `secrets take` on every node, then `secrets rotate` take it into use.
    NewKey,
    /// Read the key file anew, to open what other nodes seal with its newest key.
    Take,
    /// Read the key file anew and seal everything that lasts with its newest key. It may be broken off
    /// and run again.
    Rotate,
}

impl From<Block> for lawful::Question {
    fn from(command: Block) -> Self {
        match command {
            Block::Add {
                subject: given,
                why,
            } => Self::Block {
                subject: given.into(),
                why,
            },
            Block::Remove { subject: given } => Self::Unblock {
                subject: given.into(),
            },
            Block::List => Self::Blocked,
        }
    }
}

impl From<Subject> for lawful::Subject {
    fn from(given: Subject) -> Self {
        // the parser takes exactly one of the two
        match (given.number, given.target) {
            (Some(number), _) => Self::Number(number),
            (None, target) => Self::Target(target.unwrap_or_default()),
        }
    }
}

impl From<Abuse> for abuse::Question {
    fn from(command: Abuse) -> Self {
        match command {
            Abuse::List { all } => Self::List { all },
            Abuse::Show { id } => Self::Show { id },
            Abuse::Close { id, note } => Self::Close { id, note },
        }
    }
}

impl From<Hold> for abuse::Question {
    fn from(command: Hold) -> Self {
        match command {
            Hold::Add { on, why } => Self::Hold { on: on.into(), why },
            Hold::Remove { on } => Self::Release { on: on.into() },
            Hold::List => Self::Holds,
        }
    }
}

impl From<HeldRow> for abuse::On {
    fn from(row: HeldRow) -> Self {
        match (row.order, row.account) {
            (Some(order), _) => Self::Order(order),
            (None, account) => Self::Account(account.unwrap_or_default()),
        }
    }
}

impl From<Secrets> for keeper::Question {
    fn from(command: Secrets) -> Self {
        match command {
            Secrets::Status => Self::Status,
            Secrets::NewKey => Self::NewKey,
            Secrets::Take => Self::Take,
            Secrets::Rotate => Self::Rotate,
        }
    }
}
