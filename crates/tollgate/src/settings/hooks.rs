//! `[hooks.twilio]` and `[hooks.telnyx]`: whose webhooks are believed.

use super::secret::{Secret, Shape};
use super::section::{Section, text};
use toml::Value;

/// `[hooks]`. A carrier without a key has no hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    /// Tokens of a Twilio account: the present one, and during a rotation the other.
    pub twilio_tokens: Vec<Secret>,
    /// A key of its own for HMAC-SHA256, by id.
    pub twilio_key: Option<(String, Secret)>,
    /// Public keys of a Telnyx account, in base64.
    pub telnyx_keys: Vec<String>,
}

impl Hooks {
    /// Reads the sections.
    pub fn read(part: &mut Section<'_>) -> Self {
        let mut hooks = Self::default();
        part.section("twilio", |part| hooks.read_twilio(part));
        part.section("telnyx", |part| hooks.read_telnyx(part));
        hooks
    }

    /// The same for the door.
    pub fn door(&self) -> web::Hooks {
        let tokens: Vec<&str> = self.twilio_tokens.iter().map(Secret::expose).collect();
        let key = self.twilio_key.iter();
        let keys: Vec<_> = key
            .map(|(id, secret)| (id.as_str(), secret.expose()))
            .collect();
        let telnyx: Vec<&str> = self.telnyx_keys.iter().map(String::as_str).collect();
        web::Hooks::default()
            .with_twilio(&tokens, &keys)
            .with_telnyx(&telnyx)
    }

    fn read_twilio(&mut self, part: &mut Section<'_>) {
        let tokens = ["auth_token", "auth_token_before"];
        self.twilio_tokens = tokens
            .into_iter()
            .filter_map(|key| secret(part, key))
            .collect();
        let id = part.optional(
            "signing_key_id",
            |value| text(value).map(str::to_owned),
            None,
        );
        let key = secret(part, "signing_key");
        if id.is_some() != key.is_some() {
            part.problem(
                "signing_key",
                "goes with signing_key_id: give both or neither",
            );
        }
        self.twilio_key = id.zip(key);
    }

    fn read_telnyx(&mut self, part: &mut Section<'_>) {
        let keys = ["public_key", "public_key_before"];
        let read = keys.map(|key| part.optional(key, public_key, None));
        self.telnyx_keys = read.into_iter().flatten().collect();
    }
}

fn secret(part: &mut Section<'_>, key: &'static str) -> Option<Secret> {
    part.optional_secret(&Shape {
        key,
        default_file: None,
        least_bytes: 16,
    })
}

fn public_key(value: &Value) -> Result<String, String> {
    let given = text(value)?.trim();
    if web::Hooks::default().with_telnyx(&[given]).takes_telnyx() {
        Ok(given.to_owned())
    } else {
        Err("must be the account's public key: 32 bytes in base64".to_owned())
    }
}
