//! Lists of objects, read by a plan.

use std::sync::Arc;

use jiff::tz::TimeZone;
use uuid::Uuid;

use super::call_error::{About, CallError};
use super::{AppResult, Client, Result, understand};
use crate::integration_server::model::{ListedObjects, PageQuery, Places, RemoteId};
use crate::integration_server::wire;
use crate::outbound::{Answer, Operation, UpstreamRoute};
use crate::projection::{PlainObjects, Plan, ProjectedText};

/// The server's answer with a list, complete and not yet read.
pub struct ListAnswer {
    pub(super) answer: Answer,
    item: &'static str,
}

/// A page of a list as text.
#[derive(Debug, Default)]
pub struct ObjectPage {
    /// The names and identifiers of the objects, for cursors.
    pub places: Places,
    /// Their text, for each selection of the plan.
    pub texts: Vec<ProjectedText>,
    /// Whether the text would be too large. Then it is not complete.
    pub is_too_large: bool,
    /// Whether more objects follow.
    pub has_more: bool,
    /// The number of objects of the list whose names match.
    pub total: usize,
}

impl ObjectPage {
    /// The number of bytes of the text.
    pub fn size(&self) -> usize {
        self.texts.iter().map(ProjectedText::size).sum()
    }
}

/// How a page of a list is projected.
#[derive(Clone)]
pub struct PageProjection {
    /// The plan of the type of its objects, of all members.
    pub plan: Arc<Plan>,
    /// The query for the objects of the page.
    pub query: PageQuery,
    /// Where the ids of the objects are unique.
    pub place: Uuid,
    /// The most bytes of text.
    pub largest: usize,
}

impl PageProjection {
    /// Differs wherever the projection differs.
    fn key(&self) -> String {
        let Self { plan, query, place, largest } = self;
        format!("page {place}/{largest}/{query:?}{}", plan.key())
    }
}

impl Client {
    /// T3: the list of the machines of a tenant.
    ///
    /// # Errors
    /// `TenantNotFound`.
    pub async fn machine_list(
        &self,
        operation: &Operation,
        tenant: &RemoteId,
    ) -> Result<ListAnswer> {
        let answer = self.send(operation, self.calls.machines(tenant), About::Tenant).await?;
        Ok(ListAnswer { answer, item: "vm" })
    }

    /// T2: the list of the tenants of the installation.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn tenant_list(&self, operation: &Operation) -> Result<ListAnswer> {
        let answer = self.send(operation, self.calls.tenants(), About::Nothing).await?;
        Ok(ListAnswer { answer, item: "tenant" })
    }

    /// Projects a page of a list. Callers that share the answer share what is read of it.
    ///
    /// # Errors
    /// `UPSTREAM_MALFORMED`.
    pub async fn page(
        &self,
        list: &ListAnswer,
        wanted: PageProjection,
    ) -> AppResult<Arc<ObjectPage>> {
        let reader = ListReader {
            answer: list.answer.clone(),
            item: list.item,
            zone: self.zone.clone(),
            route: self.route.clone(),
        };
        let projected = self.outbound.parse(&list.answer, move || reader.page(&wanted)).await;
        if projected.is_err() {
            self.outbound.note_malformed(&self.route);
        }
        projected
    }
}

/// Reads an answer with a list.
struct ListReader {
    answer: Answer,
    item: &'static str,
    zone: TimeZone,
    route: UpstreamRoute,
}

impl ListReader {
    fn page(&self, wanted: &PageProjection) -> AppResult<Arc<ObjectPage>> {
        self.answer.readings.get_or_read(wanted.key(), || {
            let objects = self.objects(&wanted.plan)?;
            let page = wanted.query.page(&objects);
            let date = |text: &str| wire::moment(text, &self.zone).at();
            let PageProjection { plan, place, largest, .. } = wanted;
            let text = PlainObjects { plan, place: *place, largest: *largest, date: &date };
            let text = text.project(page.objects.iter().map(|object| object.values()));
            Ok(ObjectPage {
                places: page.objects.iter().copied().collect(),
                texts: text.texts,
                is_too_large: text.is_too_large,
                has_more: page.has_more,
                total: page.total,
            })
        })
    }

    /// The objects of the list in their order, with the members of the plan. All plans of a type read
    /// the same members, so that an answer is read once for all fields that select its list.
    fn objects(&self, plan: &Plan) -> AppResult<Arc<ListedObjects>> {
        self.answer.readings.get_or_read("objects".to_owned(), || {
            let objects = understand(&self.answer, &self.zone).objects(self.item, plan.members());
            let mut objects =
                objects.map_err(|malformed| CallError::malformed(malformed, &self.route))?;
            objects.sort();
            Ok(objects)
        })
    }
}
