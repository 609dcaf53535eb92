//! The upstream accounts the sandbox offers: what a gateway needs to be wired to them.

/// What an account speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// handler_api, in one of its dialects.
    HandlerApi,
    /// SMSPool.
    SmsPool,
    /// 5sim, version 1.
    FiveSim,
    /// The SMM panel protocol.
    PanelV2,
}

impl Protocol {
    /// The word that settings use.
    pub fn word(self) -> &'static str {
        match self {
            Self::HandlerApi => "handler_api",
            Self::SmsPool => "smspool",
            Self::FiveSim => "fivesim",
            Self::PanelV2 => "panel_v2",
        }
    }
}

/// Which dialect of handler_api an account speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Status 200 and words; objects by id; the wrapped list.
    Classic,
    /// HTTP statuses with JSON problems; arrays; lists under `data`.
    Hero,
    /// Words; arrays and objects of rows; stock by price and provider.
    SmsBower,
    /// As SMSBower, with the active list as a bare array and the times of an activation.
    Grizzly,
}

impl Dialect {
    /// The word that settings use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Hero => "hero",
            Self::SmsBower => "smsbower",
            Self::Grizzly => "grizzly",
        }
    }
}

/// One account at one practice provider.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    /// Name of the account, unique.
    pub name: &'static str,
    /// Public server it stands behind; `panel` for the SMM side.
    pub server: &'static str,
    /// Typed route of the server: 1 or 2 behind `peter`, otherwise 0.
    pub provider_type: u8,
    /// What it speaks.
    pub protocol: Protocol,
    /// Its dialect, where it speaks handler_api.
    pub dialect: Dialect,
    /// Path of its single URL, or below which all of its calls have theirs.
    pub path: &'static str,
    /// Its key. Not a secret: the sandbox holds nothing of value.
    pub key: &'static str,
    /// Whether the goods of a route are split into pools that its customers choose.
    pub pools: bool,
    /// Cancels are refused before this age of an activation, in seconds.
    pub min_cancel_age_s: u32,
    /// Word for a cancel of what is cancelled already; providers differ.
    pub(crate) repeated_cancel: RepeatedCancel,
    /// Cost level against the catalogue's base cost, in thousandths.
    pub(crate) cost_level: i64,
}

impl Account {
    /// Whether the goods of a route come at several prices, one for each of its own providers.
    pub(crate) fn has_ladder(&self) -> bool {
        self.pools || matches!(self.dialect, Dialect::SmsBower | Dialect::Grizzly)
    }
}

/// What a provider answers to a cancel that it has carried out before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RepeatedCancel {
    /// As if it were the first time.
    Cancel,
    /// The activation is no longer known.
    NoActivation,
    /// `ALREADY_CANCELED`.
    Already,
    /// `ACCESS_CANCEL_ALREADY`.
    AccessAlready,
}

/// Position of an account in [`accounts`].
pub(crate) type AccountIndex = usize;

/// Position of the SMM panel's account.
pub(crate) const PANEL: AccountIndex = ACCOUNTS.len() - 1;

macro_rules! numbers {
    ($name:literal, $server:literal, $provider_type:literal, $level:literal, $repeated:ident) => {
        Account {
            name: $name,
            server: $server,
            provider_type: $provider_type,
            protocol: Protocol::HandlerApi,
            dialect: Dialect::Classic,
            path: concat!("/", $name, "/stubs/handler_api.php"),
            key: concat!("sandbox-", $name, "-key"),
            pools: false,
            min_cancel_age_s: 120,
            repeated_cancel: RepeatedCancel::$repeated,
            cost_level: $level,
        }
    };
}

static ACCOUNTS: [Account; 10] = [
    Account {
        min_cancel_age_s: 10,
        ..numbers!("romeo", "romeo", 0, 1150, Cancel)
    },
    Account {
        dialect: Dialect::Hero,
        ..numbers!("juliet", "juliet", 0, 1040, NoActivation)
    },
    numbers!("peter1", "peter", 1, 900, Already),
    Account {
        dialect: Dialect::SmsBower,
        ..numbers!("peter2", "peter", 2, 960, AccessAlready)
    },
    numbers!("paul", "paul", 0, 1000, Cancel),
    Account {
        protocol: Protocol::SmsPool,
        path: "/andrew",
        pools: true,
        ..numbers!("andrew", "andrew", 0, 1100, NoActivation)
    },
    Account {
        dialect: Dialect::Grizzly,
        ..numbers!("mark", "mark", 0, 1080, Already)
    },
    numbers!("luke", "luke", 0, 1300, AccessAlready),
    Account {
        protocol: Protocol::FiveSim,
        path: "/john/v1",
        ..numbers!("john", "john", 0, 1020, Cancel)
    },
    Account {
        name: "panel",
        server: "panel",
        provider_type: 0,
        protocol: Protocol::PanelV2,
        dialect: Dialect::Classic,
        path: "/panel/api/v2",
        key: "sandbox-panel-key",
        pools: false,
        min_cancel_age_s: 0,
        repeated_cancel: RepeatedCancel::Cancel,
        cost_level: 1000,
    },
];

/// Every account, the SMM panel's last.
pub fn accounts() -> &'static [Account] {
    &ACCOUNTS
}

/// Position of the account with this name.
pub(crate) fn account_named(name: &str) -> Option<AccountIndex> {
    ACCOUNTS.iter().position(|account| account.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn eight_servers_and_a_panel_with_paths_and_keys_of_their_own() {
        let servers: BTreeSet<_> = accounts().iter().map(|account| account.server).collect();
        let names = [
            "andrew", "john", "juliet", "luke", "mark", "panel", "paul", "peter", "romeo",
        ];
        assert_eq!(servers, BTreeSet::from(names));
        let paths: BTreeSet<_> = accounts().iter().map(|account| account.path).collect();
        let keys: BTreeSet<_> = accounts().iter().map(|account| account.key).collect();
        assert_eq!(
            (paths.len(), keys.len()),
            (accounts().len(), accounts().len())
        );
        assert_eq!(accounts()[PANEL].protocol, Protocol::PanelV2);
    }

    #[test]
    fn only_romeo_lets_go_after_ten_seconds() {
        for account in accounts()
            .iter()
            .filter(|account| account.server != "panel")
        {
            let expected = if account.name == "romeo" { 10 } else { 120 };
            assert_eq!(account.min_cancel_age_s, expected, "{}", account.name);
        }
    }

    #[test]
    fn peter_has_two_typed_routes_and_andrew_has_pools() {
        let typed = |name| accounts()[account_named(name).unwrap()].provider_type;
        assert_eq!((typed("peter1"), typed("peter2"), typed("paul")), (1, 2, 0));
        assert!(accounts()[account_named("andrew").unwrap()].pools);
    }
}
