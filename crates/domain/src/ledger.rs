//! The books: which accounts exist and which postings each money event makes.
//!
//! Credit is positive on every account, so the legs of each entry sum to zero. What a customer
//! owns (`available`, `held`) is a liability of the house and never negative.

use crate::balance::BookedAs;
use crate::ids::{AccountId, OrderId};
use crate::redeem::CodeSource;
use crate::top_up::{MovementKind, Parts, Processor};
use crate::usd::Usd;

/// One account of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Book {
    /// What a customer can spend.
    Available(AccountId),
    /// What a customer has on hold for open orders.
    Held(AccountId),
    /// What a customer paid in and can spend only later.
    Uncleared(AccountId),
    /// What a customer owes after a charge-back: the house's asset, so its legs are debits.
    Receivable(AccountId),
    /// Money that a payment processor took for us and owes us.
    ProcessorClearing(Processor),
    /// What customers paid beside their top-ups for a way of paying, and what it cost.
    ProcessorFees(Processor),
    /// What processors sent to the house's bank: its asset, so what arrives is a debit.
    Bank,
    /// Income from posted orders.
    Sales,
    /// Gifts to customers.
    Goodwill,
    /// Losses the house has accepted.
    WriteOff,
    /// Money the operator put into wallets by hand, until it is matched with a payment.
    ManualClearing,
    /// Worth of redeem codes sold elsewhere, until it is matched with a payment.
    RedeemClearing,
    /// What the house has paid in at upstreams.
    Funding,
    /// The house's money at an upstream.
    Prepaid(String),
    /// Cost of posted orders at an upstream.
    Cost(String),
    /// Difference between what an upstream quoted and what it took.
    Variance(String),
    /// Upstream spend that belongs to no posted order and is not settled yet.
    Orphan(String),
}

impl Book {
    /// Stable word for the journal.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Available(_) => "available",
            Self::Held(_) => "held",
            Self::Uncleared(_) => "uncleared",
            Self::Receivable(_) => "receivable",
            Self::ProcessorClearing(processor) => match processor {
                Processor::Stripe => "stripe_clearing",
                Processor::BtcPay => "btcpay_clearing",
                Processor::NowPayments => "nowpayments_clearing",
                Processor::Manual => "manual_clearing",
            },
            Self::ProcessorFees(processor) => match processor {
                Processor::Stripe => "stripe_fees",
                Processor::BtcPay => "btcpay_fees",
                Processor::NowPayments => "nowpayments_fees",
                Processor::Manual => "manual_fees",
            },
            Self::Bank => "bank",
            Self::Sales => "sales",
            Self::Goodwill => "goodwill",
            Self::WriteOff => "writeoff",
            Self::ManualClearing => "manual_clearing",
            Self::RedeemClearing => "redeem_clearing",
            Self::Funding => "funding",
            Self::Prepaid(_) => "prepaid",
            Self::Cost(_) => "cost",
            Self::Variance(_) => "variance",
            Self::Orphan(_) => "orphan",
        }
    }

    /// The customer whose account this is, if it is a customer's.
    pub fn customer(&self) -> Option<AccountId> {
        match self {
            Self::Available(id) | Self::Held(id) | Self::Uncleared(id) | Self::Receivable(id) => {
                Some(*id)
            }
            _ => None,
        }
    }

    /// The upstream whose account this is, if it is an upstream's.
    pub fn upstream(&self) -> Option<&str> {
        match self {
            Self::Prepaid(name) | Self::Cost(name) | Self::Variance(name) | Self::Orphan(name) => {
                Some(name)
            }
            _ => None,
        }
    }
}

/// Why an entry exists. Kind, reference and sequence together occur once in the whole journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Money set aside for an order.
    Hold(OrderId),
    /// A hold made to fit another route's price, by the number of the attempt.
    HoldChange(OrderId, i64),
    /// The one outcome of a hold.
    Resolution(OrderId),
    /// A correction after the resolution, numbered from 1.
    Adjustment(OrderId, i64),
    /// What the upstream took for an order; numbered, since a second booking may correct it.
    UpstreamCost(OrderId, i64),
    /// What an upstream took for an activation that belongs to no order (the orphan's row).
    OrphanCost(i64),
    /// The end of an orphan: returned by the upstream, or written off.
    OrphanEnd(i64),
    /// An operator's credit (its row).
    Credit(i64),
    /// An operator's debit (its row).
    Debit(i64),
    /// A redeemed code (its row).
    Redeem(i64),
    /// A payment for a top-up (its row).
    TopUp(i64),
    /// What the house adds to a top-up (its row).
    TopUpBonus(i64),
    /// Money of a top-up that can be spent from now on (its row).
    TopUpCleared(i64),
    /// Money of a top-up that goes back or comes again, numbered from 1.
    TopUpReversal(i64, i64),
    /// A fee that a processor kept, or money that it paid out (the movement's row).
    ProcessorMovement(i64),
    /// A difference that a reading of an upstream's balance showed (the reading's row).
    Balance(i64),
}

impl Cause {
    /// Stable word, reference and sequence for the journal.
    pub fn parts(self) -> (&'static str, i64, i64) {
        match self {
            Self::Hold(order) => ("hold", order.0, 0),
            Self::HoldChange(order, seq) => ("hold_change", order.0, seq),
            Self::Resolution(order) => ("resolution", order.0, 0),
            Self::Adjustment(order, seq) => ("adjustment", order.0, seq),
            Self::UpstreamCost(order, seq) => ("upstream_cost", order.0, seq),
            Self::OrphanCost(row) => ("orphan_cost", row, 0),
            Self::OrphanEnd(row) => ("orphan_end", row, 0),
            Self::Credit(row) => ("credit", row, 0),
            Self::Debit(row) => ("debit", row, 0),
            Self::Redeem(row) => ("redeem", row, 0),
            Self::TopUp(row) => ("top_up", row, 0),
            Self::TopUpBonus(row) => ("top_up_bonus", row, 0),
            Self::TopUpCleared(row) => ("top_up_cleared", row, 0),
            Self::TopUpReversal(row, seq) => ("top_up_reversal", row, seq),
            Self::ProcessorMovement(row) => ("processor_movement", row, 0),
            Self::Balance(row) => ("balance", row, 0),
        }
    }
}

/// One leg of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Account.
    pub book: Book,
    /// Signed amount; credit is positive.
    pub amount: Usd,
}

/// A balanced entry: legs that sum to zero and the one cause they have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Why.
    pub cause: Cause,
    /// Legs; zero legs are left out.
    pub postings: Vec<Posting>,
}

impl Entry {
    fn of(cause: Cause, legs: impl IntoIterator<Item = (Book, Usd)>) -> Self {
        let postings = legs
            .into_iter()
            .filter(|(_, amount)| *amount != Usd::ZERO)
            .map(|(book, amount)| Posting { book, amount })
            .collect();
        Self { cause, postings }
    }

    /// Whether the legs sum to zero. Every entry made here does; the store checks it again.
    pub fn balances(&self) -> bool {
        let sum: i128 = self
            .postings
            .iter()
            .map(|leg| i128::from(leg.amount.0))
            .sum();
        sum == 0
    }

    /// Sets `amount` aside for an order.
    pub fn hold(account: AccountId, order: OrderId, amount: Usd) -> Self {
        Self::of(
            Cause::Hold(order),
            [
                (Book::Available(account), -amount),
                (Book::Held(account), amount),
            ],
        )
    }

    /// Makes the hold of an order larger by `more`, or smaller where that is negative.
    pub fn hold_change(account: AccountId, order: OrderId, seq: i64, more: Usd) -> Self {
        Self::of(
            Cause::HoldChange(order, seq),
            [
                (Book::Available(account), -more),
                (Book::Held(account), more),
            ],
        )
    }

    /// Ends a hold: `posted` becomes income, the rest goes back. `posted` lies in 0..=`held`.
    pub fn resolution(account: AccountId, order: OrderId, held: Usd, posted: Usd) -> Self {
        Self::of(
            Cause::Resolution(order),
            [
                (Book::Held(account), -held),
                (Book::Sales, posted),
                (Book::Available(account), Usd(held.0 - posted.0)),
            ],
        )
    }

    /// Returns more of a resolved order to the customer.
    pub fn adjustment(account: AccountId, order: OrderId, seq: i64, amount: Usd) -> Self {
        Self::of(
            Cause::Adjustment(order, seq),
            [(Book::Sales, -amount), (Book::Available(account), amount)],
        )
    }

    /// What an upstream took for a posted order, split into the quoted cost and the difference.
    pub fn upstream_cost(
        order: OrderId,
        seq: i64,
        upstream: &str,
        quoted: Usd,
        taken: Usd,
    ) -> Self {
        let name = || upstream.to_owned();
        Self::of(
            Cause::UpstreamCost(order, seq),
            [
                (Book::Prepaid(name()), -taken),
                (Book::Cost(name()), quoted),
                (Book::Variance(name()), Usd(taken.0 - quoted.0)),
            ],
        )
    }

    /// What an upstream kept for an order that was released to the customer: the house's loss.
    pub fn upstream_loss(order: OrderId, seq: i64, upstream: &str, taken: Usd) -> Self {
        Self::of(
            Cause::UpstreamCost(order, seq),
            [
                (Book::Prepaid(upstream.to_owned()), -taken),
                (Book::WriteOff, taken),
            ],
        )
    }

    /// What an upstream took for an activation nobody ordered.
    pub fn orphan_found(row: i64, upstream: &str, taken: Usd) -> Self {
        Self::of(
            Cause::OrphanCost(row),
            [
                (Book::Prepaid(upstream.to_owned()), -taken),
                (Book::Orphan(upstream.to_owned()), taken),
            ],
        )
    }

    /// The upstream returned an orphan's money.
    pub fn orphan_returned(row: i64, upstream: &str, taken: Usd) -> Self {
        Self::of(
            Cause::OrphanEnd(row),
            [
                (Book::Orphan(upstream.to_owned()), -taken),
                (Book::Prepaid(upstream.to_owned()), taken),
            ],
        )
    }

    /// The upstream kept an orphan's money.
    pub fn orphan_lost(row: i64, upstream: &str, taken: Usd) -> Self {
        Self::of(
            Cause::OrphanEnd(row),
            [
                (Book::Orphan(upstream.to_owned()), -taken),
                (Book::WriteOff, taken),
            ],
        )
    }

    /// What an upstream's balance shows beside the books: `difference` is above zero where more is
    /// there than expected.
    pub fn balance(row: i64, upstream: &str, difference: Usd, booked_as: BookedAs) -> Self {
        let other = match booked_as {
            BookedAs::Opening | BookedAs::Deposit => Book::Funding,
            BookedAs::Unlisted => Book::WriteOff,
            BookedAs::Returned | BookedAs::Kept | BookedAs::Unexplained => {
                Book::Variance(upstream.to_owned())
            }
        };
        Self::of(
            Cause::Balance(row),
            [
                (Book::Prepaid(upstream.to_owned()), difference),
                (other, -difference),
            ],
        )
    }

    /// A redeemed code's worth.
    pub fn redeem(account: AccountId, code: i64, amount: Usd, source: CodeSource) -> Self {
        let from = match source {
            CodeSource::Gift => Book::Goodwill,
            CodeSource::Sold => Book::RedeemClearing,
        };
        Self::of(
            Cause::Redeem(code),
            [(from, -amount), (Book::Available(account), amount)],
        )
    }

    /// A payment for a top-up: `amount` for the wallet, of which `debt` pays what the customer owed,
    /// and `fee` beside it.
    pub fn top_up(
        (account, side): (AccountId, Side),
        row: i64,
        processor: Processor,
        (amount, fee, debt): (Usd, Usd, Usd),
    ) -> Self {
        Self::of(
            Cause::TopUp(row),
            [
                (processor.clearing(), Usd(-amount.0 - fee.0)),
                (Book::ProcessorFees(processor), fee),
                (Book::Receivable(account), debt),
                (side.of(account), Usd(amount.0 - debt.0)),
            ],
        )
    }

    /// What the house adds to a top-up.
    pub fn top_up_bonus((account, side): (AccountId, Side), row: i64, amount: Usd) -> Self {
        Self::of(
            Cause::TopUpBonus(row),
            [(Book::Goodwill, -amount), (side.of(account), amount)],
        )
    }

    /// So much of a top-up can be spent from now on, of which `debt` pays what the customer owes.
    pub fn top_up_cleared(account: AccountId, row: i64, (amount, debt): (Usd, Usd)) -> Self {
        Self::of(
            Cause::TopUpCleared(row),
            [
                (Book::Uncleared(account), -amount),
                (Book::Receivable(account), debt),
                (Book::Available(account), Usd(amount.0 - debt.0)),
            ],
        )
    }

    /// Money of a top-up goes back, by which the customer's debt grows by `debt`, and `uncleared` of
    /// it could not be spent yet; or, with parts below zero, it comes again and pays a debt of as
    /// much.
    pub fn top_up_reversal(
        account: AccountId,
        (row, seq): (i64, i64),
        processor: Processor,
        parts: Parts,
        (debt, uncleared): (Usd, Usd),
    ) -> Self {
        Self::of(
            Cause::TopUpReversal(row, seq),
            [
                (
                    Book::Available(account),
                    Usd(debt.0 + uncleared.0 - parts.of_customer().0),
                ),
                (Book::Uncleared(account), -uncleared),
                (Book::Receivable(account), -debt),
                (processor.clearing(), Usd(parts.amount.0 + parts.fee.0)),
                (Book::ProcessorFees(processor), -parts.fee),
                (Book::Goodwill, parts.bonus),
            ],
        )
    }

    /// A processor kept `amount` of what it owes us, or sent it to our bank; below zero it gave back.
    pub fn processor_movement(
        row: i64,
        processor: Processor,
        kind: MovementKind,
        amount: Usd,
    ) -> Self {
        let other = match kind {
            MovementKind::Fee => Book::ProcessorFees(processor),
            MovementKind::Payout => Book::Bank,
        };
        Self::of(
            Cause::ProcessorMovement(row),
            [(processor.clearing(), amount), (other, -amount)],
        )
    }

    /// Money the operator put into a wallet.
    pub fn credit(account: AccountId, row: i64, amount: Usd) -> Self {
        Self::of(
            Cause::Credit(row),
            [
                (Book::ManualClearing, -amount),
                (Book::Available(account), amount),
            ],
        )
    }

    /// Money the operator took out of a wallet.
    pub fn debit(account: AccountId, row: i64, amount: Usd) -> Self {
        Self::of(
            Cause::Debit(row),
            [
                (Book::Available(account), -amount),
                (Book::ManualClearing, amount),
            ],
        )
    }
}

/// Where money that comes in goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It can be spent.
    Spendable,
    /// It can be spent later.
    Uncleared,
}

impl Side {
    fn of(self, account: AccountId) -> Book {
        match self {
            Self::Spendable => Book::Available(account),
            Self::Uncleared => Book::Uncleared(account),
        }
    }
}

/// A customer's money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wallet {
    /// Can be spent.
    pub available: Usd,
    /// On hold for open orders.
    pub held: Usd,
    /// Owed after charge-backs.
    pub receivable: Usd,
    /// Paid in, and to be spent only later.
    pub uncleared: Usd,
}

/// The posting would take a customer's account below zero, or past what 64 bits hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overdrawn;

impl Wallet {
    /// How much of an amount that comes in pays a debt.
    pub fn pays_debt(&self, amount: Usd) -> Usd {
        self.receivable.min(amount)
    }

    /// How much of an amount that goes out is not there and becomes a debt.
    pub fn lacks(&self, amount: Usd) -> Usd {
        Usd((amount.0 - self.available.0).max(0))
    }

    /// This wallet after the legs of an entry that are `owner`'s, or the refusal.
    pub fn after(mut self, owner: AccountId, entry: &Entry) -> Result<Self, Overdrawn> {
        for leg in &entry.postings {
            let (side, amount) = match &leg.book {
                Book::Available(id) if *id == owner => (&mut self.available, leg.amount),
                Book::Held(id) if *id == owner => (&mut self.held, leg.amount),
                Book::Uncleared(id) if *id == owner => (&mut self.uncleared, leg.amount),
                // an asset: what is owed grows by debits
                Book::Receivable(id) if *id == owner => (&mut self.receivable, -leg.amount),
                _ => continue,
            };
            let next = side.checked_add(amount).ok_or(Overdrawn)?;
            if next < Usd::ZERO {
                return Err(Overdrawn);
            }
            *side = next;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANA: AccountId = AccountId(1);

    #[derive(Clone, Debug)]
    enum Step {
        Credit(i64),
        Hold(i64),
        Resolve { order: usize, share: u8 },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1..1_000_000_i64).prop_map(Step::Credit),
            (1..1_000_000_i64).prop_map(Step::Hold),
            (0..50_usize, 0..=100_u8).prop_map(|(order, share)| Step::Resolve { order, share }),
        ]
    }

    proptest! {
        #[test]
        fn the_books_balance_under_any_sequence(steps in prop::collection::vec(step(), 0..200)) {
            let (mut wallet, mut open, mut journal) = (Wallet::default(), Vec::new(), Vec::new());
            for (row, step) in steps.into_iter().enumerate() {
                let order = OrderId(i64::try_from(row).unwrap());
                let entry = match step {
                    Step::Credit(amount) => Entry::credit(ANA, order.0, Usd(amount)),
                    Step::Hold(amount) => Entry::hold(ANA, order, Usd(amount)),
                    Step::Resolve { order, share } => {
                        if open.is_empty() { continue; }
                        let (id, held): (OrderId, Usd) = open.remove(order % open.len());
                        let posted = Usd(held.0 * i64::from(share) / 100);
                        Entry::resolution(ANA, id, held, posted)
                    }
                };
                prop_assert!(entry.balances());
                match wallet.after(ANA, &entry) {
                    Ok(next) => {
                        wallet = next;
                        if let Step::Hold(amount) = step { open.push((order, Usd(amount))); }
                        journal.extend(entry.postings);
                    }
                    Err(Overdrawn) => prop_assert!(matches!(step, Step::Hold(_))),
                }
            }
            let sum = |wanted: fn(&Book) -> bool| -> i64 {
                journal.iter().filter(|leg| wanted(&leg.book)).map(|leg| leg.amount.0).sum()
            };
            prop_assert_eq!(sum(|_| true), 0);
            prop_assert_eq!(sum(|book| matches!(book, Book::Available(_))), wallet.available.0);
            prop_assert_eq!(sum(|book| matches!(book, Book::Held(_))), wallet.held.0);
            prop_assert_eq!(open.iter().map(|(_, held)| held.0).sum::<i64>(), wallet.held.0);
        }
    }

    #[test]
    fn a_hold_of_more_than_is_there_is_refused() {
        let wallet = Wallet {
            available: Usd(99),
            ..Wallet::default()
        };
        assert_eq!(
            wallet.after(ANA, &Entry::hold(ANA, OrderId(1), Usd(100))),
            Err(Overdrawn)
        );
        assert!(
            wallet
                .after(ANA, &Entry::hold(ANA, OrderId(1), Usd(99)))
                .is_ok()
        );
    }

    #[test]
    fn a_price_above_the_quote_is_the_houses_variance() {
        let entry = Entry::upstream_cost(OrderId(1), 0, "peter1", Usd(30), Usd(40));
        assert!(entry.balances());
        assert!(entry.postings.contains(&Posting {
            book: Book::Variance("peter1".into()),
            amount: Usd(10)
        }));
    }
}
