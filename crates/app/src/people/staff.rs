//! What the operator does for people: makes staff of the console, sets passwords.

use super::password::hash_now;
use super::second_factor::secret_from_base32;
use super::{People, PeopleError};
use domain::change::{CommitError, Refused};
use domain::ids::{AccountId, PersonId};
use domain::people::{PeopleWrite, Person, Role, Totp};

impl People {
    /// A new member of staff with a password and a confirmed second factor (base32), without which
    /// the console lets nobody in.
    pub async fn create_staff(
        &self,
        email: &str,
        role: Role,
        (password, totp_secret): (&str, &str),
    ) -> Result<PersonId, PeopleError> {
        let email = email.trim().to_ascii_lowercase();
        if !role.is_staff() || !crate::accounts::is_email(&email) {
            return Err(PeopleError::Invalid {
                field: "email",
                why: "Staff need an e-mail address and a role of the console.".to_owned(),
            });
        }
        super::password::strong_enough(password, &email)?;
        let secret = secret_from_base32(totp_secret).filter(|secret| secret.len() >= 16);
        let secret = secret.ok_or_else(|| PeopleError::Invalid {
            field: "totp_secret",
            why: "The secret of the second factor must be base32, 128 bits or more.".to_owned(),
        })?;
        let now = self.engine.now();
        let person = Person {
            id: PersonId(self.next_row()),
            version: 0,
            email: email.clone(),
            role,
            account: None,
            password: Some(hash_now(password).ok_or(PeopleError::Storage)?),
            verified_at: Some(now),
            totp: Some(Totp {
                secret,
                confirmed: true,
                last_step: 0,
            }),
            disabled: false,
            created_at: now,
        };
        let id = person.id;
        let writes = vec![PeopleWrite::Insert(Box::new(person))];
        match self.write("create_staff", writes).await {
            Ok(()) => Ok(id),
            Err(CommitError::Refused(Refused::EmailTaken)) => Err(PeopleError::Invalid {
                field: "email",
                why: format!("{email} is a member of staff already."),
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Sets the password of whoever signs in for an account.
    pub async fn set_password(
        &self,
        account: AccountId,
        password: &str,
    ) -> Result<(), PeopleError> {
        if !super::password::fits(password) {
            return Err(PeopleError::Invalid {
                field: "password",
                why: super::password::bounds(),
            });
        }
        let person = self.rows.person_of(account).await?;
        let person = person.ok_or(PeopleError::NoMatch)?;
        let person = Person {
            password: Some(self.hash(password).await?),
            ..person
        };
        let writes = vec![PeopleWrite::Update(Box::new(person))];
        Ok(self.write("set_password", writes).await?)
    }
}
