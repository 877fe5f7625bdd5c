//! From what a caller asks to what they get, the same for every transport.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response as GraphqlResponse, Value};
use axum::http::{HeaderMap, HeaderValue};
use futures_util::FutureExt;
use futures_util::stream::BoxStream;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;
use uuid::Uuid;

use super::super::{AppState, eager_repoll};
use super::audit_records::{record_refusals, record_refused};
use super::caller::{AuthenticatedCaller, account, borrower, caller_id};
use super::documents::{Hash, ValidDocument, hash, hex};
use super::limits::check_cost;
use super::metered_response::MeteredResponse;
use super::outcome::{RequestErrors, failure, failure_of, finish};
use super::request::GraphqlRequest;
use crate::auth::graphql::Loaders;
use crate::auth::{RequestContext, RequestId};
use crate::budget::{Permit, RESPONSE_BEGINNING, ResponseMeter, no_room};
use crate::database::on_behalf_of;
use crate::error::{Error, ErrorCode};
use crate::graphql::{self, Cost, NormalForm, Variables};
use crate::outbound;

/// The header that asks for `extensions.cost`.
const QUERY_COST: &str = "x-query-cost";
/// The header of W3C Trace Context that is passed on to the legacy systems.
const TRACEPARENT: &str = "traceparent";
/// A longer document that was not parsed before is parsed and validated on the threads for long
/// work, in bytes.
const LONG_DOCUMENT: usize = 1024;
/// What each value of the variables weighs beside the fields of the operation: many become a part
/// of a statement for the database.
const INPUT: u64 = 5;
/// A stream ends with its caller's token, long before this.
const STREAM: Duration = Duration::from_hours(24 * 365);

/// An operation within the limits, ready to be executed.
pub struct PreparedOperation {
    operation: Arc<NormalForm>,
    variables: Variables,
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// What it costs.
    pub cost: Cost,
    /// The tokens of its document.
    pub tokens: usize,
    /// Whether it is executed on the threads for long work.
    is_long: bool,
}

/// A document that is valid, or the text of one that nobody has asked yet.
enum Found {
    Known(Arc<ValidDocument>),
    Text(Hash, String),
}

/// What a request says about its operations beside what it asks.
#[derive(Clone, Default)]
pub struct RequestOptions {
    /// Whether it asks what they cost.
    tell_cost: bool,
    /// Its trace context, not yet looked at.
    traceparent: Option<String>,
}

impl RequestOptions {
    /// Those of the headers.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let asks = |value: &HeaderValue| {
            !["0", "false"].iter().any(|no| value.as_bytes() == no.as_bytes())
        };
        Self {
            tell_cost: headers.get(QUERY_COST).is_some_and(asks),
            traceparent: headers
                .get(TRACEPARENT)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
        }
    }
}

/// Finds the document, judges it and chooses the operation. Nothing is executed. The context is
/// that of this one operation.
///
/// # Errors
/// What the caller is told in place of a result.
pub async fn prepare(
    state: &Arc<AppState>,
    caller: &AuthenticatedCaller,
    context: &RequestContext,
    request: GraphqlRequest,
) -> Result<Box<PreparedOperation>, RequestErrors> {
    let found = find(state, caller, context, &request).await?;
    let inputs =
        request.variables.as_ref().map_or(0, |given| given.values().map(count_values).sum());
    let is_long_text = matches!(&found, Found::Text(_, text) if text.len() > LONG_DOCUMENT);
    if !is_long_text && !state.budgets.is_long(INPUT * inputs) {
        return prepare_found(state, found, request, inputs);
    }
    let owned = state.clone();
    // Boxed: most requests do not carry the room of this path.
    state
        .budgets
        .bulk
        .run(async move { prepare_found(&owned, found, request, inputs) })
        .boxed()
        .await
}

/// Parses and validates the document where nobody has, chooses the operation, coerces the variables
/// and counts the cost.
fn prepare_found(
    state: &AppState,
    found: Found,
    request: GraphqlRequest,
    inputs: u64,
) -> Result<Box<PreparedOperation>, RequestErrors> {
    let endpoint = &state.graphql;
    let parsed = match found {
        Found::Known(parsed) => parsed,
        Found::Text(hash, text) => endpoint.documents.parse(hash, &text)?,
    };
    let chosen = parsed.choose(request.operation_name.as_deref())?;
    let given = request.variables.unwrap_or_default();
    let (operation, variables) = endpoint.documents.bind(&parsed, chosen, &given)?;
    let cost = Cost::of(&operation, &variables);
    if !endpoint.introspection && cost.introspection_depth > 0 {
        // The library would answer null and say nothing.
        return Err(failure(
            ErrorCode::GraphqlValidationFailed,
            "introspection is turned off here",
        )
        .into());
    }
    check_cost(&endpoint.limits, &cost)?;
    Ok(Box::new(PreparedOperation {
        operation,
        variables,
        kind: chosen.kind,
        cost,
        tokens: parsed.tokens(),
        is_long: state.budgets.is_long(cost.weight.saturating_add(INPUT * inputs)),
    }))
}

/// How many values a variable has, those inside of lists and objects counted too.
fn count_values(value: &serde_json::Value) -> u64 {
    match value {
        serde_json::Value::Array(items) => 1 + items.iter().map(count_values).sum::<u64>(),
        serde_json::Value::Object(members) => 1 + members.values().map(count_values).sum::<u64>(),
        _ => 1,
    }
}

/// The document, by its text, by its hash, or by both (Apollo's automatic persisted queries).
async fn find(
    state: &AppState,
    caller: &AuthenticatedCaller,
    context: &RequestContext,
    request: &GraphqlRequest,
) -> Result<Found, RequestErrors> {
    let endpoint = &state.graphql;
    let named = request.hash().map_err(|error| failure_of(&error))?;
    let own = request.query.as_deref().map(|text| (hash(text), text));
    let (hash, text) = match (own, named) {
        (Some((own, _)), Some(named)) if own != named && endpoint.persisted_queries => {
            return Err(failure(ErrorCode::BadRequest, "provided sha does not match query").into());
        }
        (Some((own, text)), _) => (own, Some(text)),
        (None, Some(named)) => (named, endpoint.trusted.text(&named).map(|text| &**text)),
        (None, None) => {
            return Err(failure(
                ErrorCode::BadRequest,
                "the request must be a JSON object with `query`, or name a persisted document",
            )
            .into());
        }
    };
    // Before it is looked for, so that a refusal does not tell whether somebody else has registered
    // it.
    let judged = endpoint.trusted.judge(caller.client_id(), &hash);
    match text {
        Some(text) => {
            if let Err(error) = judged {
                let document = format!("sha256:{}", hex(&hash));
                record_refused(state, context, Some(document), "untrusted_document", &error).await;
                return Err(failure_of(&error).into());
            }
            let known = endpoint.documents.known(&hash);
            Ok(known.map_or_else(|| Found::Text(hash, text.to_owned()), Found::Known))
        }
        None if !endpoint.persisted_queries => {
            Err(failure(ErrorCode::PersistedQueryNotFound, "PersistedQueryNotSupported").into())
        }
        // Apollo's clients look for this sentence.
        None => {
            let known = judged.ok().and_then(|()| endpoint.documents.known(&hash));
            known.map(Found::Known).ok_or_else(|| {
                failure(ErrorCode::PersistedQueryNotFound, "PersistedQueryNotFound").into()
            })
        }
    }
}

/// Executes a query or a mutation. A query is given up at the deadline, or when its caller goes; a
/// mutation is not, since nobody could tell afterwards how far it came.
pub async fn run(
    state: &Arc<AppState>,
    context: &RequestContext,
    prepared: Box<PreparedOperation>,
    deadline: Instant,
    options: &RequestOptions,
) -> MeteredResponse {
    let fields = prepared.cost.fields;
    let is_query = prepared.kind != OperationType::Mutation;
    let (running, meter) = match admit(state, context, prepared.cost.weight, deadline).await {
        Ok(admitted) => admitted,
        Err(error) => return refused(state, context.request_id(), failure_of(&error)).into(),
    };
    let calls = calls(state, context, options.traceparent.as_deref(), deadline);
    let mut outcome = match prepared.kind {
        OperationType::Mutation => {
            let (state, context, guard) =
                (state.clone(), context.clone(), state.streams.register());
            let calls = calls.clone();
            let meter = meter.clone();
            let to_the_end = async move {
                let outcome = execute(&state, &context, &calls, meter, prepared).await;
                drop((running, guard));
                outcome
            };
            tokio::spawn(to_the_end.in_current_span()).await.unwrap_or_else(|_| broken())
        }
        _ => {
            let executed = execute_query(state, context, &calls, meter.clone(), prepared, running);
            timeout_at(deadline, executed).await.unwrap_or_else(|_| {
                let message = "the query took longer than an operation may";
                GraphqlResponse::from_errors(vec![failure(ErrorCode::DeadlineExceeded, message)])
            })
        }
    };
    // Of a mutation the caller learns what was done, though not all of it; a query is refused as a
    // whole.
    if let Some(error) = meter.failure().filter(|_| is_query) {
        outcome = GraphqlResponse::from_errors(vec![failure_of(error)]);
    }
    if options.tell_cost {
        outcome.extensions.insert("cost".to_owned(), cost(fields, &calls));
    }
    let outcome = finish(context.request_id(), state.graphql.limits.errors, outcome);
    MeteredResponse {
        outcome,
        size: meter.size(),
        permit: Arc::into_inner(meter).map(ResponseMeter::into_permit),
    }
}

/// Waits for room for one more operation of that cost and for the beginning of its response.
///
/// # Errors
/// `RATE_LIMITED` if the caller's share, or the node, has none in time.
async fn admit(
    state: &AppState,
    context: &RequestContext,
    cost: u64,
    deadline: Instant,
) -> Result<(Permit<Uuid>, Arc<ResponseMeter>), Error> {
    let budgets = &state.budgets;
    let account = account(context);
    let until = deadline.min(Instant::now() + budgets.patience);
    let running = budgets.operations.take(account, budgets.operation_permits(cost), until).await.map_err(|_| {
        let message = "your share of the operations that this node runs at once is in use: try again later";
        Error::new(ErrorCode::RateLimited, message)
    })?;
    let beginning =
        budgets.responses.take(account, RESPONSE_BEGINNING, until).await.map_err(|_| no_room())?;
    let meter =
        ResponseMeter::new(state.graphql.limits.response, beginning, budgets.builders.clone());
    Ok((running, Arc::new(meter)))
}

/// What counts the operation's calls of legacy systems.
fn calls(
    state: &AppState,
    context: &RequestContext,
    traceparent: Option<&str>,
    deadline: Instant,
) -> Arc<outbound::Operation> {
    let caller = caller_id(context);
    let request_id = context.request_id().as_str().to_owned();
    let allowance = outbound::Allowance::from(&state.graphql.limits);
    Arc::new(outbound::Operation::of_caller(caller, request_id, traceparent, allowance, deadline))
}

/// Executes a query, a long one on the threads for long work. The permit is held until it ends.
async fn execute_query(
    state: &Arc<AppState>,
    context: &RequestContext,
    calls: &Arc<outbound::Operation>,
    meter: Arc<ResponseMeter>,
    prepared: Box<PreparedOperation>,
    running: Permit<Uuid>,
) -> GraphqlResponse {
    if !prepared.is_long {
        let outcome = execute(state, context, calls, meter, prepared).await;
        drop(running);
        return outcome;
    }
    let (owned, context, calls) = (state.clone(), context.clone(), calls.clone());
    let work = async move {
        let outcome = execute(&owned, &context, &calls, meter, prepared).await;
        drop(running);
        outcome
    };
    state.budgets.bulk.run(work).boxed().await
}

async fn execute(
    state: &AppState,
    context: &RequestContext,
    calls: &Arc<outbound::Operation>,
    meter: Arc<ResponseMeter>,
    prepared: Box<PreparedOperation>,
) -> GraphqlResponse {
    let is_mutation = prepared.kind == OperationType::Mutation;
    let request = || {
        let request = Request::new("").data(context.clone()).data(calls.clone());
        request.data(meter.clone()).data(Loaders::default())
    };
    let executed = graphql::execute(
        &*state.graphql.executor,
        &prepared.operation,
        &prepared.variables,
        request,
    );
    // On a WebSocket nothing else stands between a panic and the other operations.
    let executed = AssertUnwindSafe(eager_repoll::poll_until_idle(executed)).catch_unwind();
    let executed = on_behalf_of(borrower(context), executed).await;
    let outcome = executed.unwrap_or_else(|_| broken());
    record_refusals(state, context, is_mutation, &outcome, |key| {
        root_field(&prepared.operation, key)
    })
    .await;
    outcome
}

/// Begins a subscription.
pub fn subscribe(
    state: &Arc<AppState>,
    context: &RequestContext,
    prepared: PreparedOperation,
    options: &RequestOptions,
) -> BoxStream<'static, GraphqlResponse> {
    let calls = calls(state, context, options.traceparent.as_deref(), Instant::now() + STREAM);
    let events = EventAdmission {
        state: state.clone(),
        context: context.clone(),
        cost: prepared.cost.weight,
    };
    let request = Request::new("").data(context.clone()).data(calls);
    let request = request.data(events).data(Loaders::default());
    graphql::subscribe(&*state.graphql.executor, prepared.operation, &prepared.variables, request)
}

/// Admits the events of a subscription: each is executed under the permits of an operation.
pub struct EventAdmission {
    state: Arc<AppState>,
    context: RequestContext,
    cost: u64,
}

impl EventAdmission {
    /// Waits for room for the execution of one event, and for the beginning of its response.
    ///
    /// # Errors
    /// `RATE_LIMITED` if the caller's share, or the node, has none in time.
    pub async fn admit(&self) -> Result<(Permit<Uuid>, Arc<ResponseMeter>), Error> {
        admit(&self.state, &self.context, self.cost, deadline(&self.state)).await
    }
}

/// When an operation that begins now must have ended.
pub fn deadline(state: &AppState) -> Instant {
    Instant::now() + state.graphql.limits.execution
}

/// The name of the field at the root that has that key in the answer.
fn root_field(operation: &NormalForm, key: &str) -> String {
    let field = operation.root().iter().find(|field| field.key == key);
    field.map_or(key, |field| field.name.as_str()).to_owned()
}

/// The answer to what was refused before anything was executed.
pub fn refused(
    state: &AppState,
    request_id: &RequestId,
    errors: impl Into<RequestErrors>,
) -> GraphqlResponse {
    finish(request_id, state.graphql.limits.errors, GraphqlResponse::from_errors(errors.into().0))
}

/// The answer to what failed on our side in a way that nobody foresaw.
pub fn broken() -> GraphqlResponse {
    GraphqlResponse::from_errors(vec![failure_of(&Error::internal("a resolver panicked"))])
}

/// `extensions.cost`: fields once all is merged, calls of legacy systems, and tenants: those whose
/// legacy systems were request, else the one in context.
fn cost(fields: u64, calls: &outbound::Operation) -> Value {
    let entries =
        [("fields", fields), ("upstreamCalls", calls.calls()), ("tenants", calls.tenants().max(1))];
    let entries = entries.map(|(name, count)| (async_graphql::Name::new(name), Value::from(count)));
    Value::Object(BTreeMap::from(entries).into_iter().collect())
}
