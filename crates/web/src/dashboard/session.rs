//! Who opens a page: the session cookie, and the extractors that pages name.

use super::fields::{Fields, TOKEN};
use super::link;
use super::look;
use super::page::{Failed, Page};
use crate::address;
use crate::door::Door;
use app::people::{Place, Signed};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use domain::access::Account;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// The cookie of the dashboard's sessions. Browsers take a cookie of this prefix only with Secure,
/// for the whole host and from nobody else; they count this machine itself as secure.
pub(crate) const COOKIE: &str = "__Host-tollgate";

/// An answer given instead of the page that was asked for.
#[derive(Debug)]
pub(crate) struct Away(Box<Response>);

impl From<Response> for Away {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl IntoResponse for Away {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// A reader, signed in or not.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// Who, if signed in.
    pub signed: Option<Signed>,
    /// Where from.
    pub place: Place,
    /// The token that this reader's forms carry; empty while nobody is signed in. Each page spells it
    /// otherwise, so that the size of a compressed page tells nothing of it.
    pub form_token: String,
    /// The token itself, which no page shows.
    secret: String,
    /// Path and query of this page.
    pub here: String,
    /// A form was sent here.
    sends: bool,
    /// This is the console, not the dashboard.
    pub at_console: bool,
    /// A script asked for a part of a page.
    pub partial: bool,
    /// Which member of staff looks at the pages of the one who seems signed in; nobody as a rule.
    pub looking: Option<String>,
    /// What all customers are told.
    pub announced: Arc<Vec<String>>,
}

impl Visitor {
    /// A reader of whom nothing is known.
    pub(crate) fn unknown() -> Self {
        Self {
            signed: None,
            place: Place {
                address: String::new(),
                agent: String::new(),
            },
            form_token: String::new(),
            secret: String::new(),
            here: "/".to_owned(),
            sends: false,
            at_console: false,
            partial: false,
            looking: None,
            announced: Arc::default(),
        }
    }

    pub(crate) async fn of(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, Away> {
        // the dashboard is for customers; staff have a door of their own
        let mut visitor = Self::behind(COOKIE, false, parts, door).await?;
        match look::over(&mut visitor, parts, door).await {
            Ok(()) => Ok(visitor),
            Err(closed) => Err(Away(closed)),
        }
    }

    /// The reader behind a cookie, signed in only as one of the staff, or as none of them.
    pub(crate) async fn behind(
        name: &str,
        staff: bool,
        parts: &mut Parts,
        door: &Arc<Door>,
    ) -> Result<Self, Away> {
        let place = Place {
            address: address::of_caller(parts, &door.settings.trusted_proxies).to_string(),
            agent: text(&parts.headers, &header::USER_AGENT).to_owned(),
        };
        let here = parts.uri.path_and_query();
        let mut visitor = Self {
            signed: None,
            place,
            form_token: String::new(),
            secret: String::new(),
            here: here.map_or_else(|| "/".to_owned(), ToString::to_string),
            sends: parts.method == Method::POST,
            at_console: staff,
            partial: parts.headers.contains_key("hx-request"),
            looking: None,
            announced: door.desk.announced().await,
        };
        let Some(token) = cookie(&parts.headers, name) else {
            return Ok(visitor);
        };
        match door.people.signed_in(token, &visitor.place.address).await {
            Ok(signed) => {
                let fits = |signed: &Signed| match staff {
                    true => signed.person.role.is_staff(),
                    false => signed.account.is_some(),
                };
                visitor.signed = signed.filter(fits);
                if let Some(signed) = &visitor.signed {
                    visitor.secret = door.people.form_token(&signed.session);
                    visitor.form_token = masked(&visitor.secret);
                }
                Ok(visitor)
            }
            Err(error) => {
                let failed = Failed::new(StatusCode::SERVICE_UNAVAILABLE, &error.to_string());
                Err(Page::new(&visitor, "Not now").failed(&failed).into())
            }
        }
    }

    /// A value of the page's own query; empty where it has none.
    pub(crate) fn asked(&self, name: &str) -> String {
        let query = self.here.split_once('?').map_or("", |(_, query)| query);
        Fields::parse(query.as_bytes()).text(name).to_owned()
    }

    /// Where this reader goes on after signing in: to this page, or to the one with the form that was
    /// sent here.
    pub(crate) fn back(&self) -> &str {
        match self.sends {
            true => link::page_of_form(&self.here),
            false => &self.here,
        }
    }

    /// Whether a form was sent from a page that this reader's session was shown.
    pub(crate) fn sent_it(&self, fields: &Fields) -> bool {
        let token = unmasked(fields.text(TOKEN));
        let shown = |token: Vec<u8>| token.ct_eq(self.secret.as_bytes()).into();
        self.signed.is_none() || token.is_some_and(shown)
    }
}

impl FromRequestParts<Arc<Door>> for Visitor {
    type Rejection = Away;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, Away> {
        Self::of(parts, door).await
    }
}

/// A reader who is signed in; everybody else is sent to the sign-in page and back.
#[derive(Clone, Debug)]
pub(crate) struct Customer {
    /// Who.
    pub signed: Signed,
    /// Their account.
    pub account: Account,
    /// The reader.
    pub visitor: Visitor,
}

impl Customer {
    /// The customer behind a reader, or the answer that asks to sign in.
    pub(crate) fn of(visitor: Visitor) -> Result<Self, Away> {
        let signed = visitor.signed.clone();
        let account = signed.as_ref().and_then(|signed| signed.account.clone());
        match (signed, account) {
            (Some(signed), Some(account)) => Ok(Self {
                signed,
                account,
                visitor,
            }),
            _ => Err(to_sign_in(&visitor).into()),
        }
    }
}

impl FromRequestParts<Arc<Door>> for Customer {
    type Rejection = Away;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, Away> {
        Self::of(Visitor::of(parts, door).await?)
    }
}

/// A token behind a mask that is new each time: mask and masked token, in hexadecimal. Without
/// randomness there is none, and forms are refused.
fn masked(token: &str) -> String {
    let mut mask = vec![0_u8; token.len()];
    if getrandom::fill(&mut mask).is_err() {
        return String::new();
    }
    let both = mask.iter().zip(token.bytes());
    let hidden: Vec<u8> = both.map(|(mask, byte)| mask ^ byte).collect();
    let all = mask.iter().chain(&hidden);
    all.map(|byte| format!("{byte:02x}")).collect()
}

/// The token behind its mask; nothing if it is not whole.
fn unmasked(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Vec<u8> = digits.map(byte).collect::<Option<_>>()?;
    let (mask, hidden) = bytes.split_at_checked(bytes.len() / 2)?;
    let fits = mask.len() == hidden.len();
    let both = mask.iter().zip(hidden);
    fits.then(|| both.map(|(mask, byte)| mask ^ byte).collect())
}

fn to_sign_in(visitor: &Visitor) -> Response {
    let there = format!("/sign-in?next={}", link::encoded(visitor.back()));
    if visitor.partial {
        // a script follows a redirect out of sight: it is told to load the page itself
        return (StatusCode::UNAUTHORIZED, [("hx-redirect", there)]).into_response();
    }
    Redirect::to(&there).into_response()
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

/// A cookie's value.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// An answer that also signs the browser in, or out with an empty token.
pub(crate) fn with_cookie(token: &str, mut response: Response) -> Response {
    let end = if token.is_empty() {
        "; Max-Age=0"
    } else {
        "; Max-Age=2592000"
    };
    let line = format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Lax{end}");
    if let Ok(line) = HeaderValue::from_str(&line) {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::{masked, unmasked};

    #[test]
    fn a_mask_is_new_each_time_and_comes_off() {
        let (one, other) = (masked("secret"), masked("secret"));
        assert_ne!(one, other);
        assert_eq!(unmasked(&one).as_deref(), Some(b"secret".as_slice()));
        assert_eq!(unmasked(&other).as_deref(), Some(b"secret".as_slice()));
        assert_eq!(unmasked(""), Some(Vec::new()));
        for bad in ["zz", "abc", "012345", "+1+1", "\u{e9}"] {
            assert_ne!(
                unmasked(bad).as_deref(),
                Some(b"secret".as_slice()),
                "{bad}"
            );
        }
    }
}
