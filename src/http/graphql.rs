//! The GraphQL endpoint. A request reads from top to bottom: who calls, in which tenant, what they ask, what they get.

mod complete;

use std::sync::Arc;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::OperationType;
use async_graphql::{PathSegment, Request as Operation, Response as Outcome, ServerError, Variables};
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

pub use complete::Types;

use super::Door;
use super::reply::{JSON, Refused, json_response};
use crate::audit::{Refusal, is_recorded};
use crate::auth::{RequestContext, RequestId, bearer};
use crate::error::{Error, ErrorCode};
use crate::tokens::Claims;

const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

/// A GraphQL request over HTTP, as the body of a POST holds it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    query: String,
    operation_name: Option<String>,
    variables: Option<serde_json::Map<String, Value>>,
}

/// Serves `/graphql`. Who calls is settled before anything else is looked at, so that nothing of the schema, not even
/// whether a field exists, shows to somebody without a token.
pub async fn handle(
    State(door): State<Arc<Door>>,
    Extension(request_id): Extension<RequestId>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let mut response = match serve(&door, &request_id, &method, &headers, body).await {
        Ok(response) => response,
        Err(refused) => refused.into_response(&request_id),
    };
    let vary = HeaderValue::from_static("Authorization, X-Tenant-Context, Accept");
    response.headers_mut().insert(VARY, vary);
    response
}

async fn serve(
    door: &Door,
    request_id: &RequestId,
    method: &Method,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let context = enter(door, request_id, headers).await?;
    if method != Method::POST {
        return Err(Refused::method_not_allowed("POST"));
    }
    let body = read(door, headers, body).await?;
    let (operation, is_mutation) = match prepare(body) {
        Ok(prepared) => prepared,
        Err(failed) => return Ok(answer(headers, finish(request_id, Outcome::from_errors(vec![failed])))),
    };
    let asked = (operation.query.clone(), operation.operation_name.clone(), operation.variables.clone());
    let mut outcome = door.schema.execute(operation.data(context.clone())).await;
    if !outcome.errors.is_empty() {
        let (query, name, variables) = asked;
        door.types.complete(&query, name.as_deref(), &variables, &mut outcome);
    }
    record_refusals(door, &context, is_mutation, &outcome).await;
    Ok(answer(headers, finish(request_id, outcome)))
}

/// Who calls, and in which tenant.
async fn enter(door: &Door, request_id: &RequestId, headers: &HeaderMap) -> Result<RequestContext, Refused> {
    let claims = bearer::authenticate(&door.verifier, headers).await?;
    let span = tracing::Span::current();
    span.record("client", tracing::field::display(claims.sub));
    match bearer::enter(&door.authorizer, &claims, headers, request_id.clone()).await {
        Ok(context) => {
            span.record("tenant", tracing::field::display(context.tenant()));
            Ok(context)
        }
        Err(error) => {
            record_refused_entry(door, &claims, request_id, &error).await;
            Err(error.into())
        }
    }
}

/// The body, if it is JSON that a browser cannot send across origins without asking first.
async fn read(door: &Door, headers: &HeaderMap, body: Body) -> Result<Document, Refused> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Refused::with(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/json"));
    }
    let bytes = tokio::time::timeout(door.body_timeout, to_bytes(body, door.body_limit)).await;
    let bytes = bytes.map_err(|_| Refused::with(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive"))?;
    let bytes =
        bytes.map_err(|_| Refused::with(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large or broke off"))?;
    serde_json::from_slice(&bytes).map_err(|_| {
        let message = "the body must be a JSON object with `query`, and perhaps `operationName` and `variables`";
        Error::new(ErrorCode::BadRequest, message).into()
    })
}

/// The parsed document, and whether the operation chosen in it is a mutation.
fn prepare(body: Document) -> Result<(Operation, bool), ServerError> {
    let document = parse_query(&body.query).map_err(|error| {
        let mut failed = ServerError::from(error);
        set_code(&mut failed, ErrorCode::GraphqlParseFailed);
        failed
    })?;
    let chosen = complete::chosen(&document, body.operation_name.as_deref()).map(|operation| operation.ty);
    let Some(kind) = chosen else {
        let message = "the document has no operation of that name, or several and `operationName` chooses none";
        let mut failed = ServerError::new(message, None);
        set_code(&mut failed, ErrorCode::OperationResolutionFailure);
        return Err(failed);
    };
    let variables = Variables::from_json(Value::Object(body.variables.unwrap_or_default()));
    let mut operation = Operation::new(body.query).variables(variables);
    operation.operation_name = body.operation_name;
    operation.set_parsed_query(document);
    Ok((operation, kind == OperationType::Mutation))
}

/// Gives every error its code and the request id, and logs the causes that the caller does not see.
fn finish(request_id: &RequestId, mut outcome: Outcome) -> Outcome {
    for error in &mut outcome.errors {
        if let Some(own) = error.source::<Error>() {
            own.log_cause();
        }
        if code_of(error).is_none() {
            // Only the library's own errors come without a code: those of validation stand at no path, those of values
            // that do not fit their type stand at the field.
            let code = if error.path.is_empty() { ErrorCode::GraphqlValidationFailed } else { ErrorCode::BadUserInput };
            set_code(error, code);
        }
        if let Some(extensions) = &mut error.extensions {
            extensions.set("requestId", request_id.as_str());
        }
    }
    outcome
}

fn set_code(error: &mut ServerError, code: ErrorCode) {
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("code", code.as_str());
    extensions.set("retryable", code.retryable());
}

fn code_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        async_graphql::Value::String(code) => Some(code),
        _ => None,
    }
}

/// The answer, in the media type that the caller prefers. `application/graphql-response+json` has a status that tells
/// whether anything was executed; `application/json` is 200 for every well-formed request.
fn answer(headers: &HeaderMap, outcome: Outcome) -> Response {
    let accept = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let modern = accept.flat_map(|value| value.split(',')).any(|range| range.trim().starts_with(GRAPHQL_RESPONSE));
    let not_executed = !outcome.errors.is_empty() && outcome.errors.iter().all(|error| error.path.is_empty());
    let status = if modern && not_executed { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let content_type =
        if modern { HeaderValue::from_static("application/graphql-response+json; charset=utf-8") } else { JSON };
    let mut response = json_response(status, content_type, &outcome);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Keeps in the audit log every mutation that was refused, and every query that was denied.
async fn record_refusals(door: &Door, context: &RequestContext, is_mutation: bool, outcome: &Outcome) {
    for error in &outcome.errors {
        let Some(own) = error.source::<Error>() else { continue };
        let kept = own.code() == ErrorCode::Forbidden || (is_mutation && is_recorded(own.code()));
        let Some(PathSegment::Field(operation)) = error.path.first().filter(|_| kept) else { continue };
        let refusal = Refusal {
            actor: context.caller().name(),
            acting_tenant: context.caller().home(),
            tenant: context.tenant(),
            operation: operation.clone(),
            code: own.code().as_str(),
            reason: None,
            request_id: context.request_id().clone(),
        };
        door.audit.refused(refusal).await;
    }
}

/// Keeps in the audit log of the client's own tenant that it was turned away at the door.
async fn record_refused_entry(door: &Door, claims: &Claims, request_id: &RequestId, error: &Error) {
    if !matches!(error.code(), ErrorCode::Forbidden | ErrorCode::Unauthenticated) {
        return;
    }
    let refusal = Refusal {
        actor: claims.sub.to_string(),
        acting_tenant: Some(claims.tenant_id),
        tenant: claims.tenant_id,
        operation: "graphql".to_owned(),
        code: error.code().as_str(),
        reason: None,
        request_id: request_id.clone(),
    };
    door.audit.refused(refusal).await;
}
