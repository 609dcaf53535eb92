//! The second factor: codes of an authenticator app, and recovery codes for the day it is lost.

use super::{People, PeopleError, Signed};
use domain::people::{PeopleWrite, Person, Totp};

/// Recovery codes in one set.
const CODES: usize = 10;

/// Characters of a recovery code: 80 random bits.
const CODE_LEN: usize = 16;

/// Letters that nobody confuses when reading them from paper.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789z";

/// A second factor that was begun: what the authenticator app is told.
pub struct Enrolment {
    /// For a QR code.
    pub otpauth_url: String,
    /// The shared secret in base32, to type in.
    pub secret: String,
}

fn generator(secret: &[u8], email: &str) -> Result<totp_rs::Totp, PeopleError> {
    // the app shows both; a colon would part them in the wrong place
    let name = email.replace(':', "_");
    totp_rs::Builder::new()
        .with_secret(secret.to_vec())
        .with_issuer(Some("Tollgate"))
        .with_account_name(name)
        .build()
        .map_err(|_| PeopleError::Storage)
}

fn digits(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).collect()
}

impl People {
    /// Begins a second factor: it counts once a code of it was shown.
    pub async fn begin_totp(&self, signed: &Signed) -> Result<Enrolment, PeopleError> {
        self.proved(signed)?;
        if signed.person.has_second_factor() {
            return Err(PeopleError::Invalid {
                field: "code",
                why: "Two-step sign-in is on already.".to_owned(),
            });
        }
        let mut secret = vec![0; 20];
        getrandom::fill(&mut secret).map_err(|_| PeopleError::Storage)?;
        let enrolment = enrolment(&secret, &signed.person.email)?;
        let person = Person {
            totp: Some(Totp {
                secret,
                confirmed: false,
                last_step: 0,
            }),
            ..signed.person.clone()
        };
        let writes = vec![PeopleWrite::Update(Box::new(person))];
        self.write("begin_totp", writes).await?;
        Ok(enrolment)
    }

    /// What the app is told again, while the second factor is begun and not confirmed.
    pub fn enrolment(&self, signed: &Signed) -> Result<Option<Enrolment>, PeopleError> {
        let begun = signed.person.totp.as_ref().filter(|totp| !totp.confirmed);
        begun
            .map(|totp| enrolment(&totp.secret, &signed.person.email))
            .transpose()
    }

    /// Confirms a second factor by a first code; answers the recovery codes, shown this once.
    pub async fn confirm_totp(
        &self,
        signed: &Signed,
        code: &str,
    ) -> Result<Vec<String>, PeopleError> {
        self.may_try("code", &signed.person.email, &signed.session.address)
            .await?;
        let Some(totp) = signed.person.totp.clone().filter(|totp| !totp.confirmed) else {
            return Err(PeopleError::BadLink);
        };
        let step = self.step_of(&signed.person, &totp, code)?;
        let person = Person {
            totp: Some(Totp {
                confirmed: true,
                last_step: step,
                ..totp
            }),
            ..signed.person.clone()
        };
        let (codes, hashes) = self.fresh_codes().await?;
        let id = person.id;
        let told = self.mail_second_factor(&person, true);
        let writes = vec![
            PeopleWrite::Update(Box::new(person)),
            PeopleWrite::SetRecoveryCodes { person: id, hashes },
            PeopleWrite::EndSessions {
                person: id,
                except: Some(signed.session.id),
            },
            told,
        ];
        self.write("confirm_totp", writes).await?;
        let verified = signed.person.verified_at.is_some();
        self.follow_tier(signed, (0, 1), verified).await;
        Ok(codes)
    }

    /// Somebody who is signed in shows the second factor once more; the code counts once.
    ///
    /// # Errors
    /// It is off, the code is wrong, or too many were tried.
    pub async fn show_second_factor(&self, signed: &Signed, code: &str) -> Result<(), PeopleError> {
        self.may_try("code", &signed.person.email, &signed.session.address)
            .await?;
        let used = self.use_code(&signed.person, code).await?;
        Ok(self.write("second_factor_shown", vec![used]).await?)
    }

    /// Switches the second factor off; a code of it is needed.
    pub async fn end_totp(&self, signed: &Signed, code: &str) -> Result<(), PeopleError> {
        self.proved(signed)?;
        self.may_try("code", &signed.person.email, &signed.session.address)
            .await?;
        if signed.person.role.is_staff() {
            return Err(PeopleError::Invalid {
                field: "code",
                why: "Staff cannot do without the second factor.".to_owned(),
            });
        }
        self.use_code(&signed.person, code).await?;
        let person = Person {
            totp: None,
            ..signed.person.clone()
        };
        let id = person.id;
        let told = self.mail_second_factor(&person, false);
        let writes = vec![
            PeopleWrite::Update(Box::new(person)),
            PeopleWrite::SetRecoveryCodes {
                person: id,
                hashes: Vec::new(),
            },
            PeopleWrite::EndSessions {
                person: id,
                except: Some(signed.session.id),
            },
            told,
        ];
        self.write("end_totp", writes).await?;
        self.follow_tier(signed, (1, 0), true).await;
        Ok(())
    }

    /// A confirmed address and a second factor make a new account tier 1, and nothing else does; tiers
    /// above are the operator's to give.
    async fn follow_tier(&self, signed: &Signed, (from, to): (u8, u8), applies: bool) {
        let Some(account) = signed.account.as_ref().filter(|one| one.tier == from) else {
            return;
        };
        if applies && let Err(error) = self.engine.set_tier(account.id, to).await {
            let account = account.id.0;
            tracing::error!(account.id = account, %error, "the account keeps its tier");
        }
    }

    /// The write that uses a code up: of the app, or a recovery code.
    pub(super) async fn use_code(
        &self,
        person: &Person,
        code: &str,
    ) -> Result<PeopleWrite, PeopleError> {
        let totp = person.totp.clone().ok_or(PeopleError::NoMatch)?;
        if let Ok(step) = self.step_of(person, &totp, code) {
            return Ok(PeopleWrite::Update(Box::new(Person {
                totp: Some(Totp {
                    last_step: step,
                    ..totp
                }),
                ..person.clone()
            })));
        }
        let code = normal(code);
        if code.len() != CODE_LEN {
            return Err(PeopleError::NoMatch);
        }
        for (number, hash) in self.rows.recovery_codes(person.id).await? {
            if self.matches(&code, Some(&hash)).await {
                let person = person.id;
                return Ok(PeopleWrite::UseRecoveryCode { person, number });
            }
        }
        Err(PeopleError::NoMatch)
    }

    /// The time step of a code: this one or a neighbour, and newer than the last one used.
    fn step_of(&self, person: &Person, totp: &Totp, code: &str) -> Result<i64, PeopleError> {
        let seconds = u64::try_from(self.engine.now().0 / 1000).unwrap_or(0);
        let step = generator(&totp.secret, &person.email)?.check(&digits(code), seconds);
        let step = step.and_then(|step| i64::try_from(step).ok());
        step.filter(|step| *step > totp.last_step)
            .ok_or(PeopleError::NoMatch)
    }

    async fn fresh_codes(&self) -> Result<(Vec<String>, Vec<String>), PeopleError> {
        let (mut codes, mut hashes) = (Vec::new(), Vec::new());
        for _ in 0..CODES {
            let mut bytes = [0_u8; CODE_LEN];
            getrandom::fill(&mut bytes).map_err(|_| PeopleError::Storage)?;
            let letters = bytes
                .iter()
                .map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
            let code: String = letters.collect();
            hashes.push(self.hash(&code).await?);
            codes.push(format!(
                "{}-{}-{}-{}",
                &code[..4],
                &code[4..8],
                &code[8..12],
                &code[12..]
            ));
        }
        Ok((codes, hashes))
    }
}

/// A recovery code as it was hashed.
fn normal(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

fn enrolment(secret: &[u8], email: &str) -> Result<Enrolment, PeopleError> {
    let totp = generator(secret, email)?;
    Ok(Enrolment {
        otpauth_url: totp.to_url().map_err(|_| PeopleError::Storage)?,
        secret: totp_rs::Secret::from(secret.to_vec()).to_base32(),
    })
}

/// The bytes of a secret in base32.
pub(super) fn secret_from_base32(text: &str) -> Option<Vec<u8>> {
    let secret = totp_rs::Secret::try_from_base32(text).ok()?;
    Some(secret.as_ref().to_vec())
}
