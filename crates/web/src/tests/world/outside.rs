//! What stands around a world: time, tasks, the place of checkpoints, the machine.

use crate::tests::upstreams::Numbers;
use app::{Adapter, Drafted, Engine, Notary, Stock, Surroundings, UpstreamDraft, UpstreamSheet};
use domain::audit_log::Witness;
use domain::markup::{Markup, Markups};
use domain::ports::{Clock, Tasks};
use domain::time::{Millis, Timestamp};
use domain::upstream::Pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// Time that stands still until it is moved; sleeping takes real time.
pub(in crate::tests) struct HandClock(pub(super) AtomicI64);

impl HandClock {
    pub fn advance(&self, span: Millis) {
        self.0.fetch_add(span.0, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    fn sleep(&self, span: Millis) -> Pending<'static, ()> {
        let span = Duration::from_millis(span.0.unsigned_abs());
        Box::pin(tokio::time::sleep(span))
    }
}

pub(super) struct Tracked(pub(super) TaskTracker);

impl Tasks for Tracked {
    fn spawn(&self, work: Pending<'static, ()>) {
        self.0.spawn(work);
    }
}

/// Where checkpoints of the audit log are kept.
#[derive(Default)]
pub(super) struct Drawer(std::sync::Mutex<Vec<Witness>>);

impl Notary for Drawer {
    fn newest(&self) -> Result<u64, String> {
        let kept = self.0.lock().unwrap();
        Ok(kept.last().map_or(0, |witness| witness.checkpoint.size))
    }

    fn keep(&self, witness: &Witness, _: Option<PathBuf>) -> Result<PathBuf, String> {
        self.0.lock().unwrap().push(witness.clone());
        Ok(PathBuf::from("drawer"))
    }

    fn kept(&self, _: Option<PathBuf>) -> (Vec<Witness>, Vec<String>) {
        (self.0.lock().unwrap().clone(), Vec::new())
    }
}

/// Addresses that answer: all but one.
struct Near(Arc<Numbers>);

impl Surroundings for Near {
    fn reach<'a>(&'a self, host: &'a str, port: u16) -> Pending<'a, Result<String, String>> {
        let reached = match host {
            "gone.example.com" => Err(format!("the name {host} has no address")),
            _ => Ok(format!("192.0.2.1:{port}")),
        };
        Box::pin(std::future::ready(reached))
    }

    fn languages(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        (vec!["handler_api", "panel_v2"], vec!["classic"])
    }

    /// What is called `odd` is wrong.
    fn draft<'a>(&'a self, draft: &'a UpstreamDraft) -> Pending<'a, Result<Drafted, Vec<String>>> {
        let drafted = match draft.name.as_str() {
            "odd" => Err(vec!["upstreams.odd.url: is none".to_owned()]),
            name => Ok(Drafted {
                adapter: Adapter::Numbers(self.0.of("paul")),
                host: "new.example.com".to_owned(),
                place: ([192, 0, 2, 1], 443).into(),
                section: format!("[upstreams.{name}]\nkey_file = \"{}\"\n", draft.key_at.1),
            }),
        };
        Box::pin(std::future::ready(drafted))
    }

    /// A percentage alone.
    fn markups(&self, file: &str) -> Result<Markups, Vec<String>> {
        let percent = file.trim().parse::<i64>();
        let percent = percent.map_err(|_| vec!["markup.percent: is no number".to_owned()])?;
        let general = Markup {
            parts_per_million: percent * 10_000,
            below_cost: percent < 0,
            ..Markup::default()
        };
        Ok(Markups {
            general,
            rules: Vec::new(),
        })
    }

    fn markup_text(&self, markups: &Markups) -> String {
        (markups.general.parts_per_million / 10_000).to_string()
    }
}

/// Use cases about what is bought and sold.
pub(super) fn stock(engine: &Arc<Engine>, numbers: &Arc<Numbers>) -> Stock {
    let sheet = |(name, host): (&str, &str)| UpstreamSheet {
        name: name.to_owned(),
        protocol: "handler_api",
        servers: vec![name.to_owned()],
        place: Some((host.to_owned(), 443)),
        settings: vec![("key".to_owned(), "***".to_owned(), "file".to_owned())],
    };
    let places = [
        ("peter", "peter.example.com"),
        ("paul", "gone.example.com"),
        ("andrew", "andrew.example.com"),
        ("unused", "unused.example.com"),
    ];
    let sheets = places.into_iter().map(sheet).collect();
    Stock::new(
        Arc::clone(engine),
        sheets,
        Arc::new(Near(Arc::clone(numbers))),
    )
}
