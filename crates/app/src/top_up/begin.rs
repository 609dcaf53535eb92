//! A customer begins a top-up: the row is ours and durable before the processor hears of it.

use super::{Offer, TopUps};
use crate::idempotency::{Found, KeyedRequest};
use crate::lawful::CONTACTS_KEPT;
use crate::limits::Bucket;
use crate::refusal::Refusal;
use domain::access::Account;
use domain::books::DAY_MS;
use domain::change::{CommitError, Refused, Write};
use domain::ids::AccountId;
use domain::ports::StoreError;
use domain::time::{Millis, Timestamp};
use domain::top_up::{
    BadAmount, CURRENCY, Checkout, Opened, PROOFS_OF_ACCOUNT, PaymentProcessor, Processor,
    ProcessorError, Proof, TopUp, TopUpState, TopUpWrite, proof_kind, reference,
};
use domain::usd::Usd;

/// Top-ups that one account may begin in a minute.
const BEGUN_PER_MINUTE: u32 = 20;
/// Until the first look at the processor: longer than opening a place to pay takes.
const FIRST_LOOK: Millis = Millis::seconds(60);
/// How long a declared bank transfer is waited for.
const TRANSFER: Millis = Millis::minutes(30 * 24 * 60);
/// Times that a place to pay is kept anew after somebody else wrote the row.
const KEPT_AFTER: usize = 5;
/// Longest declaration, in bytes.
const NOTE_MAX: usize = 200;

/// How a customer wants to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way<'a> {
    /// Word of the way.
    pub method: &'a str,
    /// Amount in dollars, as it was written.
    pub amount: &'a str,
    /// Currency, as it was written.
    pub currency: &'a str,
    /// What the customer says of a bank transfer.
    pub note: &'a str,
    /// A file that shows it, where one was chosen.
    pub proof: Option<&'a [u8]>,
}

/// Why a top-up was not begun; the sentence is for its customer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotBegun {
    /// The amount is not taken.
    #[error("{0}")]
    Amount(String),
    /// Another field is unusable.
    #[error("{why}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// What is wrong and what would do.
        why: String,
    },
    /// Too many.
    #[error("Too many top-ups were begun. Wait {0} seconds and try again.")]
    TooMany(u32),
    /// The account is suspended.
    #[error("This account is suspended, so nothing can be added to it.")]
    Suspended,
    /// The processor does not answer, or refuses.
    #[error(
        "This way to pay cannot be opened just now. Nothing was charged; try again in a moment or \
         take another way."
    )]
    Unavailable,
    /// It cannot be changed any more.
    #[error("This top-up cannot be withdrawn any more.")]
    Decided,
    /// The store failed.
    #[error("The gateway could not store this just now. Try again in a moment.")]
    Storage,
}

impl NotBegun {
    /// The stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Amount(_) => "invalid_amount",
            Self::Field { .. } => "invalid_parameter",
            Self::TooMany(_) => "rate_limited",
            Self::Suspended => "account_suspended",
            Self::Unavailable => "provider_unavailable",
            Self::Decided => "top_up_decided",
            Self::Storage => "storage_unavailable",
        }
    }
}

impl From<StoreError> for NotBegun {
    fn from(_: StoreError) -> Self {
        Self::Storage
    }
}

impl From<BadAmount> for NotBegun {
    fn from(bad: BadAmount) -> Self {
        let usd = |amount: Usd| amount.short();
        Self::Amount(match bad {
            BadAmount::NotAnAmount => {
                "The amount must be dollars with at most two decimals, such as 25.00.".to_owned()
            }
            BadAmount::BelowMin(min) => format!("The least amount is {} USD.", usd(min)),
            BadAmount::AboveMax(max) => format!("The greatest amount is {} USD.", usd(max)),
            BadAmount::OverDaily(left) => format!(
                "Today {} USD more can be topped up on this account.",
                usd(left)
            ),
        })
    }
}

impl TopUps {
    /// Begins a top-up and gives its row: with a place to pay, or with a bank transfer to wait for.
    /// The same form again gives the same row.
    pub async fn begin(
        &self,
        account: &Account,
        way: Way<'_>,
        once: KeyedRequest,
    ) -> Result<TopUp, NotBegun> {
        if let Some(row) = self.begun_before(account.id, &once).await? {
            return Ok(row);
        }
        let offer = self.checked(way)?;
        let account = self.not_suspended(account.id).await?;
        let amount = offer.terms.amount(way.amount)?;
        self.admitted(account.id).await?;
        let row = self.fresh(&account, offer, amount, way.note.trim());
        let claim = self.engine.claim_once(account.id, &once, row.id);
        let about = [
            within_day(offer, &account, &row),
            Some(TopUpWrite::Insert(Box::new(row.clone()))),
            proof_of(&row, way.proof)?,
        ];
        let about = about.into_iter().flatten().map(Write::TopUp);
        let writes = [Write::Claim(claim)].into_iter().chain(about).collect();
        match self.engine.commit("begin_top_up", writes).await {
            Ok(()) => {}
            // the same form, sent twice at the same time
            Err(CommitError::Refused(Refused::KeyTaken)) => {
                let before = self.begun_before(account.id, &once).await?;
                return before.ok_or(NotBegun::Storage);
            }
            Err(CommitError::Refused(Refused::OverDaily(left))) => {
                return Err(BadAmount::OverDaily(left).into());
            }
            Err(CommitError::Refused(Refused::TooManyProofs)) => {
                return Err(bad_file(&format!(
                    "There are {PROOFS_OF_ACCOUNT} files of this account already, and each is kept for \
                     {} days after its transfer is decided on. Send it without a file.",
                    CONTACTS_KEPT.0 / DAY_MS
                )));
            }
            Err(_) => return Err(NotBegun::Storage),
        }
        match self.processor(row.processor) {
            Some(processor) => match self.open(processor, &row).await {
                Ok(opened) => self.keep_place(row, &opened).await,
                // whether there is one now, nobody knows: the row waits for what may come, and its page
                // asks once more where its customer wants to
                Err(ProcessorError::Unreachable(_)) => Ok(row),
                Err(_) => self.close_unopened(&row).await,
            },
            None => Ok(row),
        }
    }

    /// Has the processor of a top-up asked for a place to pay once more, where the answer was lost when
    /// it was begun. One that knows the key gives the same place again; at others a second one is
    /// opened, and what is paid at the first is left to a person. What it refuses now says nothing of
    /// what it did before, so the row stays as it is.
    ///
    /// # Errors
    /// There is no such top-up, the account is suspended or asks too often, or no place was opened.
    pub async fn reopen(&self, account: AccountId, id: i64) -> Result<TopUp, NotBegun> {
        let row = self.own(account, id).await?;
        let row = row.ok_or(NotBegun::Decided)?;
        if !row.can_reopen(self.engine.now()) {
            // it was opened meanwhile, or is over: its page says so
            return Ok(row);
        }
        self.not_suspended(account).await?;
        self.admitted(account).await?;
        let processor = self.processor(row.processor);
        let processor = processor.ok_or(NotBegun::Unavailable)?;
        let opened = self.open(processor, &row).await;
        let opened = opened.map_err(|_| NotBegun::Unavailable)?;
        self.keep_place(row, &opened).await
    }

    /// The account as it is now, which may not be suspended.
    async fn not_suspended(&self, account: AccountId) -> Result<Account, NotBegun> {
        let known = self.engine.store().account(account).await?;
        let known = known.filter(|account| !account.suspended);
        known.ok_or(NotBegun::Suspended)
    }

    async fn admitted(&self, account: AccountId) -> Result<(), NotBegun> {
        let bucket = Bucket::account(account, "top-up");
        let now = self.engine.now();
        let admission = self.limits.admit(bucket, BEGUN_PER_MINUTE, now.0).await;
        match admission.admitted {
            true => Ok(()),
            false => Err(NotBegun::TooMany(admission.reset_s)),
        }
    }

    /// What came of a form that was sent before.
    async fn begun_before(
        &self,
        account: AccountId,
        once: &KeyedRequest,
    ) -> Result<Option<TopUp>, NotBegun> {
        match self.engine.claimed(account, once).await {
            Ok(Some(Found::Request(id))) => Ok(self.own(account, id).await?),
            Ok(_) => Ok(None),
            Err(Refusal::IdempotencyKeyReused) => Err(NotBegun::Field {
                field: "once",
                why:
                    "This form was sent before with something else in it. Reload the page and send \
                      it again."
                        .to_owned(),
            }),
            Err(_) => Err(NotBegun::Storage),
        }
    }

    fn checked(&self, way: Way<'_>) -> Result<&Offer, NotBegun> {
        let field = |field, why: &str| NotBegun::Field {
            field,
            why: why.to_owned(),
        };
        let offer = Processor::from_slug(way.method).and_then(|kind| self.offer(kind));
        let offer = offer.ok_or_else(|| field("method", "Choose one of the ways to pay."))?;
        if way.currency != CURRENCY {
            return Err(field(
                "currency",
                "Wallets are in USD: no other currency is taken.",
            ));
        }
        let note = way.note.trim();
        if note.len() > NOTE_MAX || note.chars().any(char::is_control) {
            let why = "The payment reference must be one line of at most 200 bytes.";
            return Err(field("note", why));
        }
        if offer.processor == Processor::Manual && note.is_empty() {
            let why = "Say from which account or under which name you pay.";
            return Err(field("note", why));
        }
        Ok(offer)
    }

    fn fresh(&self, account: &Account, offer: &Offer, amount: Usd, note: &str) -> TopUp {
        let now = self.engine.now();
        let processor = offer.processor;
        let is_manual = processor == Processor::Manual;
        let (state, lifetime) = match is_manual {
            true => (TopUpState::Pending, TRANSFER),
            false => (TopUpState::Created, self.settings.lifetime),
        };
        TopUp {
            fee: offer.terms.fee(amount),
            bonus: offer.terms.bonus(amount),
            hold: offer.terms.hold(account.tier),
            live: self
                .processor(processor)
                .is_none_or(PaymentProcessor::is_live),
            state,
            note: if is_manual {
                note.to_owned()
            } else {
                String::new()
            },
            due_at: (!is_manual).then_some(now + FIRST_LOOK),
            ..TopUp::begun(
                self.engine.store().next_row_id(),
                account.id,
                (processor, amount),
                now,
                now + lifetime,
            )
        }
    }

    /// Has the processor open a place to pay for a row that is stored.
    async fn open(
        &self,
        processor: &dyn PaymentProcessor,
        row: &TopUp,
    ) -> Result<Opened, ProcessorError> {
        let base = &self.settings.base_url;
        let checkout = Checkout {
            reference: reference(row.id),
            charge: row.charge(),
            created_at: row.created_at,
            expires_at: row.expires_at,
            return_url: format!("{base}/wallet/top-up/{}", row.id),
            hook_url: format!("{base}/hooks/{}", row.processor.slug()),
        };
        let opened = processor.open(&checkout).await;
        if let Err(error) = &opened {
            tracing::error!(
                processor = row.processor.slug(),
                top_up = row.id,
                "no place to pay could be opened: {error}"
            );
        }
        opened
    }

    /// Keeps the place to pay that was opened. Whoever wrote the row meanwhile does not lose it: a look at
    /// the processor changed nothing that matters, and another call for a place may have found one.
    async fn keep_place(&self, mut row: TopUp, opened: &Opened) -> Result<TopUp, NotBegun> {
        for _ in 0..KEPT_AFTER {
            let next = row.opened(opened, self.engine.now());
            let update = Write::TopUp(TopUpWrite::Update(Box::new(next.clone())));
            match self.engine.commit("open_top_up", vec![update]).await {
                Ok(()) => return Ok(next),
                Err(CommitError::Refused(Refused::Stale)) => {}
                Err(_) => return Err(NotBegun::Storage),
            }
            let known = self.rows.top_up(row.id).await?;
            row = known.ok_or(NotBegun::Storage)?;
            if !row.lacks_place() {
                return Ok(row);
            }
        }
        Err(NotBegun::Storage)
    }

    /// Ends a row whose first call for a place to pay was refused: nobody can pay it.
    async fn close_unopened(&self, row: &TopUp) -> Result<TopUp, NotBegun> {
        let why = "the processor refused to open a place to pay";
        let closed = row.closed(TopUpState::Failed, why);
        let update = Write::TopUp(TopUpWrite::Update(Box::new(closed)));
        let written = self.engine.commit("open_top_up", vec![update]).await;
        written.map_err(|_| NotBegun::Storage)?;
        Err(NotBegun::Unavailable)
    }

    /// A customer takes a declared bank transfer back before anybody decided on it.
    pub async fn withdraw(&self, account: AccountId, id: i64) -> Result<(), NotBegun> {
        let row = self.own(account, id).await?;
        let row = row.filter(TopUp::is_announced);
        let row = row.ok_or(NotBegun::Decided)?;
        let next = row.closed(TopUpState::Rejected, "withdrawn by its customer");
        let update = Write::TopUp(TopUpWrite::Update(Box::new(next)));
        match self.engine.commit("withdraw_top_up", vec![update]).await {
            Ok(()) => Ok(()),
            Err(CommitError::Refused(_)) => Err(NotBegun::Decided),
            Err(CommitError::Storage(_)) => Err(NotBegun::Storage),
        }
    }
}

/// What holds the account to its bound of a day (UTC), where it has one.
fn within_day(offer: &Offer, account: &Account, row: &TopUp) -> Option<TopUpWrite> {
    let now = row.created_at;
    Some(TopUpWrite::WithinDay {
        account: account.id,
        since: Timestamp(now.0 - now.0.rem_euclid(DAY_MS)),
        amount: row.amount,
        most: offer.terms.daily(account.tier)?,
    })
}

/// The file that came with a declared transfer.
fn proof_of(row: &TopUp, file: Option<&[u8]>) -> Result<Option<TopUpWrite>, NotBegun> {
    let Some(file) = file else {
        return Ok(None);
    };
    if row.processor != Processor::Manual {
        return Err(bad_file("Only a bank transfer takes a file."));
    }
    let kind = proof_kind(file).map_err(|bad| bad_file(bad.sentence()))?;
    Ok(Some(TopUpWrite::Prove(Box::new(Proof {
        top_up: row.id,
        account: row.account,
        kind,
        size: i64::try_from(file.len()).unwrap_or(i64::MAX),
        bytes: file.to_vec(),
        at: row.created_at,
    }))))
}

fn bad_file(why: &str) -> NotBegun {
    NotBegun::Field {
        field: "proof",
        why: why.to_owned(),
    }
}
