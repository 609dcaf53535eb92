//! Redeem codes: made by the operator, shown once, turned into money by whoever holds one.

use crate::accounts::AdminError;
use crate::api_key::Pepper;
use crate::desk::OnceKey;
use crate::engine::Engine;
use crate::limits::{Bucket, Limits};
use domain::change::{CommitError, Refused, Write};
use domain::ids::AccountId;
use domain::ports::{RedeemRows, StoreError};
use domain::redeem::{self, CodeSource, RedeemCode, RedeemWrite};
use domain::time::{Millis, Timestamp};
use domain::usd::Usd;
use hmac::Mac;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Codes made at once at most.
const COUNT_MAX: u32 = 1_000;

/// A code is worth at most this much: a typo must not print money.
const AMOUNT_MAX: Usd = Usd(10_000_000_000);

/// Codes shown to the operator.
const SHOWN: u32 = 1_000;

/// Longest note, in bytes.
const NOTE_MAX: usize = 500;

/// Longest validity, in days.
const DAYS_MAX: u32 = 3_650;

const OTHER_VALUES: &str = "this form made other codes before: load the page anew, then fill it in";

/// What codes are to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeOrder {
    /// Worth of each.
    pub amount: Usd,
    /// How many.
    pub count: u32,
    /// Days until they expire; nothing means never.
    pub expires_days: Option<u32>,
    /// Where their money comes from.
    pub source: CodeSource,
    /// Why.
    pub note: String,
}

/// Fresh codes, shown this once.
pub struct MadeCodes {
    /// Their batch.
    pub batch: i64,
    /// The codes, in groups of five characters.
    pub codes: Vec<String>,
    /// Their end.
    pub expires_at: Option<Timestamp>,
}

/// What came of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redeemed {
    /// What it was worth.
    pub amount: Usd,
    /// When it was redeemed.
    pub at: Timestamp,
    /// This account had redeemed it before: nothing was added now.
    pub before: bool,
}

/// Why a code was not redeemed; the sentence is for its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRedeemed {
    /// Unknown, used, expired or disabled: which one is not said.
    #[error("This code cannot be redeemed. Check each character, or ask whoever gave it to you.")]
    Unusable,
    /// Too many tries.
    #[error("Too many tries. Wait {0} seconds and try again.")]
    TooMany(u32),
    /// The account is suspended.
    #[error("This account is suspended, so nothing can be added to it.")]
    Suspended,
    /// The store failed.
    #[error(
        "The gateway could not store this just now. Try again in a moment: a code counts once."
    )]
    Storage,
}

impl From<StoreError> for NotRedeemed {
    fn from(_: StoreError) -> Self {
        Self::Storage
    }
}

/// Use cases about redeem codes.
pub struct RedeemCodes {
    engine: Arc<Engine>,
    rows: Arc<dyn RedeemRows>,
    limits: Arc<Limits>,
    pepper: Pepper,
}

fn hash_of(code: &str) -> [u8; 32] {
    Sha256::digest(code.as_bytes()).into()
}

/// A code out of bytes of which each is as likely as any other: their low five bits are one of 32
/// characters.
fn spelled(bytes: &[u8]) -> String {
    let letter = |byte: &u8| char::from(redeem::ALPHABET[usize::from(byte & 31)]);
    bytes.iter().take(redeem::LEN).map(letter).collect()
}

fn fresh() -> Result<String, AdminError> {
    let mut bytes = [0_u8; redeem::LEN];
    getrandom::fill(&mut bytes)
        .map_err(|error| AdminError::Invalid(format!("no randomness to be had: {error}")))?;
    Ok(spelled(&bytes))
}

impl CodeOrder {
    fn checked(self) -> Result<Self, AdminError> {
        let invalid = |why: String| Err(AdminError::Invalid(why));
        let note = self.note.trim().to_owned();
        if self.amount <= Usd::ZERO || self.amount > AMOUNT_MAX {
            return invalid(format!(
                "a code is worth more than nothing and at most {AMOUNT_MAX} dollars"
            ));
        }
        if !(1..=COUNT_MAX).contains(&self.count) {
            return invalid(format!("1 to {COUNT_MAX} codes are made at once"));
        }
        if let Some(days) = self.expires_days
            && !(1..=DAYS_MAX).contains(&days)
        {
            return invalid(format!("codes are good for 1 to {DAYS_MAX} days"));
        }
        if note.len() > NOTE_MAX {
            return invalid(format!("the note must be at most {NOTE_MAX} bytes"));
        }
        Ok(Self { note, ..self })
    }
}

impl RedeemCodes {
    /// Use cases over these rows.
    pub fn new(
        engine: Arc<Engine>,
        rows: Arc<dyn RedeemRows>,
        limits: Arc<Limits>,
        pepper: Pepper,
    ) -> Self {
        Self {
            engine,
            rows,
            limits,
            pepper,
        }
    }

    /// The codes of a form follow from its key and the pepper, so that the same form again shows the
    /// same codes instead of making others; without the pepper nobody can tell them.
    fn of_form(&self, form: &OnceKey, number: u32) -> String {
        let mut mac = self.pepper.keyed();
        mac.update(format!("redeem code\n{}\n{number}", form.as_str()).as_bytes());
        spelled(&mac.finalize().into_bytes())
    }

    /// Makes codes, all or none. The same form again gives the same codes and makes none.
    ///
    /// # Errors
    /// A value is out of bounds, the form made codes of other values before, or the store failed.
    pub async fn create(
        &self,
        order: CodeOrder,
        form: Option<&OnceKey>,
    ) -> Result<MadeCodes, AdminError> {
        let order = order.checked()?;
        let codes = (0..order.count).map(|number| match form {
            Some(form) => Ok(self.of_form(form, number)),
            None => fresh(),
        });
        let codes = codes.collect::<Result<Vec<_>, _>>()?;
        let rows = self.rows_of(&order, &codes);
        let (batch, expires_at) = match rows.first() {
            Some(first) => (first.batch, first.expires_at),
            None => return Err(AdminError::Storage),
        };
        let writes = rows
            .into_iter()
            .map(|row| Write::RedeemCode(RedeemWrite::Insert(Box::new(row))));
        let made = self.engine.commit("create_redeem_codes", writes.collect());
        match made.await {
            Err(CommitError::Refused(Refused::Stale)) => self.made_before(&order, &codes).await,
            outcome => {
                outcome?;
                Ok(MadeCodes {
                    batch,
                    codes: codes.iter().map(|code| redeem::grouped(code)).collect(),
                    expires_at,
                })
            }
        }
    }

    fn rows_of(&self, order: &CodeOrder, codes: &[String]) -> Vec<RedeemCode> {
        let now = self.engine.now();
        let expires_at = order.expires_days.map(|days| now + days_of(days));
        let batch = self.engine.store().next_row_id();
        let row = |(number, code): (usize, &String)| RedeemCode {
            id: match number {
                0 => batch,
                _ => self.engine.store().next_row_id(),
            },
            batch,
            hash: hash_of(code),
            amount: order.amount,
            source: order.source,
            note: order.note.clone(),
            created_at: now,
            expires_at,
            disabled: false,
            redeemed: None,
        };
        codes.iter().enumerate().map(row).collect()
    }

    /// The batch that the same form made; refused where it asked for something else then.
    async fn made_before(
        &self,
        order: &CodeOrder,
        codes: &[String],
    ) -> Result<MadeCodes, AdminError> {
        let mut batches = Vec::new();
        for code in codes.first().into_iter().chain(codes.last()) {
            let row = self.rows.redeem_code(&hash_of(code)).await?;
            let same = row.filter(|row| {
                let ends = |days: u32| row.created_at + days_of(days);
                (row.amount, row.source, &row.note) == (order.amount, order.source, &order.note)
                    && row.expires_at == order.expires_days.map(ends)
            });
            let same = same.ok_or(AdminError::Conflict(OTHER_VALUES.to_owned()))?;
            batches.push((same.batch, same.expires_at));
        }
        let (batch, expires_at) = *batches.first().ok_or(AdminError::Storage)?;
        let shown = format!("batch {batch}");
        self.engine.note("show_redeem_codes", None, shown).await?;
        Ok(MadeCodes {
            batch,
            codes: codes.iter().map(|code| redeem::grouped(code)).collect(),
            expires_at,
        })
    }

    /// The newest codes; the codes themselves are not known any more.
    pub async fn list(&self) -> Result<Vec<RedeemCode>, AdminError> {
        Ok(self.rows.redeem_codes(SHOWN).await?)
    }

    /// Switches a code off that nobody has redeemed.
    pub async fn disable(&self, code: i64) -> Result<(), AdminError> {
        let writes = vec![Write::RedeemCode(RedeemWrite::Disable { code })];
        match self.engine.commit("disable_redeem_code", writes).await {
            Err(CommitError::Refused(_)) => Err(AdminError::NotFound(format!(
                "redeem code {code} that is not redeemed yet"
            ))),
            outcome => Ok(outcome?),
        }
    }

    /// What an account redeemed lately, so many at most.
    pub async fn redeemed_by(
        &self,
        account: AccountId,
        limit: u32,
    ) -> Result<Vec<RedeemCode>, StoreError> {
        self.rows.redeemed_by(account, limit).await
    }

    /// Turns a code into money: whoever comes first has it, once.
    pub async fn redeem(
        &self,
        account: AccountId,
        text: &str,
        address: &str,
    ) -> Result<Redeemed, NotRedeemed> {
        self.may_try(account, address).await?;
        let known = self.engine.store().account(account).await?;
        if known.is_none_or(|account| account.suspended) {
            return Err(NotRedeemed::Suspended);
        }
        let hash = redeem::canonical(text).map(|code| hash_of(&code));
        let hash = hash.ok_or(NotRedeemed::Unusable)?;
        let code = self.rows.redeem_code(&hash).await?;
        let code = code.ok_or(NotRedeemed::Unusable)?;
        if let Some(before) = earlier(&code, account) {
            return Ok(before);
        }
        let claim = Write::Redeem {
            account,
            code: code.id,
            amount: code.amount,
            source: code.source,
        };
        match self.engine.commit("redeem", vec![claim]).await {
            Ok(()) => Ok(Redeemed {
                amount: code.amount,
                at: self.engine.now(),
                before: false,
            }),
            Err(CommitError::Refused(Refused::Stale)) => self.lost(&hash, account).await,
            Err(_) => Err(NotRedeemed::Storage),
        }
    }

    /// The claim did not hold: used, expired or disabled, or this account's own second try at once.
    async fn lost(&self, hash: &[u8; 32], account: AccountId) -> Result<Redeemed, NotRedeemed> {
        let code = self.rows.redeem_code(hash).await?;
        code.and_then(|code| earlier(&code, account))
            .ok_or(NotRedeemed::Unusable)
    }

    async fn may_try(&self, account: AccountId, address: &str) -> Result<(), NotRedeemed> {
        let who = Bucket::account(account, "redeem");
        let guessed = self.limits.guess(who, address, self.engine.now().0);
        let guessed = guessed.await;
        guessed.map_err(NotRedeemed::TooMany)
    }
}

/// The redemption of a code by this account, where it was this account's.
fn earlier(code: &RedeemCode, account: AccountId) -> Option<Redeemed> {
    let (_, at) = code.redeemed.filter(|(by, _)| *by == account)?;
    Some(Redeemed {
        amount: code.amount,
        at,
        before: true,
    })
}

fn days_of(days: u32) -> Millis {
    Millis::minutes(i64::from(days) * 24 * 60)
}
