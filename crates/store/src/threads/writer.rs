//! The one thread that writes. It takes all changes that wait, never delays to wait for more, and
//! commits them together. After a storage failure it refuses everything until a fresh connection
//! has passed the checks.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use domain::change::{Change, CommitError};
use domain::time::{Millis, Timestamp};
use tokio::sync::oneshot;

use super::health::Health;
use super::{Opener, Owned};
use crate::database::not_healthy;
use crate::open_error::OpenError;
use crate::rows::access;
use crate::rows::group::{Outcome, apply_group};

/// Changes in one group at most.
const GROUP_MAX: usize = 1024;

/// Pause between attempts to get well.
const RECOVERY_PAUSE: Duration = Duration::from_secs(2);

/// Pause between two looks for expired idempotency keys.
const FORGET_PAUSE: Duration = Duration::from_secs(60);

/// Expired keys forgotten at once at most: callers wait meanwhile.
const FORGET_MAX: u16 = 500;

/// How long an expired key is kept still, in case it was the clock that ran ahead.
const KEPT_EXPIRED: Millis = Millis::minutes(24 * 60);

struct Job {
    change: Change,
    reply: oneshot::Sender<Outcome>,
}

/// The way to the writing thread; dropping it ends the thread after all that waits is written.
pub(crate) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread over its connection.
    pub(crate) fn start(
        opener: Arc<dyn Opener>,
        conn: Owned,
        health: Arc<Health>,
    ) -> Result<Self, OpenError> {
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                let mut door = Door {
                    opener,
                    conn: Some(conn),
                    health,
                    newest: None,
                    forget_at: Instant::now(),
                };
                door.serve(&receiver);
            })
            .map_err(OpenError::Thread)?;
        Ok(Self {
            jobs: Some(sender),
            thread: Some(thread),
        })
    }

    /// Writes a change and answers when it is durable. A change that was handed over is written
    /// even if nobody waits for the answer any more.
    pub(crate) async fn commit(&self, change: Change) -> Outcome {
        let stopped = || CommitError::Storage("the store has stopped".into());
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        jobs.send(Job { change, reply }).map_err(|_| stopped())?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writing thread panicked");
        }
    }
}

/// What the writing thread owns.
struct Door {
    opener: Arc<dyn Opener>,
    conn: Option<Owned>,
    health: Arc<Health>,
    /// The latest time a change was decided at: this thread has no clock of its own.
    newest: Option<Timestamp>,
    forget_at: Instant,
}

impl Drop for Door {
    fn drop(&mut self) {
        // However the thread ends: without it nothing can be committed.
        self.health.fall_ill();
    }
}

impl Door {
    fn serve(&mut self, jobs: &Receiver<Job>) {
        let mut next_try = Instant::now();
        loop {
            if !self.health.is_good() && next_try <= Instant::now() {
                self.try_recover();
                next_try = Instant::now() + RECOVERY_PAUSE;
            }
            let first = match jobs.recv_timeout(RECOVERY_PAUSE) {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) => {
                    self.forget_expired();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut group = vec![first];
            group.extend(jobs.try_iter().take(GROUP_MAX - 1));
            let newest = group.iter().map(|job| job.change.at).max();
            self.newest = self.newest.max(newest);
            self.commit(group);
            self.forget_expired();
        }
    }

    /// Once in a while, a batch of idempotency keys that expired long ago; sooner again after a full
    /// one.
    fn forget_expired(&mut self) {
        let conn = self.conn.as_deref().filter(|_| self.health.is_good());
        let (Some(conn), Some(newest)) = (conn, self.newest) else {
            return;
        };
        if Instant::now() < self.forget_at {
            return;
        }
        let forgotten = access::forget_claims(conn, newest - KEPT_EXPIRED, FORGET_MAX);
        let pause = match forgotten {
            Ok(many) if many == usize::from(FORGET_MAX) => RECOVERY_PAUSE,
            _ => FORGET_PAUSE,
        };
        self.forget_at = Instant::now() + pause;
        if let Err(fault) = forgotten {
            tracing::error!(error = %fault, "expired idempotency keys could not be forgotten");
            if fault.is_storage_failure() {
                self.health.fall_ill();
            }
        }
    }

    fn commit(&mut self, group: Vec<Job>) {
        let Some(conn) = self.conn.as_deref().filter(|_| self.health.is_good()) else {
            for job in group {
                answer(job.reply, Err(not_healthy()));
            }
            return;
        };
        let changes: Vec<&Change> = group.iter().map(|job| &job.change).collect();
        let begun = Instant::now();
        let applied = apply_group(conn, &changes);
        metrics::histogram!("tollgate_commit_seconds").record(begun.elapsed());
        let together = u32::try_from(changes.len()).unwrap_or(u32::MAX);
        metrics::histogram!("tollgate_commit_changes").record(together);
        if applied.storage_failed {
            self.health.fall_ill();
        }
        for (job, outcome) in group.into_iter().zip(applied.outcomes) {
            answer(job.reply, outcome);
        }
    }

    /// A connection that has seen a failure is never used again.
    fn try_recover(&mut self) {
        self.conn = None;
        match self.opener.checked_writer() {
            Ok(conn) => {
                self.conn = Some(conn);
                self.health.recover();
                tracing::warn!("the storage works again and was checked");
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "the storage still fails");
            }
        }
    }
}

fn answer(reply: oneshot::Sender<Outcome>, outcome: Outcome) {
    // Nobody waits where the caller went away; the outcome stands all the same.
    let _unheard = reply.send(outcome);
}
