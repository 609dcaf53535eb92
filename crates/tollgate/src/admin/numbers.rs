//! What the operator can ask about their own numbers.

use super::rfc3339;
use app::{AdminError, OwnNumbers};
use domain::own_number::{BadNumber, InboundSms, NewNumber, OwnNumber};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One request about own numbers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Brings numbers into service.
    Add {
        /// Upstream.
        upstream: String,
        /// Numbers.
        rows: Vec<NumberRow>,
    },
    /// Lists a pool.
    List {
        /// Upstream.
        upstream: String,
    },
    /// Takes a number out of service.
    Retire {
        /// Upstream.
        upstream: String,
        /// The number.
        number: String,
    },
    /// Lists messages that were nobody's.
    Unmatched {
        /// Messages at most.
        limit: u32,
    },
}

/// A number as the operator writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberRow {
    /// In E.164 form, with the plus.
    pub number: String,
    /// Country: name or two letters.
    pub country: String,
    /// Part of the pool.
    pub pool: Option<String>,
    /// Only these services.
    pub only: Vec<String>,
    /// None of these.
    pub never: Vec<String>,
}

impl NumberRow {
    /// The number it means.
    pub fn read(self, upstream: &str) -> Result<NewNumber, BadNumber> {
        let number = NewNumber::read(upstream, &self.number, &self.country)?;
        Ok(NewNumber {
            pool: self.pool,
            only: self.only,
            never: self.never,
            ..number
        })
    }
}

/// Numbers of an import file: `NUMBER,COUNTRY[,POOL]`, one a line; blank lines and lines that begin
/// with `#` are passed over. The first bad line is named.
pub fn file_rows(text: &str, upstream: &str) -> Result<Vec<NumberRow>, String> {
    let mut rows = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut parts = line.split(',').map(|part| part.trim().to_owned());
        let row = NumberRow {
            number: parts.next().unwrap_or_default(),
            country: parts.next().unwrap_or_default(),
            pool: parts.next().filter(|pool| !pool.is_empty()),
            ..NumberRow::default()
        };
        let said = row.clone().read(upstream);
        said.map_err(|BadNumber(why)| format!("line {}: {why}", at + 1))?;
        if parts.next().is_some() {
            return Err(format!(
                "line {}: has more than number, country, pool",
                at + 1
            ));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Does what is asked.
pub async fn answer(numbers: &OwnNumbers, request: Request) -> Result<Value, AdminError> {
    match request {
        Request::Add { upstream, rows } => {
            let read = rows.into_iter().map(|row| row.read(&upstream));
            let read: Result<Vec<_>, _> = read.collect();
            let read = read.map_err(|BadNumber(why)| AdminError::Invalid(why))?;
            let outcome = numbers.add(&upstream, read).await?;
            Ok(json!({ "added": outcome.added, "already": outcome.already }))
        }
        Request::List { upstream } => {
            let rows = numbers.list(&upstream).await?;
            let rows: Vec<Value> = rows.iter().map(number_view).collect();
            Ok(json!({ "numbers": rows }))
        }
        Request::Retire { upstream, number } => {
            numbers.retire(&upstream, &number).await?;
            Ok(json!({ "number": number, "retired": true }))
        }
        Request::Unmatched { limit } => {
            let rows = numbers.unmatched(limit).await?;
            let rows: Vec<Value> = rows.iter().map(message_view).collect();
            Ok(json!({ "messages": rows }))
        }
    }
}

fn number_view(number: &OwnNumber) -> Value {
    let facts = &number.facts;
    let state = match (number.retired, number.rented) {
        (true, _) => "retired",
        (false, true) => "rented",
        (false, false) => "in service",
    };
    json!({
        "number": facts.phone.to_string(),
        "country": facts.country,
        "pool": facts.pool,
        "only": facts.only,
        "never": facts.never,
        "state": state,
        "cooling_until": number.cooling_until.map(|at| rfc3339(at.0)),
        "last_used": number.last_used.map(|at| rfc3339(at.0)),
    })
}

fn message_view(sms: &InboundSms) -> Value {
    json!({
        "received_at": rfc3339(sms.received_at.0),
        "carrier": sms.carrier.slug(),
        "to": sms.to,
        "from": sms.from,
        "text": sms.text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_file_is_read_and_its_first_bad_line_is_named() {
        let rows = file_rows("# mine\n+14155550199, US\n\n+447700900123,GB,gold\n", "own").unwrap();
        let pools: Vec<_> = rows.iter().map(|row| row.pool.as_deref()).collect();
        assert_eq!(pools, [None, Some("gold")]);
        for (text, culprit) in [
            ("+14155550199,US\n+1,US", "line 2: \"+1\""),
            ("+14155550199", "line 1"),
            ("+14155550199,US,a,b", "line 1: has more"),
        ] {
            let why = file_rows(text, "own").unwrap_err();
            assert!(why.starts_with(culprit), "{why}");
        }
    }
}
