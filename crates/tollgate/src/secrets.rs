//! Secrets that the program makes itself, in files for the owner's eyes only.

use crate::settings::Secret;
use anyhow::Context;
use domain::hex::hex;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Letters of a password that nobody confuses when reading them aloud.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";
/// The alphabet of base32, in which authenticator apps take secrets.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// 32 bytes nobody can guess.
pub fn random() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("the system gives no randomness")?;
    Ok(bytes)
}

fn letters(alphabet: &[u8; 32], count: usize) -> anyhow::Result<String> {
    let bytes = random()?;
    Ok(bytes
        .iter()
        .take(count)
        .map(|byte| char::from(alphabet[usize::from(byte % 32)]))
        .collect())
}

/// A fresh password of 100 random bits.
pub fn password() -> anyhow::Result<String> {
    letters(LETTERS, 20)
}

/// A fresh secret for an authenticator app: 160 random bits in base32.
pub fn totp_secret() -> anyhow::Result<String> {
    letters(BASE32, 32)
}

/// The pepper of a demo's directory, made at the first start, and the keys of its stored secrets
/// beside it.
pub fn of_demo(data_dir: &Path) -> anyhow::Result<Secret> {
    let keys = data_dir.join("tollgate.keys");
    if !keys.exists() && data_dir.is_dir() {
        write_private(&keys, &store::fresh_keys()?)?;
    }
    pepper(data_dir)
}

fn pepper(data_dir: &Path) -> anyhow::Result<Secret> {
    let path = data_dir.join("tollgate.pepper");
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Secret::new(text.trim())),
        Err(error) if error.kind() == ErrorKind::NotFound && data_dir.is_dir() => {
            let text = hex(&random()?);
            write_private(&path, &text)?;
            Ok(Secret::new(&text))
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Writes a file of mode 0600 whole: under another name first, then in place.
pub fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let draft = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&draft, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Makes a directory that nobody else can look into: numbers and codes lie in it.
pub fn private_dir(path: &Path) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), 0o700);
    builder
        .create(path)
        .with_context(|| format!("cannot make the directory {}", path.display()))
}
