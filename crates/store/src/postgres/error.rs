//! What the server's errors mean.

use domain::change::Refused;
use tokio_postgres::error::{DbError, SqlState};

use crate::sql::fault::{Fault, SqlError, Trouble};

/// How the client's error begins for a value that it could not even send.
const UNSENT: &str = "error serializing parameter";

/// The fault behind an error of the server or of the way to it.
pub(super) fn fault(error: &tokio_postgres::Error) -> Fault {
    let Some(said) = error.as_db_error() else {
        let text = words(error);
        return match text.starts_with(UNSENT) {
            true => Fault::Wrong(text),
            false => Fault::storage(text),
        };
    };
    match refused_by_constraint(said) {
        Some(refused) => Fault::Refused(refused),
        None => Fault::Sql(SqlError {
            text: format!("{} (SQLSTATE {})", said.message(), said.code().code()),
            trouble: trouble(said.code()),
        }),
    }
}

/// An error with its causes, for a log line.
pub(super) fn words(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    text
}

fn trouble(code: &SqlState) -> Trouble {
    let conflicts = [
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::T_R_DEADLOCK_DETECTED,
        &SqlState::LOCK_NOT_AVAILABLE,
        &SqlState::QUERY_CANCELED,
    ];
    if conflicts.contains(&code) {
        return Trouble::Conflict;
    }
    // lost connections, exhausted resources, a server that stops, its disk, its own bugs; and a
    // transaction that may not write, or was given up because its node was silent
    let classes = ["08", "53", "57", "58", "XX"];
    let class = code.code().get(..2).unwrap_or_default();
    let ended = [
        &SqlState::READ_ONLY_SQL_TRANSACTION,
        &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    if classes.contains(&class) || ended.contains(&code) {
        Trouble::Storage
    } else {
        Trouble::Statement
    }
}

/// The refusal behind a constraint that caught what no guard saw.
fn refused_by_constraint(said: &DbError) -> Option<Refused> {
    let constraint = said.constraint().unwrap_or_default();
    if *said.code() == SqlState::CHECK_VIOLATION && constraint == "wallet_available_check" {
        return Some(Refused::InsufficientFunds);
    }
    if *said.code() != SqlState::UNIQUE_VIOLATION {
        return None;
    }
    Some(match said.table().unwrap_or_default() {
        "upstream_link" => Refused::UpstreamIdTaken,
        "idempotency" => Refused::KeyTaken,
        "smm_order" if constraint == "smm_order_open_link" => Refused::DuplicateOpenLink,
        "account" if constraint == "account_email_key" => Refused::EmailTaken,
        _ => Refused::Stale,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_reaches_as_far_as_it_should() {
        let cases = [
            (SqlState::DISK_FULL, Trouble::Storage),
            (SqlState::OUT_OF_MEMORY, Trouble::Storage),
            (SqlState::TOO_MANY_CONNECTIONS, Trouble::Storage),
            (SqlState::ADMIN_SHUTDOWN, Trouble::Storage),
            (SqlState::IO_ERROR, Trouble::Storage),
            (SqlState::DATA_CORRUPTED, Trouble::Storage),
            (SqlState::READ_ONLY_SQL_TRANSACTION, Trouble::Storage),
            (
                SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                Trouble::Storage,
            ),
            (SqlState::T_R_DEADLOCK_DETECTED, Trouble::Conflict),
            (SqlState::T_R_SERIALIZATION_FAILURE, Trouble::Conflict),
            (SqlState::LOCK_NOT_AVAILABLE, Trouble::Conflict),
            (SqlState::QUERY_CANCELED, Trouble::Conflict),
            (SqlState::SYNTAX_ERROR, Trouble::Statement),
            (SqlState::NOT_NULL_VIOLATION, Trouble::Statement),
        ];
        for (code, expected) in cases {
            assert_eq!(trouble(&code), expected, "{}", code.code());
        }
    }
}
