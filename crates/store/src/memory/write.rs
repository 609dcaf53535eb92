//! A change: its writes one after the other, each guarded, and undone together if one is refused.

use domain::activation::{Activation, ActivationState};
use domain::attempt::{Attempt, AttemptEnd, AttemptState};
use domain::change::{Change, Refused, Write};
use domain::link;
use domain::smm_order::{SmmOrder, SmmState};
use domain::ticket::Ticket;

use super::rows::{Kept, Rows};
use super::{Stop, money};
use crate::chain;
use domain::ledger::Wallet;

/// Takes back what one write did.
pub(super) type Undo = Box<dyn FnOnce(&mut Rows)>;

/// What the writes of a change did so far, to be taken back in reverse.
#[derive(Default)]
pub(super) struct Done(Vec<Undo>);

impl Done {
    /// Remembers how to take something back.
    pub(super) fn undo(&mut self, undo: impl FnOnce(&mut Rows) + 'static) {
        self.0.push(Box::new(undo));
    }
}

pub(super) fn refuse_if(refused: bool, why: Refused) -> Result<(), Stop> {
    if refused {
        Err(Stop::Refused(why))
    } else {
        Ok(())
    }
}

/// Puts a row into a map, and remembers what was there.
macro_rules! put {
    ($rows:expr, $done:expr, $map:ident, $key:expr, $row:expr) => {{
        let key = $key.clone();
        let before = $rows.$map.insert($key.clone(), $row);
        $done.undo(move |rows| {
            match before {
                Some(before) => rows.$map.insert(key, before),
                None => rows.$map.remove(&key),
            };
        });
    }};
}
pub(super) use put;

impl Rows {
    /// All of a change, or none of it.
    pub(super) fn apply(&mut self, change: &Change) -> Result<(), Stop> {
        let mut done = Done::default();
        for write in &change.writes {
            let written = self
                .write(change, write, &mut done)
                .and_then(|()| money::book(self, change, write, &mut done));
            if let Err(stop) = written {
                for undo in done.0.into_iter().rev() {
                    undo(self);
                }
                return Err(stop);
            }
        }
        Ok(())
    }

    fn write(&mut self, change: &Change, write: &Write, done: &mut Done) -> Result<(), Stop> {
        match write {
            Write::InsertActivation(row) => {
                refuse_if(self.activations.contains_key(&row.id), Refused::Stale)?;
                put!(self, done, activations, row.id, (**row).clone());
            }
            Write::UpdateActivation(row) => self.update_activation(change, row, done)?,
            Write::InsertSmmOrder(row) => {
                refuse_if(self.smm_orders.contains_key(&row.id), Refused::Stale)?;
                refuse_if(self.is_link_open(row), Refused::DuplicateOpenLink)?;
                put!(self, done, smm_orders, row.id, (**row).clone());
            }
            Write::UpdateSmmOrder(row) => {
                let stored = self.smm_orders.get(&row.id);
                let current = stored.is_some_and(|stored| stored.version == row.version);
                refuse_if(!current, Refused::Stale)?;
                let row = SmmOrder {
                    version: row.version + 1,
                    ..(**row).clone()
                };
                put!(self, done, smm_orders, row.id, row);
            }
            Write::PostponeSmmOrder { order, due_at } => {
                let stored = self.smm_orders.get(order).cloned();
                let mut row = stored.ok_or(Stop::Refused(Refused::Stale))?;
                row.due_at = Some(*due_at);
                put!(self, done, smm_orders, row.id, row);
            }
            Write::BeginAttempt(attempt) => self.begin(attempt, done)?,
            Write::EndAttempt(end) => self.end(change, end, done)?,
            Write::Message {
                order, seq, sms, ..
            } => {
                let place = (*order, *seq);
                refuse_if(self.messages.contains_key(&place), Refused::Stale)?;
                put!(self, done, messages, place, sms.clone());
            }
            Write::Observe(seen) => {
                let place = (seen.order, seen.seq);
                refuse_if(self.observations.contains_key(&place), Refused::Stale)?;
                put!(self, done, observations, place, seen.clone());
            }
            Write::Link {
                upstream,
                upstream_id,
                order,
            } => {
                let linked = self.link(upstream, upstream_id).is_some();
                refuse_if(linked, Refused::UpstreamIdTaken)?;
                let ids = self.links.entry(upstream.clone()).or_default();
                ids.insert(upstream_id.clone(), *order);
                let (upstream, id) = (upstream.clone(), upstream_id.clone());
                done.undo(move |rows| {
                    rows.links.entry(upstream).or_default().remove(&id);
                });
            }
            Write::KnowList { upstream, asked_at } => {
                put!(self, done, known_lists, upstream, *asked_at);
            }
            _ => return self.beside_orders(change, write, done),
        }
        Ok(())
    }

    fn update_activation(
        &mut self,
        change: &Change,
        row: &Activation,
        done: &mut Done,
    ) -> Result<(), Stop> {
        let stored = self.activations.get(&row.id);
        let current = stored.is_some_and(|stored| stored.version == row.version);
        refuse_if(!current, Refused::Stale)?;
        let links =
            |write: &Write| matches!(write, Write::Link { order, .. } if *order == Some(row.id));
        let shown = row.state == ActivationState::Active && change.writes.iter().any(links);
        let taken = shown && self.number_lives_elsewhere(row, change);
        refuse_if(taken, Refused::NumberTaken)?;
        let row = Activation {
            version: row.version + 1,
            ..row.clone()
        };
        put!(self, done, activations, row.id, row);
        Ok(())
    }

    /// Whether another account's activation with this number lives.
    fn number_lives_elsewhere(&self, row: &Activation, change: &Change) -> bool {
        use ActivationState as S;
        row.phone.is_some()
            && self.activations.values().any(|other| {
                let lives = match other.state {
                    S::Active | S::CancelRequested => true,
                    S::Received => other.expires_at.is_some_and(|end| end > change.at),
                    _ => false,
                };
                lives && other.phone == row.phone && other.account != row.account
            })
    }

    /// Whether an order for the same service and target is open.
    fn is_link_open(&self, new: &SmmOrder) -> bool {
        let target = link::target(&new.link);
        self.smm_orders.values().any(|row| {
            let open = !matches!(row.state, SmmState::Resolved | SmmState::Failed);
            open && row.service_id == new.service_id && link::target(&row.link) == target
        })
    }

    fn begin(&mut self, attempt: &Attempt, done: &mut Done) -> Result<(), Stop> {
        let place = (attempt.order, attempt.seq);
        let live =
            |one: &Attempt| matches!(one.state, AttemptState::Calling | AttemptState::InDoubt);
        let alive = live(attempt) && self.attempts_of(attempt.order).any(live);
        refuse_if(alive || self.attempts.contains_key(&place), Refused::Stale)?;
        put!(self, done, attempts, place, attempt.clone());
        let first = self.first_attempts.get(&attempt.upstream);
        if first.is_none_or(|first| attempt.sent_at < *first) {
            let upstream = attempt.upstream.clone();
            put!(self, done, first_attempts, upstream, attempt.sent_at);
        }
        Ok(())
    }

    /// An attempt in doubt has not ended.
    fn end(&mut self, change: &Change, end: &AttemptEnd, done: &mut Done) -> Result<(), Stop> {
        let place = (end.order, end.seq);
        let stored = self.attempts.get(&place).cloned();
        let stored = stored.ok_or(Stop::Refused(Refused::Stale))?;
        let row = Attempt {
            state: end.state,
            evidence: Some(end.evidence.clone()),
            ended_at: (end.state != AttemptState::InDoubt).then_some(change.at),
            raw: end.raw.clone().or(stored.raw.clone()),
            ..stored
        };
        put!(self, done, attempts, place, row);
        Ok(())
    }

    fn beside_orders(
        &mut self,
        change: &Change,
        write: &Write,
        done: &mut Done,
    ) -> Result<(), Stop> {
        match write {
            Write::InsertSmmRequest(row) => {
                let open = self.requests.values().any(|known| {
                    known.order == row.order && known.kind == row.kind && known.state.is_open()
                });
                refuse_if(open, Refused::RequestOpen)?;
                refuse_if(self.requests.contains_key(&row.id), Refused::Stale)?;
                put!(self, done, requests, row.id, (**row).clone());
            }
            Write::UpdateSmmRequest(row) => {
                let stored = self.requests.get(&row.id);
                let current = stored.is_some_and(|stored| stored.version == row.version);
                refuse_if(!current, Refused::Stale)?;
                let mut row = (**row).clone();
                row.version += 1;
                put!(self, done, requests, row.id, row);
            }
            Write::NumberSmmService {
                id,
                upstream,
                service,
            } => {
                let row = (id.clone(), upstream.clone(), service.clone());
                let taken = self.service_ids.values().any(|known| {
                    let same = (&known.1, &known.2) == (upstream, service);
                    known.0 == *id || (same && !upstream.is_empty())
                });
                refuse_if(taken, Refused::Stale)?;
                put!(self, done, service_ids, id, row);
            }
            Write::InsertOrphan(row) => {
                refuse_if(self.orphans.contains_key(&row.id), Refused::Stale)?;
                put!(self, done, orphans, row.id, (**row).clone());
            }
            Write::UpdateOrphan(row) => {
                let stored = self.orphans.get(&row.id);
                let current = stored.is_some_and(|stored| stored.version == row.version);
                refuse_if(!current, Refused::Stale)?;
                let mut row = (**row).clone();
                row.version += 1;
                put!(self, done, orphans, row.id, row);
            }
            Write::ReadBalance(reading) => {
                let upstream = reading.upstream.clone();
                let known = self.readings.entry(upstream.clone()).or_default();
                let last = known.last().map_or(0, |last| last.seq);
                refuse_if(last + 1 != reading.seq, Refused::Stale)?;
                known.push((**reading).clone());
                done.undo(move |rows| {
                    rows.readings.entry(upstream).or_default().pop();
                });
            }
            Write::OpenTicket(ticket) => self.open_ticket(ticket, done),
            Write::CloseTicket { ticket, note } => {
                let stored = self.tickets.get(ticket).cloned();
                let open = stored.filter(|one| one.closed_at.is_none());
                let mut row = open.ok_or(Stop::Refused(Refused::Stale))?;
                (row.closed_at, row.note) = (Some(change.at), Some(note.clone()));
                put!(self, done, tickets, row.id, row);
            }
            _ => return self.access(change, write, done),
        }
        Ok(())
    }

    fn open_ticket(&mut self, ticket: &Ticket, done: &mut Done) {
        let about = (ticket.kind, ticket.reference);
        let mut known = self.tickets.values();
        let row = match known.find(|one| (one.kind, one.reference) == about) {
            None => Some(ticket.clone()),
            Some(known) => ticket.in_place_of(known),
        };
        if let Some(row) = row {
            put!(self, done, tickets, row.id, row);
        }
    }

    fn access(&mut self, change: &Change, write: &Write, done: &mut Done) -> Result<(), Stop> {
        let email_taken = |rows: &Self, account: &domain::access::Account| {
            let mut known = rows.accounts.values();
            known.any(|one| one.email == account.email && one.id != account.id)
        };
        match write {
            Write::Claim(claim) => {
                let place = (claim.account, claim.endpoint.clone(), claim.key.clone());
                let taken = self.claims.get(&place);
                let taken = taken.is_some_and(|kept| kept.expires_at > change.at);
                refuse_if(taken, Refused::KeyTaken)?;
                put!(self, done, claims, place, claim.clone());
            }
            Write::InsertAccount(account) => {
                refuse_if(email_taken(self, account), Refused::EmailTaken)?;
                refuse_if(self.accounts.contains_key(&account.id), Refused::Stale)?;
                put!(self, done, accounts, account.id, (**account).clone());
                let empty = Kept {
                    wallet: Wallet::default(),
                    chain: chain::START,
                    last_event: None,
                };
                put!(self, done, wallets, account.id, empty);
            }
            Write::UpdateAccount(account) => {
                let there = self.accounts.contains_key(&account.id);
                refuse_if(!there, Refused::NoSuchAccount)?;
                refuse_if(email_taken(self, account), Refused::EmailTaken)?;
                put!(self, done, accounts, account.id, (**account).clone());
            }
            Write::InsertKey(key) => {
                let there = self.accounts.contains_key(&key.account);
                refuse_if(!there, Refused::NoSuchAccount)?;
                put!(self, done, keys, key.id, (**key).clone());
            }
            Write::UpdateKey(key) => {
                refuse_if(!self.keys.contains_key(&key.id), Refused::Stale)?;
                put!(self, done, keys, key.id, (**key).clone());
            }
            Write::RevokeKey { key, .. } => {
                let stored = self.keys.get(key).cloned();
                let mut row = stored.ok_or(Stop::Refused(Refused::Stale))?;
                row.revoked = true;
                put!(self, done, keys, row.id, row);
            }
            Write::Hold { .. }
            | Write::Rehold { .. }
            | Write::Resolve { .. }
            | Write::Adjust { .. }
            | Write::Credit { .. }
            | Write::Book(_) => {}
            Write::Policy(write) => return self.policy(write, change.at),
            other => {
                let what = format!("the store in memory does not keep {other:?}");
                return Err(Stop::Wrong(what));
            }
        }
        Ok(())
    }
}
