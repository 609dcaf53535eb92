//! Trying an upstream out, from connecting to its lists. Nothing is bought.

use super::Stock;
use crate::accounts::AdminError;
use crate::probe::Step;
use domain::time::Millis;
use domain::upstream::{ReadFailure, Refusal};

/// One step of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialStep {
    /// What was tried.
    pub name: &'static str,
    /// How long it took.
    pub took: Millis,
    /// What was found, or what is wrong and what to look at.
    pub outcome: Result<String, (String, String)>,
}

/// What came of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Upstream.
    pub upstream: String,
    /// Word of the language it speaks.
    pub protocol: &'static str,
    /// Steps, in their order.
    pub steps: Vec<TrialStep>,
}

impl Trial {
    /// Whether every step went well.
    pub fn is_ok(&self) -> bool {
        self.steps.iter().all(|step| step.outcome.is_ok())
    }
}

impl Stock {
    /// Tries an upstream out, step by step, and says what to look at where one fails. It leaves a line
    /// in the audit log.
    ///
    /// # Errors
    /// There is no such upstream, nothing uses it, or the audit log cannot take it.
    pub async fn try_out(&self, name: &str) -> Result<Trial, AdminError> {
        let sheet = self.sheet(name);
        let sheet = sheet.ok_or_else(|| AdminError::NotFound(format!("upstream {name}")))?;
        let object = format!("upstream {name}");
        self.engine.note("try_upstream", None, object).await?;
        let mut trial = Trial {
            upstream: sheet.name.clone(),
            protocol: sheet.protocol,
            steps: Vec::new(),
        };
        if let Some((host, port)) = &sheet.place {
            trial.steps.push(self.connected(name, host, *port).await);
        }
        if !trial.is_ok() {
            return Ok(trial);
        }
        let probed = self.engine.probe(name).await.ok_or_else(|| {
            AdminError::Invalid(format!(
                "upstream {name} is configured but nothing uses it; name it in a server's routes \
                 or in [smm]"
            ))
        })?;
        let probed = probed.into_iter();
        trial
            .steps
            .extend(probed.map(|step| TrialStep::of(name, step)));
        Ok(trial)
    }

    /// The first step: whether anything is there.
    pub(super) async fn connected(&self, name: &str, host: &str, port: u16) -> TrialStep {
        let since = self.engine.now();
        let reached = self.around.reach(host, port).await;
        let advice = format!("check upstreams.{name}.url, the network and the provider");
        TrialStep {
            name: "connect",
            took: self.engine.now() - since,
            outcome: reached.map_err(|wrong| (wrong, advice)),
        }
    }
}

impl TrialStep {
    /// A step of the adapter of an upstream, with what to look at where it failed.
    pub(super) fn of(name: &str, step: Step) -> Self {
        let told = |failure: ReadFailure| (failure.to_string(), advice(name, &failure));
        Self {
            name: step.name,
            took: step.took,
            outcome: step.outcome.map_err(told),
        }
    }
}

/// What to look at, and the setting behind it.
fn advice(name: &str, failure: &ReadFailure) -> String {
    let setting = |key: &str, what: &str| format!("{what}: upstreams.{name}.{key}");
    match failure {
        ReadFailure::Refused(Refusal::UpstreamAuth) => {
            setting("key", "the key is wrong or missing")
        }
        ReadFailure::Refused(Refusal::AccountBlocked) => {
            "the account is blocked there; ask the provider".to_owned()
        }
        ReadFailure::Refused(Refusal::WrongCurrency) => setting(
            "currency",
            "the account is in another currency; set it with usd_per_unit",
        ),
        ReadFailure::Refused(Refusal::UpstreamFunds) => "top up the account there".to_owned(),
        ReadFailure::Refused(Refusal::Throttled) => {
            setting("reads_per_minute", "it is asked too often")
        }
        ReadFailure::Refused(Refusal::Unreachable) => {
            setting("url", "no request could be sent (address, TLS or proxy)")
        }
        ReadFailure::Fault(_) => setting(
            "timeout_ms",
            "it failed, or gave no whole answer in time; try again, then look at the url",
        ),
        _ => setting(
            "protocol",
            "the answer does not fit the protocol; check it and the url",
        ),
    }
}
