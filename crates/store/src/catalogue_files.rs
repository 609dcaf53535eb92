//! What the catalogue remembers, in files of its own beside the database: the last listing of each
//! upstream, the history of costs in segments, and the operator's classes. None of it is money: a
//! file that is lost is read anew from the upstream, a broken one is thrown away.

use domain::catalogue::CostChange;
use domain::policy::OtpClass;
use domain::ports::{CatalogueArchive, ChangesOf, NotedChange, StoreError};
use domain::time::Timestamp;
use domain::usd::Usd;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Length of the digest that a listing begins with.
const DIGEST: usize = 32;
/// A segment of the history that has grown this long is followed by the next one.
const SEGMENT_BYTES: u64 = 4 * 1024 * 1024;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// How much history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// Days.
    pub days: u32,
    /// Bytes, give or take a segment.
    pub bytes: u64,
}

/// The files of the catalogue in a directory.
pub struct CatalogueFiles {
    directory: PathBuf,
    history: History,
    /// One writer at a time.
    writing: Mutex<()>,
}

impl CatalogueFiles {
    /// The files below this directory, which is made when something is written.
    pub fn new(directory: &Path, history: History) -> Self {
        Self {
            directory: directory.to_owned(),
            history,
            writing: Mutex::default(),
        }
    }

    fn below(&self, name: &str) -> Result<PathBuf, StoreError> {
        let path = self.directory.join(name);
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path);
        made.map_err(|cause| fault(&path, &cause))?;
        Ok(path)
    }

    fn classes_file(&self) -> PathBuf {
        self.directory.join("classes.tsv")
    }

    /// Segments of the history: day, number, path; the oldest first.
    fn segments(&self) -> Result<Vec<(i64, u32, PathBuf)>, StoreError> {
        let directory = self.directory.join("history");
        let mut segments = Vec::new();
        for path in files(&directory)? {
            let name = path.file_stem().and_then(|name| name.to_str());
            let parts = name.and_then(|name| name.split_once('-'));
            let parsed = parts.and_then(|(day, n)| Some((day.parse().ok()?, n.parse().ok()?)));
            if let Some((day, number)) = parsed {
                segments.push((day, number, path));
            }
        }
        segments.sort();
        Ok(segments)
    }

    /// Drops whole segments: those too old, and from the far end those too much.
    fn prune(&self, today: i64) -> Result<(), StoreError> {
        let mut segments = self.segments()?;
        // the one that is written to stays
        segments.pop();
        let mut left: u64 = 0;
        for (day, _, path) in segments.iter().rev() {
            left += fs::metadata(path).map_or(0, |data| data.len());
            if *day + i64::from(self.history.days) <= today || left > self.history.bytes {
                fs::remove_file(path).map_err(|cause| fault(path, &cause))?;
            }
        }
        Ok(())
    }
}

impl CatalogueArchive for CatalogueFiles {
    fn keep(&self, upstream: &str, listing: &[u8]) -> Result<(), StoreError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = self.below("listings")?;
        let path = directory.join(format!("{upstream}.bin"));
        let fresh = directory.join(format!("{upstream}.new"));
        let written = (|| {
            let mut file = create(&fresh)?;
            file.write_all(&Sha256::digest(listing))?;
            file.write_all(listing)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)
        })();
        written.map_err(|cause| fault(&path, &cause))
    }

    fn kept(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut kept = Vec::new();
        for path in files(&self.directory.join("listings"))? {
            if path.extension().is_none_or(|kind| kind != "bin") {
                continue;
            }
            let bytes = fs::read(&path).map_err(|cause| fault(&path, &cause))?;
            match sound(&bytes) {
                Some(listing) => kept.push(listing.to_vec()),
                None => {
                    tracing::warn!(file = %path.display(), "a kept catalogue is broken; removed");
                    fs::remove_file(&path).map_err(|cause| fault(&path, &cause))?;
                }
            }
        }
        Ok(kept)
    }

    fn note(
        &self,
        upstream: &str,
        at: Timestamp,
        changes: &[CostChange],
    ) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = self.below("history")?;
        let today = at.0.div_euclid(DAY_MS);
        let last = self.segments()?.pop();
        let number = match last {
            Some((day, number, path)) if day == today => {
                let full = fs::metadata(path).is_ok_and(|data| data.len() >= SEGMENT_BYTES);
                number + u32::from(full)
            }
            _ => 0,
        };
        let path = directory.join(format!("{today:08}-{number:06}.tsv"));
        let mut lines = String::new();
        for change in changes {
            lines.push_str(&line(upstream, at, change));
        }
        append(&path, lines.as_bytes()).map_err(|cause| fault(&path, &cause))?;
        self.prune(today)
    }

    fn changes(&self, wanted: &ChangesOf) -> Result<Vec<NotedChange>, StoreError> {
        let mut found = Vec::new();
        for (day, _, path) in self.segments()?.into_iter().rev() {
            let over = wanted.since >= Timestamp((day + 1).saturating_mul(DAY_MS));
            if over || found.len() >= wanted.limit {
                break;
            }
            let text = fs::read_to_string(&path).map_err(|cause| fault(&path, &cause))?;
            let noted = text.lines().rev().filter_map(parse);
            found.extend(noted.filter(|noted| is_wanted(wanted, noted)));
        }
        found.sort_by_key(|noted| std::cmp::Reverse(noted.at));
        found.truncate(wanted.limit);
        Ok(found)
    }

    fn classes(&self) -> Result<Vec<(String, OtpClass)>, StoreError> {
        let path = self.classes_file();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(cause) => return Err(fault(&path, &cause)),
        };
        let mut classes = BTreeMap::new();
        for (service, slug) in text.lines().filter_map(|line| line.split_once('\t')) {
            let class = OtpClass::ALL.iter().find(|class| class.slug() == slug);
            if let Some(class) = class {
                classes.insert(service.to_owned(), *class);
            }
        }
        Ok(classes.into_iter().collect())
    }

    fn classify(&self, service: &str, class: OtpClass) -> Result<(), StoreError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.below("")?;
        let path = self.classes_file();
        let line = format!("{}\t{}\n", field(service), class.slug());
        append(&path, line.as_bytes()).map_err(|cause| fault(&path, &cause))
    }
}

fn fault(path: &Path, cause: &io::Error) -> StoreError {
    StoreError(format!("cannot use {}: {cause}", path.display()))
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)
}

fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.append(true).create(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Files of a directory; none where there is no such directory yet.
fn files(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(fault(directory, &cause)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    paths
        .collect::<io::Result<_>>()
        .map_err(|cause| fault(directory, &cause))
}

/// The listing behind its digest.
fn sound(bytes: &[u8]) -> Option<&[u8]> {
    let (digest, listing) = bytes.split_at_checked(DIGEST)?;
    (Sha256::digest(listing)[..] == *digest).then_some(listing)
}

/// One field of a line: names of upstreams are hostile text.
fn field(text: &str) -> String {
    text.replace(|letter: char| letter.is_control(), " ")
}

fn line(upstream: &str, at: Timestamp, change: &CostChange) -> String {
    let pool = change.pool_id.as_deref().map(field);
    format!(
        "{}\t{upstream}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
        at.0,
        field(&change.country_id),
        change.country_key,
        field(&change.service_id),
        field(&change.service_name),
        pool.unwrap_or_default(),
        change.from.0,
        change.to.0
    )
}

fn parse(line: &str) -> Option<NotedChange> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [
        at,
        upstream,
        country_id,
        country_key,
        service_id,
        name,
        pool,
        from,
        to,
    ] = fields.as_slice()
    else {
        return None;
    };
    let text = |text: &str| -> Arc<str> { Arc::from(text) };
    Some(NotedChange {
        at: Timestamp(at.parse().ok()?),
        upstream: (*upstream).to_owned(),
        change: CostChange {
            country_id: text(country_id),
            country_key: text(country_key),
            service_id: text(service_id),
            service_name: text(name),
            pool_id: (!pool.is_empty()).then(|| text(pool)),
            from: Usd(from.parse().ok()?),
            to: Usd(to.parse().ok()?),
        },
    })
}

fn is_wanted(wanted: &ChangesOf, noted: &NotedChange) -> bool {
    let change = &noted.change;
    let of_upstream = wanted.upstream.as_ref();
    let of_country = wanted.country.as_ref();
    noted.at >= wanted.since
        && of_upstream.is_none_or(|name| *name == noted.upstream)
        && of_country.is_none_or(|key| **key == *change.country_key)
        && wanted.service.as_ref().is_none_or(|service| {
            [&change.service_id, &change.service_name]
                .iter()
                .any(|known| known.to_lowercase() == service.to_lowercase())
        })
}

#[cfg(test)]
mod tests;
