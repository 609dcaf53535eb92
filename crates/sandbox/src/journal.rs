//! The state file: one JSON line per event, written before the answer that tells of it.
//!
//! A killed process loses nothing that was answered: the lines are in the kernel's hands. The file
//! is not flushed to the device, a practice provider does not have to outlive the machine.

use crate::event::Event;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

/// An open state file, positioned at its end.
pub(crate) struct Journal {
    file: File,
    length: u64,
}

impl Journal {
    /// Opens or creates the file and hands each event in it to `replay`. A torn last line (the
    /// process died while writing it, so nobody was answered) is cut off; any other unreadable
    /// line is an error that names it, and so is a file that another process has open.
    pub(crate) fn open(path: &Path, mut replay: impl FnMut(Event)) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            let text = format!("{} is in use by another sandbox", path.display());
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, text));
        }
        let mut reader = BufReader::new(&file);
        let (mut length, mut line, mut number) = (0_u64, Vec::new(), 0_u64);
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line)?;
            number += 1;
            if read == 0 || line.last() != Some(&b'\n') {
                break;
            }
            match serde_json::from_slice(&line) {
                Ok(event) => replay(event),
                Err(_) if reader.fill_buf()?.is_empty() => break,
                Err(error) => return Err(unreadable(path, number, &error)),
            }
            length += read as u64;
        }
        file.set_len(length)?;
        file.seek(SeekFrom::Start(length))?;
        Ok(Self { file, length })
    }

    /// Appends an event as one write. On an error the file is as it was before.
    pub(crate) fn append(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line) {
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
            return Err(error);
        }
        self.length += line.len() as u64;
        Ok(())
    }
}

fn unreadable(path: &Path, number: u64, error: &serde_json::Error) -> io::Error {
    let text = format!("{} line {number} is not an event: {error}", path.display());
    io::Error::new(io::ErrorKind::InvalidData, text)
}
