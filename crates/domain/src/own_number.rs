//! Numbers that belong to the operator: which of them may be rented for what, who rents one now, and
//! what was sent to it.

use crate::countries::{self, Country};
use crate::phone::Phone;
use crate::policy::withheld_text;
use crate::time::Timestamp;
use crate::usd::Usd;

/// Who carries messages to the operator's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Twilio.
    Twilio,
    /// Telnyx.
    Telnyx,
}

impl Carrier {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Twilio, Self::Telnyx];

    /// Stable word for rows and logs.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Telnyx => "telnyx",
        }
    }

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.slug() == slug)
    }
}

/// A number as the operator brings it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNumber {
    /// Upstream whose pool it joins.
    pub upstream: String,
    /// The number.
    pub phone: Phone,
    /// Where it is sold: two upper-case letters of ISO 3166-1.
    pub country: String,
    /// Part of the pool that is sold by itself, where the operator makes such parts.
    pub pool: Option<String>,
    /// Service codes it may be rented for; none means all that are sold.
    pub only: Vec<String>,
    /// Service codes it may not be rented for.
    pub never: Vec<String>,
}

/// Why a number cannot join a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadNumber(pub String);

impl NewNumber {
    /// A number from what the operator wrote; the error names what is wrong.
    pub fn read(upstream: &str, number: &str, country: &str) -> Result<Self, BadNumber> {
        let plain = |byte: u8| byte.is_ascii_digit() || b"+ -().".contains(&byte);
        let written = number.trim();
        let phone = Phone::parse(written)
            .filter(|_| written.starts_with('+') && written.bytes().all(plain))
            .ok_or_else(|| {
                BadNumber(format!(
                    "\"{number}\" is no number in E.164 form, like +14155550199"
                ))
            })?;
        let country = country_of(country)
            .ok_or_else(|| BadNumber(format!("\"{country}\" is no country we know")))?;
        if !countries::number_fits(country, phone.digits()) {
            return Err(BadNumber(format!(
                "{phone} is no number of {}",
                country.name
            )));
        }
        Ok(Self {
            upstream: upstream.to_owned(),
            phone,
            country: country.iso2.to_owned(),
            pool: None,
            only: Vec::new(),
            never: Vec::new(),
        })
    }
}

/// The country an operator means by a name, key or two letters.
fn country_of(text: &str) -> Option<&'static Country> {
    countries::find(text.trim())
}

/// A number of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnNumber {
    /// What the operator said of it.
    pub facts: NewNumber,
    /// Taken out of service: rented to nobody any more.
    pub retired: bool,
    /// Not rented before this.
    pub cooling_until: Option<Timestamp>,
    /// When it was last rented.
    pub last_used: Option<Timestamp>,
    /// Whether somebody rents it now.
    pub rented: bool,
}

impl OwnNumber {
    /// Whether it is in service for what a code stands for, now or after a rest.
    pub fn serves(&self, service: &str) -> bool {
        let names = |list: &[String]| list.iter().any(|code| code == service);
        let (only, never) = (&self.facts.only, &self.facts.never);
        !self.retired && (only.is_empty() || names(only)) && !names(never)
    }

    /// Whether it can be rented at `now` for a service, as far as its own row says.
    pub fn is_free_for(&self, service: &str, now: Timestamp) -> bool {
        let rested = self.cooling_until.is_none_or(|until| until <= now);
        self.serves(service) && rested && !self.rented
    }
}

/// Somebody wants a number. The store gives the one that has rested longest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberWanted {
    /// Upstream whose pool is asked.
    pub upstream: String,
    /// Our id of the purchase, unlike any other: it finds the allocation again.
    pub reference: String,
    /// Service code.
    pub service: String,
    /// Two upper-case letters.
    pub country: String,
    /// Part of the pool; nothing means the numbers in no part.
    pub pool: Option<String>,
    /// What it costs.
    pub cost: Usd,
    /// End of the rent.
    pub ends_at: Timestamp,
    /// Whether a number that had a message for this service before may be given for it again.
    pub again: bool,
}

/// How an allocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllocationEnd {
    /// Given back before any message came.
    Cancelled,
    /// Its time was over, with or without a message.
    Over,
}

impl AllocationEnd {
    /// Stable word for rows.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Over => "over",
        }
    }

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        [Self::Cancelled, Self::Over]
            .into_iter()
            .find(|end| end.slug() == slug)
    }
}

/// A number that is, or was, rented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Row, never given twice: the upstream's order id.
    pub id: i64,
    /// What was wanted.
    pub wanted: NumberWanted,
    /// The number.
    pub phone: Phone,
    /// When it began.
    pub begun_at: Timestamp,
    /// How it ended; nothing while it lives.
    pub end: Option<AllocationEnd>,
    /// Text of the newest message that came during it.
    pub newest: Option<String>,
}

/// A message that a carrier delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundSms {
    /// Who brought it.
    pub carrier: Carrier,
    /// The carrier's id of the message: it counts once.
    pub message_id: String,
    /// The carrier's id of the delivery's event, where there is one: it counts once as well.
    pub event_id: Option<String>,
    /// Sender, as the carrier wrote it.
    pub from: String,
    /// Number it was sent to: digits of E.164 where it is such a number.
    pub to: String,
    /// Its text.
    pub text: String,
    /// When the carrier had it, by our clock. A message is the renter's only if it came during the
    /// rent by this time and by the time it is stored.
    pub received_at: Timestamp,
}

impl InboundSms {
    /// The message as it may be kept: of one that is withheld only the subject, whether or not anybody
    /// rents its number yet.
    pub fn as_kept(mut self) -> Self {
        let about = withheld_text(&self.text).or_else(|| withheld_text(&self.from));
        if let Some(what) = about {
            self.text = what.stand_in().to_owned();
        }
        self
    }
}

/// What changes in a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PoolWrite {
    /// A number joins, or comes back after it was retired. Guard: it is in service nowhere.
    Add(Box<NewNumber>),
    /// A number is rented to nobody any more; who has it now keeps it. Guard: it is there.
    Retire {
        /// Upstream.
        upstream: String,
        /// The number.
        phone: Phone,
    },
    /// The longest rested number that fits is rented. Guards: there is one, and the reference is
    /// new.
    Allocate(Box<NumberWanted>),
    /// An allocation ends and its number rests. Guards: it lives; to be cancelled it has no message.
    Release {
        /// Row.
        allocation: i64,
        /// How it ends.
        end: AllocationEnd,
        /// Its number is rented again no sooner.
        rest_until: Timestamp,
    },
    /// A message is kept, for the allocation that lives on its number or for nobody. One that is
    /// kept already changes nothing.
    Receive(Box<InboundSms>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_with_its_country_and_nonsense_is_named() {
        let read = |number, country| NewNumber::read("own", number, country);
        let number = read("+1 (415) 555-0199", "usa").unwrap();
        assert_eq!(
            (number.phone.digits(), &*number.country),
            ("14155550199", "US")
        );
        for (number, country, culprit) in [
            ("14155550199", "US", "14155550199"),
            ("+1415", "US", "+1415"),
            ("+1415555x0199", "US", "x0199"),
            ("+14155550199", "Atlantis", "Atlantis"),
            ("+14155550199", "DE", "Germany"),
        ] {
            let BadNumber(why) = read(number, country).unwrap_err();
            assert!(why.contains(culprit), "{why}");
        }
    }

    #[test]
    fn of_a_withheld_message_only_the_subject_is_kept() {
        let kept = |from: &str, text: &str| {
            let sms = InboundSms {
                carrier: Carrier::Twilio,
                message_id: "m".to_owned(),
                event_id: None,
                from: from.to_owned(),
                to: "14155550199".to_owned(),
                text: text.to_owned(),
                received_at: Timestamp(1),
            };
            sms.as_kept().text
        };
        assert_eq!(kept("Acme", "415127"), "415127");
        assert_eq!(kept("+1415", "Harbor Bank: 415127"), "[withheld: money]");
        assert_eq!(kept("Megabank", "415127"), "[withheld: money]");
    }

    #[test]
    fn a_number_is_free_for_what_its_row_allows() {
        let facts = NewNumber::read("own", "+14155550199", "US").unwrap();
        let free = OwnNumber {
            facts,
            retired: false,
            cooling_until: Some(Timestamp(10)),
            last_used: None,
            rented: false,
        };
        assert!(free.is_free_for("tg", Timestamp(10)));
        assert!(!free.is_free_for("tg", Timestamp(9)));
        let with = |only: &[&str], never: &[&str]| {
            let owned = |list: &[&str]| list.iter().map(|code| (*code).to_owned()).collect();
            let mut number = free.clone();
            (number.facts.only, number.facts.never) = (owned(only), owned(never));
            number.is_free_for("tg", Timestamp(10))
        };
        assert!(with(&["wa", "tg"], &["vi"]));
        assert!(!with(&["wa"], &[]) && !with(&[], &["tg"]));
        let busy = |retired, rented| OwnNumber {
            retired,
            rented,
            ..free.clone()
        };
        assert!(!busy(true, false).is_free_for("tg", Timestamp(10)));
        assert!(!busy(false, true).is_free_for("tg", Timestamp(10)));
    }
}
