//! What a form sent: read once, bounded, and only with the token of its reader's session.

use super::page::{Failed, Page};
use super::session::{Away, Visitor};
use crate::door::Door;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use domain::time::Timestamp;
use std::sync::Arc;

/// Largest form.
const MAX: usize = 64 * 1024;

/// The hidden field with the token.
pub(crate) const TOKEN: &str = "form_token";

/// A form's fields in sending order.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads an urlencoded text.
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// Of these names and values.
    pub(crate) fn of(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// A field's value; empty where it was not sent.
    pub(crate) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// A field's value without the white space around it, where there is any.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        Some(self.text(name).trim()).filter(|value| !value.is_empty())
    }

    /// A number in a field.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.filled(name)?.parse().ok()
    }

    /// A whole number in a field that may be left empty.
    pub(crate) fn whole<T: std::str::FromStr>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, Failed> {
        let Some(text) = self.filled(name) else {
            return Ok(None);
        };
        let wrong = |_| Failed::field(name, &format!("{text} is not a whole number in reach."));
        text.parse().map(Some).map_err(wrong)
    }

    /// A choice between yes and no.
    pub(crate) fn yes_or_no(&self, name: &'static str) -> Result<bool, Failed> {
        match self.text(name) {
            "yes" => Ok(true),
            "no" => Ok(false),
            _ => Err(Failed::field(name, "Say yes or no.")),
        }
    }

    /// Whether a box is ticked.
    pub(crate) fn ticked(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    /// All fields in sending order.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// All values of a field.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }
}

/// The start of a day in UTC; nothing where none is given.
pub(crate) fn day(name: &'static str, text: &str) -> Result<Option<Timestamp>, Failed> {
    if text.is_empty() {
        return Ok(None);
    }
    let start = format!("{text}T00:00:00Z").parse::<jiff::Timestamp>();
    let start = start.map_err(|_| Failed::field(name, "The day looks like 2026-01-31."))?;
    Ok(Some(Timestamp(start.as_millisecond())))
}

/// A form that was sent, and who sent it.
pub(crate) struct Form {
    /// Who.
    pub visitor: Visitor,
    /// What.
    pub fields: Fields,
}

impl FromRequest<Arc<Door>> for Form {
    type Rejection = Away;

    async fn from_request(request: Request, door: &Arc<Door>) -> Result<Self, Away> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::of(&mut parts, door).await?;
        match sent(&visitor, &parts.headers, body).await {
            Ok(fields) => Ok(Self { visitor, fields }),
            Err(failed) => Err(Page::new(&visitor, "Not done").failed(&failed).into()),
        }
    }
}

/// What a reader's form sent, if its page was shown to this reader.
pub(crate) async fn sent(
    visitor: &Visitor,
    headers: &HeaderMap,
    body: Body,
) -> Result<Fields, Failed> {
    let media_type = headers.get(header::CONTENT_TYPE);
    let is_form = media_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    if !is_form {
        let why = "Forms are sent as application/x-www-form-urlencoded.";
        return Err(Failed::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    let Ok(body) = to_bytes(body, MAX).await else {
        let why = "This form is too large.";
        return Err(Failed::new(StatusCode::PAYLOAD_TOO_LARGE, why));
    };
    from_its_page(visitor, Fields::parse(&body))
}

/// What was sent, if its page was shown to this reader.
pub(crate) fn from_its_page(visitor: &Visitor, fields: Fields) -> Result<Fields, Failed> {
    if visitor.sent_it(&fields) {
        return Ok(fields);
    }
    let why = "This page is out of date: you signed in or out since it was opened. Go back, reload \
               it, and send the form again.";
    Err(Failed::new(StatusCode::FORBIDDEN, why))
}
