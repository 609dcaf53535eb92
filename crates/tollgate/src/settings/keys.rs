//! `[keys]` and `[log]`: the secret behind stored API keys, and how the program reports.

use super::secret::{Secret, Shape};
use super::section::Section;

/// File with the pepper, as `init` makes it.
pub const PEPPER_FILE: &str = "tollgate.pepper";
/// Fewest characters of a pepper.
const LEAST_PEPPER_BYTES: usize = 32;

/// `[keys]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Mixed into the stored hash of each API key, so that the database alone proves nothing.
    /// At least 32 bytes. Losing it makes every API key void.
    pub pepper: Secret,
}

impl Keys {
    /// Reads the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        let shape = Shape {
            key: "pepper",
            default_file: Some(PEPPER_FILE),
            least_bytes: LEAST_PEPPER_BYTES,
        };
        Self {
            pepper: part.secret(&shape).unwrap_or_else(|| Secret::new("")),
        }
    }
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// One line of text or one JSON object per event.
    pub format: LogFormat,
    /// The least that is reported.
    pub level: LogLevel,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Least severity that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something needs a look.
    Warn,
    /// What happens.
    Info,
    /// What happens within.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    const WORDS: [(&str, Self); 5] = [
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];

    /// The word in the file, as log filters take it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl Log {
    /// Reads the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        Self {
            format: part.choice("format", LogFormat::Text, &formats),
            level: part.choice("level", LogLevel::Info, &LogLevel::WORDS),
        }
    }
}
