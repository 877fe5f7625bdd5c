//! The span of one attempt, by the semantic conventions of OpenTelemetry for HTTP clients.

use hyper::Uri;
use tracing::Span;
use tracing::field::Empty;

use super::call::Call;
use super::failure::Failure;
use super::operation::Operation;
use super::route::UpstreamRoute;
use super::transport::Reply;
use crate::telemetry::{SPANS, TraceContext, context_of, id_attribute};

/// The span of one attempt. It names neither query, headers nor body, and of the path only the
/// constant segments: the others may be secrets.
pub(super) struct CallSpan(Span);

impl CallSpan {
    /// Begins it as a child of the operation's span. `resends` is the number of attempts before.
    pub(super) fn begin(
        operation: &Operation,
        route: &UpstreamRoute,
        (call, uri): (&Call, &Uri),
        resends: u32,
    ) -> Self {
        let endpoint = &route.endpoint;
        let span = tracing::info_span!(
            target: SPANS,
            parent: None,
            "upstream call",
            otel.kind = "client",
            otel.name = format!("{} {}", call.method, call.path_template()),
            http.request.method = call.method,
            http.request.resend_count = (resends > 0).then_some(i64::from(resends)),
            http.response.status_code = Empty,
            server.address = uri.host().unwrap_or_default(),
            server.port = uri.port_u16().map(i64::from),
            url.template = call.path_template(),
            error.type = Empty,
            otel.status_code = Empty,
            tenant_gateway.system = endpoint.system,
            tenant_gateway.upstream.id = %endpoint.upstream,
            tenant_gateway.tenant.id = id_attribute(route.tenant),
        );
        if let Some(parent) = operation.span() {
            parent.adopt(&span);
        }
        Self(span)
    }

    /// Its names for the upstream; none where no traces are recorded.
    pub(super) fn context(&self) -> Option<TraceContext> {
        context_of(&self.0)
    }

    /// Ends it with the outcome of the attempt.
    pub(super) fn end(self, outcome: &Result<Reply, Failure>) {
        let fail = |kind: &str| {
            self.0.record("error.type", kind).record("otel.status_code", "ERROR");
        };
        match outcome {
            Ok(reply) => {
                let status = reply.answer.status;
                self.0.record("http.response.status_code", i64::from(status));
                if status >= 400 {
                    fail(&status.to_string());
                }
            }
            Err(failure) => fail(failure.code().as_str()),
        }
    }
}
