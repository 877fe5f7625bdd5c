//! Reads the body of a request within a limit of size and time.
//!
//! Not `tower-http`'s `RequestBodyTimeoutLayer`, which bounds the wait for each chunk: a client
//! could send a byte at a time forever.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is larger than the limit.
    TooLarge,
    /// It ended early, or its chunks are malformed.
    Broken,
    /// It did not arrive in time.
    TooSlow,
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// [`BodyError`].
pub async fn read(body: Body, limit: usize, within: Duration) -> Result<Bytes, BodyError> {
    match timeout(within, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Ok(Err(_)) => Err(BodyError::Broken),
        Err(_) => Err(BodyError::TooSlow),
    }
}
