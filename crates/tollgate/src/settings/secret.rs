//! Secrets: values that never print, and the three places they may come from.

use super::reader::Origin;
use super::section::Section;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A value that prints as `***` wherever it is formatted.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value that must not be printed.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself: for the one place that needs it, never for a log, error or page.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Longest secret file that is read, in bytes.
const LONGEST_FILE: u64 = 4096;
/// Mode bits a secret file may not have: anything for others, and writing for the group.
#[cfg(unix)]
const FORBIDDEN_MODE: u32 = 0o027;

/// How a secret has to look.
pub struct Shape {
    /// The setting, without `_file` or `_env`.
    pub key: &'static str,
    /// File that is read where the operator names no place at all.
    pub default_file: Option<&'static str>,
    /// Fewest bytes.
    pub least_bytes: usize,
}

impl Section<'_> {
    /// A secret given as `KEY`, `KEY_file` or `KEY_env`: exactly one of them. Every way it can be
    /// wrong is noted; nothing comes back then.
    pub fn secret(&mut self, shape: &Shape) -> Option<Secret> {
        let key = shape.key;
        let (file_key, env_key) = (format!("{key}_file"), format!("{key}_env"));
        let value = self.bare_text(key);
        let file = self.bare_text(&file_key);
        let variable = self.bare_text(&env_key);
        let found = match (value, file, variable) {
            (Some(value), None, None) => (key.to_owned(), self.given(), Ok(value)),
            (None, Some(file), None) => (file_key, Origin::SecretFile, self.file_text(&file)),
            (None, None, Some(name)) => (env_key, Origin::Environment, self.variable(&name)),
            (None, None, None) => match shape.default_file {
                Some(file) => (file_key, Origin::SecretFile, self.file_text(file)),
                None => {
                    self.missing_secret(key);
                    return None;
                }
            },
            _ => {
                self.problem(
                    key,
                    format!("give only one of {key}, {file_key} and {env_key}"),
                );
                return None;
            }
        };
        let (place, origin, text) = found;
        let text = text.and_then(|text| well_formed(text, shape.least_bytes));
        self.note_secret(key, origin);
        text.map(Secret)
            .map_err(|why| self.problem(&place, why))
            .ok()
    }

    /// A secret that may be absent.
    pub fn optional_secret(&mut self, shape: &Shape) -> Option<Secret> {
        let forms = ["", "_file", "_env"].map(|form| format!("{}{form}", shape.key));
        let given = forms.iter().any(|form| self.gives(form));
        given.then(|| self.secret(shape)).flatten()
    }

    /// A secret that may be absent, where a blank one is none: anybody could sign with it.
    pub fn filled_secret(&mut self, shape: &Shape) -> Option<Secret> {
        let blank = |text: &str| text.trim().is_empty();
        let env_key = format!("{}_env", shape.key);
        let variable = self.peek(&env_key).and_then(|name| self.environment(name));
        if self.peek(shape.key).is_some_and(blank) {
            self.bare_text(shape.key);
        }
        if variable.as_deref().is_some_and(blank) {
            self.bare_text(&env_key);
        }
        self.optional_secret(shape)
    }

    fn missing_secret(&mut self, key: &str) {
        if !self.has_problem(key) {
            self.problem(
                key,
                format!(
                    "is missing: name a file with {key}_file, an environment variable with \
                     {key}_env, or give the value itself"
                ),
            );
        }
    }

    fn file_text(&self, name: &str) -> Result<String, String> {
        read_private(&self.base_dir().join(name))
    }

    fn variable(&self, name: &str) -> Result<String, String> {
        self.environment(name)
            .ok_or_else(|| format!("names the environment variable {name}, which is not set"))
    }
}

/// The text of a file that only its owner (and at most a group, for reading) can open.
fn read_private(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let cannot = |error: std::io::Error| format!("names {shown}, which cannot be read: {error}");
    let file = File::open(path).map_err(cannot)?;
    let about = file.metadata().map_err(cannot)?;
    if let Some(why) = too_open(&about) {
        return Err(format!(
            "names {shown}, which {why}; run: chmod 600 {shown}"
        ));
    }
    if !about.is_file() || about.len() > LONGEST_FILE {
        return Err(format!(
            "names {shown}, which is not a file of at most {LONGEST_FILE} bytes"
        ));
    }
    let mut text = String::new();
    file.take(LONGEST_FILE)
        .read_to_string(&mut text)
        .map_err(cannot)?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// Why other users of the machine could get at a file, where they could.
#[cfg(unix)]
pub fn too_open(about: &std::fs::Metadata) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = about.permissions().mode() & 0o777;
    (mode & FORBIDDEN_MODE != 0)
        .then(|| format!("is open to other users of this machine (mode {mode:04o})"))
}

/// File modes do not exist here: nothing can be said.
#[cfg(not(unix))]
pub fn too_open(_about: &std::fs::Metadata) -> Option<String> {
    None
}

/// Secrets travel in headers, forms and URLs, so they are one line of visible ASCII.
fn well_formed(text: String, least_bytes: usize) -> Result<String, String> {
    if text.is_empty() {
        Err("gives an empty secret".to_owned())
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Err("must be one line of visible ASCII characters without spaces".to_owned())
    } else if text.len() < least_bytes {
        Err(format!("must be at least {least_bytes} characters long"))
    } else {
        Ok(text)
    }
}
