//! The sandbox itself: the shelves, the books behind one lock, and the state file.

use crate::accounts::{AccountIndex, Protocol, accounts};
use crate::catalogue::Shelf;
use crate::clock::Clock;
use crate::event::Event;
use crate::faults::{Faults, Manner};
use crate::journal::Journal;
use crate::payments::Payments;
use crate::state::State;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio_util::task::TaskTracker;

/// All practice providers together.
pub struct Sandbox {
    clock: Clock,
    shelves: Vec<Shelf>,
    books: Mutex<Books>,
    faults: Mutex<Faults>,
    payments: Mutex<Payments>,
    /// Events on their way to shops.
    pub(crate) deliveries: TaskTracker,
}

/// What is behind the lock.
pub(crate) struct Books {
    /// The books as they stand.
    pub(crate) state: State,
    journal: Option<Journal>,
}

impl Books {
    /// Writes an event to the state file, then enters it. On an error nothing has happened.
    pub(crate) fn record(&mut self, event: &Event) -> io::Result<()> {
        if let Some(journal) = &mut self.journal {
            journal.append(event)?;
        }
        self.state.apply(event);
        Ok(())
    }
}

impl Sandbox {
    /// Opens the sandbox: with a state file it goes on where that file ends, and the file's own
    /// seed holds. Errors are those of the file.
    pub fn open(state_file: Option<&Path>, seed: u64, clock: Clock) -> io::Result<Self> {
        let mut state = State::new(seed);
        let mut empty = true;
        let replay = |event: Event| {
            empty = false;
            state.apply(&event);
        };
        let journal = state_file
            .map(|path| Journal::open(path, replay))
            .transpose()?;
        let mut books = Books { state, journal };
        if empty {
            books.record(&Event::Begun { seed })?;
        }
        Ok(Self {
            clock,
            shelves: (0..accounts().len()).map(Shelf::of).collect(),
            books: Mutex::new(books),
            faults: Mutex::new(Faults::none()),
            payments: Mutex::default(),
            deliveries: TaskTracker::new(),
        })
    }

    /// The same, with so many more offers spread evenly over the accounts that list everything in
    /// one answer. Deterministic, like everything else that is sold.
    pub fn stocked(mut self, offers: usize) -> Self {
        let large = accounts()
            .iter()
            .enumerate()
            .filter(|(_, account)| account.protocol == Protocol::HandlerApi)
            .map(|(index, _)| index);
        let large: Vec<AccountIndex> = large.collect();
        for index in &large {
            self.shelves[*index] = Shelf::stocked(*index, offers / large.len());
        }
        self
    }

    /// What an account sells.
    pub(crate) fn shelf(&self, account: AccountIndex) -> &Shelf {
        &self.shelves[account]
    }

    /// Does something with the books as of now; the second argument is the time that holds.
    pub(crate) fn books<R>(&self, work: impl FnOnce(&mut Books, i64) -> R) -> R {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.clock)();
        let now = books.state.advance(now);
        work(&mut books, now)
    }

    /// The payment processors, and the second that it is.
    pub(crate) fn payments(&self) -> (MutexGuard<'_, Payments>, i64) {
        let payments = self.payments.lock();
        let payments = payments.unwrap_or_else(PoisonError::into_inner);
        (payments, (self.clock)().div_euclid(1000))
    }

    /// The faults in force.
    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the next purchase goes that does not misbehave by its own wish.
    pub(crate) fn next_purchase(&self) -> Manner {
        self.faults().next_purchase()
    }
}
