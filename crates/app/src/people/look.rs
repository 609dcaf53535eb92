//! Looking at the dashboard as a customer sees it: for staff, for reading, for half an hour. Nothing is
//! stored: what is sealed says who looks at whom and until when.

use super::{People, PeopleError, Signed};
use domain::desk::Deed;
use domain::ids::{AccountId, PersonId};
use domain::people::{Person, Session, Totp};
use domain::time::{Millis, Timestamp};
use subtle::ConstantTimeEq;

/// From the console to the dashboard.
const WAY: Millis = Millis::seconds(60);

/// How long one look may last.
const LOOK: Millis = Millis::minutes(30);

/// What a seal is for.
const TICKET: &str = "look ticket";
const COOKIE: &str = "look cookie";

/// Somebody who looks, and what they see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looking {
    /// The member of staff.
    pub by: String,
    /// The customer as if signed in.
    pub signed: Signed,
}

impl People {
    /// Where a look begins: an address of the dashboard that is good for a minute.
    pub fn look_link(&self, by: PersonId, account: AccountId) -> String {
        let ticket = self.look_sealed(TICKET, (by, account), self.engine.now() + WAY);
        format!("{}/look?ticket={ticket}", self.settings.base_url)
    }

    /// What the browser keeps for a ticket that is still good.
    pub fn begin_look(&self, ticket: &str) -> Option<String> {
        let whom = self.look_opened(TICKET, ticket)?;
        Some(self.look_sealed(COOKIE, whom, self.engine.now() + LOOK))
    }

    /// Who looks at whom, if the member of staff still may.
    pub async fn looking(&self, token: &str) -> Result<Option<Looking>, PeopleError> {
        let Some((by, account)) = self.look_opened(COOKIE, token) else {
            return Ok(None);
        };
        let staff = self.rows.person(by).await?;
        let may = |one: &Person| !one.disabled && Deed::Impersonate.is_for(one.role);
        let person = self.rows.person_of(account).await?;
        let account = self.engine.store().account(account).await?;
        let (Some(staff), Some(person), Some(account)) = (staff.filter(may), person, account)
        else {
            return Ok(None);
        };
        let now = self.engine.now();
        let session = Session {
            id: 0,
            hash: [0; 32],
            person: person.id,
            created_at: now,
            seen_at: now,
            expires_at: now + LOOK,
            address: String::new(),
            agent: String::new(),
            // nothing was proved: no page that asks for it opens
            proved_at: Timestamp(0),
        };
        let person = Person {
            password: None,
            totp: person.totp.filter(|totp: &Totp| totp.confirmed),
            ..person
        };
        let account = Some(account);
        Ok(Some(Looking {
            by: staff.email,
            signed: Signed {
                session,
                person,
                account,
            },
        }))
    }

    fn look_sealed(
        &self,
        what: &str,
        (by, account): (PersonId, AccountId),
        until: Timestamp,
    ) -> String {
        let parts = [by.0, account.0, until.0].map(|part| part.to_string());
        let seal = self.seal(&[what, &parts[0], &parts[1], &parts[2]]);
        format!("{}.{seal}", parts.join("."))
    }

    fn look_opened(&self, what: &str, text: &str) -> Option<(PersonId, AccountId)> {
        let mut parts = text.split('.');
        let mut number = || parts.next()?.parse::<i64>().ok();
        let (by, account, until) = (number()?, number()?, number()?);
        let whom = (PersonId(by), AccountId(account));
        let genuine = self.look_sealed(what, whom, Timestamp(until));
        let same: bool = genuine.as_bytes().ct_eq(text.as_bytes()).into();
        (same && self.engine.now() < Timestamp(until)).then_some(whom)
    }
}
