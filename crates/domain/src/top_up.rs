//! Top-ups: money that customers put into their wallets through a payment processor. A row is ours
//! before a customer leaves for the processor, and is credited once.

mod event;
mod fact;
mod judge;
mod movement;
mod postings;
mod processor;
mod proof;
mod reconciliation;
mod refund;
mod reversal;
mod terms;
#[cfg(test)]
mod tests;

pub use event::{EventState, TopUpEvent};
pub use fact::{Fact, News, Notice, Stand, Sum};
pub use judge::{OddAmounts, Verdict, judge};
pub use movement::{
    Clearing, LineKind, MoneyLine, Moved, MovementKind, ProcessorMovement, movements,
};
pub use processor::{Asked, Checkout, Opened, PaymentProcessor, Processor, ProcessorError};
pub use proof::{BadProof, PROOF_MAX, PROOFS_OF_ACCOUNT, Proof, ProofKind, proof_kind};
pub use reconciliation::Reconciliation;
pub use refund::{Refund, RefundState, next_refund, refund_key};
pub use reversal::{Dispute, Parts, Reversal, ReversalCause};
pub use terms::{BadAmount, BonusRule, Terms};

use crate::ids::AccountId;
use crate::time::{Millis, Timestamp};
use crate::usd::Usd;

/// The one currency that wallets are in.
pub const CURRENCY: &str = "USD";

/// Between two looks at an open top-up at its processor: a paid one whose webhook never came is
/// credited within a quarter of an hour.
const LOOKS: [Millis; 5] = [
    Millis::seconds(20),
    Millis::seconds(60),
    Millis::minutes(2),
    Millis::minutes(5),
    Millis::minutes(10),
];

/// A top-up that is over is looked at for this long more: payments may arrive late.
const LATE: Millis = Millis::minutes(3 * 24 * 60);

/// Where a top-up stands. What was taken back later is an amount beside `Credited`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopUpState {
    /// Ours; nothing is known of a payment.
    Created,
    /// A payment is on its way, or an operator has to approve it.
    Pending,
    /// In the wallet.
    Credited,
    /// Nobody paid in time.
    Expired,
    /// The payment failed.
    Failed,
    /// Something does not fit: only an operator goes on from here.
    Review,
    /// Closed by an operator, or withdrawn by its customer.
    Rejected,
}

impl TopUpState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Created,
        Self::Pending,
        Self::Credited,
        Self::Expired,
        Self::Failed,
        Self::Review,
        Self::Rejected,
    ];

    /// Stable word.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Pending => "pending",
            Self::Credited => "credited",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Review => "review",
            Self::Rejected => "rejected",
        }
    }

    /// Reads a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.slug() == slug)
    }

    /// Whether a payment is still waited for.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Created | Self::Pending)
    }
}

/// A top-up. Amounts are whole cents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopUp {
    /// Row; outside it is called by its [`reference`].
    pub id: i64,
    /// Whose wallet.
    pub account: AccountId,
    /// Rises with every write.
    pub version: i64,
    /// Who takes the money.
    pub processor: Processor,
    /// What goes into the wallet; fixed at creation.
    pub amount: Usd,
    /// What the customer pays beside it for the way of paying.
    pub fee: Usd,
    /// What the house adds.
    pub bonus: Usd,
    /// For how long it cannot be spent once it is in the wallet.
    pub hold: Millis,
    /// Real money, or a processor's test mode.
    pub live: bool,
    /// Where it stands.
    pub state: TopUpState,
    /// The processor's id of the session or invoice.
    pub processor_ref: Option<String>,
    /// What refunds and disputes name: the processor's id of the payment.
    pub payment_ref: Option<String>,
    /// Where the customer pays.
    pub pay_url: Option<String>,
    /// What the customer declared, or why it stands where it stands. Hostile text.
    pub note: String,
    /// What was put into the wallet, without the bonus.
    pub credited: Usd,
    /// What the processor says it returned to the payer, all in all, in the payer's terms.
    pub refunded: Usd,
    /// What was taken back so far.
    pub reversed: Parts,
    /// Movements back and forth so far.
    pub reversals: i64,
    /// Creation.
    pub created_at: Timestamp,
    /// When the processor stops waiting for a payment.
    pub expires_at: Timestamp,
    /// When it was credited.
    pub credited_at: Option<Timestamp>,
    /// When what was credited can be spent, while it cannot.
    pub clears_at: Option<Timestamp>,
    /// When it is looked at next at the processor.
    pub due_at: Option<Timestamp>,
    /// Looks so far.
    pub tries: i64,
}

/// What a processor is told to call a top-up.
pub fn reference(id: i64) -> String {
    format!("tu_{id}")
}

/// The row behind a reference.
pub fn read_reference(text: &str) -> Option<i64> {
    let digits = text.strip_prefix("tu_")?;
    let id: i64 = digits.parse().ok()?;
    (id > 0 && id.to_string() == digits).then_some(id)
}

impl TopUp {
    /// One that nothing is known of yet, without fee, bonus or hold, of real money, that is paid until
    /// `expires_at`. `id` is a fresh row id.
    pub fn begun(
        id: i64,
        account: AccountId,
        (processor, amount): (Processor, Usd),
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            id,
            account,
            version: 1,
            processor,
            amount,
            fee: Usd::ZERO,
            bonus: Usd::ZERO,
            hold: Millis(0),
            live: true,
            state: TopUpState::Created,
            processor_ref: None,
            payment_ref: None,
            pay_url: None,
            note: String::new(),
            credited: Usd::ZERO,
            refunded: Usd::ZERO,
            reversed: Parts::default(),
            reversals: 0,
            created_at: now,
            expires_at,
            credited_at: None,
            clears_at: None,
            due_at: None,
            tries: 0,
        }
    }

    /// Whether it is a bank transfer that its customer declared and nobody has decided on.
    pub fn is_announced(&self) -> bool {
        self.processor == Processor::Manual && self.state == TopUpState::Pending
    }

    /// Whether a person has to say what becomes of it. [`TopUpsOf::waiting`] asks the same of the store.
    pub fn waits(&self) -> bool {
        self.state == TopUpState::Review || self.is_announced()
    }

    /// Whether nothing more is decided about it: neither a payment nor a person is waited for.
    pub fn is_decided(&self) -> bool {
        !self.state.is_open() && self.state != TopUpState::Review
    }

    /// What the customer has to pay.
    pub fn charge(&self) -> Usd {
        Usd(self.amount.0 + self.fee.0)
    }

    /// The same row one write later.
    pub fn moved(&self, state: TopUpState) -> Self {
        Self {
            version: self.version + 1,
            state,
            ..self.clone()
        }
    }

    /// The row once its processor has opened a place to pay.
    pub fn opened(&self, opened: &Opened, now: Timestamp) -> Self {
        Self {
            processor_ref: Some(opened.processor_ref.clone()),
            pay_url: Some(opened.pay_url.clone()),
            due_at: Some(now + LOOKS[0]),
            ..self.moved(self.state)
        }
    }

    /// The row once its money can be spent.
    pub fn cleared(&self) -> Self {
        Self {
            clears_at: None,
            ..self.moved(self.state)
        }
    }

    /// The row after its payment arrived: `amount` goes into the wallet.
    pub fn paid(&self, payment: &str, amount: Usd, now: Timestamp) -> Self {
        Self {
            payment_ref: Some(payment.to_owned()),
            credited: amount,
            credited_at: Some(now),
            clears_at: (self.hold > Millis(0)).then_some(now + self.hold),
            due_at: None,
            ..self.moved(TopUpState::Credited)
        }
    }

    /// The row with what its processor calls the payment, where that was not known yet.
    pub fn known_by(self, fact: &Fact) -> Self {
        Self {
            processor_ref: self.processor_ref.or_else(|| fact.processor_ref.clone()),
            payment_ref: self.payment_ref.or_else(|| fact.payment_ref.clone()),
            ..self
        }
    }

    /// The row closed without money; why.
    pub fn closed(&self, state: TopUpState, why: &str) -> Self {
        Self {
            note: why.to_owned(),
            due_at: None,
            ..self.moved(state)
        }
    }

    /// The row after a look at its processor that changed nothing else.
    pub fn looked_at(&self, now: Timestamp) -> Self {
        let place = usize::try_from(self.tries).unwrap_or(usize::MAX);
        let pause = LOOKS[place.min(LOOKS.len() - 1)];
        let over = now > self.expires_at + LATE;
        let state = match over && self.state.is_open() {
            true => TopUpState::Expired,
            false => self.state,
        };
        Self {
            tries: self.tries + 1,
            due_at: (!over).then_some(now + pause),
            ..self.moved(state)
        }
    }

    /// Whether it has no place to pay: the answer of its processor was lost.
    pub fn lacks_place(&self) -> bool {
        let has_none = self.state == TopUpState::Created && self.processor_ref.is_none();
        has_none && self.processor != Processor::Manual
    }

    /// Whether a place to pay may be asked for once more: its processor still takes the rest of the time
    /// as an offer.
    pub fn can_reopen(&self, now: Timestamp) -> bool {
        self.lacks_place() && now + self.processor.shortest_offer() <= self.expires_at
    }

    /// Whether its processor never got to know of it, or never answered, and never will be paid.
    pub fn was_never_opened(&self, now: Timestamp) -> bool {
        self.lacks_place() && now > self.expires_at
    }
}

/// A line of a bank account's statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankLine {
    /// The bank's own id of it: no two lines share one.
    pub id: String,
    /// What came in; nothing for what went out.
    pub sum: Option<Sum>,
    /// The bank takes back what it booked before.
    pub is_reversal: bool,
    /// What the payer wrote. Hostile text.
    pub text: String,
}

/// The top-ups that a text names by their references, each once.
pub fn references(text: &str) -> Vec<i64> {
    let letter = |one: char| !one.is_ascii_alphanumeric() && one != '_';
    let words = text.split(letter).map(str::to_ascii_lowercase);
    let mut named: Vec<i64> = words.filter_map(|word| read_reference(&word)).collect();
    named.sort_unstable();
    named.dedup();
    named
}

/// What a first person wants to credit to a top-up, or to return of it, that needs two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The top-up.
    pub top_up: i64,
    /// Who.
    pub proposer: String,
    /// How much.
    pub amount: Usd,
    /// The bank's reference of the payment; of a refund its key.
    pub reference: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Proposal {
    /// Whether it counts for its top-up as that is now. What somebody wanted before the top-up moved
    /// counts for nothing.
    pub fn stands(&self, row: &TopUp) -> bool {
        let is_next = |may_owe| self.reference == next_refund(row, may_owe);
        row.waits() || [false, true].into_iter().any(is_next)
    }
}

/// Which top-ups are asked for; members left out match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopUpsOf {
    /// Only those that wait for a person ([`TopUp::waits`]).
    pub waiting: bool,
    /// Only of this account.
    pub account: Option<AccountId>,
    /// Only at this processor.
    pub processor: Option<Processor>,
    /// Only in this state.
    pub state: Option<TopUpState>,
    /// Only with a smaller id.
    pub before: Option<i64>,
    /// Top-ups at most, newest first.
    pub limit: u32,
}

/// One thing to write about top-ups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopUpWrite {
    /// A row is about to be begun: this stands before its `Insert`. Guard: with it the sum of what its
    /// account began since then stays within the day's bound.
    WithinDay {
        /// Whose.
        account: AccountId,
        /// Start of the day.
        since: Timestamp,
        /// What is begun.
        amount: Usd,
        /// The bound.
        most: Usd,
    },
    /// A new row.
    Insert(Box<TopUp>),
    /// What its customer shows of a transfer: this stands behind its `Insert`. Guard: the account has
    /// room for one more file.
    Prove(Box<Proof>),
    /// The same file, sealed anew. Guard: it is there.
    ResealProof(Box<Proof>),
    /// A row moves on without money. Guard: the stored version is the one before.
    Update(Box<TopUp>),
    /// A row is credited. Guards: as for `Update`; not credited yet; no other row has this payment.
    Credit {
        /// The row afterwards.
        row: Box<TopUp>,
        /// The processor's id of the payment, or the bank's reference.
        payment: String,
    },
    /// What the house adds to a credited row. Guard: once for each payment.
    Bonus {
        /// The row.
        row: Box<TopUp>,
        /// As for `Credit`.
        payment: String,
    },
    /// Money of a credited row goes back, or comes again. Guards: as for `Update`; once for each
    /// cause and its reference.
    Reverse {
        /// The row afterwards.
        row: Box<TopUp>,
        /// What moves and why.
        reversal: Reversal,
    },
    /// What was credited can be spent. Guards: as for `Update`; credited as money that cannot be
    /// spent yet, and not cleared before.
    Clear(Box<TopUp>),
    /// A refund is on its way to the payer, or got on. Guard: the first of its number, or its
    /// tries are one more than stored and it was open.
    Refund(Box<Refund>),
    /// A first person wants to credit so much: a second has to want the same. It stands in the place
    /// of an earlier one.
    Propose(Box<Proposal>),
    /// A dispute is known, or changes. Guard: the stored version is the one before.
    Dispute(Box<Dispute>),
    /// A day was compared with a processor's list; it stands in the place of an earlier one.
    Reconciled(Box<Reconciliation>),
    /// A line of a processor's own list is booked. Guard: once for each processor, line and kind.
    Move(Box<ProcessorMovement>),
    /// An event of a processor is kept. Guard: none with this processor and id is there.
    InsertEvent(Box<TopUpEvent>),
    /// An event is settled, or waits on. Guard: it is not settled yet.
    UpdateEvent(Box<TopUpEvent>),
    /// An event that came to nothing is tried once more. Guard: it stands in review or was ignored.
    ReopenEvent(Box<TopUpEvent>),
}
