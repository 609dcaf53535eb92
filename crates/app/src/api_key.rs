//! API keys: how one is written, made, recognised and checked. A key is
//! `tg_live_<public id>_<secret>_<checksum>` (`tg_demo_` for practice): the public id finds the
//! row, the secret carries 256 random bits, and the checksum refuses typing errors and made-up
//! keys before the database is asked. Only a keyed hash of the whole text is ever stored.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const PUBLIC_ID_LEN: usize = 12;
const SECRET_LEN: usize = 43;
const CHECKSUM_LEN: usize = 6;
const PREFIX_LEN: usize = "tg_live_".len();
const SECRET_AT: usize = PREFIX_LEN + PUBLIC_ID_LEN + 1;
const CHECKSUM_AT: usize = SECRET_AT + SECRET_LEN + 1;

/// Characters of a whole key.
pub const KEY_LEN: usize = CHECKSUM_AT + CHECKSUM_LEN;

/// Random bytes that one key uses up: 32 for the secret, 16 for the public id.
pub const RANDOM_LEN: usize = 48;

/// Least bytes of a [`Pepper`]: as many as the hash has.
pub const PEPPER_LEN_MIN: usize = 32;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Spends real balance.
    Live,
    /// Works on the demo's practice providers only.
    Demo,
}

impl Environment {
    fn prefix(self) -> &'static str {
        match self {
            Self::Live => "tg_live_",
            Self::Demo => "tg_demo_",
        }
    }
}

/// A key just made. Its text can be shown once and is not kept; debug output hides it.
pub struct NewKey(PresentedKey);

impl NewKey {
    /// The whole key, for the one answer that shows it.
    pub fn reveal(&self) -> &str {
        &self.0.text
    }

    /// The part that finds the row; 12 characters, not secret.
    pub fn public_id(&self) -> &str {
        self.0.public_id()
    }

    /// The last four characters, kept so that a person can tell keys apart.
    pub fn last4(&self) -> &str {
        &self.0.text[KEY_LEN - 4..]
    }

    /// What to store, see [`mac`].
    pub fn mac(&self, pepper: &Pepper) -> [u8; 32] {
        mac(pepper, &self.0)
    }
}

/// A key as a caller sent it: of the right shape and with a right checksum, which anybody can
/// compute. Whether it was ever issued only [`matches`] tells. Debug output hides the secret.
pub struct PresentedKey {
    text: String,
    environment: Environment,
}

impl PresentedKey {
    /// The part that finds the row; 12 characters, not secret.
    pub fn public_id(&self) -> &str {
        &self.text[PREFIX_LEN..SECRET_AT - 1]
    }

    /// What the key says it is good for.
    pub fn environment(&self) -> Environment {
        self.environment
    }
}

/// The key of the keyed hash, kept outside the database so that its rows alone check nothing.
#[derive(Clone)]
pub struct Pepper(Hmac<Sha256>);

impl Pepper {
    /// Takes at least [`PEPPER_LEN_MIN`] secret bytes; `None` if there are fewer.
    pub fn new(secret: &[u8]) -> Option<Self> {
        if secret.len() < PEPPER_LEN_MIN {
            return None;
        }
        Hmac::new_from_slice(secret).ok().map(Self)
    }

    /// The keyed hash for other short-lived secrets of this process; each starts with its purpose,
    /// so that none can stand for another.
    pub(crate) fn keyed(&self) -> Hmac<Sha256> {
        self.0.clone()
    }
}

/// Makes a key from random bytes, which must come from [`fresh_random`] outside tests.
pub fn generate(environment: Environment, random: &[u8; RANDOM_LEN]) -> NewKey {
    let (secret, public_id) = random.split_at(RANDOM_LEN - 16);
    let mut text = String::with_capacity(KEY_LEN);
    text.push_str(environment.prefix());
    text.push_str(&base62::<PUBLIC_ID_LEN>(public_id));
    text.push('_');
    text.push_str(&base62::<SECRET_LEN>(secret));
    text.push('_');
    text.push_str(&checksum(&text[..CHECKSUM_AT - 1]));
    NewKey(PresentedKey { text, environment })
}

/// Random bytes for one key from the operating system; fails only where that has none.
pub fn fresh_random() -> Result<[u8; RANDOM_LEN], getrandom::Error> {
    let mut random = [0; RANDOM_LEN];
    getrandom::fill(&mut random)?;
    Ok(random)
}

/// Reads a key. `None` if its shape or checksum is wrong: no look-up is due then.
pub fn parse(text: &str) -> Option<PresentedKey> {
    if text.len() != KEY_LEN || !text.is_ascii() {
        return None;
    }
    let environment = [Environment::Live, Environment::Demo]
        .into_iter()
        .find(|environment| text.starts_with(environment.prefix()))?;
    let (body, sum) = text.split_at(CHECKSUM_AT);
    let (public_id, rest) = body[PREFIX_LEN..].split_at(PUBLIC_ID_LEN);
    let secret = rest.strip_prefix('_')?.strip_suffix('_')?;
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let sound = plain(public_id) && plain(secret) && sum == checksum(&text[..CHECKSUM_AT - 1]);
    sound.then(|| PresentedKey {
        text: text.to_owned(),
        environment,
    })
}

/// HMAC-SHA-256 of the whole key text: what is stored instead of the key.
pub fn mac(pepper: &Pepper, key: &PresentedKey) -> [u8; 32] {
    let mut mac = pepper.0.clone();
    mac.update(key.text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// Whether the key presented is the one whose [`mac`] was stored; in constant time.
pub fn matches(pepper: &Pepper, key: &PresentedKey, stored: &[u8; 32]) -> bool {
    mac(pepper, key).ct_eq(stored).into()
}

/// The last `LEN` base-62 digits of a big-endian number.
fn base62<const LEN: usize>(number: &[u8]) -> String {
    let mut rest = number.to_vec();
    let mut digits = [0_u8; LEN];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[usize::from(divide_by_62(&mut rest))];
    }
    digits.iter().map(|&digit| char::from(digit)).collect()
}

/// Divides a big-endian number in place and returns the remainder, 0 to 61.
fn divide_by_62(number: &mut [u8]) -> u8 {
    let mut remainder = 0_u16;
    for byte in number {
        let part = remainder << 8 | u16::from(*byte);
        // both fit: part is below 62 * 256
        *byte = (part / 62).to_le_bytes()[0];
        remainder = part % 62;
    }
    remainder.to_le_bytes()[0]
}

fn checksum(text: &str) -> String {
    base62::<CHECKSUM_LEN>(&crc32(text.as_bytes()).to_be_bytes())
}

/// CRC-32 as in zip and PNG. Finds every change of up to 32 bits in a row, so any one character.
fn crc32(bytes: &[u8]) -> u32 {
    let shift = |crc: u32| {
        if crc & 1 == 1 {
            crc >> 1 ^ 0xEDB8_8320
        } else {
            crc >> 1
        }
    };
    let next = |crc, &byte: &u8| (0..8).fold(crc ^ u32::from(byte), |crc, _| shift(crc));
    !bytes.iter().fold(!0, next)
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewKey({}, ***)", self.public_id())
    }
}

impl fmt::Debug for PresentedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PresentedKey({}, ***)", self.public_id())
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(***)")
    }
}

#[cfg(test)]
mod tests;
