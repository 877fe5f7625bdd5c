//! The table of the audit log. Records are added, read and in the end pruned, never changed.

use std::ops::Range;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{DatabaseBackend, Order, QueryOrder, QuerySelect, Statement};

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
    /// The client's UUID, `operator`, or the `client_id` of a failed authentication.
    pub actor: String,
    /// The tenant that the actor belongs to, where known.
    pub acting_tenant_id: Option<TenantId>,
    /// The tenant acted upon.
    pub tenant_id: TenantId,
    pub operation: String,
    /// The id of the object acted upon.
    pub subject: Option<String>,
    /// `SUCCEEDED`, `REFUSED`, `BEGUN` or `UNKNOWN`.
    pub outcome: String,
    /// The error code of a refusal.
    pub code: Option<String>,
    /// The reason that is not shown to the caller.
    pub reason: Option<String>,
    /// The gateway's own request id.
    pub request_id: String,
    pub caller_request_id: Option<String>,
    /// How many occurrences the record stands for.
    pub count: i64,
    /// JSON list.
    pub upstream_request_ids: Option<String>,
    /// JSON.
    pub before: Option<String>,
    /// JSON.
    pub after: Option<String>,
    /// The position in the chain of the tenant, from 1; absent from records of before chains.
    pub position: Option<i64>,
    /// The hash of the record before; that of none is 64 zeros.
    pub previous_hash: Option<String>,
    /// SHA-256 in hexadecimal digits.
    pub hash: Option<String>,
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

    /// The records in the chain of a tenant, in no order: for writing and pruning them.
    pub fn of_chain(tenant: TenantId) -> Select<Self> {
        Self::find().filter(Column::TenantId.eq(tenant)).filter(Column::Position.is_not_null())
    }

    /// The records in the chain of the scope's own tenant, without those below it, in no order.
    pub fn chained(scope: &TenantScope) -> Select<Self> {
        Self::of_chain(scope.tenant())
    }

    /// The records about the scope's own tenant that are in no chain.
    pub fn unchained(scope: &TenantScope) -> Select<Self> {
        Self::find().filter(Column::TenantId.eq(scope.tenant())).filter(Column::Position.is_null())
    }

    /// The records of the first tenant with any behind that one, in the order of ids: for the
    /// operator alone.
    pub fn behind(tenant: Option<TenantId>) -> Select<Self> {
        let records = Self::find().order_by_asc(Column::TenantId);
        match tenant {
            Some(tenant) => records.filter(Column::TenantId.gt(tenant)),
            None => records,
        }
    }

    /// The records of all tenants in a period that were added after another, oldest first: for the
    /// operator alone.
    pub fn in_period(period: &Range<Timestamp>, after: i64) -> Select<Self> {
        Self::find()
            .filter(Column::Seq.gt(after))
            .filter(Column::At.gte(period.start))
            .filter(Column::At.lt(period.end))
            .order_by_asc(Column::Seq)
    }
}

/// Only one transaction over all nodes gets this lock; the number means nothing else.
const PRUNING_LOCK: i64 = 0x6175_6469_7401;

/// Whether this transaction is the only one that prunes.
pub async fn may_prune(on: &impl ConnectionTrait) -> Result<bool, DbErr> {
    if on.get_database_backend() == DatabaseBackend::Sqlite {
        return Ok(true);
    }
    let sql = format!("SELECT pg_try_advisory_xact_lock({PRUNING_LOCK}) AS held");
    let held = on.query_one_raw(Statement::from_string(DatabaseBackend::Postgres, sql)).await?;
    held.map_or(Ok(false), |row| row.try_get("", "held"))
}

/// Deletes at most that many of the oldest records that are in no chain, from before that moment.
/// Returns how many.
pub async fn prune_unchained(
    on: &impl ConnectionTrait,
    before: Timestamp,
    most: u64,
) -> Result<u64, DbErr> {
    let oldest = Query::select()
        .column(Column::Seq)
        .from(Entity)
        .and_where(Column::Position.is_null())
        .and_where(Column::At.lt(before))
        .order_by(Column::At, Order::Asc)
        .limit(most)
        .to_owned();
    let pruned = Entity::delete_many().filter(Column::Seq.in_subquery(oldest)).exec(on).await?;
    Ok(pruned.rows_affected)
}

/// At most that many tenants with a chain that begins with a record from before that moment; the
/// oldest first.
pub async fn prunable(
    on: &impl ConnectionTrait,
    before: Timestamp,
    most: u64,
) -> Result<Vec<TenantId>, DbErr> {
    let earlier = Alias::new("earlier");
    let first_of_chain = Query::select()
        .expr(Expr::val(1))
        .from_as(Entity, earlier.clone())
        .and_where(
            Expr::col((earlier.clone(), Column::TenantId)).equals((Entity, Column::TenantId)),
        )
        .and_where(Expr::col((earlier, Column::Position)).lt(Expr::col((Entity, Column::Position))))
        .to_owned();
    Entity::find()
        .select_only()
        .column(Column::TenantId)
        .filter(Column::Position.is_not_null())
        .filter(Column::At.lt(before))
        .filter(Expr::exists(first_of_chain).not())
        .order_by_asc(Column::At)
        .limit(most)
        .into_tuple()
        .all(on)
        .await
}

/// Deletes the records of a tenant's chain up to that position.
pub async fn prune_prefix(
    on: &impl ConnectionTrait,
    tenant: TenantId,
    position: i64,
) -> Result<u64, DbErr> {
    let prefix = Entity::delete_many()
        .filter(Column::TenantId.eq(tenant))
        .filter(Column::Position.lte(position));
    Ok(prefix.exec(on).await?.rows_affected)
}

/// The position of the last record in a tenant's chain; 0 without one.
pub async fn last_position(on: &impl ConnectionTrait, tenant: TenantId) -> Result<i64, DbErr> {
    let last: Option<i64> = Entity::of_chain(tenant)
        .select_only()
        .column(Column::Position)
        .order_by_desc(Column::Position)
        .into_tuple()
        .one(on)
        .await?;
    Ok(last.unwrap_or(0))
}

/// The `seq` of the first record in a tenant's chain.
pub async fn first_seq(on: &impl ConnectionTrait, tenant: TenantId) -> Result<Option<i64>, DbErr> {
    Entity::of_chain(tenant)
        .select_only()
        .column(Column::Seq)
        .order_by_asc(Column::Position)
        .into_tuple()
        .one(on)
        .await
}
