//! Exports batches of spans, and warns of failures without flooding the log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::queue::Queue;
use crate::clock::{Clock, MonotonicTime, SystemClock};

/// How often a failure is logged.
const WARN_EVERY: Duration = Duration::from_mins(1);

/// An exporter whose batches are counted.
#[derive(Debug)]
pub(super) struct CountedExporter<E> {
    pub(super) exporter: E,
    pub(super) queue: Arc<Queue>,
    pub(super) causes: Causes,
    pub(super) failures: Mutex<Failures>,
}

impl<E: SpanExporter> SpanExporter for CountedExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let outcome = self.exporter.export(batch).await;
        self.queue.leave(spans, outcome.is_ok());
        if let Err(error) = &outcome {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(lost) = failures.due(spans, SystemClock.monotonic()) {
                let cause = self.causes.take().unwrap_or_else(|| error.to_string());
                tracing::warn!(lost, cause, "spans could not be exported to the collector");
            }
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Failures since the last line about them.
#[derive(Debug, Default)]
pub(super) struct Failures {
    lost: usize,
    warned: Option<MonotonicTime>,
}

impl Failures {
    /// Adds lost spans; returns their number if a line about them is due.
    fn due(&mut self, spans: usize, now: MonotonicTime) -> Option<usize> {
        self.lost += spans;
        if self.warned.is_some_and(|warned| now.since(warned) < WARN_EVERY) {
            return None;
        }
        self.warned = Some(now);
        Some(std::mem::take(&mut self.lost))
    }
}

/// The cause of the last failed request, which the library's error does not tell.
#[derive(Clone, Debug, Default)]
pub(super) struct Causes(Arc<Mutex<Option<String>>>);

impl Causes {
    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, cause: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cause;
    }
}

/// A client that notes why its requests fail.
#[derive(Debug)]
pub(super) struct NotingClient {
    pub(super) client: Arc<dyn HttpClient>,
    pub(super) causes: Causes,
}

type Sent<'a> =
    std::pin::Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for NotingClient {
    fn send_bytes<'life, 'sent>(&'life self, request: Request<Bytes>) -> Sent<'sent>
    where
        'life: 'sent,
        Self: 'sent,
    {
        Box::pin(async move {
            let outcome = self.client.send_bytes(request).await;
            self.causes.set(outcome.as_ref().err().map(ToString::to_string));
            outcome
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_logged_once_a_minute_with_all_lost_spans() {
        let mut failures = Failures::default();
        let at = |seconds| MonotonicTime::from_start(Duration::from_secs(seconds));
        assert_eq!(failures.due(5, at(0)), Some(5));
        assert_eq!(failures.due(7, at(30)), None);
        assert_eq!(failures.due(1, at(59)), None);
        assert_eq!(failures.due(2, at(60)), Some(10));
        assert_eq!(failures.due(3, at(61)), None);
    }
}
