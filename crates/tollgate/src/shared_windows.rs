//! Windows of requests in Redis or Valkey: what all nodes admitted in the last minute, counted by one
//! script, by the clock of the server.

use anyhow::Context;
use app::limits::SharedWindows;
use domain::upstream::Pending;
use domain::window::{Admission, EXACT_LIMIT_MAX, WINDOW_MS};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Script};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// How long a request waits for the windows: it must not be slow because they are.
const PATIENCE: Duration = Duration::from_millis(150);

/// How long they are left alone after they could not be had.
const PAUSE: Duration = Duration::from_secs(1);

/// Width of a slot above the limit up to which every admission keeps its own millisecond.
const SLOT_MS: i64 = 100;

/// See `domain::window`: the same rule, over a sorted set of times and a hash of how many were admitted
/// at each. Both go away when the last admission has left; a server short of memory may throw away one of
/// them alone: counts without their times would never leave.
const ADMIT: &str = r"
local times, counts = KEYS[1], KEYS[2]
local limit, slot, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if redis.call('EXISTS', times) == 0 then redis.call('DEL', counts) end
local total = tonumber(redis.call('HGET', counts, 'all') or '0')
local left = redis.call('ZRANGEBYSCORE', times, '-inf', now - window)
for _, at in ipairs(left) do
  total = total - tonumber(redis.call('HGET', counts, at) or '0')
  redis.call('HDEL', counts, at)
  redis.call('ZREM', times, at)
end
local admitted = 0
if total < limit then
  admitted = 1
  total = total + 1
  local at = string.format('%.0f', now - now % slot + slot - 1)
  redis.call('ZADD', times, at, at)
  redis.call('HINCRBY', counts, at, 1)
end
redis.call('HSET', counts, 'all', total)
redis.call('PEXPIRE', times, window + slot)
redis.call('PEXPIRE', counts, window + slot)
local gone, wait, place = 0, window, 0
repeat
  local at = redis.call('ZRANGE', times, place, place)[1]
  if not at then break end
  gone = gone + tonumber(redis.call('HGET', counts, at) or '0')
  wait = tonumber(at) + window - now
  place = place + 1
until total - gone < limit
return { admitted, math.max(limit - total, 0), wait }
";

/// Windows that all nodes share.
pub struct Windows {
    connection: ConnectionManager,
    script: Script,
    /// Until when they are left alone, while they cannot be had.
    alone_until: Mutex<Option<Instant>>,
}

impl Windows {
    /// Windows at an address; they need not be there yet. No error repeats the address: it may carry
    /// a password.
    pub fn at(url: &str) -> anyhow::Result<Self> {
        let client =
            Client::open(url).map_err(|_| anyhow::anyhow!("limits.redis: {NO_ADDRESS}"))?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let connection = ConnectionManager::new_lazy_with_config(client, config)
            .context("limits.redis cannot be used")?;
        Ok(Self {
            connection,
            script: Script::new(ADMIT),
            alone_until: Mutex::default(),
        })
    }

    async fn ask(&self, bucket: &str, limit: u32) -> Option<Admission> {
        let slot = if limit <= EXACT_LIMIT_MAX { 1 } else { SLOT_MS };
        let mut call = self.script.prepare_invoke();
        // both keys on one server of a cluster
        call.key(format!("tollgate:{{{bucket}}}:times"))
            .key(format!("tollgate:{{{bucket}}}:counts"))
            .arg(limit)
            .arg(slot)
            .arg(WINDOW_MS);
        let mut connection = self.connection.clone();
        let answer = call.invoke_async::<(u8, u32, i64)>(&mut connection);
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        let (admitted, remaining, wait_ms) = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                self.lost(error.category());
                return None;
            }
            Err(_) => {
                self.lost("no answer in time");
                return None;
            }
        };
        self.found();
        let seconds = (wait_ms.clamp(0, WINDOW_MS) + 999) / 1000;
        let admitted = admitted == 1;
        let least = u32::from(!admitted);
        Some(Admission {
            admitted,
            limit,
            remaining,
            reset_s: u32::try_from(seconds).unwrap_or(60).max(least),
        })
    }

    fn is_left_alone(&self) -> bool {
        let until = self.alone_until.lock();
        let until = *until.unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn lost(&self, why: &str) {
        let until = Some(Instant::now() + PAUSE);
        let before = self.set_alone(until);
        metrics::gauge!("tollgate_limits_shared").set(0);
        if before.is_none() {
            tracing::warn!(
                why,
                "limits.redis cannot be had: each node counts requests by itself until it is back"
            );
        }
    }

    fn found(&self) {
        if self.set_alone(None).is_some() {
            tracing::warn!("limits.redis is back: requests are counted over all nodes again");
        }
        metrics::gauge!("tollgate_limits_shared").set(1);
    }

    fn set_alone(&self, until: Option<Instant>) -> Option<Instant> {
        let mut alone = self
            .alone_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *alone, until)
    }
}

/// What an address must look like.
pub const NO_ADDRESS: &str = "must be redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE] or \
                              redis+unix:///PATH";

/// Whether this is an address of windows.
pub fn is_address(url: &str) -> bool {
    let known = ["redis://", "redis+unix://", "valkey://", "valkey+unix://"];
    known.iter().any(|scheme| url.starts_with(scheme)) && Client::open(url).is_ok()
}

impl SharedWindows for Windows {
    fn admit<'a>(&'a self, bucket: &'a str, limit: u32) -> Pending<'a, Option<Admission>> {
        Box::pin(async move {
            if self.is_left_alone() {
                return None;
            }
            self.ask(bucket, limit).await
        })
    }
}
