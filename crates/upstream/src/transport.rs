//! The only outbound HTTP: one client that sends a request once and never again, one that reads.

use crate::account::Account;
use crate::redact::Redactor;
use domain::time::Millis;
use domain::upstream::{Purchase, ReadFailure, Refusal, Reply};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, Method, Proxy, RequestBuilder, Url, redirect, retry};
use std::borrow::Cow;
use std::error::Error;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::{Instrument, field};

#[cfg(test)]
mod tests;

/// How we introduce ourselves.
pub const USER_AGENT: &str = "tollgate/0.1";
/// Largest answer taken, in bytes, unless a list is asked for.
pub(crate) const ANSWER_MAX: usize = 1024 * 1024;
/// Largest price list or service list taken, in bytes.
pub(crate) const LIST_MAX: usize = 30 * 1024 * 1024;
/// Longest answer read on the spot: a millisecond's work.
const INLINE_MAX: usize = 64 * 1024;
/// Pauses before the second and third try of a read, in milliseconds.
const BACK_OFF_MS: [u64; 2] = [200, 800];
/// Idle connections the read client keeps.
const IDLE_MAX: usize = 4;

/// Settings from which no client can be built; the text holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum BadUpstream {
    /// The URL is none, or not http or https.
    #[error("the URL of upstream {0} is not an http or https URL")]
    Url(String),
    /// The exchange rate is not positive.
    #[error("usd_per_unit of upstream {0} must be above zero")]
    Exchange(String),
    /// The HTTP client refuses: no TLS provider, no trust store, a bad proxy.
    #[error("no HTTP client for upstream {0}: {1}")]
    Client(String, String),
}

/// Why there is no answer. The texts are free of secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// No byte of the request was written: name, connect or TLS failure.
    NotSent(String),
    /// Anything may have happened: timeout, reset, an answer that broke off.
    Unknown(String),
    /// The answer was too large to take.
    TooLarge(String),
}

impl Lost {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::NotSent(text) | Self::Unknown(text) | Self::TooLarge(text) => text,
        }
    }
}

impl From<Lost> for ReadFailure {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::NotSent(_) => Self::Refused(Refusal::Unreachable),
            Lost::Unknown(text) => Self::Fault(text),
            Lost::TooLarge(text) => Self::Unusable(text),
        }
    }
}

impl<T> From<Lost> for Reply<Purchase<T>> {
    fn from(lost: Lost) -> Self {
        let (outcome, raw) = match lost {
            Lost::NotSent(raw) => (Purchase::Refused(Refusal::Unreachable), raw),
            Lost::Unknown(raw) | Lost::TooLarge(raw) => (Purchase::Unknown, raw),
        };
        Self { outcome, raw }
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    pub(crate) status: u16,
    pub(crate) body: String,
    headers: HeaderMap,
}

impl Fetched {
    /// A header's text; some providers answer facts beside the body.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn answer(&self) -> wire::answer::Answer<'_> {
        wire::answer::Answer {
            status: self.status,
            body: &self.body,
        }
    }
}

/// What is sent.
#[derive(Clone, Copy)]
pub(crate) enum Payload<'a> {
    /// GET with these parameters behind the URL's own.
    Query(&'a str),
    /// POST of this form.
    Form(&'a str),
    /// GET of a path below the URL, with these parameters where there are any.
    Get { path: &'a [&'a str], query: &'a str },
    /// POST of this form to a path below the URL.
    Post { path: &'a [&'a str], form: &'a str },
    /// POST of this JSON to a path below the URL.
    Json { path: &'a [&'a str], body: &'a str },
    /// POST of this form to a path below the URL, under a key that makes it one call however often
    /// it is sent.
    Keyed {
        path: &'a [&'a str],
        form: &'a str,
        key: &'a str,
    },
}

/// The way to one upstream.
pub(crate) struct Transport {
    once: Client,
    read: Client,
    url: Url,
    redactor: Redactor,
    /// When the latest answer that refuses for a while came, and for how long it does.
    wait: Mutex<Option<(Instant, Millis)>>,
    /// Whose way it is, for whoever watches.
    name: String,
}

impl Transport {
    /// The way to an account. `in_head`: the key travels as a bearer token in the head of every
    /// request.
    pub(crate) fn new(account: &Account, in_head: bool) -> Result<Self, BadUpstream> {
        let head = match in_head {
            true => head(&[("authorization", &format!("Bearer {}", account.key))]),
            false => HeaderMap::new(),
        };
        Self::with_head(account, &head)
    }

    /// The way to an account; every request carries these headers.
    pub(crate) fn with_head(account: &Account, head: &HeaderMap) -> Result<Self, BadUpstream> {
        let name = || account.name.clone();
        let web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let url = Url::parse(&account.url).ok().filter(web);
        let url = url.ok_or_else(|| BadUpstream::Url(name()))?;
        let proxy_url = account
            .proxy_url
            .as_deref()
            .and_then(|text| Url::parse(text).ok());
        let redactor = Redactor::new(&account.key, std::iter::once(&url).chain(&proxy_url));
        let refused = |error: reqwest::Error| {
            BadUpstream::Client(name(), redactor.clean(&chain(&error.without_url())))
        };
        Ok(Self {
            once: purchase_client(account, &url, head).map_err(refused)?,
            read: read_client(account, &url, head).map_err(refused)?,
            url,
            redactor,
            wait: Mutex::new(None),
            name: account.name.clone(),
        })
    }

    /// Sends once, on a connection of its own, and waits at most the whole deadline.
    pub(crate) async fn once(&self, payload: Payload<'_>) -> Result<Fetched, Lost> {
        self.watched("once", self.fetch(&self.once, payload, ANSWER_MAX))
            .await
    }

    /// Asks once for an answer of at most `max` bytes and reads what it says. What the parser makes
    /// of it is for the adapter to judge.
    pub(crate) async fn read<T, F>(
        &self,
        payload: Payload<'_>,
        max: usize,
        parse: impl FnOnce(&Fetched) -> Result<T, F> + Send + 'static,
    ) -> Result<Result<T, F>, ReadFailure>
    where
        T: Send + 'static,
        F: Send + 'static,
    {
        let call = self.watched("read", self.fetch(&self.read, payload, max));
        let fetched = call.await?;
        let unreadable = || ReadFailure::Unusable("the answer could not be read".to_owned());
        parsed(fetched, parse).await.ok_or_else(unreadable)
    }

    /// How long a call takes and what kind of answer came, for whoever watches.
    async fn watched(
        &self,
        call: &'static str,
        fetch: impl Future<Output = Result<Fetched, Lost>>,
    ) -> Result<Fetched, Lost> {
        let begun = Instant::now();
        let span = tracing::trace_span!(
            target: "tollgate::span",
            "upstream",
            otel.kind = "client",
            upstream = self.name,
            call,
            answer = field::Empty,
        );
        let fetched = fetch.instrument(span.clone()).await;
        let answer = match &fetched {
            Ok(fetched) => match fetched.status / 100 {
                2 => "2xx",
                3 => "3xx",
                4 => "4xx",
                5 => "5xx",
                _ => "other",
            },
            Err(Lost::NotSent(_)) => "not_sent",
            Err(Lost::Unknown(_)) => "lost",
            Err(Lost::TooLarge(_)) => "too_large",
        };
        span.record("answer", answer);
        let labels = [
            ("upstream", Cow::from(self.name.clone())),
            ("call", Cow::from(call)),
            ("answer", Cow::from(answer)),
        ];
        metrics::histogram!("tollgate_upstream_call_seconds", &labels).record(begun.elapsed());
        fetched
    }

    /// What is left of the time that we were asked to wait since this was last asked for.
    pub(crate) fn asked_to_wait(&self) -> Option<Millis> {
        let asked = self
            .wait
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let (at, wait) = asked?;
        left_of(wait, at.elapsed())
    }

    /// The text without secrets, at most 2 KiB.
    pub(crate) fn clean(&self, text: &str) -> String {
        self.redactor.clean(text)
    }

    async fn fetch(
        &self,
        client: &Client,
        payload: Payload<'_>,
        max: usize,
    ) -> Result<Fetched, Lost> {
        let sent = self.request(client, payload).send().await;
        let mut response = sent.map_err(|error| self.lost(error))?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        if let Some(wait) = retry_after(status, &headers) {
            let asked = Some((Instant::now(), wait));
            *self.wait.lock().unwrap_or_else(PoisonError::into_inner) = asked;
        }
        let too_large = || Lost::TooLarge(format!("the answer is larger than {max} bytes"));
        if response
            .content_length()
            .is_some_and(|length| length > max as u64)
        {
            return Err(too_large());
        }
        let mut body = Vec::new();
        loop {
            // from here on something was written and something was read: never "not sent"
            let chunk = response
                .chunk()
                .await
                .map_err(|error| Lost::Unknown(self.clean(&chain(&error.without_url()))))?;
            match chunk {
                None => break,
                Some(chunk) if body.len() + chunk.len() > max => {
                    return Err(too_large());
                }
                Some(chunk) => body.extend_from_slice(&chunk),
            }
        }
        let body = String::from_utf8(body)
            .unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned());
        Ok(Fetched {
            status,
            body,
            headers,
        })
    }

    fn request(&self, client: &Client, payload: Payload<'_>) -> RequestBuilder {
        match payload {
            Payload::Query(query) => client.request(Method::GET, with_query(&self.url, query)),
            Payload::Form(body) => post(client, self.url.clone(), body),
            Payload::Get { path, query } => {
                client.request(Method::GET, with_query(&below(&self.url, path), query))
            }
            Payload::Post { path, form } => post(client, below(&self.url, path), form),
            Payload::Json { path, body } => client
                .request(Method::POST, below(&self.url, path))
                .header("content-type", "application/json")
                .body(body.to_owned()),
            Payload::Keyed { path, form, key } => {
                post(client, below(&self.url, path), form).header("idempotency-key", key)
            }
        }
    }

    /// A connection that never came to be is "not sent"; everything else may have been read.
    fn lost(&self, error: reqwest::Error) -> Lost {
        let not_sent = error.is_connect() || error.is_builder();
        let text = self.clean(&chain(&error.without_url()));
        if not_sent {
            Lost::NotSent(text)
        } else {
            Lost::Unknown(text)
        }
    }
}

/// What an answer that refuses for a while asks for: whole seconds. A date says nothing without a
/// clock that is the server's.
fn retry_after(status: u16, headers: &HeaderMap) -> Option<Millis> {
    let refuses = status == 429 || status == 503;
    let value = headers.get("retry-after").filter(|_| refuses)?;
    let seconds: u32 = value.to_str().ok()?.trim().parse().ok()?;
    Some(Millis::seconds(seconds.into()))
}

/// What is left of a wait after some time; nothing once it is over: one that nobody asked for then
/// must not close an upstream days later.
fn left_of(wait: Millis, passed: Duration) -> Option<Millis> {
    let passed_ms = i64::try_from(passed.as_millis()).ok()?;
    (passed_ms < wait.0).then(|| Millis(wait.0 - passed_ms))
}

/// Reads an answer off the threads that serve everybody else, where it is long enough to hold them
/// up. Nothing where reading it failed in a way that no answer should cause.
async fn parsed<T: Send + 'static>(
    fetched: Fetched,
    parse: impl FnOnce(&Fetched) -> T + Send + 'static,
) -> Option<T> {
    if fetched.body.len() <= INLINE_MAX {
        return Some(parse(&fetched));
    }
    let reading = tokio::task::spawn_blocking(move || parse(&fetched));
    reading.await.ok()
}

/// Repeats a read after failures that may pass, at most twice.
pub(crate) async fn retried<T, E, F>(
    may_pass: impl Fn(&E) -> bool,
    mut read: impl FnMut() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    for pause_ms in BACK_OFF_MS {
        match read().await {
            Err(failure) if may_pass(&failure) => {
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            }
            settled => return settled,
        }
    }
    read().await
}

fn post(client: &Client, url: Url, form: &str) -> RequestBuilder {
    client
        .request(Method::POST, url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned())
}

/// The URL with these segments behind its own path, each escaped where it must be; as it was given
/// where there are none.
fn below(url: &Url, path: &[&str]) -> Url {
    let mut url = url.clone();
    if path.is_empty() {
        return url;
    }
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

fn with_query(url: &Url, query: &str) -> Url {
    if query.is_empty() {
        return url.clone();
    }
    let mut url = url.clone();
    let joined = match url.query() {
        Some(own) if !own.is_empty() => format!("{own}&{query}"),
        _ => query.to_owned(),
    };
    url.set_query(Some(&joined));
    url
}

/// For requests that must not be sent twice: no retries of any kind, no redirects, and no idle
/// connections, because a request on a connection that was just closed is one that gets resent.
fn purchase_client(
    account: &Account,
    url: &Url,
    head: &HeaderMap,
) -> Result<Client, reqwest::Error> {
    builder(account, url, head)?
        .pool_max_idle_per_host(0)
        .build()
}

fn read_client(account: &Account, url: &Url, head: &HeaderMap) -> Result<Client, reqwest::Error> {
    builder(account, url, head)?
        .pool_max_idle_per_host(IDLE_MAX)
        .build()
}

fn builder(
    account: &Account,
    url: &Url,
    head: &HeaderMap,
) -> Result<reqwest::ClientBuilder, reqwest::Error> {
    let builder = Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(Duration::from_millis(account.connect_timeout_ms))
        .timeout(Duration::from_millis(account.timeout_ms))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .http1_only()
        .no_proxy();
    let builder = builder.default_headers(head.clone());
    let builder = match (url.host_str(), account.pinned) {
        (Some(host), Some(address)) => builder.resolve(host, address),
        _ => builder,
    };
    Ok(match &account.proxy_url {
        Some(proxy) => builder.proxy(Proxy::all(proxy.as_str())?),
        None => builder,
    })
}

/// Headers that every request carries. A value that no header can carry is left out: the upstream
/// then refuses the calls.
pub(crate) fn head(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            headers.insert(*name, value);
        }
    }
    headers
}

/// The error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
