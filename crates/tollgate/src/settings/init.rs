//! `init`: the commented settings file and the secrets it needs, made once and never overwritten.

use super::keys::PEPPER_FILE;
use super::sealing::KEY_FILE;
use domain::hex::hex;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The commented settings file: every setting with its default.
pub const EXAMPLE: &str = include_str!("../../../../tollgate.example.toml");
/// Name of the settings file.
pub const FILE: &str = "tollgate.toml";

/// Writes the pepper, the keys of stored secrets and `tollgate.toml` into a directory, all for the
/// owner's eyes only. `random` is 32 bytes nobody can guess, `keys` are fresh keys. An existing pepper
/// and existing keys stay (what is stored hangs on them), and so do existing settings: an installation
/// of before gets what it has not. Where everything is there it is an error. Gives the files that were
/// made.
pub fn write(directory: &Path, random: &[u8; 32], keys: &str) -> io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(directory)?;
    let (settings, pepper) = (directory.join(FILE), directory.join(PEPPER_FILE));
    let text = hex(random);
    // the secrets first: a settings file without them would be a start that cannot start
    let mut made = Vec::new();
    let (pepper_text, keys_text) = (format!("{text}\n"), format!("{keys}\n"));
    let files = [
        (pepper, pepper_text.as_str()),
        (directory.join(KEY_FILE), keys_text.as_str()),
        (settings, EXAMPLE),
    ];
    for (path, text) in files {
        match create_private(&path, text) {
            Ok(()) => made.push(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    match made.is_empty() {
        true => Err(io::ErrorKind::AlreadyExists.into()),
        false => Ok(made),
    }
}

/// A new file of mode 0600; fails where the name is taken.
fn create_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
