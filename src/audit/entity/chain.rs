//! The table of chains: the newest record of each tenant's chain, and its anchor.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{FromQueryResult, IntoActiveModel, QueryOrder, QueryTrait};

use crate::auth::TenantScope;
use crate::clock::Timestamp;
use crate::ids::TenantId;

/// Takes the place of the hash before the first record.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Chains in one statement.
const AT_ONCE: usize = 100;

/// A chain of the records about one tenant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_chains")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    /// The position of the newest record; 0 before the first.
    pub position: i64,
    /// The hash of the newest record.
    pub hash: String,
    /// The position of the newest record that was pruned; 0 if none was.
    pub anchor_position: i64,
    /// The hash of the newest record that was pruned.
    pub anchor_hash: String,
    /// When records were last pruned.
    pub anchor_moved_at: Option<Timestamp>,
    /// The `seq` of the first record: unchained records after it were not written by this version.
    pub first_seq: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The chain of a tenant before its first record.
    pub fn empty(tenant: TenantId) -> Self {
        Self {
            tenant_id: tenant,
            position: 0,
            hash: GENESIS.to_owned(),
            anchor_position: 0,
            anchor_hash: GENESIS.to_owned(),
            anchor_moved_at: None,
            first_seq: None,
        }
    }
}

impl Entity {
    /// The chain of the scope's own tenant, without those below it.
    pub fn of_tenant(scope: &TenantScope) -> Select<Self> {
        Self::find().filter(Column::TenantId.eq(scope.tenant()))
    }

    /// The first chain of a tenant behind that one, in the order of ids: for the operator alone.
    pub fn behind(tenant: Option<TenantId>) -> Select<Self> {
        let chains = Self::find().order_by_asc(Column::TenantId);
        match tenant {
            Some(tenant) => chains.filter(Column::TenantId.gt(tenant)),
            None => chains,
        }
    }
}

/// Locks the chains of these tenants until the transaction ends, and returns them; missing ones are
/// made. Always in the order of ids, so that no two transactions wait for each other.
///
/// # Errors
/// If the database refuses.
pub async fn lock(
    on: &impl ConnectionTrait,
    tenants: BTreeSet<TenantId>,
) -> Result<BTreeMap<TenantId, Model>, DbErr> {
    let tenants: Vec<_> = tenants.into_iter().collect();
    let mut locked = BTreeMap::new();
    for part in tenants.chunks(AT_ONCE) {
        let empty = part.iter().map(|tenant| Model::empty(*tenant).into_active_model());
        // An update that changes nothing locks the row and returns it, in one statement on both
        // databases.
        let same = Expr::col((Entity, Column::Position));
        let keep = OnConflict::column(Column::TenantId).value(Column::Position, same).to_owned();
        let mut insert = Entity::insert_many(empty).on_conflict(keep).into_query();
        insert.returning_all();
        for row in on.query_all(&insert).await? {
            let chain = Model::from_query_result(&row, "")?;
            locked.insert(chain.tenant_id, chain);
        }
    }
    Ok(locked)
}

/// Stores the heads of locked chains.
///
/// # Errors
/// If the database refuses.
pub async fn store_heads(on: &impl ConnectionTrait, chains: Vec<Model>) -> Result<(), DbErr> {
    store(on, chains, [Column::Position, Column::Hash, Column::FirstSeq]).await
}

/// Stores the anchors of locked chains.
///
/// # Errors
/// If the database refuses.
pub async fn store_anchors(on: &impl ConnectionTrait, chains: Vec<Model>) -> Result<(), DbErr> {
    store(on, chains, [Column::AnchorPosition, Column::AnchorHash, Column::AnchorMovedAt]).await
}

async fn store(
    on: &impl ConnectionTrait,
    chains: Vec<Model>,
    columns: [Column; 3],
) -> Result<(), DbErr> {
    for part in chains.chunks(AT_ONCE) {
        let rows = part.iter().map(|chain| chain.clone().into_active_model());
        let replace = OnConflict::column(Column::TenantId).update_columns(columns).to_owned();
        Entity::insert_many(rows).on_conflict(replace).exec_without_returning(on).await?;
    }
    Ok(())
}
