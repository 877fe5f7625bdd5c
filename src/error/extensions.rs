//! Errors in responses of the graph: the public message with its extensions.

use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Name, Value};

use super::{Error, UpstreamDetail};

impl From<Error> for async_graphql::Error {
    /// Keeps the error as the source of its public half, so that the edge can log the cause.
    fn from(error: Error) -> Self {
        let mut public = Self::new(error.message.clone());
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", error.code.as_str());
        extensions.set("retryable", error.retryable());
        if error.outcome_unknown {
            extensions.set("outcome", "UNKNOWN");
        }
        if let Some(tenant) = error.tenant {
            extensions.set("tenantID", tenant.to_string());
        }
        if let Some(UpstreamDetail { system, status, code }) = &error.upstream {
            let entries = [
                ("system", Value::from(*system)),
                ("status", (*status).into()),
                ("code", (*code).into()),
            ];
            let entries = entries.into_iter().map(|(key, value)| (Name::new(key), value));
            extensions.set("upstream", Value::Object(entries.collect()));
        }
        public.extensions = Some(extensions);
        public.source = Some(Arc::new(error));
        public
    }
}
