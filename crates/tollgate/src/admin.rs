//! What the operator can ask of the program from the command line, run either inside the server
//! (through its socket) or on the store itself while no server runs.

pub mod abuse;
pub mod audit;
mod catalogue;
mod drafts;
pub mod keep;
pub mod keeper;
pub mod lawful;
pub mod ledger;
pub mod numbers;
pub mod redeem;
pub mod staff;
pub mod top_up;
pub mod upstreams;

use app::api_key::{Environment, Pepper};
use app::{
    AdminError, AuditLog, Desk, Engine, KeyOrder, Lawful, OwnNumbers, People, RedeemCodes, Stock,
    TopUps, acting,
};
use domain::access::{Account, ApiKey, Scope};
use domain::audit_log::{Actor, By};
use domain::ids::{AccountId, KeyId};
use domain::ports::PageRows;
use domain::usd::Usd;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// One request of the operator.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Whether anybody answers.
    Ping,
    /// Makes an account.
    AccountCreate {
        /// E-mail.
        email: String,
        /// 0 to 3.
        tier: u8,
        /// For signing in, where one is given.
        password: Option<String>,
    },
    /// Lists all accounts.
    AccountList,
    /// Shows one account.
    AccountShow {
        /// Account id.
        id: i64,
    },
    /// Suspends or resumes an account.
    AccountSuspend {
        /// Account id.
        id: i64,
        /// Whether to suspend.
        suspended: bool,
    },
    /// Makes a key.
    KeyCreate {
        /// Account id.
        account: i64,
        /// Name.
        name: String,
        /// Requests per minute and action.
        rate_limit: Option<u32>,
        /// Scope words; empty means everything.
        scopes: Vec<String>,
    },
    /// Lists an account's keys.
    KeyList {
        /// Account id.
        account: i64,
    },
    /// Revokes a key.
    KeyRevoke {
        /// Key id.
        id: i64,
    },
    /// Puts money into a wallet.
    WalletCredit {
        /// Account id.
        account: i64,
        /// Dollars, at most six decimals.
        usd: String,
        /// Why.
        note: String,
    },
    /// Shows a wallet.
    WalletShow {
        /// Account id.
        account: i64,
    },
    /// Copies the store into a file.
    Backup {
        /// Where to; no relative path.
        file: PathBuf,
    },
    /// Re-derives the books.
    LedgerVerify,
    /// The house's books and the tickets.
    Ledger(ledger::Question),
    /// Redeem codes.
    Redeem(redeem::Question),
    /// Tiers, attestations and the do-not-use list.
    Lawful(lawful::Question),
    /// Top-ups.
    TopUp(top_up::Question),
    /// The audit log.
    Audit(audit::Question),
    /// The keys of stored secrets.
    Secrets(keeper::Question),
    /// Reports of abuse, legal holds, exports and deletions.
    Abuse(abuse::Question),
    /// Who works at the console.
    Staff(staff::Question),
    /// Reads all catalogues anew.
    CatalogueRefresh,
    /// Counts what is on sale.
    CatalogueStats,
    /// Lists services that nobody has classified.
    CatalogueUnclassified,
    /// Classifies a service.
    CatalogueClassify {
        /// Name of the service.
        name: String,
        /// Word of the class.
        class: String,
    },
    /// Shows changes of costs.
    CatalogueHistory {
        /// Only this service.
        service: Option<String>,
        /// Only this country.
        country: Option<String>,
        /// Only this upstream.
        upstream: Option<String>,
        /// Changes at most.
        limit: u32,
    },
    /// About the operator's own numbers.
    Number(numbers::Request),
    /// The accounts at providers.
    Upstream(upstreams::Question),
    /// Compares prices with those under other rules.
    CataloguePreview {
        /// Text of a settings file, or of its markup section.
        file: String,
        /// Tier whose prices are compared, and the account whose prices are compared instead.
        whose: (u8, Option<i64>),
        /// Examples at most.
        limit: u32,
    },
}

/// What requests work with.
#[derive(Clone)]
pub struct Office {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Its store.
    pub store: Arc<store::Database>,
    /// For new keys.
    pub pepper: Pepper,
    /// Printed inside new keys.
    pub environment: Environment,
    /// The use cases about people who sign in.
    pub people: Arc<People>,
    /// The operator's own numbers.
    pub numbers: Arc<OwnNumbers>,
    /// What is bought and sold.
    pub stock: Arc<Stock>,
    /// The use cases about redeem codes.
    pub redeem: Arc<RedeemCodes>,
    /// The use cases about attestations and the do-not-use list.
    pub lawful: Arc<Lawful>,
    /// The use cases about top-ups.
    pub top_ups: Arc<TopUps>,
    /// The audit log.
    pub audit: Arc<AuditLog>,
    /// Reads that only pages and exports need.
    pub pages: Arc<dyn PageRows>,
    /// The keys of stored secrets.
    pub keeper: Arc<keeper::Keeper>,
    /// The use cases of the console.
    pub desk: Arc<Desk>,
}

impl Office {
    /// Does what is asked on behalf of a user of the machine; gives one JSON object, or a sentence
    /// that says what is wrong.
    pub async fn answer(&self, request: Request, user: String) -> Result<Value, String> {
        let by = By::new(Actor::CommandLine(user));
        let outcome = acting(by, self.run(request)).await;
        outcome.map_err(|error| error.to_string())
    }

    async fn run(&self, request: Request) -> Result<Value, AdminError> {
        let engine = &self.engine;
        match request {
            Request::Ping => Ok(json!({ "ok": true })),
            Request::AccountCreate {
                email,
                tier,
                password,
            } => {
                let id = engine
                    .create_account(&email, tier, password.as_deref())
                    .await?;
                Ok(json!({ "account_id": id.0 }))
            }
            Request::AccountList => self.list_accounts().await,
            Request::AccountShow { id } => self.show_account(AccountId(id)).await,
            Request::AccountSuspend { id, suspended } => self.suspend(id, suspended).await,
            Request::KeyCreate {
                account,
                name,
                rate_limit,
                scopes,
            } => {
                let order = KeyOrder {
                    name,
                    rate_limit,
                    ..KeyOrder::default()
                };
                self.create_key(AccountId(account), order, &scopes).await
            }
            Request::KeyList { account } => self.list_keys(AccountId(account)).await,
            Request::KeyRevoke { id } => self.revoke_key(id).await,
            Request::WalletCredit { account, usd, note } => {
                self.credit(AccountId(account), &usd, &note).await
            }
            Request::WalletShow { account } => self.show_wallet(AccountId(account)).await,
            Request::Backup { file } => keep::back_up(self, file).await,
            Request::LedgerVerify => self.verify().await,
            Request::Ledger(question) => ledger::answer(engine, question).await,
            Request::Redeem(question) => redeem::answer(&self.redeem, question).await,
            Request::Lawful(question) => lawful::answer(self, question).await,
            Request::TopUp(question) => top_up::answer(&self.top_ups, question).await,
            Request::Audit(question) => audit::answer(&self.audit, question).await,
            Request::Abuse(question) => abuse::answer(self, question).await,
            Request::Secrets(question) => keeper::answer(self, question).await,
            Request::Staff(question) => staff::answer(&self.people, question).await,
            Request::CatalogueRefresh => Ok(self.refresh_catalogue().await),
            Request::Upstream(question) => upstreams::answer(self, question).await,
            Request::CatalogueStats => Ok(catalogue::stats(engine)),
            Request::CatalogueUnclassified => Ok(catalogue::unclassified(&self.stock)),
            Request::CatalogueClassify { name, class } => {
                catalogue::classify(&self.stock, &name, &class).await
            }
            Request::CatalogueHistory {
                service,
                country,
                upstream,
                limit,
            } => {
                let wanted = catalogue::wanted(service, country, upstream, limit)?;
                catalogue::history(engine, wanted).await
            }
            Request::Number(request) => numbers::answer(&self.numbers, request).await,
            Request::CataloguePreview { file, whose, limit } => {
                catalogue::preview(&self.stock, &file, whose, limit).await
            }
        }
    }

    async fn suspend(&self, id: i64, suspended: bool) -> Result<Value, AdminError> {
        let account = AccountId(id);
        self.engine.suspend_account(account, suspended).await?;
        Ok(json!({ "account_id": id, "suspended": suspended }))
    }

    async fn revoke_key(&self, id: i64) -> Result<Value, AdminError> {
        self.engine.revoke_key(KeyId(id)).await?;
        Ok(json!({ "key_id": id, "revoked": true }))
    }

    async fn list_accounts(&self) -> Result<Value, AdminError> {
        let accounts = self.engine.store().accounts().await?;
        let rows: Vec<Value> = accounts.iter().map(account_view).collect();
        Ok(json!({ "accounts": rows }))
    }

    async fn list_keys(&self, account: AccountId) -> Result<Value, AdminError> {
        self.known(account).await?;
        let keys = self.engine.store().keys(account).await?;
        let rows: Vec<Value> = keys.iter().map(key_view).collect();
        Ok(json!({ "keys": rows }))
    }

    async fn create_key(
        &self,
        account: AccountId,
        mut order: KeyOrder,
        scopes: &[String],
    ) -> Result<Value, AdminError> {
        let scopes = scopes.iter().map(|word| scope(word));
        order.scopes = scopes.collect::<Result<_, _>>()?;
        let tools = (self.environment, &self.pepper);
        let key = self.engine.issue_key(account, order, tools).await?;
        Ok(json!({ "api_key": key.text, "key_id": key.id.0 }))
    }

    async fn credit(&self, account: AccountId, usd: &str, note: &str) -> Result<Value, AdminError> {
        let amount = dollars(usd)?;
        self.engine.credit_wallet(account, amount, note).await?;
        self.show_wallet(account).await
    }

    async fn known(&self, id: AccountId) -> Result<Account, AdminError> {
        let found = self.engine.store().account(id).await?;
        found.ok_or_else(|| AdminError::NotFound(format!("account {id}")))
    }

    async fn show_account(&self, id: AccountId) -> Result<Value, AdminError> {
        let mut view = account_view(&self.known(id).await?);
        let wallet = self.show_wallet(id).await?;
        view["available"] = wallet["available"].clone();
        view["held"] = wallet["held"].clone();
        Ok(view)
    }

    async fn show_wallet(&self, id: AccountId) -> Result<Value, AdminError> {
        self.known(id).await?;
        let wallet = self
            .engine
            .store()
            .wallet(id)
            .await?
            .ok_or(AdminError::Storage)?;
        Ok(json!({
            "account_id": id.0,
            "available": wallet.available.to_string(),
            "held": wallet.held.to_string(),
            "uncleared": wallet.uncleared.to_string(),
            "due": wallet.receivable.to_string(),
            "currency": "USD",
        }))
    }

    async fn verify(&self) -> Result<Value, AdminError> {
        let audit = self.engine.audit_books().await?;
        let violations: Vec<Value> = audit
            .violations
            .iter()
            .map(|found| json!({ "rule": found.rule, "detail": found.detail }))
            .collect();
        Ok(json!({
            "ok": violations.is_empty(),
            "accounts": audit.accounts,
            "entries": audit.entries,
            "open_holds": audit.open_holds,
            "violations": violations,
        }))
    }

    async fn refresh_catalogue(&self) -> Value {
        let names: Vec<String> = {
            let numbers = self.engine.number_upstreams();
            numbers
                .chain(self.engine.panels())
                .map(str::to_owned)
                .collect()
        };
        let mut rows = Vec::new();
        for name in names {
            rows.push(match self.engine.refresh_upstream(&name).await.outcome {
                Ok(offers) => json!({ "upstream": name, "offers": offers }),
                Err(why) => json!({ "upstream": name, "error": why }),
            });
        }
        json!({ "upstreams": rows })
    }
}

fn dollars(text: &str) -> Result<Usd, AdminError> {
    Usd::parse(text).map_err(|_| {
        AdminError::Invalid(format!(
            "{text}: give dollars with at most six decimals, such as 12.50"
        ))
    })
}

fn scope(word: &str) -> Result<Scope, AdminError> {
    Scope::from_slug(word).ok_or_else(|| {
        AdminError::Invalid(format!(
            "--scope {word}: there are the scopes otp, smm and read"
        ))
    })
}

fn account_view(account: &Account) -> Value {
    json!({
        "account_id": account.id.0,
        "email": account.email,
        "tier": account.tier,
        "api_access": account.api_access,
        "suspended": account.suspended,
        "created_at": rfc3339(account.created_at.0),
    })
}

fn key_view(key: &ApiKey) -> Value {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.slug()).collect();
    json!({
        "key_id": key.id.0,
        "name": key.name,
        "public_id": key.public_id,
        "last4": key.last4,
        "scopes": scopes,
        "rate_limit": key.rate_limit,
        "revoked": key.revoked,
        "created_at": rfc3339(key.created_at.0),
    })
}

pub(super) fn rfc3339(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms)
        .map_or_else(|_| unix_ms.to_string(), |at| at.to_string())
}
