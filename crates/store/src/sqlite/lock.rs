//! One process per database: an advisory lock on a file next to it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::open::OpenError;

/// Held as long as this lives; the operating system frees it when the process ends, however.
pub(super) struct Lock {
    _file: File,
}

/// Takes the lock or says who has it.
pub(super) fn take(directory: &Path) -> Result<Lock, OpenError> {
    let path = directory.join("tollgate.lock");
    let failed = |cause| OpenError::File {
        path: path.clone(),
        cause,
    };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(taken(path, file)),
        Err(TryLockError::Error(cause)) => return Err(failed(cause)),
    }
    file.set_len(0).map_err(failed)?;
    file.rewind().map_err(failed)?;
    write!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(Lock { _file: file })
}

fn taken(path: PathBuf, mut file: File) -> OpenError {
    let mut text = String::new();
    let owner = match file.read_to_string(&mut text) {
        Ok(_) if !text.is_empty() => format!("process {}", text.trim()),
        _ => "another process".to_owned(),
    };
    OpenError::Locked { path, owner }
}
