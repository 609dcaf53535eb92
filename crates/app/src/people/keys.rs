//! A customer's own keys. Whatever lets somebody spend the balance asks for a password shown lately.

use super::{People, PeopleError, Signed};
use crate::accounts::{AdminError, IssuedKey, KeyOrder};
use crate::api_key::Environment;
use crate::idempotency::KeyedRequest;
use domain::change::Write;
use domain::ids::{AccountId, KeyId};
use domain::time::Millis;

/// Longest time that a replaced key works on.
const OVERLAP_MAX: Millis = Millis::minutes(7 * 24 * 60);

const TAKEN: &str = "this form made a key already, which was shown then, and only then. To make \
                     another, fill in the form below";

impl People {
    /// A new key of the signed-in customer; its text is given out this once, and once for a form.
    pub async fn issue_key(
        &self,
        signed: &Signed,
        (order, once): (KeyOrder, KeyedRequest),
        environment: Environment,
    ) -> Result<IssuedKey, PeopleError> {
        let account = self.spender(signed)?;
        let made_by = (environment, &self.pepper);
        let claim = self.engine.claim_once(account, &once, 0);
        let also = (vec![Write::Claim(claim)], TAKEN);
        let issued = self.engine.issue_key_with(account, order, made_by, also);
        Ok(issued.await?)
    }

    /// Replaces a key by one that may do the same; the old one works on for the overlap.
    ///
    /// # Errors
    /// Among others the overlap is below zero or longer than a week.
    pub async fn rotate_key(
        &self,
        signed: &Signed,
        id: KeyId,
        (overlap, environment): (Millis, Environment),
    ) -> Result<IssuedKey, PeopleError> {
        let account = self.spender(signed)?;
        if !(Millis(0)..=OVERLAP_MAX).contains(&overlap) {
            let why = "a replaced key works on for 0 to 168 hours".to_owned();
            let field = "overlap_hours";
            return Err(AdminError::Field { field, why }.into());
        }
        let made_by = (environment, &self.pepper);
        Ok(self
            .engine
            .rotate_key((account, id), overlap, made_by)
            .await?)
    }

    /// Changes a key: it may be allowed more than before, so the same proof is asked for.
    pub async fn change_key(
        &self,
        signed: &Signed,
        id: KeyId,
        (order, disabled): (KeyOrder, bool),
    ) -> Result<(), PeopleError> {
        let account = self.spender(signed)?;
        Ok(self.engine.change_key(account, id, order, disabled).await?)
    }

    /// The account whose balance is about to be opened to somebody, once that is proved.
    fn spender(&self, signed: &Signed) -> Result<AccountId, PeopleError> {
        self.proved(signed)?;
        signed.person.account.ok_or(PeopleError::NoMatch)
    }
}
