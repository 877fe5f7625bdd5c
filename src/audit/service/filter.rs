//! Filters of records.

use sea_orm::{ColumnTrait, Condition, QueryFilter, Select};

use super::entry::Outcome;
use crate::audit::entity::{Column, Entity};
use crate::auth::TenantScope;
use crate::clock::Timestamp;
use crate::ids::TenantId;

/// A filter of records; all conditions must hold.
#[derive(Default)]
pub struct Filter {
    /// By the name of the mutation or query.
    pub operation: Option<String>,
    /// By who acted.
    pub actor: Option<String>,
    /// By the object acted upon.
    pub subject: Option<String>,
    /// By the object of a legacy system acted upon.
    pub legacy_object: Option<LegacyObject>,
    /// By the request: the gateway's own id, or the caller's.
    pub request_id: Option<String>,
    /// By how it ended.
    pub outcome: Option<Outcome>,
    /// At this moment or later.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
}

/// An object of a legacy system. Its records have the vendor's id as their subject, which objects of
/// other tenants and of other types may have too.
pub struct LegacyObject {
    /// The tenant that it belongs to.
    pub tenant: TenantId,
    /// The vendor's id.
    pub remote: String,
    /// The operations that act on objects of its type, as a pattern of SQL.
    pub operations: &'static str,
}

impl LegacyObject {
    fn condition(&self) -> Condition {
        Condition::all()
            .add(Column::TenantId.eq(self.tenant))
            .add(Column::Subject.eq(self.remote.as_str()))
            .add(Column::Operation.like(self.operations))
    }
}

impl Filter {
    /// The records about the tenant of the scope and all below it that match, newest first.
    pub(super) fn select(&self, scope: &TenantScope) -> Select<Entity> {
        let mut all = Condition::all();
        all = all
            .add_option(self.operation.as_deref().map(|operation| Column::Operation.eq(operation)));
        all = all.add_option(self.actor.as_deref().map(|actor| Column::Actor.eq(actor)));
        all = all.add_option(self.subject.as_deref().map(|subject| Column::Subject.eq(subject)));
        all = all.add_option(self.legacy_object.as_ref().map(LegacyObject::condition));
        all = all.add_option(self.request_id.as_deref().map(of_request));
        all = all.add_option(self.outcome.map(|outcome| Column::Outcome.eq(outcome.as_str())));
        all = all.add_option(self.from.map(|from| Column::At.gte(from)));
        all = all.add_option(self.to.map(|to| Column::At.lt(to)));
        Entity::of_tenant(scope).filter(all)
    }
}

fn of_request(id: &str) -> Condition {
    Condition::any().add(Column::RequestId.eq(id)).add(Column::CallerRequestId.eq(id))
}
