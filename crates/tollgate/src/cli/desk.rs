//! Words of the command line about staff of the console and the audit log.

use crate::admin::{audit, staff};
use clap::Subcommand;
use std::path::PathBuf;

/// Staff.
#[derive(Debug, Subcommand)]
pub enum Staff {
    /// Make a member of staff; the link that lets them in is shown this once.
    Add {
        /// E-mail address.
        #[arg(long)]
        email: String,
        /// What they may do.
        #[arg(long, value_parser = ROLES)]
        role: String,
    },
    /// List them.
    List,
    /// Give somebody another role; their sessions end.
    Role {
        /// E-mail address.
        #[arg(long)]
        email: String,
        /// What they may do from now on.
        #[arg(long, value_parser = ROLES)]
        role: String,
    },
    /// End somebody's access, at once.
    Suspend {
        /// E-mail address.
        #[arg(long)]
        email: String,
    },
    /// Give it back.
    Resume {
        /// E-mail address.
        #[arg(long)]
        email: String,
    },
    /// Let somebody start anew who lost password or second factor; the link is shown this once.
    Reset {
        /// E-mail address.
        #[arg(long)]
        email: String,
    },
}

/// Roles of the console.
const ROLES: [&str; 4] = ["owner", "finance", "support", "auditor"];

/// The audit log.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// List lines, newest first.
    List {
        /// Only about this account.
        #[arg(long, value_name = "ID")]
        account: Option<i64>,
        /// Only by actors whose word begins so, such as cli:root or staff:.
        #[arg(long, value_name = "WHO")]
        actor: Option<String>,
        /// Only this action, such as credit_wallet.
        #[arg(long, value_name = "WORD")]
        action: Option<String>,
        /// Lines at most.
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Look at every line, compare them with all checkpoints, and name the first one that is wrong.
    Verify {
        /// A checkpoint that you kept elsewhere.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
    },
    /// Make a signed checkpoint now, in the place of the settings or in a file.
    Export {
        /// The file; an existing one is replaced.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
}

impl From<Staff> for staff::Question {
    fn from(command: Staff) -> Self {
        use staff::Question as Q;
        match command {
            Staff::Add { email, role } => Q::Add { email, role },
            Staff::List => Q::List,
            Staff::Role { email, role } => Q::Role { email, role },
            Staff::Suspend { email } => Q::Suspend {
                email,
                suspended: true,
            },
            Staff::Resume { email } => Q::Suspend {
                email,
                suspended: false,
            },
            Staff::Reset { email } => Q::Reset { email },
        }
    }
}

impl Audit {
    /// What is asked.
    ///
    /// # Errors
    /// A file cannot be named in full.
    pub fn question(self) -> std::io::Result<audit::Question> {
        // the server that answers may run elsewhere: files are named in full
        Ok(match self {
            Audit::List {
                account,
                actor,
                action,
                limit,
            } => audit::Question::List {
                account,
                actor,
                action,
                limit,
            },
            Audit::Verify { checkpoint } => audit::Question::Verify {
                checkpoint: checkpoint.map(std::path::absolute).transpose()?,
            },
            Audit::Export { to } => audit::Question::Export {
                to: to.map(std::path::absolute).transpose()?,
            },
        })
    }
}
