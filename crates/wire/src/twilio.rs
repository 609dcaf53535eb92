//! Twilio's webhook for messages that come in: the form, its signature, and the answer. Source:
//! Twilio's "Webhooks security" and "Messaging webhooks" pages.

use crate::inbound::{BadSignature, Inbound, SIGNATURE_MAX, Webhook};
use crate::json::Node;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::hex::hex;
use ring::{digest, hmac};
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// Header with the signature.
pub const SIGNATURE_HEADER: &str = "x-twilio-signature";
/// Header that names the key and the algorithm where they are not the usual ones.
pub const SETTINGS_HEADER: &str = "x-twilio-webhooks-signature-settings";
/// The one answer that sends nothing back to whoever wrote.
pub const ANSWER: &str = "<Response/>";
/// Media type of the answer.
pub const ANSWER_TYPE: &str = "text/xml";

/// Name of the query member that carries the hash of a JSON body.
const BODY_HASH: &str = "bodySHA256";
/// State of a message that came in.
const RECEIVED: &str = "received";

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-1 and the account's token: the usual one.
    Sha1,
    /// HMAC with SHA-256 and a key of its own.
    Sha256,
}

impl Algorithm {
    fn of_ring(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
        }
    }
}

/// What the settings header says: `key=ID,algorithm=HMAC_SHA256`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureSettings {
    /// Id of the key.
    pub key: String,
    /// Algorithm.
    pub algorithm: Algorithm,
}

impl SignatureSettings {
    /// Reads the header; nothing where it names no key or an algorithm we do not know.
    pub fn parse(header: &str) -> Option<Self> {
        let (mut key, mut algorithm) = (None, None);
        for part in header.split(',') {
            match part.trim().split_once('=')? {
                ("key", id) if !id.is_empty() => key = Some(id.to_owned()),
                ("algorithm", "HMAC_SHA256") => algorithm = Some(Algorithm::Sha256),
                ("algorithm", "HMAC_SHA1") => algorithm = Some(Algorithm::Sha1),
                _ => return None,
            }
        }
        Some(Self {
            key: key?,
            algorithm: algorithm?,
        })
    }
}

/// A body as it came, by its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// A form, whose members are signed.
    Form(&'a [u8]),
    /// JSON, whose hash stands in the signed address.
    Json(&'a [u8]),
}

/// Whether a request to `url` was signed with this key. The address is the public one, with its
/// query, exactly as Twilio was told; the default port may be written in it or not.
pub fn verify(
    key: (&str, Algorithm),
    url: &str,
    body: Body<'_>,
    signature: &str,
) -> Result<(), BadSignature> {
    let (secret, algorithm) = key;
    if signature.len() > SIGNATURE_MAX {
        return Err(BadSignature::Unreadable);
    }
    let tag = STANDARD
        .decode(signature)
        .map_err(|_| BadSignature::Unreadable)?;
    let length = algorithm.of_ring().digest_algorithm().output_len();
    if tag.len() != length {
        return Err(BadSignature::Unreadable);
    }
    if secret.trim().is_empty() {
        return Err(BadSignature::Wrong);
    }
    let members = signed_members(url, body)?;
    let key = hmac::Key::new(algorithm.of_ring(), secret.as_bytes());
    let fits = |url: String| hmac::verify(&key, (url + &members).as_bytes(), &tag).is_ok();
    if port_forms(url).into_iter().any(fits) {
        Ok(())
    } else {
        Err(BadSignature::Wrong)
    }
}

/// The signature of a request: what the sandbox's carrier sends.
pub fn sign((secret, algorithm): (&str, Algorithm), url: &str, form: &[u8]) -> String {
    let key = hmac::Key::new(algorithm.of_ring(), secret.as_bytes());
    let text = url.to_owned() + &form_members(form);
    STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

/// What is signed after the address.
fn signed_members(url: &str, body: Body<'_>) -> Result<String, BadSignature> {
    match body {
        Body::Form(form) => Ok(form_members(form)),
        Body::Json(json) => {
            let query = url.split_once('?').map_or("", |(_, query)| query);
            let mut members = form_urlencoded::parse(query.as_bytes());
            let claimed = members.find(|(name, _)| name == BODY_HASH);
            let hash = hex(digest::digest(&digest::SHA256, json).as_ref());
            // both sides are public: the hash of a body that its sender knows
            match claimed {
                Some((_, claimed)) if claimed.eq_ignore_ascii_case(&hash) => Ok(String::new()),
                _ => Err(BadSignature::Wrong),
            }
        }
    }
}

/// All members, by name in byte order; of a repeated one each distinct value, sorted.
fn form_members(form: &[u8]) -> String {
    let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(form) {
        let values = members.entry(name.into_owned()).or_default();
        values.insert(value.into_owned());
    }
    let mut text = String::new();
    for (name, values) in &members {
        for value in values {
            text.push_str(name);
            text.push_str(value);
        }
    }
    text
}

/// The address as it is, and with or without the port that goes without saying.
fn port_forms(url: &str) -> Vec<String> {
    let mut forms = vec![url.to_owned()];
    for (scheme, port) in [("https://", ":443"), ("http://", ":80")] {
        let Some(rest) = url.strip_prefix(scheme) else {
            continue;
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, tail) = rest.split_at(end);
        if let Some(bare) = host.strip_suffix(port) {
            forms.push(format!("{scheme}{bare}{tail}"));
        } else if !host.contains(':') || host.ends_with(']') {
            forms.push(format!("{scheme}{host}{port}{tail}"));
        }
    }
    forms
}

/// Reads a message. Reports of what became of messages that were sent have another state.
pub fn parse(body: Body<'_>) -> Webhook {
    let members: Vec<_> = match body {
        Body::Form(form) => form_urlencoded::parse(form).into_owned().collect(),
        Body::Json(json) => json_members(json),
    };
    message(&members)
}

fn json_members(json: &[u8]) -> Vec<(String, String)> {
    let object = std::str::from_utf8(json).ok().and_then(Node::read);
    let members = object.and_then(Node::object).map(|object| object.0);
    let text = |(name, node): (String, Node<'_>)| Some((name, node.text()?));
    members.into_iter().flatten().filter_map(text).collect()
}

fn message(members: &[(String, String)]) -> Webhook {
    let member = |name: &str| {
        let found = members.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    let states = [member("SmsStatus"), member("MessageStatus")];
    if states.iter().flatten().any(|state| state != RECEIVED) {
        return Webhook::Other;
    }
    let filled = |name: &str| member(name).filter(|value| !value.is_empty());
    let id = ["MessageSid", "SmsMessageSid", "SmsSid"]
        .into_iter()
        .find_map(filled);
    match (id, filled("From"), filled("To"), member("Body")) {
        (Some(message_id), Some(from), Some(to), Some(text)) => Webhook::Message(Inbound {
            message_id,
            event_id: None,
            from,
            to,
            text,
            received_at: None,
        }),
        _ => Webhook::Malformed,
    }
}

/// The form that tells of a message.
pub fn form(message: &Inbound, account: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in [
        ("AccountSid", account),
        ("ApiVersion", "2010-04-01"),
        ("Body", &message.text),
        ("From", &message.from),
        ("MessageSid", &message.message_id),
        ("NumMedia", "0"),
        ("NumSegments", "1"),
        ("SmsMessageSid", &message.message_id),
        ("SmsSid", &message.message_id),
        ("SmsStatus", RECEIVED),
        ("To", &message.to),
    ] {
        form.append_pair(name, value);
    }
    form.finish()
}
