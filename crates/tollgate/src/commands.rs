//! Runs a command: finds the installation, asks the running server or opens the store, prints.

use crate::admin::Request;
use crate::admin::abuse;
use crate::admin::keep;
use crate::admin::lawful;
use crate::admin::ledger::Question;
use crate::admin::numbers::{self, NumberRow};
use crate::cli::{
    Account, Block, Catalogue, Cli, Command, Key, Ledger, Number, Place, Redeem, Subject, TopUp,
    Upstreams, Wallet,
};
use crate::print::{print, say};
use crate::reload::Reload;
use crate::server::TrustClock;
use crate::settings::{self, LogFormat, Settings};
use crate::{demo, doctor, logs, notify, os_user, secrets, server, socket};
use anyhow::{Context, bail};
use app::api_key::Environment;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Directory of a demo where none is named.
const DEMO_DIR: &str = "tollgate-demo";

/// Longest settings file that is compared: the request to the server is one bounded line.
const PREVIEW_MAX: usize = 32 * 1024;

/// Runs the command and gives its exit status: 0 done, 1 failed (2, usage, is the parser's).
pub async fn run(cli: Cli) -> ExitCode {
    let json = cli.json;
    match dispatch(cli).await {
        Ok(status) => status,
        Err(error) => failed(json, &format!("{error:#}")),
    }
}

/// Prints why a command failed and gives its exit status.
#[expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a command answers its caller"
)]
pub fn failed(json: bool, why: &str) -> ExitCode {
    if json {
        println!("{}", json!({ "ok": false, "error": why }));
    }
    eprintln!("tollgate: {why}");
    ExitCode::FAILURE
}

async fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let (place, json) = (cli.place, cli.json);
    let request = match cli.command {
        Command::Demo {
            listen,
            sandbox_url,
        } => {
            logs::to_stderr("warn", LogFormat::Text);
            let data_dir = place.data.unwrap_or_else(|| PathBuf::from(DEMO_DIR));
            demo::run(&data_dir, listen, sandbox_url).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Serve { trust_clock } => return serve(&place, trust_clock).await,
        Command::Sandbox { listen, offers } => return practice(listen, offers).await,
        Command::Init { directory } => return init(&directory, json),
        Command::CheckConfig => return check_config(&place, json),
        Command::Doctor => return Ok(doctor::run(&place, json).await),
        Command::Openapi => return Ok(openapi()),
        Command::Migrate { from: None, .. } => return migrate(&place, json).await,
        Command::Migrate {
            from: Some(from),
            to,
        } => return transfer(&from, to.as_deref().unwrap_or_default(), json),
        Command::Backup { file } => Request::Backup {
            file: std::path::absolute(file)?,
        },
        Command::Restore { file, force } => return restore(&place, file.as_deref(), force, json),
        Command::Account(command) => account_request(command),
        Command::Key(command) => key_request(command),
        Command::Wallet(command) => wallet_request(command),
        Command::Redeem(command) => redeem_request(command),
        Command::Block(command) => Request::Lawful(block_request(command)),
        Command::TopUp(command) => top_up_request(command)?,
        Command::Staff(command) => Request::Staff(command.into()),
        Command::Audit(command) => Request::Audit(command.question()?),
        Command::Abuse(command) => Request::Abuse(command.into()),
        Command::Hold(command) => Request::Abuse(command.into()),
        Command::Secrets(command) => Request::Secrets(command.into()),
        Command::Ledger(command) => ledger_request(command),
        Command::Upstream(Upstreams::List) => Request::UpstreamList,
        Command::Upstream(Upstreams::Test { name }) => Request::UpstreamTest { name },
        Command::Catalogue(command) => catalogue_request(command)?,
        Command::Number(command) => {
            print(&number(&place, command).await?, json);
            return Ok(ExitCode::SUCCESS);
        }
    };
    let result = answer(&place, request).await?;
    print(&result, json);
    Ok(if result["ok"] == Value::Bool(false) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn account_request(command: Account) -> Request {
    match command {
        Account::Create {
            email,
            password,
            tier,
        } => Request::AccountCreate {
            email,
            tier,
            password,
        },
        Account::Tier { account, tier } => {
            Request::Lawful(lawful::Question::Tier { account, tier })
        }
        Account::Attest { account, purpose } => {
            Request::Lawful(lawful::Question::Attest { account, purpose })
        }
        Account::Export { id } => Request::Abuse(abuse::Question::Export { account: id }),
        Account::Delete { id } => Request::Abuse(abuse::Question::Delete { account: id }),
        Account::List => Request::AccountList,
        Account::Show { id } => Request::AccountShow { id },
        Account::Suspend { id } => Request::AccountSuspend {
            id,
            suspended: true,
        },
        Account::Resume { id } => Request::AccountSuspend {
            id,
            suspended: false,
        },
    }
}

fn key_request(command: Key) -> Request {
    match command {
        Key::Create {
            account,
            name,
            rate_limit,
            scope,
        } => Request::KeyCreate {
            account,
            name,
            rate_limit,
            scopes: scope,
        },
        Key::List { account } => Request::KeyList { account },
        Key::Revoke { id } => Request::KeyRevoke { id },
    }
}

fn wallet_request(command: Wallet) -> Request {
    match command {
        Wallet::Credit { account, usd, note } => Request::WalletCredit { account, usd, note },
        Wallet::Show { account } => Request::WalletShow { account },
    }
}

fn block_request(command: Block) -> lawful::Question {
    // the parser takes exactly one of the two
    let subject = |given: Subject| match (given.number, given.target) {
        (Some(number), _) => lawful::Subject::Number(number),
        (None, target) => lawful::Subject::Target(target.unwrap_or_default()),
    };
    match command {
        Block::Add {
            subject: given,
            why,
        } => lawful::Question::Block {
            subject: subject(given),
            why,
        },
        Block::Remove { subject: given } => lawful::Question::Unblock {
            subject: subject(given),
        },
        Block::List => lawful::Question::Blocked,
    }
}

fn redeem_request(command: Redeem) -> Request {
    use crate::admin::redeem::Question;
    Request::Redeem(match command {
        Redeem::Create {
            usd,
            count,
            expires_days,
            gift,
            note,
        } => Question::Create {
            usd,
            count,
            expires_days,
            gift,
            note,
        },
        Redeem::List => Question::List,
        Redeem::Disable { id } => Question::Disable { id },
    })
}

fn top_up_request(command: TopUp) -> anyhow::Result<Request> {
    use crate::admin::top_up::Question;
    Ok(Request::TopUp(match command {
        TopUp::List { all } => Question::List { all },
        TopUp::Approve {
            id,
            usd,
            reference,
            reason,
        } => Question::Approve {
            id,
            usd,
            reference,
            reason,
        },
        TopUp::Reject { id, reason } => Question::Reject { id, reason },
        TopUp::Refund { id, usd, reason } => Question::Refund { id, usd, reason },
        TopUp::Import { file } => Question::Import {
            file: std::fs::read_to_string(&file)
                .with_context(|| format!("{} cannot be read", file.display()))?,
        },
        TopUp::Reconcile { day } => Question::Reconcile { day },
    }))
}

fn catalogue_request(command: Catalogue) -> anyhow::Result<Request> {
    Ok(match command {
        Catalogue::Refresh => Request::CatalogueRefresh,
        Catalogue::Stats => Request::CatalogueStats,
        Catalogue::Unclassified => Request::CatalogueUnclassified,
        Catalogue::Classify { name, class } => Request::CatalogueClassify { name, class },
        Catalogue::History {
            service,
            country,
            upstream,
            limit,
        } => Request::CatalogueHistory {
            service,
            country,
            upstream,
            limit,
        },
        Catalogue::Preview { file, tier, limit } => {
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("cannot read the settings file {}", file.display()))?;
            if text.len() > PREVIEW_MAX {
                bail!(
                    "{} is too long for a preview; give a file with nothing but [markup] in it",
                    file.display()
                );
            }
            Request::CataloguePreview {
                file: text,
                tier,
                limit,
            }
        }
    })
}

fn ledger_request(command: Ledger) -> Request {
    Request::Ledger(match command {
        Ledger::Verify => return Request::LedgerVerify,
        Ledger::Books {
            day,
            from,
            to,
            upstream,
        } => Question::Books {
            from: from.or_else(|| day.clone()),
            to: to.or(day),
            upstream,
        },
        Ledger::Tickets { all } => Question::Tickets { all },
        Ledger::Close { id, note } => Question::Close { id, note },
        Ledger::Pay { id, note } => Question::Pay { id, note },
    })
}

async fn number(place: &Place, command: Number) -> anyhow::Result<Value> {
    let request = match command {
        Number::Import { upstream, file } => return import_numbers(place, &upstream, &file).await,
        Number::Add {
            upstream,
            number,
            country,
            pool,
            only,
            never,
        } => {
            let row = NumberRow {
                number,
                country,
                pool,
                only,
                never,
            };
            let rows = vec![row];
            numbers::Request::Add { upstream, rows }
        }
        Number::List { upstream } => numbers::Request::List { upstream },
        Number::Retire { upstream, number } => numbers::Request::Retire { upstream, number },
        Number::Unmatched { limit } => numbers::Request::Unmatched { limit },
    };
    answer(place, Request::Number(request)).await
}

/// Numbers of a request: what the server reads is one bounded line.
const IMPORTED_AT_ONCE: usize = 300;

/// The whole file is read before the first number is sent; what is in service already is left as it
/// is, so that an import that was cut can be done again.
async fn import_numbers(place: &Place, upstream: &str, file: &Path) -> anyhow::Result<Value> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let rows = numbers::file_rows(&text, upstream)
        .map_err(|why| anyhow::anyhow!("{}: {why}", file.display()))?;
    let (mut added, mut already) = (0, 0);
    for rows in rows.chunks(IMPORTED_AT_ONCE) {
        let add = numbers::Request::Add {
            upstream: upstream.to_owned(),
            rows: rows.to_vec(),
        };
        let done = answer(place, Request::Number(add)).await?;
        added += done["added"].as_u64().unwrap_or(0);
        already += done["already"].as_u64().unwrap_or(0);
    }
    Ok(json!({ "added": added, "already": already }))
}

/// An installation that commands work on.
pub(crate) struct Installation {
    /// Its settings.
    pub settings: Settings,
    environment: Environment,
}

/// The settings file that is meant, unless it is a demo.
pub(crate) fn settings_file(place: &Place) -> Option<PathBuf> {
    let standard = PathBuf::from(settings::init::FILE);
    let in_data = place.data.as_ref().map(|data| data.join(&standard));
    let in_demo = demo::file(Path::new(DEMO_DIR)).exists() && !standard.exists();
    match (&place.config, in_data) {
        (Some(file), _) => Some(file.clone()),
        (None, Some(file)) => file.exists().then_some(file),
        (None, None) => (!in_demo).then_some(standard),
    }
}

/// The settings file or demo directory that is meant.
pub(crate) fn installation(place: &Place) -> anyhow::Result<Installation> {
    let standard = PathBuf::from(settings::init::FILE);
    match (&place.config, &place.data) {
        (Some(file), _) => live(file),
        (None, Some(directory)) => of_demo(directory),
        (None, None) if standard.exists() => live(&standard),
        (None, None) if demo::file(Path::new(DEMO_DIR)).exists() => of_demo(Path::new(DEMO_DIR)),
        (None, None) => bail!(
            "there is no tollgate.toml here; name the installation with --config FILE or --data \
             DIR, or make one with \"tollgate init\""
        ),
    }
}

fn live(file: &Path) -> anyhow::Result<Installation> {
    let (settings, report) = read_settings(file)?;
    let settings = settings.with_context(|| report.lines().join("\n"))?;
    Ok(Installation {
        settings,
        environment: Environment::Live,
    })
}

/// A data directory: the demo's, or the one of a settings file that lies in it.
fn of_demo(directory: &Path) -> anyhow::Result<Installation> {
    let file = directory.join(settings::init::FILE);
    if file.exists() {
        return live(&file);
    }
    if !demo::file(directory).exists() {
        bail!(
            "there is no tollgate.toml and no demo in {}",
            directory.display()
        );
    }
    Ok(Installation {
        settings: demo::offline(directory)?,
        environment: Environment::Demo,
    })
}

/// Reads a settings file as `serve` would.
pub(crate) fn read_settings(
    file: &Path,
) -> anyhow::Result<(Option<Settings>, settings::check::Report)> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the settings file {}", file.display()))?;
    let base = std::path::absolute(file)?
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default();
    let environment = |name: &str| std::env::var(name).ok();
    Ok(settings::check::check(&text, environment, &base, file))
}

/// Asks the running server, or does it on the store while none runs.
pub(crate) async fn answer(place: &Place, request: Request) -> anyhow::Result<Value> {
    let here = installation(place)?;
    let asked = socket::ask(&here.settings.store.data_dir, &request).await;
    let outcome = match asked.context("the running server did not answer")? {
        Some(outcome) => outcome,
        None => {
            logs::to_stderr("error", LogFormat::Text);
            let office = server::office(&here.settings, here.environment)?;
            office.engine.restore_catalogue().await;
            office.answer(request, os_user::own()).await
        }
    };
    outcome.map_err(|why| anyhow::anyhow!(why))
}

async fn serve(place: &Place, trust_clock: bool) -> anyhow::Result<ExitCode> {
    let file = place
        .config
        .clone()
        .unwrap_or_else(|| PathBuf::from(settings::init::FILE));
    let (settings, report) = read_settings(&file)?;
    let Some(settings) = settings else {
        bail!("{}", report.lines().join("\n"))
    };
    let level = logs::to_stderr(settings.log.level.word(), settings.log.format);
    for warning in &report.warnings {
        tracing::warn!("{warning}");
    }
    secrets::private_dir(&settings.store.data_dir)?;
    let announce = async |_: &crate::admin::Office, address: SocketAddr| {
        tracing::info!("serving on {address}");
        notify::tell(notify::READY);
        Ok(())
    };
    let trust = match trust_clock {
        true => TrustClock::Always,
        false => TrustClock::IfItFits,
    };
    let start = server::Start {
        environment: Environment::Live,
        trust,
        reload: Some(Reload { file, level }),
    };
    server::run(&settings, start, announce).await?;
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "this is what its user reads")]
async fn practice(listen: SocketAddr, offers: u32) -> anyhow::Result<ExitCode> {
    logs::to_stderr("warn", LogFormat::Text);
    let settings = sandbox::Settings {
        listen,
        state_file: None,
        seed: 1,
        offers: usize::try_from(offers)?,
    };
    let running = sandbox::Sandbox::start(settings)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    println!(
        "Practice providers on http://{}; what was sold: /_sandbox/orders",
        running.addr
    );
    server::stop_asked().await;
    running.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

fn init(directory: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let made = settings::init::write(directory, &secrets::random()?, &store::fresh_keys()?);
    let made = made.with_context(|| {
        format!(
            "cannot write {}",
            directory.join(settings::init::FILE).display()
        )
    })?;
    let files: Vec<String> = made.iter().map(|path| path.display().to_string()).collect();
    let next = "Edit tollgate.toml, then: tollgate check-config && tollgate serve";
    print(&json!({ "ok": true, "files": files, "next": next }), json);
    Ok(ExitCode::SUCCESS)
}

#[expect(
    clippy::print_stderr,
    reason = "problems go to the error stream, one a line"
)]
fn check_config(place: &Place, json: bool) -> anyhow::Result<ExitCode> {
    let file = place
        .config
        .clone()
        .unwrap_or_else(|| PathBuf::from(settings::init::FILE));
    let (_, report) = read_settings(&file)?;
    report.lines().iter().for_each(|line| eprintln!("{line}"));
    if json || report.is_ok() {
        print(&report.json(), json);
    }
    Ok(if report.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn openapi() -> ExitCode {
    say(&web::docs::openapi("http://127.0.0.1:8080"));
    ExitCode::SUCCESS
}

/// Opening the store brings it to this version's form; a running server has done so at its start.
async fn migrate(place: &Place, json: bool) -> anyhow::Result<ExitCode> {
    let here = installation(place)?;
    let running = socket::ask(&here.settings.store.data_dir, &Request::AccountList).await?;
    if running.is_none() {
        drop(server::office(&here.settings, here.environment)?);
    }
    print(
        &json!({ "ok": true, "server_running": running.is_some() }),
        json,
    );
    Ok(ExitCode::SUCCESS)
}

/// Says on the error stream how far it is.
#[expect(clippy::print_stderr, reason = "its user waits")]
fn transfer(from: &str, to: &str, json: bool) -> anyhow::Result<ExitCode> {
    logs::to_stderr("error", LogFormat::Text);
    let moved = keep::transfer(from, to, &mut |table, rows| {
        eprintln!("{table}: {rows} rows");
    })?;
    print(&moved, json);
    Ok(ExitCode::SUCCESS)
}

fn restore(
    place: &Place,
    file: Option<&Path>,
    force: bool,
    json: bool,
) -> anyhow::Result<ExitCode> {
    logs::to_stderr("error", LogFormat::Text);
    let here = installation(place)?;
    secrets::private_dir(&here.settings.store.data_dir)?;
    print(&keep::restore(&here.settings, file, force)?, json);
    Ok(ExitCode::SUCCESS)
}
