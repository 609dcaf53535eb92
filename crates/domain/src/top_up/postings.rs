//! Which entry a write about a top-up makes. What the wallet has and owes decides the split, so it
//! is worked out where the wallet is locked.

use super::TopUpWrite;
use crate::ids::AccountId;
use crate::ledger::{Entry, Wallet};
use crate::usd::Usd;

impl TopUpWrite {
    /// Whether it is an entry in the books.
    pub fn moves_money(&self) -> bool {
        self.account().is_some()
    }

    /// Whose money it moves, if it does.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Credit { row, .. } | Self::Bonus { row, .. } | Self::Reverse { row, .. } => {
                Some(row.account)
            }
            _ => None,
        }
    }

    /// The entry, given the wallet as it is: a debt is paid first, and what is not there becomes
    /// one.
    pub fn entry(&self, wallet: &Wallet) -> Option<Entry> {
        let entry = match self {
            Self::Credit { row, .. } => {
                let debt = wallet.pays_debt(row.credited);
                let parts = (row.credited, row.fee, debt);
                Entry::top_up(row.account, row.id, row.processor, parts)
            }
            Self::Bonus { row, .. } => Entry::top_up_bonus(row.account, row.id, row.bonus),
            Self::Reverse { row, reversal } => {
                let out = reversal.parts.of_customer();
                let debt = if out >= Usd::ZERO {
                    wallet.lacks(out)
                } else {
                    -wallet.pays_debt(-out)
                };
                let cause = (row.id, reversal.seq);
                Entry::top_up_reversal(row.account, cause, row.processor, reversal.parts, debt)
            }
            _ => return None,
        };
        Some(entry)
    }
}
