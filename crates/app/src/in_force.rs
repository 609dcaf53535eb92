//! What people decided and every purchase knows before it chooses its way: remembered by the store, read
//! as one, and anew where any process may have changed it. Upstreams that are paused are among it; what was
//! bought there before goes on being served.

use crate::accounts::AdminError;
use crate::acting;
use crate::engine::{Engine, Settings};
use crate::reason::reason;
use domain::change::{CommitError, Refused, Write};
use domain::desk::{DeskWrite, InForce, Pause};
use domain::ids::AccountId;
use domain::policy::velocity::Velocity;
use domain::policy::{Rules, Standing};
use domain::ports::StoreError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// What was in force: what other processes changed, and what this one did.
type Version = (u64, u64);

/// What is in force, and the rules and bounds that come of it. Swapped whole: no purchase sees half of it.
#[derive(Debug)]
pub(crate) struct Effective {
    /// What people decided.
    pub in_force: Arc<InForce>,
    /// The settings' rules with what was loosened.
    pub rules: Rules,
    /// The settings' bounds by tier with what was loosened.
    pub velocity: [Velocity; 4],
}

impl Effective {
    fn of(settings: &Settings, in_force: InForce) -> Self {
        let (mut rules, mut velocity) = (settings.rules.clone(), settings.velocity.clone());
        for change in &in_force.loosened {
            change.what.apply(&mut rules, &mut velocity);
        }
        Self {
            in_force: Arc::new(in_force),
            rules,
            velocity,
        }
    }
}

/// What is in force, as it was last read.
#[derive(Debug)]
pub(crate) struct Known {
    read: RwLock<(Option<Version>, Arc<Effective>)>,
    changed_here: AtomicU64,
}

impl Known {
    /// Before anything was read.
    pub fn nothing(settings: &Settings) -> Self {
        let effective = Effective::of(settings, InForce::default());
        Self {
            read: RwLock::new((None, Arc::new(effective))),
            changed_here: AtomicU64::new(0),
        }
    }

    fn read(&self) -> (Option<Version>, Arc<Effective>) {
        let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
        read.clone()
    }

    /// Keeps what was read after this version was told.
    fn put(&self, version: Version, effective: &Arc<Effective>) {
        let mut read = self.read.write().unwrap_or_else(PoisonError::into_inner);
        if read.0.is_none_or(|newest| newest < version) {
            *read = (Some(version), Arc::clone(effective));
        }
    }

    /// What is in force, as far as was read.
    pub fn now(&self) -> Arc<Effective> {
        self.read().1
    }
}

impl Engine {
    /// What is in force: read anew where any process may have changed it.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn in_force(&self) -> Result<Arc<InForce>, StoreError> {
        let here = self.known.changed_here.load(Ordering::Acquire);
        let version = (self.store().access_version(), here);
        let (known, effective) = self.known.read();
        if known == Some(version) {
            return Ok(Arc::clone(&effective.in_force));
        }
        let in_force = self.store().in_force().await?;
        let effective = Arc::new(Effective::of(&self.settings, in_force));
        self.known.put(version, &effective);
        Ok(Arc::clone(&effective.in_force))
    }

    /// Whether an account may buy, as far as people, measures and its own flag say.
    pub(crate) fn standing(&self, account: AccountId, suspended: bool) -> Standing {
        match suspended {
            true => Standing::Suspended,
            false => self.known.now().in_force.standing(account),
        }
    }

    /// This process has changed what is in force, or may have.
    pub(crate) async fn in_force_changed(&self) {
        self.known.changed_here.fetch_add(1, Ordering::AcqRel);
        // whoever buys next reads it or is refused: it is written whatever this comes to
        let _ = self.in_force().await;
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
            why: reason(why)?.to_owned(),
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
            why: reason(why)?.to_owned(),
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
        self.in_force_changed().await;
        match written {
            Err(CommitError::Refused(Refused::Stale)) => {
                Err(AdminError::Conflict(stale.to_owned()))
            }
            outcome => {
                outcome?;
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
