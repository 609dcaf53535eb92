//! Top-ups: what a customer begins, what processors tell, what the operator decides.

mod approve;
mod back;
mod begin;
mod import;
mod moved;
mod poll;
mod receive;
mod reconcile;
mod refund;
mod settle;

pub use begin::{NotBegun, Way};
pub use import::Matched;
pub use receive::NotReceived;
pub use reconcile::ComparedDays;
pub use refund::RefundOrder;

use crate::engine::Engine;
use crate::limits::Limits;
use domain::change::Write;
use domain::ids::AccountId;
use domain::ports::{StoreError, TopUpRows};
use domain::ticket::{Ticket, TicketKind};
use domain::time::{Millis, Timestamp};
use domain::top_up::{
    Dispute, Fact, OddAmounts, PaymentProcessor, Processor, Refund, Reversal, Terms, TopUp,
    TopUpsOf, Verdict, judge,
};
use domain::usd::Usd;
use std::sync::Arc;

/// Top-ups shown of an account, and to the operator.
const SHOWN: (u32, u32) = (50, 1_000);

/// A way to pay that the operator offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// By whom.
    pub processor: Processor,
    /// On what terms.
    pub terms: Terms,
    /// What a customer reads before and after; for a bank transfer where to pay to.
    pub instructions: String,
}

/// What is done when a bank warns that a payment was not its payer's; a ticket is opened either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFraudWarning {
    /// Nothing else.
    Flag,
    /// The account is suspended.
    #[default]
    Freeze,
    /// The account is suspended and the payment returned, before a dispute costs its fee.
    Refund,
}

/// What the operator set about top-ups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopUpSettings {
    /// Scheme and host of our pages and hooks; from the settings, never from a request.
    pub base_url: String,
    /// The ways to pay, in the order that customers see.
    pub offers: Vec<Offer>,
    /// How long an offer to pay is good for.
    pub lifetime: Millis,
    /// What a bank's early warning does.
    pub on_fraud_warning: OnFraudWarning,
    /// From this amount on two people have to approve a bank transfer or a refund.
    pub second_person_from: Option<Usd>,
    /// Who sells, in lines as they stand on receipts.
    pub seller: String,
    /// What becomes of payments of another amount than was asked.
    pub odd_amounts: OddAmounts,
}

/// Use cases about top-ups.
pub struct TopUps {
    engine: Arc<Engine>,
    rows: Arc<dyn TopUpRows>,
    limits: Arc<Limits>,
    processors: Vec<Arc<dyn PaymentProcessor>>,
    settings: TopUpSettings,
}

impl TopUps {
    /// Use cases over these rows and processors.
    pub fn new(
        engine: Arc<Engine>,
        rows: Arc<dyn TopUpRows>,
        limits: Arc<Limits>,
        processors: Vec<Arc<dyn PaymentProcessor>>,
        settings: TopUpSettings,
    ) -> Self {
        Self {
            engine,
            rows,
            limits,
            processors,
            settings,
        }
    }

    /// Now, by the engine's clock.
    pub fn now(&self) -> Timestamp {
        self.engine.now()
    }

    /// The processor of a kind, where it is configured.
    pub fn processor(&self, kind: Processor) -> Option<&dyn PaymentProcessor> {
        let found = self.processors.iter().find(|one| one.kind() == kind);
        found.map(AsRef::as_ref)
    }

    /// The configured processors.
    pub fn processors(&self) -> impl Iterator<Item = &dyn PaymentProcessor> {
        self.processors.iter().map(AsRef::as_ref)
    }

    /// The ways to pay, in the order that customers see.
    pub fn offers(&self) -> &[Offer] {
        &self.settings.offers
    }

    /// An account's newest top-ups, newest first.
    pub async fn of(&self, account: AccountId) -> Result<Vec<TopUp>, StoreError> {
        self.newest_of(account, SHOWN.0).await
    }

    /// The same, so many at most.
    pub async fn newest_of(
        &self,
        account: AccountId,
        limit: u32,
    ) -> Result<Vec<TopUp>, StoreError> {
        self.rows.top_ups_of(account, limit).await
    }

    /// One of an account's own top-ups; another account's is as good as none.
    pub async fn own(&self, account: AccountId, id: i64) -> Result<Option<TopUp>, StoreError> {
        let row = self.rows.top_up(id).await?;
        Ok(row.filter(|row| row.account == account))
    }

    /// When the next of an account's money can be spent, if some cannot yet.
    pub async fn next_clearing(&self, account: AccountId) -> Result<Option<Timestamp>, StoreError> {
        self.rows.next_clearing(account).await
    }

    /// What moved of a top-up since it was credited, and when; the first first.
    pub async fn reversals(&self, id: i64) -> Result<Vec<(Reversal, Timestamp)>, StoreError> {
        self.rows.reversals(id).await
    }

    /// Refunds of a top-up, the first first.
    pub async fn refunds(&self, id: i64) -> Result<Vec<Refund>, StoreError> {
        self.rows.refunds(id).await
    }

    /// The newest top-ups, newest first: all, or those that an operator has to decide on.
    pub async fn list(&self, waiting: bool) -> Result<Vec<TopUp>, StoreError> {
        let limit = SHOWN.1;
        let wanted = TopUpsOf {
            waiting,
            limit,
            ..TopUpsOf::default()
        };
        self.rows.top_ups(&wanted).await
    }

    /// The rows, for reads that are no use case of their own.
    pub fn rows(&self) -> &dyn TopUpRows {
        self.rows.as_ref()
    }

    /// From which amount on two people have to want a transfer or a refund.
    pub fn second_person_from(&self) -> Option<Usd> {
        self.settings.second_person_from
    }

    /// Who sells, in lines as they stand on receipts; empty where the operator did not say.
    pub fn seller(&self) -> &str {
        &self.settings.seller
    }

    fn offer(&self, processor: Processor) -> Option<&Offer> {
        let mut offers = self.settings.offers.iter();
        offers.find(|offer| offer.processor == processor)
    }

    /// What is to be done about a row, by a fact and by what else is known of its payment: one payment
    /// is never two rows', whatever a processor says.
    async fn judge(&self, row: &TopUp, fact: &Fact) -> Result<Verdict, StoreError> {
        let verdict = judge(row, fact, self.settings.odd_amounts);
        let binds = matches!(verdict, Verdict::Credit { .. } | Verdict::Move(_));
        let Some(payment) = fact.payment_ref.as_deref().filter(|_| binds) else {
            return Ok(verdict);
        };
        let owner = self.rows.top_up_paid(row.processor, payment).await?;
        let other = owner.filter(|owner| owner.id != row.id);
        Ok(other.map_or(verdict, |other| {
            let theirs = domain::top_up::reference(other.id);
            Verdict::Review(format!("the payment {payment:?} is that of {theirs}"))
        }))
    }

    /// What the house adds where so much is credited: what was promised with the whole amount, and
    /// by the rules for less than that.
    fn bonus(&self, row: &TopUp, credited: Usd) -> Usd {
        if credited >= row.amount {
            return row.bonus;
        }
        let offer = self.offer(row.processor);
        offer.map_or(Usd::ZERO, |offer| offer.terms.bonus(credited))
    }

    /// Something for a person to look at.
    fn ticket(&self, kind: TicketKind, row: &TopUp, reference: i64, detail: &str) -> Write {
        self.open_ticket(kind, row.processor, (reference, row.amount), detail)
    }

    fn open_ticket(
        &self,
        kind: TicketKind,
        processor: Processor,
        (reference, amount): (i64, Usd),
        detail: &str,
    ) -> Write {
        Write::OpenTicket(Box::new(Ticket {
            id: self.engine.store().next_row_id(),
            kind,
            upstream: processor.slug().to_owned(),
            reference,
            amount,
            detail: detail.to_owned(),
            opened_at: self.engine.now(),
            closed_at: None,
            note: None,
        }))
    }
}

/// What disputes that are not won have taken, all in all.
fn withdrawn<'a>(disputes: impl IntoIterator<Item = &'a Dispute>) -> Usd {
    let open = disputes.into_iter().filter(|dispute| !dispute.reinstated);
    open.map(|dispute| dispute.withdrawn).sum()
}
