//! What is forgotten when its time is over, and accounts whose holders want to be.

use super::Lawful;
use crate::accounts::AdminError;
use crate::people::People;
use domain::access::Account;
use domain::change::{CommitError, Refused, Write};
use domain::ids::AccountId;
use domain::people::{PeopleWrite, Person};
use domain::policy::PolicyWrite;
use domain::time::{Millis, Timestamp};

/// Numbers, addresses, mails and what upstreams wrote are kept in clear for so long.
pub const CONTACTS_KEPT: Millis = Millis::minutes(30 * 24 * 60);
/// Numbers forgotten in one change.
const AT_ONCE: u32 = 500;

impl Lawful {
    /// Forgets whatever has been kept for its time. How many numbers that were.
    pub async fn forget(&self) -> u64 {
        let before = self.engine.now() - CONTACTS_KEPT;
        if let Err(error) = self.forget_before(before).await {
            tracing::warn!(%error, "what is kept for a while could not be forgotten");
        }
        match self.forget_numbers(None, before).await {
            Ok(forgotten) => forgotten,
            Err(error) => {
                tracing::warn!(%error, "old numbers could not be forgotten");
                0
            }
        }
    }

    async fn forget_before(&self, before: Timestamp) -> Result<(), AdminError> {
        loop {
            let write = Write::Policy(PolicyWrite::ForgetBefore(before));
            self.engine.commit("forget_before", vec![write]).await?;
            if !self.rows.is_overdue(before).await? {
                return Ok(());
            }
        }
    }

    async fn forget_numbers(
        &self,
        account: Option<AccountId>,
        before: Timestamp,
    ) -> Result<u64, AdminError> {
        let mut forgotten = 0;
        loop {
            let due = self
                .rows
                .numbers_to_forget(account, before, AT_ONCE)
                .await?;
            if due.is_empty() {
                return Ok(forgotten);
            }
            forgotten += due.len() as u64;
            let write = Write::Policy(PolicyWrite::ForgetNumbers(due));
            self.engine.commit("forget_numbers", vec![write]).await?;
        }
    }

    /// Deletes an account: who it was is forgotten, what was bought and paid stays without a name.
    ///
    /// # Errors
    /// It has orders or top-ups that are open, money that was not paid out, a debt, or a legal hold on it
    /// or on an order of it; or something changed while it was looked at.
    pub async fn delete_account(&self, id: AccountId, people: &People) -> Result<(), AdminError> {
        let store = self.engine.store();
        let found = store.account(id).await?;
        let account = found.ok_or_else(|| AdminError::NotFound(format!("account {id}")))?;
        self.may_go(id).await?;
        let nobody = format!("deleted-{}@deleted.invalid", id.0);
        let mut writes = vec![
            Write::UpdateAccount(Box::new(Account {
                email: nobody.clone(),
                api_access: false,
                suspended: true,
                ..account
            })),
            Write::Policy(PolicyWrite::ForgetAccount(id)),
        ];
        writes.extend(people.person_of_account(id).await?.map(|person| {
            Write::People(PeopleWrite::Update(Box::new(Person {
                email: nobody,
                password: None,
                verified_at: None,
                totp: None,
                disabled: true,
                ..person
            })))
        }));
        let keys = store.keys(id).await?.into_iter();
        let keys = keys.filter(|key| !key.revoked);
        writes.extend(keys.map(|key| Write::RevokeKey {
            key: key.id,
            account: id,
        }));
        let deleted = self.engine.commit("delete_account", writes).await;
        if deleted == Err(CommitError::Refused(Refused::Stale)) {
            let why = format!("account {id} changed meanwhile: look again");
            return Err(AdminError::Invalid(why));
        }
        deleted?;
        self.engine.callers.forget_account(id);
        self.forget_numbers(Some(id), self.engine.now()).await?;
        Ok(())
    }

    async fn may_go(&self, id: AccountId) -> Result<(), AdminError> {
        let why_not = self.rows.keeps_account(id).await?;
        why_not.map_or(Ok(()), |why| {
            let sentence = why.sentence();
            Err(AdminError::Invalid(format!("account {id} {sentence}")))
        })
    }
}
