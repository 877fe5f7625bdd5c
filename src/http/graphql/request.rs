//! GraphQL requests (GraphQL over HTTP, section 5).
//!
//! Not the readers of `async-graphql` and `async-graphql-axum`: they know no `documentId`, read
//! `operation_name` in place of `operationName` from a URL, and take a missing `query` for an empty
//! one (`docs/decisions/0005-async-graphql-axum.md`).

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use futures_util::FutureExt;
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::{Map, Value};

use crate::error::{Error, ErrorCode, Result};
use crate::http::body::{self, BodyError, is_encoded, is_json};
use crate::http::http_error::HttpError;
use crate::http::state::AppState;
use crate::http::state::graphql::documents::{DocumentHash, parse_hash};

/// In bytes. A longer body is parsed on the bulk threads.
const LONG_BODY: usize = 16 * 1024;

/// A request in the form that POST bodies, URLs and WebSocket messages share.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphqlRequest {
    /// The text of the document.
    pub query: Option<String>,
    /// The operation to run, where the document has several.
    pub operation_name: Option<String>,
    /// The variables, not yet coerced.
    pub variables: Option<Map<String, Value>>,
    /// Protocol extensions: `persistedQuery`.
    pub extensions: Option<Map<String, Value>>,
    /// The hash of the document in place of its text: 64 hexadecimal digits, perhaps after
    /// `sha256:`.
    pub document_id: Option<String>,
}

/// The body of a POST.
pub enum RequestBody {
    /// One request.
    One(GraphqlRequest),
    /// A list of requests.
    Batch(Vec<GraphqlRequest>),
}

/// Reads a POST: one request, or a list of them.
///
/// # Errors
/// 415, 413, 408 and 400.
pub async fn read_post(
    state: &AppState,
    headers: &HeaderMap,
    body: Body,
) -> Result<RequestBody, HttpError> {
    let bytes = read_bytes(state, headers, body).await?;
    let json_nesting = state.graphql.current().limits.json_nesting;
    if bytes.len() <= LONG_BODY {
        return Ok(read_body(&bytes, json_nesting)?);
    }
    // Boxed: keeps the cold path out of the hot future's size.
    let parse = async move { read_body(&bytes, json_nesting) };
    Ok(state.budgets.bulk.run(parse).boxed().await?)
}

async fn read_bytes(state: &AppState, headers: &HeaderMap, body: Body) -> Result<Bytes, HttpError> {
    if !is_json(headers) {
        let message = "the Content-Type must be application/json in UTF-8";
        return Err(HttpError::with(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    if is_encoded(headers) {
        return Err(HttpError::encoded_body());
    }
    let bytes = body::read(body, state.body_limit, state.body_timeout).await;
    bytes.map_err(|error| {
        let (status, message) = match error {
            BodyError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            BodyError::TooSlow => (StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"),
            BodyError::Broken => {
                (StatusCode::BAD_REQUEST, "the body ended early or its chunks are malformed")
            }
        };
        HttpError::with(status, message)
    })
}

fn read_body(bytes: &[u8], json_nesting: usize) -> Result<RequestBody> {
    check_nesting(bytes, json_nesting)?;
    let is_batch = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let read = if is_batch {
        serde_json::from_slice(bytes).map(RequestBody::Batch)
    } else {
        serde_json::from_slice(bytes).map(RequestBody::One)
    };
    read.map_err(|error| malformed_body(&error))
}

fn malformed_body(error: &serde_json::Error) -> Error {
    const EXPECTED: &str = "the body must be a JSON object with `query` and optionally \
        `operationName`, `variables` and `extensions`";
    match error.classify() {
        Category::Syntax | Category::Eof => {
            let line = error.line();
            let column = error.column();
            // Such as `trailing comma`; the library appends the place in words of its own.
            let problem = error.to_string();
            let problem = problem.split(" at line ").next().unwrap_or_default();
            let message = format!(
                "the body is not valid JSON: {problem} at line {line}, column {column}; send a \
                JSON object with `query`"
            );
            Error::new(ErrorCode::BadRequest, message)
        }
        Category::Data | Category::Io => Error::new(ErrorCode::BadRequest, EXPECTED),
    }
}

/// Reads the query component of a URL (GraphQL over HTTP, section 5.3): `variables` and
/// `extensions` are JSON.
///
/// # Errors
/// `BAD_REQUEST` for a malformed or repeated parameter.
pub fn read_url(query: &str, json_nesting: usize) -> Result<GraphqlRequest> {
    let mut request = GraphqlRequest::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let repeated = match &*name {
            "query" => request.query.replace(value.into_owned()).is_some(),
            "documentId" => request.document_id.replace(value.into_owned()).is_some(),
            // In a URL an empty value is the only way to say that there is none.
            "operationName" if value.is_empty() => false,
            "operationName" => request.operation_name.replace(value.into_owned()).is_some(),
            "variables" => put(&mut request.variables, "variables", &value, json_nesting)?,
            "extensions" => put(&mut request.extensions, "extensions", &value, json_nesting)?,
            _ => false,
        };
        if repeated {
            let message = format!("query parameter `{name}` is repeated");
            return Err(Error::new(ErrorCode::BadRequest, message));
        }
    }
    Ok(request)
}

/// Reads a parameter in JSON; whether it was there before.
fn put(
    parameter: &mut Option<Map<String, Value>>,
    name: &str,
    json: &str,
    json_nesting: usize,
) -> Result<bool> {
    if json.is_empty() {
        return Ok(false);
    }
    check_nesting(json.as_bytes(), json_nesting)?;
    let value = serde_json::from_str::<Option<Map<String, Value>>>(json).map_err(|_| {
        let message = format!("query parameter `{name}` must be a JSON object");
        Error::new(ErrorCode::BadRequest, message)
    })?;
    Ok(value.is_some_and(|value| parameter.replace(value).is_some()))
}

impl GraphqlRequest {
    /// The hash that names the document, from `documentId` or `extensions.persistedQuery`.
    ///
    /// # Errors
    /// `BAD_REQUEST` if it is not a SHA-256.
    pub fn document_hash(&self) -> Result<Option<DocumentHash>> {
        let persisted =
            self.extensions.as_ref().and_then(|extensions| extensions.get("persistedQuery"));
        let (place, text) = match (&self.document_id, persisted) {
            (Some(id), _) => ("documentId", id.strip_prefix("sha256:").unwrap_or(id)),
            (None, Some(persisted)) => {
                let text = persisted["sha256Hash"].as_str().unwrap_or_default();
                ("extensions.persistedQuery.sha256Hash", text)
            }
            (None, None) => return Ok(None),
        };
        parse_hash(text).map(Some).ok_or_else(|| {
            let message = format!("{place} must be a SHA-256 of 64 hexadecimal digits");
            Error::new(ErrorCode::BadRequest, message)
        })
    }
}

/// Checks that objects and lists are nested at most `maximum` deep, before they are parsed: the parser
/// recurses with every bracket.
///
/// # Errors
/// `BAD_REQUEST` if they are nested more deeply.
pub fn check_nesting(json: &[u8], maximum: usize) -> Result<()> {
    let nesting = nesting(json);
    if nesting <= maximum {
        return Ok(());
    }
    let message = format!("limit `json_nesting` exceeded: {nesting} > {maximum}");
    Err(Error::new(ErrorCode::BadRequest, message))
}

fn nesting(json: &[u8]) -> usize {
    let mut deepest = 0;
    let mut open = 0usize;
    let mut in_string = false;
    let mut escaped = false;
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => open += 1,
            b'}' | b']' if !in_string => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_parameters_are_read_once_each() {
        let url = "query=%7Ba%7D&variables=%7B%22a%22%3A1%7D&operationName=&unknown=1";
        let request = read_url(url, 64).unwrap();
        assert_eq!(request.query.as_deref(), Some("{a}"));
        assert_eq!((request.variables.unwrap().len(), request.operation_name), (1, None));
        let refused = ["query=a&query=a", "variables=[]", "variables=x", "extensions=1"];
        for url in refused {
            assert!(read_url(url, 64).is_err(), "{url}");
        }
    }

    #[test]
    fn nesting_beyond_the_limit_is_rejected() {
        let nested = |levels: usize| {
            format!(
                "{{\"query\":\"a\",\"variables\":{{\"a\":{}{}}}}}",
                "[".repeat(levels),
                "]".repeat(levels)
            )
        };
        assert!(read_body(nested(62).as_bytes(), 64).is_ok());
        assert!(read_body(nested(63).as_bytes(), 64).is_err());
        assert!(read_body(&b"[".repeat(100_000), 64).is_err());
    }

    #[test]
    fn brackets_in_strings_do_not_nest() {
        assert_eq!(nesting(br#"{"a":["{[\"{[",{}]}"#), 3);
        assert_eq!(nesting(&vec![b'['; 20_000]), 20_000);
    }

    /// Why the library's reader is not used. If this fails, it may be worth another look.
    #[test]
    fn library_reader_ignores_the_operation_name_of_a_url() {
        let url = "query=%7Ba%7D&operationName=b";
        assert_eq!(read_url(url, 64).unwrap().operation_name.as_deref(), Some("b"));
        assert_eq!(async_graphql::http::parse_query_string(url).unwrap().operation_name, None);
    }
}
