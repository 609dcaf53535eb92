//! A group of changes in one transaction: one flush of the device pays for all of them.

use domain::change::{Change, CommitError};
use domain::failpoint;
use rusqlite::Connection;

use super::fault::Fault;
use super::journal::Wallets;
use super::{guard, write};

/// Outcome of one change.
pub(super) type Outcome = Result<(), CommitError>;

/// Outcomes of a group, in its order.
pub(super) struct Applied {
    pub(super) outcomes: Vec<Outcome>,
    /// The storage failed: nothing more may be written before a fresh open.
    pub(super) storage_failed: bool,
}

/// Why a whole transaction was given up.
struct GivenUp {
    fault: Fault,
    /// The commit itself failed: nobody knows what is durable.
    in_commit: bool,
}

impl From<Fault> for GivenUp {
    fn from(fault: Fault) -> Self {
        let in_commit = false;
        Self { fault, in_commit }
    }
}

/// Applies changes in order and commits them together. A change that a guard refuses fails alone;
/// after any other fault the group is undone and its changes are tried one by one, so that only
/// the faulty one fails.
pub(super) fn apply_group(conn: &Connection, changes: &[&Change]) -> Applied {
    let given_up = match transaction(conn, changes) {
        Ok(outcomes) => {
            return Applied {
                outcomes,
                storage_failed: false,
            };
        }
        Err(given_up) => given_up,
    };
    if given_up.in_commit || given_up.fault.is_storage_failure() || !conn.is_autocommit() {
        tracing::error!(error = %given_up.fault, "the storage failed; money stops");
        let text = given_up.fault.to_string();
        return Applied {
            outcomes: vec![Err(CommitError::Storage(text)); changes.len()],
            storage_failed: true,
        };
    }
    if let [change] = changes {
        report(change, &given_up.fault);
        return Applied {
            outcomes: vec![Err(given_up.fault.into_commit_error())],
            storage_failed: false,
        };
    }
    one_by_one(conn, changes)
}

fn one_by_one(conn: &Connection, changes: &[&Change]) -> Applied {
    let mut all = Applied {
        outcomes: Vec::with_capacity(changes.len()),
        storage_failed: false,
    };
    for change in changes {
        if all.storage_failed {
            let text = "not tried: the storage failed before".to_owned();
            all.outcomes.push(Err(CommitError::Storage(text)));
            continue;
        }
        let one = apply_group(conn, &[*change]);
        all.outcomes.extend(one.outcomes);
        all.storage_failed = one.storage_failed;
    }
    all
}

fn transaction(conn: &Connection, changes: &[&Change]) -> Result<Vec<Outcome>, GivenUp> {
    run(conn, "BEGIN IMMEDIATE")?;
    let written = write_all(conn, changes);
    let outcomes = written.inspect_err(|_| undo(conn))?;
    pass("writing", changes);
    if let Err(fault) = run(conn, "COMMIT") {
        undo(conn);
        let in_commit = true;
        return Err(GivenUp { fault, in_commit });
    }
    pass("written", changes);
    Ok(outcomes)
}

/// Where a test lets the process die: right before or after these changes became durable.
fn pass(moment: &str, changes: &[&Change]) {
    for change in changes {
        failpoint::pass(moment, change.name);
    }
}

fn write_all(conn: &Connection, changes: &[&Change]) -> Result<Vec<Outcome>, Fault> {
    let mut wallets = Wallets::default();
    let mut outcomes = Vec::with_capacity(changes.len());
    for change in changes {
        match guard::check(conn, &mut wallets, change) {
            Ok(passed) => {
                write::apply(conn, &mut wallets, change, passed)?;
                outcomes.push(Ok(()));
            }
            Err(fault) if matches!(fault, Fault::Sql(_)) => return Err(fault),
            Err(fault) => {
                report(change, &fault);
                outcomes.push(Err(fault.into_commit_error()));
            }
        }
    }
    wallets.save(conn)?;
    Ok(outcomes)
}

/// Some errors end the transaction by themselves; then there is nothing left to undo.
fn undo(conn: &Connection) {
    if !conn.is_autocommit()
        && let Err(error) = run(conn, "ROLLBACK")
    {
        tracing::error!(%error, "a transaction could not be undone");
    }
}

fn run(conn: &Connection, sql: &str) -> Result<(), Fault> {
    conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn report(change: &Change, fault: &Fault) {
    match fault {
        Fault::Refused(_) => tracing::debug!(change.name, error = %fault, "change refused"),
        _ => tracing::error!(change.name, error = %fault, "change failed"),
    }
}
