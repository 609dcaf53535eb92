//! The keys of stored secrets: those of days that are over are thrown away, and what lasts is sealed
//! anew when the operator says so.

use super::Office;
use crate::secrets::write_private;
use app::{AdminError, Engine};
use domain::change::{Change, CommitError, Refused, Write};
use domain::ids::PersonId;
use domain::people::PeopleWrite;
use domain::ports::{PeopleRows, TopUpRows};
use domain::top_up::TopUpWrite;
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
    /// Reads the file anew, to open with its keys.
    Take,
    /// Reads the file anew and seals what lasts with its newest key.
    Rotate,
}

impl Question {
    /// The word of the audit log for what changes something.
    fn deed(&self) -> Option<&'static str> {
        match self {
            Self::Status => None,
            Self::NewKey => Some("make_secrets_key"),
            Self::Take => Some("take_secrets_keys"),
            Self::Rotate => Some("rotate_secrets_key"),
        }
    }
}

/// Answers with one JSON object. What is done stands in the audit log before.
pub(super) async fn answer(office: &Office, question: Question) -> Result<Value, AdminError> {
    let keeper = &office.keeper;
    if let Some(deed) = question.deed() {
        office.audit.note(deed, None, keeper.place()).await?;
    }
    match question {
        Question::Status => keeper.status().await,
        Question::NewKey => keeper.new_key(),
        Question::Take => keeper.take(),
        Question::Rotate => keeper.rotate().await,
    }
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

    /// Throws away the keys of days that are over, and seals what no key seals. What an older key
    /// seals waits for `rotate`: other nodes may not have the newest yet.
    pub async fn pass(&self) {
        match self.vault.forget(self.engine.now()) {
            Ok(true) => tracing::info!("codes of days that are over cannot be read any more"),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "a daily key could not be thrown away"),
        }
        if let Err(error) = self.seal_bare().await {
            tracing::error!(%error, "secrets could not be sealed anew");
        }
    }

    async fn status(&self) -> Result<Value, AdminError> {
        let oldest = super::rfc3339(self.vault.oldest_day() * DAY_MS);
        Ok(json!({
            "key": self.vault.sealing_key(),
            "newest_key": self.vault.newest_key(),
            "sealed_with_older_keys": self.outdated().await?,
            "codes_readable_since": oldest.get(..10).unwrap_or(&oldest),
        }))
    }

    fn new_key(&self) -> Result<Value, AdminError> {
        let (path, text) = self.file()?;
        let more = store::with_new_key(text.trim()).map_err(unusable)?;
        let shown = path.display().to_string();
        write_private(path, &format!("{more}\n"))
            .map_err(|error| AdminError::Invalid(format!("{error:#}")))?;
        let next = "Copy the file to every node, run tollgate secrets take on each, then \
                    tollgate secrets rotate on each";
        Ok(json!({ "ok": true, "key_file": shown, "next": next }))
    }

    fn take(&self) -> Result<Value, AdminError> {
        let (_, text) = self.file()?;
        let newest = self.vault.take_keys(text.trim()).map_err(unusable)?;
        Ok(json!({ "ok": true, "key": self.vault.sealing_key(), "newest_key": newest }))
    }

    async fn rotate(&self) -> Result<Value, AdminError> {
        if self.key_file.is_some() {
            self.take()?;
        }
        self.vault.seal_with_newest();
        let sealed =
            self.reseal(self.store.outdated_secrets().await?).await? + self.reseal_proofs().await?;
        let left = self.outdated().await?;
        Ok(
            json!({ "ok": left == 0, "key": self.vault.sealing_key(), "sealed": sealed, "left": left }),
        )
    }

    /// Where the lasting keys come from.
    fn place(&self) -> String {
        let file = self
            .key_file
            .as_ref()
            .map(|file| file.display().to_string());
        file.unwrap_or_else(|| "secrets.key".to_owned())
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

    /// Secrets and files that an older key seals.
    async fn outdated(&self) -> Result<usize, AdminError> {
        let secrets = self.store.outdated_secrets().await?.len();
        Ok(secrets + self.store.outdated_proofs().await?.len())
    }

    /// As [`Self::reseal`], for the files of transfers.
    async fn reseal_proofs(&self) -> Result<usize, AdminError> {
        let mut sealed = 0;
        for top_up in self.store.outdated_proofs().await? {
            let Some(proof) = self.store.proof(top_up).await? else {
                continue;
            };
            let write = Write::TopUp(TopUpWrite::ResealProof(Box::new(proof)));
            sealed += self.sealed_anew(write).await?;
        }
        Ok(sealed)
    }

    async fn seal_bare(&self) -> Result<usize, AdminError> {
        self.reseal(self.store.unsealed_secrets().await?).await
    }

    /// Writes what is stored of these once more, which seals it with the key in use. How many that
    /// were.
    async fn reseal(&self, people: Vec<PersonId>) -> Result<usize, AdminError> {
        let mut sealed = 0;
        for id in people {
            let Some(person) = self.store.person(id).await? else {
                continue;
            };
            let write = Write::People(PeopleWrite::Update(Box::new(person)));
            sealed += self.sealed_anew(write).await?;
        }
        Ok(sealed)
    }

    /// Writes one row once more; gives how many were sealed so. Whoever changed it meanwhile has sealed
    /// it, or it is gone.
    async fn sealed_anew(&self, write: Write) -> Result<usize, AdminError> {
        let change = Change::new("reseal", self.engine.now(), vec![write]);
        match self.engine.store().commit(change).await {
            Ok(()) => Ok(1),
            Err(CommitError::Refused(Refused::Stale)) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "stands where an error is mapped"
)]
fn unusable(error: VaultError) -> AdminError {
    AdminError::Invalid(format!("secrets.key: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{assembly, demo};
    use app::api_key::Environment;
    use domain::ids::PersonId;
    use domain::people::{Person, Role, Totp};

    fn with_second_factor(office: &Office) -> Person {
        Person {
            id: PersonId(77),
            version: 1,
            email: "ana@example.com".to_owned(),
            role: Role::Owner,
            account: None,
            password: None,
            verified_at: None,
            totp: Some(Totp {
                secret: b"twenty bytes of seed".to_vec(),
                confirmed: true,
                last_step: 0,
            }),
            disabled: false,
            created_at: office.engine.now(),
        }
    }

    #[tokio::test]
    async fn a_new_key_waits_for_rotate_and_leaves_a_line_in_the_audit_log() {
        // another test may have installed it
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = std::env::temp_dir().join(format!("keeper-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let settings = demo::offline(&folder).unwrap();
        let office = assembly::office(&settings, Environment::Demo).unwrap();
        let person = with_second_factor(&office);
        let write = Write::People(PeopleWrite::Insert(Box::new(person)));
        let change = Change::new("sign_up", office.engine.now(), vec![write]);
        office.engine.store().commit(change).await.unwrap();

        answer(&office, Question::NewKey).await.unwrap();
        answer(&office, Question::Take).await.unwrap();
        office.keeper.pass().await;
        let status = answer(&office, Question::Status).await.unwrap();
        assert_eq!(
            (&status["key"], &status["newest_key"]),
            (&json!(1), &json!(2))
        );
        let rotated = answer(&office, Question::Rotate).await.unwrap();
        assert_eq!(
            rotated,
            json!({ "ok": true, "key": 2, "sealed": 1, "left": 0 })
        );

        let newest = domain::audit_log::LinesOf {
            limit: 3,
            ..Default::default()
        };
        let lines = office.audit.lines(&newest).await.unwrap();
        let deeds: Vec<_> = lines.iter().map(|line| line.note.action.as_str()).collect();
        let expected = [
            "rotate_secrets_key",
            "take_secrets_keys",
            "make_secrets_key",
        ];
        assert_eq!(deeds, expected);
        drop(office);

        // started with a file that has a newer key: other nodes may not have it
        let office = assembly::office(&demo::offline(&folder).unwrap(), Environment::Demo).unwrap();
        answer(&office, Question::NewKey).await.unwrap();
        drop(office);
        let office = assembly::office(&demo::offline(&folder).unwrap(), Environment::Demo).unwrap();
        office.keeper.pass().await;
        let status = answer(&office, Question::Status).await.unwrap();
        assert_eq!(status["sealed_with_older_keys"], 1, "{status}");
        drop(office);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
