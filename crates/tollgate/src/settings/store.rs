//! `[store]`: where orders and money are kept.

use super::Secret;
use super::secret::Shape;
use super::section::{Section, text};
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::PostgresSettings;
use toml::Value;

/// Directory of everything the program keeps, where nothing else is said.
const DEFAULT_DIRECTORY: &str = "data";

/// `[store]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// The database.
    pub engine: Engine,
    /// Directory for everything else the program keeps: its socket, locks, generated files.
    pub data_dir: PathBuf,
}

/// The database behind the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Embedded, in files of this directory.
    Sqlite {
        /// Made at the first start.
        directory: PathBuf,
    },
    /// A server, under any number of nodes.
    Postgres(PostgresSettings),
}

impl Store {
    /// Reads the section. Relative directories start at the settings file's directory.
    pub fn read(part: &mut Section<'_>) -> Self {
        let base = part.base_dir().to_owned();
        let data_dir = part.parsed("data_dir", DEFAULT_DIRECTORY.to_owned(), directory);
        let spans = Spans::read(part);
        let elsewhere = part.gives("url_file")
            || part.gives("url_env")
            || part.peek("url").is_some_and(|url| !is_sqlite(url));
        let url = if elsewhere {
            server_address(part)
        } else {
            Secret::new(part.parsed("url", format!("sqlite:{DEFAULT_DIRECTORY}"), sqlite))
        };
        let engine = engine(url.expose(), &spans, &base);
        let engine = engine.unwrap_or_else(|why| {
            part.problem("url", why);
            Engine::Sqlite {
                directory: base.clone(),
            }
        });
        Self {
            engine,
            data_dir: base.join(data_dir),
        }
    }
}

/// What only a server needs.
struct Spans {
    connections: u32,
    statement_ms: u32,
    lock_ms: u32,
    idle_ms: u32,
}

impl Spans {
    fn read(part: &mut Section<'_>) -> Self {
        Self {
            connections: part.number("connections", 8, 1..=200),
            statement_ms: part.number("statement_timeout_ms", 30_000, 1_000..=600_000),
            lock_ms: part.number("lock_timeout_ms", 15_000, 1_000..=600_000),
            idle_ms: part.number("idle_timeout_ms", 5_000, 1_000..=600_000),
        }
    }
}

/// An address that may carry a password: given like any other secret, never repeated.
fn server_address(part: &mut Section<'_>) -> Secret {
    let shape = Shape {
        key: "url",
        default_file: None,
        least_bytes: 1,
    };
    let found = part.secret(&shape);
    // what is wrong was noted; this stands for it
    found.unwrap_or_else(|| Secret::new(format!("sqlite:{DEFAULT_DIRECTORY}")))
}

fn engine(url: &str, spans: &Spans, base: &Path) -> Result<Engine, String> {
    let url = url.trim();
    if is_sqlite(url) {
        let database = url.trim_start_matches("sqlite:");
        let directory = base.join(database);
        return Ok(Engine::Sqlite { directory });
    }
    let millis = |value: u32| Duration::from_millis(value.into());
    let settings = PostgresSettings {
        url: url.to_owned(),
        readers: u16::try_from(spans.connections).unwrap_or(u16::MAX),
        statement_timeout: millis(spans.statement_ms),
        lock_timeout: millis(spans.lock_ms),
        idle_timeout: millis(spans.idle_ms),
    };
    match settings.check() {
        Ok(()) => Ok(Engine::Postgres(settings)),
        Err(why) if url.starts_with("postgres") => Err(why),
        Err(_) => Err(NEITHER.to_owned()),
    }
}

/// What an address of neither engine is told.
const NEITHER: &str = "must be \"sqlite:DIRECTORY\" or \"postgres://USER@HOST/DATABASE\"";

fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

fn directory(value: &Value) -> Result<String, String> {
    let given = text(value)?;
    if given.is_empty() {
        Err("must name a directory".to_owned())
    } else {
        Ok(given.to_owned())
    }
}

fn sqlite(value: &Value) -> Result<String, String> {
    let given = text(value)?;
    match given.strip_prefix("sqlite:") {
        Some(directory) if !directory.is_empty() => Ok(given.to_owned()),
        _ => Err(NEITHER.to_owned()),
    }
}
