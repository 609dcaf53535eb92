//! Everything that can happen to the sandbox's books. State changes only by these, live and when
//! a state file is replayed.

use crate::accounts::{AccountIndex, account_named, accounts};
use crate::catalogue::ServiceIndex;
use crate::subscription::Subscription;
use domain::usd::Usd;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// One line of the state file. Times (`at`) are unix milliseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Event {
    /// First line: codes, numbers and ids follow from this seed for the life of the file.
    Begun { seed: u64 },
    /// A number was sold.
    NumberSold {
        at: i64,
        id: u64,
        #[serde(with = "account_name")]
        account: AccountIndex,
        country: usize,
        service: ServiceIndex,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pool: Option<u16>,
        phone: u64,
        #[serde(with = "micros")]
        cost_micros: Usd,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// Another message was asked for.
    RetryAsked { at: i64, id: u64 },
    /// An activation was closed after its code.
    NumberFinished { at: i64, id: u64 },
    /// An activation was cancelled.
    NumberCancelled { at: i64, id: u64 },
    /// An SMM order was placed.
    OrderPlaced {
        at: i64,
        id: u64,
        service: u32,
        link: String,
        units: u64,
        #[serde(with = "micros")]
        cost_micros: Usd,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subscription: Option<Subscription>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// A regressing order's false Partial was read.
    FalsePartialSeen { at: i64, id: u64 },
    /// A cancel of an SMM order was asked for.
    OrderCancelAsked { at: i64, id: u64 },
    /// A refill of an SMM order was asked for.
    RefillAsked { at: i64, id: u64, order: u64 },
    /// Somebody set an account's balance.
    BalanceSet {
        at: i64,
        #[serde(with = "account_name")]
        account: AccountIndex,
        #[serde(with = "micros")]
        balance_micros: Usd,
    },
}

impl Event {
    /// When it happened; nothing for the first line.
    pub(crate) fn at(&self) -> Option<i64> {
        match self {
            Self::Begun { .. } => None,
            Self::NumberSold { at, .. }
            | Self::RetryAsked { at, .. }
            | Self::NumberFinished { at, .. }
            | Self::NumberCancelled { at, .. }
            | Self::OrderPlaced { at, .. }
            | Self::FalsePartialSeen { at, .. }
            | Self::OrderCancelAsked { at, .. }
            | Self::RefillAsked { at, .. }
            | Self::BalanceSet { at, .. } => Some(*at),
        }
    }
}

/// Accounts are written by name, so that a later table may be in another order.
mod account_name {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        account: &AccountIndex,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(accounts().get(*account).map_or("", |account| account.name))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<AccountIndex, D::Error> {
        let name = String::deserialize(deserializer)?;
        account_named(&name).ok_or_else(|| D::Error::custom(format!("no account {name:?}")))
    }
}

/// Money is written as a whole number of micro-dollars.
mod micros {
    use super::*;

    pub(super) fn serialize<S: Serializer>(amount: &Usd, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(amount.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Usd, D::Error> {
        i64::deserialize(deserializer).map(Usd)
    }
}

/// Services are written by name, for the same reason.
impl Serialize for ServiceIndex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for ServiceIndex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| D::Error::custom(format!("no service {name:?}")))
    }
}
