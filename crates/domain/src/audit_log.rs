//! The audit log: who did what to what, and why. Lines are only ever added, in the same change as
//! what they record; each is chained to the one before it of the same account, or of the house.

mod about;

use std::fmt;

use crate::change::Write;
use crate::ids::{AccountId, PersonId};
use crate::time::Timestamp;

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// What stands before the first line of a chain.
pub const START: Hash = [0; 32];

/// Characters of a line's text members at most.
const TEXT_MAX: usize = 2_000;

/// Details that a line names one by one.
const NAMED: usize = 10;

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The program by itself.
    System,
    /// Whoever runs commands on the machine, by the name the machine knows them by.
    CommandLine(String),
    /// A member of staff at the console.
    Staff(PersonId),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::CommandLine(user) => write!(f, "cli:{user}"),
            Self::Staff(person) => write!(f, "staff:{person}"),
        }
    }
}

/// Who acts, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// Why, in their words; empty where none was asked for.
    pub reason: String,
}

impl By {
    /// Somebody who gave no reason.
    pub fn new(actor: Actor) -> Self {
        Self {
            actor,
            reason: String::new(),
        }
    }

    /// The same with a reason.
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            ..self
        }
    }
}

/// A line that is to be written: the store gives it its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Whose chain; nothing for the house's own.
    pub account: Option<AccountId>,
    /// Who: an [`Actor`] in words.
    pub actor: String,
    /// What was done: the name of the change.
    pub action: String,
    /// What to, such as `account 7`.
    pub object: String,
    /// Why, in the actor's words.
    pub reason: String,
    /// What is new, without anything secret.
    pub details: String,
}

impl Note {
    /// What an actor did by these writes; nothing if none of them is of the kind that is kept.
    pub fn of(by: &By, action: &str, writes: &[Write]) -> Option<Self> {
        let mut note = Self {
            actor: by.actor.to_string(),
            action: action.to_owned(),
            reason: cut(&by.reason),
            ..Self::default()
        };
        let mut details: Vec<String> = Vec::new();
        for about in writes.iter().filter_map(about::about) {
            note.account = note.account.or(about.account);
            if note.object.is_empty() {
                note.object = about.object;
            }
            if note.reason.is_empty() {
                note.reason = cut(&about.reason);
            }
            details.extend(Some(about.details).filter(|text| !text.is_empty()));
        }
        note.details = cut(&first_few(&details));
        (!note.object.is_empty()).then_some(note)
    }

    /// Something that changes no other row, such as a look at what is not everybody's to see.
    pub fn seen(by: &By, action: &str, account: Option<AccountId>, object: String) -> Self {
        Self {
            account,
            actor: by.actor.to_string(),
            action: action.to_owned(),
            object,
            reason: cut(&by.reason),
            details: String::new(),
        }
    }
}

/// The first of many details by name, and how many more there are.
fn first_few(details: &[String]) -> String {
    let named = details.get(..NAMED).unwrap_or(details);
    let told = named.join("; ");
    match details.len() - named.len() {
        0 => told,
        more => format!("{told}; and {more} more"),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}

/// A line as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Place among all lines, from 1, without gaps.
    pub id: i64,
    /// Place in its chain, from 1, without gaps.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What it says.
    pub note: Note,
    /// Hash of the line before it in its chain.
    pub previous: Hash,
    /// Its own hash: over everything above.
    pub hash: Hash,
}

/// What all lines up to one amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Lines.
    pub size: u64,
    /// Root of the Merkle tree over their hashes.
    pub root: Hash,
    /// When it was made.
    pub at: Timestamp,
}

/// A checkpoint as somebody keeps it outside, with the hashes of the newest lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Hashes of the lines before [`Checkpoint::size`], its last one last; as many as were kept.
    pub hashes: Vec<Hash>,
}

/// A line that is not as it was written, or not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// The first one.
    pub id: u64,
    /// What is wrong, in words.
    pub why: String,
}

/// What came of looking at all lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Lines there are.
    pub lines: u64,
    /// Checkpoints that were compared.
    pub checkpoints: u64,
    /// The first line that is wrong, if one is.
    pub bad: Option<BadLine>,
}

/// What to write of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditWrite {
    /// A line.
    Note(Box<Note>),
    /// A checkpoint was made. Guard: there is none of this size yet.
    Checkpoint(Checkpoint),
}

/// Which lines are asked for; members left out match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinesOf {
    /// Only of this account's chain.
    pub account: Option<AccountId>,
    /// Only by actors whose word begins so.
    pub actor: Option<String>,
    /// Only this action.
    pub action: Option<String>,
    /// Only at or after this.
    pub since: Option<Timestamp>,
    /// Only before this.
    pub until: Option<Timestamp>,
    /// Only older than this line.
    pub before: Option<i64>,
    /// Lines at most, newest first.
    pub limit: u32,
}

#[cfg(test)]
mod tests;
