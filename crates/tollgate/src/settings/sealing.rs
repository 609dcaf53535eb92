//! `[secrets]`: the keys that stored secrets are sealed with, and how long codes stay readable.

use super::secret::{Secret, Shape};
use super::section::{Section, text};
use domain::time::Millis;
use std::path::PathBuf;

/// File with the lasting keys, as `init` makes it.
pub const KEY_FILE: &str = "tollgate.keys";
/// Hours that codes stay readable at most: seven days.
const RETENTION_MAX_H: u32 = 7 * 24;

/// `[secrets]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealing {
    /// The lasting keys, as `init` makes them.
    pub key: Secret,
    /// The file they came from, where they did: a new key is added to it.
    pub key_file: Option<PathBuf>,
    /// Directory of the keys of single days; nothing means one in the data directory.
    pub daily_keys: Option<PathBuf>,
    /// How long codes and message texts stay readable.
    pub code_retention: Millis,
}

impl Sealing {
    /// Reads the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        let shape = Shape {
            key: "key",
            default_file: Some(KEY_FILE),
            least_bytes: 1,
        };
        let named = part.peek("key_file").map(str::to_owned);
        let elsewhere = part.gives("key") || part.gives("key_env");
        let file = named.or_else(|| (!elsewhere).then(|| KEY_FILE.to_owned()));
        let key_file = file.map(|file| part.base_dir().join(file));
        let key = part.secret(&shape);
        if let Some(Err(why)) = key.as_ref().map(|key| store::check_keys(key.expose())) {
            part.problem("key", why.to_string());
        }
        let daily = part.optional(
            "daily_keys_dir",
            |value| text(value).map(str::to_owned),
            None,
        );
        let hours = part.number("code_retention_h", 24, 1..=RETENTION_MAX_H);
        Self {
            key: key.unwrap_or_else(|| Secret::new("")),
            key_file,
            daily_keys: daily.map(|daily| part.base_dir().join(daily)),
            code_retention: Millis::minutes(i64::from(hours) * 60),
        }
    }
}
