//! The keys of stored secrets: those of days that are over are thrown away, and what lasts is sealed
//! anew when there is a newer key.

use crate::secrets::write_private;
use app::{AdminError, Engine};
use domain::change::{Change, CommitError, Refused, Write};
use domain::people::PeopleWrite;
use domain::ports::PeopleRows;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use store::{Database, Vault, VaultError};

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What can be asked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Which key is in use.
    Status,
    /// Adds a key to the file.
    NewKey,
    /// Reads the file anew and seals what lasts with its newest key.
    Rotate,
}

/// Keeps the keys of one installation.
pub struct Keeper {
    engine: Arc<Engine>,
    store: Arc<Database>,
    vault: Arc<Vault>,
    /// Where the lasting keys are, unless they come from the environment.
    key_file: Option<PathBuf>,
}

impl Keeper {
    /// Over a store and its keys.
    pub fn new(
        engine: Arc<Engine>,
        store: Arc<Database>,
        vault: Arc<Vault>,
        key_file: Option<PathBuf>,
    ) -> Self {
        Self {
            engine,
            store,
            vault,
            key_file,
        }
    }

    /// Throws away the keys of days that are over, and seals what an older key still seals, or none.
    pub async fn pass(&self) {
        match self.vault.forget(self.engine.now()) {
            Ok(true) => tracing::info!("codes of days that are over cannot be read any more"),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "a daily key could not be thrown away"),
        }
        if let Err(error) = self.reseal().await {
            tracing::error!(%error, "secrets could not be sealed anew");
        }
    }

    pub(super) async fn answer(&self, question: Question) -> Result<Value, AdminError> {
        match question {
            Question::Status => self.status().await,
            Question::NewKey => self.new_key(),
            Question::Rotate => self.rotate().await,
        }
    }

    async fn status(&self) -> Result<Value, AdminError> {
        let oldest = super::rfc3339(self.vault.oldest_day() * DAY_MS);
        Ok(json!({
            "key": self.vault.newest_key(),
            "sealed_with_older_keys": self.store.outdated_secrets().await?.len(),
            "codes_readable_since": oldest.get(..10).unwrap_or(&oldest),
        }))
    }

    fn new_key(&self) -> Result<Value, AdminError> {
        let (path, text) = self.file()?;
        let more = store::with_new_key(text.trim()).map_err(unusable)?;
        write_private(path, &format!("{more}\n"))
            .map_err(|error| AdminError::Invalid(format!("{error:#}")))?;
        let next = "Copy the file to every node, then run tollgate secrets rotate on each";
        Ok(json!({ "ok": true, "key_file": path.display().to_string(), "next": next }))
    }

    async fn rotate(&self) -> Result<Value, AdminError> {
        if self.key_file.is_some() {
            let (_, text) = self.file()?;
            self.vault.take_keys(text.trim()).map_err(unusable)?;
        }
        let sealed = self.reseal().await?;
        let left = self.store.outdated_secrets().await?.len();
        Ok(
            json!({ "ok": left == 0, "key": self.vault.newest_key(), "sealed": sealed, "left": left }),
        )
    }

    fn file(&self) -> Result<(&PathBuf, String), AdminError> {
        let path = self.key_file.as_ref().ok_or_else(|| {
            AdminError::Invalid(
                "secrets.key comes from the environment: add ,NUMBER:64 HEX DIGITS there and start anew"
                    .to_owned(),
            )
        })?;
        let text = std::fs::read_to_string(path).map_err(|error| {
            AdminError::Invalid(format!("cannot read {}: {error}", path.display()))
        })?;
        Ok((path, text))
    }

    /// Writes what older keys seal once more, which seals it with the newest. How many that were.
    async fn reseal(&self) -> Result<usize, AdminError> {
        let mut sealed = 0;
        for id in self.store.outdated_secrets().await? {
            let Some(person) = self.store.person(id).await? else {
                continue;
            };
            let write = Write::People(PeopleWrite::Update(Box::new(person)));
            let change = Change::new("reseal", self.engine.now(), vec![write]);
            match self.engine.store().commit(change).await {
                Ok(()) => sealed += 1,
                // whoever changed it meanwhile has sealed it
                Err(CommitError::Refused(Refused::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(sealed)
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "stands where an error is mapped"
)]
fn unusable(error: VaultError) -> AdminError {
    AdminError::Invalid(format!("secrets.key: {error}"))
}
