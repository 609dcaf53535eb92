//! Which cells are sealed: messages of activations, what was sent to own numbers, and the secrets of
//! authenticator apps. Done around the store's one write door and its questions, beside the thread that
//! writes.

use super::{Cell, Found, MARK, Vault, VaultError, day_of};
use crate::database::Database;
use crate::rows::{people, proofs};
use domain::activation::Activation;
use domain::change::{Change, CommitError, Reason, Write};
use domain::ids::{OrderId, PersonId};
use domain::own_number::{Allocation, InboundSms, PoolWrite};
use domain::people::{PeopleWrite, Person, Session};
use domain::ports::{Read, StoreError, StoredMessage};
use domain::time::{Millis, Timestamp};
use domain::top_up::{Proof, TopUpWrite};
use domain::upstream::Sms;

/// A number is rented for less than this, as far as the retention of its code is concerned.
const LONGEST_RENT: Millis = Millis::minutes(48 * 60);

/// What has cells that are sealed in the database.
pub(crate) trait Sealed {
    /// Makes them readable.
    fn unseal(&mut self, vault: &Vault) -> Result<(), StoreError>;
}

impl Database {
    /// What a question found, readable.
    pub(crate) fn unsealed<'a, T: Sealed + Send + 'a>(&'a self, read: Read<'a, T>) -> Read<'a, T> {
        let Some(vault) = &self.vault else {
            return read;
        };
        Box::pin(async move {
            let mut found = read.await?;
            found.unseal(vault)?;
            Ok(found)
        })
    }

    /// A change as it is written.
    pub(crate) fn sealed(&self, mut change: Change) -> Result<Change, CommitError> {
        if let Some(vault) = &self.vault {
            let brought = messages_of(&change);
            let at = change.at;
            for write in &mut change.writes {
                let sealed = seal(vault, write, at, &brought);
                sealed.map_err(|why| CommitError::Storage(why.to_string()))?;
            }
        }
        Ok(change)
    }
}

/// Orders whose next message is in a change.
fn messages_of(change: &Change) -> Vec<OrderId> {
    let of = |write: &Write| match write {
        Write::Message { order, .. } => Some(*order),
        _ => None,
    };
    change.writes.iter().filter_map(of).collect()
}

/// The code of an activation is sealed by the change that brings it and by no other: whatever else is
/// written to its row leaves that cell as it is, its day included.
fn seal(
    vault: &Vault,
    write: &mut Write,
    at: Timestamp,
    brought: &[OrderId],
) -> Result<(), VaultError> {
    match write {
        Write::UpdateActivation(activation) if !brought.contains(&activation.id) => {
            activation.message = activation.message.take().map(|_| Sms::forgotten());
            Ok(())
        }
        Write::InsertActivation(activation) | Write::UpdateActivation(activation) => {
            let (cell, day) = (of_activation(activation), day_of_code(activation, at));
            seal_message(vault, activation.message.as_mut(), &cell, day)
        }
        Write::Message {
            order,
            seq,
            sms,
            received_at,
        } => {
            let cell = of_message(*order, *seq);
            seal_message(vault, Some(sms), &cell, day_of((*received_at).max(at)))
        }
        Write::Pool(PoolWrite::Receive(sms)) => {
            let cell = of_inbound(sms);
            sms.text = sealed_now(vault, day_of(at), &cell, sms.text.as_bytes())?;
            Ok(())
        }
        Write::TopUp(TopUpWrite::Prove(proof) | TopUpWrite::ResealProof(proof)) => {
            proof.bytes = vault.seal(&of_proof(proof), &proof.bytes)?.into_bytes();
            Ok(())
        }
        Write::People(PeopleWrite::Insert(person) | PeopleWrite::Update(person)) => {
            let cell = of_person(person);
            let clear = |secret: &[u8]| sealed_secret(secret).is_none();
            if let Some(totp) = person.totp.as_mut().filter(|totp| clear(&totp.secret)) {
                totp.secret = vault.seal(&cell, &totp.secret)?.into_bytes();
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A message becomes one sealed text in the place of its code.
fn seal_message(
    vault: &Vault,
    message: Option<&mut Sms>,
    cell: &Cell,
    day: i64,
) -> Result<(), VaultError> {
    let Some(sms) = message.filter(|sms| !sms.is_forgotten()) else {
        return Ok(());
    };
    *sms = Sms {
        code: sealed_now(vault, day, cell, &packed(sms))?,
        text: None,
    };
    Ok(())
}

/// What has just come, sealed; an empty text where the key of its day is not there, which no sane clock
/// leads to.
fn sealed_now(vault: &Vault, day: i64, cell: &Cell, plain: &[u8]) -> Result<String, VaultError> {
    let sealed = vault.seal_for(day, cell, plain)?;
    Ok(sealed.unwrap_or_else(|| {
        tracing::error!(
            table = cell.table,
            row = cell.row,
            day,
            "a message that has just come is lost: there is no key for its day, the clock of this \
             machine is wrong or was"
        );
        String::new()
    }))
}

fn unseal_message(vault: &Vault, sms: &mut Sms, cell: &Cell) {
    if sms.code.starts_with(MARK) {
        let found = unsealed_text(vault, cell, &sms.code);
        *sms = found
            .and_then(|plain| unpacked(&plain))
            .unwrap_or_else(Sms::forgotten);
    }
}

/// A text whose key is there. What is wrong with a sealed code is for the operator; for everybody else
/// it is gone.
fn unsealed_text(vault: &Vault, cell: &Cell, text: &str) -> Option<Vec<u8>> {
    match vault.unseal(cell, text) {
        Found::Plain(plain) => Some(plain),
        Found::Gone => None,
        Found::Wrong(why) => {
            tracing::error!(
                table = cell.table,
                row = cell.row,
                "a sealed cell of {} cannot be opened: {why}",
                cell.table
            );
            None
        }
    }
}

/// Code and text as bytes: the code's length, the code, and the text behind a mark if there is one.
fn packed(sms: &Sms) -> Vec<u8> {
    let length = u32::try_from(sms.code.len()).unwrap_or(u32::MAX);
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend(sms.code.as_bytes());
    if let Some(text) = &sms.text {
        bytes.push(1);
        bytes.extend(text.as_bytes());
    }
    bytes
}

fn unpacked(bytes: &[u8]) -> Option<Sms> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (code, text) = rest.split_at_checked(length)?;
    let word = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    Some(Sms {
        code: word(code)?,
        text: match text.split_first() {
            Some((_, text)) => Some(word(text)?),
            None => None,
        },
    })
}

fn of_activation(activation: &Activation) -> Cell {
    Cell {
        table: "activation",
        column: "code",
        row: format!("{} {}", activation.id.0, activation.account.0),
    }
}

fn of_message(order: OrderId, seq: i64) -> Cell {
    Cell {
        table: "message",
        column: "code",
        row: format!("{} {seq}", order.0),
    }
}

fn of_inbound(sms: &InboundSms) -> Cell {
    Cell {
        table: "inbound_message",
        column: "text",
        row: sms.to.clone(),
    }
}

fn of_person(person: &Person) -> Cell {
    Cell {
        table: "person",
        column: "totp_secret",
        row: person.id.0.to_string(),
    }
}

fn of_proof(proof: &Proof) -> Cell {
    Cell {
        table: "topup_proof",
        column: "content",
        row: format!("{} {}", proof.top_up, proof.account.0),
    }
}

/// The day whose key a code is under in the row of its activation: that of the end of the number's
/// time, or of today where it comes later, as after an outage.
fn day_of_code(activation: &Activation, at: Timestamp) -> i64 {
    let latest = activation.created_at + LONGEST_RENT;
    day_of(activation.expires_at.unwrap_or(latest).min(latest).max(at))
}

impl Database {
    /// Whose authenticator secrets are under an older key than the one that seals, or under none.
    pub fn outdated_secrets(&self) -> Read<'_, Vec<PersonId>> {
        self.secrets_that(|vault, stored| {
            sealed_secret(stored).is_none_or(|text| vault.is_outdated(text))
        })
    }

    /// Whose authenticator secrets are under no key: they are from before secrets were sealed.
    pub fn unsealed_secrets(&self) -> Read<'_, Vec<PersonId>> {
        self.secrets_that(|_, stored| sealed_secret(stored).is_none())
    }

    /// Top-ups whose files are under an older key than the one that seals, or under none.
    pub fn outdated_proofs(&self) -> Read<'_, Vec<i64>> {
        let Some(vault) = self.vault.clone() else {
            return Box::pin(std::future::ready(Ok(Vec::new())));
        };
        let kept = self.ask(proofs::beginnings);
        Box::pin(async move {
            let kept = kept.await?.into_iter();
            let outdated =
                |stored: &[u8]| sealed_secret(stored).is_none_or(|text| vault.is_outdated(text));
            let kept = kept.filter(|(_, stored)| outdated(stored));
            Ok(kept.map(|(top_up, _)| top_up).collect())
        })
    }

    fn secrets_that(&self, wanted: fn(&Vault, &[u8]) -> bool) -> Read<'_, Vec<PersonId>> {
        let Some(vault) = self.vault.clone() else {
            return Box::pin(std::future::ready(Ok(Vec::new())));
        };
        let kept = self.ask(people::secrets);
        Box::pin(async move {
            let kept = kept.await?.into_iter();
            let kept = kept.filter(|(_, stored)| wanted(&vault, stored));
            Ok(kept.map(|(id, _)| id).collect())
        })
    }
}

impl<T: Sealed> Sealed for Option<T> {
    fn unseal(&mut self, vault: &Vault) -> Result<(), StoreError> {
        self.as_mut().map_or(Ok(()), |one| one.unseal(vault))
    }
}

impl<T: Sealed> Sealed for Vec<T> {
    fn unseal(&mut self, vault: &Vault) -> Result<(), StoreError> {
        self.iter_mut().try_for_each(|one| one.unseal(vault))
    }
}

impl Sealed for Activation {
    fn unseal(&mut self, vault: &Vault) -> Result<(), StoreError> {
        let cell = of_activation(self);
        if let Some(sms) = &mut self.message {
            unseal_message(vault, sms, &cell);
        }
        Ok(())
    }
}

impl Sealed for (Activation, Reason, Timestamp) {
    fn unseal(&mut self, vault: &Vault) -> Result<(), StoreError> {
        self.0.unseal(vault)
    }
}

/// The messages of one activation, first one first.
pub(crate) struct Messages(pub(crate) OrderId, pub(crate) Vec<StoredMessage>);

impl Sealed for Messages {
    fn unseal(&mut self, vault: &Vault) -> Result<(), StoreError> {
        for (seq, (sms, _)) in (1..).zip(&mut self.1) {
            unseal_message(vault, sms, &of_message(self.0, seq));
        }
        Ok(())
    }
}

impl Sealed for InboundSms {
    fn unseal(&mut self, vault: &Vault) -> Result<(), StoreError> {
        let cell = of_inbound(self);
        self.text = inbound_text(vault, &cell, &self.text).unwrap_or_default();
        Ok(())
    }
}

impl Sealed for Allocation {
    fn unseal(&mut self, vault: &Vault) -> Result<(), StoreError> {
        let cell = Cell {
            row: self.phone.digits().to_owned(),
            ..of_inbound_to()
        };
        let newest = self.newest.take();
        self.newest = newest.and_then(|text| inbound_text(vault, &cell, &text));
        Ok(())
    }
}

fn of_inbound_to() -> Cell {
    Cell {
        table: "inbound_message",
        column: "text",
        row: String::new(),
    }
}

fn inbound_text(vault: &Vault, cell: &Cell, text: &str) -> Option<String> {
    if !text.starts_with(MARK) {
        return Some(text.to_owned());
    }
    unsealed_text(vault, cell, text).and_then(|plain| String::from_utf8(plain).ok())
}

impl Sealed for Person {
    fn unseal(&mut self, vault: &Vault) -> Result<(), StoreError> {
        let cell = of_person(self);
        let Some(totp) = &mut self.totp else {
            return Ok(());
        };
        let Some(text) = sealed_secret(&totp.secret) else {
            return Ok(());
        };
        match vault.unseal(&cell, text) {
            Found::Plain(secret) => {
                totp.secret = secret;
                Ok(())
            }
            found => Err(StoreError(format!(
                "the authenticator secret of person {} cannot be opened: {found:?}; are the keys of \
                 secrets.key_file the ones it was sealed with?",
                cell.row
            ))),
        }
    }
}

impl Sealed for Proof {
    fn unseal(&mut self, vault: &Vault) -> Result<(), StoreError> {
        let cell = of_proof(self);
        let Some(text) = sealed_secret(&self.bytes) else {
            return Ok(());
        };
        match vault.unseal(&cell, text) {
            Found::Plain(bytes) => {
                self.bytes = bytes;
                Ok(())
            }
            found => Err(StoreError(format!(
                "the file of top-up {} cannot be opened: {found:?}; are the keys of secrets.key_file \
                 the ones it was sealed with?",
                self.top_up
            ))),
        }
    }
}

/// A secret that is sealed, as text; nothing for one from before secrets were.
fn sealed_secret(stored: &[u8]) -> Option<&str> {
    std::str::from_utf8(stored)
        .ok()
        .filter(|text| text.starts_with(MARK))
}

impl Sealed for (Session, Person) {
    fn unseal(&mut self, vault: &Vault) -> Result<(), StoreError> {
        self.1.unseal(vault)
    }
}
