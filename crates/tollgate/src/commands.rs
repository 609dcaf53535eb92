//! Runs a command and prints what came of it.

use crate::admin::Request;
use crate::admin::keep;
use crate::admin::numbers::{self, NumberRow};
use crate::cli::{Cli, Command, Number, Place};
use crate::installation::{DEMO_DIR, answer, installation, read_settings};
use crate::print::{print, say};
use crate::reload::Reload;
use crate::server::TrustClock;
use crate::settings::{self, LogFormat};
use crate::traces::Collector;
use crate::{assembly, demo, doctor, logs, notify, secrets, server, socket};
use anyhow::{Context, bail};
use app::api_key::Environment;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

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
        Command::Account(command) => command.into(),
        Command::Key(command) => command.into(),
        Command::Wallet(command) => command.into(),
        Command::Redeem(command) => command.into(),
        Command::Block(command) => Request::Lawful(command.into()),
        Command::TopUp(command) => command.request()?,
        Command::Staff(command) => Request::Staff(command.into()),
        Command::Audit(command) => Request::Audit(command.question()?),
        Command::Abuse(command) => Request::Abuse(command.into()),
        Command::Hold(command) => Request::Abuse(command.into()),
        Command::Secrets(command) => Request::Secrets(command.into()),
        Command::Ledger(command) => command.into(),
        Command::Upstream(command) => command.into(),
        Command::Catalogue(command) => command.request()?,
        Command::Number(command) => {
            print(&number(&place, command).await?, json);
            return Ok(ExitCode::SUCCESS);
        }
    };
    let result = answer(&place, request).await?;
    in_sight(&result)?;
    print(&result, json);
    Ok(if result["ok"] == Value::Bool(false) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// A file that a running server wrote must be there for whoever asked too: a service may have a /tmp of
/// its own.
fn in_sight(result: &Value) -> anyhow::Result<()> {
    let Some(file) = result["file"].as_str() else {
        return Ok(());
    };
    std::fs::metadata(file).map(drop).with_context(|| {
        format!(
            "the running server has written {file}, but it is not to be seen from here: a service has a \
             /tmp of its own; name a directory that both see, such as /var/backups/tollgate"
        )
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

async fn serve(place: &Place, trust_clock: bool) -> anyhow::Result<ExitCode> {
    let file = place
        .config
        .clone()
        .unwrap_or_else(|| PathBuf::from(settings::init::FILE));
    let (settings, report) = read_settings(&file)?;
    let Some(settings) = settings else {
        bail!("{}", report.lines().join("\n"))
    };
    let collector = settings.traces.as_ref().map(Collector::new).transpose()?;
    let log = &settings.log;
    let level = logs::with_traces(log.level.word(), log.format, collector.as_ref());
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
    let ran = server::run(&settings, start, announce).await;
    if let Some(collector) = collector {
        collector.end().await;
    }
    ran?;
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
    let running = socket::ask(&here.settings.store.data_dir, &Request::Ping).await?;
    if running.is_none() {
        drop(assembly::office(&here.settings, here.environment)?);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_only_the_server_sees_is_no_success() {
        let why = in_sight(&json!({ "ok": true, "file": "/nowhere/copy.db" })).unwrap_err();
        assert!(why.to_string().contains("/nowhere/copy.db"), "{why}");
        let here = std::env::current_exe().unwrap();
        in_sight(&json!({ "file": here.to_str().unwrap() })).unwrap();
        in_sight(&json!({ "ok": true, "file": null })).unwrap();
    }
}
