//! A few threads that read, so that the async executor never waits for a disk.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use domain::ports::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::fault::Fault;
use super::health::Health;
use super::open::{self, OpenError};

/// Threads that read.
const READERS: usize = 3;

type Question = Box<dyn FnOnce(&Connection) + Send>;

/// The way to the reading threads; dropping it ends them.
pub(super) struct Readers {
    questions: Option<Sender<Question>>,
    threads: Vec<JoinHandle<()>>,
    health: Arc<Health>,
}

impl Readers {
    /// Opens a connection for each thread and starts it.
    pub(super) fn start(path: &Path, health: &Arc<Health>) -> Result<Self, OpenError> {
        let (sender, receiver) = channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads = Vec::with_capacity(READERS);
        for number in 0..READERS {
            let desk = Desk {
                conn: open::reader(path)?,
                path: path.to_owned(),
                health: Arc::clone(health),
                opened: health.reopened(),
            };
            let receiver = Arc::clone(&receiver);
            let thread = std::thread::Builder::new()
                .name(format!("store-reader-{number}"))
                .spawn(move || desk.serve(&receiver))
                .map_err(OpenError::Thread)?;
            threads.push(thread);
        }
        Ok(Self {
            questions: Some(sender),
            threads,
            health: Arc::clone(health),
        })
    }

    /// Checks the whole file in the background; damage stops money.
    pub(super) fn check_whole(&self) {
        let health = Arc::clone(&self.health);
        let question: Question = Box::new(move |conn| match open::check_whole(conn) {
            Ok(()) => tracing::info!("the whole file was checked after an unclean end"),
            Err(error) => {
                tracing::error!(%error, "the file is damaged; money stops");
                health.fall_ill();
            }
        });
        let sent = self
            .questions
            .as_ref()
            .map(|questions| questions.send(question));
        if !matches!(sent, Some(Ok(()))) {
            self.health.fall_ill();
        }
    }

    /// Asks on one of the threads.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let stopped = || StoreError("the store has stopped".into());
        let (reply, answer) = oneshot::channel();
        let question: Question = Box::new(move |conn| {
            // Nobody waits where the caller went away.
            let _unheard = reply.send(query(conn));
        });
        let questions = self.questions.as_ref().ok_or_else(stopped)?;
        questions.send(question).map_err(|_| stopped())?;
        let found = answer.await.map_err(|_| stopped())?;
        found.map_err(|fault| report(fault, &self.health))
    }
}

/// A read that shows a storage failure stops money too.
pub(super) fn report(fault: Fault, health: &Health) -> StoreError {
    if fault.is_storage_failure() {
        health.fall_ill();
    }
    tracing::error!(error = %fault, "a read failed");
    fault.into_store_error()
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.questions = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a reading thread panicked");
            }
        }
    }
}

/// What one reading thread owns.
struct Desk {
    conn: Connection,
    path: PathBuf,
    health: Arc<Health>,
    opened: u64,
}

impl Desk {
    fn serve(mut self, questions: &Mutex<Receiver<Question>>) {
        loop {
            let next = questions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .recv();
            let Ok(question) = next else { return };
            self.follow_reopen();
            question(&self.conn);
        }
    }

    fn follow_reopen(&mut self) {
        let reopened = self.health.reopened();
        if reopened == self.opened {
            return;
        }
        match open::reader(&self.path) {
            Ok(conn) => {
                self.conn = conn;
                self.opened = reopened;
            }
            Err(error) => tracing::error!(%error, "a reader could not be opened anew"),
        }
    }
}
