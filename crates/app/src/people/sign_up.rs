//! Signing up, and showing that an e-mail address is one's own.

use super::{People, PeopleError, password, token};
use crate::accounts::is_email;
use domain::access::Account;
use domain::change::{CommitError, Refused, Write};
use domain::ids::{AccountId, PersonId};
use domain::people::{MailToken, PeopleWrite, Person, Role, TokenUse};
use domain::time::Millis;

/// A link that confirms an address is good for this long.
const VERIFY: Millis = Millis::minutes(24 * 60);

impl People {
    /// Makes an account that signs in once its address is confirmed. Says the same where the
    /// address has an account already: its owner then gets a mail that says so.
    pub async fn sign_up(
        &self,
        email: &str,
        password: &str,
        address: &str,
    ) -> Result<(), PeopleError> {
        if !self.settings.mails {
            return Err(PeopleError::NoMail);
        }
        self.may_try("sign_up", email, address).await?;
        let email = email.trim().to_ascii_lowercase();
        if !is_email(&email) {
            return Err(PeopleError::Invalid {
                field: "email",
                why: "This is not an e-mail address.".to_owned(),
            });
        }
        password::strong_enough(password, &email)?;
        let hash = self.hash(password).await?;
        if let Some(known) = self.rows.person_by_email(&email, false).await? {
            return self.known_already(known, hash).await;
        }
        let now = self.engine.now();
        let account = Account {
            id: AccountId(self.next_row()),
            email: email.clone(),
            tier: self.settings.sign_up_tier,
            api_access: false,
            suspended: false,
            created_at: now,
        };
        let person = Person {
            id: PersonId(self.next_row()),
            version: 0,
            email,
            role: Role::Customer,
            account: Some(account.id),
            password: Some(hash),
            verified_at: None,
            totp: None,
            disabled: false,
            created_at: now,
        };
        let (token, mail) = self.verification(&person)?;
        let writes = vec![
            Write::InsertAccount(Box::new(account)),
            Write::People(PeopleWrite::Insert(Box::new(person))),
            Write::People(token),
            Write::People(mail),
        ];
        match self.engine.commit("sign_up", writes).await {
            // somebody signed up with the same address in this moment: the same answer
            Ok(()) | Err(CommitError::Refused(Refused::EmailTaken)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Until the address is confirmed, whoever signs up with it last has the password: a stranger
    /// who was first keeps nothing.
    async fn known_already(&self, known: Person, hash: String) -> Result<(), PeopleError> {
        let writes = if known.verified_at.is_some() {
            vec![self.mail_known_already(&known)]
        } else {
            let (token, mail) = self.verification(&known)?;
            let person = Person {
                password: Some(hash),
                ..known
            };
            vec![PeopleWrite::Update(Box::new(person)), token, mail]
        };
        match self.write("sign_up_again", writes).await {
            // somebody signed up with the same address in this moment: the same answer
            Ok(()) | Err(CommitError::Refused(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn verification(&self, person: &Person) -> Result<(PeopleWrite, PeopleWrite), PeopleError> {
        let (text, hash) = token::fresh()?;
        let token = MailToken {
            hash,
            person: person.id,
            usage: TokenUse::VerifyEmail,
            expires_at: self.engine.now() + VERIFY,
        };
        let mail = self.mail_verify(person, &text);
        Ok((PeopleWrite::IssueToken(token), mail))
    }

    /// Confirms an address by a mailed link and the password that was chosen: the link alone would
    /// open the account of a stranger who signed up with somebody else's address.
    pub async fn verify_email(
        &self,
        link: &str,
        password: &str,
        address: &str,
    ) -> Result<(), PeopleError> {
        let (token, person) = self.token_owner(link, TokenUse::VerifyEmail).await?;
        self.may_try("password", &person.email, address).await?;
        if !self.matches(password, person.password.as_deref()).await {
            return Err(PeopleError::Invalid {
                field: "password",
                why: "This is not the password of this sign-up. Somebody else may have signed up \
                      with your address: sign up again, or set a password of your own."
                    .to_owned(),
            });
        }
        let person = Person {
            verified_at: Some(self.engine.now()),
            ..person
        };
        let used = PeopleWrite::UseToken { hash: token.hash };
        let writes = vec![used, PeopleWrite::Update(Box::new(person))];
        match self.write("verify_email", writes).await {
            Err(CommitError::Refused(_)) => Err(PeopleError::BadLink),
            outcome => Ok(outcome?),
        }
    }
}
