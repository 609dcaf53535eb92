//! The neutral connection over PostgreSQL. The thread that owns it waits for every answer; writes
//! of a transaction wait for each other and leave together.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use domain::change::Refused;
use tokio::runtime::Runtime;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Statement};

use super::error;
use super::triggers;
use crate::audit::Findings;
use crate::sql::fault::Fault;
use crate::sql::{Arg, Connection, Row, See};

/// Who writes holds this lock of the database until the end of its transaction: groups of changes
/// of all nodes come one after the other, so that what a guard has read stays true.
const BEGIN: &str = "BEGIN; SELECT pg_advisory_xact_lock(7413829); ";

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
    open: Cell<bool>,
}

/// A write that has not left yet.
struct Waiting {
    sql: String,
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

    /// Prepared once. Every number is as long as a column, whatever the server would guess from a
    /// constant next to its placeholder; only what is nothing the first time is left to it.
    fn statement(&self, sql: &str, args: &[Arg<'_>]) -> Result<Statement, Fault> {
        if let Some(known) = self.prepared.borrow().get(sql) {
            return Ok(known.clone());
        }
        let types: Vec<Type> = args
            .iter()
            .map(|arg| match arg {
                Arg::Null => Type::UNKNOWN,
                Arg::Int(_) => Type::INT8,
                Arg::Text(_) => Type::TEXT,
                Arg::Blob(_) => Type::BYTEA,
            })
            .collect();
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
        let mut calls = Vec::with_capacity(waiting.len());
        for write in &waiting {
            let statement = self.statement(&write.sql, &write.args)?;
            let args: Vec<&(dyn ToSql + Sync)> = write.args.iter().map(|arg| arg as _).collect();
            calls.push(async move { self.client.execute(&statement, &args).await });
        }
        let touched = self.wait(async { Ok(together(calls).await) })?;
        for (write, touched) in waiting.iter().zip(touched) {
            let touched = touched.map_err(|error| error::fault(&error))?;
            match &write.refused {
                Some(refused) if touched != 1 => return Err(Fault::Refused(refused.clone())),
                _ => {}
            }
        }
        Ok(())
    }

    fn wait_with(&self, sql: &str, args: &[Arg<'_>], refused: Option<Refused>) {
        self.waiting.borrow_mut().push(Waiting {
            sql: sql.to_owned(),
            args: args.iter().map(Arg::to_owned_arg).collect(),
            refused,
        });
    }
}

/// Runs all of them at once, each begun in its order: on one connection they are sent in it.
async fn together<F: Future>(calls: Vec<F>) -> Vec<F::Output> {
    let mut calls: Vec<_> = calls
        .into_iter()
        .map(|call| (Box::pin(call), None))
        .collect();
    poll_fn(|context| {
        let mut pending = false;
        for (call, answer) in &mut calls {
            if answer.is_some() {
                continue;
            }
            match Pin::new(call).poll(context) {
                Poll::Ready(found) => *answer = Some(found),
                Poll::Pending => pending = true,
            }
        }
        if pending {
            Poll::Pending
        } else {
            Poll::Ready(())
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
        self.send_waiting()?;
        let statement = self.statement(sql, args)?;
        let args: Vec<&(dyn ToSql + Sync)> = args.iter().map(|arg| arg as _).collect();
        let rows = self.wait(self.client.query(&statement, &args))?;
        for row in &rows {
            if !see(row)? {
                break;
            }
        }
        Ok(())
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
        self.open.set(true);
        self.batch(BEGIN)
    }

    /// References are checked here and not at the commit, so that a commit fails only where nobody
    /// can know what became of it.
    fn end_writing(&self) -> Result<(), Fault> {
        self.send_waiting()?;
        self.batch("SET CONSTRAINTS ALL IMMEDIATE")
    }

    fn commit(&self) -> Result<(), Fault> {
        self.batch("COMMIT")?;
        self.open.set(false);
        Ok(())
    }

    fn roll_back(&self) -> Result<(), Fault> {
        self.waiting.take();
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
