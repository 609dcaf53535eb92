//! `[audit]`: where checkpoints of the audit log go, and what signs them.

use super::section::{Section, path};
use domain::time::Millis;
use std::path::PathBuf;

/// `[audit]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Between two looks whether there is something new to sign.
    pub checkpoint: Millis,
    /// Where checkpoints are kept.
    pub directory: PathBuf,
    /// The key that signs them.
    pub key_file: PathBuf,
}

impl Audit {
    /// Reads the section. Relative paths start at the settings file's directory; what is not set
    /// lies in the data directory.
    pub fn read(part: &mut Section<'_>, data_dir: &std::path::Path) -> Self {
        let base = part.base_dir().to_owned();
        let checkpoint_s = part.number("checkpoint_s", 600, 10..=86_400);
        let directory = part.optional("directory", path, None);
        let key_file = part.optional("key_file", path, None);
        let place = |given: Option<String>, standard: &str| {
            given.map_or_else(|| data_dir.join(standard), |given| base.join(given))
        };
        Self {
            checkpoint: Millis::seconds(checkpoint_s.into()),
            directory: place(directory, "checkpoints"),
            key_file: place(key_file, "audit.key"),
        }
    }
}
