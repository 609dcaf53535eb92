//! People who sign in: sign-up, sign-in, second factor, sessions, passwords, and their mails.
//!
//! Answers to strangers are uniform: whether an e-mail is known shows neither in words nor in time.

mod keys;
mod look;
mod low_balance;
mod mails;
pub(crate) mod password;
mod second_factor;
mod sessions;
mod sign_in;
mod sign_up;
mod staff;
mod token;

pub use look::Looking;
pub use password::{Strength, strength};
pub use second_factor::Enrolment;
pub use sessions::{Place, Signed};
pub use sign_in::{SignIn, Ticket};
pub use staff::Joining;

use crate::accounts::AdminError;
use crate::api_key::Pepper;
use crate::engine::Engine;
use crate::limits::Limits;
use domain::change::{CommitError, Write};
use domain::hex::hex;
use domain::ids::AccountId;
use domain::people::{PeopleWrite, Person, Session};
use domain::ports::{PeopleRows, StoreError};
use domain::time::Millis;
use hmac::Mac;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Passwords hashed at the same time: each takes 19 MiB and a core for some ten milliseconds.
const HASHED_AT_ONCE: usize = 2;

/// What the operator set for people who sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeopleSettings {
    /// Scheme and host that links in mails start with; from the settings, never from a request.
    pub base_url: String,
    /// Scheme and host that links for new staff start with.
    pub console_url: String,
    /// Tier of accounts that sign up by themselves.
    pub sign_up_tier: u8,
    /// Whether mail can be sent: without it nobody can sign up or reset a password.
    pub mails: bool,
    /// Whether mails stay here to be read instead of being sent: only the demo does that.
    pub keeps_mails: bool,
}

/// Use cases about people.
pub struct People {
    /// The use cases about everything else.
    pub engine: Arc<Engine>,
    rows: Arc<dyn PeopleRows>,
    limits: Arc<Limits>,
    pepper: Pepper,
    settings: PeopleSettings,
    hashing: Semaphore,
}

/// Why a request about a person was not done; the sentence is for that person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeopleError {
    /// A field has an unusable value.
    #[error("{why}")]
    Invalid {
        /// The form's field.
        field: &'static str,
        /// What is wrong and what would do.
        why: String,
    },
    /// E-mail, password or code are wrong; which one is not said.
    #[error("That did not match. Check what you typed and try again.")]
    NoMatch,
    /// E-mail or password are wrong, or the address is not confirmed yet; which one is not said.
    #[error(
        "That did not match, or the address is not confirmed yet. Check what you typed, or open the \
         link in our mail."
    )]
    NoEntry,
    /// The link of a mail is used, too old or was never sent.
    #[error("This link is no longer good. Ask for a new one.")]
    BadLink,
    /// Too many tries.
    #[error("Too many tries. Wait {0} seconds and try again.")]
    TooMany(u32),
    /// The password has to be shown again first.
    #[error("Confirm your password first: this page changes who can spend your balance.")]
    ProofNeeded,
    /// No mail can be sent from here.
    #[error(
        "This gateway cannot send mail, so this cannot be done here. Ask its operator for an account."
    )]
    NoMail,
    /// A key cannot be made or changed so.
    #[error("{0}")]
    Key(#[from] AdminError),
    /// Something else changed the person first, such as the same form sent twice.
    #[error("Something else changed this at the same moment. Look at the page, then try again.")]
    Changed,
    /// The store failed.
    #[error("The gateway could not store this just now. Try again in a moment.")]
    Storage,
}

impl From<StoreError> for PeopleError {
    fn from(_: StoreError) -> Self {
        Self::Storage
    }
}

impl From<CommitError> for PeopleError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Refused(_) => Self::Changed,
            CommitError::Storage(_) => Self::Storage,
        }
    }
}

impl People {
    /// The person who signs in for an account.
    pub(crate) async fn person_of_account(
        &self,
        account: AccountId,
    ) -> Result<Option<Person>, StoreError> {
        self.rows.person_of(account).await
    }

    /// Use cases over these rows.
    pub fn new(
        engine: Arc<Engine>,
        rows: Arc<dyn PeopleRows>,
        limits: Arc<Limits>,
        pepper: Pepper,
        settings: PeopleSettings,
    ) -> Self {
        Self {
            engine,
            rows,
            limits,
            pepper,
            settings,
            hashing: Semaphore::new(HASHED_AT_ONCE),
        }
    }

    /// The rows, for reads that are no use case of their own.
    pub fn rows(&self) -> &dyn PeopleRows {
        self.rows.as_ref()
    }

    /// What forms of this session carry: no other site can know it.
    pub fn form_token(&self, session: &Session) -> String {
        self.seal(&["form token", &hex(&session.hash)])
    }

    /// Seals a balance that an address of an account's statement carries.
    pub fn statement_seal(&self, account: AccountId, event: i64, balance: i64) -> String {
        let parts = [account.0, event, balance].map(|part| part.to_string());
        self.seal(&["statement", &parts[0], &parts[1], &parts[2]])
    }

    /// A keyed hash in hexadecimal that only this installation can make. The first part says what
    /// for, so that no seal stands for another; no part has a line break.
    fn seal(&self, parts: &[&str]) -> String {
        let mut mac = self.pepper.keyed();
        mac.update(parts.join("\n").as_bytes());
        hex(&mac.finalize().into_bytes())
    }

    /// Scheme and host under which people reach the gateway, without a slash behind.
    pub fn base_url(&self) -> &str {
        &self.settings.base_url
    }

    /// Whether mails stay here to be read, as the demo has it.
    pub fn keeps_mails(&self) -> bool {
        self.settings.keeps_mails
    }

    /// Whether mail can be sent from here.
    pub fn sends_mail(&self) -> bool {
        self.settings.mails
    }

    /// Whether people can sign up here.
    pub fn takes_sign_ups(&self) -> bool {
        self.settings.mails
    }

    async fn write(&self, name: &'static str, writes: Vec<PeopleWrite>) -> Result<(), CommitError> {
        let writes = writes.into_iter().map(Write::People).collect();
        self.engine.commit(name, writes).await
    }

    fn next_row(&self) -> i64 {
        self.engine.store().next_row_id()
    }
}

/// How long the password counts as just shown.
const PROOF: Millis = Millis::minutes(15);
