//! Passwords: what is strong enough, hashing off the async threads, setting and resetting.

use super::{People, PeopleError, Signed, token};
use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use domain::people::{MailToken, PeopleWrite, Person, TokenUse};
use domain::time::Millis;

/// Fewest characters of a password.
const LEAST: usize = 8;

/// Longest password in bytes, so that nobody makes us hash a book.
const MOST: usize = 1024;

/// zxcvbn's score from which a password is taken: 3 means some ten billion guesses and more.
const SCORE: u8 = 3;

/// A link that sets a new password is good for this long.
const RESET: Millis = Millis::minutes(60);

/// How strong a password is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strength {
    /// 0 (guessed at once) to 4.
    pub score: u8,
    /// Whether it is taken.
    pub accepted: bool,
    /// What makes it weak, or what would help; empty for a strong one.
    pub advice: Vec<String>,
}

/// Judges a password. `known` are words that an attacker would try first, such as the e-mail.
pub fn strength(password: &str, known: &[&str]) -> Strength {
    let length = password.chars().count();
    if length < LEAST || password.len() > MOST {
        return Strength {
            score: 0,
            accepted: false,
            advice: vec![format!("Use {LEAST} to {MOST} characters.")],
        };
    }
    // the estimate is quadratic: its first hundred characters decide
    let head: String = password.chars().take(100).collect();
    let estimate = zxcvbn::zxcvbn(&head, known);
    let mut advice = Vec::new();
    if let Some(feedback) = estimate.feedback() {
        advice.extend(feedback.warning().map(|warning| warning.to_string()));
        advice.extend(feedback.suggestions().iter().map(ToString::to_string));
    }
    let score = u8::from(estimate.score());
    Strength {
        score,
        accepted: score >= SCORE,
        advice,
    }
}

/// Refuses what is easy to guess, and says why.
pub(super) fn strong_enough(password: &str, email: &str) -> Result<(), PeopleError> {
    let strength = strength(password, &[email, "tollgate"]);
    if strength.accepted {
        return Ok(());
    }
    let why = format!(
        "This password is too easy to guess. {}",
        strength.advice.join(" ")
    );
    Err(PeopleError::Invalid {
        field: "password",
        why: why.trim_end().to_owned(),
    })
}

/// Whether a password an operator chose can be kept at all: how good it is, is theirs to say.
pub(crate) fn fits(password: &str) -> bool {
    password.chars().count() >= LEAST && password.len() <= MOST
}

/// What [`fits`] asks for.
pub(crate) fn bounds() -> String {
    format!("the password must have {LEAST} to {MOST} characters")
}

/// Argon2id with the crate's defaults (19 MiB, two passes) and a fresh salt, in PHC form.
pub(crate) fn hash_now(password: &str) -> Option<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.ok().map(|hash| hash.to_string())
}

fn matches_now(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

impl People {
    pub(super) async fn hash(&self, password: &str) -> Result<String, PeopleError> {
        let password = password.to_owned();
        let hashed = self.hashed(move || hash_now(&password)).await;
        hashed.flatten().ok_or(PeopleError::Storage)
    }

    /// Whether a password is the one behind the hash. Without a hash as much work is done, so that
    /// nobody learns from the time that there is none.
    pub(super) async fn matches(&self, password: &str, hash: Option<&str>) -> bool {
        if password.len() > MOST {
            return false;
        }
        let (password, hash) = (password.to_owned(), hash.map(str::to_owned));
        let matches = self.hashed(move || match hash {
            Some(hash) => matches_now(&password, &hash),
            None => {
                hash_now(&password);
                false
            }
        });
        matches.await.unwrap_or(false)
    }

    async fn hashed<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let _turn = self.hashing.acquire().await.ok()?;
        tokio::task::spawn_blocking(work).await.ok()
    }

    /// Changes the password of somebody who is signed in; all other sessions end.
    pub async fn change_password(
        &self,
        signed: &Signed,
        old: &str,
        new: &str,
    ) -> Result<(), PeopleError> {
        let person = &signed.person;
        self.may_try("password", &person.email, signed.session.address.as_str())
            .await?;
        if !self.matches(old, person.password.as_deref()).await {
            return Err(PeopleError::Invalid {
                field: "old_password",
                why: "That is not your present password.".to_owned(),
            });
        }
        strong_enough(new, &person.email)?;
        let hash = self.hash(new).await?;
        let person = Person {
            password: Some(hash),
            ..person.clone()
        };
        let ended = PeopleWrite::EndSessions {
            person: person.id,
            except: Some(signed.session.id),
        };
        let told = self.mail_password_changed(&person);
        let writes = vec![PeopleWrite::Update(Box::new(person)), ended, told];
        Ok(self.write("change_password", writes).await?)
    }

    /// Mails a link that sets a new password, if somebody has this e-mail; says nothing either way.
    pub async fn ask_reset(&self, email: &str, address: &str) -> Result<(), PeopleError> {
        if !self.settings.mails {
            return Err(PeopleError::NoMail);
        }
        self.may_try("reset", email, address).await?;
        let email = email.trim().to_ascii_lowercase();
        let Some(person) = self.rows.person_by_email(&email, false).await? else {
            return Ok(());
        };
        let (text, hash) = token::fresh()?;
        let token = MailToken {
            hash,
            person: person.id,
            usage: TokenUse::ResetPassword,
            expires_at: self.engine.now() + RESET,
        };
        let mail = self.mail_reset(&person, &text);
        let writes = vec![PeopleWrite::IssueToken(token), mail];
        Ok(self.write("ask_reset", writes).await?)
    }

    /// Sets a new password by a mailed link: all sessions end, the second factor stays. The mail
    /// reached its owner, so the address is confirmed as well. A link of staff is good at their door
    /// only (`staff`), one of a customer only at the others'.
    pub async fn reset_password(
        &self,
        link: &str,
        new: &str,
        staff: bool,
    ) -> Result<(), PeopleError> {
        let (token, person) = self.token_owner(link, TokenUse::ResetPassword).await?;
        if person.role.is_staff() != staff {
            return Err(PeopleError::BadLink);
        }
        strong_enough(new, &person.email)?;
        let hash = self.hash(new).await?;
        let person = Person {
            password: Some(hash),
            verified_at: person.verified_at.or(Some(self.engine.now())),
            ..person
        };
        let ended = PeopleWrite::EndSessions {
            person: person.id,
            except: None,
        };
        let told = self.mail_password_changed(&person);
        let used = PeopleWrite::UseToken { hash: token.hash };
        let writes = vec![used, PeopleWrite::Update(Box::new(person)), ended, told];
        match self.write("reset_password", writes).await {
            Err(domain::change::CommitError::Refused(_)) => Err(PeopleError::BadLink),
            outcome => Ok(outcome?),
        }
    }

    /// The token behind a mailed link that is still good, and whose it is.
    pub(super) async fn token_owner(
        &self,
        link: &str,
        usage: TokenUse,
    ) -> Result<(MailToken, Person), PeopleError> {
        let hash = token::hash_of(link).ok_or(PeopleError::BadLink)?;
        let token = self.rows.mail_token(&hash).await?;
        let now = self.engine.now();
        let token = token.filter(|token| token.usage == usage && token.expires_at > now);
        let token = token.ok_or(PeopleError::BadLink)?;
        let person = self.rows.person(token.person).await?;
        Ok((token, person.ok_or(PeopleError::BadLink)?))
    }
}
