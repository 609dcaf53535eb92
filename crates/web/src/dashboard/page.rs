//! One page: its frame, its headers, and what it says when something was not done.

use super::session::Visitor;
use super::{notice, templates, view};
use crate::api_v1::problem::Problem;
use crate::headers::PAGE_POLICY;
use app::Refusal;
use app::people::PeopleError;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use minijinja::{Value, context};

/// Headers of every page: nothing of a signed-in page stays in a cache.
pub(crate) const HEADERS: [(HeaderName, &str); 2] = [
    (header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
    (header::CACHE_CONTROL, "no-store"),
];

/// Why a page says that something was not done.
#[derive(Clone, Debug)]
pub(crate) struct Failed {
    /// Status of the answer.
    pub status: StatusCode,
    /// The form's field at fault, where it is one.
    pub field: &'static str,
    /// A sentence for the reader.
    pub why: String,
    /// Seconds after which a new try makes sense, where that is known.
    pub retry_after_s: Option<u32>,
}

impl Failed {
    /// A sentence with a status.
    pub(crate) fn new(status: StatusCode, why: &str) -> Self {
        Self {
            status,
            field: "",
            why: why.to_owned(),
            retry_after_s: None,
        }
    }

    /// A field that has to be filled in otherwise.
    pub(crate) fn field(field: &'static str, why: &str) -> Self {
        Self {
            field,
            ..Self::new(StatusCode::BAD_REQUEST, why)
        }
    }
}

impl From<PeopleError> for Failed {
    fn from(error: PeopleError) -> Self {
        let status = match error {
            PeopleError::Invalid { .. } | PeopleError::BadLink => StatusCode::BAD_REQUEST,
            PeopleError::NoMatch | PeopleError::NoEntry => StatusCode::UNAUTHORIZED,
            PeopleError::ProofNeeded | PeopleError::NoMail => StatusCode::FORBIDDEN,
            PeopleError::Changed => StatusCode::CONFLICT,
            PeopleError::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            PeopleError::Key(error) => return error.into(),
            PeopleError::Storage => StatusCode::SERVICE_UNAVAILABLE,
        };
        let field = match error {
            PeopleError::Invalid { field, .. } => field,
            _ => "",
        };
        let retry_after_s = match error {
            PeopleError::TooMany(wait_s) => Some(wait_s.max(1)),
            _ => None,
        };
        Self {
            retry_after_s,
            status,
            field,
            why: error.to_string(),
        }
    }
}

impl From<Refusal> for Failed {
    /// The same status as the API has for it, in the words of a page.
    fn from(refusal: Refusal) -> Self {
        let sentence = said(&refusal);
        let wait = refusal.retry_after();
        Self {
            retry_after_s: wait.and_then(|wait| u32::try_from(wait.ceil_seconds().max(1)).ok()),
            ..Self::new(Problem::from(refusal).status(), &sentence)
        }
    }
}

impl From<domain::ports::StoreError> for Failed {
    fn from(_: domain::ports::StoreError) -> Self {
        PeopleError::Storage.into()
    }
}

impl From<app::AdminError> for Failed {
    fn from(error: app::AdminError) -> Self {
        let status = match error {
            app::AdminError::Storage => StatusCode::SERVICE_UNAVAILABLE,
            app::AdminError::NotFound(_) => StatusCode::NOT_FOUND,
            app::AdminError::Conflict(_) => StatusCode::CONFLICT,
            app::AdminError::Forbidden(_) => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        };
        let field = match &error {
            app::AdminError::Field { field, .. } => field,
            _ => "",
        };
        Self {
            field,
            ..Self::new(status, &sentence(&error.to_string()))
        }
    }
}

/// The sentence for somebody who sees buttons and fields, not headers and parameters.
fn said(refusal: &Refusal) -> String {
    let plain = match refusal {
        Refusal::PriceChanged(price) => {
            let price = view::usd(price.0);
            return format!(
                "The price is now {price}, above what you agreed to. Look, then order again."
            );
        }
        Refusal::RefillNotDue(Some(left)) => {
            let hours = (left.ceil_seconds().max(1) + 3599) / 3600;
            let unit = if hours == 1 { "hour" } else { "hours" };
            return format!(
                "This order was refilled within the last 24 hours. Ask again in {hours} {unit}."
            );
        }
        Refusal::NoNumbers => "No numbers are in stock at the moment. Nothing was charged.",
        Refusal::ProviderUnavailable(_) => {
            "This cannot be bought at the moment. Nothing was charged; try again later."
        }
        Refusal::ProviderRejected => "This order was refused further on. Nothing was charged.",
        Refusal::RouteClosed => {
            "This route takes no purchases for the moment. Nothing was charged; try again later."
        }
        Refusal::InsufficientBalance => {
            "Your available balance is below the price. Top up, then order again."
        }
        Refusal::IdempotencyKeyReused => {
            "This form was sent before with other values. Reload the page and fill it in again."
        }
        Refusal::IdempotencyInProgress => "The same form, sent before, is still being worked on.",
        other => return other.sentence().replace("Parameter link", "The link"),
    };
    plain.to_owned()
}

/// A short error as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!(
        "{}{}.",
        first.unwrap_or_default(),
        letters.as_str().trim_end_matches('.')
    )
}

/// A page for a reader.
pub(crate) struct Page<'a> {
    visitor: &'a Visitor,
    title: &'a str,
    active: &'a str,
    failed: Option<Failed>,
}

impl<'a> Page<'a> {
    /// A page with this title.
    pub(crate) fn new(visitor: &'a Visitor, title: &'a str) -> Self {
        Self {
            visitor,
            title,
            active: "",
            failed: None,
        }
    }

    /// Which entry of the navigation it belongs to.
    pub(crate) fn under(self, active: &'a str) -> Self {
        Self { active, ..self }
    }

    /// The same page again with what was wrong about its form.
    pub(crate) fn with_failure(self, failed: Option<Failed>) -> Self {
        Self { failed, ..self }
    }

    /// The answer: a template with its values, inside the frame.
    pub(crate) fn show(&self, template: &str, values: Value) -> Response {
        match &self.failed {
            None => self.respond(StatusCode::OK, template, values),
            Some(failed) => later(failed, self.respond(failed.status, template, values)),
        }
    }

    /// A page that only says why something was not done.
    pub(crate) fn failed(&self, failed: &Failed) -> Response {
        let values = context! { why => &failed.why };
        later(failed, self.respond(failed.status, "error.html", values))
    }

    /// The same with a template of another door.
    pub(crate) fn failed_as(&self, template: &str, failed: &Failed, values: Value) -> Response {
        let values = context! { why => &failed.why, ..values };
        later(failed, self.respond(failed.status, template, values))
    }

    fn respond(&self, status: StatusCode, template: &str, values: Value) -> Response {
        match self.render(template, values) {
            Ok(html) => (status, HEADERS, Html(html)).into_response(),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(template, error, "a page cannot be rendered");
                let sentence = "This page cannot be shown just now.";
                (StatusCode::INTERNAL_SERVER_ERROR, HEADERS, sentence).into_response()
            }
        }
    }

    /// The text of a page.
    pub(crate) fn render(&self, template: &str, values: Value) -> Result<String, minijinja::Error> {
        let frame = self.frame();
        templates::render(template, context! { ..values, ..frame })
    }

    fn frame(&self) -> Value {
        let visitor = self.visitor;
        let signed = visitor.signed.as_ref();
        let query = visitor.here.split_once('?').map_or("", |(_, query)| query);
        let fields = super::fields::Fields::parse(query.as_bytes());
        context! {
            title => self.title,
            active => self.active,
            here => &visitor.here,
            notice => notice::sentence(fields.text("notice"), self.visitor.at_console),
            email => signed.map(|signed| &signed.person.email),
            looking => &visitor.looking,
            announced => visitor.announced.as_ref(),
            form_token => &visitor.form_token,
            failed_field => self.failed.as_ref().map_or("", |failed| failed.field),
            failed_why => self.failed.as_ref().map(|failed| &failed.why),
        }
    }
}

/// The answer, which says to programs too when to come back.
fn later(failed: &Failed, mut response: Response) -> Response {
    if let Some(wait_s) = failed.retry_after_s {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, wait_s.into());
    }
    response
}

/// A part of a page, for a script that asked for it.
pub(crate) fn part(template: &str, values: Value) -> Response {
    match templates::render(template, values) {
        Ok(html) => (HEADERS, Html(html)).into_response(),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(template, error, "a part of a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The page for an address that is asked in the wrong way.
pub(crate) fn method_not_allowed(visitor: &Visitor) -> Response {
    let why = "This address cannot be opened like this: it belongs to a form. Go back to the page \
               with the form and send it again.";
    Page::new(visitor, "Not like this").failed(&Failed::new(StatusCode::METHOD_NOT_ALLOWED, why))
}

/// The page for a form that another site sent. Nothing of its reader is looked at.
pub(crate) fn crossed() -> Response {
    let why = "This was sent by another site, so nothing was changed (csrf). If you meant it, open the page here \
               and send its form.";
    Page::new(&Visitor::unknown(), "Sent by another site")
        .failed(&Failed::new(StatusCode::FORBIDDEN, why))
}

/// The page for an address that leads nowhere.
pub(crate) fn not_found(visitor: &Visitor) -> Response {
    let why = "There is nothing at this address.";
    Page::new(visitor, "Not found").failed(&Failed::new(StatusCode::NOT_FOUND, why))
}
