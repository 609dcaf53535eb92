//! `/api/v1`: two paths, told apart by their `action`. The order of checks is the contract's:
//! key, account, limit, method, body, parameters; the rest is the use case's.

mod actions;
mod auth;
pub(crate) mod body;
mod idempotency;
mod json;
mod members;
pub(crate) mod money;
mod otp;
mod page;
pub(crate) mod problem;
mod purchase;
mod query;
pub(crate) mod reply;
mod server;
mod smm;

pub(crate) use actions::Service;

use crate::address;
use crate::around::Trail;
use crate::connection::Connection;
use crate::door::Door;
use crate::lists::{Lists, Wishes};
use actions::Action;
use app::Engine;
use app::KeyedRequest;
use app::limits::Bucket;
use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use domain::access::Caller;
use domain::ids::AccountId;
use domain::time::Timestamp;
use domain::window::Admission;
pub(crate) use members::whole;

use members::Members;
use problem::Problem;
use query::Pairs;
use reply::Reply;
use std::sync::Arc;

/// An authenticated, admitted and well-formed request.
pub(crate) struct Call {
    pub engine: Arc<Engine>,
    pub caller: Arc<Caller>,
    /// Lists that are ready.
    pub lists: Arc<Lists>,
    /// The query of a read, the body of a write.
    pub members: Members,
    /// The idempotency key of a write, where there is one.
    pub key: Option<KeyedRequest>,
    /// The connection it came over, where there is a real one.
    pub connection: Option<Connection>,
}

/// What is known of a request by the time it is answered.
#[derive(Default)]
struct Known {
    trail: Trail,
    admission: Option<Admission>,
}

/// Answers one request.
pub(crate) async fn serve(
    door: Arc<Door>,
    service: &'static Service,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let mut known = Known::default();
    known.trail.service = service.name();
    let wishes = Wishes::of(&parts.headers);
    let outcome = Box::pin(answer(&door, service, parts, body, &mut known)).await;
    let mut response = match outcome {
        Ok(reply) => {
            known.trail.order = reply.order().or(known.trail.order);
            reply.answer(&wishes)
        }
        Err(problem) => {
            known.trail.error = Some(problem.code());
            problem.into_response()
        }
    };
    if let Some(admission) = known.admission {
        let figures = [
            ("ratelimit-limit", admission.limit),
            ("ratelimit-remaining", admission.remaining),
            ("ratelimit-reset", admission.reset_s),
        ];
        let headers = response.headers_mut();
        for (name, figure) in figures {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(figure));
        }
    }
    response.extensions_mut().insert(known.trail);
    response.extensions_mut().insert(Arc::clone(&door.log));
    response
}

async fn answer(
    door: &Door,
    service: &'static Service,
    parts: Parts,
    body: Body,
    known: &mut Known,
) -> Result<Reply, Problem> {
    let pairs = query::read(parts.uri.query().unwrap_or_default().as_bytes());
    let mut members = pairs.members.clone();
    let chosen = service.choose(&pairs, members.take("action").as_ref());
    known.trail.action = chosen.as_ref().ok().map(|action| action.name);
    let caller = admit(door, service, chosen.as_ref().ok().copied(), &parts, known).await?;
    check_method(&parts.method, chosen.as_ref().ok().copied())?;
    body::check_length(&parts.headers)?;
    let action = match chosen {
        Ok(action) => action,
        Err(problem) => {
            if parts.method == Method::POST && body::is_there(&parts.headers) {
                body::check_media_type(&parts.headers)?;
            }
            return Err(problem);
        }
    };
    let call = Call {
        engine: Arc::clone(&door.engine),
        caller,
        lists: Arc::clone(&door.lists),
        members: Members::default(),
        key: None,
        connection: parts.extensions.get::<Connection>().cloned(),
    };
    let asked = Pairs { members, ..pairs };
    let call = parameters(call, service, action, (&parts, body), asked).await?;
    let account = call.caller.account.id;
    let named = call.members.order_id().ok();
    let outcome = (action.run)(call).await;
    let missing = outcome.as_ref().is_err_and(Problem::is_missing_order);
    known.trail.order = named.filter(|_| !missing);
    match outcome {
        Ok(answer) => Ok(answer),
        Err(problem) => Err(count_miss(door, account, problem).await),
    }
}

/// Asking for orders that do not exist is guessing, and guessing is limited.
async fn count_miss(door: &Door, account: AccountId, problem: Problem) -> Problem {
    if !problem.is_missing_order() {
        return problem;
    }
    let limit = door.settings.misses_per_minute.get();
    let bucket = Bucket::account(account, "misses");
    let misses = door.limits.admit(bucket, limit, door.engine.now().0).await;
    if misses.admitted {
        return problem;
    }
    tracing::warn!(
        account.id = account.0,
        "account {account} asks for many orders that do not exist"
    );
    Problem::rate_limited(misses.reset_s)
}

/// Counts a request in the window of its key, and in that of its account where the operator gave it one. Gives
/// the narrower of both.
async fn admission(
    door: &Door,
    caller: &Caller,
    bucket: &'static str,
    now: Timestamp,
) -> Admission {
    let (key, account) = (&caller.key, caller.account.id);
    let limit = key
        .rate_limit
        .unwrap_or_else(|| door.settings.requests_of(account));
    let of_key = Bucket::key(key.id, bucket);
    let of_key = door.limits.admit(of_key, limit, now.0).await;
    let whole = door.settings.account_requests_per_minute.get(account);
    let Some(whole) = whole.filter(|_| of_key.admitted) else {
        return of_key;
    };
    let of_account = Bucket::account(account, bucket);
    let of_account = door.limits.admit(of_account, whole, now.0).await;
    if of_account.admitted && of_key.remaining < of_account.remaining {
        of_key
    } else {
        of_account
    }
}

/// Who it is, whether they may, and whether it is not too often.
async fn admit(
    door: &Door,
    service: &Service,
    action: Option<&'static Action>,
    parts: &Parts,
    known: &mut Known,
) -> Result<Arc<Caller>, Problem> {
    let address = address::of_caller(parts, &door.settings.trusted_proxies);
    let noted = &mut known.admission;
    let caller = auth::authenticate(door, &parts.headers, address, noted).await?;
    known.trail.account = Some(caller.account.id);
    known.trail.key = Some(caller.key.id);
    let now = door.engine.now();
    let bucket = action.map_or(service.bucket, |action| action.bucket);
    let admission = admission(door, &caller, bucket, now).await;
    known.admission = Some(admission);
    let write = action.is_some_and(|action| action.write);
    auth::permit(&caller, (service.scope, write), address, now)?;
    if admission.admitted {
        Ok(caller)
    } else {
        Err(Problem::rate_limited(admission.reset_s))
    }
}

fn check_method(method: &Method, action: Option<&Action>) -> Result<(), Problem> {
    let (fits, allow) = match action {
        Some(action) if action.write => (method == Method::POST, "POST"),
        Some(_) => (method == Method::GET, "GET"),
        None => (method == Method::GET || method == Method::POST, "GET, POST"),
    };
    if fits {
        Ok(())
    } else {
        Err(Problem::method_not_allowed(allow))
    }
}

/// Adds what the action reads to the call.
async fn parameters(
    mut call: Call,
    service: &Service,
    action: &Action,
    (parts, body): (&Parts, Body),
    asked: Pairs,
) -> Result<Call, Problem> {
    let repeated = asked.repeated.as_deref().map(Problem::duplicate);
    if !action.write {
        if let Some(problem) = repeated {
            return Err(problem);
        }
        call.members = asked.members;
        return Ok(call);
    }
    call.members = body::read(&parts.headers, body).await?;
    if let Some(problem) = repeated {
        return Err(problem);
    }
    if let Some(name) = asked.members.contradicts(&call.members) {
        return Err(Problem::duplicate(name));
    }
    let endpoint = format!("{}?action={}", service.path, action.name);
    call.key = idempotency::read(&parts.headers, &parts.method, endpoint, &call.members)?;
    Ok(call)
}
