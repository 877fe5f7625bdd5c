//! The table of device codes.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{Condition, QueryOrder, QuerySelect, Statement};

use crate::clock::Timestamp;
use crate::ids::{DeviceCodeId, TenantId, UserId};
use crate::secret::SecretHash;
use crate::source_networks::SourceNetwork;

/// The states of a code.
pub mod status {
    /// Nobody has decided.
    pub const PENDING: &str = "PENDING";
    /// A person has approved.
    pub const APPROVED: &str = "APPROVED";
    /// A person has denied.
    pub const DENIED: &str = "DENIED";
    /// The token was given out.
    pub const USED: &str = "USED";
}

/// A code.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "device_codes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DeviceCodeId,
    pub device_code_hash: SecretHash,
    pub user_code_hash: SecretHash,
    pub program: String,
    /// As requested by the program: the tenant may not exist.
    pub tenant_id: Option<TenantId>,
    pub scope: String,
    pub address: String,
    /// The IPv4 address or the IPv6 /64.
    pub network: String,
    /// The address as bytes that sort by network; absent in rows of older versions.
    pub address_key: Option<Vec<u8>>,
    pub user_agent: String,
    pub status: String,
    /// In milliseconds.
    pub poll_interval: i64,
    pub last_polled_at: Option<Timestamp>,
    pub user_id: Option<UserId>,
    pub generation: Option<i64>,
    pub authenticated_at: Option<Timestamp>,
    /// Separated by spaces.
    pub methods: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The code that a program holds.
    pub fn of_device(hash: &SecretHash) -> Select<Self> {
        Self::find().filter(Column::DeviceCodeHash.eq(hash.clone()))
    }

    /// The undecided code that a person has entered.
    pub fn of_user_code(hash: &SecretHash, now: Timestamp) -> Select<Self> {
        let entered = Self::find().filter(Column::UserCodeHash.eq(hash.clone()));
        entered.filter(is_open(now))
    }

    /// The undecided codes of a network.
    pub fn of_network(network: &str, now: Timestamp) -> Select<Self> {
        Self::find().filter(Column::Network.eq(network)).filter(is_open(now))
    }

    /// The undecided codes of a network of any width.
    pub fn within(network: SourceNetwork, now: Timestamp) -> Select<Self> {
        let [first, last] = network.range();
        Self::find()
            .filter(Column::AddressKey.gte(first))
            .filter(Column::AddressKey.lte(last))
            .filter(is_open(now))
    }

    /// The undecided codes that name a tenant, whether or not there is one.
    pub fn naming(tenant: TenantId, now: Timestamp) -> Select<Self> {
        Self::find().filter(Column::TenantId.eq(tenant)).filter(is_open(now))
    }

    /// All undecided codes.
    pub fn open(now: Timestamp) -> Select<Self> {
        Self::find().filter(is_open(now))
    }
}

fn is_open(now: Timestamp) -> Condition {
    Condition::all().add(Column::Status.eq(status::PENDING)).add(Column::ExpiresAt.gt(now))
}

/// The codes among these that are decided, over or gone.
pub async fn settled(
    on: &impl ConnectionTrait,
    among: &[DeviceCodeId],
    now: Timestamp,
) -> Result<Vec<DeviceCodeId>, DbErr> {
    let open = Entity::find().select_only().column(Column::Id).filter(is_open(now));
    let open = open.filter(Column::Id.is_in(among.iter().copied()));
    let open: Vec<DeviceCodeId> = open.into_tuple().all(on).await?;
    Ok(among.iter().copied().filter(|id| !open.contains(id)).collect())
}

/// The network that has most of these codes, and their number; of several, the one with the oldest
/// code.
pub async fn greediest(
    on: &impl ConnectionTrait,
    among: Select<Entity>,
) -> Result<Option<(String, i64)>, DbErr> {
    let codes = Expr::col(Column::Id).count();
    let by_network = among.select_only().column(Column::Network).column_as(codes.clone(), "codes");
    let by_network = by_network.group_by(Column::Network).order_by_desc(codes);
    let by_network = by_network.order_by_asc(Expr::col(Column::CreatedAt).min());
    by_network.order_by_asc(Column::Network).limit(1).into_tuple().one(on).await
}

/// The oldest of these codes.
pub async fn oldest(
    on: &impl ConnectionTrait,
    among: Select<Entity>,
) -> Result<Option<DeviceCodeId>, DbErr> {
    let ids = among.select_only().column(Column::Id);
    let ids = ids.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
    ids.limit(1).into_tuple().one(on).await
}

/// Deletes a code unless it was decided meanwhile: then it is not open, and there is room.
pub async fn delete_undecided(on: &impl ConnectionTrait, id: DeviceCodeId) -> Result<(), DbErr> {
    let undecided = Column::Status.eq(status::PENDING);
    Entity::delete_by_id(id).filter(undecided).exec(on).await.map(drop)
}

/// Moves a code from one state to another. Returns whether it was in the first one and not over.
pub async fn advance(
    on: &impl ConnectionTrait,
    id: DeviceCodeId,
    from: &str,
    to: &str,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let update = Entity::update_many().col_expr(Column::Status, Expr::value(to));
    let update = update
        .filter(Column::Id.eq(id))
        .filter(Column::Status.eq(from))
        .filter(Column::ExpiresAt.gt(now));
    Ok(update.exec(on).await?.rows_affected == 1)
}

/// The approval of a code.
pub struct Signature {
    pub user: UserId,
    pub generation: i64,
    pub authenticated_at: Timestamp,
    pub methods: String,
}

/// Records the approval of a code.
pub async fn sign(
    on: &impl ConnectionTrait,
    id: DeviceCodeId,
    signature: Signature,
) -> Result<(), DbErr> {
    let update = Entity::update_many()
        .col_expr(Column::UserId, Expr::value(signature.user))
        .col_expr(Column::Generation, Expr::value(signature.generation))
        .col_expr(Column::AuthenticatedAt, Expr::value(signature.authenticated_at))
        .col_expr(Column::Methods, Expr::value(signature.methods));
    update.filter(Column::Id.eq(id)).exec(on).await.map(drop)
}

/// Notes a poll, and how long the program has to wait until the next one.
pub async fn note_poll(
    on: &impl ConnectionTrait,
    id: DeviceCodeId,
    at: Timestamp,
    interval: i64,
) -> Result<(), DbErr> {
    let update = Entity::update_many()
        .col_expr(Column::LastPolledAt, Expr::value(at))
        .col_expr(Column::PollInterval, Expr::value(interval));
    update.filter(Column::Id.eq(id)).exec(on).await.map(drop)
}

/// Deletes codes that ended before that moment.
pub async fn delete_expired(on: &impl ConnectionTrait, before: Timestamp) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::ExpiresAt.lt(before)).exec(on).await.map(drop)
}

/// The tenant of an enabled person of that token generation.
pub async fn home_of(
    on: &impl ConnectionTrait,
    user: UserId,
    generation: i64,
) -> Result<Option<TenantId>, DbErr> {
    let sql = "SELECT tenant_id FROM users WHERE id = $1 AND token_generation = $2 AND enabled";
    let values = [user.into(), generation.into()];
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    let row = on.query_one_raw(statement).await?;
    row.map(|row| row.try_get("", "tenant_id")).transpose()
}
