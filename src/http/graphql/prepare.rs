//! From a request to an operation that is ready to run.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use futures_util::FutureExt;
use serde_json::Value;

use super::audit_records::record_refused;
use super::caller::AuthenticatedCaller;
use super::operation_summary::OperationSummary;
use super::request::GraphqlRequest;
use crate::auth::RequestContext;
use crate::error::{ErrorCode, RequestErrors, request_error, request_error_of};
use crate::graphql::{Cost, NormalForm, Variables};
use crate::http::state::graphql::documents::{DocumentHash, ValidDocument, hash, hex};
use crate::http::state::graphql::limits::check_cost;
use crate::http::state::{AppState, GraphqlState};
use crate::ids::TenantId;

/// In bytes. A longer document that is not cached is parsed and validated on the bulk threads.
const LONG_DOCUMENT: usize = 1024;

/// The weight of each value of the variables beside the fields of the operation: many of them
/// become a part of a database statement.
const VARIABLE_WEIGHT: u64 = 5;

/// An operation within the limits, ready to run.
pub struct PreparedOperation {
    /// The normal form, which is executed.
    pub operation: Arc<NormalForm>,
    /// The coerced variables.
    pub variables: Variables,
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// The cost of the operation with its variables.
    pub cost: Cost,
    /// The number of tokens of its document.
    pub tokens: usize,
    /// The hash of its document.
    pub document: DocumentHash,
    /// Whether it runs on the bulk threads.
    pub is_long: bool,
    /// The summary for the log.
    pub summary: OperationSummary,
}

/// A valid document, or the text of one that is not cached.
enum FoundDocument {
    Cached(DocumentHash, Arc<ValidDocument>),
    Text(DocumentHash, String),
}

/// Finds the document, validates it, chooses the operation and coerces its variables. Nothing is
/// executed. The context is that of this one operation.
///
/// # Errors
/// The request errors that are the response.
pub async fn prepare(
    state: &Arc<AppState>,
    caller: &AuthenticatedCaller,
    context: &RequestContext,
    request: GraphqlRequest,
) -> Result<Box<PreparedOperation>, RequestErrors> {
    let found = find_document(state, caller, context, &request).await?;
    let variables = request.variables.iter().flat_map(|given| given.values());
    let weight = VARIABLE_WEIGHT * variables.map(count_values).sum::<u64>();
    let tenant = context.tenant();
    let is_long = matches!(&found, FoundDocument::Text(_, text) if text.len() > LONG_DOCUMENT);
    if !is_long && !state.budgets.is_long(weight) {
        return prepare_found(state, tenant, found, request, weight);
    }
    let owned = state.clone();
    // Boxed: keeps the cold path out of the hot future's size.
    let prepared = async move { prepare_found(&owned, tenant, found, request, weight) };
    state.budgets.bulk.run(prepared).boxed().await
}

/// Validates the document if it is not cached, chooses the operation, coerces the variables and
/// checks the cost.
fn prepare_found(
    state: &AppState,
    tenant: TenantId,
    found: FoundDocument,
    request: GraphqlRequest,
    variables_weight: u64,
) -> Result<Box<PreparedOperation>, RequestErrors> {
    let current = state.graphql.current();
    let (hash, document) = match found {
        FoundDocument::Cached(hash, document) => (hash, document),
        FoundDocument::Text(hash, text) => (hash, current.documents.validate(hash, &text)?),
    };
    let chosen = document.choose(request.operation_name.as_deref())?;
    let given = request.variables.unwrap_or_default();
    let (operation, variables) = current.documents.bind(&document, chosen, &given)?;
    let cost = Cost::of(&operation, &variables);
    if !state.graphql.introspection && cost.introspection_depth > 0 {
        // The library would answer null without an error.
        let message = "GraphQL introspection is disabled, but the operation selects `__schema` or \
            `__type`";
        return Err(request_error(ErrorCode::GraphqlValidationFailed, message).into());
    }
    check_cost(&current.limits, &cost)?;
    let kind = chosen.kind;
    Ok(Box::new(PreparedOperation {
        summary: OperationSummary::begin(tenant, kind, chosen.name.as_deref(), cost.fields),
        operation,
        variables,
        kind,
        cost,
        tokens: document.tokens(),
        document: hash,
        is_long: state.budgets.is_long(cost.weight.saturating_add(variables_weight)),
    }))
}

/// Rejects a subscription where a single JSON response is expected.
///
/// # Errors
/// `BAD_REQUEST`.
pub fn not_a_subscription(
    prepared: Box<PreparedOperation>,
) -> Result<Box<PreparedOperation>, RequestErrors> {
    if prepared.kind == OperationType::Subscription {
        let message = "subscriptions require a WebSocket or `Accept: text/event-stream`";
        return Err(request_error(ErrorCode::BadRequest, message).into());
    }
    Ok(prepared)
}

/// The number of values in a variable, those inside lists and objects included.
fn count_values(value: &Value) -> u64 {
    match value {
        Value::Array(items) => 1 + items.iter().map(count_values).sum::<u64>(),
        Value::Object(members) => 1 + members.values().map(count_values).sum::<u64>(),
        _ => 1,
    }
}

/// Finds the document by its text, by its hash, or by both (automatic persisted queries of Apollo).
async fn find_document(
    state: &AppState,
    caller: &AuthenticatedCaller,
    context: &RequestContext,
    request: &GraphqlRequest,
) -> Result<FoundDocument, RequestErrors> {
    let graphql = &state.graphql;
    let current = graphql.current();
    let named = request.document_hash().map_err(|error| request_error_of(&error))?;
    let (hash, text) = match (request.query.as_deref(), named) {
        (Some(text), named) => (hash_of(graphql, text, named)?, Some(text)),
        (None, Some(named)) => (named, current.trusted.text(&named).map(|text| &**text)),
        (None, None) => {
            let message =
                "the request must be a JSON object with a `query`, or name a persisted document";
            return Err(request_error(ErrorCode::BadRequest, message).into());
        }
    };
    // Before the lookup: a refusal must not reveal whether another caller has registered the
    // document.
    let allowed = current.trusted.check(caller.client_id(), &hash);
    let Some(text) = text else {
        let document = persisted(graphql, &hash, allowed.is_ok())?;
        return Ok(FoundDocument::Cached(hash, document));
    };
    if let Err(error) = allowed {
        let document = format!("sha256:{}", hex(&hash));
        record_refused(state, context, Some(document), "untrusted_document", &error).await;
        return Err(request_error_of(&error).into());
    }
    Ok(match current.documents.cached(&hash) {
        Some(document) => FoundDocument::Cached(hash, document),
        None => FoundDocument::Text(hash, text.to_owned()),
    })
}

/// The hash of a document that was sent, which must be the one that the request names.
fn hash_of(
    graphql: &GraphqlState,
    text: &str,
    named: Option<DocumentHash>,
) -> Result<DocumentHash, RequestErrors> {
    let hash = hash(text);
    if graphql.persisted_queries && named.is_some_and(|named| named != hash) {
        // The sentence of Apollo Server.
        let message = "provided sha does not match query";
        return Err(request_error(ErrorCode::BadRequest, message).into());
    }
    Ok(hash)
}

/// A cached document, by its hash alone.
fn persisted(
    graphql: &GraphqlState,
    hash: &DocumentHash,
    allowed: bool,
) -> Result<Arc<ValidDocument>, RequestErrors> {
    // Apollo's clients look for these sentences.
    let message = if graphql.persisted_queries {
        let cached = graphql.current().documents.cached(hash).filter(|_| allowed);
        if let Some(document) = cached {
            return Ok(document);
        }
        "PersistedQueryNotFound"
    } else {
        "PersistedQueryNotSupported"
    };
    Err(request_error(ErrorCode::PersistedQueryNotFound, message).into())
}
