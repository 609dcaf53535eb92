//! What is forgotten when its time is over, and accounts whose holders want to be.

use super::Lawful;
use crate::accounts::AdminError;
use crate::people::People;
use domain::access::Account;
use domain::change::Write;
use domain::ids::AccountId;
use domain::people::{PeopleWrite, Person};
use domain::policy::{Held, PolicyWrite};
use domain::time::{Millis, Timestamp};
use domain::usd::Usd;

/// Numbers and addresses are kept in clear for so long.
pub const CONTACTS_KEPT: Millis = Millis::minutes(30 * 24 * 60);
/// Numbers forgotten in one change.
const AT_ONCE: u32 = 500;

impl Lawful {
    /// Forgets numbers and addresses whose time is over. How many numbers that were.
    pub async fn forget(&self) -> u64 {
        let before = self.engine.now() - CONTACTS_KEPT;
        let write = Write::Policy(PolicyWrite::ForgetBefore(before));
        if let Err(error) = self.engine.commit("forget_before", vec![write]).await {
            tracing::warn!(?error, "old addresses could not be forgotten");
        }
        match self.forget_numbers(None, before).await {
            Ok(forgotten) => forgotten,
            Err(error) => {
                tracing::warn!(%error, "old numbers could not be forgotten");
                0
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
    /// It has orders that are open, money that was not paid out, a debt, or a legal hold on it.
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
        self.engine.commit("delete_account", writes).await?;
        self.engine.callers.forget_account(id);
        self.forget_numbers(Some(id), self.engine.now()).await?;
        Ok(())
    }

    async fn may_go(&self, id: AccountId) -> Result<(), AdminError> {
        let refused = |why: &str| Err(AdminError::Invalid(format!("account {id} {why}")));
        let holds = self.holds().await?;
        if holds.iter().any(|hold| hold.held == Held::Account(id)) {
            return refused("is under legal hold");
        }
        let wallet = self.engine.store().wallet(id).await?;
        let wallet = wallet.ok_or(AdminError::Storage)?;
        if wallet.held > Usd::ZERO {
            return refused("has open orders: they settle first");
        }
        if wallet.available > Usd::ZERO || wallet.uncleared > Usd::ZERO {
            return refused("has money left: pay it out first, a balance is never forfeited");
        }
        if wallet.receivable > Usd::ZERO {
            return refused("owes money");
        }
        Ok(())
    }
}
