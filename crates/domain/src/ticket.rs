//! Something a person has to look at: a durable row that stays open until the operator closes it.

use crate::time::Timestamp;
use crate::usd::Usd;

/// What it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketKind {
    /// An upstream confirmed a cancel and kept the money.
    MoneyKept,
    /// An upstream took money for a purchase that was given up without proof.
    UnlistedPurchase,
    /// An upstream's balance fell by an amount that no order explains.
    Unexplained,
    /// An upstream holds an activation that is older than any purchase of ours.
    ForeignNumber,
    /// A panel's later word would return more than is returned without a person.
    LargeAdjustment,
    /// A purchase in doubt was made, by the movement of the balance; its id is not known.
    PlacedWithoutId,
}

impl TicketKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::MoneyKept,
        Self::UnlistedPurchase,
        Self::Unexplained,
        Self::ForeignNumber,
        Self::LargeAdjustment,
        Self::PlacedWithoutId,
    ];

    /// Stable word for rows and the command line.
    pub fn slug(self) -> &'static str {
        match self {
            Self::MoneyKept => "money_kept",
            Self::UnlistedPurchase => "unlisted_purchase",
            Self::Unexplained => "unexplained",
            Self::ForeignNumber => "foreign_number",
            Self::LargeAdjustment => "large_adjustment",
            Self::PlacedWithoutId => "placed_without_id",
        }
    }

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }

    /// Whether it is about money that a balance lacks and that may come back.
    pub fn is_missing_money(self) -> bool {
        matches!(
            self,
            Self::MoneyKept | Self::UnlistedPurchase | Self::Unexplained
        )
    }

    /// Whether an upstream that has such tickets open is to be trusted less than others.
    pub fn speaks_against_upstream(self) -> bool {
        matches!(self, Self::MoneyKept | Self::Unexplained)
    }
}

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Row.
    pub id: i64,
    /// Kind.
    pub kind: TicketKind,
    /// Upstream it is about.
    pub upstream: String,
    /// Row it came from: a balance reading, an orphan or an order, by kind. One ticket for each
    /// kind and reference.
    pub reference: i64,
    /// Micro-dollars at stake.
    pub amount: Usd,
    /// What is the matter, for the operator.
    pub detail: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// What the operator wrote at the close.
    pub note: Option<String>,
}
