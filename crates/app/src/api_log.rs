//! The log of API requests, written behind: a request only adds to a count in memory, a background
//! pass writes the counts down. What does not fit is dropped and counted, never waited for.

use crate::engine::Engine;
use domain::api_log::{CallKind, CallLine, Calls, CallsOf, KeyUse, LogWrite};
use domain::change::Write;
use domain::ids::AccountId;
use domain::ports::{ApiLogRows, StoreError};
use domain::time::{Millis, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Lines that wait for being written at most.
const WAITING_MAX: usize = 10_000;

/// Lines of one change at most: others wait for the same writer.
const TOGETHER: usize = 200;

/// How long lines are kept.
pub const KEPT: Millis = Millis::minutes(30 * 24 * 60);

/// Lines forgotten at once at most.
const FORGET_MAX: u32 = 500;

/// The log.
pub struct ApiLog {
    engine: Arc<Engine>,
    rows: Arc<dyn ApiLogRows>,
    waiting: Mutex<HashMap<CallKind, Calls>>,
}

impl ApiLog {
    /// A log over these rows.
    pub fn new(engine: Arc<Engine>, rows: Arc<dyn ApiLogRows>) -> Self {
        Self {
            engine,
            rows,
            waiting: Mutex::default(),
        }
    }

    /// Now, by the clock that the log is kept by.
    pub fn now(&self) -> Timestamp {
        self.engine.now()
    }

    /// Notes one request. Never waits for the store.
    pub fn note(&self, call: Calls) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = waiting.get_mut(&call.kind) {
            *known = Calls {
                count: known.count.saturating_add(call.count),
                first_at: known.first_at,
                ..call
            };
        } else if waiting.len() < WAITING_MAX {
            waiting.insert(call.kind, call);
        } else {
            metrics::counter!("tollgate_api_log_dropped_total").increment(call.count);
        }
    }

    /// Writes down what waits.
    pub async fn write_down(&self) {
        let waiting = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *waiting)
        };
        let mut calls: Vec<Calls> = waiting.into_values().collect();
        calls.sort_by_key(|calls| calls.last_at);
        for together in calls.chunks(TOGETHER) {
            let write = Write::ApiLog(LogWrite::Add(together.to_vec()));
            if let Err(error) = self.engine.commit("api_log", vec![write]).await {
                let lost: u64 = together.iter().map(|calls| calls.count).sum();
                metrics::counter!("tollgate_api_log_dropped_total").increment(lost);
                tracing::warn!(?error, lost, "{lost} requests are missing in the API log");
            }
        }
    }

    /// Forgets some of what is older than it is kept.
    pub async fn forget_old(&self) {
        let before = self.engine.now() + Millis(-KEPT.0);
        let old = self.rows.has_api_calls_before(before).await;
        if !old.unwrap_or(false) {
            return;
        }
        let limit = FORGET_MAX;
        let write = Write::ApiLog(LogWrite::Forget { before, limit });
        if let Err(error) = self.engine.commit("api_log_forget", vec![write]).await {
            tracing::warn!(?error, "old lines of the API log could not be forgotten");
        }
    }

    /// Lines of an account, newest first.
    pub async fn lines(
        &self,
        account: AccountId,
        wanted: &CallsOf,
    ) -> Result<Vec<CallLine>, StoreError> {
        self.rows.api_calls(account, wanted).await
    }

    /// How much an account's keys are used.
    pub async fn key_uses(&self, account: AccountId) -> Result<Vec<KeyUse>, StoreError> {
        self.rows.key_uses(account).await
    }
}
