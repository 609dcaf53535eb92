//! Sessions: one for each browser that is signed in.

use super::{PROOF, People, PeopleError, token};
use domain::access::Account;
use domain::people::{PeopleWrite, Person, Session};
use domain::time::Millis;

/// A session ends when it was not used for this long: customers, staff.
const IDLE: (Millis, Millis) = (Millis::minutes(7 * 24 * 60), Millis::minutes(30));

/// A session ends after this long whatever happens: customers, staff.
const LIFETIME: (Millis, Millis) = (Millis::minutes(30 * 24 * 60), Millis::minutes(12 * 60));

/// Use is noted once in this long at most.
const NOTE: Millis = Millis::seconds(60);

/// Characters kept of what a browser calls itself.
const AGENT_MAX: usize = 200;

/// Where a browser is and what it calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Address.
    pub address: String,
    /// Its name for itself; hostile text.
    pub agent: String,
}

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The session.
    pub session: Session,
    /// Who.
    pub person: Person,
    /// A customer's account; staff have none.
    pub account: Option<Account>,
}

/// One of a pair for customers and staff.
fn of(pair: (Millis, Millis), person: &Person) -> Millis {
    if person.role.is_staff() {
        pair.1
    } else {
        pair.0
    }
}

impl People {
    /// Starts a session; answers the token for the cookie and the write that stores its hash.
    pub(super) fn new_session(
        &self,
        person: &Person,
        place: &Place,
    ) -> Result<(String, PeopleWrite), PeopleError> {
        let (text, hash) = token::fresh()?;
        let now = self.engine.now();
        let session = Session {
            id: self.next_row(),
            hash,
            person: person.id,
            created_at: now,
            seen_at: now,
            expires_at: now + of(LIFETIME, person),
            address: place.address.clone(),
            agent: place.agent.chars().take(AGENT_MAX).collect(),
            proved_at: now,
        };
        Ok((text, PeopleWrite::StartSession(Box::new(session))))
    }

    /// Who a cookie's token stands for; nobody once the session is over or the person is disabled.
    pub async fn signed_in(
        &self,
        token: &str,
        address: &str,
    ) -> Result<Option<Signed>, PeopleError> {
        let Some(hash) = token::hash_of(token) else {
            return Ok(None);
        };
        let Some((session, person)) = self.rows.session(&hash).await? else {
            return Ok(None);
        };
        let now = self.engine.now();
        let over = session.expires_at <= now || session.seen_at + of(IDLE, &person) <= now;
        if over || person.disabled {
            return Ok(None);
        }
        let account = match person.account {
            Some(id) => self.engine.store().account(id).await?,
            None => None,
        };
        let session = self.noted(session, address).await;
        Ok(Some(Signed {
            session,
            person,
            account,
        }))
    }

    async fn noted(&self, session: Session, address: &str) -> Session {
        let now = self.engine.now();
        if session.seen_at + NOTE > now && session.address == address {
            return session;
        }
        let session = Session {
            seen_at: now,
            address: address.to_owned(),
            ..session
        };
        let write = PeopleWrite::TouchSession(Box::new(session.clone()));
        if self.write("session_seen", vec![write]).await.is_err() {
            tracing::warn!("the use of a session could not be noted");
        }
        session
    }

    /// Ends this session.
    pub async fn sign_out(&self, signed: &Signed) -> Result<(), PeopleError> {
        self.end_session(signed, signed.session.id).await
    }

    /// Ends one of the person's sessions.
    pub async fn end_session(&self, signed: &Signed, id: i64) -> Result<(), PeopleError> {
        let person = signed.person.id;
        let writes = vec![PeopleWrite::EndSession { person, id }];
        Ok(self.write("end_session", writes).await?)
    }

    /// Ends all sessions of the person, this one too where `also_this` says so.
    pub async fn sign_out_everywhere(
        &self,
        signed: &Signed,
        also_this: bool,
    ) -> Result<(), PeopleError> {
        let person = signed.person.id;
        let except = (!also_this).then_some(signed.session.id);
        let writes = vec![PeopleWrite::EndSessions { person, except }];
        Ok(self.write("sign_out_everywhere", writes).await?)
    }

    /// All sessions of the person, the last used first.
    pub async fn sessions(&self, signed: &Signed) -> Result<Vec<Session>, PeopleError> {
        let now = self.engine.now();
        let mut sessions = self.rows.sessions(signed.person.id).await?;
        sessions.retain(|session| session.expires_at > now);
        Ok(sessions)
    }

    /// Refuses what needs a password that was shown lately.
    pub fn proved(&self, signed: &Signed) -> Result<(), PeopleError> {
        if signed.session.proved_at + PROOF > self.engine.now() {
            return Ok(());
        }
        Err(PeopleError::ProofNeeded)
    }

    /// Shows the password again.
    pub async fn prove(&self, signed: &Signed, password: &str) -> Result<(), PeopleError> {
        let person = &signed.person;
        self.may_try("password", &person.email, &signed.session.address)
            .await?;
        if !self.matches(password, person.password.as_deref()).await {
            return Err(PeopleError::NoMatch);
        }
        let session = Session {
            proved_at: self.engine.now(),
            ..signed.session.clone()
        };
        let writes = vec![PeopleWrite::TouchSession(Box::new(session))];
        Ok(self.write("prove", writes).await?)
    }
}
