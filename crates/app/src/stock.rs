//! What is bought and sold, for whoever runs the business: the accounts at providers with what their
//! settings say and a trial of one, servers, the catalogue, prices.

mod draft;
mod preview;
mod servers;
mod shelves;
mod trial;

pub use draft::{Drafted, KeyPlace, TriedDraft, UpstreamDraft};
pub use preview::{Comparison, PriceExample};
pub use servers::{Behind, RouteSheet, ServerSheet};
pub use shelves::{Dead, DeadOffer, Waiting};
pub use trial::{Trial, TrialStep};

use crate::engine::Engine;
use domain::markup::Markups;
use domain::upstream::Pending;
use std::sync::Arc;

/// An upstream as the settings have it, without anything secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamSheet {
    /// Its name.
    pub name: String,
    /// Word of the language it speaks.
    pub protocol: &'static str,
    /// Public servers that it stands behind.
    pub servers: Vec<String>,
    /// Host and port; nothing where it is no provider of somebody else.
    pub place: Option<(String, u16)>,
    /// Every setting of it: name, value (secrets covered), where that came from.
    pub settings: Vec<(String, String, String)>,
}

/// What use cases here need from the program around them.
pub trait Surroundings: Send + Sync {
    /// Opens a connection and closes it: the address that answered, or why none did.
    fn reach<'a>(&'a self, host: &'a str, port: u16) -> Pending<'a, Result<String, String>>;

    /// Words of protocols that can be drafted, and of the dialects of `handler_api`.
    fn languages(&self) -> (Vec<&'static str>, Vec<&'static str>);

    /// Checks an upstream that is not in the settings yet, and makes what speaks to it.
    ///
    /// # Errors
    /// What is wrong, each with the setting it is about; never the key.
    fn draft<'a>(&'a self, draft: &'a UpstreamDraft) -> Pending<'a, Result<Drafted, Vec<String>>>;

    /// Reads markup rules: a settings file, or its section alone.
    ///
    /// # Errors
    /// What is wrong, each with the setting it is about.
    fn markups(&self, file: &str) -> Result<Markups, Vec<String>>;

    /// Rules as the section of a settings file.
    fn markup_text(&self, markups: &Markups) -> String;
}

/// The use cases.
pub struct Stock {
    pub(crate) engine: Arc<Engine>,
    sheets: Vec<UpstreamSheet>,
    around: Arc<dyn Surroundings>,
}

impl Stock {
    /// Over an engine, its upstreams as they are configured, and what surrounds it.
    pub fn new(
        engine: Arc<Engine>,
        sheets: Vec<UpstreamSheet>,
        around: Arc<dyn Surroundings>,
    ) -> Self {
        Self {
            engine,
            sheets,
            around,
        }
    }

    /// All upstreams, in the order of the settings.
    pub fn sheets(&self) -> &[UpstreamSheet] {
        &self.sheets
    }

    /// One upstream.
    pub fn sheet(&self, name: &str) -> Option<&UpstreamSheet> {
        self.sheets.iter().find(|sheet| sheet.name == name)
    }
}
