//! Keys of single days, each made from the one before: who has thrown a day's away cannot get back to
//! it, and every node that began with the same file has the same ones.

use super::VaultError;
use super::file::{make_private_directory, read_private, replace_private};
use domain::time::Timestamp;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How far ahead of the oldest day a key is made: a clock that is further ahead is wrong.
const AHEAD_MAX: i64 = 4000;
/// Name of the file in its directory.
const FILE: &str = "chain";
/// Programs that make backups leave a directory with this file out, where they are told to.
const TAG: (&str, &str) = (
    "CACHEDIR.TAG",
    "Signature: 8a477f597d28d172789f06886806bc55\n# Keys of single days. They must not be in any backup.\n",
);

/// Days since 1970-01-01 in UTC.
pub(crate) fn day_of(at: Timestamp) -> i64 {
    at.0.div_euclid(DAY_MS)
}

/// The oldest day whose key is left, and what all later ones are made from.
pub(super) struct Chain {
    directory: PathBuf,
    /// Tells this chain from others, in eight letters.
    pub(super) id: String,
    /// The oldest day.
    pub(super) oldest: i64,
    link: [u8; 32],
    /// Whether the file still holds keys that were thrown away.
    unwritten: bool,
    /// Keys from the oldest day on, as far as they were asked for.
    ready: Vec<([u8; 32], [u8; 32])>,
}

impl Chain {
    /// The chain of a directory; a new one from this day on where there is none.
    pub(super) fn open(directory: &Path, today: i64) -> Result<Self, VaultError> {
        let path = directory.join(FILE);
        if let Some(text) = read_private(&path)? {
            return Self::read(directory, &text).ok_or(VaultError::NoChain { path });
        }
        make_private_directory(directory)?;
        let (link, id) = (super::random::<32>()?, super::random::<4>()?);
        let chain = Self {
            directory: directory.to_owned(),
            id: super::hex(&id),
            oldest: today,
            link,
            unwritten: false,
            ready: Vec::new(),
        };
        let (tag, text) = TAG;
        replace_private(&directory.join(tag), text)?;
        chain.write()?;
        Ok(chain)
    }

    fn read(directory: &Path, text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let (oldest, id, link) = (words.next()?, words.next()?, words.next()?);
        Some(Self {
            directory: directory.to_owned(),
            id: id.to_owned(),
            oldest: oldest.parse().ok()?,
            link: super::unhex(link)?,
            unwritten: false,
            ready: Vec::new(),
        })
    }

    fn write(&self) -> Result<(), VaultError> {
        let text = format!("{} {} {}\n", self.oldest, self.id, super::hex(&self.link));
        replace_private(&self.path(), &text)
    }

    /// The key of a day; nothing where it was thrown away, or is too far ahead.
    pub(super) fn key(&mut self, day: i64) -> Option<[u8; 32]> {
        let ahead = day.checked_sub(self.oldest)?;
        if !(0..=AHEAD_MAX).contains(&ahead) {
            return None;
        }
        let ahead = usize::try_from(ahead).ok()?;
        while self.ready.len() <= ahead {
            let link = match self.ready.last() {
                Some((link, _)) => next(link),
                None => self.link,
            };
            self.ready.push((link, derived("key", &link)));
        }
        self.ready.get(ahead).map(|(_, key)| *key)
    }

    /// The key of a day that is there already.
    pub(super) fn ready_key(&self, day: i64) -> Option<[u8; 32]> {
        let ahead = usize::try_from(day.checked_sub(self.oldest)?).ok()?;
        self.ready.get(ahead).map(|(_, key)| *key)
    }

    /// Throws away the keys of all days before this one, in memory and in the file. Whether there were
    /// any, one that the file could not be rid of before included.
    pub(super) fn forget_before(&mut self, day: i64) -> Result<bool, VaultError> {
        if day > self.oldest {
            self.throw_away(day);
        }
        if self.unwritten {
            self.write()?;
            self.unwritten = false;
            return Ok(true);
        }
        Ok(false)
    }

    fn throw_away(&mut self, day: i64) {
        let mut link = self.link;
        for _ in self.oldest..day {
            link = next(&link);
        }
        (self.link, self.oldest) = (link, day);
        self.ready.clear();
        self.unwritten = true;
    }

    /// The file.
    pub(super) fn path(&self) -> PathBuf {
        self.directory.join(FILE)
    }
}

fn next(link: &[u8; 32]) -> [u8; 32] {
    derived("next", link)
}

fn derived(what: &str, from: &[u8; 32]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"tollgate day ");
    hash.update(what.as_bytes());
    hash.update(from);
    hash.finalize().into()
}
