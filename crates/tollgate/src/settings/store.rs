//! `[store]`: where orders and money are kept.

use super::section::{Section, text};
use std::path::PathBuf;
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
}

impl Store {
    /// Reads the section. Relative directories start at the settings file's directory.
    pub fn read(part: &mut Section<'_>) -> Self {
        let base = part.base_dir().to_owned();
        let data_dir = part.parsed("data_dir", DEFAULT_DIRECTORY.to_owned(), directory);
        let url = part.parsed("url", format!("sqlite:{DEFAULT_DIRECTORY}"), sqlite);
        let database = url.trim_start_matches("sqlite:");
        let engine = Engine::Sqlite {
            directory: base.join(database),
        };
        Self {
            engine,
            data_dir: base.join(data_dir),
        }
    }
}

fn directory(value: &Value) -> Result<String, String> {
    let given = text(value)?;
    if given.is_empty() {
        Err("must name a directory".to_owned())
    } else {
        Ok(given.to_owned())
    }
}

/// The address of a database; never repeated in a message, as it may carry a password.
fn sqlite(value: &Value) -> Result<String, String> {
    let given = text(value)?;
    let scheme = given.split(':').next().unwrap_or_default();
    match scheme {
        "sqlite" if given.len() > "sqlite:".len() => Ok(given.to_owned()),
        "postgres" | "postgresql" => Err("names a PostgreSQL database, which this version cannot \
             use yet: that comes with the PostgreSQL store. Use \"sqlite:DIRECTORY\""
            .to_owned()),
        _ => Err("must be \"sqlite:DIRECTORY\"".to_owned()),
    }
}
