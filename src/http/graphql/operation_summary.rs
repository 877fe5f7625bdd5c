//! The summary of an operation for the log and the metrics: neither its document nor its variables,
//! which may hold secrets.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Response as GraphqlResponse;
use async_graphql::parser::types::OperationType;

use crate::auth::RequestContext;
use crate::clock::MonotonicTime;
use crate::error::{ErrorCode, code_of};
use crate::http::state::AppState;
use crate::ids::TenantId;
use crate::{metrics, outbound};

/// The most error codes that are named.
const CODES_MAX: usize = 8;
/// The longest name that is logged whole, in bytes; names are ASCII.
const NAME_MAX: usize = 64;

/// An operation that was run or rejected.
#[derive(Clone)]
pub struct OperationSummary {
    /// Its name in the document, cut at 64 bytes; none if it has no name or was not found.
    pub name: Option<String>,
    /// `query`, `mutation`, `subscription`, or `unknown` for a document that was rejected.
    pub kind: &'static str,
    /// The codes of its errors, each once.
    pub codes: Vec<&'static str>,
    /// The fields of the operation after merging.
    pub cost: u64,
    /// The calls of legacy systems.
    pub upstream_calls: u64,
    /// The tenant in context.
    pub tenant: TenantId,
}

impl OperationSummary {
    /// An operation that is about to run.
    pub fn begin(tenant: TenantId, kind: OperationType, name: Option<&str>, cost: u64) -> Self {
        let kind = match kind {
            OperationType::Query => "query",
            OperationType::Mutation => "mutation",
            OperationType::Subscription => "subscription",
        };
        let name = name.map(|name| name.get(..NAME_MAX).unwrap_or(name).to_owned());
        Self { name, kind, codes: Vec::new(), cost, upstream_calls: 0, tenant }
    }

    /// An operation that was rejected before it could run.
    pub fn rejected(context: &RequestContext, response: &GraphqlResponse) -> Self {
        let tenant = context.tenant();
        let name = None;
        let codes = codes(response);
        Self { name, kind: "unknown", codes, cost: 0, upstream_calls: 0, tenant }
    }

    /// The operation with its outcome.
    #[must_use]
    pub fn end(mut self, response: &GraphqlResponse, calls: &outbound::Operation) -> Self {
        self.codes = codes(response);
        self.upstream_calls = calls.calls();
        self
    }

    /// Adds it to the figures.
    pub fn count(&self, state: &AppState, transport: &'static str, took: Duration) {
        state.metrics.count_operation(&metrics::Operation {
            transport,
            kind: self.kind,
            code: self.codes.first().copied().unwrap_or("OK"),
            tenant: self.tenant,
            took,
        });
    }

    /// Its error codes for a log line; none without errors.
    pub fn codes(&self) -> Option<String> {
        (!self.codes.is_empty()).then(|| self.codes.join(","))
    }
}

fn codes(response: &GraphqlResponse) -> Vec<&'static str> {
    let mut codes = Vec::new();
    for error in &response.errors {
        let code = code_of(error).map_or("INTERNAL_SERVER_ERROR", ErrorCode::as_str);
        if codes.len() < CODES_MAX && !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

/// Logs and counts an operation of a stream when it ends, however it ends.
pub struct StreamReport {
    state: Arc<AppState>,
    transport: &'static str,
    began: MonotonicTime,
    summary: Option<OperationSummary>,
}

impl StreamReport {
    /// Nothing is known yet of an operation that begins now.
    pub fn begin(state: &Arc<AppState>, transport: &'static str) -> Self {
        let began = state.authorizer.monotonic();
        Self { state: state.clone(), transport, began, summary: None }
    }

    /// Sets the summary as soon as the operation is known.
    pub fn set(&mut self, summary: Option<OperationSummary>) {
        self.summary = summary;
    }
}

impl Drop for StreamReport {
    fn drop(&mut self) {
        let Some(summary) = &self.summary else { return };
        let took = self.state.authorizer.monotonic().since(self.began);
        summary.count(&self.state, self.transport, took);
        tracing::info!(
            transport = self.transport,
            operation = summary.name,
            kind = summary.kind,
            codes = summary.codes(),
            cost = summary.cost,
            upstream_calls = summary.upstream_calls,
            millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "operation completed"
        );
    }
}
