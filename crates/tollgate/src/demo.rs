//! `demo`: everything on one machine with nothing to configure.

mod misbehaving;
mod pool;

pub use misbehaving::MisbehavingPool;

use crate::admin::Office;
use crate::secrets;
use crate::server::{self, TrustClock};
use crate::settings::demo::{DemoAccount, DemoPlace, POOL};
use crate::settings::{Protocol, Secret, Settings};
use anyhow::Context;
use app::api_key::Environment;
use app::{KeyOrder, acting};
use domain::audit_log::{Actor, By};
use domain::ids::AccountId;
use domain::people::Role;
use domain::usd::Usd;
use sandbox::Sandbox;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// What the demo's account starts with.
const START_BALANCE: Usd = Usd(50_000_000);
const CUSTOMER: &str = "customer@example.com";
const OPERATOR: &str = "operator@example.com";
/// From which the practice providers' codes and numbers follow.
const SEED: u64 = 1;

/// The demo's file with everything a newcomer or a script needs.
pub fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("demo.json")
}

/// Settings of a demo's directory, for commands while no server runs.
pub fn offline(data_dir: &Path) -> anyhow::Result<Settings> {
    let pepper = secrets::of_demo(data_dir)?;
    settings(
        data_dir,
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        "http://127.0.0.1:9",
        &pepper,
    )
}

/// Runs the demo until a stop signal.
pub async fn run(
    data_dir: &Path,
    listen: SocketAddr,
    sandbox_url: Option<String>,
) -> anyhow::Result<()> {
    secrets::private_dir(data_dir)?;
    let pepper = secrets::of_demo(data_dir)?;
    let (practice, url) = match sandbox_url {
        Some(url) => (None, url.trim_end_matches('/').to_owned()),
        None => {
            let practice = start_sandbox(data_dir).await?;
            let url = format!("http://{}", practice.addr);
            (Some(practice), url)
        }
    };
    let settings = settings(data_dir, listen, &url, &pepper)?;
    let (known, office) = tokio::sync::oneshot::channel();
    let announce = async move |office: &Office, address: SocketAddr| {
        let by = By::new(Actor::System).because("the demo starts");
        let facts = acting(by, async {
            pool::stock(&office.numbers).await?;
            prepare(office, data_dir, address).await
        });
        let facts = facts.await?;
        secrets::write_private(&file(data_dir), &format!("{facts:#}\n"))?;
        greet(&facts, data_dir);
        // nobody listens where the program is already stopping
        let _ = known.send((office.clone(), address));
        Ok(())
    };
    let start = server::Start {
        environment: Environment::Demo,
        trust: TrustClock::IfItFits,
        reload: None,
    };
    let served = server::run(&settings, start, announce);
    let outcome = tokio::select! {
        outcome = served => outcome,
        never = pool::write_letters(office, &url) => match never {},
    };
    if let Some(practice) = practice {
        practice.shutdown().await;
    }
    outcome
}

async fn start_sandbox(data_dir: &Path) -> anyhow::Result<sandbox::Running> {
    let settings = sandbox::Settings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        state_file: Some(data_dir.join("sandbox.jsonl")),
        seed: SEED,
        offers: 0,
    };
    Sandbox::start(settings)
        .await
        .context("the practice providers cannot start; does another demo run on this directory?")
}

fn settings(
    data_dir: &Path,
    listen: SocketAddr,
    url: &str,
    pepper: &Secret,
) -> anyhow::Result<Settings> {
    // behind its server is a pool of the demo's own numbers
    let bought = sandbox::accounts().iter();
    let bought = bought.filter(|account| account.name != POOL);
    let accounts: Vec<DemoAccount<'_>> = bought.map(account).collect();
    let place = DemoPlace {
        listen,
        data_dir,
        sandbox_url: url,
        pepper,
    };
    crate::settings::demo::settings(&place, &accounts).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })
}

fn account(account: &sandbox::Account) -> DemoAccount<'_> {
    DemoAccount {
        name: account.name,
        server: account.server,
        provider_type: account.provider_type.into(),
        protocol: match account.protocol {
            sandbox::Protocol::HandlerApi => Protocol::HandlerApi,
            sandbox::Protocol::SmsPool => Protocol::SmsPool,
            sandbox::Protocol::FiveSim => Protocol::FiveSim,
            sandbox::Protocol::PanelV2 => Protocol::PanelV2,
        },
        path: account.path,
        key: account.key,
        dialect: account.dialect.word(),
        pools: account.pools,
        min_cancel_age_s: account.min_cancel_age_s,
    }
}

/// Makes the account with its money and key at the first start, and finds them again later.
async fn prepare(office: &Office, data_dir: &Path, address: SocketAddr) -> anyhow::Result<Value> {
    let before: Value = std::fs::read_to_string(file(data_dir))
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or(Value::Null);
    let accounts = office.engine.store().accounts().await?;
    let account = match accounts.iter().find(|known| known.email == CUSTOMER) {
        Some(known) => known.id,
        None => {
            let id = office.engine.create_account(CUSTOMER, 3, None).await?;
            office
                .engine
                .credit_wallet(id, START_BALANCE, "the demo's starting balance")
                .await?;
            id
        }
    };
    let api_key = match before["api_key"].as_str() {
        Some(key) if works(office, key, account).await => key.to_owned(),
        _ => issue(office, account).await?,
    };
    let kept = |role: &str, name: &str| before[role][name].as_str().map(str::to_owned);
    let password = match kept("customer", "password") {
        Some(known) => known,
        None => {
            let fresh = secrets::password()?;
            office.people.set_password(account, &fresh).await?;
            fresh
        }
    };
    let operator = operator(office, &before).await?;
    let base_url = format!("http://{address}");
    Ok(json!({
        "base_url": base_url,
        "dashboard_url": format!("{base_url}/"),
        "api_key": api_key,
        "account_id": account.0,
        "customer": { "email": CUSTOMER, "password": password },
        "operator": operator,
    }))
}

/// The demo's owner of the console, made at the first start.
async fn operator(office: &Office, before: &Value) -> anyhow::Result<Value> {
    let kept = |name: &str| before["operator"][name].as_str().map(str::to_owned);
    let password = kept("password").map_or_else(secrets::password, Ok)?;
    let totp_secret = kept("totp_secret").map_or_else(secrets::totp_secret, Ok)?;
    let rows = office.people.rows();
    if rows.person_by_email(OPERATOR, true).await?.is_none() {
        let secret = (password.as_str(), totp_secret.as_str());
        office
            .people
            .create_staff(OPERATOR, Role::Owner, secret)
            .await?;
    }
    Ok(json!({ "email": OPERATOR, "password": password, "totp_secret": totp_secret }))
}

async fn works(office: &Office, key: &str, account: AccountId) -> bool {
    let known = office.engine.authenticate(key, &office.pepper).await;
    matches!(known, Ok(Some(caller)) if caller.account.id == account)
}

async fn issue(office: &Office, account: AccountId) -> anyhow::Result<String> {
    let order = KeyOrder {
        name: "demo".to_owned(),
        ..KeyOrder::default()
    };
    let key = office
        .engine
        .issue_key(account, order, (Environment::Demo, &office.pepper))
        .await?;
    Ok(key.text)
}

#[expect(clippy::print_stdout, reason = "this is what the newcomer reads")]
fn greet(facts: &Value, data_dir: &Path) {
    let text = |name: &str| facts[name].as_str().unwrap_or_default().to_owned();
    let (base, key) = (text("base_url"), text("api_key"));
    let password = facts["customer"]["password"].as_str().unwrap_or_default();
    let operator = |name: &str| facts["operator"][name].as_str().unwrap_or_default();
    println!(
        "Tollgate demo: practice providers, one account with $50.00, nothing leaves this machine.

  Dashboard {base}/   (sign in: {CUSTOMER}, password {password})
  Console   {base}/console   (sign in: {OPERATOR}, password {},
            secret for your authenticator app {})
  Docs      {base}/docs
  API       {base}/api/v1
  API key   {key}
  Data      {}

Buy a number (its code arrives after 4 seconds):

  curl -X POST '{base}/api/v1/otp?action=buy_number' -H 'X-API-Key: {key}' \\
    -H 'Content-Type: application/json' -d '{{\"service_id\":\"306343\",\"country_id\":\"61\"}}'

Stop with Ctrl-C; the same command goes on where this one ended.",
        operator("password"),
        operator("totp_secret"),
        data_dir.display()
    );
}
