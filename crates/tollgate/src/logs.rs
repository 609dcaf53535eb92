//! The log: lines to the error stream, as text for people or JSON for machines, from a level on that
//! can be changed while the program runs.

use crate::settings::{LogFormat, LogLevel};
use crate::traces::Collector;
use std::io::IsTerminal;
use std::sync::Arc;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, reload};

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
    with_traces(level, format, None)
}

/// The same, and a collector hears of spans.
pub fn with_traces(level: &str, format: LogFormat, collector: Option<&Collector>) -> Level {
    let given = EnvFilter::try_from_env(OVERRIDE).ok();
    let is_fixed = given.is_some();
    let filter = given.unwrap_or_else(|| EnvFilter::new(level));
    let (filter, handle) = reload::Layer::new(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(collector.map(Collector::layer))
        .try_init();
    let set: Setter = Arc::new(move |filter| tell(handle.reload(filter)));
    Level((!is_fixed).then_some(set))
}

fn tell(done: Result<(), tracing_subscriber::reload::Error>) {
    if let Err(error) = done {
        tracing::error!(%error, "the level of the log could not be changed");
    }
}
