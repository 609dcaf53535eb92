//! The operator's own numbers: bringing them in and out of service, and keeping what carriers
//! deliver.

use crate::accounts::AdminError;
use crate::engine::Engine;
use domain::change::{CommitError, Refused, Write};
use domain::own_number::{Allocation, InboundSms, NewNumber, OwnNumber, PoolWrite};
use domain::phone::Phone;
use domain::ports::PoolRows;
use std::collections::HashSet;
use std::sync::Arc;

/// Longest service code or name of a part of a pool, in bytes.
const WORD_MAX: usize = 32;

/// What became of numbers that were brought in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// In service from now on.
    pub added: usize,
    /// In service before.
    pub already: usize,
}

/// What the operator does with pools.
pub struct OwnNumbers {
    engine: Arc<Engine>,
    rows: Arc<dyn PoolRows>,
    pools: Vec<String>,
}

impl OwnNumbers {
    /// For the upstreams with these names.
    pub fn new(engine: Arc<Engine>, rows: Arc<dyn PoolRows>, pools: Vec<String>) -> Self {
        Self {
            engine,
            rows,
            pools,
        }
    }

    /// Brings numbers into service, all or none. Those of the pool that are in service already stay
    /// as they are.
    pub async fn add(&self, pool: &str, numbers: Vec<NewNumber>) -> Result<Added, AdminError> {
        let known = self.list(pool).await?;
        let known = known.iter().filter(|number| !number.retired);
        let mut seen: HashSet<String> = known.map(|n| n.facts.phone.to_string()).collect();
        let given = numbers.len();
        let mut writes = Vec::new();
        for number in numbers {
            check_words(&number)?;
            if seen.insert(number.phone.to_string()) {
                writes.push(Write::Pool(PoolWrite::Add(Box::new(number))));
            }
        }
        let added = writes.len();
        if added > 0 {
            let outcome = self.engine.commit("add_numbers", writes).await;
            outcome.map_err(|error| match error {
                CommitError::Refused(Refused::Stale) => {
                    AdminError::Invalid("one of the numbers is in another pool".to_owned())
                }
                error => error.into(),
            })?;
            // what came in is sold at once
            self.engine.refresh_upstream(pool).await;
        }
        Ok(Added {
            added,
            already: given - added,
        })
    }

    /// Takes a number out of service; who rents it keeps it to the end.
    pub async fn retire(&self, pool: &str, number: &str) -> Result<(), AdminError> {
        self.known(pool)?;
        let missing = || AdminError::NotFound(format!("number {number} in service in {pool}"));
        let phone = Phone::parse(number).ok_or_else(missing)?;
        let upstream = pool.to_owned();
        let retire = Write::Pool(PoolWrite::Retire { upstream, phone });
        match self.engine.commit("retire_number", vec![retire]).await {
            Ok(()) => Ok(()),
            Err(CommitError::Refused(Refused::Stale)) => Err(missing()),
            Err(error) => Err(error.into()),
        }
    }

    /// All numbers of a pool.
    pub async fn list(&self, pool: &str) -> Result<Vec<OwnNumber>, AdminError> {
        self.known(pool)?;
        Ok(self.rows.own_numbers(pool).await?)
    }

    /// The numbers of a pool that are rented now.
    pub async fn rented(&self, pool: &str) -> Result<Vec<Allocation>, AdminError> {
        self.known(pool)?;
        Ok(self.rows.allocations_open(pool).await?)
    }

    /// The latest messages that came while nobody rented their number.
    pub async fn unmatched(&self, limit: u32) -> Result<Vec<InboundSms>, AdminError> {
        Ok(self.rows.unmatched_sms(limit).await?)
    }

    fn known(&self, pool: &str) -> Result<(), AdminError> {
        if self.pools.iter().any(|one| one == pool) {
            return Ok(());
        }
        Err(AdminError::NotFound(format!(
            "upstream {pool} with protocol own_numbers"
        )))
    }
}

/// Codes are kept joined by commas.
fn check_words(number: &NewNumber) -> Result<(), AdminError> {
    let plain = |word: &String| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=WORD_MAX).contains(&word.len()) && word.bytes().all(allowed)
    };
    let words = number.only.iter().chain(&number.never).chain(&number.pool);
    match words.into_iter().find(|word| !plain(word)) {
        None => Ok(()),
        Some(bad) => Err(AdminError::Invalid(format!(
            "{}: \"{bad}\" is no service code or pool: 1 to {WORD_MAX} of a-z, A-Z, 0-9, - and _",
            number.phone
        ))),
    }
}

impl Engine {
    /// Keeps a message that a carrier delivered, for whoever rents its number or for nobody; of one that
    /// is withheld only what it is about.
    pub async fn receive_sms(&self, sms: InboundSms) -> Result<(), CommitError> {
        let receive = Write::Pool(PoolWrite::Receive(Box::new(sms.as_kept())));
        self.commit("receive_sms", vec![receive]).await
    }
}
