//! Who signs in: customers at the dashboard, staff at the console, their sessions, and the mails
//! that reach them. Secrets are here only as hashes, but for the shared secret of a second factor,
//! which has to be known to check a code.

use crate::ids::{AccountId, PersonId};
use crate::time::Timestamp;
use crate::usd::Usd;

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Buys; signs in at the dashboard.
    Customer,
    /// Everything at the console.
    Owner,
    /// Money at the console.
    Finance,
    /// Customers and orders at the console.
    Support,
    /// Reads everything at the console and changes nothing.
    Auditor,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [
        Self::Customer,
        Self::Owner,
        Self::Finance,
        Self::Support,
        Self::Auditor,
    ];

    /// Stable word.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Owner => "owner",
            Self::Finance => "finance",
            Self::Support => "support",
            Self::Auditor => "auditor",
        }
    }

    /// Reads a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.slug() == slug)
    }

    /// Whether this is one of the console's roles.
    pub fn is_staff(self) -> bool {
        self != Self::Customer
    }
}

/// A second factor by time-based codes (RFC 6238: SHA-1, six digits, 30 s).
#[derive(Clone, PartialEq, Eq)]
pub struct Totp {
    /// The shared secret, 20 bytes.
    pub secret: Vec<u8>,
    /// Whether its owner has shown a code of it: only then it is asked for.
    pub confirmed: bool,
    /// The newest time step whose code was used: no step is taken twice.
    pub last_step: i64,
}

impl std::fmt::Debug for Totp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Totp")
            .field("confirmed", &self.confirmed)
            .finish_non_exhaustive()
    }
}

/// Somebody who signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Row.
    pub id: PersonId,
    /// Rises with every change.
    pub version: i64,
    /// E-mail, lower case; unique among customers, and among staff.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// A customer's account; staff have none.
    pub account: Option<AccountId>,
    /// Salted hash in PHC form; nothing until a password was set.
    pub password: Option<String>,
    /// When the address was shown to be theirs.
    pub verified_at: Option<Timestamp>,
    /// The second factor, if one was begun.
    pub totp: Option<Totp>,
    /// Signing in is switched off.
    pub disabled: bool,
    /// Creation.
    pub created_at: Timestamp,
}

impl Person {
    /// Whether a code of the second factor is asked for at sign-in.
    pub fn has_second_factor(&self) -> bool {
        self.totp.as_ref().is_some_and(|totp| totp.confirmed)
    }
}

/// A browser that is signed in. The token itself is only in its cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Row, to name it by.
    pub id: i64,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// Who.
    pub person: PersonId,
    /// Sign-in.
    pub created_at: Timestamp,
    /// Last request, to the minute.
    pub seen_at: Timestamp,
    /// End, whatever happens.
    pub expires_at: Timestamp,
    /// Where from, at the last request.
    pub address: String,
    /// The browser's name for itself, cut; hostile text.
    pub agent: String,
    /// When the password or a second factor was last shown in this session.
    pub proved_at: Timestamp,
}

/// What a token in a mail is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// Shows that the address is its owner's.
    VerifyEmail,
    /// Sets a new password.
    ResetPassword,
}

impl TokenUse {
    /// Stable word.
    pub fn slug(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
        }
    }

    /// Reads a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        [Self::VerifyEmail, Self::ResetPassword]
            .into_iter()
            .find(|one| one.slug() == slug)
    }
}

/// A token that was mailed. The token itself is only in the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailToken {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// Whose.
    pub person: PersonId,
    /// What for.
    pub usage: TokenUse,
    /// End.
    pub expires_at: Timestamp,
}

/// A mail on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Row.
    pub id: i64,
    /// Address.
    pub to: String,
    /// Subject, one line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// Creation.
    pub created_at: Timestamp,
    /// Next try; nothing once it is sent or given up.
    pub due_at: Option<Timestamp>,
    /// When it was handed over.
    pub sent_at: Option<Timestamp>,
    /// Tries so far.
    pub tries: u32,
}

/// A customer who wants to know when little is left to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LowBalance {
    /// Whose balance.
    pub account: AccountId,
    /// Available below this is little; above zero.
    pub threshold: Usd,
    /// It fell below and its owner was told; false again once it has risen to the threshold.
    pub told: bool,
}

impl LowBalance {
    /// The same with what it has to say of this balance.
    pub fn seen(self, available: Usd) -> Self {
        Self {
            told: available < self.threshold,
            ..self
        }
    }
}

/// One thing to write about people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeopleWrite {
    /// A new person. Guard: the e-mail is free among customers, or among staff.
    Insert(Box<Person>),
    /// A person changes. Guards: the stored version is the one it was read with; the e-mail is free.
    Update(Box<Person>),
    /// Somebody stops being an owner. Guard: another owner who has joined and is not suspended is left.
    KeepOwner {
        /// Who.
        except: PersonId,
    },
    /// A browser is signed in.
    StartSession(Box<Session>),
    /// A session was used, or its owner proved again who they are.
    TouchSession(Box<Session>),
    /// One session of a person ends.
    EndSession {
        /// Whose.
        person: PersonId,
        /// Row.
        id: i64,
    },
    /// All sessions of a person end, but for one where it is named.
    EndSessions {
        /// Whose.
        person: PersonId,
        /// The row that stays.
        except: Option<i64>,
    },
    /// A token was made; earlier ones for the same use are void.
    IssueToken(MailToken),
    /// A token is used up. Guard: it is there and not expired.
    UseToken {
        /// Its hash.
        hash: [u8; 32],
    },
    /// New recovery codes in place of all earlier ones, as hashes in PHC form.
    SetRecoveryCodes {
        /// Whose.
        person: PersonId,
        /// Hashes.
        hashes: Vec<String>,
    },
    /// A recovery code is used up. Guard: it is still there.
    UseRecoveryCode {
        /// Whose.
        person: PersonId,
        /// Which one.
        number: i64,
    },
    /// A mail is to be sent.
    QueueMail(Box<Mail>),
    /// A mail was sent, is tried again later, or is given up.
    UpdateMail(Box<Mail>),
    /// A balance is watched from now on, or at another threshold.
    WatchBalance(LowBalance),
    /// A balance is watched no longer.
    ForgetBalance {
        /// Whose.
        account: AccountId,
    },
    /// A watched balance has crossed its threshold. Guard: it is watched at this threshold, and was
    /// on the other side of it.
    CrossBalance(LowBalance),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::from_slug(role.slug()), Some(role));
            assert_eq!(role.is_staff(), role != Role::Customer);
        }
        for usage in [TokenUse::VerifyEmail, TokenUse::ResetPassword] {
            assert_eq!(TokenUse::from_slug(usage.slug()), Some(usage));
        }
    }

    #[test]
    fn a_shared_secret_is_not_printed() {
        let totp = Totp {
            secret: vec![42; 20],
            confirmed: true,
            last_step: 0,
        };
        assert!(!format!("{totp:?}").contains("42"));
    }
}
