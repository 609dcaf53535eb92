//! One process per database: an advisory lock on a file next to it.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::open::private_file;
use crate::open_error::OpenError;

/// Held as long as this lives; the operating system frees it when the process ends, however. The
/// file names its process and is emptied by a clean end.
pub(crate) struct Lock {
    file: File,
    ends_clean: bool,
    was_unclean: bool,
}

impl Lock {
    /// Whether the process before ended without closing the store.
    pub(crate) fn was_unclean(&self) -> bool {
        self.was_unclean
    }

    /// The store is being closed and all is well.
    pub(crate) fn end_clean(&mut self) {
        self.ends_clean = true;
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.ends_clean
            && let Err(error) = self.file.set_len(0)
        {
            tracing::warn!(%error, "the next start will check the whole file");
        }
    }
}

/// Takes the lock or says who has it.
pub(crate) fn take(directory: &Path) -> Result<Lock, OpenError> {
    let path = directory.join("tollgate.lock");
    let failed = |cause| OpenError::File {
        path: path.clone(),
        cause,
    };
    let mut file = private_file(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(taken(path, file)),
        Err(TryLockError::Error(cause)) => return Err(failed(cause)),
    }
    let was_unclean = file.metadata().map_err(failed)?.len() > 0;
    file.set_len(0).map_err(failed)?;
    file.rewind().map_err(failed)?;
    write!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(Lock {
        file,
        ends_clean: false,
        was_unclean,
    })
}

fn taken(path: PathBuf, mut file: File) -> OpenError {
    let mut text = String::new();
    let owner = match file.read_to_string(&mut text) {
        Ok(_) if !text.is_empty() => format!("process {}", text.trim()),
        _ => "another process".to_owned(),
    };
    OpenError::Locked { path, owner }
}
