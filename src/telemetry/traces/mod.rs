//! Traces, exported in the protocol of OpenTelemetry (OTLP) over HTTP.
//!
//! A thread of the library exports in batches. A span that ends is put into a bounded queue or
//! dropped: neither waits for the collector.

mod export;
mod queue;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::HttpClient;
use opentelemetry_otlp::{Compression, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider,
};
use tracing::Metadata;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, dynamic_filter_fn};
use tracing_subscriber::registry::Registry;

use self::export::{Causes, CountedExporter, Failures, NotingClient};
use self::queue::{BoundedProcessor, Queue};
use crate::config::{RootSampler, TraceExport};
use crate::entropy::SystemEntropy;
use crate::error::{Error, Result};
use crate::ids::random_uuid;

pub use self::queue::TraceFigures;

/// The target of all spans of traces.
pub const SPANS: &str = "tenant_gateway::spans";

/// The name of spans that belong to the work around them: alone they say nothing, and the jobs of an
/// idle node make some each second.
pub const DATABASE_WRITE: &str = "database write";

/// The longest that a stopping gateway waits for the last spans.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// The traces of the process: as the subscriber of `tracing`, there are only one.
static RECORDING: OnceLock<Recording> = OnceLock::new();

struct Recording {
    queue: Arc<Queue>,
    has_ids: bool,
}

/// The traces of a process, to be stopped at its end.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    queue: Arc<Queue>,
    has_ids: bool,
}

impl Traces {
    /// Traces that are exported through `client`. Spans name tenants and clients if `has_ids` is
    /// set.
    ///
    /// # Errors
    /// If the endpoint is not a URL.
    pub fn new(export: &TraceExport, has_ids: bool, client: Arc<dyn HttpClient>) -> Result<Self> {
        let queue = Queue::new(export.queue);
        let causes = Causes::default();
        let client = NotingClient { client, causes: causes.clone() };
        let failures = Mutex::new(Failures::default());
        let exporter = exporter(export, client)?;
        let exporter = CountedExporter { exporter, queue: queue.clone(), causes, failures };
        let batch = BatchConfigBuilder::default()
            .with_max_queue_size(export.queue)
            .with_max_export_batch_size(export.batch)
            .with_scheduled_delay(export.delay)
            .build();
        let batches = BatchSpanProcessor::builder(exporter).with_batch_config(batch).build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BoundedProcessor { batches, queue: queue.clone() })
            .with_sampler(sampler(export))
            .with_resource(resource(export))
            .build();
        Ok(Self { provider, queue, has_ids })
    }

    /// The layer that records spans, whatever the filter of the log is.
    pub(super) fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        layer(&self.provider)
    }

    /// Makes these the traces of the process.
    pub(super) fn install(&self) {
        let recording = Recording { queue: self.queue.clone(), has_ids: self.has_ids };
        RECORDING.set(recording).ok();
    }

    /// Exports the spans that wait, within five seconds.
    pub async fn stop(self) {
        let flush = move || self.provider.shutdown_with_timeout(FLUSH_TIMEOUT);
        let outcome = tokio::task::spawn_blocking(flush).await;
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(cause)) => tracing::warn!(%cause, "the last spans were not exported"),
            Err(cause) => tracing::error!(%cause, "the export of the last spans panicked"),
        }
    }
}

/// The number of spans by their end; none where no traces are recorded.
pub fn trace_figures() -> Option<TraceFigures> {
    RECORDING.get().map(|recording| recording.queue.figures())
}

/// Whether spans name tenants and clients.
pub(super) fn has_ids() -> bool {
    RECORDING.get().is_some_and(|recording| recording.has_ids)
}

fn layer(provider: &SdkTracerProvider) -> Box<dyn Layer<Registry> + Send + Sync> {
    let recorded = dynamic_filter_fn(|metadata, _| is_recorded(metadata));
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("tenant-gateway"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(recorded.with_max_level_hint(LevelFilter::INFO))
        .boxed()
}

/// A layer that records spans which nobody exports.
#[cfg(test)]
pub(super) fn unexported() -> Box<dyn Layer<Registry> + Send + Sync> {
    layer(&SdkTracerProvider::builder().build())
}

fn is_recorded(metadata: &Metadata<'_>) -> bool {
    metadata.target() == SPANS
        && (metadata.name() != DATABASE_WRITE || Context::current().has_active_span())
}

fn exporter(export: &TraceExport, client: NotingClient) -> Result<SpanExporter> {
    let headers = export.headers.iter();
    let headers = headers.map(|(name, value)| (name.clone(), value.expose().to_owned()));
    let builder = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(export.endpoint.as_str())
        .with_timeout(export.timeout)
        .with_headers(headers.collect());
    let builder =
        if export.compress { builder.with_compression(Compression::Gzip) } else { builder };
    builder.build().map_err(Error::internal)
}

fn sampler(export: &TraceExport) -> Sampler {
    let root = match export.sampler.root {
        RootSampler::AlwaysOn => Sampler::AlwaysOn,
        RootSampler::AlwaysOff => Sampler::AlwaysOff,
        RootSampler::Ratio(ratio) => Sampler::TraceIdRatioBased(ratio),
    };
    if export.sampler.parent_based { Sampler::ParentBased(Box::new(root)) } else { root }
}

/// The attributes that name this process. Those of the operator come last and win.
fn resource(export: &TraceExport) -> Resource {
    let own = [
        KeyValue::new("service.name", "tenant-gateway"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", random_uuid(&SystemEntropy).to_string()),
    ];
    let given = export.resource.iter();
    let given = given.map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    Resource::builder_empty().with_attributes(own).with_attributes(given).build()
}
