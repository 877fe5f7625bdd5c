//! Answers requests whose handler panics.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt;
use serde_json::json;

use super::json_reply::{JSON, json_response};
use crate::error::Error;

/// Waits for an answer. A panic is logged and answered with status 500, and the process continues.
pub async fn catch_panic(answer: impl Future<Output = Response>) -> Response {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(panicked)
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(cause = text.unwrap_or("unknown"), "request handler panicked");
    let error = Error::internal("panic");
    let code = error.code();
    let extensions = json!({ "code": code.as_str(), "retryable": code.retryable() });
    let body = json!({ "errors": [{ "message": error.message(), "extensions": extensions }] });
    json_response(StatusCode::INTERNAL_SERVER_ERROR, JSON, &body)
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};

    use super::*;

    #[tokio::test]
    async fn panic_is_answered_without_its_message() {
        let answer = catch_panic(async { panic!("the word is xyzzy") }).await;
        assert_eq!(answer.status(), 500);
        let body = to_bytes(answer.into_body(), 1024).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("INTERNAL") && !text.contains("xyzzy"), "{text}");
        assert_eq!(catch_panic(async { Response::new(Body::from("sound")) }).await.status(), 200);
    }
}
