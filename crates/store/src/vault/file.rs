//! Files of keys: their owner's alone, replaced whole, and what was in them overwritten.

use super::VaultError;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

/// Longest file that is read, in bytes.
const LONGEST: u64 = 16 * 1024;
/// Mode bits that a file of keys may not have.
#[cfg(unix)]
const FORBIDDEN_MODE: u32 = 0o077;

fn failed(path: &Path) -> impl Fn(io::Error) -> VaultError {
    move |cause| VaultError::File {
        path: path.to_owned(),
        cause,
    }
}

/// Makes a directory for its owner alone.
pub(super) fn make_private_directory(path: &Path) -> Result<(), VaultError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(failed(path))
}

/// The text of a file that only its owner can open; nothing where there is none.
pub(super) fn read_private(path: &Path) -> Result<Option<String>, VaultError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path)(error)),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().map_err(failed(path))?.permissions().mode() & 0o777;
        if mode & FORBIDDEN_MODE != 0 {
            let path = path.to_owned();
            return Err(VaultError::Open { path, mode });
        }
    }
    let mut text = String::new();
    file.take(LONGEST)
        .read_to_string(&mut text)
        .map_err(failed(path))?;
    Ok(Some(text))
}

/// Writes a file of mode 0600 in place of the one before, whose bytes are overwritten: as far as the
/// file system lets us, what stood there is gone.
pub(super) fn replace_private(path: &Path, text: &str) -> Result<(), VaultError> {
    let old = OpenOptions::new().write(true).open(path);
    let draft = path.with_extension(format!("new-{}", std::process::id()));
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&draft, path)?;
        if let Some(directory) = path.parent() {
            File::open(directory)?.sync_all()?;
        }
        Ok(())
    };
    write().map_err(failed(path))?;
    if let Ok(mut old) = old {
        let length = old.metadata().map_or(0, |about| about.len()).min(LONGEST);
        let zeros = vec![0; usize::try_from(length).unwrap_or(0)];
        // the new file stands; a failure here leaves nothing that counts
        let _overwritten = old.write_all(&zeros).and_then(|()| old.sync_all());
    }
    Ok(())
}
