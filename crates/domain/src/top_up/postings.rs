//! Which entry a write about a top-up makes. What the wallet has and owes decides the split, so it
//! is worked out where the wallet is locked.

use super::{ReversalCause, TopUp, TopUpWrite};
use crate::ids::AccountId;
use crate::ledger::{Entry, Side, Wallet};
use crate::usd::Usd;

impl TopUpWrite {
    /// Whether it is an entry in the books.
    pub fn moves_money(&self) -> bool {
        self.account().is_some() || self.house_entry().is_some()
    }

    /// The entry of a write that moves nobody's wallet, if it makes one.
    pub fn house_entry(&self) -> Option<Entry> {
        match self {
            Self::Move(movement) => Some(movement.entry()),
            _ => None,
        }
    }

    /// Whose wallet it moves, if it does.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Credit { row, .. }
            | Self::Bonus { row, .. }
            | Self::Clear(row)
            | Self::Reverse { row, .. } => Some(row.account),
            _ => None,
        }
    }

    /// The row whose money cannot be spent yet and may move by this.
    pub fn needs_uncleared(&self) -> Option<i64> {
        match self {
            Self::Clear(row) | Self::Reverse { row, .. } => Some(row.id),
            _ => None,
        }
    }

    /// The entry, given the wallet as it is and what of this top-up's money in it cannot be spent
    /// yet: a debt is paid first, and what is not there becomes one.
    pub fn entry(&self, wallet: &Wallet, uncleared: Usd) -> Option<Entry> {
        let entry = match self {
            Self::Credit { row, .. } => {
                let debt = wallet.pays_debt(row.credited);
                let parts = (row.credited, row.fee, debt);
                Entry::top_up((row.account, side(row)), row.id, row.processor, parts)
            }
            Self::Bonus { row, .. } => {
                Entry::top_up_bonus((row.account, side(row)), row.id, row.bonus)
            }
            // all of it may be gone already
            Self::Clear(_) if uncleared == Usd::ZERO => return None,
            Self::Clear(row) => {
                let debt = wallet.pays_debt(uncleared);
                Entry::top_up_cleared(row.account, row.id, (uncleared, debt))
            }
            Self::Reverse { row, reversal } => {
                let out = reversal.parts.of_customer();
                let first = first_out(out, uncleared);
                let debt = if out >= Usd::ZERO {
                    wallet.lacks(Usd(out.0 - first.0))
                } else {
                    -wallet.pays_debt(-out)
                };
                let (cause, parts) = ((row.id, reversal.seq), reversal.parts);
                let sides = (debt, first);
                Entry::top_up_reversal(row.account, cause, row.processor, parts, sides)
            }
            _ => return None,
        };
        Some(entry)
    }

    /// Whether it would return what its customer has spent, of our own accord. What others take
    /// becomes a debt; what we give is only what is there.
    pub fn lacks_funds(&self, wallet: &Wallet, uncleared: Usd) -> bool {
        let Self::Reverse { reversal, .. } = self else {
            return false;
        };
        let out = reversal.parts.of_customer();
        let rest = Usd(out.0 - first_out(out, uncleared).0);
        reversal.cause == ReversalCause::OwnRefund && wallet.lacks(rest) > Usd::ZERO
    }
}

/// What of an amount that goes out is taken from money that cannot be spent yet.
fn first_out(out: Usd, uncleared: Usd) -> Usd {
    uncleared.min(out).max(Usd::ZERO)
}

fn side(row: &TopUp) -> Side {
    match row.clears_at {
        Some(_) => Side::Uncleared,
        None => Side::Spendable,
    }
}
