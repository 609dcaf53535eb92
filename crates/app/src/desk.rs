//! What staff do at the console that no other door offers: money by hand with a second pair of eyes,
//! notes, announcements, orders that only a person can settle.

use crate::accounts::AdminError;
use crate::acting;
use crate::engine::Engine;
use crate::reason::reason;
use crate::redeem::{CodeOrder, MadeCodes, RedeemCodes};
use domain::change::{CommitError, Refused, Write};
use domain::desk::{AccountNote, Announcement, DeskWrite, MoneyRequest, MoneyState};
use domain::ids::{AccountId, OrderId, PersonId};
use domain::ports::DeskRows;
use domain::ticket::TicketKind;
use domain::time::{Millis, Timestamp};
use domain::usd::Usd;
use std::sync::{Arc, Mutex, PoisonError};

/// Characters of a note or an announcement at most.
const TEXT_MAX: usize = 500;

/// How long the announcements that pages show are taken from memory.
const FRESH: Millis = Millis::seconds(10);

/// Announcements that show at the same time.
const SHOWN: u32 = 3;

/// Made with a form, so that sent twice it is one: 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceKey(String);

impl OnceKey {
    /// Reads what a form sent.
    pub fn read(text: &str) -> Option<Self> {
        let shaped = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        shaped.then(|| Self(text.to_owned()))
    }

    /// As the form sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Money that somebody wants to move by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyOrder {
    /// Whose wallet.
    pub account: AccountId,
    /// Above zero into it, below zero out of it.
    pub amount: Usd,
    /// Why.
    pub reason: String,
    /// Of the form.
    pub once: OnceKey,
}

/// The use cases.
pub struct Desk {
    engine: Arc<Engine>,
    rows: Arc<dyn DeskRows>,
    /// More than this needs a second person.
    cap: Usd,
    shown: Mutex<Option<(Timestamp, Arc<Vec<String>>)>>,
}

impl Desk {
    /// Over an engine and what only the console asks; more than `cap` needs a second person.
    pub fn new(engine: Arc<Engine>, rows: Arc<dyn DeskRows>, cap: Usd) -> Self {
        Self {
            engine,
            rows,
            cap,
            shown: Mutex::default(),
        }
    }

    /// The rows, for reads that are no use case of their own.
    pub fn rows(&self) -> &dyn DeskRows {
        self.rows.as_ref()
    }

    /// Up to what one person may move.
    pub fn cap(&self) -> Usd {
        self.cap
    }

    /// Makes redeem codes, as [`RedeemCodes::create`] does: all of them together are worth no more than
    /// what one person may move.
    ///
    /// # Errors
    /// They are worth more, or as there.
    pub async fn make_codes(
        &self,
        codes: &RedeemCodes,
        order: CodeOrder,
        form: &OnceKey,
    ) -> Result<MadeCodes, AdminError> {
        let worth = order.amount.0.checked_mul(i64::from(order.count));
        if worth.is_none_or(|worth| worth > self.cap.0) {
            let cap = self.cap.short();
            let why = format!("one person may make codes worth ${cap} at most in one batch");
            return Err(AdminError::Invalid(why));
        }
        codes.create(order, Some(form)).await
    }

    /// Moves money at once, or above the cap asks for a second person. The same form again gives the
    /// same request.
    ///
    /// # Errors
    /// The amount is zero, no reason is given, the wallet has less, there is no such account or it is
    /// their own, or another form came under the same key.
    pub async fn move_money(
        &self,
        who: PersonId,
        order: MoneyOrder,
    ) -> Result<MoneyRequest, AdminError> {
        let reason = reason(&order.reason)?.to_owned();
        if order.amount == Usd::ZERO {
            return Err(AdminError::Invalid(
                "the amount must not be zero".to_owned(),
            ));
        }
        acting::not_own(self.rows.as_ref(), Some(who), order.account).await?;
        let OnceKey(once) = order.once;
        let now = self.engine.now();
        let alone = order.amount.0.unsigned_abs() <= self.cap.0.unsigned_abs();
        let request = MoneyRequest {
            id: self.engine.store().next_row_id(),
            once,
            account: order.account,
            amount: order.amount,
            reason,
            asked_by: who,
            asked_at: now,
            state: match alone {
                true => MoneyState::Granted,
                false => MoneyState::Open,
            },
            decided_by: alone.then_some(who),
            decided_at: alone.then_some(now),
        };
        if let Some(known) = self.rows.money_request_once(&request.once).await? {
            return asked_before(known, &request);
        }
        let ask = Write::Desk(DeskWrite::Ask(Box::new(request.clone())));
        let moved = alone.then(|| movement(&request));
        let writes = [ask].into_iter().chain(moved).collect();
        match self.engine.commit("move_money", writes).await {
            Ok(()) => Ok(request),
            // the same form, sent twice at the same time
            Err(CommitError::Refused(Refused::Stale)) => {
                let known = self.rows.money_request_once(&request.once).await?;
                asked_before(known.ok_or(AdminError::Storage)?, &request)
            }
            Err(error) => Err(refused(error, request.account)),
        }
    }

    /// A second person decides on a request.
    ///
    /// # Errors
    /// It is decided on already, it is their own or for an account of their own, or the wallet has
    /// less by now.
    pub async fn decide(
        &self,
        who: PersonId,
        id: i64,
        grant: bool,
    ) -> Result<MoneyRequest, AdminError> {
        let found = self.rows.money_request(id).await?;
        let request = found.ok_or_else(|| AdminError::NotFound(format!("request {id}")))?;
        if request.state != MoneyState::Open {
            return Err(decided_already(id));
        }
        if !request.is_for(who) {
            let why = "whoever asked cannot decide: it takes a second person";
            return Err(AdminError::Forbidden(why));
        }
        acting::not_own(self.rows.as_ref(), Some(who), request.account).await?;
        let request = MoneyRequest {
            state: match grant {
                true => MoneyState::Granted,
                false => MoneyState::Refused,
            },
            decided_by: Some(who),
            decided_at: Some(self.engine.now()),
            ..request
        };
        let decide = Write::Desk(DeskWrite::Decide(Box::new(request.clone())));
        let moved = grant.then(|| movement(&request));
        let writes = [decide].into_iter().chain(moved).collect();
        match self.engine.commit("decide_money", writes).await {
            Ok(()) => Ok(request),
            Err(CommitError::Refused(Refused::Stale)) => Err(decided_already(id)),
            Err(error) => Err(refused(error, request.account)),
        }
    }

    /// Notes something about an account.
    ///
    /// # Errors
    /// The note is empty or too long, or there is no such account.
    pub async fn note(
        &self,
        by: PersonId,
        account: AccountId,
        note: &str,
    ) -> Result<(), AdminError> {
        let note = AccountNote {
            id: self.engine.store().next_row_id(),
            account,
            by,
            text: text("the note", note)?,
            at: self.engine.now(),
        };
        let write = Write::Desk(DeskWrite::Note(Box::new(note)));
        let written = self.engine.commit("note_account", vec![write]).await;
        written.map_err(|error| refused(error, account))
    }

    /// Tells all customers something on their pages, for so many hours or until it is ended.
    ///
    /// # Errors
    /// It is empty or too long.
    pub async fn announce(
        &self,
        by: PersonId,
        words: &str,
        hours: Option<u32>,
    ) -> Result<(), AdminError> {
        let now = self.engine.now();
        let one = Announcement {
            id: self.engine.store().next_row_id(),
            text: text("the announcement", words)?,
            by,
            from: now,
            until: hours.map(|hours| now + Millis::minutes(i64::from(hours) * 60)),
        };
        let write = Write::Desk(DeskWrite::Announce(Box::new(one)));
        self.engine.commit("announce", vec![write]).await?;
        self.forget_shown();
        Ok(())
    }

    /// An announcement shows no longer.
    ///
    /// # Errors
    /// It shows no longer already.
    pub async fn end_announcement(&self, id: i64) -> Result<(), AdminError> {
        let at = self.engine.now();
        let write = Write::Desk(DeskWrite::EndAnnouncement { id, at });
        match self.engine.commit("end_announcement", vec![write]).await {
            Err(CommitError::Refused(_)) => Err(AdminError::NotFound(format!(
                "announcement {id} that shows"
            ))),
            outcome => {
                outcome?;
                self.forget_shown();
                Ok(())
            }
        }
    }

    /// What pages tell all customers now; a few seconds old at most.
    pub async fn announced(&self) -> Arc<Vec<String>> {
        let now = self.engine.now();
        let kept = {
            let kept = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            kept.clone()
        };
        if let Some((read, texts)) = &kept
            && *read + FRESH > now
        {
            return Arc::clone(texts);
        }
        let Ok(rows) = self.rows.announcements(Some(now), SHOWN).await else {
            // a page without it is better than none
            return kept.map(|(_, texts)| texts).unwrap_or_default();
        };
        let texts = Arc::new(rows.into_iter().map(|one| one.text).collect::<Vec<_>>());
        let fresh = Some((now, Arc::clone(&texts)));
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        texts
    }

    fn forget_shown(&self) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns what a ticket withholds, as [`Engine::pay_ticket`] does, but to nobody's own account.
    ///
    /// # Errors
    /// As there.
    pub async fn pay_ticket(&self, id: i64, note: &str) -> Result<(), AdminError> {
        let (_, order) = self.engine.withheld(id).await?;
        acting::not_own(self.rows.as_ref(), acting::staff(), order.account).await?;
        self.engine.pay_ticket(id, note).await.map(drop)
    }

    /// Settles an SMM order in review: so much of it was left undelivered. Its tickets are closed with
    /// the reason.
    ///
    /// # Errors
    /// It is not in review, or the figure cannot be.
    pub async fn settle_review(
        &self,
        order: OrderId,
        undelivered: u64,
        why: &str,
    ) -> Result<(), AdminError> {
        let reason = reason(why)?.to_owned();
        let found = self.engine.store().smm_order(order).await?;
        let row = found.ok_or_else(|| AdminError::NotFound(format!("SMM order {order}")))?;
        acting::not_own(self.rows.as_ref(), acting::staff(), row.account).await?;
        let quantity = row.quantity;
        let mut writes = row.settled_by_hand(undelivered, self.engine.now());
        if writes.is_empty() {
            return Err(AdminError::Invalid(format!(
                "order {order} is in review no longer, or the figure is not between 0 and {quantity}"
            )));
        }
        let about = self.rows.tickets_of(order).await?;
        let about = about.into_iter().filter(|ticket| {
            ticket.kind == TicketKind::OrderInReview && ticket.closed_at.is_none()
        });
        writes.extend(about.map(|ticket| Write::CloseTicket {
            ticket: ticket.id,
            note: reason.clone(),
        }));
        match self.engine.commit("settle_review", writes).await {
            Err(CommitError::Refused(_)) => Err(AdminError::Invalid(format!(
                "order {order} has moved meanwhile: look again"
            ))),
            outcome => Ok(outcome?),
        }
    }
}

/// What came of a form that was sent before; another form under its key is nothing that was done.
fn asked_before(known: MoneyRequest, again: &MoneyRequest) -> Result<MoneyRequest, AdminError> {
    let what = |one: &MoneyRequest| (one.account, one.amount, one.asked_by);
    match what(&known) == what(again) {
        true => Ok(known),
        false => Err(AdminError::Conflict(
            "this form was sent before with something else in it: load the page anew".to_owned(),
        )),
    }
}

/// The money of a request that was granted.
fn movement(request: &MoneyRequest) -> Write {
    let (account, row, note) = (request.account, request.id, request.reason.clone());
    match request.amount > Usd::ZERO {
        true => Write::Credit {
            account,
            row,
            amount: request.amount,
            note,
        },
        false => Write::Debit {
            account,
            row,
            amount: -request.amount,
            note,
        },
    }
}

fn refused(error: CommitError, account: AccountId) -> AdminError {
    match error {
        CommitError::Refused(Refused::InsufficientFunds) => {
            AdminError::Conflict("the wallet has less than that available".to_owned())
        }
        CommitError::Refused(Refused::NoSuchAccount) => {
            AdminError::NotFound(format!("account {account}"))
        }
        _ => AdminError::Storage,
    }
}

fn decided_already(id: i64) -> AdminError {
    AdminError::Conflict(format!("request {id} is decided on already"))
}

fn text(what: &str, text: &str) -> Result<String, AdminError> {
    let text = text.trim();
    let fits = (3..=TEXT_MAX).contains(&text.chars().count());
    fits.then(|| text.to_owned())
        .ok_or_else(|| AdminError::Invalid(format!("{what} must have 3 to {TEXT_MAX} characters")))
}
