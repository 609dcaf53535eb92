//! One reading of a settings file: it goes on after a mistake and collects all that is wrong.

use super::section::Section;
use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use toml::Table;

/// One thing that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Full path of the setting: `upstreams.peter1.timeout_ms`.
    pub key: String,
    /// What is wrong and what would be allowed; never shows a secret.
    pub why: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.why)
    }
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Not given: the program's own value.
    Default,
    /// Written in the settings file.
    File,
    /// A secret from a file of its own.
    SecretFile,
    /// A secret from an environment variable.
    Environment,
    /// Set by the demo.
    Demo,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::File => "file",
            Self::SecretFile => "secret file",
            Self::Environment => "environment",
            Self::Demo => "demo",
        })
    }
}

/// One setting as it was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Full path: `upstreams.peter1.timeout_ms`.
    pub key: String,
    /// The path with `NAME` for the operator's own names, as the documentation lists it.
    pub pattern: String,
    /// The value as text; `***` for a secret, `-` where nothing is set.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
    /// Whether the value is masked.
    pub secret: bool,
}

/// What was read and what was wrong, in the order of reading.
#[derive(Debug, Default)]
struct Notes {
    problems: Vec<Problem>,
    entries: Vec<Entry>,
}

/// The surroundings of one reading: environment, directory, notes.
pub struct Reader<'a> {
    notes: RefCell<Notes>,
    /// Looks up an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Where relative paths start.
    pub base_dir: &'a Path,
    /// Origin of values that stand in the table itself.
    pub given: Origin,
}

impl<'a> Reader<'a> {
    /// `base_dir` is where relative paths start; `given` is the origin of values found in a table.
    pub fn new(
        environment: &'a dyn Fn(&str) -> Option<String>,
        base_dir: &'a Path,
        given: Origin,
    ) -> Self {
        Self {
            notes: RefCell::default(),
            environment,
            base_dir,
            given,
        }
    }

    /// Reads a whole file; whatever `read` leaves untouched is an unknown key.
    pub fn read<T>(&self, table: Table, read: impl FnOnce(&mut Section<'_>) -> T) -> T {
        let mut root = Section::root(self, table);
        let value = read(&mut root);
        root.close();
        value
    }

    /// Notes something that is wrong with `key`, a full path.
    pub fn problem(&self, key: &str, why: impl Into<String>) {
        let problem = Problem {
            key: key.to_owned(),
            why: why.into(),
        };
        self.notes.borrow_mut().problems.push(problem);
    }

    /// Whether something is already known to be wrong with a key that starts like this.
    pub fn has_problem(&self, start: &str) -> bool {
        self.notes
            .borrow()
            .problems
            .iter()
            .any(|problem| problem.key.starts_with(start))
    }

    /// Notes a setting as it was understood.
    pub fn note(&self, entry: Entry) {
        self.notes.borrow_mut().entries.push(entry);
    }

    /// Everything that was read, or everything that was wrong.
    pub fn finish(self) -> Result<Vec<Entry>, Vec<Problem>> {
        let notes = self.notes.into_inner();
        if notes.problems.is_empty() {
            Ok(notes.entries)
        } else {
            Err(notes.problems)
        }
    }
}
