//! The table of the audit log. Records are added and read, never changed.

use sea_orm::QueryOrder;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, Query};

use crate::auth::TenantScope;
use crate::clock::Timestamp;
use crate::ids::{AuditId, TenantId};

/// A record.
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "audit_log")]
pub struct Model {
    /// The order in which records were added.
    #[sea_orm(primary_key)]
    pub seq: i64,
    pub id: AuditId,
    pub at: Timestamp,
    /// The client's UUID, `operator`, or the `client_id` that somebody claimed in vain.
    pub actor: String,
    /// The tenant that the actor belongs to, where known.
    pub acting_tenant_id: Option<TenantId>,
    /// The tenant acted upon.
    pub tenant_id: TenantId,
    pub operation: String,
    /// The id of the object acted upon.
    pub subject: Option<String>,
    /// `SUCCEEDED`, `REFUSED` or `BEGUN`.
    pub outcome: String,
    /// The error code of a refusal.
    pub code: Option<String>,
    /// What the caller was not told.
    pub reason: Option<String>,
    pub request_id: String,
    /// JSON list.
    pub upstream_request_ids: Option<String>,
    /// JSON.
    pub before: Option<String>,
    /// JSON.
    pub after: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The records about the tenant of the scope and all below it, newest first.
    pub fn of_tenant(scope: &TenantScope) -> Select<Self> {
        let below = Query::select()
            .column("tenant_id")
            .from("tenant_ancestors")
            .and_where(Expr::col("ancestor_id").eq(scope.tenant()))
            .to_owned();
        Self::find().filter(Column::TenantId.in_subquery(below)).order_by_desc(Column::Seq)
    }
}
