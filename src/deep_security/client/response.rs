//! Successful responses and how their bodies are read.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeSeed;
use uuid::Uuid;

use super::error::malformed;
use crate::deep_security::model::Pattern;
use crate::deep_security::wire;
use crate::error::{Error, Result};
use crate::outbound::{Answer, HeldAnswer, Outbound, UpstreamRoute};
use crate::projection::{
    JsonError, ListReader, ObjectReader, Plan, ProjectedList, ProjectedObject,
};

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

    /// Projects a list. Callers that share this response and want the same of it share the text.
    ///
    /// # Errors
    /// As [`ApiResponse::read`].
    pub async fn project_list(
        &self,
        outbound: &Outbound,
        list: ListProjection,
    ) -> Result<Arc<ProjectedList>> {
        let response = self.clone();
        outbound.parse(&self.answer, move || response.project_list_here(&list)).await
    }

    fn project_list_here(&self, list: &ListProjection) -> Result<Arc<ProjectedList>> {
        self.answer.readings.get_or_read(list.key(), || {
            let keeps = |name: &str| list.name.as_ref().is_none_or(|pattern| pattern.matches(name));
            let ListProjection { ref plan, member, limit, place, largest, .. } = *list;
            let reader = ListReader { plan, member, limit, place, largest, keeps: &keeps };
            let projected = self.read_text(|text| reader.read(text))?;
            self.log_mismatches(projected.mismatches);
            Ok(projected)
        })
    }

    /// Projects an object whose ids are unique in `place`. Callers that share this response and want
    /// the same of it share the text.
    ///
    /// # Errors
    /// As [`ApiResponse::read`].
    pub fn project_object(
        &self,
        plan: &Plan,
        place: Uuid,
        largest: usize,
    ) -> Result<Arc<ProjectedObject>> {
        self.answer.readings.get_or_read(format!("{place}/{largest}{}", plan.key()), || {
            let reader = ObjectReader { plan, place, largest };
            let projected = self.read_text(|text| reader.read(text))?;
            self.log_mismatches(projected.mismatches);
            Ok(projected)
        })
    }

    /// Deserializes the body with a seed.
    ///
    /// # Errors
    /// As [`ApiResponse::read`].
    pub fn read_with<'a, S: DeserializeSeed<'a>>(&'a self, seed: S) -> Result<S::Value> {
        let (read, nulled) = wire::count_nulled(|| wire::read(&self.answer.body, seed));
        self.log_mismatches(nulled);
        read.map_err(|cause| self.malformed(cause))
    }

    fn read_text<T>(&self, read: impl FnOnce(&str) -> Result<T, JsonError>) -> Result<T> {
        wire::read_text(&self.answer.body, read).map_err(|cause| self.malformed(cause))
    }

    fn malformed(&self, cause: String) -> Error {
        let error = malformed(&self.route, cause);
        if self.is_write { error.with_unknown_outcome() } else { error }
    }

    fn log_mismatches(&self, nulled: usize) {
        if nulled > 0 {
            tracing::warn!(
                upstream = %self.route.endpoint.upstream,
                tenant = %self.route.tenant,
                nulled,
                "Deep Security sent optional values of an unexpected type, which were read as null"
            );
        }
    }
}

/// How a list is projected.
#[derive(Clone)]
pub struct ListProjection {
    /// The plan of the type of its objects.
    pub plan: Arc<Plan>,
    /// The member of the body with the list.
    pub member: &'static str,
    /// The most objects of the list.
    pub limit: usize,
    /// Where the ids of its objects are unique.
    pub place: Uuid,
    /// The most bytes of text.
    pub largest: usize,
    /// The pattern of the names of the objects that are kept; all are if it is absent.
    pub name: Option<Pattern>,
}

impl ListProjection {
    /// Differs wherever the projection differs.
    fn key(&self) -> String {
        let Self { plan, member, limit, place, largest, name } = self;
        format!("{member}/{limit}/{place}/{largest}/{name:?}{}", plan.key())
    }
}
