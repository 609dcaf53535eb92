//! What a node does beside: it hears that keys or accounts changed elsewhere, and reserves ids.
//!
//! Ids are reserved in blocks, ahead of their use. A node whose stock is older than what others
//! took meanwhile throws it away, so that ids of all nodes stay in the order of time within seconds.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::link::Link;
use super::server::{Purpose, Server};
use crate::ids::{Ids, Series};
use crate::open_error::OpenError;
use crate::sql::cells::{Cells, many};
use crate::sql::fault::Fault;
use crate::sql::{Connection, params};

/// Ids in one block, as the sequences count.
const BLOCK: i64 = 64;

/// How often the stock is looked at.
const TICK: Duration = Duration::from_millis(50);

/// How often it is compared with what others took, in ticks; uses are counted over as long.
const COMPARED: u64 = 20;

/// How long what was read of keys and accounts is believed at most, in ticks: a notice may be lost,
/// or somebody may have changed a row past the program.
const BELIEVED: u64 = 600;

/// The thread that reserves; dropping it ends the thread.
pub(crate) struct Reserve {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Reserve {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that reserves ids panicked");
        }
    }
}

/// Reserves the first blocks, and starts the thread that goes on with it. `heard` rises with every
/// notice that keys or accounts have changed.
pub(super) fn start(
    server: Server,
    ids: &Arc<Ids>,
    heard: &Arc<AtomicU64>,
) -> Result<Reserve, OpenError> {
    let mut clerk = Clerk {
        server,
        link: None,
        ids: Arc::clone(ids),
        heard: Arc::clone(heard),
        wanted: [1, 1],
    };
    clerk.connect()?;
    let filled = clerk.fill();
    filled.map_err(|fault| clerk.server.refused(fault.to_string()))?;
    let (stop, stopped) = channel::<()>();
    let thread = std::thread::Builder::new()
        .name("store-ids".into())
        .spawn(move || {
            let mut ticks = 0;
            while stopped.try_recv() == Err(TryRecvError::Empty) {
                ticks += 1;
                clerk.tick(ticks);
            }
        })
        .map_err(OpenError::Thread)?;
    Ok(Reserve {
        stop: Some(stop),
        thread: Some(thread),
    })
}

struct Clerk {
    server: Server,
    link: Option<Link>,
    ids: Arc<Ids>,
    heard: Arc<AtomicU64>,
    /// Blocks to have in stock, of each series.
    wanted: [i64; 2],
}

impl Clerk {
    /// A connection that hears notices; whatever was said before it was there was missed.
    fn connect(&mut self) -> Result<(), OpenError> {
        let link = self.server.link_hearing(Purpose::Writing, &self.heard)?;
        let listening = link.batch("LISTEN tollgate_access");
        listening.map_err(|fault| self.server.refused(fault.to_string()))?;
        self.heard.fetch_add(1, Ordering::Release);
        self.link = Some(link);
        Ok(())
    }

    fn tick(&mut self, number: u64) {
        match &self.link {
            Some(link) => link.listen(TICK),
            None => std::thread::sleep(TICK),
        }
        let lost = self.link.as_ref().is_none_or(Link::is_closed);
        if lost || number.is_multiple_of(BELIEVED) {
            self.heard.fetch_add(1, Ordering::Release);
        }
        if lost && self.connect().is_err() {
            self.link = None;
            return;
        }
        let done = match number % COMPARED {
            0 => self.compare(),
            _ => self.fill(),
        };
        if let Err(fault) = done {
            tracing::warn!(error = %fault, "no ids could be reserved");
            self.link = None;
        }
    }

    fn series(&self) -> [(&'static str, &Series, i64); 2] {
        let [orders, rows] = self.wanted;
        [
            ("order_id", &self.ids.orders, orders),
            ("row_id", &self.ids.rows, rows),
        ]
    }

    /// Reserves more where less than half of what is wanted is left.
    fn fill(&self) -> Result<(), Fault> {
        let Some(link) = &self.link else {
            return Ok(());
        };
        for (name, series, wanted) in self.series() {
            if series.left() < wanted * BLOCK / 2 {
                series.extend(reserved(link, name, wanted)?);
            }
        }
        Ok(())
    }

    /// Fits the stock to what was used, and throws it away where others went on.
    fn compare(&mut self) -> Result<(), Fault> {
        let used = [self.ids.orders.take_used(), self.ids.rows.take_used()];
        self.wanted = used.map(|used| used * 2 / BLOCK + 1);
        let Some(link) = &self.link else {
            return Ok(());
        };
        for (name, series, wanted) in self.series() {
            let sql = format!("SELECT last_value FROM {name}");
            let newest = many(link, &sql, &[], |row| {
                Cells::new("sequence", row).take::<i64>()
            })?;
            if newest.first().is_some_and(|newest| *newest >= series.end()) {
                series.replace(reserved(link, name, wanted)?);
            }
        }
        self.fill()
    }
}

fn reserved(conn: &dyn Connection, sequence: &str, blocks: i64) -> Result<Vec<Range<i64>>, Fault> {
    let sql = format!("SELECT nextval('{sequence}') FROM generate_series(1, ?1::bigint)");
    many(conn, &sql, params![blocks], |row| {
        let first: i64 = Cells::new("sequence", row).take()?;
        Ok(first..first + BLOCK)
    })
}
