//! Traces: what a request went through, as OTLP over HTTP to a collector, where one is set.
//!
//! Rooms make spans under one target, at the level `trace`; without a collector nobody is interested and
//! they cost a look at a flag. A span carries routes, actions, upstreams' names, statuses and kinds of
//! answers; never a target's query, a body or a header but the request's id. A trace begins here: what a
//! caller sends about traces of its own is not read, since it would decide what is kept.

use crate::settings::Traces;
use anyhow::Context;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// Under which every span is made.
const SPANS: &str = "tollgate::span";
/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long nothing more is said of traces that do not arrive.
const SILENCE: Duration = Duration::from_secs(60);

/// The way to a collector.
pub struct Collector(SdkTracerProvider);

impl Collector {
    /// From these settings on; needs a running runtime.
    ///
    /// # Errors
    /// No client can be made.
    pub fn new(settings: &Traces) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .context("traces: no client can be made")?;
        let headers = settings.token.iter().map(|token| {
            let value = format!("Bearer {}", token.expose());
            ("authorization".to_owned(), value)
        });
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new(client))
            .with_endpoint(&settings.otlp_url)
            .with_headers(headers.collect::<HashMap<_, _>>())
            .build()
            .context("traces.otlp_url")?;
        let share = f64::from(settings.sample_percent) / 100.0;
        let resource = Resource::builder_empty().with_attributes([
            KeyValue::new("service.name", "tollgate"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ]);
        Ok(Self(
            SdkTracerProvider::builder()
                .with_batch_exporter(exporter)
                .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
                    share,
                ))))
                .with_resource(resource.build())
                .build(),
        ))
    }

    /// What hears of spans.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let tracer = self.0.tracer("tollgate");
        OpenTelemetryLayer::new(tracer)
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(Targets::new().with_target(SPANS, LevelFilter::TRACE))
    }

    /// Sends what is left. What cannot be sent in time is dropped.
    pub async fn end(self) {
        // it waits for its own thread, which needs this runtime to send
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(PATIENCE));
        if let Ok(Err(error)) = ended.await {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Sends on our runtime what the library's own thread hands over.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: Handle,
    complaint: Arc<Complaint>,
}

impl Client {
    fn new(http: reqwest::Client) -> Self {
        Self {
            http,
            runtime: Handle::current(),
            complaint: Arc::default(),
        }
    }
}

/// The word that traces do not arrive: the library drops them without one.
#[derive(Debug, Default)]
struct Complaint(Mutex<Option<Instant>>);

impl Complaint {
    fn tell(&self, why: &str) {
        if self.is_due(Instant::now()) {
            tracing::warn!(why, "traces do not reach their collector and are dropped");
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| now >= last + SILENCE);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}

async fn send(
    client: reqwest::Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    // whatever stands in the collector's address is left out of errors
    let answer = client.execute(request.try_into()?).await;
    let answer = answer.map_err(reqwest::Error::without_url)?;
    let status = answer.status();
    let body = answer.bytes().await;
    let mut response = Response::new(body.map_err(reqwest::Error::without_url)?);
    *response.status_mut() = status;
    Ok(response)
}

impl HttpClient for Client {
    fn send_bytes<'here, 'sent>(
        &'here self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'sent>>
    where
        'here: 'sent,
        Self: 'sent,
    {
        let complaint = Arc::clone(&self.complaint);
        let sending = send(self.http.clone(), request);
        let sending = self.runtime.spawn(async move {
            let sent = sending.await;
            match &sent {
                Ok(answer) if answer.status().is_success() => {}
                Ok(answer) => complaint.tell(&format!("it answered {}", answer.status())),
                Err(error) => complaint.tell(&format!("{error:#}")),
            }
            sent
        });
        Box::pin(async move { sending.await? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_that_do_not_arrive_are_told_of_once_a_minute() {
        let complaint = Complaint::default();
        let start = Instant::now();
        let told = [0, 5, 59, 60, 61, 119, 120]
            .map(|seconds| complaint.is_due(start + Duration::from_secs(seconds)));
        assert_eq!(told, [true, false, false, true, false, false, true]);
    }
}
