//! A few threads that read, so that the async executor never waits for a disk.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use domain::ports::StoreError;
use tokio::sync::oneshot;

use super::health::Health;
use super::{Opener, Owned};
use crate::open_error::OpenError;
use crate::sql::Connection;
use crate::sql::fault::Fault;

/// Asks, and answers whoever waits; a last try answers in any case. Tells whether it was answered.
type Question = Box<dyn FnMut(&dyn Connection, Try) -> bool + Send>;

/// Whether there is another try after this one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Try {
    First,
    Last,
}

/// The way to the reading threads; dropping it ends them.
pub(crate) struct Readers {
    questions: Option<Sender<Question>>,
    threads: Vec<JoinHandle<()>>,
    health: Arc<Health>,
}

impl Readers {
    /// Opens a connection for each thread and starts it.
    pub(crate) fn start(opener: &Arc<dyn Opener>, health: &Arc<Health>) -> Result<Self, OpenError> {
        let (sender, receiver) = channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads = Vec::new();
        for number in 0..opener.readers() {
            let desk = Desk {
                conn: opener.reader()?,
                opener: Arc::clone(opener),
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
    pub(crate) fn check_whole(&self, opener: Arc<dyn Opener>) {
        let health = Arc::clone(&self.health);
        let question: Question = Box::new(move |conn, _| {
            match opener.check_whole(conn) {
                Ok(()) => tracing::info!("the whole file was checked after an unclean end"),
                Err(error) => {
                    tracing::error!(%error, "the file is damaged; money stops");
                    health.fall_ill();
                }
            }
            true
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
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        query: impl Fn(&dyn Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let stopped = || StoreError("the store has stopped".into());
        let (reply, answer) = oneshot::channel();
        let mut reply = Some(reply);
        let question: Question = Box::new(move |conn, round| {
            let found = query(conn);
            let failed = matches!(&found, Err(fault) if fault.is_storage_failure());
            if failed && round == Try::First {
                return false;
            }
            if let Some(reply) = reply.take() {
                // Nobody waits where the caller went away.
                let _unheard = reply.send(found);
            }
            true
        });
        let questions = self.questions.as_ref().ok_or_else(stopped)?;
        questions.send(question).map_err(|_| stopped())?;
        let found = answer.await.map_err(|_| stopped())?;
        found.map_err(|fault| report(fault, &self.health))
    }
}

/// A read that shows a storage failure stops money too.
pub(crate) fn report(fault: Fault, health: &Health) -> StoreError {
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
    conn: Owned,
    opener: Arc<dyn Opener>,
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
            let Ok(mut question) = next else { return };
            self.follow_reopen();
            self.answer(&mut question);
        }
    }

    /// A connection over a network may have ended while nobody used it: that is seen by the next
    /// question only, which is then asked again on a fresh one.
    fn answer(&mut self, question: &mut Question) {
        let answered = self.opener.loses_connections() && question(&*self.conn, Try::First);
        if answered {
            return;
        }
        if self.opener.loses_connections() {
            self.reopen();
        }
        question(&*self.conn, Try::Last);
    }

    fn reopen(&mut self) -> bool {
        match self.opener.reader() {
            Ok(conn) => {
                self.conn = conn;
                true
            }
            Err(error) => {
                tracing::error!(%error, "a reader could not be opened anew");
                false
            }
        }
    }

    fn follow_reopen(&mut self) {
        let reopened = self.health.reopened();
        if reopened == self.opened {
            return;
        }
        if self.reopen() {
            self.opened = reopened;
        }
    }
}
