//! Who opens a page of the console, and whether it is theirs to open: the extractors that pages name.

use super::page::Desk;
use crate::dashboard::fields::{Fields, sent};
use crate::dashboard::link;
use crate::dashboard::page::Failed;
use crate::dashboard::session::{Away, Visitor};
use crate::door::Door;
use app::acting;
use app::people::Signed;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use domain::audit_log::{Actor, By};
use domain::desk::Deed;
use domain::people::Role;
use domain::usd::Usd;
use std::future::Future;
use std::sync::Arc;

/// The cookie of the console's sessions, which no other site's request carries.
const COOKIE: &str = "__Host-tollgate-console";

/// What a reader is told who may not do this.
const NOT_YOURS: &str = "Your role may not do this.";

/// Somebody at the console, signed in or not.
pub(crate) struct Caller(pub Visitor);

impl FromRequestParts<Arc<Door>> for Caller {
    type Rejection = Away;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, Away> {
        Visitor::behind(COOKIE, true, parts, door).await.map(Self)
    }
}

/// A form of somebody who need not be signed in for it.
pub(crate) struct CallersForm {
    /// Who.
    pub visitor: Visitor,
    /// What.
    pub fields: Fields,
}

impl FromRequest<Arc<Door>> for CallersForm {
    type Rejection = Away;

    async fn from_request(request: Request, door: &Arc<Door>) -> Result<Self, Away> {
        let (mut parts, body) = request.into_parts();
        let Caller(visitor) = Caller::from_request_parts(&mut parts, door).await?;
        match sent(&visitor, &parts.headers, body).await {
            Ok(fields) => Ok(Self { visitor, fields }),
            Err(failed) => Err(super::page::failed(&visitor, &failed).into()),
        }
    }
}

/// A member of staff with a second factor, whose role may do what this route does. A route that says
/// nothing of what it does lets nobody in.
pub(crate) struct Operator {
    /// Who.
    pub signed: Signed,
    /// The reader.
    pub visitor: Visitor,
}

impl Operator {
    /// What they may do.
    pub(crate) fn role(&self) -> Role {
        self.signed.person.role
    }

    /// Whether they may do something.
    pub(crate) fn may(&self, deed: Deed) -> bool {
        deed.is_for(self.role())
    }

    /// A page for them.
    pub(crate) fn page<'a>(&'a self, title: &'a str, active: &'a str) -> Desk<'a> {
        Desk::new(self, title, active)
    }

    /// Who acts, for the audit log.
    pub(crate) fn by(&self, reason: &str) -> By {
        By::new(Actor::Staff(self.signed.person.id)).because(reason.trim())
    }

    /// Runs use cases on behalf of them, for this reason.
    pub(crate) async fn acting<W: Future>(&self, reason: &str, work: W) -> W::Output {
        acting(self.by(reason), work).await
    }
}

impl FromRequestParts<Arc<Door>> for Operator {
    type Rejection = Away;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, Away> {
        let deed = parts.extensions.get::<Deed>().copied();
        let Caller(visitor) = Caller::from_request_parts(parts, door).await?;
        let Some(signed) = visitor.signed.clone() else {
            let there = format!("/console/sign-in?next={}", link::encoded(visitor.back()));
            return Err(Redirect::to(&there).into_response().into());
        };
        if !signed.person.has_second_factor() {
            return Err(Redirect::to("/console/second-factor")
                .into_response()
                .into());
        }
        let operator = Self { signed, visitor };
        if deed.is_some_and(|deed| operator.may(deed)) {
            return Ok(operator);
        }
        let failed = Failed::new(StatusCode::FORBIDDEN, NOT_YOURS);
        Err(operator.page("Not yours", "").failed(&failed).into())
    }
}

/// A form of somebody who may send it.
pub(crate) struct OperatorsForm {
    /// Who.
    pub operator: Operator,
    /// What.
    pub fields: Fields,
}

impl OperatorsForm {
    /// The reason that a form gives; a deed that moves money or access needs one.
    pub(crate) fn reason(&self) -> Result<&str, Failed> {
        app::reason(self.fields.text("reason")).map_err(|_| {
            Failed::field(
                "reason",
                "Say why, in 3 to 500 characters: it is kept in the audit log.",
            )
        })
    }

    /// Runs a use case on behalf of who sent the form, for the reason that it gives.
    pub(crate) async fn because<T, E>(
        &self,
        deed: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failed>
    where
        Failed: From<E>,
    {
        self.telling_why(|_| deed).await
    }

    /// The same for a use case that keeps the reason itself.
    pub(crate) async fn telling_why<'a, T, E, D>(
        &'a self,
        deed: impl FnOnce(&'a str) -> D,
    ) -> Result<T, Failed>
    where
        D: Future<Output = Result<T, E>>,
        Failed: From<E>,
    {
        let reason = self.reason()?;
        Ok(self.operator.acting(reason, deed(reason)).await?)
    }

    /// The amount of dollars that a form gives.
    pub(crate) fn dollars(&self) -> Result<Usd, Failed> {
        let amount = Usd::parse(self.fields.text("usd").trim()).ok();
        amount.filter(|amount| *amount > Usd::ZERO).ok_or_else(|| {
            let why = "Give dollars above zero with at most six decimals, such as 25.00.";
            Failed::field("usd", why)
        })
    }
}

impl FromRequest<Arc<Door>> for OperatorsForm {
    type Rejection = Away;

    async fn from_request(request: Request, door: &Arc<Door>) -> Result<Self, Away> {
        let (mut parts, body) = request.into_parts();
        let operator = Operator::from_request_parts(&mut parts, door).await?;
        match sent(&operator.visitor, &parts.headers, body).await {
            Ok(fields) => Ok(Self { operator, fields }),
            Err(failed) => Err(operator.page("Not done", "").failed(&failed).into()),
        }
    }
}

/// An answer that also signs the browser in, or out with an empty token. The cookie ends with the
/// browser.
pub(super) fn with_cookie(token: &str, mut response: Response) -> Response {
    let end = if token.is_empty() { "; Max-Age=0" } else { "" };
    let line = format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict{end}");
    if let Ok(line) = HeaderValue::from_str(&line) {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    response
}
