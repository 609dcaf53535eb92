//! A group of changes in one transaction: one flush of the device pays for all of them.

use std::collections::HashSet;

use crate::sql::Connection;
use domain::change::{Change, CommitError};
use domain::failpoint;

use super::journal::Wallets;
use super::spending::Spending;
use super::touch::touched as touched_by;
use super::{guard, write};
use crate::sql::fault::{Fault, Trouble};

/// How often a group is tried that another transaction stands in the way of.
const TRIES_MAX: u32 = 3;

/// Outcome of one change.
pub(crate) type Outcome = Result<(), CommitError>;

/// Outcomes of a group, in its order.
pub(crate) struct Applied {
    pub(crate) outcomes: Vec<Outcome>,
    /// The storage failed: nothing more may be written before a fresh open.
    pub(crate) storage_failed: bool,
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
pub(crate) fn apply_group(conn: &dyn Connection, changes: &[&Change]) -> Applied {
    let given_up = match patient_transaction(conn, changes) {
        Ok(outcomes) => {
            return Applied {
                outcomes,
                storage_failed: false,
            };
        }
        Err(given_up) => given_up,
    };
    if given_up.in_commit || given_up.fault.is_storage_failure() || conn.in_transaction() {
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

fn one_by_one(conn: &dyn Connection, changes: &[&Change]) -> Applied {
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

/// A transaction that stood in another one's way did nothing, and may succeed when tried again.
fn patient_transaction(
    conn: &dyn Connection,
    changes: &[&Change],
) -> Result<Vec<Outcome>, GivenUp> {
    let mut tries = 1;
    loop {
        let done = transaction(conn, changes);
        let conflict = |given_up: &GivenUp| {
            given_up.fault.trouble() == Some(Trouble::Conflict) && !given_up.in_commit
        };
        match &done {
            Err(given_up) if conflict(given_up) && tries < TRIES_MAX => tries += 1,
            _ => return done,
        }
    }
}

fn transaction(conn: &dyn Connection, changes: &[&Change]) -> Result<Vec<Outcome>, GivenUp> {
    conn.begin().inspect_err(|_| undo(conn))?;
    let written = write_all(conn, changes);
    let outcomes = written.inspect_err(|_| undo(conn))?;
    pass("writing", changes);
    if let Err(fault) = conn.commit() {
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

fn write_all(conn: &dyn Connection, changes: &[&Change]) -> Result<Vec<Outcome>, Fault> {
    let mut wallets = Wallets::default();
    let mut spending = Spending::default();
    let mut outcomes = Vec::with_capacity(changes.len());
    conn.foresee(&mut || look_ahead(conn, changes))?;
    let mut touched = HashSet::new();
    for change in changes {
        let touches = touched_by(change);
        conn.begin_change(touches.iter().all(|one| !touched.contains(one)))?;
        touched.extend(touches);
        match guard::check(conn, &mut wallets, change) {
            Ok(passed) => {
                write::apply(conn, &mut wallets, change, passed)?;
                spending.note(conn, change)?;
                outcomes.push(Ok(()));
            }
            Err(fault @ (Fault::Sql(_) | Fault::Earlier(_))) => return Err(fault),
            Err(fault) => {
                report(change, &fault);
                outcomes.push(Err(fault.into_commit_error()));
            }
        }
    }
    wallets.save(conn)?;
    spending.save(conn)?;
    conn.end_writing()?;
    Ok(outcomes)
}

/// Asks all that the guards of a group ask, whatever they find.
fn look_ahead(conn: &dyn Connection, changes: &[&Change]) {
    let mut wallets = Wallets::default();
    wallets.foresee(conn);
    for change in changes {
        let _unknown_yet = guard::check(conn, &mut wallets, change);
    }
}

fn undo(conn: &dyn Connection) {
    if let Err(error) = conn.roll_back() {
        tracing::error!(%error, "a transaction could not be undone");
    }
}

fn report(change: &Change, fault: &Fault) {
    match fault {
        Fault::Refused(_) | Fault::Earlier(_) => {
            tracing::debug!(change.name, error = %fault, "change refused")
        }
        _ => tracing::error!(change.name, error = %fault, "change failed"),
    }
}
