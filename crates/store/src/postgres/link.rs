//! The neutral connection over PostgreSQL. The thread that owns it waits for every answer; writes
//! of a transaction wait for each other and leave together.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use domain::change::Refused;
use tokio::runtime::Runtime;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Statement};

use super::claim::{self, Claim};
use super::value::type_of;
use super::{bulk, error, triggers};
use crate::audit::Findings;
use crate::sql::fault::Fault;
use crate::sql::{Arg, Connection, Due, Row, See, params};

/// Who writes holds this lock of the database until the end of its transaction: groups of changes
/// of all nodes come one after the other, so that what a guard has read stays true.
const BEGIN: &str = "BEGIN; SELECT pg_advisory_xact_lock(7413829); ";

/// How often the guards of a group look ahead at most: what one read tells, another one may rest on.
const LOOKS_MAX: u32 = 4;

/// Rows taken at once from a query over a large table.
const STREAMED: &str = "FETCH FORWARD 2000 FROM streamed";

/// A connection of one thread.
pub(super) struct Link {
    client: Client,
    runtime: Runtime,
    /// How long an answer may take altogether before the connection is given up.
    patience: Duration,
    prepared: RefCell<HashMap<String, Statement>>,
    waiting: RefCell<Vec<Waiting>>,
    foreseen: RefCell<Foreseen>,
    change: Cell<u64>,
    open: Cell<bool>,
}

/// What stands for the placeholders of a statement.
enum Columns<'w> {
    One(&'w [Arg<'static>]),
    Many(Vec<Vec<&'w Arg<'static>>>),
}

impl Columns<'_> {
    fn as_args(&self) -> Vec<&(dyn ToSql + Sync)> {
        match self {
            Self::One(args) => args.iter().map(|arg| arg as _).collect(),
            Self::Many(columns) => columns.iter().map(|column| column as _).collect(),
        }
    }
}

/// Rows that were read ahead for the guards of a group, by what was asked.
#[derive(Default)]
struct Foreseen {
    known: HashMap<Question, Arc<Vec<tokio_postgres::Row>>>,
    /// What is not known yet.
    asked: Vec<Question>,
    /// Guards are only looking: nothing is asked of the server now.
    looking: bool,
    /// The change that is checked may rest on it.
    holds: bool,
}

/// A query with its values.
type Question = (String, Vec<Arg<'static>>);

/// A write that has not left yet.
struct Waiting {
    sql: String,
    /// Number of its change in the group.
    change: u64,
    args: Vec<Arg<'static>>,
    /// What it means if it does not touch one row.
    refused: Option<Refused>,
}

impl Link {
    /// Over a client whose connection is driven by `runtime`.
    pub(super) fn new(client: Client, runtime: Runtime, patience: Duration) -> Self {
        Self {
            client,
            runtime,
            patience,
            prepared: RefCell::default(),
            waiting: RefCell::default(),
            foreseen: RefCell::default(),
            change: Cell::new(0),
            open: Cell::new(false),
        }
    }

    /// Statements without values, one after the other.
    pub(super) fn batch(&self, sql: &str) -> Result<(), Fault> {
        self.wait(self.client.batch_execute(sql))
    }

    /// Waits until whoever writes now has ended.
    pub(super) fn wait_for_writers(&self) -> Result<(), Fault> {
        self.batch("BEGIN; SELECT pg_advisory_xact_lock(7413829); COMMIT")
    }

    /// Does nothing for a while but hear notices. The clock belongs to the runtime: the span begins
    /// within.
    pub(super) fn listen(&self, span: Duration) {
        self.runtime
            .block_on(async { tokio::time::sleep(span).await });
    }

    /// Whether the connection has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Waits for something that the connection does, with the client to do it on.
    pub(super) fn with_client<T>(
        &mut self,
        patience: Duration,
        work: impl AsyncFnOnce(&mut Client) -> T,
    ) -> Option<T> {
        let (client, runtime) = (&mut self.client, &self.runtime);
        let limited = async { tokio::time::timeout(patience, work(client)).await };
        runtime.block_on(limited).ok()
    }

    /// From now on statements may take as long as this: a whole installation is being moved.
    pub(super) fn patient(&mut self, patience: Duration) -> Result<(), Fault> {
        self.batch(
            "SET statement_timeout = 0; SET lock_timeout = 0; \
                    SET idle_in_transaction_session_timeout = 0",
        )?;
        self.patience = patience;
        Ok(())
    }

    fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Fault> {
        let limited = async { tokio::time::timeout(self.patience, answer).await };
        match self.runtime.block_on(limited) {
            Ok(answer) => answer.map_err(|error| error::fault(&error)),
            Err(_) => Err(Fault::storage("PostgreSQL does not answer")),
        }
    }

    /// A small transaction that writes and need not be durable, on a connection that only reads.
    fn in_passing<T>(&self, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        self.batch("BEGIN READ WRITE; SET LOCAL synchronous_commit = off")?;
        match work() {
            Ok(done) => self.batch("COMMIT").map(|()| done),
            Err(fault) => {
                // a connection that is gone has undone it
                let _gone = self.batch("ROLLBACK");
                Err(fault)
            }
        }
    }

    /// Prepared once. Every number is as long as a column, whatever the server would guess from a
    /// constant next to its placeholder; only what is nothing the first time is left to it.
    fn statement(&self, sql: &str, args: &[Arg<'_>]) -> Result<Statement, Fault> {
        if let Some(known) = self.prepared.borrow().get(sql) {
            return Ok(known.clone());
        }
        let types: Vec<Type> = args.iter().map(type_of).collect();
        let statement = self.wait(self.client.prepare_typed(&numbered(sql), &types))?;
        let mut prepared = self.prepared.borrow_mut();
        prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Sends every write that waits, all at once, and waits for all of them.
    fn send_waiting(&self) -> Result<(), Fault> {
        self.try_send_waiting()
            .map_err(|fault| Fault::Earlier(Box::new(fault)))
    }

    fn try_send_waiting(&self) -> Result<(), Fault> {
        let waiting = self.waiting.take();
        if waiting.is_empty() {
            return Ok(());
        }
        let all = waiting
            .iter()
            .map(|write| (write.sql.as_str(), write.change));
        let mut calls = Vec::new();
        for bucket in bulk::buckets(all) {
            let writes: Vec<&Waiting> = bucket.places.iter().map(|at| &waiting[*at]).collect();
            let (statement, columns) = self.prepared_bucket(bucket.sql, &writes)?;
            calls.push((writes, async move {
                let args: Vec<&(dyn ToSql + Sync)> = columns.as_args();
                self.client.execute(&statement, &args).await
            }));
        }
        let (writes, calls): (Vec<_>, Vec<_>) = calls.into_iter().unzip();
        let touched = self.wait(async { Ok(together(calls).await) })?;
        for (writes, touched) in writes.iter().zip(touched) {
            let touched = touched.map_err(|error| error::fault(&error))?;
            check(writes, touched)?;
        }
        Ok(())
    }

    /// The statement for writes that leave together, and what stands for its placeholders.
    fn prepared_bucket<'w>(
        &self,
        sql: &str,
        writes: &[&'w Waiting],
    ) -> Result<(Statement, Columns<'w>), Fault> {
        let single = self.statement(sql, &writes[0].args)?;
        if let [write] = writes {
            return Ok((single, Columns::One(&write.args)));
        }
        let bulk = bulk::statement(sql, single.params());
        let bulk = bulk.ok_or_else(|| Fault::Wrong(format!("cannot be written in bulk: {sql}")))?;
        let columns = (0..writes[0].args.len())
            .map(|column| writes.iter().map(|write| &write.args[column]).collect())
            .collect();
        Ok((self.statement(&bulk, &[])?, Columns::Many(columns)))
    }

    /// Reads all of it in one turn.
    fn read_ahead(&self, asked: Vec<Question>) -> Result<(), Fault> {
        let asked: HashSet<Question> = asked.into_iter().collect();
        let mut calls = Vec::with_capacity(asked.len());
        for (sql, args) in &asked {
            let statement = self.statement(sql, args)?;
            calls.push(async move {
                let args: Vec<&(dyn ToSql + Sync)> = args.iter().map(|arg| arg as _).collect();
                self.client.query(&statement, &args).await
            });
        }
        let answers = self.wait(async { Ok(together(calls).await) })?;
        let mut found = Vec::with_capacity(answers.len());
        for rows in answers {
            found.push(Arc::new(rows.map_err(|error| error::fault(&error))?));
        }
        let mut foreseen = self.foreseen.borrow_mut();
        foreseen.known.extend(asked.into_iter().zip(found));
        Ok(())
    }

    fn wait_with(&self, sql: &str, args: &[Arg<'_>], refused: Option<Refused>) {
        self.waiting.borrow_mut().push(Waiting {
            sql: sql.to_owned(),
            change: self.change.get(),
            args: args.iter().map(Arg::to_owned_arg).collect(),
            refused,
        });
    }
}

/// A write that must touch one row touched one; of many in one statement, each did.
fn check(writes: &[&Waiting], touched: u64) -> Result<(), Fault> {
    let refused = writes.iter().find_map(|write| write.refused.clone());
    match refused {
        Some(refused) if usize::try_from(touched) != Ok(writes.len()) => {
            Err(Fault::Refused(refused))
        }
        _ => Ok(()),
    }
}

/// Shows rows until whoever looks has enough.
fn show(rows: &[tokio_postgres::Row], see: See<'_>) -> Result<(), Fault> {
    for row in rows {
        if !see(row)? {
            break;
        }
    }
    Ok(())
}

/// Runs all of them at once, each begun in its order: on one connection they are sent in it, and
/// answered in it.
async fn together<F: Future>(calls: Vec<F>) -> Vec<F::Output> {
    let mut calls: Vec<_> = calls
        .into_iter()
        .map(|call| (Box::pin(call), None))
        .collect();
    let (mut begun, mut next) = (false, 0);
    poll_fn(|context| {
        let first = next;
        for (at, (call, answer)) in calls.iter_mut().enumerate().skip(first) {
            if answer.is_none() {
                match Pin::new(call).poll(context) {
                    Poll::Ready(found) => *answer = Some(found),
                    // once all are sent, those behind the first open one have no answer yet
                    Poll::Pending if begun => break,
                    Poll::Pending => continue,
                }
            }
            next += usize::from(at == next);
        }
        begun = true;
        if next == calls.len() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    calls.into_iter().filter_map(|(_, answer)| answer).collect()
}

/// `?1` as this engine writes it. No text in our statements holds a question mark.
fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}

impl Connection for Link {
    fn query(&self, sql: &str, args: &[Arg<'_>], see: See<'_>) -> Result<(), Fault> {
        if self.foreseen.borrow().holds {
            let question = (sql.to_owned(), args.iter().map(Arg::to_owned_arg).collect());
            let known = self.foreseen.borrow().known.get(&question).cloned();
            if let Some(rows) = known {
                return show(&rows, see);
            }
            let mut foreseen = self.foreseen.borrow_mut();
            if foreseen.looking {
                foreseen.asked.push(question);
                return Ok(());
            }
        }
        self.send_waiting()?;
        let statement = self.statement(sql, args)?;
        let args: Vec<&(dyn ToSql + Sync)> = args.iter().map(|arg| arg as _).collect();
        show(&self.wait(self.client.query(&statement, &args))?, see)
    }

    fn foresee(&self, look: &mut dyn FnMut()) -> Result<(), Fault> {
        for _ in 0..LOOKS_MAX {
            self.foreseen.borrow_mut().looking = true;
            self.foreseen.borrow_mut().holds = true;
            look();
            let asked = {
                let mut foreseen = self.foreseen.borrow_mut();
                foreseen.looking = false;
                std::mem::take(&mut foreseen.asked)
            };
            if asked.is_empty() {
                break;
            }
            self.read_ahead(asked)?;
        }
        Ok(())
    }

    /// A change that rests on an earlier one of its group reads what that one wrote.
    fn begin_change(&self, apart: bool) -> Result<(), Fault> {
        self.change.set(self.change.get() + 1);
        self.foreseen.borrow_mut().holds = apart;
        match apart {
            true => Ok(()),
            false => self.send_waiting(),
        }
    }

    /// By a cursor of the snapshot that is open.
    fn stream(
        &self,
        sql: &str,
        see: &mut dyn FnMut(&Row<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.batch(&format!("DECLARE streamed NO SCROLL CURSOR FOR {sql}"))?;
        let fetch = self.wait(self.client.prepare(STREAMED))?;
        loop {
            let rows = self.wait(self.client.query(&fetch, &[]))?;
            if rows.is_empty() {
                return self.batch("CLOSE streamed");
            }
            for row in &rows {
                see(row)?;
            }
        }
    }

    /// Nobody waits for rows that others are at, and a claim that a crash undoes does no harm: its
    /// transaction is not flushed. Where nothing is due, that is all that is asked.
    fn claim(&self, due: &Due<'_>, args: &[Arg<'_>], see: See<'_>) -> Result<(), Fault> {
        let claim = Claim::of(due)?;
        let mut any = false;
        self.query(&claim.looks, args, &mut |_| {
            any = true;
            Ok(false)
        })?;
        if !any {
            return Ok(());
        }
        let rows = self.in_passing(|| {
            let statement = self.statement(&claim.takes, args)?;
            let args: Vec<&(dyn ToSql + Sync)> = args.iter().map(|arg| arg as _).collect();
            self.wait(self.client.query(&statement, &args))
        })?;
        show(&rows, see)
    }

    fn take_turn(&self, name: &str, pause_ms: i64) -> Result<bool, Fault> {
        let rows = self.in_passing(|| {
            let statement = self.statement(claim::TURN, params![name, pause_ms])?;
            let args: [&(dyn ToSql + Sync); 2] = [&name, &pause_ms];
            self.wait(self.client.query(&statement, &args))
        })?;
        Ok(!rows.is_empty())
    }

    fn execute(&self, sql: &str, args: &[Arg<'_>]) -> Result<usize, Fault> {
        self.send_waiting()?;
        let statement = self.statement(sql, args)?;
        let args: Vec<&(dyn ToSql + Sync)> = args.iter().map(|arg| arg as _).collect();
        let touched = self.wait(self.client.execute(&statement, &args))?;
        usize::try_from(touched).map_err(|_| Fault::Wrong(format!("{touched} rows touched")))
    }

    fn write(&self, sql: &str, args: &[Arg<'_>]) -> Result<(), Fault> {
        self.wait_with(sql, args, None);
        Ok(())
    }

    fn write_one(&self, sql: &str, args: &[Arg<'_>], refused: Refused) -> Result<(), Fault> {
        self.wait_with(sql, args, Some(refused));
        Ok(())
    }

    fn begin(&self) -> Result<(), Fault> {
        self.waiting.take();
        self.foreseen.take();
        self.open.set(true);
        self.batch(BEGIN)
    }

    fn announce_access(&self) -> Result<(), Fault> {
        self.wait_with("NOTIFY tollgate_access", &[], None);
        Ok(())
    }

    /// References are checked here and not at the commit, so that a commit fails only where nobody
    /// can know what became of it.
    fn end_writing(&self) -> Result<(), Fault> {
        self.wait_with("SET CONSTRAINTS ALL IMMEDIATE", &[], None);
        self.send_waiting()
    }

    fn commit(&self) -> Result<(), Fault> {
        self.foreseen.take();
        self.batch("COMMIT")?;
        self.open.set(false);
        Ok(())
    }

    fn roll_back(&self) -> Result<(), Fault> {
        self.waiting.take();
        self.foreseen.take();
        if !self.open.get() {
            return Ok(());
        }
        self.batch("ROLLBACK")?;
        self.open.set(false);
        Ok(())
    }

    fn in_transaction(&self) -> bool {
        self.open.get()
    }

    fn begin_snapshot(&self) -> Result<(), Fault> {
        self.open.set(true);
        self.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    fn check_triggers(&self, findings: &mut Findings) -> Result<(), Fault> {
        triggers::check(self, findings)
    }
}
