//! Request limits: one sliding window for each caller and endpoint. Of this process in memory, spread
//! over shards so that callers do not wait for one another; of all nodes where they share windows, and
//! of this process again while those cannot be had.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ids::{AccountId, KeyId};
use domain::upstream::Pending;
use domain::window::{Admission, Window};
use sha2::{Digest, Sha256};

const SHARDS: usize = 64;

/// Guesses at a secret per minute: by one customer or for one e-mail, and from one address.
const GUESSES_BY_ONE: u32 = 6;
const GUESSES_FROM_ADDRESS: u32 = 30;

/// Wrong passwords per minute for one e-mail from all addresses together. Where its owner is signed
/// in this does not count, so that nobody is locked out by strangers.
const GUESSES_ANYWHERE: u32 = 30;

/// How often a full shard is searched for idle addresses at most: the search is linear, and a
/// flood of new addresses must not pay for one each.
const FULL_SWEEP_INTERVAL_MS: i64 = 1_000;

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bucket {
    kind: Kind,
    id: u128,
    endpoint: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Key,
    Account,
    Address,
    Text,
    Overflow,
}

impl Kind {
    /// Whether strangers choose how many there are: then their number is bounded.
    fn is_strangers(self) -> bool {
        matches!(self, Self::Address | Self::Text)
    }
}

impl Bucket {
    /// An API key on one endpoint (the canonical action, so that no spelling has its own count).
    pub fn key(key: KeyId, endpoint: &'static str) -> Self {
        Self {
            kind: Kind::Key,
            id: id_bits(key.0),
            endpoint,
        }
    }

    /// All keys of an account together on one endpoint.
    pub fn account(account: AccountId, endpoint: &'static str) -> Self {
        Self {
            kind: Kind::Account,
            id: id_bits(account.0),
            endpoint,
        }
    }

    /// A network address. IPv4 in its IPv6 form counts as the plain address; of other IPv6
    /// addresses the first 64 bits count, since whoever has one has the rest.
    pub fn address(address: IpAddr, endpoint: &'static str) -> Self {
        let id = match address.to_canonical() {
            IpAddr::V4(v4) => u128::from(v4.to_ipv6_mapped()),
            IpAddr::V6(v6) => network_of(v6),
        };
        Self {
            kind: Kind::Address,
            id,
            endpoint,
        }
    }

    /// A text that stands for somebody, such as the e-mail of a sign-in. Counted among addresses,
    /// since strangers choose it.
    pub fn text(text: &str, endpoint: &'static str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(text.as_bytes());
        let digest: [u8; 32] = hasher.finalize().into();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self {
            kind: Kind::Text,
            id: u128::from_be_bytes(id),
            endpoint,
        }
    }

    /// The same for every node.
    fn name(&self) -> String {
        let kind = match self.kind {
            Kind::Key => "key",
            Kind::Account => "account",
            Kind::Address => "address",
            Kind::Text => "text",
            Kind::Overflow => "overflow",
        };
        format!("{kind}:{:x}:{}", self.id, self.endpoint)
    }

    /// An e-mail at one address: what a stranger does elsewhere does not count against it.
    pub fn text_at(text: &str, address: &str, endpoint: &'static str) -> Self {
        let place = Self::place(address, endpoint).id;
        Self::text(&format!("{place:x} {text}"), endpoint)
    }

    /// Wherever somebody is: an address, or what stands for one.
    pub fn place(address: &str, endpoint: &'static str) -> Self {
        match address.parse() {
            Ok(address) => Self::address(address, endpoint),
            Err(_) => Self::text(address, endpoint),
        }
    }

    /// What newcomers share once the table of addresses is full.
    fn overflow(endpoint: &'static str) -> Self {
        Self {
            kind: Kind::Overflow,
            id: 0,
            endpoint,
        }
    }
}

/// Windows that all nodes share.
pub trait SharedWindows: Send + Sync {
    /// Counts one request, or refuses it; nothing while the windows cannot be had.
    fn admit<'a>(&'a self, bucket: &'a str, limit: u32) -> Pending<'a, Option<Admission>>;
}

/// The windows of every bucket asked about in the last minute.
pub struct Limits {
    shared: Option<Arc<dyn SharedWindows>>,
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    addresses_max: usize,
}

#[derive(Debug)]
struct Shard {
    windows: HashMap<Bucket, Window>,
    addresses: usize,
    last_full_sweep_ms: Option<i64>,
}

impl Limits {
    /// Empty windows. About `addresses_max` address buckets are kept at a time; beyond them
    /// unknown addresses share one window per shard, so memory stays bounded and the limit holds.
    /// Keys and accounts are as many as exist and need no bound.
    pub fn new(addresses_max: usize) -> Self {
        let shard = || Shard {
            windows: HashMap::new(),
            addresses: 0,
            last_full_sweep_ms: None,
        };
        Self {
            shared: None,
            shards: (0..SHARDS).map(|_| Mutex::new(shard())).collect(),
            hasher: RandomState::new(),
            addresses_max: addresses_max.div_ceil(SHARDS),
        }
    }

    /// The same, with windows that all nodes share.
    pub fn shared_by(self, shared: Arc<dyn SharedWindows>) -> Self {
        Self {
            shared: Some(shared),
            ..self
        }
    }

    /// Counts one request of `bucket` over all nodes, or refuses it: at most `limit` in any 60 s. What
    /// was admitted counts here as well, so that a node left alone goes on from what it knows.
    pub async fn admit(&self, bucket: Bucket, limit: u32, now_ms: i64) -> Admission {
        let Some(shared) = &self.shared else {
            return self.admit_here(bucket, limit, now_ms);
        };
        match shared.admit(&bucket.name(), limit).await {
            Some(admission) => {
                if admission.admitted {
                    self.admit_here(bucket, limit, now_ms);
                }
                admission
            }
            None => self.admit_here(bucket, limit, now_ms),
        }
    }

    /// Counts one request of `bucket` at `now_ms` by this process alone.
    pub fn admit_here(&self, bucket: Bucket, limit: u32, now_ms: i64) -> Admission {
        self.shard(&bucket)
            .admit(bucket, limit, self.addresses_max, now_ms)
    }

    /// Counts one guess at a secret by whoever `who` stands for, from an address, or refuses it and
    /// gives the seconds to wait: six a minute by one, thirty from one address.
    pub async fn guess(&self, who: Bucket, address: &str, now_ms: i64) -> Result<(), u32> {
        let admission = self.admit(who, GUESSES_BY_ONE, now_ms).await;
        passed(admission)?;
        self.guess_from(address, who.endpoint, now_ms).await
    }

    /// Counts one guess from an address, whoever it is about: thirty a minute.
    pub async fn guess_from(
        &self,
        address: &str,
        endpoint: &'static str,
        now_ms: i64,
    ) -> Result<(), u32> {
        let place = Bucket::place(address, endpoint);
        passed(self.admit(place, GUESSES_FROM_ADDRESS, now_ms).await)
    }

    /// Counts one guess on this node alone, where it can be [taken back](Self::take_back): six a minute.
    pub fn guess_here(&self, who: Bucket, now_ms: i64) -> Result<(), u32> {
        passed(self.admit_here(who, GUESSES_BY_ONE, now_ms))
    }

    /// Counts one guess on this node for whatever `who` stands for wherever it comes from: thirty a
    /// minute.
    pub fn guess_anywhere(&self, who: Bucket, now_ms: i64) -> Result<(), u32> {
        passed(self.admit_here(who, GUESSES_ANYWHERE, now_ms))
    }

    /// Undoes the latest count of a bucket on this node: the guess was no guess.
    pub fn take_back(&self, bucket: Bucket) {
        if let Some(window) = self.shard(&bucket).windows.get_mut(&bucket) {
            window.take_back();
        }
    }

    /// Drops every window without a request in the last minute; says how many. For a timer.
    pub fn sweep(&self, now_ms: i64) -> usize {
        self.shards
            .iter()
            .map(|shard| locked(shard).sweep(now_ms))
            .sum()
    }

    /// Windows held at the moment.
    pub fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| locked(shard).windows.len())
            .sum()
    }

    /// Whether no window is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, bucket: &Bucket) -> MutexGuard<'_, Shard> {
        let hash = usize::try_from(self.hasher.hash_one(bucket) >> 32).unwrap_or(0);
        locked(&self.shards[hash % SHARDS])
    }
}

impl Shard {
    fn admit(&mut self, bucket: Bucket, limit: u32, room: usize, now_ms: i64) -> Admission {
        if let Some(window) = self.windows.get_mut(&bucket) {
            return window.admit(limit, now_ms);
        }
        let bucket = self.place_for(bucket, room, now_ms);
        self.windows.entry(bucket).or_default().admit(limit, now_ms)
    }

    fn place_for(&mut self, bucket: Bucket, room: usize, now_ms: i64) -> Bucket {
        if !bucket.kind.is_strangers() {
            return bucket;
        }
        if self.addresses >= room && self.full_sweep_is_due(now_ms) {
            self.last_full_sweep_ms = Some(now_ms);
            self.sweep(now_ms);
        }
        if self.addresses >= room {
            return Bucket::overflow(bucket.endpoint);
        }
        self.addresses += 1;
        bucket
    }

    fn full_sweep_is_due(&self, now_ms: i64) -> bool {
        self.last_full_sweep_ms
            .is_none_or(|last_ms| now_ms.saturating_sub(last_ms) >= FULL_SWEEP_INTERVAL_MS)
    }

    fn sweep(&mut self, now_ms: i64) -> usize {
        let before = self.windows.len();
        self.windows.retain(|_, window| !window.is_idle(now_ms));
        self.addresses = self
            .windows
            .keys()
            .filter(|bucket| bucket.kind.is_strangers())
            .count();
        before - self.windows.len()
    }
}

/// Nothing for what was admitted, the seconds to wait for what was not.
fn passed(admission: Admission) -> Result<(), u32> {
    admission.admitted.then_some(()).ok_or(admission.reset_s)
}

/// A panic elsewhere cannot leave a window half changed, so a poisoned lock is taken all the same.
fn locked(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn id_bits(id: i64) -> u128 {
    u128::from(id.cast_unsigned())
}

fn network_of(address: Ipv6Addr) -> u128 {
    u128::from(address) & !u128::from(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> Bucket {
        Bucket::address(IpAddr::V4(number.into()), "auth")
    }

    fn parsed(text: &str) -> Bucket {
        Bucket::address(text.parse().unwrap(), "auth")
    }

    #[test]
    fn keys_accounts_and_endpoints_count_apart() {
        let limits = Limits::new(100);
        let buckets = [
            Bucket::key(KeyId(1), "balance"),
            Bucket::key(KeyId(1), "services"),
            Bucket::key(KeyId(2), "balance"),
            Bucket::account(AccountId(1), "balance"),
        ];
        for bucket in buckets {
            assert!(limits.admit_here(bucket, 1, 0).admitted);
            assert!(!limits.admit_here(bucket, 1, 0).admitted);
        }
    }

    #[test]
    fn spellings_of_one_address_count_together() {
        assert_eq!(parsed("192.0.2.1"), parsed("::ffff:192.0.2.1"));
        assert_ne!(parsed("192.0.2.1"), parsed("192.0.2.2"));
        assert_eq!(parsed("2001:db8::1"), parsed("2001:db8::ffff:1"));
        assert_ne!(parsed("2001:db8::1"), parsed("2001:db8:0:1::1"));
    }

    #[test]
    fn one_email_counts_apart_at_each_address_and_what_was_right_is_taken_back() {
        let limits = Limits::new(100);
        let at = |address| Bucket::text_at("eva@example.org", address, "sign_in");
        let (here, there) = (at("192.0.2.1"), at("198.51.100.1"));
        for _ in 0..6 {
            assert_eq!(limits.guess_here(here, 0), Ok(()));
        }
        assert_eq!(limits.guess_here(here, 0), Err(60));
        assert_eq!(limits.guess_here(there, 0), Ok(()));
        limits.take_back(here);
        assert_eq!(limits.guess_here(here, 0), Ok(()));
        assert_eq!(limits.guess_here(here, 0), Err(60));
        limits.take_back(at("203.0.113.1"));
        assert_eq!(at("2001:db8::1"), at("2001:db8::2"), "one network");
    }

    #[test]
    fn sweeping_drops_only_what_is_idle() {
        let limits = Limits::new(100);
        let (old, new) = (Bucket::key(KeyId(1), "balance"), address(7));
        limits.admit_here(old, 5, 0);
        limits.admit_here(new, 1, 30_000);
        assert_eq!(limits.sweep(59_999), 0);
        assert_eq!(limits.sweep(60_000), 1);
        assert!(
            !limits.admit_here(new, 1, 60_000).admitted,
            "a sweep must not forget the young"
        );
        assert_eq!(limits.sweep(90_000), 1);
        assert!(limits.is_empty());
    }

    #[test]
    fn a_flood_of_addresses_stays_bounded_and_limited() {
        let limits = Limits::new(640);
        let admitted = (0..100_000)
            .filter(|&n| limits.admit_here(address(n), 3, 0).admitted)
            .count();
        assert!(limits.len() <= 640 + SHARDS, "{} windows", limits.len());
        assert!(admitted <= 640 + 3 * SHARDS, "{admitted} admitted");
    }

    #[test]
    fn a_full_table_takes_newcomers_once_the_old_have_left() {
        let limits = Limits::new(64);
        (0..10_000).for_each(|n| {
            limits.admit_here(address(n), 1, 0);
        });
        let newcomer = address(1_000_000);
        assert!(
            !limits.admit_here(newcomer, 1, 500).admitted,
            "the shared window is used up"
        );
        assert!(limits.admit_here(newcomer, 1, 60_500).admitted);
        assert!(!limits.admit_here(newcomer, 1, 60_500).admitted);
    }

    #[test]
    fn a_full_table_of_addresses_never_slows_a_key() {
        let limits = Limits::new(1);
        (0..10_000).for_each(|n| {
            limits.admit_here(address(n), 1, 0);
        });
        for key in 0..1_000 {
            assert!(
                limits
                    .admit_here(Bucket::key(KeyId(key), "balance"), 1, 0)
                    .admitted
            );
        }
    }

    #[test]
    fn threads_together_get_no_more_than_the_limit() {
        let limits = Limits::new(10);
        let bucket = Bucket::key(KeyId(1), "balance");
        let count = || {
            (0..100)
                .filter(|&i| limits.admit_here(bucket, 60, i).admitted)
                .count()
        };
        let admitted: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(count)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(admitted, 60);
    }

    /// Windows elsewhere that admit three requests, then cannot be had.
    struct Elsewhere(Mutex<u32>);

    impl SharedWindows for Elsewhere {
        fn admit<'a>(&'a self, bucket: &'a str, limit: u32) -> Pending<'a, Option<Admission>> {
            assert_eq!(bucket, "key:7:balance");
            let mut asked = self.0.lock().unwrap();
            *asked += 1;
            let admission = Admission {
                admitted: *asked <= 2,
                limit,
                remaining: 0,
                reset_s: 9,
            };
            Box::pin(std::future::ready((*asked <= 3).then_some(admission)))
        }
    }

    #[tokio::test]
    async fn shared_windows_decide_and_a_node_left_alone_goes_on_from_what_it_knows() {
        let limits = Limits::new(1).shared_by(Arc::new(Elsewhere(Mutex::default())));
        let bucket = Bucket::key(KeyId(7), "balance");
        let mut verdicts = Vec::new();
        for _ in 0..7 {
            verdicts.push(limits.admit(bucket, 4, 0).await.admitted);
        }
        // two and a refusal there; here the two count, and two more fit
        assert_eq!(verdicts, [true, true, false, true, true, false, false]);
    }
}
