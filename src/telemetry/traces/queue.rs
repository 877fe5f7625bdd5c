//! A bounded queue of ended spans that counts those it cannot take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanProcessor};

/// The number of spans by their end, since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceFigures {
    /// Taken by the collector.
    pub exported: u64,
    /// Lost because the collector did not take them.
    pub failed: u64,
    /// Lost because the queue was full.
    pub dropped: u64,
}

/// The spans that wait for their export or are being exported.
#[derive(Debug)]
pub(super) struct Queue {
    limit: usize,
    waiting: AtomicUsize,
    exported: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl Queue {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            waiting: AtomicUsize::new(0),
            exported: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        })
    }

    /// Takes a place in the queue; without one the span counts as dropped.
    fn enter(&self) -> bool {
        let has_room = self.waiting.fetch_add(1, Ordering::AcqRel) < self.limit;
        if !has_room {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        has_room
    }

    /// Gives the places of an exported batch back.
    pub(super) fn leave(&self, spans: usize, is_exported: bool) {
        let counter = if is_exported { &self.exported } else { &self.failed };
        counter.fetch_add(spans as u64, Ordering::Relaxed);
        self.waiting.fetch_sub(spans, Ordering::AcqRel);
    }

    pub(super) fn figures(&self) -> TraceFigures {
        TraceFigures {
            exported: self.exported.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }
}

/// Hands spans to the library's batches. Its own queue would drop spans without telling how many.
#[derive(Debug)]
pub(super) struct BoundedProcessor {
    pub(super) batches: BatchSpanProcessor,
    pub(super) queue: Arc<Queue>,
}

impl SpanProcessor for BoundedProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.queue.enter() {
            self.batches.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_without_a_place_is_counted_as_dropped() {
        let queue = Queue::new(2);
        assert_eq!([queue.enter(), queue.enter(), queue.enter()], [true, true, false]);
        queue.leave(2, true);
        assert!(queue.enter());
        queue.leave(1, false);
        assert_eq!(queue.figures(), TraceFigures { exported: 2, failed: 1, dropped: 1 });
    }
}
