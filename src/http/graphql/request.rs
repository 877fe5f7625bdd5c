//! What a caller asks, whatever carries it.

use serde::Deserialize;
use serde_json::error::Category;
use serde_json::{Map, Value};

use super::documents::Hash;
use super::token_count;
use crate::error::{Error, ErrorCode, Result};

/// A GraphQL request (GraphQL over HTTP, section 5.1), as a POST, a GET and a WebSocket message
/// hold it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphqlRequest {
    /// The document.
    pub query: Option<String>,
    /// Which operation of it.
    pub operation_name: Option<String>,
    /// Its variables.
    pub variables: Option<Map<String, Value>>,
    /// What goes beyond: `persistedQuery`.
    pub extensions: Option<Map<String, Value>>,
    /// The hash of the document, in its place: `sha256:` and 64 hexadecimal digits.
    pub document_id: Option<String>,
}

/// One request, or a list of them.
pub enum Body {
    /// One.
    One(GraphqlRequest),
    /// A batch.
    Batch(Vec<GraphqlRequest>),
}

/// Reads the body of a POST.
///
/// # Errors
/// `BAD_REQUEST` if it is not JSON of that form, or nested more deeply than `json_nesting`.
pub fn read_body(bytes: &[u8], json_nesting: usize) -> Result<Body> {
    check_nesting(bytes, json_nesting)?;
    let is_batch = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let read = if is_batch {
        serde_json::from_slice(bytes).map(Body::Batch)
    } else {
        serde_json::from_slice(bytes).map(Body::One)
    };
    read.map_err(|error| {
        let message =
            "the body must be a JSON object with `query`, and perhaps `operationName`, `variables` and `extensions`";
        match error.classify() {
            Category::Syntax | Category::Eof => {
                let message = format!("{message}: it is no JSON at line {}, column {}", error.line(), error.column());
                Error::new(ErrorCode::BadRequest, message)
            }
            Category::Data | Category::Io => Error::new(ErrorCode::BadRequest, message),
        }
    })
}

/// Reads the query of a URL (GraphQL over HTTP, section 5.3): `variables` and `extensions` are
/// JSON.
///
/// # Errors
/// `BAD_REQUEST` if a parameter is not of its form or stands twice.
pub fn read_url(query: &str, json_nesting: usize) -> Result<GraphqlRequest> {
    let mut request = GraphqlRequest::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let twice = match &*name {
            "query" => request.query.replace(value.into_owned()).is_some(),
            "documentId" => request.document_id.replace(value.into_owned()).is_some(),
            // Here an empty text is the only way to say that there is none.
            "operationName" if value.is_empty() => false,
            "operationName" => request.operation_name.replace(value.into_owned()).is_some(),
            "variables" => put(&mut request.variables, "variables", &value, json_nesting)?,
            "extensions" => put(&mut request.extensions, "extensions", &value, json_nesting)?,
            _ => false,
        };
        if twice {
            return Err(Error::new(ErrorCode::BadRequest, "a parameter stands twice"));
        }
    }
    Ok(request)
}

fn put(
    place: &mut Option<Map<String, Value>>,
    name: &str,
    json: &str,
    json_nesting: usize,
) -> Result<bool> {
    if json.is_empty() {
        return Ok(false);
    }
    check_nesting(json.as_bytes(), json_nesting)?;
    let read = serde_json::from_str::<Option<Map<String, Value>>>(json);
    let read = read
        .map_err(|_| Error::new(ErrorCode::BadRequest, format!("{name}: must be a JSON object")))?;
    Ok(read.is_some_and(|read| place.replace(read).is_some()))
}

/// # Errors
/// `BAD_REQUEST` if the JSON is nested more deeply than that.
pub fn check_nesting(json: &[u8], maximum: usize) -> Result<()> {
    let nesting = token_count::json_nesting(json);
    if nesting <= maximum {
        return Ok(());
    }
    let message =
        format!("limit `json_nesting`: {nesting} is more than {maximum}, the most that is allowed");
    Err(Error::new(ErrorCode::BadRequest, message))
}

impl GraphqlRequest {
    /// The hash that names the document, by `documentId` or by `extensions.persistedQuery`.
    ///
    /// # Errors
    /// `BAD_REQUEST` if it is no hash.
    pub fn hash(&self) -> Result<Option<Hash>> {
        let persisted =
            self.extensions.as_ref().and_then(|extensions| extensions.get("persistedQuery"));
        let given = match (&self.document_id, persisted) {
            (Some(id), _) => Some(id.strip_prefix("sha256:").unwrap_or(id)),
            (None, Some(persisted)) => Some(persisted["sha256Hash"].as_str().unwrap_or_default()),
            (None, None) => None,
        };
        let Some(given) = given else { return Ok(None) };
        let hash = read_hash(given);
        hash.map(Some).ok_or_else(|| {
            let message = "extensions.persistedQuery.sha256Hash: must be 64 hexadecimal digits";
            Error::new(ErrorCode::BadRequest, message)
        })
    }
}

/// Reads 64 hexadecimal digits.
pub fn read_hash(text: &str) -> Option<Hash> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect::<Option<Vec<_>>>()?;
    if rest.is_empty() { bytes.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_once() {
        let request =
            read_url("query=%7Ba%7D&variables=%7B%22a%22%3A1%7D&operationName=&unknown=1", 64)
                .unwrap();
        assert_eq!(request.query.as_deref(), Some("{a}"));
        assert_eq!((request.variables.unwrap().len(), request.operation_name), (1, None));
        for refused in ["query=a&query=a", "variables=[]", "variables=x", "extensions=1"] {
            assert!(read_url(refused, 64).is_err(), "{refused}");
        }
    }

    #[test]
    fn nesting_beyond_the_limit_is_refused() {
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
    fn a_hash_is_64_digits() {
        assert_eq!(read_hash(&"0f".repeat(32)), Some([15; 32]));
        for text in [String::new(), "0".repeat(63), "0".repeat(66), "g".repeat(64), "+0".repeat(32)]
        {
            assert_eq!(read_hash(&text), None, "{text}");
        }
    }
}
