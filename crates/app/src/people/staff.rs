//! Who works at the console: made by an owner or on the machine, let in by a link for one use.

use super::password::hash_now;
use super::second_factor::secret_from_base32;
use super::{People, PeopleError, token};
use crate::acting;
use domain::change::{CommitError, Refused};
use domain::ids::{AccountId, PersonId};
use domain::people::{MailToken, PeopleWrite, Person, Role, TokenUse, Totp};
use domain::time::Millis;

/// A link that lets somebody in is good for this long.
const JOIN: Millis = Millis::minutes(24 * 60);

/// A new member of staff, or one who starts anew, and the link that lets them in: shown this once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joining {
    /// Who.
    pub person: PersonId,
    /// Sets their password; the second factor follows.
    pub link: String,
}

fn invalid(field: &'static str, why: impl Into<String>) -> PeopleError {
    let why = why.into();
    PeopleError::Invalid { field, why }
}

/// Nobody locks themselves out.
fn not_oneself(id: PersonId) -> Result<(), PeopleError> {
    match acting::staff() == Some(id) {
        true => Err(invalid("person", "Somebody else has to do this to you.")),
        false => Ok(()),
    }
}

impl People {
    /// A new member of staff with a password and a confirmed second factor (base32), without which
    /// the console lets nobody in.
    pub async fn create_staff(
        &self,
        email: &str,
        role: Role,
        (password, totp_secret): (&str, &str),
    ) -> Result<PersonId, PeopleError> {
        let new = self.new_staff(email, role)?;
        super::password::strong_enough(password, &new.email)?;
        let secret = secret_from_base32(totp_secret).filter(|secret| secret.len() >= 16);
        let secret = secret.ok_or_else(|| {
            let why = "The secret of the second factor must be base32, 128 bits or more.";
            invalid("totp_secret", why)
        })?;
        let person = Person {
            password: Some(hash_now(password).ok_or(PeopleError::Storage)?),
            verified_at: Some(self.engine.now()),
            totp: Some(Totp {
                secret,
                confirmed: true,
                last_step: 0,
            }),
            ..new
        };
        self.insert_staff(person, None).await
    }

    /// A new member of staff, who sets their password by the link.
    pub async fn add_staff(&self, email: &str, role: Role) -> Result<Joining, PeopleError> {
        let person = self.new_staff(email, role)?;
        let (link, token) = self.join_link(person.id)?;
        let person = self.insert_staff(person, Some(token)).await?;
        Ok(Joining { person, link })
    }

    fn new_staff(&self, email: &str, role: Role) -> Result<Person, PeopleError> {
        let email = email.trim().to_ascii_lowercase();
        if !role.is_staff() || !crate::accounts::is_email(&email) {
            let why = "Staff need an e-mail address and a role of the console.";
            return Err(invalid("email", why));
        }
        Ok(Person {
            id: PersonId(self.next_row()),
            version: 0,
            email,
            role,
            account: None,
            password: None,
            verified_at: None,
            totp: None,
            disabled: false,
            created_at: self.engine.now(),
        })
    }

    async fn insert_staff(
        &self,
        person: Person,
        token: Option<MailToken>,
    ) -> Result<PersonId, PeopleError> {
        let (id, email) = (person.id, person.email.clone());
        let writes = [PeopleWrite::Insert(Box::new(person))].into_iter();
        let writes = writes.chain(token.map(PeopleWrite::IssueToken));
        match self.write("create_staff", writes.collect()).await {
            Ok(()) => Ok(id),
            Err(CommitError::Refused(Refused::EmailTaken)) => Err(invalid(
                "email",
                format!("{email} is a member of staff already."),
            )),
            Err(error) => Err(error.into()),
        }
    }

    fn join_link(&self, person: PersonId) -> Result<(String, MailToken), PeopleError> {
        let (text, hash) = token::fresh()?;
        let token = MailToken {
            hash,
            person,
            usage: TokenUse::ResetPassword,
            expires_at: self.engine.now() + JOIN,
        };
        let link = format!("{}/console/join?token={text}", self.settings.console_url);
        Ok((link, token))
    }

    /// All members of staff.
    pub async fn staff(&self) -> Result<Vec<Person>, PeopleError> {
        Ok(self.rows.staff().await?)
    }

    async fn member(&self, id: PersonId) -> Result<Person, PeopleError> {
        let found = self.rows.person(id).await?;
        let staff = found.filter(|person| person.role.is_staff());
        staff.ok_or_else(|| invalid("person", "There is no such member of staff."))
    }

    /// The member of staff with this e-mail.
    pub async fn member_by_email(&self, email: &str) -> Result<PersonId, PeopleError> {
        let email = email.trim().to_ascii_lowercase();
        let found = self.rows.person_by_email(&email, true).await?;
        let found = found.ok_or_else(|| {
            let why = format!("There is no member of staff with the e-mail {email}.");
            invalid("email", why)
        })?;
        Ok(found.id)
    }

    /// Gives a member of staff another role; their sessions end.
    pub async fn set_role(&self, id: PersonId, role: Role) -> Result<(), PeopleError> {
        if !role.is_staff() {
            return Err(invalid("role", "That is no role of the console."));
        }
        let person = self.member(id).await?;
        let next = Person {
            role,
            ..person.clone()
        };
        self.change_staff("set_role", &person, next).await
    }

    /// Ends a member's access, or gives it back. Their sessions end.
    pub async fn suspend_staff(&self, id: PersonId, suspended: bool) -> Result<(), PeopleError> {
        not_oneself(id)?;
        let person = self.member(id).await?;
        let name = if suspended {
            "suspend_staff"
        } else {
            "resume_staff"
        };
        let next = Person {
            disabled: suspended,
            ..person.clone()
        };
        self.change_staff(name, &person, next).await
    }

    /// A member starts anew: password, second factor, recovery codes and sessions are gone, the link
    /// sets them again.
    pub async fn reset_staff(&self, id: PersonId) -> Result<Joining, PeopleError> {
        not_oneself(id)?;
        let person = self.member(id).await?;
        let (link, token) = self.join_link(id)?;
        // at the command line it is the way back in for the only owner there is
        let ends = is_owner(&person) && acting::staff().is_some();
        let person = Person {
            password: None,
            totp: None,
            ..person
        };
        let mut writes = vec![
            PeopleWrite::Update(Box::new(person)),
            PeopleWrite::SetRecoveryCodes {
                person: id,
                hashes: Vec::new(),
            },
            PeopleWrite::EndSessions {
                person: id,
                except: None,
            },
            PeopleWrite::IssueToken(token),
        ];
        writes.extend(ends.then_some(PeopleWrite::KeepOwner { except: id }));
        keeps_owner(self.write("reset_staff", writes).await)?;
        Ok(Joining { person: id, link })
    }

    /// Somebody has to be left who may do everything: the change itself asks who, since two owners
    /// may take it from each other at once.
    async fn change_staff(
        &self,
        name: &'static str,
        before: &Person,
        after: Person,
    ) -> Result<(), PeopleError> {
        let person = after.id;
        let ends = is_owner(before) && !is_owner(&after);
        let mut writes = vec![
            PeopleWrite::Update(Box::new(after)),
            PeopleWrite::EndSessions {
                person,
                except: None,
            },
        ];
        writes.extend(ends.then_some(PeopleWrite::KeepOwner { except: person }));
        keeps_owner(self.write(name, writes).await)
    }

    /// Whether a link still lets somebody in, and whom.
    pub async fn joining(&self, link: &str) -> Result<String, PeopleError> {
        let (_, person) = self.token_owner(link, TokenUse::ResetPassword).await?;
        Some(person)
            .filter(|person| person.role.is_staff() && !person.disabled)
            .map(|person| person.email)
            .ok_or(PeopleError::BadLink)
    }

    /// Sets the password of whoever signs in for an account.
    pub async fn set_password(
        &self,
        account: AccountId,
        password: &str,
    ) -> Result<(), PeopleError> {
        if !super::password::fits(password) {
            return Err(invalid("password", super::password::bounds()));
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

fn is_owner(person: &Person) -> bool {
    person.role == Role::Owner && !person.disabled
}

/// A change that would have left nobody who may do everything says so.
fn keeps_owner(outcome: Result<(), CommitError>) -> Result<(), PeopleError> {
    match outcome {
        Err(CommitError::Refused(Refused::LastOwner)) => Err(invalid(
            "person",
            "Nobody else who has joined is an owner: make somebody else one first.",
        )),
        outcome => Ok(outcome?),
    }
}
