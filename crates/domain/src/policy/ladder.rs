//! Cases against accounts and the ladder of measures: what a signal leads to by itself, what people may
//! decide, and what each rung keeps an account from. Pure: who asks stores what comes of it.

use super::velocity::Velocity;
use crate::ids::{AccountId, PersonId};
use crate::time::{Millis, Timestamp};

/// How long an automatic step may stand before people have to look.
pub const HUMAN_REVIEW: Millis = Millis::minutes(24 * 60);
/// Characters of evidence at most.
const EVIDENCE: usize = 2000;

/// Something about an account that people should look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Several accounts are used from one device.
    SharedDevice,
    /// More numbers bought in an hour than a person or a test run needs.
    ManyBuys,
    /// More numbers given back in an hour than a person needs to.
    ManyCancels,
    /// Codes arrive far less often than for others on the same routes.
    LowSuccess,
    /// Many requests with keys of the account that do not work.
    FailedKeys,
    /// Messages had to be withheld.
    WithheldMessages,
    /// Somebody complained.
    Complaint,
    /// Staff opened it.
    Staff,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::SharedDevice,
        Self::ManyBuys,
        Self::ManyCancels,
        Self::LowSuccess,
        Self::FailedKeys,
        Self::WithheldMessages,
        Self::Complaint,
        Self::Staff,
    ];

    /// Stable word for rows.
    pub fn slug(self) -> &'static str {
        match self {
            Self::SharedDevice => "shared_device",
            Self::ManyBuys => "many_buys",
            Self::ManyCancels => "many_cancels",
            Self::LowSuccess => "low_success",
            Self::FailedKeys => "failed_keys",
            Self::WithheldMessages => "withheld_messages",
            Self::Complaint => "complaint",
            Self::Staff => "staff",
        }
    }

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.slug() == slug)
    }

    /// What its account's holder is told, in plain words. Who complained is nobody's to know.
    pub fn explained(self) -> &'static str {
        match self {
            Self::SharedDevice => "Several accounts are used from the device that uses this one.",
            Self::ManyBuys => "Far more numbers were bought within an hour than is usual.",
            Self::ManyCancels => "Far more numbers were given back within an hour than is usual.",
            Self::LowSuccess => {
                "Codes arrive on your numbers far less often than they do for others."
            }
            Self::FailedKeys => "Many requests came with API keys of yours that do not work.",
            Self::WithheldMessages => {
                "Messages on your numbers had to be withheld: they were of a kind that is never sold."
            }
            Self::Complaint => "We received a report about something that was bought here.",
            Self::Staff => "Somebody of our staff has a question about this account.",
        }
    }

    /// The rung a case begins on by itself. Of customers by contract a signal only raises the case.
    pub fn first_step(self, tier: u8) -> Measure {
        match self {
            _ if tier >= 3 => Measure::Log,
            Self::Complaint | Self::Staff | Self::SharedDevice => Measure::Log,
            Self::FailedKeys => Measure::Challenge,
            Self::ManyBuys | Self::ManyCancels | Self::LowSuccess => Measure::Throttle,
            Self::WithheldMessages => Measure::Review,
        }
    }

    /// How long it is not raised again after people have looked: as long as what they have seen may still
    /// be among what it is read from.
    pub fn rests(self) -> Millis {
        match self {
            Self::SharedDevice | Self::LowSuccess => Millis::minutes(7 * 24 * 60),
            Self::ManyBuys
            | Self::ManyCancels
            | Self::FailedKeys
            | Self::WithheldMessages
            | Self::Complaint
            | Self::Staff => Millis::minutes(24 * 60),
        }
    }
}

/// A rung of the ladder, the mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Written down.
    Log,
    /// Nothing is bought until the holder has shown their second factor.
    Challenge,
    /// The bounds of a new account hold.
    Throttle,
    /// Nothing is bought until people have looked.
    Review,
    /// Nothing is bought; all else works.
    SuspendBuys,
    /// The account is suspended.
    Suspend,
    /// The account is closed. Its balance stays its holder's.
    Close,
}

impl Measure {
    /// All of them, the mildest first.
    pub const ALL: [Self; 7] = [
        Self::Log,
        Self::Challenge,
        Self::Throttle,
        Self::Review,
        Self::SuspendBuys,
        Self::Suspend,
        Self::Close,
    ];

    /// Stable word for rows and forms.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Challenge => "challenge",
            Self::Throttle => "throttle",
            Self::Review => "review",
            Self::SuspendBuys => "suspend_buys",
            Self::Suspend => "suspend",
            Self::Close => "close",
        }
    }

    /// Reads a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.slug() == slug)
    }

    /// Its name at the console.
    pub fn title(self) -> &'static str {
        match self {
            Self::Log => "Written down only",
            Self::Challenge => "Challenge: second factor",
            Self::Throttle => "Throttle: bounds of tier 0",
            Self::Review => "Hold for review",
            Self::SuspendBuys => "Suspend purchases",
            Self::Suspend => "Suspend the account",
            Self::Close => "Closed",
        }
    }

    /// What it means to its account's holder, in plain words.
    pub fn explained(self) -> &'static str {
        match self {
            Self::Log => "Nothing holds",
            Self::Challenge => "Nothing is bought until you have shown your second factor",
            Self::Throttle => "The bounds of a new account hold for now",
            Self::Review => "Nothing is bought until somebody has looked at this",
            Self::SuspendBuys => "Purchases are suspended; everything else works",
            Self::Suspend => "The account is suspended",
            Self::Close => "The account is closed; its balance stays yours",
        }
    }

    /// Whether the whole account stands still, not its purchases alone.
    pub fn suspends_account(self) -> bool {
        self >= Self::Suspend
    }

    /// What it means for a purchase.
    pub fn standing(self) -> Standing {
        match self {
            Self::Log | Self::Throttle => Standing::Good,
            Self::Challenge => Standing::Challenged,
            Self::Review => Standing::InReview,
            Self::SuspendBuys | Self::Suspend | Self::Close => Standing::Suspended,
        }
    }

    /// The bounds that hold under it: at [`Measure::Throttle`] and above never more than those of a
    /// new account.
    pub fn bounds(self, own: &Velocity, lowest: &Velocity) -> Velocity {
        match self >= Self::Throttle {
            true => own.within(lowest),
            false => own.clone(),
        }
    }
}

/// Whether an account may buy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    #[default]
    Good,
    /// Once its holder has shown their second factor.
    Challenged,
    /// Once people have looked.
    InReview,
    /// It may not.
    Suspended,
}

/// What an account holder says against a measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appeal {
    /// In their words; hostile text.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// Somebody of the staff wants the account closed; a second person decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure {
    /// Who.
    pub by: PersonId,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// A case against an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountCase {
    /// Row.
    pub id: i64,
    /// Rises with every write.
    pub version: i64,
    /// Whose.
    pub account: AccountId,
    /// What raised it.
    pub signal: Signal,
    /// What was seen; hostile text may be in it.
    pub evidence: String,
    /// When it was raised.
    pub opened_at: Timestamp,
    /// What holds because of it.
    pub measure: Measure,
    /// When an automatic step times out; none where a person decided, or nothing is in force.
    pub due_at: Option<Timestamp>,
    /// What the holder says.
    pub appeal: Option<Appeal>,
    /// Closing the account is proposed.
    pub closure: Option<Closure>,
    /// Who decided last.
    pub decided_by: Option<PersonId>,
    /// What they wrote.
    pub note: Option<String>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// Why something cannot be done to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotDecide {
    /// It is closed.
    Closed,
    /// Closing takes two: one proposes, another one decides.
    TakesTwo,
    /// Nobody proposed it.
    NotProposed,
    /// No second factor is asked for.
    NoChallenge,
    /// An appeal is on file already.
    Appealed,
}

impl CannotDecide {
    /// What is said of it.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Closed => "this case is closed",
            Self::TakesTwo => {
                "closing an account takes two persons: one proposes it, another one decides"
            }
            Self::NotProposed => "nobody has proposed to close this account",
            Self::NoChallenge => "no second factor is asked for",
            Self::Appealed => "an appeal is on file already: it will be read",
        }
    }
}

type Decided = Result<AccountCase, CannotDecide>;

impl AccountCase {
    /// A case that a signal raises, on the rung it begins on by itself. `id` is a fresh row id.
    pub fn raised(
        id: i64,
        (account, tier): (AccountId, u8),
        (signal, evidence): (Signal, String),
        now: Timestamp,
    ) -> Self {
        let measure = signal.first_step(tier);
        Self {
            id,
            version: 0,
            account,
            signal,
            evidence,
            opened_at: now,
            measure,
            due_at: (measure > Measure::Log).then_some(now + HUMAN_REVIEW),
            appeal: None,
            closure: None,
            decided_by: None,
            note: None,
            closed_at: None,
        }
    }

    /// The same case on a rung that something else has decided on at once, such as a grave report.
    pub fn at_once(self, measure: Measure, now: Timestamp) -> Self {
        Self {
            measure,
            due_at: (measure > Measure::Log).then_some(now + HUMAN_REVIEW),
            ..self
        }
    }

    /// The same case after its signal was raised once more: what was seen now is told too, on the harder of
    /// both rungs, and people have to look anew.
    #[must_use]
    pub fn raised_again(self, new: Self) -> Self {
        Self {
            evidence: told_too(&self.evidence, &new.evidence),
            measure: self.measure.max(new.measure),
            due_at: self.due_at.or(new.due_at),
            decided_by: None,
            ..self
        }
    }

    /// Whether a signal that was seen now is no news: its case is open, or was closed a short while ago.
    pub fn covers(&self, signal: Signal, now: Timestamp) -> bool {
        let rests = |closed: Timestamp| now - closed < signal.rests();
        self.signal == signal && self.closed_at.is_none_or(rests)
    }

    /// Whether it keeps its account from anything: a closed account stays closed with its case.
    pub fn is_in_force(&self) -> bool {
        self.closed_at.is_none() || self.measure == Measure::Close
    }

    fn open(self) -> Decided {
        match self.closed_at {
            None => Ok(self),
            Some(_) => Err(CannotDecide::Closed),
        }
    }

    /// Its automatic step has stood too long: what is milder than a review becomes one, and people have
    /// to look. Nothing before that time.
    pub fn timed_out(self, now: Timestamp) -> Option<Self> {
        let due = self.due_at.is_some_and(|due| due <= now);
        let open = self.closed_at.is_none();
        (due && open).then(|| Self {
            measure: self.measure.max(Measure::Review),
            due_at: None,
            ..self
        })
    }

    /// A person moves it to another rung. Closing is not among them.
    ///
    /// # Errors
    /// It is closed, or the rung takes two.
    pub fn stepped(self, by: PersonId, measure: Measure, note: &str) -> Decided {
        if measure == Measure::Close {
            return Err(CannotDecide::TakesTwo);
        }
        let open = self.open()?;
        Ok(Self {
            measure,
            due_at: None,
            closure: None,
            decided_by: Some(by),
            note: Some(note.to_owned()),
            ..open
        })
    }

    /// A person wants the account closed. Until another one agrees it is suspended.
    ///
    /// # Errors
    /// It is closed.
    pub fn closure_proposed(self, by: PersonId, why: &str, now: Timestamp) -> Decided {
        let open = self.open()?;
        let closure = Closure {
            by,
            why: why.to_owned(),
            at: now,
        };
        Ok(Self {
            measure: open.measure.max(Measure::Suspend),
            due_at: None,
            closure: Some(closure),
            decided_by: Some(by),
            note: Some(why.to_owned()),
            ..open
        })
    }

    /// Another person agrees: the account is closed, and the case with it.
    ///
    /// # Errors
    /// Nobody proposed it, it was they who did, or the case is closed.
    pub fn closure_granted(self, by: PersonId, note: &str, now: Timestamp) -> Decided {
        let open = self.open()?;
        match &open.closure {
            None => Err(CannotDecide::NotProposed),
            Some(closure) if closure.by == by => Err(CannotDecide::TakesTwo),
            Some(_) => Ok(Self {
                measure: Measure::Close,
                decided_by: Some(by),
                note: Some(note.to_owned()),
                closed_at: Some(now),
                ..open
            }),
        }
    }

    /// A person has looked and found nothing, or it is over: what held because of it ends.
    ///
    /// # Errors
    /// It is closed.
    pub fn dismissed(self, by: PersonId, note: &str, now: Timestamp) -> Decided {
        let open = self.open()?;
        Ok(Self {
            measure: Measure::Log,
            due_at: None,
            closure: None,
            decided_by: Some(by),
            note: Some(note.to_owned()),
            closed_at: Some(now),
            ..open
        })
    }

    /// The holder has shown their second factor: what is left is for people to read.
    ///
    /// # Errors
    /// It is closed, or asks for none.
    pub fn challenge_met(self) -> Decided {
        let open = self.open()?;
        if open.measure != Measure::Challenge {
            return Err(CannotDecide::NoChallenge);
        }
        Ok(Self {
            measure: Measure::Log,
            due_at: None,
            decided_by: None,
            note: Some("the holder has shown the second factor".to_owned()),
            ..open
        })
    }

    /// The holder says something against it.
    ///
    /// # Errors
    /// They have before. Against a closed account one may appeal too.
    pub fn appealed(self, text: &str, now: Timestamp) -> Decided {
        match &self.appeal {
            Some(_) => Err(CannotDecide::Appealed),
            None if !self.is_in_force() => Err(CannotDecide::Closed),
            None => Ok(Self {
                appeal: Some(Appeal {
                    text: text.to_owned(),
                    at: now,
                }),
                ..self
            }),
        }
    }

    /// Whether this person may agree to close the account.
    pub fn is_closure_for(&self, person: PersonId) -> bool {
        let open = self.closed_at.is_none();
        let closure = self.closure.as_ref().filter(|_| open);
        closure.is_some_and(|closure| closure.by != person)
    }

    /// Whether people have to look: an automatic step has timed out or nobody has decided yet.
    pub fn waits_for_people(&self) -> bool {
        self.closed_at.is_none() && (self.decided_by.is_none() || self.closure.is_some())
    }
}

/// What was seen before and what was seen now, within [`EVIDENCE`]: the oldest gives way.
fn told_too(before: &str, now: &str) -> String {
    if before.contains(now) {
        return before.to_owned();
    }
    let both = format!("{before}\n{now}");
    let over = both.chars().count().saturating_sub(EVIDENCE);
    both.chars().skip(over).collect()
}
