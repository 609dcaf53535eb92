//! Words of the command line about reports of abuse, legal holds and the keys of stored secrets.

use crate::admin::{abuse, keeper};
use clap::{Args, Subcommand};

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
    /// Its retention goes on.
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
    /// Add a key to the key file. `secrets rotate` takes it into use.
    NewKey,
    /// Read the key file anew and seal everything that lasts with its newest key. It may be broken off
    /// and run again.
    Rotate,
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
            Secrets::Rotate => Self::Rotate,
        }
    }
}
