//! Upstreams at which the operator wants nothing bought: remembered by the store, known to every
//! purchase before it chooses its way. What was bought there before goes on being served.

use crate::accounts::AdminError;
use crate::acting;
use crate::engine::Engine;
use domain::change::{CommitError, Refused, Write};
use domain::desk::{DeskWrite, Pause};
use domain::ports::StoreError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Characters of a reason.
const REASON: std::ops::RangeInclusive<usize> = 3..=500;

/// Which pauses there were: what other processes changed, and what this one did.
type Version = (u64, u64);

/// The pauses as they were last read.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    known: RwLock<Option<(Version, Arc<Vec<Pause>>)>>,
    changed_here: AtomicU64,
}

impl Pauses {
    fn known(&self) -> Option<(Version, Arc<Vec<Pause>>)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Keeps what was read after this version was told.
    fn put(&self, version: Version, pauses: &Arc<Vec<Pause>>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|(newest, _)| *newest < version) {
            *known = Some((version, Arc::clone(pauses)));
        }
    }

    /// Whether an upstream is paused, as far as was read.
    pub fn holds(&self, upstream: &str) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut pauses = known.iter().flat_map(|(_, pauses)| pauses.iter());
        pauses.any(|pause| pause.upstream == upstream)
    }
}

impl Engine {
    /// Upstreams at which the operator wants nothing bought, by name: read anew where any process
    /// may have changed them.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn pauses(&self) -> Result<Arc<Vec<Pause>>, StoreError> {
        let here = self.pauses.changed_here.load(Ordering::Acquire);
        let version = (self.store().access_version(), here);
        if let Some((known, pauses)) = self.pauses.known()
            && known == version
        {
            return Ok(pauses);
        }
        let pauses = Arc::new(self.store().pauses().await?);
        self.pauses.put(version, &pauses);
        Ok(pauses)
    }

    /// From now on nothing is bought at an upstream, by any process and over restarts.
    ///
    /// # Errors
    /// There is no such upstream, it is paused already, or no reason is given.
    pub async fn pause_upstream(&self, upstream: &str, why: &str) -> Result<(), AdminError> {
        let actor = acting::by().map_or_else(|| "system".to_owned(), |by| by.actor.to_string());
        let pause = Pause {
            upstream: self.known_upstream(upstream)?,
            actor,
            why: reason(why)?,
            since: self.now(),
        };
        let write = DeskWrite::Pause(Box::new(pause));
        self.change_pause("pause_upstream", write, "this upstream is paused already")
            .await
    }

    /// It is bought from again.
    ///
    /// # Errors
    /// It is not paused, or no reason is given.
    pub async fn resume_upstream(&self, upstream: &str, why: &str) -> Result<(), AdminError> {
        // one that is configured no longer may still be paused
        let write = DeskWrite::Resume {
            upstream: upstream.to_owned(),
            why: reason(why)?,
        };
        self.change_pause("resume_upstream", write, "this upstream is not paused")
            .await
    }

    async fn change_pause(
        &self,
        name: &'static str,
        write: DeskWrite,
        stale: &'static str,
    ) -> Result<(), AdminError> {
        let written = self.commit(name, vec![Write::Desk(write)]).await;
        self.pauses.changed_here.fetch_add(1, Ordering::AcqRel);
        match written {
            Err(CommitError::Refused(Refused::Stale)) => {
                Err(AdminError::Conflict(stale.to_owned()))
            }
            outcome => {
                outcome?;
                // whoever buys next reads it or is refused: it is written whatever this comes to
                let _ = self.pauses().await;
                Ok(())
            }
        }
    }

    fn known_upstream(&self, name: &str) -> Result<String, AdminError> {
        let mut names = self.number_upstreams().chain(self.panels());
        let found = names.find(|known| *known == name).map(str::to_owned);
        found.ok_or_else(|| AdminError::NotFound(format!("upstream {name}")))
    }
}

fn reason(text: &str) -> Result<String, AdminError> {
    let text = text.trim();
    if REASON.contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    let (least, most) = (REASON.start(), REASON.end());
    Err(AdminError::Invalid(format!(
        "the reason must have {least} to {most} characters"
    )))
}
