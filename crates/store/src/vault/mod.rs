//! What makes stored secrets unreadable to whoever has only the database: XChaCha20-Poly1305 with the
//! row's identity as associated data, so that a sealed cell means nothing in another row.
//!
//! Codes and message texts are sealed under the key of their day, which is thrown away when their
//! retention is over; what has to last is sealed under the newest of the lasting keys.

mod chain;
mod file;
mod rows;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use chain::day_of;
pub(crate) use rows::Messages;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use chain::Chain;
use domain::hex::hex;
use domain::time::{Millis, Timestamp};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

/// How every sealed text begins.
pub(crate) const MARK: &str = "sealed:";
/// Bytes of a nonce.
const NONCE: usize = 24;
/// Name of the key that numbers are hashed with: it does not change when others do.
const INDEX: &str = "index";

/// Why secrets cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The lasting keys are not what they should be.
    #[error("the keys are not readable: {0}")]
    BadKeys(&'static str),
    /// A file cannot be used.
    #[error("cannot use {}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Others can open a file.
    #[error("{} is open to other users of this machine (mode {mode:04o}); run: chmod 600 {}", path.display(), path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file of the daily keys is damaged.
    #[error("{} is no file of daily keys; remove it, and codes that were stored so far stay unreadable", path.display())]
    NoChain {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    NoRandomness,
}

/// Which cell is sealed.
pub(crate) struct Cell {
    /// Table.
    pub(crate) table: &'static str,
    /// Column.
    pub(crate) column: &'static str,
    /// What tells the row from all others of the table.
    pub(crate) row: String,
}

impl Cell {
    fn identity(&self) -> Vec<u8> {
        format!("{}.{} {}", self.table, self.column, self.row).into_bytes()
    }
}

/// What became of a sealed text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// What was sealed.
    Plain(Vec<u8>),
    /// Its key was thrown away.
    Gone,
    /// It is not what was sealed for this cell, or its key was never here.
    Wrong(&'static str),
}

/// Keys that last, by number, and the one that numbers are hashed with.
struct Lasting {
    index: [u8; 32],
    keys: Vec<(u32, [u8; 32])>,
    /// Number of the one that seals.
    sealing: u32,
}

impl Lasting {
    /// Reads `index:HEX,1:HEX,2:HEX`.
    fn parse(text: &str) -> Result<Self, VaultError> {
        let (mut index, mut keys) = (None, Vec::new());
        for part in text.split(',').map(str::trim) {
            let (name, hex) = part
                .split_once(':')
                .ok_or(VaultError::BadKeys("each is NAME:64 HEX DIGITS"))?;
            let key = unhex(hex).ok_or(VaultError::BadKeys("a key has 64 hex digits"))?;
            match name {
                INDEX => index = Some(key),
                number => keys.push((
                    number
                        .parse()
                        .map_err(|_| VaultError::BadKeys("a key's name is index or a number"))?,
                    key,
                )),
            }
        }
        keys.sort_unstable_by_key(|(number, _)| *number);
        if keys.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(VaultError::BadKeys("a number is there twice"));
        }
        match (index, keys.last()) {
            (Some(index), Some((sealing, _))) => Ok(Self {
                index,
                sealing: *sealing,
                keys,
            }),
            _ => Err(VaultError::BadKeys(
                "there must be a key named index and one with a number",
            )),
        }
    }

    fn newest(&self) -> u32 {
        self.keys.last().map_or(0, |(number, _)| *number)
    }

    fn key(&self, number: u32) -> Option<[u8; 32]> {
        let found = self.keys.iter().find(|(one, _)| *one == number);
        found.map(|(_, key)| *key)
    }
}

/// The keys of an installation.
pub struct Vault {
    lasting: RwLock<Lasting>,
    chain: RwLock<Chain>,
    retention: Millis,
}

impl Vault {
    /// Over lasting keys as [`fresh_keys`] makes them, and a directory of daily ones, which is made
    /// where there is none.
    ///
    /// # Errors
    /// The keys are malformed, or the directory cannot be used.
    pub fn open(
        keys: &str,
        daily: &Path,
        retention: Millis,
        now: Timestamp,
    ) -> Result<Self, VaultError> {
        let chain = Chain::open(daily, day_of(now - retention))?;
        let ahead = chain.oldest - day_of(now);
        if ahead > 0 {
            // a clock that was wrong once is no reason to stand still, and none to lose a code
            tracing::error!(
                file = %chain.path().display(),
                "the daily keys begin {ahead} days after today: this machine's clock is behind, or a clock was \
                 ahead once. Codes are sealed with the first of them and stay readable for as much longer. Set \
                 the clock right; if it is right, stop every node when no code is awaited, remove the file and \
                 start"
            );
        }
        Ok(Self {
            lasting: RwLock::new(Lasting::parse(keys)?),
            chain: RwLock::new(chain),
            retention,
        })
    }

    /// Opens with these lasting keys from now on; what seals stays the same one, so that nodes which
    /// have not taken them yet can read what this one writes. Gives the number of the newest.
    ///
    /// # Errors
    /// They are malformed, or the one that seals is not among them; nothing has changed then.
    pub fn take_keys(&self, keys: &str) -> Result<u32, VaultError> {
        let taken = Lasting::parse(keys)?;
        let mut lasting = write(&self.lasting);
        if taken.key(lasting.sealing) != lasting.key(lasting.sealing) {
            let why = "the one that seals now is not among them, and must be";
            return Err(VaultError::BadKeys(why));
        }
        let newest = taken.newest();
        *lasting = Lasting {
            sealing: lasting.sealing,
            ..taken
        };
        Ok(newest)
    }

    /// Seals with the newest key from now on.
    pub fn seal_with_newest(&self) {
        let mut lasting = write(&self.lasting);
        lasting.sealing = lasting.newest();
    }

    /// Name of the chain of daily keys, and its file.
    pub(crate) fn chain(&self) -> (String, PathBuf) {
        let chain = read(&self.chain);
        (chain.id.clone(), chain.path())
    }

    /// Of which day, counted from 1970-01-01 in UTC, the oldest codes are that can be read.
    pub fn oldest_day(&self) -> i64 {
        read(&self.chain).oldest
    }

    /// Number of the key that lasting secrets are sealed under.
    pub fn sealing_key(&self) -> u32 {
        read(&self.lasting).sealing
    }

    /// Number of the newest key that opens.
    pub fn newest_key(&self) -> u32 {
        read(&self.lasting).newest()
    }

    /// Throws away the keys of the days whose codes have been kept long enough. Whether there were any.
    ///
    /// # Errors
    /// The file cannot be written; the keys in memory are gone all the same.
    pub fn forget(&self, now: Timestamp) -> Result<bool, VaultError> {
        write(&self.chain).forget_before(day_of(now - self.retention))
    }

    /// A number as it is kept once it may be kept in clear no longer: always the same for the same
    /// number.
    pub(crate) fn hashed(&self, number: &str) -> String {
        let index = read(&self.lasting).index;
        // HMAC takes keys of any length
        Hmac::<Sha256>::new_from_slice(&index).map_or_else(
            |_| String::new(),
            |mut mac| {
                mac.update(number.as_bytes());
                hex(&mac.finalize().into_bytes())
            },
        )
    }

    /// Seals what has to last.
    pub(crate) fn seal(&self, cell: &Cell, plain: &[u8]) -> Result<String, VaultError> {
        let (number, key) = {
            let lasting = read(&self.lasting);
            (lasting.sealing, lasting.key(lasting.sealing))
        };
        let key = key.ok_or(VaultError::BadKeys("there is none"))?;
        sealed(&key, &format!("k{number}"), cell, plain)
    }

    /// Seals what is readable only as long as the key of its day is there: under the oldest key that is
    /// left where the day's own was thrown away, since what has just come must not be lost. Nothing where
    /// the day is too far ahead.
    pub(crate) fn seal_for(
        &self,
        day: i64,
        cell: &Cell,
        plain: &[u8],
    ) -> Result<Option<String>, VaultError> {
        let day = day.max(self.oldest_day());
        let Some((chain, key)) = self.daily(day) else {
            return Ok(None);
        };
        sealed(&key, &format!("d{day}-{chain}"), cell, plain).map(Some)
    }

    /// Opens either.
    pub(crate) fn unseal(&self, cell: &Cell, text: &str) -> Found {
        let parts = text
            .strip_prefix(MARK)
            .and_then(|rest| rest.split_once(':'));
        let Some((name, body)) = parts else {
            return Found::Wrong("it is not sealed");
        };
        let key = match name.split_at_checked(1) {
            Some(("k", number)) => self.lasting_key(number),
            Some(("d", rest)) => match self.daily_named(rest) {
                Ok(key) => key,
                Err(found) => return found,
            },
            _ => None,
        };
        let Some(key) = key else {
            return Found::Wrong("its key is not here");
        };
        opened(&key, cell, body).map_or(Found::Wrong("it was sealed for another row"), Found::Plain)
    }

    /// Whether a sealed text is under an older key than the one that seals. A newer one is another
    /// node's.
    pub(crate) fn is_outdated(&self, text: &str) -> bool {
        let name = text
            .strip_prefix(MARK)
            .and_then(|rest| rest.split_once(':'));
        let number = name.and_then(|(name, _)| name.strip_prefix('k')?.parse().ok());
        number.is_none_or(|number: u32| number < self.sealing_key())
    }

    fn lasting_key(&self, number: &str) -> Option<[u8; 32]> {
        read(&self.lasting).key(number.parse().ok()?)
    }

    fn daily_named(&self, name: &str) -> Result<Option<[u8; 32]>, Found> {
        let (day, id) = name
            .split_once('-')
            .and_then(|(day, id)| Some((day.parse::<i64>().ok()?, id)))
            .ok_or(Found::Wrong("its key has no name"))?;
        let (ours, oldest) = {
            let chain = read(&self.chain);
            (chain.id == id, chain.oldest)
        };
        match ours {
            true if day < oldest => Err(Found::Gone),
            true => Ok(self.daily(day).map(|(_, key)| key)),
            false => Err(Found::Wrong(
                "it was sealed with the daily keys of another directory",
            )),
        }
    }

    fn daily(&self, day: i64) -> Option<(String, [u8; 32])> {
        {
            let chain = read(&self.chain);
            if let Some(key) = chain.ready_key(day) {
                return Some((chain.id.clone(), key));
            }
        }
        let mut chain = write(&self.chain);
        let key = chain.key(day)?;
        Some((chain.id.clone(), key))
    }
}

impl std::fmt::Debug for Vault {
    /// Without the keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

/// The first lasting keys of an installation, as text.
///
/// # Errors
/// The system gives no randomness.
pub fn fresh_keys() -> Result<String, VaultError> {
    let (index, first) = (random::<32>()?, random::<32>()?);
    Ok(format!("{INDEX}:{},1:{}", hex(&index), hex(&first)))
}

/// Whether these are lasting keys.
///
/// # Errors
/// They are malformed.
pub fn check_keys(keys: &str) -> Result<(), VaultError> {
    Lasting::parse(keys).map(drop)
}

/// The same keys and one more, which is the newest from then on.
///
/// # Errors
/// The keys are malformed, or the system gives no randomness.
pub fn with_new_key(keys: &str) -> Result<String, VaultError> {
    let newest = Lasting::parse(keys)?.newest();
    Ok(format!("{keys},{}:{}", newest + 1, hex(&random::<32>()?)))
}

fn sealed(key: &[u8; 32], name: &str, cell: &Cell, plain: &[u8]) -> Result<String, VaultError> {
    let nonce = random::<NONCE>()?;
    let aad = cell.identity();
    let payload = Payload {
        msg: plain,
        aad: &aad,
    };
    let cipher = XChaCha20Poly1305::new(&(*key).into());
    let body = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| VaultError::BadKeys("the cipher refuses"))?;
    let bytes = [&nonce[..], &body].concat();
    Ok(format!("{MARK}{name}:{}", BASE64.encode(bytes)))
}

fn opened(key: &[u8; 32], cell: &Cell, body: &str) -> Option<Vec<u8>> {
    let bytes = BASE64.decode(body).ok()?;
    let (nonce, msg) = bytes.split_at_checked(NONCE)?;
    let nonce: [u8; NONCE] = nonce.try_into().ok()?;
    let aad = cell.identity();
    let payload = Payload { msg, aad: &aad };
    let cipher = XChaCha20Poly1305::new(&(*key).into());
    cipher.decrypt(&XNonce::from(nonce), payload).ok()
}

fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| VaultError::NoRandomness)?;
    Ok(bytes)
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
