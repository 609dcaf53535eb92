//! `tollgate doctor`: looks at everything that an installation stands on, and says of each thing that
//! is not as it should be what to do about it. Changes nothing, buys nothing.

use crate::admin::Request;
use crate::admin::upstreams::Question;
use crate::cli::Place;
use crate::demo;
use crate::installation::{DEMO_DIR, Installation, installation, read_settings, settings_file};
use crate::print::say;
use crate::settings::{Engine, Settings};
use crate::socket;
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// Free space below which new orders are in danger soon, and at once.
const SPACE_WARN_MIB: u64 = 1024;
const SPACE_FAIL_MIB: u64 = 128;
/// How long an address may take to answer.
const REACH: Duration = Duration::from_secs(5);
/// How long one upstream's trial may take.
const TRIAL: Duration = Duration::from_secs(60);
/// How long the look at the books may take: a large journal is long.
const BOOKS: Duration = Duration::from_secs(300);

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Ok,
    /// Works, but should be looked at.
    Warn,
    /// Does not work, or not for long.
    Fail,
}

impl State {
    /// As it is printed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What was found of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it stands.
    pub state: State,
    /// What was seen.
    pub found: String,
    /// What to do; empty where nothing is to be done.
    pub advice: String,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Ok,
            found: found.into(),
            advice: String::new(),
        }
    }

    fn not_ok(
        check: &'static str,
        state: State,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            state,
            advice: advice.into(),
            ..Self::ok(check, found)
        }
    }

    /// One line for a person.
    fn line(&self) -> String {
        let Self { check, found, .. } = self;
        let line = format!("{:<4}  {check}: {found}", self.state.word());
        match self.advice.as_str() {
            "" => line,
            advice => format!("{line}\n      {advice}"),
        }
    }
}

/// Looks, and prints what was found; fails if anything does.
pub async fn run(place: &Place, json: bool) -> ExitCode {
    let findings = look(place).await;
    let report = report(&findings);
    if json {
        say(&report.to_string());
    } else {
        findings.iter().for_each(|finding| say(&finding.line()));
    }
    match report["ok"].as_bool() {
        Some(true) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// All findings as one object.
fn report(findings: &[Finding]) -> Value {
    let row = |one: &Finding| {
        json!({
            "check": one.check, "state": one.state.word(), "found": one.found, "advice": one.advice,
        })
    };
    let ok = findings.iter().all(|one| one.state != State::Fail);
    json!({ "ok": ok, "checks": findings.iter().map(row).collect::<Vec<_>>() })
}

/// Looks at everything, the settings first: without them there is nothing else to look at.
async fn look(place: &Place) -> Vec<Finding> {
    let mut findings = settings(place);
    if let Some(finding) = keyless_demo(place) {
        findings.push(finding);
        return findings;
    }
    let here = match installation(place) {
        Ok(here) => here,
        Err(error) => {
            let advice = "mend the settings first: tollgate check-config";
            let found = format!("{error:#}");
            if findings.is_empty() {
                findings.push(Finding::not_ok("settings", State::Fail, found, advice));
            }
            return findings;
        }
    };
    let Installation { settings, .. } = &here;
    findings.push(data_dir(&settings.store.data_dir));
    findings.push(space(&settings.store.data_dir));
    findings.push(machine_clock());
    findings.extend(entrance(settings).await);
    let data_dir = &settings.store.data_dir;
    let server = server(timeout(REACH, socket::ask(data_dir, &Request::Ping)).await);
    let runs = server.state == State::Ok;
    findings.push(server);
    if !runs {
        findings.push(unseen());
        return findings;
    }
    let verified = asked(data_dir, Request::LedgerVerify, BOOKS).await;
    findings.extend(books(&settings.store.engine, verified));
    for one in &settings.upstreams {
        findings.push(upstream(data_dir, &one.name).await);
    }
    findings
}

/// A demo from before it had all its key files: to read its settings would make them.
fn keyless_demo(place: &Place) -> Option<Finding> {
    let folder = match settings_file(place) {
        Some(_) => return None,
        None => place.data.clone().unwrap_or_else(|| DEMO_DIR.into()),
    };
    let is_there = |file: &str| folder.join(file).exists();
    let whole = is_there("tollgate.pepper") && is_there("tollgate.keys");
    if whole || !demo::file(&folder).exists() {
        return None;
    }
    let found = format!("{} has no key files", folder.display());
    let advice = "start it once: tollgate demo";
    Some(Finding::not_ok("settings", State::Fail, found, advice))
}

/// Only a server looks into the store: opening it would bring it to this version's form.
fn unseen() -> Finding {
    let found = "not looked at, and upstreams not tried: no server answers";
    let advice = "start the server and ask again";
    Finding::not_ok("store", State::Warn, found, advice)
}

/// What the running server answers, if it does in time.
async fn asked(data_dir: &Path, request: Request, patience: Duration) -> anyhow::Result<Value> {
    let answer = timeout(patience, socket::ask(data_dir, &request)).await;
    let answer = answer.map_err(|_| anyhow::anyhow!("no answer within {patience:?}"))??;
    let answer = answer.ok_or_else(|| anyhow::anyhow!("the server has stopped"))?;
    answer.map_err(|why| anyhow::anyhow!(why))
}

/// What `check-config` says, which includes the modes of files with secrets.
fn settings(place: &Place) -> Vec<Finding> {
    let Some(file) = settings_file(place) else {
        return vec![Finding::ok("settings", "those of a demo")];
    };
    let report = match read_settings(&file) {
        Ok((_, report)) => report,
        Err(error) => {
            let advice = "name the file with --config FILE, or make one with: tollgate init";
            let found = format!("{error:#}");
            return vec![Finding::not_ok("settings", State::Fail, found, advice)];
        }
    };
    let advice = format!("edit {}; docs/settings.md explains it", file.display());
    let finding = |state| {
        let advice = advice.clone();
        move |problem: &crate::settings::Problem| {
            Finding::not_ok("settings", state, problem.to_string(), advice.clone())
        }
    };
    let problems = report.problems.iter().map(finding(State::Fail));
    let warnings = report.warnings.iter().map(finding(State::Warn));
    let found: Vec<_> = problems.chain(warnings).collect();
    if found.is_empty() {
        return vec![Finding::ok("settings", file.display().to_string())];
    }
    found
}

/// Numbers and codes lie in it: it is its owner's alone, and must take writes.
fn data_dir(folder: &Path) -> Finding {
    const CHECK: &str = "data directory";
    let shown = folder.display();
    let Ok(facts) = std::fs::metadata(folder) else {
        let advice = "it is made at the first start; if there was one, look at store.data_dir";
        return Finding::not_ok(CHECK, State::Warn, format!("{shown} is not there"), advice);
    };
    let mode = facts.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let found = format!("{shown} has mode {mode:o}: others on this machine can look into it");
        return Finding::not_ok(CHECK, State::Fail, found, format!("run: chmod 700 {shown}"));
    }
    let mut test = Command::new("test");
    let writable = test.arg("-w").arg(folder).status();
    if writable.is_ok_and(|status| status.success()) {
        return Finding::ok(CHECK, format!("{shown}, mode {mode:o}, takes writes"));
    }
    let found = format!("{shown} takes no writes");
    let advice = "run this as the program's user, and see that the directory is its own";
    Finding::not_ok(CHECK, State::Fail, found, advice)
}

fn space(folder: &Path) -> Finding {
    const CHECK: &str = "disk space";
    let Some(free) = free_mib(folder) else {
        let advice = "look with: df";
        return Finding::not_ok(CHECK, State::Warn, "could not be measured", advice);
    };
    judged_space(free)
}

fn judged_space(free_mib: u64) -> Finding {
    const CHECK: &str = "disk space";
    let found = format!("{free_mib} MiB are free");
    let advice = "make room: without it no order is taken, and what is open waits";
    match free_mib {
        0..SPACE_FAIL_MIB => Finding::not_ok(CHECK, State::Fail, found, advice),
        SPACE_FAIL_MIB..SPACE_WARN_MIB => Finding::not_ok(CHECK, State::Warn, found, advice),
        _ => Finding::ok(CHECK, found),
    }
}

/// As `df` says, which every system has.
fn free_mib(folder: &Path) -> Option<u64> {
    let mut df = Command::new("df");
    let output = df.args(["-Pk", "--"]).arg(folder).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let free: u64 = text
        .lines()
        .nth(1)?
        .split_whitespace()
        .nth(3)?
        .parse()
        .ok()?;
    Some(free / 1024)
}

/// Whether somebody keeps the machine's clock right.
fn machine_clock() -> Finding {
    const CHECK: &str = "clock";
    let mut ask = Command::new("timedatectl");
    let said = ask.args(["show", "--property", "NTPSynchronized", "--value"]);
    let said = said.output().ok().filter(|output| output.status.success());
    let said = said.and_then(|output| String::from_utf8(output.stdout).ok());
    match said.as_deref().map(str::trim) {
        Some("yes") => Finding::ok(CHECK, "is kept in time"),
        Some(_) => {
            let advice = "switch a time service on: timedatectl set-ntp true";
            Finding::not_ok(CHECK, State::Warn, "nobody keeps it in time", advice)
        }
        None => Finding::not_ok(
            CHECK,
            State::Warn,
            "nobody could be asked whether it is kept in time",
            "see that the machine has a time service; second factors and webhooks need it",
        ),
    }
}

/// Where customers come in: encrypted, and somebody answers.
async fn entrance(settings: &Settings) -> Vec<Finding> {
    const CHECK: &str = "public address";
    let Some(url) = &settings.listen.public_url else {
        let advice = "set listen.public_url; links in mails and webhooks need it";
        let found = "is not set";
        return vec![Finding::not_ok(CHECK, State::Warn, found, advice)];
    };
    let place = url::Url::parse(url).ok();
    let host = place
        .as_ref()
        .and_then(|url| url.host_str())
        .unwrap_or_default();
    let port = place.as_ref().and_then(url::Url::port_or_known_default);
    let mut findings = Vec::new();
    if !url.starts_with("https://") && host != "127.0.0.1" && host != "localhost" {
        let advice = "give listen.tls_cert_file and listen.tls_key_file, or put a proxy with TLS in \
                      front, and write https:// in listen.public_url";
        let found = format!("{url} is not encrypted: keys travel readable");
        findings.push(Finding::not_ok(CHECK, State::Fail, found, advice));
    }
    findings.push(match reach(host, port.unwrap_or(443)).await {
        Ok(address) => Finding::ok(CHECK, format!("{url} answers at {address}")),
        Err(why) => {
            let advice = "look at the name, the proxy in front and the firewall";
            Finding::not_ok(CHECK, State::Warn, format!("{url}: {why}"), advice)
        }
    });
    findings
}

async fn reach(host: &str, port: u16) -> Result<SocketAddr, String> {
    let connecting = TcpStream::connect((host, port));
    let stream = timeout(REACH, connecting).await;
    let stream = stream.map_err(|_| "does not answer in time".to_owned())?;
    let peer = stream.and_then(|stream| stream.peer_addr());
    peer.map_err(|error| format!("no connection: {error}"))
}

/// What came of asking it something small.
fn server(pinged: Result<io::Result<Option<Result<Value, String>>>, Elapsed>) -> Finding {
    const CHECK: &str = "server";
    match pinged {
        // one of another version may not know the question
        Ok(Ok(Some(_))) => Finding::ok(CHECK, "runs and answers"),
        Ok(Ok(None)) => {
            let advice = "start it: tollgate serve, or systemctl start tollgate";
            Finding::not_ok(CHECK, State::Warn, "does not run here", advice)
        }
        Ok(Err(error)) => {
            let found = format!("cannot be asked: {error}");
            let advice = "run this as the program's user";
            Finding::not_ok(CHECK, State::Fail, found, advice)
        }
        Err(_) => {
            let advice = "it hangs: look at its log, then restart it";
            Finding::not_ok(CHECK, State::Fail, "does not answer in time", advice)
        }
    }
}

/// The store opens (or the server that has it answers), and the books are in order.
fn books(engine: &Engine, verified: anyhow::Result<Value>) -> Vec<Finding> {
    let engine = match engine {
        Engine::Sqlite { directory } => format!("SQLite in {}", directory.display()),
        Engine::Postgres(_) => "PostgreSQL".to_owned(),
    };
    let audit = match verified {
        Ok(audit) => audit,
        Err(error) => {
            let advice = "look at store.url, at the rights of its files and at the log";
            let found = format!("{engine}: {error:#}");
            return vec![Finding::not_ok("store", State::Fail, found, advice)];
        }
    };
    let opened = Finding::ok("store", format!("{engine} answers"));
    let count = |name: &str| audit[name].as_u64().unwrap_or(0);
    let violations = audit["violations"].as_array().map_or(0, Vec::len);
    let books = if audit["ok"] == true {
        let found = format!(
            "{} accounts, {} entries, {} open holds: in order",
            count("accounts"),
            count("entries"),
            count("open_holds")
        );
        Finding::ok("books", found)
    } else {
        let advice = "see: tollgate ledger verify; take no money until it is explained";
        let found = format!("{violations} rules are broken");
        Finding::not_ok("books", State::Fail, found, advice)
    };
    vec![opened, books]
}

/// One upstream's trial: name, connection with TLS, key, listing.
async fn upstream(data_dir: &Path, name: &str) -> Finding {
    const CHECK: &str = "upstream";
    let request = Request::Upstream(Question::Test {
        name: name.to_owned(),
    });
    let trial = match asked(data_dir, request, TRIAL).await {
        Ok(trial) => trial,
        Err(error) => {
            let found = format!("{name}: {error:#}");
            let advice = format!("try it alone: tollgate upstream test {name}");
            return Finding::not_ok(CHECK, State::Fail, found, advice);
        }
    };
    let steps = trial["steps"].as_array().cloned().unwrap_or_default();
    match steps.iter().find(|step| step["ok"] == false) {
        None => Finding::ok(CHECK, format!("{name}: {} steps passed", steps.len())),
        Some(step) => {
            let text = |member: &str| step[member].as_str().unwrap_or_default().to_owned();
            let found = format!("{name}, {}: {}", text("step"), text("wrong"));
            Finding::not_ok(CHECK, State::Fail, found, text("advice"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_others_can_read_fails_and_says_what_to_do() {
        let folder = std::env::temp_dir().join(format!("doctor-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mode = |mode| std::fs::set_permissions(&folder, PermissionsExt::from_mode(mode));
        mode(0o755).unwrap();
        let open = data_dir(&folder);
        assert_eq!(open.state, State::Fail);
        assert!(open.advice.starts_with("run: chmod 700 "), "{open:?}");
        mode(0o700).unwrap();
        assert_eq!(data_dir(&folder).state, State::Ok);
        assert!(free_mib(&folder).is_some());
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(data_dir(&folder).state, State::Warn);
    }

    #[test]
    fn space_is_judged_by_what_is_left() {
        for (free, state) in [
            (0, State::Fail),
            (127, State::Fail),
            (128, State::Warn),
            (1023, State::Warn),
            (1024, State::Ok),
        ] {
            assert_eq!(judged_space(free).state, state, "{free}");
        }
    }

    #[test]
    fn one_failure_makes_the_whole_report_fail_and_a_warning_does_not() {
        let warned = Finding::not_ok("clock", State::Warn, "x", "do y");
        let mut findings = vec![Finding::ok("books", "in order"), warned];
        assert_eq!(report(&findings)["ok"], true);
        assert!(findings[1].line().contains("warn  clock: x\n      do y"));
        let broken = json!({ "ok": false, "violations": [{}, {}] });
        let engine = Engine::Sqlite {
            directory: "data".into(),
        };
        findings.extend(books(&engine, Ok(broken)));
        let report = report(&findings);
        assert_eq!(report["ok"], false);
        assert_eq!(report["checks"][3]["state"], "fail");
    }
}
