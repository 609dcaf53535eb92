//! The console: what staff may do at it (one table, and what is not in it is not allowed), and what
//! it reads and writes of its own.

mod in_force;
mod rows;

pub use in_force::InForce;
pub use rows::{
    AccountNote, Announcement, BookTotal, DeskWrite, EventsOf, JournalEvent, MoneyRequest,
    MoneyState, OrderLine, OrdersOf, Pause, ReportBy, ReportLine, Sold,
};

use crate::people::Role;

/// Something that is done, or looked at, at the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// Figures, queues, alarms.
    SeeOverview,
    /// Accounts, their keys and statements.
    SeeAccounts,
    /// Orders with what their upstreams said, without messages.
    SeeOrders,
    /// Messages and codes of an activation; each look is kept and needs a reason.
    ReadMessages,
    /// Tickets and orders in review.
    SeeTickets,
    /// The journal, the house's books, requests for credits.
    SeeLedger,
    /// Revenue, cost and margin.
    SeeReports,
    /// The audit log.
    SeeAudit,
    /// Redeem codes, not the codes themselves.
    SeeCodes,
    /// Top-ups.
    SeeTopUps,
    /// The file that shows a transfer; each look is kept and needs a reason.
    ReadProofs,
    /// Upstreams, servers and routes.
    SeeUpstreams,
    /// Countries, services, their classes and prices.
    SeeCatalogue,
    /// Rules in force, cases, the do-not-use list.
    SeePolicy,
    /// Announcements.
    SeeAnnouncements,
    /// Cases against accounts.
    SeeCases,
    /// Who is staff.
    SeeStaff,
    /// Write a note about an account.
    NoteAccounts,
    /// Suspend accounts and let them go on.
    SuspendAccounts,
    /// Open cases against accounts and decide on them.
    DecideCases,
    /// Move accounts to other tiers.
    SetTiers,
    /// Switch the API access of accounts.
    SetApiAccess,
    /// Revoke keys of accounts.
    RevokeKeys,
    /// Look at the dashboard as a customer sees it.
    Impersonate,
    /// Try out how an upstream answers; nothing is bought.
    TryUpstreams,
    /// Close tickets.
    CloseTickets,
    /// Return what a ticket withholds.
    PayTickets,
    /// Credit or debit a wallet, or ask for it above the cap.
    MoveMoney,
    /// Decide on what somebody else asked for.
    DecideMoney,
    /// Make redeem codes and switch them off.
    MakeCodes,
    /// Credit, reject and refund top-ups.
    DecideTopUps,
    /// Pause upstreams, change servers and routes.
    ChangeUpstreams,
    /// Name, alias and hide countries and services.
    ChangeCatalogue,
    /// Change markup rules and custom prices.
    ChangePrices,
    /// Classify, lift, block, decide on cases.
    ChangePolicy,
    /// Tell all customers something.
    Announce,
    /// Look at the whole audit log, and make a checkpoint.
    VerifyAudit,
    /// Make staff, change their roles, end their access.
    ManageStaff,
}

use Deed as D;
use Role::{Auditor, Finance, Owner, Support};

/// Everybody at the console.
const ALL: &[Role] = &[Owner, Finance, Support, Auditor];
/// Who answers for money, and who looks over their shoulder.
const BOOKS: &[Role] = &[Owner, Finance, Auditor];
/// Who talks to customers.
const DESK: &[Role] = &[Owner, Support];
/// Who moves money.
const MONEY: &[Role] = &[Owner, Finance];

impl Deed {
    /// All deeds.
    pub const ALL: [Self; 38] = [
        D::SeeOverview,
        D::SeeAccounts,
        D::SeeOrders,
        D::ReadMessages,
        D::SeeTickets,
        D::SeeLedger,
        D::SeeReports,
        D::SeeAudit,
        D::SeeCodes,
        D::SeeTopUps,
        D::ReadProofs,
        D::SeeUpstreams,
        D::SeeCatalogue,
        D::SeePolicy,
        D::SeeAnnouncements,
        D::SeeCases,
        D::SeeStaff,
        D::NoteAccounts,
        D::SuspendAccounts,
        D::DecideCases,
        D::SetTiers,
        D::SetApiAccess,
        D::RevokeKeys,
        D::Impersonate,
        D::TryUpstreams,
        D::CloseTickets,
        D::PayTickets,
        D::MoveMoney,
        D::DecideMoney,
        D::MakeCodes,
        D::DecideTopUps,
        D::ChangeUpstreams,
        D::ChangeCatalogue,
        D::ChangePrices,
        D::ChangePolicy,
        D::Announce,
        D::VerifyAudit,
        D::ManageStaff,
    ];

    /// Whose deed it is.
    pub fn roles(self) -> &'static [Role] {
        match self {
            D::SeeOverview
            | D::SeeAccounts
            | D::SeeOrders
            | D::SeeTickets
            | D::SeeTopUps
            | D::SeeUpstreams
            | D::SeeCatalogue
            | D::SeePolicy
            | D::SeeCases
            | D::SeeAnnouncements => ALL,
            D::SeeLedger | D::SeeReports | D::SeeCodes | D::SeeAudit => BOOKS,
            D::SeeStaff | D::VerifyAudit => &[Owner, Auditor],
            D::ReadMessages
            | D::SuspendAccounts
            | D::DecideCases
            | D::SetApiAccess
            | D::RevokeKeys
            | D::Impersonate
            | D::Announce => DESK,
            D::NoteAccounts | D::TryUpstreams | D::CloseTickets => &[Owner, Finance, Support],
            D::PayTickets
            | D::MoveMoney
            | D::DecideMoney
            | D::MakeCodes
            | D::DecideTopUps
            | D::ReadProofs
            | D::ChangePrices => MONEY,
            D::SetTiers
            | D::ChangeUpstreams
            | D::ChangeCatalogue
            | D::ChangePolicy
            | D::ManageStaff => &[Owner],
        }
    }

    /// Whether a role may do it.
    pub fn is_for(self, role: Role) -> bool {
        self.roles().contains(&role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_may_do_everything_and_a_customer_nothing() {
        for deed in Deed::ALL {
            assert!(deed.is_for(Owner), "{deed:?}");
            assert!(!deed.is_for(Role::Customer), "{deed:?}");
        }
    }

    #[test]
    fn an_auditor_changes_nothing_and_support_moves_no_money() {
        let named = |deed: Deed| format!("{deed:?}");
        for deed in Deed::ALL {
            let looks = named(deed).starts_with("See") || deed == Deed::VerifyAudit;
            assert_eq!(deed.is_for(Auditor), looks, "{deed:?}");
        }
        for deed in [D::MoveMoney, D::DecideMoney, D::PayTickets, D::MakeCodes] {
            assert!(!deed.is_for(Support), "{deed:?}");
        }
    }
}
