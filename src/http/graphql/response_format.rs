//! The format of GraphQL responses (GraphQL, section 7), the same for every transport.

use async_graphql::Response as GraphqlResponse;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::auth::RequestId;
use crate::error::{Error, ErrorCode};
use crate::http::state::graphql::request_errors::{code_of, set_code};

/// Completes the errors of a response: each gets a code and the request id, hidden causes are
/// logged, and at most `errors_max` are kept.
pub fn finalize(
    request_id: &RequestId,
    errors_max: usize,
    mut response: GraphqlResponse,
) -> GraphqlResponse {
    for error in &mut response.errors {
        if let Some(own) = error.source::<Error>() {
            own.log_cause();
        }
        if code_of(error).is_none() {
            // Only errors of the library itself have no code: values that do not fit their type.
            set_code(error, ErrorCode::BadUserInput);
        }
        if let Some(extensions) = &mut error.extensions {
            extensions.set("requestId", request_id.as_str());
        }
    }
    let omitted = response.errors.len().saturating_sub(errors_max);
    if omitted > 0 {
        response.errors.truncate(errors_max);
        response.extensions.insert("errorsOmitted".to_owned(), omitted.into());
    }
    response
}

/// Whether the request was rejected before anything of it was executed: no error has a path.
pub fn nothing_executed(response: &GraphqlResponse) -> bool {
    !response.errors.is_empty() && response.errors.iter().all(|error| error.path.is_empty())
}

/// A response as JSON. Without `data` if nothing was executed (GraphQL, section 7.1); the library
/// would write `"data": null`.
pub struct ResponseBody<'a>(pub &'a GraphqlResponse);

impl Serialize for ResponseBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !nothing_executed(self.0) {
            map.serialize_entry("data", &self.0.data)?;
        }
        if !self.0.errors.is_empty() {
            map.serialize_entry("errors", &self.0.errors)?;
        }
        if !self.0.extensions.is_empty() {
            map.serialize_entry("extensions", &self.0.extensions)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::state::graphql::request_errors::request_error_of;

    #[test]
    fn errors_beyond_the_limit_are_counted_and_omitted() {
        let errors = vec![request_error_of(&Error::not_found("value")); 5_000];
        let id = RequestId::parse("x").unwrap();
        let response = finalize(&id, 20, GraphqlResponse::from_errors(errors));
        assert_eq!(response.errors.len(), 20);
        assert_eq!(response.extensions["errorsOmitted"], 4_980.into());
    }

    /// Why the library's serialization is not used. If this fails, it may be worth another look.
    #[test]
    fn library_writes_data_where_nothing_was_executed() {
        let error = request_error_of(&Error::not_found("value"));
        let response = GraphqlResponse::from_errors(vec![error]);
        let ours = serde_json::to_value(ResponseBody(&response)).unwrap();
        let theirs = serde_json::to_value(&response).unwrap();
        assert!(ours.get("data").is_none());
        assert!(theirs.get("data").is_some_and(serde_json::Value::is_null));
    }
}
