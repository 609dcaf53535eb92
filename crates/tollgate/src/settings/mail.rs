//! `[mail]`: how mail to people who sign in is sent. Without it nobody can sign up by themselves.

use super::secret::{Secret, Shape};
use super::section::{Section, text};
use lettre::message::Mailbox;
use toml::Value;

/// `[mail]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Whom mails come from.
    pub from: String,
    /// Server, with user and password: `smtps://user:password@mail.example.org`.
    pub smtp_url: Secret,
}

impl Mail {
    /// Reads the section; nothing where no sender is set.
    pub fn read(part: &mut Section<'_>) -> Option<Self> {
        let from = part.optional("from", sender, None)?;
        let smtp_url = part.secret(&Shape {
            key: "smtp_url",
            default_file: None,
            least_bytes: 1,
        });
        Some(Self {
            from,
            smtp_url: smtp_url.unwrap_or_else(|| Secret::new("")),
        })
    }
}

fn sender(value: &Value) -> Result<String, String> {
    let given = text(value)?;
    let allowed = "must be an address, like \"Tollgate <tollgate@example.org>\"";
    let parsed: Mailbox = given.parse().map_err(|_| allowed.to_owned())?;
    Ok(parsed.to_string())
}
