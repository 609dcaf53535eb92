//! SIGHUP: the settings file is read again while requests run. What can change at once does; of the
//! rest the log says that it waits for a start. A file with a mistake in it changes nothing.

use crate::background::Background;
use crate::installation::read_settings;
use crate::logs::Level;
use crate::settings::Settings;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use web::serve::Certificate;

/// Settings, or whole sections, that change without a start.
const AT_ONCE: [&str; 6] = [
    "limits.requests_per_minute",
    "limits.accounts",
    "limits.failed_auth_per_minute",
    "limits.misses_per_minute",
    "log.level",
    "markup",
];

/// Where the settings are read again from, and how much is logged.
pub struct Reload {
    /// The settings file.
    pub file: PathBuf,
    /// Changes the least severity that is logged.
    pub level: Level,
}

impl Reload {
    /// Listens until the stop. `settings` are those of the start.
    ///
    /// # Errors
    /// The signal cannot be listened for.
    pub fn watch(
        self,
        settings: &Settings,
        (door, certificate): (&Arc<web::Door>, Option<Certificate>),
        background: &Background,
    ) -> std::io::Result<()> {
        let asked = signal(SignalKind::hangup())?;
        let running = Running {
            reload: self,
            started: settings.clone(),
            current: settings.clone(),
            door: Arc::clone(door),
            certificate,
        };
        let stop = background.stop.clone();
        background.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = running.listen(asked) => {}
            }
        });
        Ok(())
    }
}

struct Running {
    reload: Reload,
    started: Settings,
    current: Settings,
    door: Arc<web::Door>,
    certificate: Option<Certificate>,
}

impl Running {
    async fn listen(mut self, mut asked: Signal) {
        while asked.recv().await.is_some() {
            self.show_renewed();
            self.read_again();
        }
    }

    /// A certificate that was renewed keeps its name, so that the settings do not tell.
    fn show_renewed(&self) {
        match self.certificate.as_ref().map(Certificate::read_again) {
            None => {}
            Some(Ok(())) => tracing::info!("the certificate was read again"),
            Some(Err(error)) => {
                tracing::error!("the certificate stays as it was: {error}");
            }
        }
    }

    fn read_again(&mut self) {
        const KEPT: &str = "the settings stay as they were";
        let shown = self.reload.file.display();
        let (settings, report) = match read_settings(&self.reload.file) {
            Ok(read) => read,
            Err(error) => {
                tracing::error!("{shown} could not be read again, {KEPT}: {error:#}");
                return;
            }
        };
        let Some(settings) = settings else {
            for problem in &report.problems {
                tracing::error!("{problem}");
            }
            tracing::error!("{shown} has mistakes, {KEPT}");
            return;
        };
        for warning in &report.warnings {
            tracing::warn!("{warning}");
        }
        self.take_over(settings);
    }

    fn take_over(&mut self, settings: Settings) {
        let now: Vec<_> = changed(&self.current, &settings);
        let now: Vec<_> = now.into_iter().filter(|key| is_at_once(key)).collect();
        let waiting = changed(&self.started, &settings);
        let waiting: Vec<_> = waiting.into_iter().filter(|key| !is_at_once(key)).collect();
        let (limits, door) = (&settings.limits, &self.door.settings);
        door.requests_per_minute.set(limits.requests_per_minute);
        let accounts = limits.accounts.iter().copied();
        door.account_requests_per_minute.set(accounts);
        door.failed_auth_per_minute
            .set(limits.failed_auth_per_minute);
        door.misses_per_minute.set(limits.misses_per_minute);
        if settings.markup != self.current.markup {
            self.door.engine.set_markups(settings.markup.clone());
        }
        if settings.log.level != self.current.log.level {
            self.reload.level.set(settings.log.level);
        }
        self.current = settings;
        match now.as_slice() {
            [] => tracing::info!("the settings were read again; nothing changes at once"),
            keys => tracing::info!("the settings were read again; changed: {}", keys.join(", ")),
        }
        if !waiting.is_empty() {
            let keys = waiting.join(", ");
            tracing::warn!("these settings change with the next start: {keys}");
        }
    }
}

/// Whether a setting changes without a start.
fn is_at_once(key: &str) -> bool {
    AT_ONCE.iter().any(|one| {
        let rest = key.strip_prefix(one);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}

/// Settings whose value differs, given or left out. Secrets are not shown, so a new one is not seen.
fn changed(before: &Settings, after: &Settings) -> Vec<String> {
    let (before, after) = (values(before), values(after));
    let keys = before.keys().chain(after.keys());
    let mut differing: Vec<String> = keys
        .filter(|key| before.get(*key) != after.get(*key))
        .map(|key| (*key).to_owned())
        .collect();
    differing.sort_unstable();
    differing.dedup();
    differing
}

fn values(settings: &Settings) -> BTreeMap<&str, &str> {
    let entries = settings.describe().iter();
    entries
        .map(|entry| (entry.key.as_str(), entry.value.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn what_changed_is_named_and_parted_by_when_it_takes_effect() {
        let read = |text: &str| {
            let secret = "0123456789abcdef".repeat(4);
            let text = format!(
                "keys.pepper = \"{secret}\"\nsecrets.key = \"index:{secret},1:{secret}\"\n{text}"
            );
            Settings::from_toml(&text, |_| None, Path::new("/nowhere")).unwrap()
        };
        let before = read("limits.requests_per_minute = 60\nmarkup.percent = \"20\"");
        let after = read(
            "limits.requests_per_minute = 61\nmarkup.percent = \"25\"\n\
             listen.address = \"127.0.0.1:9\"\nlog.level = \"debug\"",
        );
        let found = changed(&before, &after);
        assert_eq!(
            found,
            [
                "limits.requests_per_minute",
                "listen.address",
                "log.level",
                "markup.percent"
            ]
        );
        let waits: Vec<_> = found.iter().filter(|key| !is_at_once(key)).collect();
        assert_eq!(waits, ["listen.address"]);
        assert!(changed(&after, &after).is_empty());
        assert!(is_at_once("markup.rules[1].percent") && !is_at_once("markups"));
        assert!(!is_at_once("limits.something_new"));
    }
}
