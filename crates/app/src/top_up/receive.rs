//! A signed event comes in: kept as it was, then settled. Whoever is told "received" is told so
//! after the commit.

use super::TopUps;
use super::settle::Settled;
use crate::accounts::AdminError;
use domain::change::{CommitError, Refused, Write};
use domain::ports::StoreError;
use domain::ticket::TicketKind;
use domain::top_up::{
    EventState, Fact, News, Notice, PaymentProcessor, Processor, TopUp, TopUpEvent, TopUpWrite,
    read_reference,
};
use domain::usd::Usd;

/// Longest id that a processor may give anything, in bytes.
const ID_MAX: usize = 255;
/// Events that waited for one payment, taken up at once.
const PARKED: u32 = 100;
/// How often a change is decided anew after somebody else was faster.
const TRIES: usize = 8;

/// Why an event was not taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotReceived {
    /// It cannot be read.
    Unreadable,
    /// It could not be stored: it has to be delivered again.
    Storage,
}

impl From<StoreError> for NotReceived {
    fn from(_: StoreError) -> Self {
        Self::Storage
    }
}

/// Whose event it is.
enum Found {
    /// This row's.
    Row(Box<TopUp>),
    /// It names a row that is not there.
    Missing(i64),
    /// It names what cannot be one row of this processor.
    Wrong(String),
    /// It names nothing of ours.
    Nobody,
}

fn not_configured() -> Settled {
    Settled::event(EventState::Seen, "the processor is not configured any more")
}

/// Whether ids are of a length that ids have.
fn fits(notice: &Notice) -> bool {
    let ids = [
        &notice.processor_ref,
        &notice.payment_ref,
        &notice.reference,
    ];
    let given = ids
        .into_iter()
        .flatten()
        .chain([&notice.event_id, &notice.kind]);
    given.into_iter().all(|id| (1..=ID_MAX).contains(&id.len()))
}

impl TopUps {
    /// Takes in an event whose signature was found good.
    pub async fn receive(&self, processor: Processor, raw: &[u8]) -> Result<(), NotReceived> {
        let adapter = self.processor(processor).ok_or(NotReceived::Unreadable)?;
        let notice = adapter.notice(raw).filter(fits);
        let notice = notice.ok_or_else(|| {
            let processor = processor.slug();
            tracing::error!(processor, "a signed event cannot be read: it is refused");
            NotReceived::Unreadable
        })?;
        let event = self.kept(processor, &notice, raw).await?;
        if !event.state.is_open() {
            return Ok(());
        }
        self.settle(event, &notice).await
    }

    /// The event as it is kept: from before, or from now on.
    async fn kept(
        &self,
        processor: Processor,
        notice: &Notice,
        raw: &[u8],
    ) -> Result<TopUpEvent, NotReceived> {
        if let Some(known) = self.rows.top_up_event(processor, &notice.event_id).await? {
            return Ok(known);
        }
        let now = self.engine.now();
        let event = TopUpEvent {
            id: self.engine.store().next_row_id(),
            processor,
            event_id: notice.event_id.clone(),
            kind: notice.kind.clone(),
            top_up: notice.reference.as_deref().and_then(read_reference),
            payment_ref: notice.payment_ref.clone(),
            raw: raw.to_vec(),
            state: EventState::Seen,
            verdict: String::new(),
            received_at: now,
            due_at: Some(now),
            tries: 0,
        };
        let insert = Write::TopUp(TopUpWrite::InsertEvent(Box::new(event.clone())));
        match self
            .engine
            .commit("receive_top_up_event", vec![insert])
            .await
        {
            Ok(()) => Ok(event),
            Err(CommitError::Refused(Refused::Stale)) => {
                let known = self.rows.top_up_event(processor, &notice.event_id).await?;
                known.ok_or(NotReceived::Storage)
            }
            Err(_) => Err(NotReceived::Storage),
        }
    }

    /// Settles an event, and what waited for the payment that it brought.
    pub(super) async fn settle(
        &self,
        event: TopUpEvent,
        notice: &Notice,
    ) -> Result<(), NotReceived> {
        if let Some(row) = self.settle_event(event, notice).await? {
            self.settle_parked(&row).await;
        }
        Ok(())
    }

    /// Decides on an event and writes what follows, with the event, in one change. Gives the row
    /// that it credited.
    async fn settle_event(
        &self,
        event: TopUpEvent,
        notice: &Notice,
    ) -> Result<Option<TopUp>, NotReceived> {
        for _ in 0..TRIES {
            let settled = self.decide(&event, notice).await?;
            let (credited, frozen) = (settled.credited.clone(), settled.frozen);
            let (name, writes) = settled.with_event(&event, self.engine.now());
            match self.engine.commit(name, writes).await {
                Ok(()) => {
                    if let Some(account) = frozen {
                        self.engine.callers.forget_account(account);
                    }
                    return Ok(credited);
                }
                Err(CommitError::Refused(_)) => {
                    let known = self
                        .rows
                        .top_up_event(event.processor, &event.event_id)
                        .await?;
                    if known.is_none_or(|known| !known.state.is_open()) {
                        return Ok(None);
                    }
                }
                Err(CommitError::Storage(_)) => return Err(NotReceived::Storage),
            }
        }
        Err(NotReceived::Storage)
    }

    /// Events that came before their payment.
    pub(super) async fn settle_parked(&self, row: &TopUp) {
        let Ok(parked) = self.rows.top_up_events_parked(row, PARKED).await else {
            return;
        };
        for event in parked {
            if let Some(notice) = self.read_again(&event) {
                // what fails now is still due
                let _ = self.settle_event(event, &notice).await;
            }
        }
    }

    /// Has an event that came to nothing settled once more.
    ///
    /// # Errors
    /// It is not there, or did not come to nothing.
    pub async fn replay(&self, id: i64) -> Result<TopUpEvent, AdminError> {
        let found = self.rows.top_up_event_row(id).await?;
        let event = found.ok_or_else(|| AdminError::NotFound(format!("event {id}")))?;
        let settled = || AdminError::Conflict(format!("event {id} did not come to nothing"));
        if !event.state.came_to_nothing() {
            return Err(settled());
        }
        let again = event.reopened(self.engine.now());
        let reopen = Write::TopUp(TopUpWrite::ReopenEvent(Box::new(again.clone())));
        match self
            .engine
            .commit("replay_top_up_event", vec![reopen])
            .await
        {
            Err(CommitError::Refused(_)) => return Err(settled()),
            outcome => outcome?,
        }
        self.try_again(again).await;
        let after = self.rows.top_up_event_row(id).await?;
        after.ok_or(AdminError::Storage)
    }

    fn read_again(&self, event: &TopUpEvent) -> Option<Notice> {
        self.processor(event.processor)?.notice(&event.raw)
    }

    /// Settles an event that is kept; whatever cannot be done now is tried again later.
    pub(super) async fn try_again(&self, event: TopUpEvent) {
        if let Some(notice) = self.read_again(&event) {
            // what fails now is still due
            let _ = self.settle(event, &notice).await;
            return;
        }
        let why = "the processor is not configured any more";
        let waits = event.waits(event.state, why, self.engine.now());
        let update = Write::TopUp(TopUpWrite::UpdateEvent(Box::new(waits)));
        let name = "postpone_top_up_event";
        self.engine.step(name, vec![update]).await;
    }

    async fn decide(&self, event: &TopUpEvent, notice: &Notice) -> Result<Settled, NotReceived> {
        if notice.news == News::Unused {
            return Ok(Settled::event(EventState::Ignored, "nothing for us"));
        }
        match self.find(event.processor, notice).await? {
            Found::Row(row) => {
                let id = row.id;
                Ok(self.about(*row, event, notice).await?.of(id))
            }
            Found::Missing(id) => Ok(self.parked_unknown(event, id)),
            Found::Wrong(why) => {
                let amount = (event.id, Usd::ZERO);
                let kind = TicketKind::TopUpMismatch;
                let ticket = self.open_ticket(kind, event.processor, amount, &why);
                Ok(Settled::event(EventState::Review, &why).and(ticket))
            }
            Found::Nobody => Ok(match notice.news {
                News::Payment(_) | News::Look => {
                    Settled::event(EventState::Ignored, "it names nothing of ours")
                }
                // a refund may come before the payment that it is of
                _ => Settled::event(EventState::Parked, "no payment of ours is called so"),
            }),
        }
    }

    /// The row that an event names by our reference, or by an id that we stored ourselves.
    async fn find(&self, processor: Processor, notice: &Notice) -> Result<Found, NotReceived> {
        let named = notice.reference.as_deref().and_then(read_reference);
        let by_name = match named {
            Some(id) => self.rows.top_up(id).await?,
            None => None,
        };
        let mut by_id = None;
        if let Some(opened) = &notice.processor_ref {
            by_id = self.rows.top_up_opened(processor, opened).await?;
        }
        if let (None, Some(paid)) = (&by_id, &notice.payment_ref) {
            by_id = self.rows.top_up_paid(processor, paid).await?;
        }
        Ok(match (named, by_name, by_id) {
            (_, Some(row), _) if row.processor != processor => Found::Wrong(format!(
                "an event of {} names {}, which is of {}",
                processor.slug(),
                domain::top_up::reference(row.id),
                row.processor.slug()
            )),
            (_, Some(row), Some(other)) if row.id != other.id => Found::Wrong(format!(
                "an event names {} and an id of {}",
                domain::top_up::reference(row.id),
                domain::top_up::reference(other.id)
            )),
            (_, Some(row), _) => Found::Row(Box::new(row)),
            (Some(id), None, None) => Found::Missing(id),
            (Some(id), None, Some(other)) => Found::Wrong(format!(
                "an event names {} and an id of {}",
                domain::top_up::reference(id),
                domain::top_up::reference(other.id)
            )),
            (None, None, Some(row)) => Found::Row(Box::new(row)),
            (None, None, None) => Found::Nobody,
        })
    }

    fn parked_unknown(&self, event: &TopUpEvent, id: i64) -> Settled {
        let why = format!("{} is not there", domain::top_up::reference(id));
        let parked = Settled::event(EventState::Parked, &why);
        if event.state == EventState::Parked {
            return parked;
        }
        let what = (event.id, Usd::ZERO);
        let kind = TicketKind::TopUpUnknown;
        parked.and(self.open_ticket(kind, event.processor, what, &why))
    }

    async fn about(
        &self,
        row: TopUp,
        event: &TopUpEvent,
        notice: &Notice,
    ) -> Result<Settled, NotReceived> {
        let disagrees = notice.live.is_some_and(|live| live != row.live);
        match &notice.news {
            News::Payment(fact) => self.paid(&row, fact, Some(event)).await,
            News::Look => self.looked(&row, event, notice).await,
            _ if disagrees => {
                let why = "it is of the other mode: test and real money do not mix";
                let kind = TicketKind::TopUpMismatch;
                let ticket = self.ticket(kind, &row, event.id, why);
                Ok(Settled::event(EventState::Review, why).and(ticket))
            }
            _ => self.went_back(&row, event, notice).await,
        }
    }

    /// Reads the payment at the processor and goes by what that says.
    async fn looked(
        &self,
        row: &TopUp,
        event: &TopUpEvent,
        notice: &Notice,
    ) -> Result<Settled, NotReceived> {
        let Some(processor) = self.processor(row.processor) else {
            return Ok(not_configured());
        };
        // what the event names is read, not what we opened: a second one is not to be missed
        let mut named = row.clone();
        named.processor_ref = notice.processor_ref.clone().or(named.processor_ref);
        Ok(match processor.read(&named).await {
            Ok(Some(fact)) => {
                let verdict = self.judge(row, &fact).await?;
                self.follow(row, &fact, verdict, Some(event))
            }
            other => self.not_read(row, other, Some(event)),
        })
    }

    /// A fact from an event is believed once the processor says the same when asked.
    pub(super) async fn paid(
        &self,
        row: &TopUp,
        fact: &Fact,
        event: Option<&TopUpEvent>,
    ) -> Result<Settled, NotReceived> {
        let verdict = self.judge(row, fact).await?;
        let needs_proof = matches!(
            verdict,
            domain::top_up::Verdict::Credit { .. } | domain::top_up::Verdict::TakeBack
        );
        if !needs_proof {
            return Ok(self.follow(row, fact, verdict, event));
        }
        let processor: Option<&dyn PaymentProcessor> = self.processor(row.processor);
        let Some(processor) = processor else {
            return Ok(not_configured());
        };
        let read = processor.read(&row.clone().known_by(fact)).await;
        Ok(match read {
            Ok(Some(second)) => {
                let verdict = self.judge(row, &second).await?;
                self.follow(row, &second, verdict, event)
            }
            other => self.not_read(row, other, event),
        })
    }
}
