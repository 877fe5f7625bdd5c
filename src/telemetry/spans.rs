//! Spans of traces, as the rooms make them.
//!
//! They are spans of `tracing` with the target [`super::SPANS`]: the log never shows them, and no filter of
//! the log hides them. Without traces they cost what a disabled log line costs.
//!
//! They are never entered in the sense of `tracing`: the span that a log line belongs to is the
//! innermost entered one. Nesting follows the context of OpenTelemetry instead, which
//! [`within`], [`in_scope`] and [`in_current_trace`] set.

use std::fmt::Display;
use std::future::Future;

use futures_util::FutureExt as _;
use opentelemetry::context::FutureExt as _;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use tracing::Span;
use tracing::field::{DisplayValue, display};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::trace_context::TraceContext;
use super::traces;

/// Runs work in a span. Spans that the work makes are its children. The span ends with the work,
/// unless the caller holds a clone of it.
pub fn within<F: Future>(span: Span, work: F) -> impl Future<Output = F::Output> {
    if span.is_disabled() {
        return work.left_future();
    }
    let context = span.context();
    let traced = async move {
        let output = work.with_context(context).await;
        drop(span);
        output
    };
    Box::pin(traced).right_future()
}

/// Runs a function in a span.
pub fn in_scope<T>(span: &Span, work: impl FnOnce() -> T) -> T {
    if span.is_disabled() {
        return work();
    }
    let _current = span.context().attach();
    work()
}

/// Keeps work that moves to another task in the current span.
pub fn in_current_trace<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let context = Context::current();
    if context.has_active_span() {
        Box::pin(work.with_context(context)).right_future()
    } else {
        work.left_future()
    }
}

/// Whether a span is current.
pub fn is_in_trace() -> bool {
    Context::current().has_active_span()
}

/// Makes a new span the child of a caller's. A `tracestate` that is too long or malformed is
/// dropped.
pub fn continue_trace(span: &Span, caller: TraceContext, tracestate: &str) {
    let parent = Context::new().with_remote_span_context(caller.remote(tracestate));
    // Fails where no traces are recorded, which the caller need not know.
    span.set_parent(parent).ok();
}

/// The names of a span for other systems; none where no traces are recorded.
pub fn context_of(span: &Span) -> Option<TraceContext> {
    if span.is_disabled() {
        return None;
    }
    TraceContext::local(span.context().span().span_context())
}

/// Sets the attribute `error.type` of the current span.
pub fn record_error(code: &'static str) {
    let context = Context::current();
    if context.has_active_span() {
        context.span().set_attribute(KeyValue::new("error.type", code));
    }
}

/// The id of a tenant or client as an attribute; none unless the operator opted in.
pub fn id_attribute<T: Display>(id: T) -> Option<DisplayValue<T>> {
    traces::has_ids().then(|| display(id))
}

/// The span that work of an operation belongs to, wherever the work runs.
#[derive(Clone)]
pub struct ParentSpan(SpanContext);

impl ParentSpan {
    /// The current span.
    pub fn current() -> Option<Self> {
        let context = Context::current();
        context.has_active_span().then(|| Self(context.span().span_context().clone()))
    }

    /// Makes a new span the child of this one.
    pub fn adopt(&self, span: &Span) {
        if !span.is_disabled() {
            // Remote only in form: the span itself may have ended.
            let parent = Context::new().with_remote_span_context(self.0.clone());
            span.set_parent(parent).ok();
        }
    }

    /// Its names for other systems.
    pub fn context(&self) -> Option<TraceContext> {
        TraceContext::local(&self.0)
    }
}
