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
use std::time::Duration;
use tokio::runtime::Handle;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// Under which every span is made.
const SPANS: &str = "tollgate::span";
/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(5);

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
            .build()
            .context("traces: no client can be made")?;
        let headers = settings.token.iter().map(|token| {
            let value = format!("Bearer {}", token.expose());
            ("authorization".to_owned(), value)
        });
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(Client(client, Handle::current()))
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
struct Client(reqwest::Client, Handle);

impl HttpClient for Client {
    fn send_bytes<'here, 'sent>(
        &'here self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'sent>>
    where
        'here: 'sent,
        Self: 'sent,
    {
        let client = self.0.clone();
        let sending = self.1.spawn(async move {
            let answer = client.execute(request.try_into()?).await?;
            let status = answer.status();
            let body = answer.bytes().await?;
            let mut response = Response::new(body);
            *response.status_mut() = status;
            Ok(response)
        });
        Box::pin(async move { sending.await? })
    }
}
