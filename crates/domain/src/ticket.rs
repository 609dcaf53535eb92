//! Something a person has to look at: a durable row that stays open until the operator closes it.

use crate::activation::{Activation, ActivationState};
use crate::ids::OrderId;
use crate::orphan::Orphan;
use crate::policy::{AccountCase, Withheld};
use crate::smm_order::SmmOrder;
use crate::time::Timestamp;
use crate::upstream::Progress;
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
    /// An upstream holds an activation that no order of ours explains, and that may be older than
    /// any purchase of ours: another program's.
    ForeignNumber,
    /// A panel's later word would return more than is returned without a person.
    LargeAdjustment,
    /// A purchase in doubt was made, by the movement of the balance; its id is not known.
    PlacedWithoutId,
    /// A panel says that it delivered after all what it had given back.
    OutcomeReversed,
    /// A panel contradicts itself about an order, or no longer knows it: its hold stays.
    OrderInReview,
    /// A purchase was open when a backup was made that was brought back later; no list holds it.
    RestoredPurchase,
    /// A message showed that its number was used for something that is never sold: it was withheld.
    WithheldMessage,
    /// What an order waits for in the background has come to nothing for too long.
    OverdueOrder,
    /// An activation without an order could not be cancelled for too long.
    OverdueOrphan,
    /// A top-up stands in review.
    TopUpReview,
    /// More was paid than a top-up asked for.
    TopUpSurplus,
    /// A processor's event names a top-up that is not there.
    TopUpUnknown,
    /// A processor's event does not fit the top-up it names.
    TopUpMismatch,
    /// A payer's bank says that a top-up was not theirs.
    TopUpFraud,
    /// A top-up is disputed, or money of it went back.
    TopUpReturned,
    /// A day's credits and its processor's own list differ. Reference: the day and the processor.
    TopUpUnexplained,
    /// An automatic step against an account has stood a day without anybody deciding. Reference: the case.
    AccountCase,
}

impl TicketKind {
    /// All kinds.
    pub const ALL: [Self; 20] = [
        Self::MoneyKept,
        Self::UnlistedPurchase,
        Self::Unexplained,
        Self::ForeignNumber,
        Self::LargeAdjustment,
        Self::PlacedWithoutId,
        Self::OutcomeReversed,
        Self::OrderInReview,
        Self::RestoredPurchase,
        Self::WithheldMessage,
        Self::OverdueOrder,
        Self::OverdueOrphan,
        Self::TopUpReview,
        Self::TopUpSurplus,
        Self::TopUpUnknown,
        Self::TopUpMismatch,
        Self::TopUpFraud,
        Self::TopUpReturned,
        Self::TopUpUnexplained,
        Self::AccountCase,
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
            Self::OutcomeReversed => "outcome_reversed",
            Self::OrderInReview => "order_in_review",
            Self::RestoredPurchase => "restored_purchase",
            Self::WithheldMessage => "withheld_message",
            Self::OverdueOrder => "overdue_order",
            Self::OverdueOrphan => "overdue_orphan",
            Self::TopUpReview => "top_up_review",
            Self::TopUpSurplus => "top_up_surplus",
            Self::TopUpUnknown => "top_up_unknown",
            Self::TopUpMismatch => "top_up_mismatch",
            Self::TopUpFraud => "top_up_fraud",
            Self::TopUpReturned => "top_up_returned",
            Self::TopUpUnexplained => "top_up_unexplained",
            Self::AccountCase => "account_case",
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

    /// Whether [`Ticket::reference`] is an order.
    pub fn is_of_order(self) -> bool {
        matches!(
            self,
            Self::LargeAdjustment
                | Self::PlacedWithoutId
                | Self::OutcomeReversed
                | Self::OrderInReview
                | Self::RestoredPurchase
                | Self::WithheldMessage
                | Self::OverdueOrder
        )
    }

    /// Whether an upstream that has such tickets open is to be trusted less than others.
    pub fn speaks_against_upstream(self) -> bool {
        matches!(
            self,
            Self::MoneyKept | Self::Unexplained | Self::OutcomeReversed
        )
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

impl Ticket {
    /// Whether this opens the one of its kind and reference that is there already once more: a person
    /// closed it, and something else is the matter now. What they have looked at stays closed.
    pub fn comes_again(&self, known: &Self) -> bool {
        known.closed_at.is_some() && known.detail != self.detail
    }

    /// Whether this is what the one of its kind and reference that is there already, and open, has to say
    /// now: of a day that is compared once more there may be more to tell.
    pub fn says_anew(&self, known: &Self) -> bool {
        let is_retold = self.kind == TicketKind::TopUpUnexplained;
        is_retold && known.closed_at.is_none() && known.detail != self.detail
    }

    /// What stands in the place of `known`, which is of the same kind and reference; nothing where that
    /// stays as it is.
    pub fn in_place_of(&self, known: &Self) -> Option<Self> {
        if self.comes_again(known) {
            let id = known.id;
            return Some(Self { id, ..self.clone() });
        }
        self.says_anew(known).then(|| Self {
            amount: self.amount,
            detail: self.detail.clone(),
            ..known.clone()
        })
    }

    /// About an activation that is left alone because it may be another program's. `id` is a fresh
    /// row id, here and below.
    pub fn foreign_number(id: i64, orphan: &Orphan) -> Self {
        let (upstream, number) = (&orphan.upstream, &orphan.upstream_id);
        Self {
            id,
            kind: TicketKind::ForeignNumber,
            upstream: upstream.clone(),
            reference: orphan.id,
            amount: orphan.cost,
            detail: format!(
                "{upstream} lists activation {number}, which no order of ours explains and which \
                 may be older than any: it is left alone, cancel it there if it is yours"
            ),
            opened_at: orphan.found_at,
            closed_at: None,
            note: None,
        }
    }

    /// About a case against an account whose automatic step has stood too long.
    pub fn account_case(id: i64, case: &AccountCase, now: Timestamp) -> Self {
        let (account, signal) = (case.account, case.signal.slug().replace('_', " "));
        Self {
            id,
            kind: TicketKind::AccountCase,
            upstream: String::new(),
            reference: case.id,
            amount: Usd::ZERO,
            detail: format!(
                "case {} against account {account} ({signal}) has waited a day: decide on it",
                case.id
            ),
            opened_at: now,
            closed_at: None,
            note: None,
        }
    }

    /// About a panel's later word that would return more than is returned without a person.
    pub fn large_adjustment(id: i64, order: &SmmOrder, amount: Usd, now: Timestamp) -> Self {
        let said = format!(
            "{}'s later word returns {amount} more, above what goes back without a person; \
             nothing was returned",
            order.upstream
        );
        let kind = TicketKind::LargeAdjustment;
        Self::of_order(id, kind, order, (amount, said), now)
    }

    /// About an order of which its panel takes back what it had said before.
    pub fn outcome_reversed(id: i64, order: &SmmOrder, shown: Progress, now: Timestamp) -> Self {
        let (upstream, before) = (&order.upstream, order.progress.word());
        let (returned, word) = (order.returned, shown.word());
        let said = format!(
            "{upstream} said {before}, {returned} went back to the customer, and now it says {word}: \
             the customer keeps what went back; look what {upstream} charged"
        );
        let kind = TicketKind::OutcomeReversed;
        Self::of_order(id, kind, order, (returned, said), now)
    }

    /// About an order in doubt whose cost has left our balance.
    pub fn placed_without_id(id: i64, order: &SmmOrder, now: Timestamp) -> Self {
        let cost = order.cost_quote;
        let said = format!(
            "our balance at {} fell by exactly its cost of {cost}: there is an order whose id is not \
             known, most likely this one; it is released at the end of its window",
            order.upstream
        );
        let kind = TicketKind::PlacedWithoutId;
        Self::of_order(id, kind, order, (cost, said), now)
    }

    /// About an order whose hold stays because of what its panel says.
    pub fn order_in_review(id: i64, order: &SmmOrder, why: &str, now: Timestamp) -> Self {
        let (upstream, held) = (&order.upstream, order.price);
        let said = format!("{upstream} {why}; the hold of {held} stays until this is settled");
        let kind = TicketKind::OrderInReview;
        Self::of_order(id, kind, order, (held, said), now)
    }

    /// About a purchase that was open when a backup was made, given up without proof after it was
    /// brought back.
    pub fn restored_purchase(
        id: i64,
        order: OrderId,
        (upstream, cost): (&str, Usd),
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            kind: TicketKind::RestoredPurchase,
            upstream: upstream.to_owned(),
            reference: order.0,
            amount: cost,
            detail: format!(
                "order {order} was being bought at {upstream} when the backup was made that was \
                 brought back; {upstream} does not list it now, but may have sold and ended it \
                 since: its hold went back, look for {cost} in the history there"
            ),
            opened_at: now,
            closed_at: None,
            note: None,
        }
    }

    /// About an account whose message was withheld; of the message only the subject is told.
    pub fn withheld_message(id: i64, order: &Activation, what: Withheld, now: Timestamp) -> Self {
        let (account, taken) = (order.account.0, order.cost.unwrap_or(order.cost_quote));
        Self {
            id,
            kind: TicketKind::WithheldMessage,
            upstream: order.upstream.clone(),
            reference: order.id.0,
            amount: taken,
            detail: format!(
                "order {} of account {account}: a message about {} came for {:?}; it was withheld, \
                 the hold released, and the house bears {taken}",
                order.id,
                what.slug(),
                order.wanted.service_name,
            ),
            opened_at: now,
            closed_at: None,
            note: None,
        }
    }

    /// About an activation whose background step has come to nothing past its deadline.
    pub fn overdue_order(id: i64, order: &Activation, now: Timestamp) -> Self {
        let upstream = &order.upstream;
        let what = match order.state {
            ActivationState::InDoubt => "was perhaps bought",
            ActivationState::Undo => "is to be given back",
            _ => "is to be cancelled",
        };
        Self {
            id,
            kind: TicketKind::OverdueOrder,
            upstream: upstream.clone(),
            reference: order.id.0,
            amount: order.price,
            detail: format!(
                "order {} {what} at {upstream}, which has not answered long after it had to; its hold \
                 of {} stays and it is tried on: look whether {upstream} works, and what it says of it",
                order.id, order.price
            ),
            opened_at: now,
            closed_at: None,
            note: None,
        }
    }

    /// About an SMM order that has waited too long for its panel, in these words.
    pub fn overdue_smm_order(id: i64, order: &SmmOrder, what: &str, now: Timestamp) -> Self {
        let (upstream, price) = (&order.upstream, order.price);
        let hold = match order.resolved_at {
            Some(_) => "its hold went back",
            None => "its hold stays",
        };
        let said = format!(
            "{what} at {upstream}, which has not answered long after it had to; {hold} and it is tried \
             on: look whether {upstream} works, and what it says of it"
        );
        Self::of_order(id, TicketKind::OverdueOrder, order, (price, said), now)
    }

    /// About an activation without an order that its upstream will not cancel.
    pub fn overdue_orphan(id: i64, orphan: &Orphan, now: Timestamp) -> Self {
        let (upstream, number) = (&orphan.upstream, &orphan.upstream_id);
        Self {
            id,
            kind: TicketKind::OverdueOrphan,
            upstream: upstream.clone(),
            reference: orphan.id,
            amount: orphan.cost,
            detail: format!(
                "{upstream} lists {number}, which is no order's, and an hour later it is neither cancelled \
                 nor over; it is tried on: look there what became of it"
            ),
            opened_at: now,
            closed_at: None,
            note: None,
        }
    }

    fn of_order(
        id: i64,
        kind: TicketKind,
        order: &SmmOrder,
        (amount, said): (Usd, String),
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            kind,
            upstream: order.upstream.clone(),
            reference: order.id.0,
            amount,
            detail: format!("order {}: {said}", order.id),
            opened_at: now,
            closed_at: None,
            note: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_closed_ticket_about_something_else_comes_again() {
        let ticket = |detail: &str, closed_at| Ticket {
            id: 1,
            kind: TicketKind::TopUpUnexplained,
            upstream: "stripe".to_owned(),
            reference: 1,
            amount: Usd::ZERO,
            detail: detail.to_owned(),
            opened_at: Timestamp(0),
            closed_at,
            note: None,
        };
        let closed = Some(Timestamp(1));
        assert!(ticket("b", None).comes_again(&ticket("a", closed)));
        assert!(!ticket("a", None).comes_again(&ticket("a", closed)));
        assert!(!ticket("b", None).comes_again(&ticket("a", None)));
    }

    #[test]
    fn an_open_ticket_of_a_compared_day_says_what_is_the_matter_now() {
        let ticket = |kind, detail: &str, opened_at| Ticket {
            id: opened_at,
            kind,
            upstream: "stripe".to_owned(),
            reference: 1,
            amount: Usd(opened_at),
            detail: detail.to_owned(),
            opened_at: Timestamp(opened_at),
            closed_at: None,
            note: None,
        };
        let day = |detail, at| ticket(TicketKind::TopUpUnexplained, detail, at);
        let now = day("b", 2).in_place_of(&day("a", 1)).unwrap();
        assert_eq!(
            (now.id, now.opened_at),
            (1, Timestamp(1)),
            "it waits as long"
        );
        assert_eq!((now.detail.as_str(), now.amount), ("b", Usd(2)));
        assert_eq!(day("a", 2).in_place_of(&day("a", 1)), None);
        let review = |detail, at| ticket(TicketKind::TopUpReview, detail, at);
        assert_eq!(review("b", 2).in_place_of(&review("a", 1)), None);
    }

    #[test]
    fn the_page_on_money_says_of_every_kind_why_it_waits() {
        let page = include_str!("../../../docs/money-safety.md");
        let (_, after) = page.split_once("## What waits for a person").unwrap();
        let (table, _) = after.split_once("\n## ").unwrap();
        for kind in TicketKind::ALL {
            let slug = format!("`{}`", kind.slug());
            let told = |row: &str| {
                row.split('|')
                    .nth(1)
                    .is_some_and(|cell| cell.contains(&slug))
            };
            assert!(table.lines().any(told), "{slug}");
        }
    }
}
