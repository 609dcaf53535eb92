//! One table of the settings file: takes each key once, checks it, and notes what it meant.

use super::nearest::hint;
use super::reader::{Entry, Origin, Reader};
use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;
use toml::{Table, Value};

/// One table of the file. Taking a key removes it; what is left at the end is unknown.
pub struct Section<'a> {
    reader: &'a Reader<'a>,
    path: String,
    pattern: String,
    left: Table,
    known: Vec<String>,
}

impl<'a> Section<'a> {
    /// The whole file.
    pub fn root(reader: &'a Reader<'a>, table: Table) -> Self {
        Self {
            reader,
            path: String::new(),
            pattern: String::new(),
            left: table,
            known: Vec::new(),
        }
    }

    /// Full path of a key of this section.
    pub fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Notes something that is wrong with a key of this section.
    pub fn problem(&self, key: &str, why: impl Into<String>) {
        self.reader.problem(&self.path_of(key), why);
    }

    /// Whether something is already known to be wrong with a key or its `_file`, `_env` forms.
    pub fn has_problem(&self, key: &str) -> bool {
        self.reader.has_problem(&self.path_of(key))
    }

    /// Origin of values that stand in the table itself.
    pub fn given(&self) -> Origin {
        self.reader.given
    }

    /// Where relative paths start.
    pub fn base_dir(&self) -> &Path {
        self.reader.base_dir
    }

    /// An environment variable.
    pub fn environment(&self, name: &str) -> Option<String> {
        (self.reader.environment)(name)
    }

    /// A whole number within bounds, or the default.
    pub fn number(&mut self, key: &str, default: u32, allowed: RangeInclusive<u32>) -> u32 {
        self.parsed(key, default, |value| whole(value, &allowed))
    }

    /// A whole number within bounds that may be absent.
    pub fn optional_number(&mut self, key: &str, allowed: RangeInclusive<u32>) -> Option<u32> {
        self.optional(key, |value| whole(value, &allowed), None)
    }

    /// `true` or `false`, or the default.
    pub fn flag(&mut self, key: &str, default: bool) -> bool {
        self.parsed(key, default, |value| {
            value
                .as_bool()
                .ok_or_else(|| wrong_type("must be true or false", value))
        })
    }

    /// One of a closed list of words, or the default.
    pub fn choice<T: Copy + PartialEq>(
        &mut self,
        key: &str,
        default: T,
        words: &[(&'static str, T)],
    ) -> T {
        let word = words
            .iter()
            .find(|(_, value)| *value == default)
            .map_or("", |(word, _)| word);
        let chosen = self.parsed(key, word, |value| {
            one_of(value, words.iter().map(|(w, _)| *w))
        });
        words
            .iter()
            .find(|(word, _)| *word == chosen)
            .map_or(default, |(_, value)| *value)
    }

    /// A value that `parse` understands, or the default. What `parse` refuses is noted.
    pub fn parsed<T: fmt::Display>(
        &mut self,
        key: &str,
        default: T,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> T {
        self.optional(key, parse, Some(&default)).unwrap_or(default)
    }

    /// A value that may be absent; `shown` is what holds then and is what the list of settings
    /// shows.
    pub fn optional<T: fmt::Display>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
        shown: Option<&T>,
    ) -> Option<T> {
        let given = self.take(key);
        let value = given.and_then(|value| self.accept(key, parse(&value)));
        let origin = if value.is_some() {
            self.given()
        } else {
            Origin::Default
        };
        let text = value
            .as_ref()
            .or(shown)
            .map_or_else(|| "-".to_owned(), ToString::to_string);
        self.note(key, text, origin);
        value
    }

    /// A value that has no default: its absence is noted.
    pub fn required<T: fmt::Display>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.optional(key, parse, None);
        if value.is_none() && !self.has_problem(key) {
            self.problem(key, "is missing");
        }
        value
    }

    /// A list whose every item `parse` understands, or the default. Each bad item is noted.
    pub fn list<T: fmt::Display>(
        &mut self,
        key: &str,
        default: Vec<T>,
        parse: impl Fn(&Value) -> Result<T, String>,
    ) -> Vec<T> {
        let (items, origin) = match self.take(key) {
            None => (default, Origin::Default),
            Some(Value::Array(values)) => (self.items(key, &values, parse), self.given()),
            Some(other) => {
                self.problem(key, wrong_type("must be a list in [ ]", &other));
                (default, Origin::Default)
            }
        };
        let shown: Vec<String> = items.iter().map(ToString::to_string).collect();
        self.note(key, format!("[{}]", shown.join(", ")), origin);
        items
    }

    fn items<T>(
        &self,
        key: &str,
        values: &[Value],
        parse: impl Fn(&Value) -> Result<T, String>,
    ) -> Vec<T> {
        let numbered = values.iter().enumerate();
        numbered
            .filter_map(|(at, value)| {
                let read = parse(value);
                read.map_err(|why| self.problem(&format!("{key}[{at}]"), why))
                    .ok()
            })
            .collect()
    }

    /// A table of the operator's own words, each with a value that `parse` understands.
    pub fn words<T: fmt::Display>(
        &mut self,
        key: &str,
        parse: impl Fn(&Value) -> Result<T, String>,
    ) -> Vec<(String, T)> {
        let Some(table) = self.table(key) else {
            self.note(key, "{}".to_owned(), Origin::Default);
            return Vec::new();
        };
        let mut words = Vec::new();
        for (word, value) in table {
            if let Some(read) = self.accept(&format!("{key}.{}", quoted(&word)), parse(&value)) {
                words.push((word, read));
            }
        }
        let shown: Vec<String> = words
            .iter()
            .map(|(word, value)| format!("{word} = {value}"))
            .collect();
        self.note(key, format!("{{{}}}", shown.join(", ")), self.given());
        words
    }

    /// A section within this one; an absent one is read as an empty one.
    pub fn section<T>(&mut self, key: &str, read: impl FnOnce(&mut Section<'a>) -> T) -> T {
        let table = self.table(key).unwrap_or_default();
        self.within(table, key, key, read)
    }

    /// Sections that carry the operator's own names: `[servers.peter]`. In alphabetical order.
    pub fn named<T>(&mut self, key: &str, read: impl Fn(&str, &mut Section<'a>) -> T) -> Vec<T> {
        let mut values = Vec::new();
        for (name, value) in self.table(key).unwrap_or_default() {
            let place = format!("{key}.{}", quoted(&name));
            if !is_name(&name) {
                self.problem(&place, "must be named with 1 to 32 of a-z, 0-9, - and _");
            }
            match value {
                Value::Table(table) => {
                    values.push(self.within(table, &place, &format!("{key}.NAME"), |part| {
                        read(&name, part)
                    }))
                }
                other => self.problem(&place, wrong_type("must be a section", &other)),
            }
        }
        values
    }

    /// A list of tables: `[[markup.rules]]`, or `routes = [{ … }]`.
    pub fn rows<T>(&mut self, key: &str, read: impl Fn(&mut Section<'a>) -> T) -> Vec<T> {
        let rows = match self.take(key) {
            None => Vec::new(),
            Some(Value::Array(rows)) => rows,
            Some(other) => {
                self.problem(key, wrong_type("must be a list of tables", &other));
                Vec::new()
            }
        };
        let mut values = Vec::new();
        for (at, row) in rows.into_iter().enumerate() {
            let place = format!("{key}[{at}]");
            match row {
                Value::Table(table) => values.push(self.within(table, &place, key, &read)),
                other => self.problem(&place, wrong_type("must be a table in { }", &other)),
            }
        }
        values
    }

    /// Text that the operator gave for this key, which is still to be taken.
    pub fn peek(&self, key: &str) -> Option<&str> {
        self.left.get(key).and_then(Value::as_str)
    }

    /// Whether the operator gave this key.
    pub fn gives(&self, key: &str) -> bool {
        self.left.contains_key(key)
    }

    /// Text that is noted by the caller, or not at all (secrets). A wrong type is noted here.
    pub fn bare_text(&mut self, key: &str) -> Option<String> {
        let value = self.take(key)?;
        self.accept(key, text(&value).map(str::to_owned))
    }

    /// Notes that a secret was read.
    pub fn note_secret(&self, key: &str, origin: Origin) {
        self.enter(key, "***".to_owned(), origin, true);
    }

    fn within<T>(
        &self,
        left: Table,
        key: &str,
        pattern: &str,
        read: impl FnOnce(&mut Section<'a>) -> T,
    ) -> T {
        let mut part = Section {
            reader: self.reader,
            path: join(&self.path, key),
            pattern: join(&self.pattern, pattern),
            left,
            known: Vec::new(),
        };
        let value = read(&mut part);
        part.close();
        value
    }

    /// Whatever was not taken is unknown.
    pub fn close(self) {
        for key in self.left.keys() {
            let near = hint(key, self.known.iter().map(String::as_str));
            self.problem(&quoted(key), format!("is not a setting{near}"));
        }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.known.push(key.to_owned());
        self.left.remove(key)
    }

    fn table(&mut self, key: &str) -> Option<Table> {
        match self.take(key)? {
            Value::Table(table) => Some(table),
            other => self.accept(key, Err(wrong_type("must be a section", &other))),
        }
    }

    fn accept<T>(&self, key: &str, read: Result<T, String>) -> Option<T> {
        read.map_err(|why| self.problem(key, why)).ok()
    }

    fn note(&self, key: &str, value: String, origin: Origin) {
        self.enter(key, value, origin, false);
    }

    fn enter(&self, key: &str, value: String, origin: Origin, secret: bool) {
        let (path, pattern) = (self.path_of(key), join(&self.pattern, key));
        self.reader.note(Entry {
            key: path,
            pattern,
            value,
            origin,
            secret,
        });
    }
}

fn whole(value: &Value, allowed: &RangeInclusive<u32>) -> Result<u32, String> {
    let must = format!(
        "must be a whole number from {} to {}",
        allowed.start(),
        allowed.end()
    );
    let number = value.as_integer().ok_or_else(|| wrong_type(&must, value))?;
    let fits = u32::try_from(number)
        .ok()
        .filter(|number| allowed.contains(number));
    fits.ok_or_else(|| format!("{must}, not {number}"))
}

/// The text of a value, or what it is instead.
pub fn text(value: &Value) -> Result<&str, String> {
    value
        .as_str()
        .ok_or_else(|| wrong_type("must be text in quotes", value))
}

/// The name of a file or directory.
pub fn path(value: &Value) -> Result<String, String> {
    match text(value)? {
        "" => Err("must not be empty".to_owned()),
        given => Ok(given.to_owned()),
    }
}

/// One of a closed list of words.
pub fn one_of(
    value: &Value,
    words: impl Iterator<Item = &'static str> + Clone,
) -> Result<&'static str, String> {
    let given = text(value)?;
    words.clone().find(|word| *word == given).ok_or_else(|| {
        let allowed: Vec<String> = words.clone().map(|word| format!("\"{word}\"")).collect();
        format!(
            "must be one of {}{}",
            allowed.join(", "),
            hint(given, words)
        )
    })
}

/// A sentence on a value of the wrong kind; never shows the value, which may be a secret.
fn wrong_type(must: &str, value: &Value) -> String {
    let kind = match value {
        Value::String(_) => "text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number with a point",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    };
    format!("{must}, not {kind}")
}

/// A key as it has to be written in the file.
fn quoted(key: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !key.is_empty() && key.bytes().all(bare) {
        key.to_owned()
    } else {
        format!("{key:?}")
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (1..=32).contains(&name.len()) && name.bytes().all(allowed)
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
