//! The log: lines to the error stream, as text for people or JSON for machines, from a level on that
//! can be changed while the program runs.

use crate::settings::{LogFormat, LogLevel};
use std::io::IsTerminal;
use std::sync::Arc;
use tracing_subscriber::EnvFilter;

/// Outranks the level of the settings: a level, or levels by room such as `info,store=debug`.
const OVERRIDE: &str = "TOLLGATE_LOG";

/// Sets the filter of the lines from here on.
type Setter = Arc<dyn Fn(EnvFilter) + Send + Sync>;

/// The least severity that is logged.
#[derive(Clone)]
pub struct Level(Option<Setter>);

impl Level {
    /// Changes it, unless the environment outranks the settings.
    pub fn set(&self, level: LogLevel) {
        match &self.0 {
            Some(set) => set(EnvFilter::new(level.word())),
            None => tracing::warn!("log.level has no effect while {OVERRIDE} is set"),
        }
    }
}

/// Begins to log. Lines go to the error stream, so that what a command prints stays clean; a second
/// call changes nothing.
pub fn to_stderr(level: &str, format: LogFormat) -> Level {
    let given = EnvFilter::try_from_env(OVERRIDE).ok();
    let is_fixed = given.is_some();
    let lines = tracing_subscriber::fmt()
        .with_env_filter(given.unwrap_or_else(|| EnvFilter::new(level)))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let set: Setter = match format {
        LogFormat::Text => {
            let lines = lines.with_filter_reloading();
            let handle = lines.reload_handle();
            let _ = lines.try_init();
            Arc::new(move |filter| tell(handle.reload(filter)))
        }
        LogFormat::Json => {
            let lines = lines.json().with_filter_reloading();
            let handle = lines.reload_handle();
            let _ = lines.try_init();
            Arc::new(move |filter| tell(handle.reload(filter)))
        }
    };
    Level((!is_fixed).then_some(set))
}

fn tell(done: Result<(), tracing_subscriber::reload::Error>) {
    if let Err(error) = done {
        tracing::error!(%error, "the level of the log could not be changed");
    }
}
