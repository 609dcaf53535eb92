//! Accounts, keys and credits: what the operator does to them.

use crate::api_key::{self, Environment, Pepper};
use crate::engine::Engine;
use crate::people::password;
use crate::refusal::Refusal;
use domain::access::{Account, ApiKey, Caller, Scope};
use domain::change::{CommitError, Refused, Write};
use domain::ids::{AccountId, KeyId, PersonId};
use domain::people::{PeopleWrite, Person, Role};
use domain::policy::PolicyWrite;
use domain::time::Timestamp;
use domain::usd::Usd;
use std::net::IpAddr;
use std::sync::Arc;

/// Why an operator's request was not done. The sentence is for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    /// A value is unusable; which and why.
    #[error("{0}")]
    Invalid(String),
    /// A field of a form is unusable; why.
    #[error("{why}")]
    Field {
        /// The field's name in forms.
        field: &'static str,
        /// Why.
        why: String,
    },
    /// There is no such account or key.
    #[error("there is no {0}")]
    NotFound(String),
    /// The e-mail belongs to another account.
    #[error("an account with the e-mail {0} exists already")]
    EmailTaken(String),
    /// It was done already, came too late, or what there is does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// Somebody else has to do it.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The store failed.
    #[error("the store could not take the change; nothing is known to be written")]
    Storage,
}

/// A new key, shown this once.
pub struct IssuedKey {
    /// The key.
    pub text: String,
    /// Its row.
    pub id: KeyId,
}

/// What a new key is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyOrder {
    /// Name given by its owner, 1 to 64 characters.
    pub name: String,
    /// Requests per minute and action; nothing means the general limit.
    pub rate_limit: Option<u32>,
    /// What it may do; empty means everything.
    pub scopes: Vec<Scope>,
    /// Addresses (plain or CIDR) it may be used from; empty means everywhere.
    pub allowed_addresses: Vec<String>,
    /// End of validity.
    pub expires_at: Option<Timestamp>,
}

impl KeyOrder {
    /// The same as an existing key.
    pub(crate) fn like(key: &ApiKey) -> Self {
        Self {
            name: key.name.clone(),
            rate_limit: key.rate_limit,
            scopes: key.scopes.clone(),
            allowed_addresses: key.allowed_addresses.clone(),
            expires_at: key.expires_at,
        }
    }

    /// The order with a clean name and addresses, or what is wrong with it.
    fn checked(self) -> Result<Self, AdminError> {
        let invalid = |field, why: String| Err(AdminError::Field { field, why });
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
            return invalid("name", "the name must have 1 to 64 characters".to_owned());
        }
        if self.rate_limit == Some(0) {
            return invalid("rate_limit", "the rate limit must be at least 1".to_owned());
        }
        if self.allowed_addresses.len() > ADDRESSES_MAX {
            return invalid("addresses", format!("at most {ADDRESSES_MAX} addresses"));
        }
        if let Some(bad) = self.allowed_addresses.iter().find(|one| !is_network(one)) {
            let why = format!("\"{bad}\" is neither an address nor a network such as 192.0.2.0/24");
            return invalid("addresses", why);
        }
        Ok(Self { name, ..self })
    }
}

/// Addresses a key can be restricted to at most.
const ADDRESSES_MAX: usize = 50;

/// Whether a text is an address, plain or with the bits of a network.
fn is_network(text: &str) -> bool {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, bits.parse().ok()),
        None => (text, Some(0_u8)),
    };
    match (address.parse::<IpAddr>(), bits) {
        (Ok(IpAddr::V4(_)), Some(bits)) => bits <= 32,
        (Ok(IpAddr::V6(_)), Some(bits)) => bits <= 128,
        _ => false,
    }
}

impl From<CommitError> for AdminError {
    fn from(_: CommitError) -> Self {
        Self::Storage
    }
}

impl From<domain::ports::StoreError> for AdminError {
    fn from(_: domain::ports::StoreError) -> Self {
        Self::Storage
    }
}

/// Whether a text can be an e-mail address: one @, a dotted host, plain printable characters.
pub(crate) fn is_email(text: &str) -> bool {
    let plain = text.len() <= 254 && text.bytes().all(|b| b.is_ascii_graphic());
    let Some((local, host)) = text.split_once('@') else {
        return false;
    };
    let labels: Vec<&str> = host.split('.').collect();
    let host_fits = labels.len() >= 2
        && labels.iter().all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
    plain && !local.is_empty() && local.len() <= 64 && host_fits && !local.contains(['<', '>', '"'])
}

fn hash_password(password: &str) -> Result<String, AdminError> {
    if !password::fits(password) {
        return Err(AdminError::Invalid(password::bounds()));
    }
    let unhashed = || AdminError::Invalid("the password cannot be hashed".to_owned());
    password::hash_now(password).ok_or_else(unhashed)
}

impl Engine {
    /// A new account with an empty wallet, API access and somebody who signs in for it: at once
    /// where a password is given, else after a mailed link has set one.
    pub async fn create_account(
        &self,
        email: &str,
        tier: u8,
        password: Option<&str>,
    ) -> Result<AccountId, AdminError> {
        let email = email.trim().to_ascii_lowercase();
        if !is_email(&email) {
            return Err(AdminError::Invalid(format!(
                "\"{email}\" is not an e-mail address"
            )));
        }
        if tier > 3 {
            return Err(AdminError::Invalid(
                "the tier must be 0, 1, 2 or 3".to_owned(),
            ));
        }
        let account = Account {
            id: AccountId(self.outside.store.next_row_id()),
            email: email.clone(),
            tier,
            api_access: true,
            suspended: false,
            created_at: self.now(),
        };
        let id = account.id;
        let person = Person {
            id: PersonId(self.outside.store.next_row_id()),
            version: 0,
            email: email.clone(),
            role: Role::Customer,
            account: Some(id),
            password: password.map(hash_password).transpose()?,
            // whoever made the account knows whose it is
            verified_at: Some(self.now()),
            totp: None,
            disabled: false,
            created_at: self.now(),
        };
        let writes = vec![
            Write::InsertAccount(Box::new(account)),
            Write::People(PeopleWrite::Insert(Box::new(person))),
        ];
        match self.commit("create_account", writes).await {
            Ok(()) => Ok(id),
            Err(CommitError::Refused(Refused::EmailTaken)) => Err(AdminError::EmailTaken(email)),
            Err(error) => Err(error.into()),
        }
    }

    async fn known_account(&self, id: AccountId) -> Result<Account, AdminError> {
        let found = self.store().account(id).await?;
        found.ok_or_else(|| AdminError::NotFound(format!("account {id}")))
    }

    /// Suspends or resumes an account. Takes effect at once; open orders settle either way. Cases against an
    /// account that is resumed stay open and hold nothing any longer; a closure that is proposed is withdrawn.
    ///
    /// # Errors
    /// There is none, or it is closed and cannot go on.
    pub async fn suspend_account(&self, id: AccountId, suspended: bool) -> Result<(), AdminError> {
        let name = match suspended {
            true => "suspend_account",
            false => "resume_account",
        };
        let account = Account {
            suspended,
            ..self.known_account(id).await?
        };
        let mut writes = vec![Write::UpdateAccount(Box::new(account))];
        if !suspended {
            // whoever lets it go on has looked at what held it
            writes.push(Write::Policy(PolicyWrite::EaseCases(id)));
        }
        let written = self.commit(name, writes).await;
        self.callers.forget_account(id);
        self.in_force_changed().await;
        match written {
            Err(CommitError::Refused(Refused::Stale)) => Err(AdminError::Conflict(
                "two persons have closed this account: it stays closed".to_owned(),
            )),
            outcome => Ok(outcome?),
        }
    }

    /// Switches an account's API access on or off.
    pub async fn set_api_access(&self, id: AccountId, api_access: bool) -> Result<(), AdminError> {
        let account = Account {
            api_access,
            ..self.known_account(id).await?
        };
        self.update_account("set_api_access", account).await
    }

    /// Moves an account to another tier: what it may buy, how much, and at which prices. Takes effect
    /// at once.
    pub async fn set_tier(&self, id: AccountId, tier: u8) -> Result<(), AdminError> {
        if tier > 3 {
            return Err(AdminError::Invalid(
                "the tier must be 0, 1, 2 or 3".to_owned(),
            ));
        }
        let account = Account {
            tier,
            ..self.known_account(id).await?
        };
        self.update_account("set_tier", account).await
    }

    async fn update_account(&self, name: &'static str, account: Account) -> Result<(), AdminError> {
        let id = account.id;
        self.commit(name, vec![Write::UpdateAccount(Box::new(account))])
            .await?;
        self.callers.forget_account(id);
        Ok(())
    }

    /// Issues a key; its text is given out this once.
    pub async fn issue_key(
        &self,
        account: AccountId,
        order: KeyOrder,
        made_by: (Environment, &Pepper),
    ) -> Result<IssuedKey, AdminError> {
        let also = (Vec::new(), "");
        self.issue_key_with(account, order, made_by, also).await
    }

    /// A new key in one commit with other writes; `taken` says why there is none where one of them
    /// claims what is claimed already.
    pub(crate) async fn issue_key_with(
        &self,
        account: AccountId,
        order: KeyOrder,
        (environment, pepper): (Environment, &Pepper),
        (also, taken): (Vec<Write>, &'static str),
    ) -> Result<IssuedKey, AdminError> {
        let holder = self.known_account(account).await?;
        let order = order.checked()?;
        self.in_force().await?;
        let random = api_key::fresh_random()
            .map_err(|error| AdminError::Invalid(format!("no randomness to be had: {error}")))?;
        let fresh = api_key::generate(environment, &random);
        let key = ApiKey {
            id: KeyId(self.outside.store.next_row_id()),
            account,
            public_id: fresh.public_id().to_owned(),
            mac: fresh.mac(pepper),
            name: order.name,
            last4: fresh.last4().to_owned(),
            scopes: order.scopes,
            rate_limit: order.rate_limit,
            allowed_addresses: order.allowed_addresses,
            created_at: self.now(),
            expires_at: order.expires_at,
            disabled: false,
            revoked: false,
        };
        let id = key.id;
        let most = self.bounds_of(&holder).keys;
        let room = most.map(|most| Write::Policy(PolicyWrite::RoomForKey { account, most }));
        let insert = [Write::InsertKey(Box::new(key))];
        let writes = also.into_iter().chain(room).chain(insert);
        match self.commit("issue_key", writes.collect()).await {
            Err(CommitError::Refused(Refused::TooManyKeys)) => {
                let (tier, most) = (holder.tier, most.unwrap_or_default());
                let why = format!(
                    "this account, of tier {tier}, may have {most} keys that work: revoke one first"
                );
                return Err(AdminError::Conflict(why));
            }
            Err(CommitError::Refused(Refused::KeyTaken)) => {
                return Err(AdminError::Conflict(taken.to_owned()));
            }
            outcome => outcome?,
        }
        Ok(IssuedKey {
            text: fresh.reveal().to_owned(),
            id,
        })
    }

    /// Changes what may change of an account's own key; takes effect at once. An end that was set
    /// stays unless the order has another one.
    pub(crate) async fn change_key(
        &self,
        account: AccountId,
        id: KeyId,
        order: KeyOrder,
        disabled: bool,
    ) -> Result<(), AdminError> {
        let key = self.own_key(account, id).await?;
        let order = order.checked()?;
        let key = ApiKey {
            name: order.name,
            rate_limit: order.rate_limit,
            scopes: order.scopes,
            allowed_addresses: order.allowed_addresses,
            expires_at: order.expires_at.or(key.expires_at),
            disabled,
            ..key
        };
        self.commit("change_key", vec![Write::UpdateKey(Box::new(key))])
            .await?;
        self.callers.forget_account(account);
        Ok(())
    }

    /// A key of this account that is not revoked; another account's is as good as none.
    async fn own_key(&self, account: AccountId, id: KeyId) -> Result<ApiKey, AdminError> {
        let found = self.store().key(id).await?;
        found
            .filter(|key| key.account == account && !key.revoked)
            .ok_or_else(|| AdminError::NotFound(format!("key {id}")))
    }

    /// Revokes one of an account's own keys, at once.
    pub async fn revoke_own_key(&self, account: AccountId, id: KeyId) -> Result<(), AdminError> {
        self.own_key(account, id).await?;
        self.revoke_key(id).await
    }

    /// Revokes a key, at once.
    pub async fn revoke_key(&self, id: KeyId) -> Result<(), AdminError> {
        let found = self.store().key(id).await?;
        let key = found.ok_or_else(|| AdminError::NotFound(format!("key {id}")))?;
        self.commit(
            "revoke_key",
            vec![Write::RevokeKey {
                account: key.account,
                key: id,
            }],
        )
        .await?;
        self.callers.forget_account(key.account);
        Ok(())
    }

    /// Puts money into a wallet and gives what is available afterwards.
    pub async fn credit_wallet(
        &self,
        account: AccountId,
        amount: Usd,
        note: &str,
    ) -> Result<Usd, AdminError> {
        self.known_account(account).await?;
        if amount <= Usd::ZERO {
            return Err(AdminError::Invalid(
                "the amount must be above zero".to_owned(),
            ));
        }
        let note = note.trim().to_owned();
        if note.is_empty() {
            return Err(AdminError::Invalid(
                "a credit needs a note that says why".to_owned(),
            ));
        }
        let row = self.outside.store.next_row_id();
        self.commit(
            "credit_wallet",
            vec![Write::Credit {
                account,
                row,
                amount,
                note,
            }],
        )
        .await?;
        let wallet = self.store().wallet(account).await?;
        wallet
            .map(|wallet| wallet.available)
            .ok_or(AdminError::Storage)
    }

    /// The account behind a presented key, from memory where it is known. Nothing for a key that
    /// is unknown, wrong, revoked or rotated out: these cannot be told apart.
    pub async fn authenticate(
        &self,
        presented: &str,
        pepper: &Pepper,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        let Some(key) = api_key::parse(presented) else {
            return Ok(None);
        };
        let version = self.store().access_version();
        let caller = match self.callers.get(key.public_id(), version) {
            Some(caller) => caller,
            None => match self.store().caller(key.public_id()).await? {
                Some(caller) => {
                    let caller = Arc::new(caller);
                    self.callers.put(Arc::clone(&caller), version);
                    caller
                }
                None => return Ok(None),
            },
        };
        // whoever only guessed a key's id says nothing about its account
        if !api_key::matches(pepper, &key, &caller.key.mac) {
            return Ok(None);
        }
        let over = caller.key.revoked || self.is_rotated_out(&caller.key).await?;
        if over {
            self.signals.key_failed(caller.account.id, self.now());
        }
        Ok((!over).then_some(caller))
    }
}

#[cfg(test)]
mod tests {
    use super::is_email;

    #[test]
    fn passwords_are_hashed_with_a_salt_of_their_own() {
        let hash = |text: &str| super::hash_password(text);
        let (one, two) = (
            hash("correct horse").unwrap(),
            hash("correct horse").unwrap(),
        );
        assert!(one.starts_with("$argon2id$") && one != two);
        assert!(hash("1234567").is_err());
        assert!(hash(&"a".repeat(2000)).is_err());
    }

    #[test]
    fn emails_are_plain() {
        assert!(is_email("ana@example.com"));
        for bad in [
            "",
            "ana",
            "ana@",
            "@example.com",
            "a@b",
            "a b@example.com",
            "a@@example.com",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
        assert!(!is_email("ana@example.com\r\nBcc: x@example.com"));
        assert!(!is_email(&format!("{}@example.com", "a".repeat(300))));
    }
}
