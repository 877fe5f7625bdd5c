//! Runs prepared operations, the same for every transport.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Name, Request, Response as GraphqlResponse, Value};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use futures_util::FutureExt;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;
use uuid::Uuid;

use super::audit_records::record_refusals;
use super::caller::{account, borrower, caller_id};
use super::metered_response::MeteredResponse;
use super::operation_span::OperationSpan;
use super::operation_summary::OperationSummary;
use super::prepare::PreparedOperation;
use super::response::finalize;
use crate::auth::graphql::{Batches, Loaders};
use crate::auth::{RequestContext, RequestId};
use crate::budget::{Permit, RESPONSE_BEGINNING, ResponseMeter, no_room};
use crate::database::on_behalf_of;
use crate::eager_repoll;
use crate::error::{Error, ErrorCode, RequestErrors, request_error, request_error_of};
use crate::graphql::{self, NormalForm, weigh_all};
use crate::http::state::AppState;
use crate::outbound;
use crate::telemetry::in_current_trace;

/// The header that requests `extensions.cost`.
const QUERY_COST: HeaderName = HeaderName::from_static("x-query-cost");
/// The header of W3C Trace Context that is passed on to the legacy systems.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Options that the headers of a request set for its operations.
#[derive(Clone, Default)]
pub struct RequestOptions {
    /// Whether the response has `extensions.cost`.
    report_cost: bool,
    /// The trace context, not yet validated.
    traceparent: Option<String>,
}

impl RequestOptions {
    /// Reads `X-Query-Cost` and `traceparent`.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let is_true = |value: &HeaderValue| {
            !["0", "false"].iter().any(|no| value.as_bytes() == no.as_bytes())
        };
        let traceparent = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
        Self {
            report_cost: headers.get(QUERY_COST).is_some_and(is_true),
            traceparent: traceparent.map(str::to_owned),
        }
    }
}

/// The deadline of a query or mutation that starts now.
pub fn deadline(state: &AppState) -> Instant {
    Instant::now() + state.graphql.current().limits.execution
}

/// Runs a query or a mutation. A query is canceled at the deadline or when its client disconnects;
/// a mutation is not, since its outcome would then be unknown.
pub async fn run(
    state: &Arc<AppState>,
    context: &RequestContext,
    prepared: Box<PreparedOperation>,
    deadline: Instant,
    options: &RequestOptions,
) -> MeteredResponse {
    let span = OperationSpan::begin(context, &prepared);
    // Boxed: a future of several kilobytes, which is moved on its way to the task that polls it.
    let running = Box::pin(run_admitted(state, context, prepared, deadline, options));
    let response = span.within(running).await;
    span.end(response.summary.as_ref());
    response
}

async fn run_admitted(
    state: &Arc<AppState>,
    context: &RequestContext,
    prepared: Box<PreparedOperation>,
    deadline: Instant,
    options: &RequestOptions,
) -> MeteredResponse {
    let fields = prepared.cost.fields;
    let summary = prepared.summary.clone();
    let is_query = prepared.kind != OperationType::Mutation;
    let asked = Instant::now();
    let (running, meter) = match admit(state, context, prepared.cost.weight, deadline).await {
        Ok(admitted) => admitted,
        Err(error) => {
            return reject(state, context, request_error_of(&error));
        }
    };
    tracing::debug!(
        operation = summary.name.as_deref(),
        kind = summary.kind,
        fields,
        weight = prepared.cost.weight,
        is_long = prepared.is_long,
        waited_millis = whole_millis(asked.elapsed()),
        millis_left = whole_millis(deadline.duration_since(Instant::now())),
        "operation admitted"
    );
    let calls = upstream_calls(state, context, options, deadline);
    let mut response = if is_query {
        let resolved = run_query(state, context, &calls, meter.clone(), prepared, running);
        let response = timeout_at(deadline, resolved).await;
        response.unwrap_or_else(|_| deadline_exceeded())
    } else {
        run_to_the_end(state, context, &calls, meter.clone(), prepared, running).await
    };
    // A query is rejected as a whole; a mutation still reports what it has done, as far as it fits.
    if let Some(error) = meter.failure().filter(|_| is_query) {
        response = GraphqlResponse::from_errors(vec![request_error_of(error)]);
    }
    if options.report_cost {
        response.extensions.insert("cost".to_owned(), cost(fields, &calls));
    }
    let response = finalize(context.request_id(), state.graphql.current().limits.errors, response);
    MeteredResponse {
        summary: Some(summary.end(&response, &calls)),
        response,
        size: meter.size(),
        permit: Arc::into_inner(meter).map(ResponseMeter::into_permit),
    }
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Runs a query, a long one on the bulk threads. The permit is held until it ends.
async fn run_query(
    state: &Arc<AppState>,
    context: &RequestContext,
    calls: &Arc<outbound::Operation>,
    meter: Arc<ResponseMeter>,
    prepared: Box<PreparedOperation>,
    running: Permit<Uuid>,
) -> GraphqlResponse {
    if !prepared.is_long {
        let response = resolve(state, context, calls, meter, prepared).await;
        drop(running);
        return response;
    }
    let owned = state.clone();
    let context = context.clone();
    let calls = calls.clone();
    let query = async move {
        let response = resolve(&owned, &context, &calls, meter, prepared).await;
        drop(running);
        response
    };
    state.budgets.bulk.run(query).boxed().await
}

/// Runs a mutation in a task of its own, which a disconnecting client does not cancel.
async fn run_to_the_end(
    state: &Arc<AppState>,
    context: &RequestContext,
    calls: &Arc<outbound::Operation>,
    meter: Arc<ResponseMeter>,
    prepared: Box<PreparedOperation>,
    running: Permit<Uuid>,
) -> GraphqlResponse {
    let guard = state.streams.register();
    let state = state.clone();
    let context = context.clone();
    let calls = calls.clone();
    let mutation = async move {
        let response = resolve(&state, &context, &calls, meter, prepared).await;
        drop((running, guard));
        response
    };
    let mutation = in_current_trace(mutation.in_current_span());
    tokio::spawn(mutation).await.unwrap_or_else(|_| panic_response())
}

/// Waits for permits for an operation of that cost and for the beginning of its response.
///
/// # Errors
/// `RATE_LIMITED` if the caller's share or the node has no room in time.
pub async fn admit(
    state: &AppState,
    context: &RequestContext,
    cost: u64,
    deadline: Instant,
) -> Result<(Permit<Uuid>, Arc<ResponseMeter>), Error> {
    let budgets = &state.budgets;
    let account = account(context);
    let until = deadline.min(Instant::now() + budgets.patience);
    let running = budgets.operations.take(account, budgets.operation_permits(cost), until).await;
    let running = running.map_err(|_| {
        let message = "your share of concurrent operations on this node is in use; retry later";
        Error::new(ErrorCode::RateLimited, message)
    })?;
    let beginning = budgets.responses.take(account, RESPONSE_BEGINNING, until).await;
    let beginning = beginning.map_err(|_| no_room())?;
    let limit = state.graphql.current().limits.response;
    let meter = ResponseMeter::new(limit, beginning, budgets.builders.clone(), budgets.patience);
    Ok((running, Arc::new(meter)))
}

/// Counts and bounds the operation's calls of legacy systems.
pub fn upstream_calls(
    state: &AppState,
    context: &RequestContext,
    options: &RequestOptions,
    deadline: Instant,
) -> Arc<outbound::Operation> {
    let traceparent = options.traceparent.as_deref();
    let caller = caller_id(context);
    let request_id = context.request_id().as_str().to_owned();
    let allowance = outbound::Allowance::from(&state.graphql.current().limits);
    Arc::new(outbound::Operation::of_caller(caller, request_id, traceparent, allowance, deadline))
}

async fn resolve(
    state: &AppState,
    context: &RequestContext,
    calls: &Arc<outbound::Operation>,
    meter: Arc<ResponseMeter>,
    prepared: Box<PreparedOperation>,
) -> GraphqlResponse {
    let is_mutation = prepared.kind == OperationType::Mutation;
    let batches = Batches::default();
    let request = || {
        let request = Request::new("").data(context.clone()).data(calls.clone());
        let request = request.data(meter.clone()).data(Loaders::in_batches(batches.clone()));
        request.data(prepared.operation.clone())
    };
    let executors = &state.graphql.executors;
    // Without a length that the request sets, only the values themselves tell how many they are.
    let is_metered = prepared.is_long || prepared.cost.has_unsized_list;
    let executor = if is_metered { &executors.long } else { &executors.short };
    let executed = graphql::execute(&**executor, &prepared.operation, &prepared.variables, request);
    // Boxed, as above.
    let executed = Box::pin(executed);
    // On a WebSocket nothing else keeps a panic from ending the other operations.
    let executed = eager_repoll::poll_until_idle_and(executed, batches.on_idle());
    let executed = AssertUnwindSafe(executed).catch_unwind();
    let executed = on_behalf_of(borrower(context), executed).await;
    let response = executed.unwrap_or_else(|_| panic_response());
    // The meter keeps the error, which rejects a query. A short mutation is reported in any case.
    let _ = meter.charge_total(weigh_all(&response.data));
    record_refusals(state, context, is_mutation, &response, |key| {
        root_field(&prepared.operation, key)
    })
    .await;
    response
}

/// The name of the root field with that response key.
fn root_field(operation: &NormalForm, key: &str) -> String {
    let field = operation.root().iter().find(|field| field.key == key);
    field.map_or(key, |field| field.name.as_str()).to_owned()
}

/// The response to an operation that was rejected before it could run.
pub fn reject(
    state: &AppState,
    context: &RequestContext,
    errors: impl Into<RequestErrors>,
) -> MeteredResponse {
    let response = error_response(state, context.request_id(), errors);
    let summary = Some(OperationSummary::rejected(context, &response));
    MeteredResponse { summary, ..response.into() }
}

/// The response to a request of which nothing was executed.
pub fn error_response(
    state: &AppState,
    request_id: &RequestId,
    errors: impl Into<RequestErrors>,
) -> GraphqlResponse {
    let response = GraphqlResponse::from_errors(errors.into().0);
    finalize(request_id, state.graphql.current().limits.errors, response)
}

/// The response to an operation that panicked.
pub fn panic_response() -> GraphqlResponse {
    let error = Error::internal("a resolver panicked");
    GraphqlResponse::from_errors(vec![request_error_of(&error)])
}

fn deadline_exceeded() -> GraphqlResponse {
    let message = "the query did not complete within the time allowed for an operation";
    GraphqlResponse::from_errors(vec![request_error(ErrorCode::DeadlineExceeded, message)])
}

/// `extensions.cost`: the fields after merging, the calls of legacy systems, and the tenants whose
/// legacy systems were called, at least the one in context.
fn cost(fields: u64, calls: &outbound::Operation) -> Value {
    let entries =
        [("fields", fields), ("upstreamCalls", calls.calls()), ("tenants", calls.tenants().max(1))];
    let entries = entries.map(|(name, count)| (Name::new(name), Value::from(count)));
    Value::Object(BTreeMap::from(entries).into_iter().collect())
}
