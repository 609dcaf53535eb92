//! Money goes back: refunds, disputes, early warnings of banks.

use super::receive::NotReceived;
use super::refund::as_writes;
use super::settle::Settled;
use super::{OnFraudWarning, TopUps, withdrawn};
use domain::access::Account;
use domain::change::Write;
use domain::ticket::TicketKind;
use domain::top_up::{
    Dispute, EventState, News, Notice, ReversalCause, Sum, TopUp, TopUpEvent, TopUpState,
    TopUpWrite,
};
use domain::usd::Usd;

/// What a refund says that nobody asked for.
const WARNED: &str = "a bank's early fraud warning";

impl TopUps {
    /// News of a payment that is not good for us.
    pub(super) async fn went_back(
        &self,
        row: &TopUp,
        event: &TopUpEvent,
        notice: &Notice,
    ) -> Result<Settled, NotReceived> {
        match &notice.news {
            News::FraudWarning => return self.warned(row, event).await,
            News::DisputeOpened => {
                let why = "a payer disputes a top-up; no money has moved yet";
                let ticket = self.ticket(TicketKind::TopUpReturned, row, event.id, why);
                return Ok(Settled::done("flag_top_up", vec![ticket], why));
            }
            _ if row.state != TopUpState::Credited => {
                // what goes back must have come first
                return Ok(Settled::event(
                    EventState::Parked,
                    "its payment is not in yet",
                ));
            }
            _ => {}
        }
        let disputes = self.rows.disputes(row.id).await?;
        Ok(match &notice.news {
            News::Refunded(sum) => self.refunded(row, event, sum, &disputes),
            News::Withdrawn { dispute, sum } => {
                self.withdrew(row, event, (dispute, sum), &disputes)
            }
            News::Reinstated { dispute } => self.reinstated(row, dispute, &disputes),
            _ => Settled::event(EventState::Ignored, "nothing for us"),
        })
    }

    fn odd_currency(&self, row: &TopUp, event: &TopUpEvent, sum: &Sum) -> Settled {
        let why = format!("{sum} went back of a top-up in dollars");
        let ticket = self.ticket(TicketKind::TopUpMismatch, row, event.id, &why);
        Settled::event(EventState::Review, &why).and(ticket)
    }

    fn refunded(
        &self,
        row: &TopUp,
        event: &TopUpEvent,
        sum: &Sum,
        disputes: &[Dispute],
    ) -> Settled {
        let Some(total) = sum.usd() else {
            return self.odd_currency(row, event, sum);
        };
        // the processor's figure counts all refunds so far, and may come out of order
        let row = TopUp {
            refunded: row.refunded.max(total),
            ..row.clone()
        };
        let all = Usd(row.refunded.0 + withdrawn(disputes).0);
        let cause = (ReversalCause::Refund, event.event_id.as_str());
        self.take_back(&row, all, cause)
    }

    /// Takes back what is not gone yet once the payer has got so much, all in all.
    pub(super) fn take_back(
        &self,
        row: &TopUp,
        total: Usd,
        cause: (ReversalCause, &str),
    ) -> Settled {
        let Some((next, reversal)) = row.reverse(total, cause) else {
            let next = row.moved(row.state);
            let update = Write::TopUp(TopUpWrite::Update(Box::new(next)));
            return Settled::done("note_top_up", vec![update], "all of it was gone already");
        };
        let taken = reversal.parts.of_customer();
        tracing::warn!(
            top_up = row.id,
            account = row.account.0,
            micros = taken.0,
            "{taken} of top-up {} went back: {}",
            row.id,
            cause.0.slug()
        );
        let row = Box::new(next);
        let reverse = Write::TopUp(TopUpWrite::Reverse { row, reversal });
        Settled::done("reverse_top_up", vec![reverse], "taken back")
    }

    fn withdrew(
        &self,
        row: &TopUp,
        event: &TopUpEvent,
        (id, sum): (&str, &Sum),
        disputes: &[Dispute],
    ) -> Settled {
        if disputes.iter().any(|known| known.id == id) {
            return Settled::event(EventState::Done, "this dispute has taken its money already");
        }
        let Some(taken) = sum.usd() else {
            return self.odd_currency(row, event, sum);
        };
        let all = Usd(row.refunded.0 + withdrawn(disputes).0 + taken.0);
        let reversed = row.reverse(all, (ReversalCause::Dispute, id));
        let posted = reversed.as_ref().map(|(_, reversal)| reversal.parts.amount);
        let dispute = Dispute {
            processor: row.processor,
            id: id.to_owned(),
            top_up: row.id,
            version: 1,
            withdrawn: taken,
            posted: posted.unwrap_or_default(),
            reinstated: false,
        };
        let why = format!("a dispute took {sum} of a top-up");
        let mut writes = vec![
            Write::TopUp(TopUpWrite::Dispute(Box::new(dispute))),
            self.ticket(TicketKind::TopUpReturned, row, event.id, &why),
        ];
        writes.extend(reversed.map(as_write));
        Settled::done("dispute_top_up", writes, &why)
    }

    fn reinstated(&self, row: &TopUp, id: &str, disputes: &[Dispute]) -> Settled {
        let Some(dispute) = disputes.iter().find(|known| known.id == id) else {
            return Settled::event(EventState::Parked, "this dispute has taken nothing yet");
        };
        if dispute.reinstated {
            return Settled::event(EventState::Done, "this dispute was won before");
        }
        let others = disputes.iter().filter(|other| other.id != id);
        let all = Usd(row.refunded.0 + withdrawn(others).0);
        let won = Dispute {
            version: dispute.version + 1,
            reinstated: true,
            ..dispute.clone()
        };
        let mut writes = vec![Write::TopUp(TopUpWrite::Dispute(Box::new(won)))];
        writes.extend(row.reinstate(all, dispute).map(as_write));
        Settled::done("reinstate_top_up", writes, "given back")
    }

    /// Everything that is left of a payment goes back, whether the wallet has it or not: a part would
    /// not keep the rest from being disputed. Whoever looks at due refunds next tells the processor.
    async fn returned_at_once(&self, row: &TopUp) -> Result<Vec<Write>, NotReceived> {
        let left = self.left(row).await?;
        let (cause, why) = (ReversalCause::OwedRefund, WARNED.to_owned());
        let planned = self.planned(row, (left, left), cause, why);
        Ok(
            planned.map_or_else(Vec::new, |(next, reversal, mut refund)| {
                refund.due_at = Some(self.engine.now());
                as_writes(&(next, reversal, refund))
            }),
        )
    }

    /// A bank says the payer did not make this payment.
    async fn warned(&self, row: &TopUp, event: &TopUpEvent) -> Result<Settled, NotReceived> {
        let policy = self.settings.on_fraud_warning;
        let freezes = policy != OnFraudWarning::Flag;
        let returns = policy == OnFraudWarning::Refund;
        if returns && row.state.is_open() {
            return Ok(Settled::event(
                EventState::Parked,
                "its payment is not in yet",
            ));
        }
        let refund = match returns {
            true => self.returned_at_once(row).await?,
            false => Vec::new(),
        };
        let why = match (freezes, refund.is_empty()) {
            (_, false) => {
                "a bank warns that a top-up was not its payer's: the account is suspended and the \
                 payment returned"
            }
            (true, _) => "a bank warns that a top-up was not its payer's: the account is suspended",
            (false, _) => "a bank warns that a top-up was not its payer's",
        };
        let mut writes = vec![self.ticket(TicketKind::TopUpFraud, row, event.id, why)];
        writes.extend(refund);
        let account = self.engine.store().account(row.account).await?;
        if let Some(account) = account.filter(|account| freezes && !account.suspended) {
            let frozen = Account {
                suspended: true,
                ..account
            };
            writes.push(Write::UpdateAccount(Box::new(frozen)));
        }
        let mut settled = Settled::done("warn_top_up", writes, why);
        settled.frozen = freezes.then_some(row.account);
        Ok(settled)
    }
}

pub(super) fn as_write((row, reversal): (TopUp, domain::top_up::Reversal)) -> Write {
    let row = Box::new(row);
    Write::TopUp(TopUpWrite::Reverse { row, reversal })
}
