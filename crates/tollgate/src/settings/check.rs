//! `check-config`, and what `serve` refuses to start with.

use super::demo;
use super::reader::{Entry, Origin, Problem};
use super::secret::too_open;
use super::{Protocol, Secret, Settings};
use serde_json::{Value, json};
use std::path::Path;
use web::serve::CertificateError;

/// What a look at a settings file found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Reasons not to start: none may be left.
    pub problems: Vec<Problem>,
    /// Things to know that do not stop the program.
    pub warnings: Vec<Problem>,
}

impl Report {
    /// Whether the program would start with these settings.
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty()
    }

    /// One line per finding, for the error stream.
    pub fn lines(&self) -> Vec<String> {
        let problems = self.problems.iter().map(ToString::to_string);
        let warnings = self
            .warnings
            .iter()
            .map(|warning| format!("warning: {warning}"));
        problems.chain(warnings).collect()
    }

    /// `{"ok":bool,"problems":[{"key":…,"why":…}]}`.
    pub fn json(&self) -> Value {
        let row = |problem: &Problem| json!({"key": problem.key, "why": problem.why});
        let problems: Vec<Value> = self.problems.iter().map(row).collect();
        json!({"ok": self.is_ok(), "problems": problems})
    }
}

/// Reads the text of `file` as [`Settings::from_toml`] does and judges it as `serve` would.
/// The settings come back only where nothing is wrong.
pub fn check(
    text: &str,
    environment: impl Fn(&str) -> Option<String>,
    base_dir: &Path,
    file: &Path,
) -> (Option<Settings>, Report) {
    match Settings::from_toml(text, environment, base_dir) {
        Err(problems) => (
            None,
            Report {
                problems,
                warnings: Vec::new(),
            },
        ),
        Ok(settings) => {
            let report = for_serve(&settings, Some(file));
            (Some(settings).filter(|_| report.is_ok()), report)
        }
    }
}

/// What makes settings unsafe for real customers: refusals, then warnings. `file` is where they
/// were read from, so that secrets written in it are seen to be private.
pub fn for_serve(settings: &Settings, file: Option<&Path>) -> Report {
    let mut problems = Vec::new();
    if settings.policy.sell_unclassified {
        let why = "is true, which only the demo may: services that nobody has looked at would \
                   be sold; give them a class in policy.classify";
        problems.push(problem("policy.sell_unclassified", why));
    }
    problems.extend(demo_secrets(settings));
    problems.extend(certificate(settings));
    problems.extend(file.and_then(|file| readable_secrets(settings, file)));
    Report {
        problems,
        warnings: warnings(settings),
    }
}

/// A certificate that callers could not be shown, or whose key others can read.
fn certificate(settings: &Settings) -> Vec<Problem> {
    const KEY: &str = "listen.tls_key_file";
    let listen = &settings.listen;
    let unusable = listen.certificate().err().map(|error| {
        let key = match error {
            CertificateError::Chain { .. } => "listen.tls_cert_file",
            CertificateError::Key { .. } | CertificateError::Pair(_) => KEY,
        };
        problem(key, &format!("cannot be used: {error}"))
    });
    let about = listen.tls.as_ref().map(|(_, key)| std::fs::metadata(key));
    let open = about.and_then(Result::ok).as_ref().and_then(too_open);
    let open = open.map(|why| problem(KEY, &format!("names a file that {why}")));
    unusable.into_iter().chain(open).collect()
}

/// Keys that everybody knows because the demo's practice providers are born with them.
fn demo_secrets(settings: &Settings) -> Vec<Problem> {
    let known = |secret: &Secret| secret.expose().starts_with(demo::KEY_PREFIX);
    let upstreams = settings
        .upstreams
        .iter()
        .filter(|upstream| known(&upstream.key));
    let mut keys: Vec<String> = upstreams
        .map(|upstream| format!("upstreams.{}.key", upstream.name))
        .collect();
    if settings.hooks.twilio_tokens.iter().any(known) {
        keys.push("hooks.twilio.auth_token".to_owned());
    }
    for way in &settings.payments.ways {
        let practice = |secret: &Secret| demo::PAYMENT_SECRETS.contains(&secret.expose());
        let secrets = std::iter::once(&way.key).chain(&way.webhook_secrets);
        if secrets.into_iter().any(practice) {
            keys.push(format!("payments.{}", way.processor.slug()));
        }
    }
    if known(&settings.keys.pepper) {
        keys.push("keys.pepper".to_owned());
    }
    let why = "is the demo's or its providers', which everybody knows";
    keys.iter().map(|key| problem(key, why)).collect()
}

/// A file with secrets in it that other users of the machine can read.
fn readable_secrets(settings: &Settings, file: &Path) -> Option<Problem> {
    let inline = |entry: &&Entry| entry.secret && entry.origin == Origin::File;
    let entry = settings.describe().iter().find(inline)?;
    let why = too_open(&std::fs::metadata(file).ok()?)?;
    let shown = file.display();
    let advice = format!("run: chmod 600 {shown}, or move the secret to a file of its own");
    Some(problem(
        &entry.key,
        &format!("stands in {shown}, which {why}; {advice}"),
    ))
}

fn warnings(settings: &Settings) -> Vec<Problem> {
    let listen = &settings.listen;
    let has_https = listen.tls.is_some()
        || listen
            .public_url
            .as_ref()
            .is_some_and(|url| url.starts_with("https://"));
    let mut warnings = Vec::new();
    if !listen.address.ip().is_loopback() && !has_https && listen.trusted_proxies.is_empty() {
        let why = "is reachable from other machines without encryption: give tls_cert_file and \
                   tls_key_file, or put a proxy with TLS in front and set public_url (https) or \
                   trusted_proxies";
        warnings.push(problem("listen.address", why));
    }
    if !settings.servers.iter().any(|server| server.enabled) && settings.smm.upstreams.is_empty() {
        warnings.push(problem(
            "servers",
            "has nothing switched on: nothing is for sale yet",
        ));
    }
    for server in settings.servers.iter().filter(|server| server.enabled) {
        if server.routes.is_empty() {
            let key = format!("servers.{}.routes", server.name);
            warnings.push(problem(&key, "is empty: the server has nothing to sell"));
        }
    }
    if !settings.smm.upstreams.is_empty() && settings.policy.smm_confirmation.is_none() {
        let why = "is not recorded: SMM services stay off until it is";
        warnings.push(problem("policy.smm_confirmation", why));
    }
    let hooks = settings.hooks.door();
    let pools = settings.upstreams.iter();
    let mut pools = pools.filter(|one| one.protocol == Protocol::OwnNumbers);
    if let Some(pool) = pools
        .next()
        .filter(|_| !hooks.takes_twilio() && !hooks.takes_telnyx())
    {
        let why = format!(
            "has no key of any carrier, so no webhook is taken and the numbers of {} receive \
             nothing",
            pool.name
        );
        warnings.push(problem("hooks", &why));
    }
    for (key, why) in super::payments::warnings(&settings.payments) {
        warnings.push(problem(&key, why));
    }
    warnings
}

fn problem(key: &str, why: &str) -> Problem {
    Problem {
        key: key.to_owned(),
        why: why.to_owned(),
    }
}
