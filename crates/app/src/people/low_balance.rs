//! Telling customers when little is left to spend: once for each time it falls below what they set.

use super::{People, PeopleError};
use domain::change::{CommitError, Refused};
use domain::ids::AccountId;
use domain::people::{LowBalance, PeopleWrite, Person};
use domain::usd::Usd;

/// Crossings looked at in one pass.
const AT_ONCE: u32 = 100;

impl People {
    /// How an account's balance is watched, if it is.
    pub async fn low_balance(&self, account: AccountId) -> Result<Option<LowBalance>, PeopleError> {
        Ok(self.rows.low_balance(account).await?)
    }

    /// Watches an account's balance from now on, or no longer. Little left at this moment is no
    /// crossing: its owner is looking at it.
    pub async fn watch_balance(
        &self,
        account: AccountId,
        threshold: Option<Usd>,
    ) -> Result<(), PeopleError> {
        let write = match threshold {
            None => PeopleWrite::ForgetBalance { account },
            Some(threshold) if threshold <= Usd::ZERO => {
                return Err(PeopleError::Invalid {
                    field: "threshold",
                    why: "Name an amount above zero, such as 5.00, or nothing at all.".to_owned(),
                });
            }
            Some(threshold) => {
                if !self.settings.mails {
                    return Err(PeopleError::NoMail);
                }
                let wallet = self.engine.store().wallet(account).await?;
                let watch = LowBalance {
                    account,
                    threshold,
                    told: false,
                };
                PeopleWrite::WatchBalance(watch.seen(wallet.unwrap_or_default().available))
            }
        };
        Ok(self.write("watch_balance", vec![write]).await?)
    }

    /// Mails to everybody whose watched balance has fallen below its threshold since the last look,
    /// and takes note of those that have risen again.
    pub async fn tell_low_balances(&self) {
        let crossed = match self.rows.balances_crossed(AT_ONCE).await {
            Ok(crossed) => crossed,
            Err(error) => {
                tracing::warn!(%error, "watched balances could not be read");
                return;
            }
        };
        for (watched, available) in crossed {
            match self.tell(watched, available).await {
                // somebody else told, or its owner chose otherwise meanwhile
                Ok(()) | Err(CommitError::Refused(Refused::Stale)) => {}
                Err(error) => tracing::warn!(
                    ?error,
                    account.id = watched.account.0,
                    "account {} could not be told of its balance",
                    watched.account
                ),
            }
        }
    }

    async fn tell(&self, watched: LowBalance, available: Usd) -> Result<(), CommitError> {
        let seen = watched.seen(available);
        let mut writes = vec![PeopleWrite::CrossBalance(seen)];
        if seen.told {
            let owner = self.rows.person_of(watched.account).await;
            let owner = owner.map_err(|error| CommitError::Storage(error.to_string()))?;
            writes.extend(owner.map(|owner| self.mail_low_balance(&owner, seen, available)));
        }
        self.write("cross_balance", writes).await
    }

    fn mail_low_balance(&self, owner: &Person, seen: LowBalance, available: Usd) -> PeopleWrite {
        let text = format!(
            "Your available balance is ${}, below the ${} that you set.\n\n\
             Top up:          {base}/wallet/top-up\n\
             Other threshold: {base}/wallet#low\n\n\
             You hear of it again only after the balance was above and falls below once more.\n",
            available.short(),
            seen.threshold.short(),
            base = self.settings.base_url
        );
        self.mail(&owner.email, "Your balance is low", text)
    }
}
