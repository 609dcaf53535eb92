//! Which installation a command is about, and the way to it: through the running server, or by opening
//! its store while none runs.

use crate::admin::Request;
use crate::cli::Place;
use crate::settings::{self, LogFormat, Settings};
use crate::{assembly, demo, logs, os_user, socket};
use anyhow::{Context, bail};
use app::api_key::Environment;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Directory of a demo where none is named.
pub const DEMO_DIR: &str = "tollgate-demo";

/// An installation that commands work on.
pub struct Installation {
    /// Its settings.
    pub settings: Settings,
    /// What keys made on it are good for.
    pub environment: Environment,
}

/// The settings file that is meant, unless it is a demo.
pub fn settings_file(place: &Place) -> Option<PathBuf> {
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
pub fn installation(place: &Place) -> anyhow::Result<Installation> {
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
pub fn read_settings(file: &Path) -> anyhow::Result<(Option<Settings>, settings::check::Report)> {
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
pub async fn answer(place: &Place, request: Request) -> anyhow::Result<Value> {
    let here = installation(place)?;
    let asked = socket::ask(&here.settings.store.data_dir, &request).await;
    let outcome = match asked.context("the running server did not answer")? {
        Some(outcome) => outcome,
        None => {
            logs::to_stderr("error", LogFormat::Text);
            let office = assembly::office(&here.settings, here.environment)?;
            office.engine.restore_catalogue().await;
            office.answer(request, os_user::own()).await
        }
    };
    outcome.map_err(|why| anyhow::anyhow!(why))
}
