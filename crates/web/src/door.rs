//! What every request works with.

use crate::console::ConsoleDoor;
use crate::dashboard::Streams;
use crate::hooks::Hooks;
use crate::lists::Lists;
use app::api_key::{Environment, Pepper};
use app::limits::Limits;
use app::{ApiLog, AuditLog, Desk, Engine, Lawful, People, RedeemCodes, Stock, TopUps};
use arc_swap::ArcSwap;
use domain::ids::AccountId;
use domain::ports::PageRows;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// A figure that the operator may change while requests run; clones change together.
#[derive(Clone, Debug)]
pub struct Figure(Arc<AtomicU32>);

impl Figure {
    /// The figure now.
    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Changes it for every request from here on.
    pub fn set(&self, figure: u32) {
        self.0.store(figure, Ordering::Relaxed);
    }
}

impl From<u32> for Figure {
    fn from(figure: u32) -> Self {
        Self(Arc::new(AtomicU32::new(figure)))
    }
}

/// Figures of single accounts that the operator may change while requests run; clones change together.
#[derive(Clone, Debug, Default)]
pub struct AccountFigures(Arc<ArcSwap<HashMap<AccountId, u32>>>);

impl AccountFigures {
    /// The figure of an account now, where it has one of its own.
    pub fn get(&self, account: AccountId) -> Option<u32> {
        self.0.load().get(&account).copied()
    }

    /// Changes all of them for every request from here on.
    pub fn set(&self, figures: impl IntoIterator<Item = (AccountId, u32)>) {
        self.0.store(Arc::new(figures.into_iter().collect()));
    }
}

impl FromIterator<(AccountId, u32)> for AccountFigures {
    fn from_iter<T: IntoIterator<Item = (AccountId, u32)>>(figures: T) -> Self {
        let all = Self::default();
        all.set(figures);
        all
    }
}

/// What the operator set for callers over HTTP.
#[derive(Clone, Debug)]
pub struct DoorSettings {
    /// Requests per minute, key and action, where neither the key nor its account has a figure of its own.
    pub requests_per_minute: Figure,
    /// Requests per minute and action of all keys of an account together, and of each that has no figure of its own.
    pub account_requests_per_minute: AccountFigures,
    /// Answers with 401 per minute and address.
    pub failed_auth_per_minute: Figure,
    /// Questions for orders that do not exist, per minute and account.
    pub misses_per_minute: Figure,
    /// Proxies whose `X-Forwarded-For` is believed: network and bits of its prefix.
    pub trusted_proxies: Vec<(IpAddr, u8)>,
    /// The origin under which callers reach the gateway; nothing means what their Host says.
    pub public_url: Option<String>,
    /// Whose webhooks are believed.
    pub hooks: Hooks,
    /// The console.
    pub console: ConsoleDoor,
}

impl DoorSettings {
    /// Requests per minute and action that a key of this account may make without a figure of its own.
    pub(crate) fn requests_of(&self, account: AccountId) -> u32 {
        let own = self.account_requests_per_minute.get(account);
        own.unwrap_or_else(|| self.requests_per_minute.get())
    }
}

/// The door: one for all listeners.
pub struct Door {
    /// The use cases.
    pub engine: Arc<Engine>,
    /// The use cases about people who sign in.
    pub people: Arc<People>,
    /// The use cases about redeem codes.
    pub redeem: Arc<RedeemCodes>,
    /// The log of API requests.
    pub log: Arc<ApiLog>,
    /// The use cases about attestations and the do-not-use list.
    pub lawful: Arc<Lawful>,
    /// The use cases about top-ups.
    pub top_ups: Arc<TopUps>,
    /// The audit log.
    pub audit: Arc<AuditLog>,
    /// The use cases of the console.
    pub desk: Arc<Desk>,
    /// What is bought and sold.
    pub stock: Arc<Stock>,
    /// Reads that only pages need.
    pub pages: Arc<dyn PageRows>,
    /// Streams of news open at pages.
    pub streams: Streams,
    /// What keys made here are good for.
    pub environment: Environment,
    /// The windows that requests are counted in.
    pub limits: Arc<Limits>,
    /// The key of the keyed hash of API keys.
    pub pepper: Pepper,
    /// Lists that are ready to be sent.
    pub lists: Arc<Lists>,
    /// Settings.
    pub settings: DoorSettings,
    /// Whether `/readyz` may say yes: set once all is wired, taken back before draining.
    pub ready: AtomicBool,
}

impl Door {
    /// Why requests cannot be served now; nothing if they can.
    pub(crate) fn not_ready(&self) -> Option<&'static str> {
        if !self.ready.load(Ordering::Acquire) {
            Some("The gateway is starting or stopping.")
        } else if !self.engine.store().healthy() {
            Some("The store cannot take writes; no money moves until it was reopened and checked.")
        } else if self.engine.clock_is_behind() {
            Some(
                "The machine's clock shows a time before the newest entry of the books; no money \
                 moves until it is right.",
            )
        } else {
            None
        }
    }
}
