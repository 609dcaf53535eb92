//! An upstream that is not in the settings yet: its values checked and tried out, and the section that
//! has them. Its key is used for the trial alone; nothing of it is kept or shown.

use super::{Stock, Trial, TrialStep};
use crate::accounts::AdminError;
use crate::probe::Adapter;
use std::net::SocketAddr;

/// Where the program is to find a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// A file.
    File,
    /// An environment variable.
    Environment,
}

/// An upstream as somebody wants to add it. Not to be printed: it holds the key.
#[derive(Clone, PartialEq, Eq)]
pub struct UpstreamDraft {
    /// What it shall be called.
    pub name: String,
    /// Word of the language it speaks.
    pub protocol: String,
    /// Address of its API.
    pub url: String,
    /// Our key there.
    pub key: String,
    /// Where the key will be, and its file or variable there.
    pub key_at: (KeyPlace, String),
    /// Other settings of it: name and value, in the order of the file.
    pub others: Vec<(&'static str, String)>,
}

/// What became of a draft that can be used.
pub struct Drafted {
    /// Speaks to it.
    pub adapter: Adapter,
    /// Host, as its address names it.
    pub host: String,
    /// What was looked up for it and checked: the adapter speaks to nothing else.
    pub place: SocketAddr,
    /// Its section of the settings file, which names the key's place.
    pub section: String,
}

/// A draft that was tried out.
pub struct TriedDraft {
    /// How that went.
    pub trial: Trial,
    /// Its section of the settings file.
    pub section: String,
}

impl Stock {
    /// Words of protocols that can be drafted, and of the dialects of `handler_api`.
    pub fn languages(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        self.around.languages()
    }

    /// Tries out an upstream that is not in the settings yet. Nothing is bought. The audit log is told
    /// its name and where it is, never the whole address: people paste addresses with their key in them.
    ///
    /// # Errors
    /// There is one of this name, the values have mistakes (each is named, on a line of its own), or the
    /// audit log cannot take it.
    pub async fn try_draft(&self, draft: &UpstreamDraft) -> Result<TriedDraft, AdminError> {
        if self.sheet(&draft.name).is_some() {
            let why = format!("there is an upstream {} already", draft.name);
            return Err(AdminError::Invalid(why));
        }
        let drafted = self.around.draft(draft).await;
        let drafted = drafted.map_err(|wrong| AdminError::Invalid(wrong.join("\n")))?;
        let languages = self.around.languages().0;
        let protocol = languages.into_iter().find(|word| *word == draft.protocol);
        let (address, port) = (drafted.place.ip().to_string(), drafted.place.port());
        let object = format!(
            "draft of upstream {} at {}:{port}",
            draft.name, drafted.host
        );
        self.engine.note("try_draft", None, object).await?;
        let mut trial = Trial {
            upstream: draft.name.clone(),
            protocol: protocol.unwrap_or_default(),
            steps: vec![self.connected(&draft.name, &address, port).await],
        };
        if trial.is_ok() {
            let steps = self.engine.probed(&drafted.adapter).await.into_iter();
            trial
                .steps
                .extend(steps.map(|step| TrialStep::of(&draft.name, step)));
        }
        Ok(TriedDraft {
            trial,
            section: drafted.section,
        })
    }
}
