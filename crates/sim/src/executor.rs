//! A single thread that polls futures in an order drawn from the seed and moves time by itself:
//! whenever nothing can run, the clock jumps to the next timer.

use crate::random::Random;
use domain::time::{Millis, Timestamp};
use domain::upstream::Pending;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Whose death ends a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A node in one of its lives.
    Node(usize, u64),
    /// Upstreams, clients, the schedule itself.
    Outside,
}

/// Number of a task, unique in a schedule.
pub type TaskId = usize;

struct Newborn {
    id: TaskId,
    owner: Owner,
    work: Pending<'static, ()>,
}

struct Timer {
    at: i64,
    order: usize,
    waker: Waker,
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Timer {}
impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Timer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// What futures see of the executor: the time, and a way to start and end tasks.
pub struct Hub {
    now: AtomicI64,
    numbers: AtomicUsize,
    timers_made: AtomicUsize,
    current: AtomicUsize,
    ready: Arc<Mutex<Vec<TaskId>>>,
    timers: Mutex<BinaryHeap<Reverse<Timer>>>,
    newborn: Mutex<Vec<Newborn>>,
    parents: Mutex<Vec<TaskId>>,
    doomed: Mutex<Vec<TaskId>>,
    crashes: Mutex<Vec<usize>>,
    lives: [AtomicUsize; 2],
    over: AtomicBool,
}

/// Locks; a poisoned lock still holds what the schedule needs for its report.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// A hub whose time starts here.
    pub fn new(start: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            now: AtomicI64::new(start.0),
            numbers: AtomicUsize::new(1),
            timers_made: AtomicUsize::new(0),
            current: AtomicUsize::new(0),
            ready: Arc::default(),
            timers: Mutex::default(),
            newborn: Mutex::default(),
            parents: Mutex::new(vec![0]),
            doomed: Mutex::default(),
            crashes: Mutex::default(),
            lives: [AtomicUsize::new(0), AtomicUsize::new(0)],
            over: AtomicBool::new(false),
        })
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::Relaxed))
    }

    /// The task that is being polled.
    pub fn current(&self) -> TaskId {
        self.current.load(Ordering::Relaxed)
    }

    /// The task that started a task; 0 for the schedule.
    pub fn parent(&self, task: TaskId) -> TaskId {
        lock(&self.parents).get(task).copied().unwrap_or(0)
    }

    /// Starts a task.
    pub fn spawn(&self, owner: Owner, work: impl Future<Output = ()> + Send + 'static) -> TaskId {
        let id = self.numbers.fetch_add(1, Ordering::Relaxed);
        lock(&self.parents).push(self.current());
        let work: Pending<'static, ()> = Box::pin(work);
        lock(&self.newborn).push(Newborn { id, owner, work });
        id
    }

    /// Drops a task unfinished, as soon as the present poll is over.
    pub fn abort(&self, task: TaskId) {
        lock(&self.doomed).push(task);
    }

    /// Kills a node: all its tasks are dropped as soon as the present poll is over.
    pub fn crash(&self, node: usize) {
        lock(&self.crashes).push(node);
    }

    /// The present life of a node.
    pub fn life(&self, node: usize) -> u64 {
        self.lives[node].load(Ordering::Relaxed) as u64
    }

    /// Ends the run after the present poll.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Completes after the span.
    pub fn sleep(self: &Arc<Self>, span: Millis) -> Sleep {
        Sleep {
            hub: Arc::clone(self),
            until: self.now() + span,
            asked: false,
        }
    }
}

/// See [`Hub::sleep`].
pub struct Sleep {
    hub: Arc<Hub>,
    until: Timestamp,
    asked: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.hub.now() >= self.until {
            return Poll::Ready(());
        }
        if !self.asked {
            self.asked = true;
            let timer = Timer {
                at: self.until.0,
                order: self.hub.timers_made.fetch_add(1, Ordering::Relaxed),
                waker: context.waker().clone(),
            };
            lock(&self.hub.timers).push(Reverse(timer));
        }
        Poll::Pending
    }
}

/// Gives way once, so that another task may run in between.
pub fn give_way() -> impl Future<Output = ()> + Send {
    let mut given = false;
    std::future::poll_fn(move |context| {
        if given {
            return Poll::Ready(());
        }
        given = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

struct Bell {
    id: TaskId,
    rung: AtomicBool,
    ready: Arc<Mutex<Vec<TaskId>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::Relaxed) {
            lock(&self.ready).push(self.id);
        }
    }
}

struct Task {
    owner: Owner,
    work: Pending<'static, ()>,
    bell: Arc<Bell>,
}

/// The tasks of one schedule.
pub struct Executor {
    hub: Arc<Hub>,
    random: Random,
    tasks: Vec<Option<Task>>,
}

impl Executor {
    /// An executor without tasks.
    pub fn new(hub: Arc<Hub>, seed: u64) -> Self {
        Self {
            hub,
            random: Random::new(seed.rotate_left(17)),
            tasks: Vec::new(),
        }
    }

    /// Runs until [`Hub::end`], until nothing can ever run again, or until `limit` polls were
    /// made. Gives whether it ended by itself.
    pub fn run(&mut self, limit: usize) -> bool {
        for _ in 0..limit {
            self.bury();
            self.adopt();
            if self.hub.over.load(Ordering::Relaxed) {
                return true;
            }
            let next = {
                let mut ready = lock(&self.hub.ready);
                let count = ready.len();
                (count > 0).then(|| ready.swap_remove(self.random.below(count)))
            };
            match next {
                Some(id) => self.poll(id),
                None if self.advance() => {}
                None => return true,
            }
        }
        false
    }

    /// Drops what was doomed; what dies may start tasks of its own, which die with their owner.
    fn bury(&mut self) {
        let crashed: Vec<usize> = std::mem::take(&mut *lock(&self.hub.crashes));
        for node in crashed {
            let life = self.hub.life(node);
            self.hub.lives[node].fetch_add(1, Ordering::Relaxed);
            self.adopt();
            let dead = Owner::Node(node, life);
            let of_dead =
                |task: &&mut Option<Task>| task.as_ref().is_some_and(|task| task.owner == dead);
            let buried: Vec<Task> = self
                .tasks
                .iter_mut()
                .filter(of_dead)
                .filter_map(Option::take)
                .collect();
            drop(buried);
        }
        let doomed: Vec<TaskId> = std::mem::take(&mut *lock(&self.hub.doomed));
        for id in doomed {
            let task = self.tasks.get_mut(id).and_then(Option::take);
            drop(task);
        }
    }

    fn adopt(&mut self) {
        let newborn: Vec<Newborn> = std::mem::take(&mut *lock(&self.hub.newborn));
        for Newborn { id, owner, work } in newborn {
            if let Owner::Node(node, life) = owner
                && life != self.hub.life(node)
            {
                continue;
            }
            let bell = Arc::new(Bell {
                id,
                rung: AtomicBool::new(true),
                ready: Arc::clone(&self.hub.ready),
            });
            if self.tasks.len() <= id {
                self.tasks.resize_with(id + 1, || None);
            }
            self.tasks[id] = Some(Task { owner, work, bell });
            lock(&self.hub.ready).push(id);
        }
    }

    fn poll(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(id).and_then(Option::as_mut) else {
            return;
        };
        task.bell.rung.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&task.bell));
        self.hub.current.store(id, Ordering::Relaxed);
        let done = task
            .work
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready();
        if done {
            let finished = self.tasks[id].take();
            drop(finished);
        }
        self.hub.current.store(0, Ordering::Relaxed);
    }

    fn advance(&self) -> bool {
        let Some(Reverse(timer)) = lock(&self.hub.timers).pop() else {
            return false;
        };
        self.hub.now.fetch_max(timer.at, Ordering::Relaxed);
        timer.waker.wake();
        true
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        // tasks hold the hub and the hub holds what was not adopted yet: cut the circle
        lock(&self.hub.timers).clear();
        let newborn: Vec<Newborn> = std::mem::take(&mut *lock(&self.hub.newborn));
        drop(newborn);
        let tasks = std::mem::take(&mut self.tasks);
        drop(tasks);
        lock(&self.hub.newborn).clear();
    }
}
