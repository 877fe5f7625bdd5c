//! The table of the audit log. Records are added, read and in the end pruned, never changed.

use std::ops::Range;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SimpleExpr};
use sea_orm::{
    DatabaseBackend, FromQueryResult, Order, QueryOrder, QuerySelect, QueryTrait, Statement,
};

use super::chain;
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
    /// The position in the chain of the tenant, from 1; none if the record was written before the
    /// gateway chained records.
    pub position: Option<i64>,
    /// The hash of the record before it in the chain; 64 zeros for the first record.
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

    /// The records of all tenants in a period that are in no chain, or those added after another,
    /// oldest first: for the operator alone.
    pub fn unchained_in_period(period: &Range<Timestamp>, after: Option<i64>) -> Select<Self> {
        in_period(Self::find(), period)
            .filter(Column::Position.is_null())
            .apply_if(after, |records, after| records.filter(Column::Seq.gt(after)))
            .order_by_asc(Column::Seq)
    }

    /// The records of a part of a chain behind that position, or from its first one, in their order:
    /// for the operator alone.
    pub fn of_part(part: &ChainPart, behind: Option<i64>) -> Select<Self> {
        Self::of_chain(part.tenant_id)
            .filter(Column::Position.gte(part.first))
            .filter(Column::Position.lte(part.last))
            .apply_if(behind, |records, behind| records.filter(Column::Position.gt(behind)))
            .order_by_asc(Column::Position)
    }
}

fn in_period(records: Select<Entity>, period: &Range<Timestamp>) -> Select<Entity> {
    records.filter(Column::At.gte(period.start)).filter(Column::At.lt(period.end))
}

/// The part of a tenant's chain from the first to the last record of a period. It may hold records
/// of shortly before or after the period: a failed authentication is written up to a second after it
/// happened, and the clocks of two nodes differ.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub struct ChainPart {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The first position.
    pub first: i64,
    /// The last position.
    pub last: i64,
}

/// The parts of all chains in a period, in the order of the tenants' ids: for the operator alone.
pub async fn parts_in_period(
    on: &impl ConnectionTrait,
    period: &Range<Timestamp>,
) -> Result<Vec<ChainPart>, DbErr> {
    in_period(Entity::find(), period)
        .filter(Column::Position.is_not_null())
        .select_only()
        .column(Column::TenantId)
        .column_as(Column::Position.min(), "first")
        .column_as(Column::Position.max(), "last")
        .group_by(Column::TenantId)
        .order_by_asc(Column::TenantId)
        .into_model()
        .all(on)
        .await
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

/// At most that many tenants with a chain whose first record is from before that moment, not counting
/// those of the future, which a wrong clock wrote; the oldest first.
pub async fn prunable(
    on: &impl ConnectionTrait,
    before: Timestamp,
    now: Timestamp,
    most: u64,
) -> Result<Vec<TenantId>, DbErr> {
    // Along the positions, so that only records of the future are passed over.
    let first = Query::select()
        .column(Column::At)
        .from(Entity)
        .and_where(
            Expr::col((Entity, Column::TenantId)).equals((chain::Entity, chain::Column::TenantId)),
        )
        .and_where(Column::Position.is_not_null())
        .and_where(Column::At.lte(now))
        .order_by(Column::Position, Order::Asc)
        .limit(1)
        .to_owned();
    let chains = Query::select()
        .column(chain::Column::TenantId)
        .expr_as(SimpleExpr::SubQuery(None, Box::new(first.into())), "first_at")
        .from(chain::Entity)
        .to_owned();
    let tenants = Query::select()
        .column("tenant_id")
        .from_subquery(chains, "chains")
        .and_where(Expr::col("first_at").lt(before))
        .order_by("first_at", Order::Asc)
        .limit(most)
        .to_owned();
    let rows = on.query_all(&tenants).await?;
    rows.iter().map(|row| row.try_get("", "tenant_id")).collect()
}

/// A record at the beginning of a chain, as far as pruning needs it: not the states that it holds.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Link {
    /// When the record was written.
    pub at: Timestamp,
    /// The position.
    pub position: i64,
    /// The hash of the record before it.
    pub previous_hash: Option<String>,
    /// The hash.
    pub hash: Option<String>,
}

/// The first records of a tenant's chain, at most that many.
pub async fn first_links(
    on: &impl ConnectionTrait,
    tenant: TenantId,
    most: u64,
) -> Result<Vec<Link>, DbErr> {
    Entity::of_chain(tenant)
        .select_only()
        .columns([Column::At, Column::Position, Column::PreviousHash, Column::Hash])
        .order_by_asc(Column::Position)
        .limit(most)
        .into_model()
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
