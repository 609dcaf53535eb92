//! From a verdict to writes: the row, the money, the ticket and the event in one change.

use super::TopUps;
use domain::change::Write;
use domain::ids::AccountId;
use domain::ticket::TicketKind;
use domain::time::Timestamp;
use domain::top_up::{
    EventState, Fact, ProcessorError, ReversalCause, TopUp, TopUpEvent, TopUpState, TopUpWrite,
    Verdict,
};
use domain::usd::Usd;

/// What is to be written about an event or a look.
pub(super) struct Settled {
    name: &'static str,
    writes: Vec<Write>,
    state: EventState,
    why: String,
    /// The row, where it is credited by this.
    pub(super) credited: Option<TopUp>,
    /// The account, where it is suspended by this.
    pub(super) frozen: Option<AccountId>,
    /// The row that the event was found to be about.
    about: Option<i64>,
}

impl Settled {
    /// Nothing but the event's own end.
    pub(super) fn event(state: EventState, why: &str) -> Self {
        Self {
            name: "settle_top_up_event",
            writes: Vec::new(),
            state,
            why: why.to_owned(),
            credited: None,
            frozen: None,
            about: None,
        }
    }

    /// The event is in the books with these writes.
    pub(super) fn done(name: &'static str, writes: Vec<Write>, why: &str) -> Self {
        Self {
            name,
            writes,
            ..Self::event(EventState::Done, why)
        }
    }

    /// It is about this row.
    pub(super) fn of(mut self, row: i64) -> Self {
        self.about = Some(row);
        self
    }

    /// One write more.
    pub(super) fn and(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }

    /// The change for a look that no event stands behind.
    pub(super) fn alone(self) -> (&'static str, Vec<Write>) {
        (self.name, self.writes)
    }

    /// The change with the event in it. An event that is not settled waits on.
    pub(super) fn with_event(
        mut self,
        event: &TopUpEvent,
        now: Timestamp,
    ) -> (&'static str, Vec<Write>) {
        let event = &TopUpEvent {
            top_up: event.top_up.or(self.about),
            ..event.clone()
        };
        let next = match self.state {
            EventState::Seen | EventState::Parked => event.waits(self.state, &self.why, now),
            state => event.settled(state, &self.why),
        };
        self.writes
            .push(Write::TopUp(TopUpWrite::UpdateEvent(Box::new(next))));
        (self.name, self.writes)
    }
}

impl TopUps {
    /// What follows from a verdict. The fact was read at the processor, or moves no money.
    pub(super) fn follow(
        &self,
        row: &TopUp,
        fact: &Fact,
        verdict: Verdict,
        event: Option<&TopUpEvent>,
    ) -> Settled {
        match verdict {
            Verdict::Nothing => Settled::done("settle_top_up_event", Vec::new(), "nothing new"),
            Verdict::Move(state) => {
                let next = row.moved(state).known_by(fact);
                let update = Write::TopUp(TopUpWrite::Update(Box::new(next)));
                Settled::done("move_top_up", vec![update], state.slug())
            }
            Verdict::Credit {
                payment,
                amount,
                odd,
            } => self.credit(row, fact, (&payment, amount), odd),
            Verdict::Review(why) => self.review(row, &why, event),
            Verdict::TakeBack => {
                let reference = event.map_or("read", |event| event.event_id.as_str());
                let all = Usd(row.credited.0 + row.fee.0);
                let why = "its processor calls a credited payment void or returned";
                let told = self.ticket(TicketKind::TopUpReturned, row, row.id, why);
                let settled = self.take_back(row, all, (ReversalCause::Void, reference));
                settled.and(told)
            }
            Verdict::Tell(why) => {
                let reference = event.map_or(row.id, |event| event.id);
                let ticket = self.ticket(TicketKind::TopUpMismatch, row, reference, &why);
                Settled::event(EventState::Review, &why).and(ticket)
            }
        }
    }

    fn credit(
        &self,
        row: &TopUp,
        fact: &Fact,
        (payment, amount): (&str, Usd),
        odd: Option<String>,
    ) -> Settled {
        let now = self.engine.now();
        let known = TopUp {
            bonus: self.bonus(row, amount),
            ..row.clone().known_by(fact)
        };
        let next = known.paid(payment, amount, now);
        let mut settled = Settled::done("credit_top_up", credits(&next, payment), "credited");
        if let Some(odd) = odd {
            let kind = TicketKind::TopUpSurplus;
            settled = settled.and(self.ticket(kind, row, row.id, &odd));
        }
        tracing::info!(
            top_up = row.id,
            account = row.account.0,
            processor = row.processor.slug(),
            micros = next.credited.0,
            "top-up {} is paid",
            row.id
        );
        settled.credited = Some(next);
        settled
    }

    /// A row whose money is decided on keeps its state: what does not fit is told beside it.
    fn review(&self, row: &TopUp, why: &str, event: Option<&TopUpEvent>) -> Settled {
        let decided = matches!(row.state, TopUpState::Credited | TopUpState::Rejected);
        let reference = event.map_or(row.id, |event| event.id);
        if decided {
            let ticket = self.ticket(TicketKind::TopUpMismatch, row, reference, why);
            return Settled::event(EventState::Review, why).and(ticket);
        }
        let next = row.closed(TopUpState::Review, why);
        let update = Write::TopUp(TopUpWrite::Update(Box::new(next)));
        let ticket = self.ticket(TicketKind::TopUpReview, row, row.id, why);
        Settled {
            name: "review_top_up",
            writes: vec![update, ticket],
            ..Settled::event(EventState::Review, why)
        }
    }

    /// The processor could not be asked, or knows nothing of it.
    pub(super) fn not_read(
        &self,
        row: &TopUp,
        answer: Result<Option<Fact>, ProcessorError>,
        event: Option<&TopUpEvent>,
    ) -> Settled {
        match answer {
            Err(ProcessorError::Unreachable(why)) => {
                tracing::warn!(processor = row.processor.slug(), "no usable answer: {why}");
                Settled::event(EventState::Seen, "the processor could not be asked")
            }
            Err(error) => {
                tracing::error!(processor = row.processor.slug(), "{error}");
                Settled::event(EventState::Seen, "the processor refused to answer")
            }
            Ok(_) => self.review(row, "the processor does not know of this payment", event),
        }
    }
}

/// The writes that put money into a wallet.
pub(super) fn credits(row: &TopUp, payment: &str) -> Vec<Write> {
    let boxed = || (Box::new(row.clone()), payment.to_owned());
    let (credited, paid) = boxed();
    let credit = TopUpWrite::Credit {
        row: credited,
        payment: paid,
    };
    let (row, payment) = boxed();
    let bonus = (row.bonus > Usd::ZERO).then_some(TopUpWrite::Bonus { row, payment });
    [Some(credit), bonus]
        .into_iter()
        .flatten()
        .map(Write::TopUp)
        .collect()
}
