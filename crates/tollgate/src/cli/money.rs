//! Words of the command line about money: wallets, redeem codes, top-ups and the books.

use crate::admin::{Request, ledger, redeem, top_up};
use anyhow::Context;
use clap::Subcommand;
use std::path::PathBuf;

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
        /// What the wallet lacks of it is owed; else only what is there is returned
        #[arg(long)]
        owe: bool,
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
    /// Compare a day's credits with the processors' own lists, and book the fees and payouts of these.
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

impl From<Wallet> for Request {
    fn from(command: Wallet) -> Self {
        match command {
            Wallet::Credit { account, usd, note } => Request::WalletCredit { account, usd, note },
            Wallet::Show { account } => Request::WalletShow { account },
        }
    }
}

impl From<Redeem> for Request {
    fn from(command: Redeem) -> Self {
        use redeem::Question;
        Request::Redeem(match command {
            Redeem::Create {
                usd,
                count,
                expires_days,
                gift,
                note,
            } => Question::Create {
                usd,
                count,
                expires_days,
                gift,
                note,
            },
            Redeem::List => Question::List,
            Redeem::Disable { id } => Question::Disable { id },
        })
    }
}

impl TopUp {
    /// What is asked.
    ///
    /// # Errors
    /// A statement cannot be read.
    pub fn request(self) -> anyhow::Result<Request> {
        use top_up::Question;
        Ok(Request::TopUp(match self {
            TopUp::List { all } => Question::List { all },
            TopUp::Approve {
                id,
                usd,
                reference,
                reason,
            } => Question::Approve {
                id,
                usd,
                reference,
                reason,
            },
            TopUp::Reject { id, reason } => Question::Reject { id, reason },
            TopUp::Refund {
                id,
                usd,
                owe,
                reason,
            } => Question::Refund {
                id,
                usd,
                owe,
                reason,
            },
            TopUp::Import { file } => Question::Import {
                file: std::fs::read_to_string(&file)
                    .with_context(|| format!("{} cannot be read", file.display()))?,
            },
            TopUp::Reconcile { day } => Question::Reconcile { day },
        }))
    }
}

impl From<Ledger> for Request {
    fn from(command: Ledger) -> Self {
        use ledger::Question;
        Self::Ledger(match command {
            Ledger::Verify => return Request::LedgerVerify,
            Ledger::Books {
                day,
                from,
                to,
                upstream,
            } => Question::Books {
                from: from.or_else(|| day.clone()),
                to: to.or(day),
                upstream,
            },
            Ledger::Tickets { all } => Question::Tickets { all },
            Ledger::Close { id, note } => Question::Close { id, note },
            Ledger::Pay { id, note } => Question::Pay { id, note },
        })
    }
}

fn dollars(text: &str) -> Result<String, String> {
    match domain::usd::Usd::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("give dollars with at most six decimals, such as 12.50".to_owned()),
    }
}
