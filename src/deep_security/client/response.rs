//! Successful responses and how their bodies are read.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeSeed;

use super::error::malformed;
use crate::deep_security::wire::{self, ListSeed, Projection, Resource};
use crate::error::{Error, Result};
use crate::outbound::{Answer, HeldAnswer, Outbound, UpstreamRoute};

/// Larger bodies are deserialized on a blocking thread.
const INLINE_LIMIT: usize = 256 * 1024;

/// A successful response, with the route that it came by.
#[derive(Clone)]
pub struct ApiResponse {
    /// The route of the call.
    pub route: UpstreamRoute,
    answer: Answer,
    is_write: bool,
}

impl ApiResponse {
    pub(super) fn new(route: UpstreamRoute, answer: Answer, is_write: bool) -> Self {
        Self { route, answer, is_write }
    }

    /// The values of `Set-Cookie`.
    pub fn cookies(&self) -> &[String] {
        &self.answer.cookies
    }

    /// The memory that the body occupies, to be held for as long as anything read from it.
    pub fn held(self) -> Option<Arc<HeldAnswer>> {
        self.answer.held
    }

    /// Deserializes the body.
    ///
    /// # Errors
    /// `UPSTREAM_MALFORMED`; after a write with an unknown outcome, because the write was accepted.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        self.read_with(PhantomData)
    }

    /// Deserializes a list of at most `limit` objects, keeping the projected fields only. A large
    /// body is read on a blocking thread, so that it does not delay other requests.
    ///
    /// # Errors
    /// As [`ApiResponse::read`].
    pub async fn read_list<T: Resource>(
        &self,
        outbound: &Outbound,
        projection: Option<&Projection>,
        limit: usize,
    ) -> Result<Vec<T>> {
        if self.answer.body.len() < INLINE_LIMIT {
            return self.read_with(ListSeed::<T>::with(projection).limit(limit));
        }
        let permit = outbound.parsing_permit().await;
        let response = self.clone();
        let projection = projection.cloned();
        let read = move || {
            let list = response.read_with(ListSeed::<T>::with(projection.as_ref()).limit(limit));
            drop(permit);
            list
        };
        tokio::task::spawn_blocking(read).await.map_err(Error::internal)?
    }

    /// Deserializes the body with a seed.
    ///
    /// # Errors
    /// As [`ApiResponse::read`].
    pub fn read_with<'a, S: DeserializeSeed<'a>>(&'a self, seed: S) -> Result<S::Value> {
        let (read, nulled) = wire::count_nulled(|| wire::read(&self.answer.body, seed));
        if nulled > 0 {
            tracing::warn!(
                upstream = %self.route.endpoint.upstream,
                tenant = %self.route.tenant,
                nulled,
                "Deep Security sent optional values of an unexpected type, which were read as null"
            );
        }
        read.map_err(|cause| {
            let error = malformed(&self.route, cause);
            if self.is_write { error.with_unknown_outcome() } else { error }
        })
    }
}
