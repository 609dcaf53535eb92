//! The settings as an operator meets them.

mod mistakes;
mod secrets;
mod sections;
mod serve;
mod shipped;

use super::policy::Class;
use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

const PEPPER: &str = "0123456789abcdef0123456789abcdef";

/// Keys of stored secrets, the same each time.
fn keys() -> String {
    let key = "0f".repeat(32);
    format!("index:{key},1:{key}")
}

/// A directory of its own with a pepper and keys in it, removed at the end.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tollgate-settings-{}-{number}", std::process::id());
        let place = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(&place.0).unwrap();
        place.file("tollgate.pepper", PEPPER, 0o600);
        place.file("tollgate.keys", &keys(), 0o600);
        place
    }

    fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn read(&self, text: &str) -> Result<Settings, Vec<Problem>> {
        let environment = |name: &str| (name == "PEER_KEY").then(|| "from-outside".to_owned());
        Settings::from_toml(text, environment, &self.0)
    }

    /// The problems as lines; panics where there are none.
    #[track_caller]
    fn problems(&self, text: &str) -> Vec<String> {
        self.read(text)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// Expects exactly one problem.
    #[track_caller]
    fn refuses(&self, text: &str, expected: &str) {
        assert_eq!(self.problems(text), [expected], "{text}");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A complete upstream of numbers, `p1`, and whatever is to follow.
fn upstream(extra: &str) -> String {
    format!("[upstreams.p1]\nprotocol='handler_api'\nurl='https://a.example/x'\nkey='k'\n{extra}\n")
}

/// A complete SMM panel, `panel`, and whatever is to follow.
fn panel(extra: &str) -> String {
    format!("[upstreams.panel]\nprotocol='panel_v2'\nurl='https://p.example/'\nkey='k'\n{extra}\n")
}
