//! The audit log: questions, checkpoints that leave the machine, and the look at all of it.

use crate::accounts::AdminError;
use crate::acting;
use crate::engine::Engine;
use domain::audit_log::{
    Actor, AuditWrite, BadLine, By, Checkpoint, Line, LinesOf, Note, Verified, Witness,
};
use domain::change::{CommitError, Refused, Write};
use domain::ids::AccountId;
use domain::ports::AuditRows;
use domain::time::Timestamp;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Hashes that one file of a checkpoint keeps at most: older lines are then told by its root alone.
const HASHES_MAX: u64 = 100_000;

/// Hashes that are read at once.
const READ: u32 = 10_000;

/// Signs checkpoints and keeps them where the database does not reach. Calls may touch a disk.
pub trait Notary: Send + Sync {
    /// Lines that the newest kept checkpoint counts; 0 where none is kept.
    fn newest(&self) -> Result<u64, String>;
    /// Keeps a checkpoint, in the usual place or in this file; answers where.
    fn keep(&self, witness: &Witness, file: Option<PathBuf>) -> Result<PathBuf, String>;
    /// All that are kept and the one in this file, and what is wrong with those that cannot be
    /// believed.
    fn kept(&self, file: Option<PathBuf>) -> (Vec<Witness>, Vec<String>);
}

/// What came of looking at the whole log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogVerified {
    /// When.
    pub at: Timestamp,
    /// The lines.
    pub verified: Verified,
    /// Checkpoints that could not be read or are not genuine.
    pub unbelievable: Vec<String>,
}

impl LogVerified {
    /// Whether all is as it was written.
    pub fn is_ok(&self) -> bool {
        self.verified.bad.is_none() && self.unbelievable.is_empty()
    }

    /// The first line that is wrong.
    pub fn bad(&self) -> Option<&BadLine> {
        self.verified.bad.as_ref()
    }
}

/// The use cases.
pub struct AuditLog {
    engine: Arc<Engine>,
    rows: Arc<dyn AuditRows>,
    notary: Arc<dyn Notary>,
    last: Mutex<Option<LogVerified>>,
}

impl AuditLog {
    /// Over an engine, what is remembered, and who signs.
    pub fn new(engine: Arc<Engine>, rows: Arc<dyn AuditRows>, notary: Arc<dyn Notary>) -> Self {
        Self {
            engine,
            rows,
            notary,
            last: Mutex::default(),
        }
    }

    /// Lines, newest first.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn lines(&self, wanted: &LinesOf) -> Result<Vec<Line>, AdminError> {
        Ok(self.rows.audit_lines(wanted).await?)
    }

    /// Keeps written that whoever acts has done or seen something that changes no other row.
    ///
    /// # Errors
    /// The store cannot take it: then it must not be shown either.
    pub async fn note(
        &self,
        action: &'static str,
        account: Option<AccountId>,
        object: String,
    ) -> Result<(), AdminError> {
        self.engine.note(action, account, object).await
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How many lines there are.
    pub async fn size(&self) -> Result<u64, AdminError> {
        Ok(self.rows.audit_head().await?.0)
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn newest_checkpoint(&self) -> Result<Option<Checkpoint>, AdminError> {
        Ok(self.rows.audit_checkpoint().await?)
    }

    /// Makes a checkpoint of all lines and keeps it outside, unless the newest one kept there counts
    /// them all.
    ///
    /// # Errors
    /// The store cannot answer, or it could not be kept.
    pub async fn checkpoint(&self) -> Result<Option<PathBuf>, AdminError> {
        let notary = Arc::clone(&self.notary);
        let kept = self.on_disk(move || notary.newest()).await?;
        let (size, root) = self.rows.audit_head().await?;
        if size <= kept {
            return Ok(None);
        }
        self.witness((size, root), kept, None).await.map(Some)
    }

    /// Writes a checkpoint of all lines into a file.
    ///
    /// # Errors
    /// The store cannot answer, or the file cannot be written.
    pub async fn export(&self, file: PathBuf) -> Result<(Checkpoint, PathBuf), AdminError> {
        let (size, root) = self.rows.audit_head().await?;
        let at = self.engine.now();
        let file = self.witness((size, root), 0, Some(file)).await?;
        Ok((Checkpoint { size, root, at }, file))
    }

    async fn witness(
        &self,
        (size, root): (u64, [u8; 32]),
        kept: u64,
        file: Option<PathBuf>,
    ) -> Result<PathBuf, AdminError> {
        let at = self.engine.now();
        let checkpoint = Checkpoint { size, root, at };
        let write = AuditWrite::Checkpoint(checkpoint.clone());
        let written = self.engine.commit("checkpoint", vec![Write::Audit(write)]);
        match written.await {
            // another node, or an earlier export, has made one of this size
            Ok(()) | Err(CommitError::Refused(Refused::Stale)) => {}
            Err(error) => return Err(error.into()),
        }
        let mut after = kept.max(size.saturating_sub(HASHES_MAX));
        let mut hashes = Vec::new();
        while after < size {
            let most = u64::from(READ).min(size - after);
            let limit = u32::try_from(most).unwrap_or(READ);
            let read = self.rows.audit_hashes(after, limit).await?;
            if read.is_empty() {
                return Err(AdminError::Storage);
            }
            after += read.len() as u64;
            hashes.extend(read);
        }
        let witness = Witness { checkpoint, hashes };
        let notary = Arc::clone(&self.notary);
        self.on_disk(move || notary.keep(&witness, file)).await
    }

    /// Looks at every line and compares them with all checkpoints, here, outside and in this file.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn verify(&self, file: Option<PathBuf>) -> Result<LogVerified, AdminError> {
        let notary = Arc::clone(&self.notary);
        let (kept, unbelievable) = self.on_disk(move || Ok(notary.kept(file))).await?;
        let verified = self.rows.verify_audit_log(kept).await?;
        let found = LogVerified {
            at: self.engine.now(),
            verified,
            unbelievable,
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(found.clone());
        Ok(found)
    }

    /// What the last look found, in this process.
    pub fn last_verified(&self) -> Option<LogVerified> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, AdminError> {
        let done = self.engine.compute(work).await;
        done.ok_or(AdminError::Storage)?
            .map_err(AdminError::Invalid)
    }
}

impl Engine {
    /// Keeps written that whoever acts did something that changes no row of the store, before it is
    /// done.
    pub(crate) async fn note(
        &self,
        action: &'static str,
        account: Option<AccountId>,
        object: String,
    ) -> Result<(), AdminError> {
        let by = acting::by().unwrap_or_else(|| By::new(Actor::System));
        let note = Note::seen(&by, action, account, object);
        let write = Write::Audit(AuditWrite::Note(Box::new(note)));
        Ok(self.commit(action, vec![write]).await?)
    }
}
