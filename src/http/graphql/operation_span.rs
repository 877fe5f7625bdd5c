//! The span of an operation, by the semantic conventions of OpenTelemetry for GraphQL: neither its
//! document nor its variables, which may hold secrets.

use std::future::Future;

use tracing::Span;
use tracing::field::Empty;

use super::caller::caller_id;
use super::operation_summary::OperationSummary;
use super::prepare::PreparedOperation;
use crate::auth::RequestContext;
use crate::error::ErrorCode;
use crate::http::state::graphql::documents::hex;
use crate::telemetry::{SPANS, id_attribute, in_scope, is_in_trace, within};

/// The digits of a document's hash in the name of a span.
const HASH_DIGITS: usize = 16;

/// The span of a query or a mutation, or of the start of a subscription.
pub struct OperationSpan(Span);

impl OperationSpan {
    /// Begins it as a child of the request's span. On a WebSocket it is a trace of its own.
    pub fn begin(context: &RequestContext, prepared: &PreparedOperation) -> Self {
        let OperationSummary { kind, name, cost, .. } = &prepared.summary;
        Self(tracing::info_span!(
            target: SPANS,
            "operation",
            otel.kind = if is_in_trace() { "internal" } else { "server" },
            otel.name = span_name(prepared),
            graphql.operation.type = *kind,
            graphql.operation.name = name.as_deref(),
            tenant_gateway.document.hash = hex(&prepared.document),
            tenant_gateway.request.id = context.request_id().own(),
            tenant_gateway.cost.fields = i64::try_from(*cost).unwrap_or(i64::MAX),
            tenant_gateway.upstream_calls = Empty,
            tenant_gateway.error.codes = Empty,
            tenant_gateway.tenant.id = id_attribute(context.tenant()),
            tenant_gateway.client.id = id_attribute(caller_id(context)),
            error.type = Empty,
            otel.status_code = Empty,
        ))
    }

    /// Runs work in it.
    pub fn within<F: Future>(&self, work: F) -> impl Future<Output = F::Output> {
        within(self.0.clone(), work)
    }

    /// Runs a function in it.
    pub fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        in_scope(&self.0, work)
    }

    /// Ends it with the outcome. Errors of the caller do not mark it as failed.
    pub fn end(self, summary: Option<&OperationSummary>) {
        let Some(summary) = summary else { return };
        let calls = i64::try_from(summary.upstream_calls).unwrap_or(i64::MAX);
        self.0.record("tenant_gateway.upstream_calls", calls);
        let Some(codes) = summary.codes() else { return };
        self.0.record("tenant_gateway.error.codes", codes);
        self.0.record("error.type", summary.codes[0]);
        if summary.codes.iter().any(|code| is_failure(code)) {
            self.0.record("otel.status_code", "ERROR");
        }
    }
}

/// The operation's type and name, or the beginning of its document's hash.
fn span_name(prepared: &PreparedOperation) -> String {
    let OperationSummary { kind, name, .. } = &prepared.summary;
    match name {
        Some(name) => format!("{kind} {name}"),
        None => format!("{kind} sha256:{}", &hex(&prepared.document)[..HASH_DIGITS]),
    }
}

/// Whether an error with this code is one of the gateway or of a legacy system.
fn is_failure(code: &str) -> bool {
    ErrorCode::given(code).is_none_or(|code| code.http_status() >= 500)
}
