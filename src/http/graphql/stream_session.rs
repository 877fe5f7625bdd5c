//! The callers of streams, who are reauthorized for as long as a stream runs.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use tokio::time::interval;

use super::audit_records::record_revoked_stream;
use super::caller::{AuthenticatedCaller, Identity, Use};
use crate::auth::{RequestContext, RequestId};
use crate::error::{Error, ErrorCode, Result};
use crate::http::state::AppState;
use crate::roles::Permissions;

/// How often the caller of a stream is reauthorized. Together with
/// `auth.access_cache_ttl` it bounds how long a stream outlives its caller's rights.
pub const REAUTHORIZE_EVERY: Duration = Duration::from_secs(1);

/// A caller for as long as a stream runs, reauthorized by the credentials that opened it.
pub struct StreamSession {
    /// The caller as authenticated when the stream was opened.
    pub caller: AuthenticatedCaller,
    /// The credentials that opened the stream.
    pub credential_headers: HeaderMap,
    permissions: Permissions,
}

impl StreamSession {
    /// Keeps the caller and the credentials for as long as a stream runs.
    pub fn new(caller: AuthenticatedCaller, credential_headers: HeaderMap) -> Self {
        Self { permissions: caller.context.permissions(), caller, credential_headers }
    }

    /// Authorizes the same caller again, for a further operation or event.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` if the token has expired or was revoked, `FORBIDDEN` if the caller has
    /// lost access to the tenant or any permission held when the stream was opened.
    pub async fn reauthorize(
        &self,
        state: &AppState,
        request_id: &RequestId,
    ) -> Result<RequestContext> {
        let headers = &self.credential_headers;
        let identity = Identity::read(state, headers, Use::Stream).await?;
        let context = identity.enter(state, headers, request_id.clone()).await?;
        if context.permissions().covers(self.permissions) {
            Ok(context)
        } else {
            Err(Error::forbidden("a role that the stream was opened with has been removed"))
        }
    }

    /// Completes with the error of [`StreamSession::reauthorize`] once it fails. Callers await it
    /// concurrently with everything that a stream does: neither silence nor a stalled reader may
    /// delay the end.
    pub async fn revoked(&self, state: &AppState) -> Error {
        let mut ticks = interval(REAUTHORIZE_EVERY);
        loop {
            ticks.tick().await;
            let request_id = self.caller.context.request_id();
            if let Err(error) = self.reauthorize(state, request_id).await {
                return error;
            }
        }
    }

    /// Records in the audit log that the stream was ended by an error of
    /// [`StreamSession::reauthorize`]. To be called once a stream.
    pub fn record_revoked(&self, state: &Arc<AppState>, error: &Error) {
        let expired = error.code() == ErrorCode::Unauthenticated
            && self.caller.has_expired(state.authorizer.now());
        let reason = expired.then_some("token_expired");
        record_revoked_stream(state, &self.caller.context, reason, error);
    }
}
