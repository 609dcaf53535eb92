//! Signing in: password, then a code where the second factor is on.

use super::{People, PeopleError, Place};
use crate::limits::Bucket;
use domain::change::CommitError;
use domain::ids::PersonId;
use domain::people::{PeopleWrite, Person};
use domain::time::{Millis, Timestamp};
use subtle::ConstantTimeEq;

/// The step between password and code may take this long.
const TICKET: Millis = Millis::minutes(5);

/// What came of a sign-in's password.
#[derive(Debug)]
pub enum SignIn {
    /// Signed in: the token for the cookie.
    Done(String),
    /// The second factor is asked for: shown with it, the ticket stands for the password.
    CodeNeeded(Ticket),
}

/// Stands for a password that was right, until the code follows: five minutes, for one use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket(pub String);

impl People {
    /// Counts a try against an e-mail and an address, or refuses it.
    pub(super) async fn may_try(
        &self,
        what: &'static str,
        email: &str,
        address: &str,
    ) -> Result<(), PeopleError> {
        let email = email.trim().to_ascii_lowercase();
        let now = self.engine.now().0;
        let guessed = self
            .limits
            .guess(Bucket::text(&email, what), address, now)
            .await;
        guessed.map_err(PeopleError::TooMany)
    }

    /// First step: e-mail and password. `staff` tells the console's door from the dashboard's.
    pub async fn sign_in(
        &self,
        (email, password): (&str, &str),
        staff: bool,
        place: &Place,
    ) -> Result<SignIn, PeopleError> {
        let email = email.trim().to_ascii_lowercase();
        let (here, anywhere) = (
            Bucket::text_at(&email, &place.address, "sign_in"),
            Bucket::text(&email, "sign_in_anywhere"),
        );
        let now = self.engine.now().0;
        let guessed = self.limits.guess_here(here, now);
        guessed.map_err(PeopleError::TooMany)?;
        let guessed = self.limits.guess_from(&place.address, "sign_in", now);
        guessed.await.map_err(PeopleError::TooMany)?;
        let person = self.rows.person_by_email(&email, staff).await?;
        if let Err(wait_s) = self.limits.guess_anywhere(anywhere, now)
            && !self.is_at_home(person.as_ref(), place).await?
        {
            return Err(PeopleError::TooMany(wait_s));
        }
        let hash = person
            .as_ref()
            .and_then(|person| person.password.as_deref());
        let matches = self.matches(password, hash).await;
        // an address that nobody has confirmed may be somebody else's
        let may_enter = |one: &Person| matches && !one.disabled && one.verified_at.is_some();
        let Some(person) = person.filter(may_enter) else {
            return Err(PeopleError::NoEntry);
        };
        // only what was wrong counts; the address's own limit still bounds the hashing
        self.limits.take_back(here);
        self.limits.take_back(anywhere);
        if person.has_second_factor() {
            return Ok(SignIn::CodeNeeded(self.ticket(&person)));
        }
        let (token, write) = self.new_session(&person, place)?;
        self.write("sign_in", vec![write]).await?;
        Ok(SignIn::Done(token))
    }

    /// Whether the person is signed in from this address: a stranger elsewhere cannot close it.
    async fn is_at_home(
        &self,
        person: Option<&Person>,
        place: &Place,
    ) -> Result<bool, PeopleError> {
        let Some(person) = person else {
            return Ok(false);
        };
        let now = self.engine.now();
        let sessions = self.rows.sessions(person.id).await?;
        Ok(sessions
            .iter()
            .any(|one| one.expires_at > now && one.address == place.address))
    }

    /// Second step: the ticket of the first one, and a code of the authenticator app or a recovery
    /// code.
    pub async fn sign_in_with_code(
        &self,
        ticket: &Ticket,
        code: &str,
        place: &Place,
    ) -> Result<String, PeopleError> {
        let (id, version) = self.opened(ticket).ok_or(PeopleError::BadLink)?;
        let person = self.rows.person(id).await?;
        let person = person.filter(|person| person.version == version && !person.disabled);
        let person = person.ok_or(PeopleError::BadLink)?;
        self.may_try("code", &person.email, &place.address).await?;
        let used = self.use_code(&person, code).await?;
        let (token, write) = self.new_session(&person, place)?;
        let writes: Vec<PeopleWrite> = [used, write].into();
        match self.write("sign_in_with_code", writes).await {
            // a code is good for one sign-in, also of two at the same moment
            Err(CommitError::Refused(_)) => return Err(PeopleError::NoMatch),
            outcome => outcome?,
        }
        Ok(token)
    }

    /// Whose password a ticket stands for; nobody's if it is forged, too old or used: using a code
    /// raises the person's version.
    fn opened(&self, ticket: &Ticket) -> Option<(PersonId, i64)> {
        let mut parts = ticket.0.split('.');
        let mut number = || parts.next()?.parse::<i64>().ok();
        let (id, version, until) = (number()?, number()?, number()?);
        let seal = parts.next()?;
        let genuine = self.ticket_seal(id, version, until);
        let same: bool = genuine.as_bytes().ct_eq(seal.as_bytes()).into();
        let good = same && parts.next().is_none() && self.engine.now() < Timestamp(until);
        good.then_some((PersonId(id), version))
    }

    fn ticket(&self, person: &Person) -> Ticket {
        let until = (self.engine.now() + TICKET).0;
        let (id, version) = (person.id.0, person.version);
        let seal = self.ticket_seal(id, version, until);
        Ticket(format!("{id}.{version}.{until}.{seal}"))
    }

    fn ticket_seal(&self, id: i64, version: i64, until: i64) -> String {
        let parts = [id, version, until].map(|part| part.to_string());
        self.seal(&["sign-in ticket", &parts[0], &parts[1], &parts[2]])
    }
}
