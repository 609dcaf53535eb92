//! What strangers report, and what is kept or forgotten because of it.

use super::BlockedKind;
use crate::ids::{AccountId, OrderId};
use crate::ledger::Wallet;
use crate::time::{Millis, Timestamp};
use crate::usd::Usd;

/// What a reporter says was harmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// Bank, card, payment or exchange account.
    Money,
    /// State service or identity.
    StateIdentity,
    /// Health.
    Health,
    /// Somebody under 18.
    Children,
    /// Anything else.
    Other,
}

impl Harm {
    /// All of them, in the form's order.
    pub const ALL: [Self; 5] = [
        Self::Money,
        Self::StateIdentity,
        Self::Health,
        Self::Children,
        Self::Other,
    ];

    /// Stable word for rows and forms; of the first four it is the class's.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Money => "money",
            Self::StateIdentity => "state_identity",
            Self::Health => "health",
            Self::Children => "children",
            Self::Other => "other",
        }
    }

    /// Reads a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|harm| harm.slug() == slug)
    }

    /// Whether it cannot wait for a person.
    pub const fn is_grave(self) -> bool {
        !matches!(self, Self::Other)
    }
}

/// An order that stood behind what was reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// The order.
    pub order: OrderId,
    /// Whose it is.
    pub account: AccountId,
    /// The class and rule it was sold under.
    pub class: String,
}

impl Behind {
    /// Whether its account's purchases stop at once: what is harmed cannot wait, by the report's word or
    /// by the class that was sold. Of customers by contract a report only raises the case.
    pub fn is_stopped(&self, harm: Harm, tier: u8) -> bool {
        let class = self.class.split('/').next().unwrap_or_default();
        let sold = Harm::from_slug(class).unwrap_or(Harm::Other);
        tier < 3 && (harm.is_grave() || sold.is_grave())
    }
}

/// A report, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbuseCase {
    /// Row.
    pub id: i64,
    /// What its reporter can name it by; nothing can be guessed from it.
    pub receipt: String,
    /// A number or a target.
    pub kind: BlockedKind,
    /// Which, spelt as it is compared.
    pub subject: String,
    /// What was harmed.
    pub harm: Harm,
    /// What happened, in the reporter's words; hostile text.
    pub what: String,
    /// How to reach the reporter; empty where they did not say.
    pub contact: String,
    /// When it happened, as far as they know.
    pub happened_at: Option<Timestamp>,
    /// The order found behind it.
    pub behind: Option<Behind>,
    /// Whether the account's purchases were stopped because of it.
    pub suspended: bool,
    /// When it came.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// What the operator wrote then.
    pub note: Option<String>,
}

/// How far a reporter's clock and memory may be off.
pub const REPORT_SLACK: Millis = Millis::minutes(15);

/// What is kept whatever its retention says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// One order.
    Order(OrderId),
    /// Everything of an account.
    Account(AccountId),
}

impl Held {
    /// Stable word and row id.
    pub fn parts(self) -> (&'static str, i64) {
        match self {
            Self::Order(id) => ("order", id.0),
            Self::Account(id) => ("account", id.0),
        }
    }

    /// Reads both.
    pub fn from_parts(kind: &str, id: i64) -> Option<Self> {
        match kind {
            "order" => Some(Self::Order(OrderId(id))),
            "account" => Some(Self::Account(AccountId(id))),
            _ => None,
        }
    }
}

/// A legal hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalHold {
    /// Row.
    pub id: i64,
    /// On what.
    pub held: Held,
    /// Who wants it, why, and until when.
    pub why: String,
    /// Since when.
    pub at: Timestamp,
    /// The report whose evidence it keeps, and with whose close it ends; none where an operator placed it.
    pub case: Option<i64>,
}

/// Why an account cannot be deleted yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotYet {
    /// It or an order of it is under legal hold.
    Held,
    /// An order is open.
    OrderOpen,
    /// A top-up is open: money may still come.
    TopUpOpen,
    /// There is money in its wallet.
    MoneyLeft,
    /// It owes money.
    Owes,
}

impl NotYet {
    /// What a wallet says.
    pub fn of(wallet: &Wallet) -> Option<Self> {
        if wallet.held > Usd::ZERO {
            return Some(Self::OrderOpen);
        }
        if wallet.available > Usd::ZERO || wallet.uncleared > Usd::ZERO {
            return Some(Self::MoneyLeft);
        }
        (wallet.receivable > Usd::ZERO).then_some(Self::Owes)
    }

    /// What is said of the account.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Held => "or an order of it is under legal hold",
            Self::OrderOpen => "has open orders: they settle first",
            Self::TopUpOpen => "has a top-up that is open: it ends first",
            Self::MoneyLeft => "has money left: pay it out first, a balance is never forfeited",
            Self::Owes => "owes money",
        }
    }
}

/// What the public may know of how the rules work out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Orders ever.
    pub orders: u64,
    /// Sales denied, by class.
    pub denials: Vec<(String, u64)>,
    /// Reports ever.
    pub reports: u64,
    /// Accounts whose purchases a report stopped.
    pub suspensions: u64,
    /// Median time from a report to its close, over the latest thousand.
    pub response: Option<Millis>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_wait_stops_an_account_that_has_no_contract() {
        let sold = |class: &str| Behind {
            order: OrderId(1),
            account: AccountId(1),
            class: class.to_owned(),
        };
        let plain = sold("social_messaging/otp.limit");
        for harm in Harm::ALL {
            assert_eq!(plain.is_stopped(harm, 1), harm != Harm::Other);
            assert!(!plain.is_stopped(harm, 3));
            assert_eq!(Harm::from_slug(harm.slug()), Some(harm));
        }
        assert!(sold("children/otp.hard_deny").is_stopped(Harm::Other, 0));
    }

    #[test]
    fn an_empty_wallet_alone_lets_its_account_go() {
        let one = Usd(1);
        let with = |change: fn(&mut Wallet, Usd)| {
            let mut wallet = Wallet::default();
            change(&mut wallet, one);
            NotYet::of(&wallet)
        };
        assert_eq!(NotYet::of(&Wallet::default()), None);
        assert_eq!(with(|it, one| it.held = one), Some(NotYet::OrderOpen));
        assert_eq!(with(|it, one| it.available = one), Some(NotYet::MoneyLeft));
        assert_eq!(with(|it, one| it.uncleared = one), Some(NotYet::MoneyLeft));
        assert_eq!(with(|it, one| it.receivable = one), Some(NotYet::Owes));
    }
}
