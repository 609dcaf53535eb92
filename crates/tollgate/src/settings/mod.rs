//! The settings: one struct per section, read once, refused loudly, passed down.
//!
//! `tollgate.example.toml` shows every setting with its default; `docs/settings.md` explains them.

mod admin;
mod audit;
mod base_url;
mod catalogue;
pub mod check;
mod console;
pub mod demo;
mod exact;
mod handler_api;
mod hooks;
pub mod init;
mod keys;
mod limits;
mod links;
mod listen;
mod mail;
mod markup;
mod nearest;
mod own_numbers;
mod panel;
mod payments;
mod policy;
mod reader;
mod routing;
mod sealing;
mod secret;
mod section;
mod servers;
mod smm;
mod store;
mod sync;
mod traces;
mod upstreams;
mod velocity;

#[cfg(test)]
mod tests;

pub use admin::Admin;
pub use audit::Audit;
pub use catalogue::Catalogue;
pub use console::Console;
pub use hooks::Hooks;
pub use keys::{Keys, Log, LogFormat, LogLevel};
pub use limits::{Limits, Purchase};
pub use listen::{Listen, Network};
pub use mail::Mail;
pub use payments::{PaymentWay, Payments};
pub use policy::Policy;
pub use reader::{Entry, Origin, Problem};
pub use routing::Routing;
pub use sealing::Sealing;
pub use secret::{Secret, too_open};
pub use servers::{Otp, Server};
pub use smm::Smm;
pub use store::{Engine, Store};
pub use sync::Sync;
pub use traces::Traces;
pub use upstreams::{Protocol, Upstream};

use domain::markup::Markups;
use reader::Reader;
use section::Section;
use std::path::Path;
use toml::Table;

/// Everything an operator can set, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the program answers.
    pub listen: Listen,
    /// Where the program is watched.
    pub admin: Admin,
    /// Where staff work.
    pub console: Console,
    /// Where orders and money are kept.
    pub store: Store,
    /// Who signs the audit log, and where checkpoints of it go.
    pub audit: Audit,
    /// How much a caller may ask.
    pub limits: Limits,
    /// How long a purchase may take.
    pub purchase: Purchase,
    /// What holds for all servers.
    pub otp: Otp,
    /// Which of several routes is taken.
    pub routing: Routing,
    /// The public servers in the order customers see, switched-off ones included.
    pub servers: Vec<Server>,
    /// The accounts at providers, by name.
    pub upstreams: Vec<Upstream>,
    /// The panels that take SMM orders, and single services.
    pub smm: Smm,
    /// How listings become the catalogue.
    pub catalogue: Catalogue,
    /// What is added to cost.
    pub markup: Markups,
    /// What the operator answers for.
    pub policy: Policy,
    /// The secret behind stored API keys.
    pub keys: Keys,
    /// What stored secrets are sealed with.
    pub secrets: Sealing,
    /// Whose webhooks are believed.
    pub hooks: Hooks,
    /// Who takes customers' money.
    pub payments: Payments,
    /// How the program reports.
    pub log: Log,
    /// Where traces go.
    pub traces: Option<Traces>,
    /// How often upstreams are asked.
    pub sync: Sync,
    /// How mail is sent; nothing where it is not.
    pub mail: Option<Mail>,
    entries: Vec<Entry>,
}

impl Settings {
    /// Reads the text of a settings file. Relative paths in it start at `base_dir`; `environment`
    /// looks up a variable. Gives every problem at once.
    pub fn from_toml(
        text: &str,
        environment: impl Fn(&str) -> Option<String>,
        base_dir: &Path,
    ) -> Result<Self, Vec<Problem>> {
        let table = text.parse().map_err(|error| vec![not_toml(text, &error)])?;
        Self::from_table(table, &environment, base_dir, Origin::File)
    }

    fn from_table(
        table: Table,
        environment: &dyn Fn(&str) -> Option<String>,
        base_dir: &Path,
        given: Origin,
    ) -> Result<Self, Vec<Problem>> {
        let reader = Reader::new(environment, base_dir, given);
        let mut settings = reader.read(table, Self::read);
        links::check(&mut settings, &reader);
        settings.entries = reader.finish()?;
        Ok(settings)
    }

    fn read(file: &mut Section<'_>) -> Self {
        let sync = file.section("sync", Sync::read);
        let store = file.section("store", Store::read);
        Self {
            listen: file.section("listen", Listen::read),
            admin: file.section("admin", Admin::read),
            console: file.section("console", Console::read),
            audit: file.section("audit", |part| Audit::read(part, &store.data_dir)),
            store,
            limits: file.section("limits", Limits::read),
            purchase: file.section("purchase", Purchase::read),
            otp: file.section("otp", Otp::read),
            routing: file.section("routing", Routing::read),
            servers: file.named("servers", Server::read),
            upstreams: file.named("upstreams", |name, part| Upstream::read(name, part, &sync)),
            smm: file.section("smm", Smm::read),
            catalogue: file.section("catalogue", Catalogue::read),
            markup: file.section("markup", markup::read),
            policy: file.section("policy", Policy::read),
            keys: file.section("keys", Keys::read),
            secrets: file.section("secrets", Sealing::read),
            hooks: file.section("hooks", Hooks::read),
            payments: file.section("payments", Payments::read),
            log: file.section("log", Log::read),
            traces: file.section("traces", Traces::read),
            mail: file.section("mail", Mail::read),
            sync,
            entries: Vec::new(),
        }
    }

    /// The `[markup]` section alone of a settings file; the rest of it is not looked at.
    pub fn markup_of(text: &str) -> Result<Markups, Vec<Problem>> {
        let mut table: Table = text.parse().map_err(|error| vec![not_toml(text, &error)])?;
        table.retain(|key, _| key == "markup");
        let reader = Reader::new(&|_| None, Path::new(""), Origin::File);
        let markups = reader.read(table, |file| file.section("markup", markup::read));
        reader.finish()?;
        Ok(markups)
    }

    /// One upstream that is in no file yet, with its key in the table itself.
    pub fn upstream_of(name: &str, table: Table) -> Result<Upstream, Vec<Problem>> {
        let named = Table::from_iter([(name.to_owned(), table.into())]);
        let file = Table::from_iter([("upstreams".to_owned(), named.into())]);
        let reader = Reader::new(&|_| None, Path::new(""), Origin::File);
        let mut read = reader.read(file, |file| {
            let sync = file.section("sync", Sync::read);
            file.named("upstreams", |name, part| Upstream::read(name, part, &sync))
        });
        reader.finish()?;
        read.pop().ok_or_else(Vec::new)
    }

    /// Markup rules as the section of a settings file: what [`Self::markup_of`] reads back.
    pub fn markup_text(markups: &Markups) -> String {
        markup::written(markups)
    }

    /// Every setting with its value and where it came from, in the order of reading; secrets
    /// show as `***`.
    pub fn describe(&self) -> &[Entry] {
        &self.entries
    }

    /// The upstream with this name.
    pub fn upstream(&self, name: &str) -> Option<&Upstream> {
        self.upstreams.iter().find(|upstream| upstream.name == name)
    }

    /// The server with this name, switched-off ones included.
    pub fn server(&self, name: &str) -> Option<&Server> {
        self.servers.iter().find(|server| server.name == name)
    }
}

/// Where a text stops being TOML. The line itself is not shown: it may hold a secret.
fn not_toml(text: &str, error: &toml::de::Error) -> Problem {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    Problem {
        key: format!("line {line}, column {column}"),
        why: error.message().to_owned(),
    }
}
