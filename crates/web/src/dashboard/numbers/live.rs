//! The numbers that wait for a code, and their news: from our own state, once a second at most.

use crate::connection::Connection;
use crate::dashboard::page::{self, Failed};
use crate::dashboard::session::{Away, Customer};
use crate::dashboard::{templates, view};
use crate::door::Door;
use app::people::Signed;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::access::Caller;
use domain::activation::{Activation, ActivationState, PublicStatus};
use domain::ids::AccountId;
use domain::ports::Page as Rows;
use domain::time::Millis;
use futures_util::stream;
use minijinja::{Value, context};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// Open orders shown at most; those that finished among the newest stay in the list this long.
const OPEN: u32 = 100;
const NEWEST: u32 = 50;
const LINGER: Millis = Millis::minutes(10);
/// Between two looks.
const LOOK: Millis = Millis::seconds(1);
/// Without news a comment is sent this often (in looks), so that nothing on the way gives up.
const SILENT_LOOKS: u32 = 15;
/// A stream ends after so many looks; the browser asks again, and its session is checked again.
const LOOKS: u32 = 300;
/// Streams of one account at once.
const STREAMS_MAX: u32 = 6;

/// Streams open by account.
#[derive(Debug, Default)]
pub struct Streams(Mutex<HashMap<AccountId, u32>>);

/// One open stream; counted until it is dropped.
struct Stream {
    door: Arc<Door>,
    caller: Caller,
    signed: Signed,
    form_token: String,
    connection: Option<Connection>,
    shown: String,
    silent: u32,
    looks: u32,
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut open = self
            .door
            .streams
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let id = self.caller.account.id;
        if let Some(count) = open.get_mut(&id) {
            *count -= 1;
            if *count == 0 {
                open.remove(&id);
            }
        }
    }
}

impl Streams {
    fn take(&self, account: AccountId) -> bool {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(account).or_default();
        if *count >= STREAMS_MAX {
            return false;
        }
        *count += 1;
        true
    }
}

/// The list's values for its template.
pub(super) async fn values(door: &Door, caller: &Caller) -> Result<Value, Failed> {
    let mut live = Vec::new();
    for activation in listed(door, caller).await? {
        // what was never shown is shown now, and from now on a code of it is this customer's
        let shown = door.engine.get_status(caller, activation.id).await;
        let shown = shown.map_err(Failed::from)?;
        live.push(row(&shown));
    }
    Ok(context! { live })
}

/// Every open order, however many came after it, and what finished lately; newest first.
async fn listed(door: &Door, caller: &Caller) -> Result<Vec<Activation>, Failed> {
    let rows = |limit, states: Vec<&'static str>| Rows {
        limit,
        before: None,
        since: None,
        states,
        progress: Vec::new(),
    };
    let open = ActivationState::ALL.iter().filter(|state| state.is_open());
    let open = rows(OPEN, open.map(|state| state.slug()).collect());
    let list = |rows: Rows| async move { door.engine.list_activations(caller, &rows).await };
    let mut listed = list(open).await.map_err(Failed::from)?;
    let newest = list(rows(NEWEST, Vec::new())).await.map_err(Failed::from)?;
    let since = door.engine.now() - LINGER;
    let finished = |one: &Activation| !one.state.is_open() && one.created_at >= since;
    listed.extend(newest.into_iter().filter(finished));
    listed.sort_by_key(|one| std::cmp::Reverse(one.id));
    listed.dedup_by_key(|one| one.id);
    Ok(listed)
}

fn row(activation: &Activation) -> Value {
    let status = activation.public_status();
    let received = status == PublicStatus::Received;
    let message = activation.message.as_ref().filter(|_| received);
    context! {
        id => activation.id.0,
        service => &activation.wanted.service_name,
        flag => super::flag(&activation.wanted.country_key),
        country => super::country_name(&activation.wanted.country_key),
        phone => activation.phone.as_ref().map(ToString::to_string),
        status => view::status(status),
        code => message.map(|sms| &sms.code),
        text => message.and_then(|sms| sms.text.as_ref()),
        price => activation.price.0,
        expires_at => activation.expires_at.map(view::rfc3339),
        cancel_from => activation.cancel_allowed_at.map(view::rfc3339),
        waiting => status == PublicStatus::Waiting,
    }
}

/// The list alone, for a script.
pub(super) async fn part(State(door): State<Arc<Door>>, customer: Customer) -> Response {
    let caller = Caller::signed_in(customer.account.clone());
    match values(&door, &caller).await {
        Ok(live) => {
            let frame = context! { form_token => customer.visitor.form_token };
            page::part("live.html", context! { ..live, ..frame })
        }
        Err(failed) => failed.status.into_response(),
    }
}

/// Server-sent events: the list anew whenever it has changed.
pub(super) async fn events(
    State(door): State<Arc<Door>>,
    customer: Customer,
    connection: Option<Extension<Connection>>,
) -> Result<Response, Away> {
    if !door.streams.take(customer.account.id) {
        return Err(StatusCode::TOO_MANY_REQUESTS.into_response().into());
    }
    let stream = Stream {
        door,
        caller: Caller::signed_in(customer.account.clone()),
        signed: customer.signed,
        form_token: customer.visitor.form_token.clone(),
        connection: connection.map(|Extension(connection)| connection),
        shown: String::new(),
        silent: 0,
        looks: 0,
    };
    let news = stream::unfold(stream, |mut stream| async move {
        let event = stream.next().await?;
        Some((Ok::<Bytes, std::convert::Infallible>(event), stream))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(news)).into_response())
}

impl Stream {
    /// Completes once the reader is gone, where that can be seen.
    async fn left(&self) {
        match &self.connection {
            Some(connection) => connection.ended().await,
            None => std::future::pending().await,
        }
    }

    /// Whether the session goes on: what was signed out elsewhere sees no code any more.
    async fn still_signed_in(&self) -> bool {
        let sessions = self.door.people.sessions(&self.signed).await;
        sessions.is_ok_and(|all| all.iter().any(|one| one.id == self.signed.session.id))
    }

    /// The next piece; nothing once the stream is over.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.looks > 0 {
                tokio::select! {
                    // the reader went on to another page: the place is free again at once
                    () = self.left() => return None,
                    () = self.door.engine.clock().sleep(LOOK) => {}
                }
            }
            self.looks += 1;
            let stopping = !self.door.ready.load(Ordering::Acquire);
            if stopping || self.looks > LOOKS {
                return None;
            }
            let live = values(&self.door, &self.caller).await.ok()?;
            let frame = context! { form_token => &self.form_token };
            let html = templates::render("live.html", context! { ..live, ..frame }).ok()?;
            if html != self.shown {
                if !self.still_signed_in().await {
                    return None;
                }
                let lines: String = html.lines().map(|line| format!("data: {line}\n")).collect();
                self.shown = html;
                self.silent = 0;
                return Some(format!("event: live\n{lines}\n").into());
            }
            self.silent += 1;
            if self.silent >= SILENT_LOOKS {
                self.silent = 0;
                return Some(": still here\n\n".into());
            }
        }
    }
}
