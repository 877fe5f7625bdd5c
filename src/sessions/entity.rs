//! The table of sessions.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{Condition, FromQueryResult, QueryOrder, QuerySelect, Statement};

use super::model::SessionState;
use crate::clock::Timestamp;
use crate::ids::{SessionId, TenantId, UserId};
use crate::secret::SecretHash;

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    pub cookie_hash: SecretHash,
    pub user_id: UserId,
    /// The token generation of the person when it began: a newer one ends it.
    pub generation: i64,
    pub state: String,
    pub may_enrol: bool,
    pub authenticated_at: Timestamp,
    /// Separated by spaces.
    pub methods: String,
    pub address: String,
    pub user_agent: String,
    pub wrong_codes: i64,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The moments before which a session is over.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Last seen no later: idle for too long.
    pub seen: Timestamp,
    /// Begun no later: too old.
    pub begun: Timestamp,
    /// Begun no later without the second factor: abandoned.
    pub pending_begun: Timestamp,
}

impl Bounds {
    fn live(self) -> Condition {
        let pending = Condition::any()
            .add(Column::State.eq(SessionState::Active.as_str()))
            .add(Column::CreatedAt.gt(self.pending_begun));
        Condition::all()
            .add(Column::LastSeenAt.gt(self.seen))
            .add(Column::CreatedAt.gt(self.begun))
            .add(pending)
    }
}

impl Entity {
    /// The live sessions of a person whose token generation this is, the last used first.
    pub fn of_user(user: UserId, generation: i64, bounds: Bounds) -> Select<Self> {
        let of_user = Self::find()
            .filter(Column::UserId.eq(user))
            .filter(Column::Generation.eq(generation))
            .filter(bounds.live());
        of_user.order_by_desc(Column::LastSeenAt).order_by_asc(Column::Id)
    }
}

/// A session with the columns that decide whether it is live.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Found {
    #[sea_orm(nested)]
    pub session: SessionRow,
    pub tenant_id: TenantId,
    pub email: String,
}

/// The columns of a session that are read with its cookie.
#[derive(Clone, Debug, FromQueryResult)]
pub struct SessionRow {
    pub id: SessionId,
    pub user_id: UserId,
    pub generation: i64,
    pub state: String,
    pub may_enrol: bool,
    pub authenticated_at: Timestamp,
    pub methods: String,
    pub address: String,
    pub user_agent: String,
    pub wrong_codes: i64,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
}

/// The session of that cookie, if its user, the user's tenant and all tenants above are enabled, and
/// the user's tokens were not ended since it began.
pub async fn find(
    on: &impl ConnectionTrait,
    cookie: &SecretHash,
    bounds: Bounds,
) -> Result<Option<Found>, DbErr> {
    let sql = "SELECT s.id, s.user_id, s.generation, s.state, s.may_enrol, s.authenticated_at,
            s.methods, s.address, s.user_agent, s.wrong_codes, s.created_at, s.last_seen_at,
            u.tenant_id, u.email
        FROM sessions s JOIN users u ON u.id = s.user_id
        WHERE s.cookie_hash = $1 AND s.last_seen_at > $2 AND s.created_at > $3
        AND (s.state = 'ACTIVE' OR s.created_at > $4)
        AND u.enabled AND u.token_generation = s.generation
        AND NOT EXISTS (
            SELECT 1 FROM tenant_ancestors a JOIN tenants t ON t.id = a.ancestor_id
            WHERE a.tenant_id = u.tenant_id AND NOT t.enabled
        )";
    let values = [
        cookie.clone().into(),
        bounds.seen.into(),
        bounds.begun.into(),
        bounds.pending_begun.into(),
    ];
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    Found::find_by_statement(statement).one(on).await
}

/// The token generation of an enabled person.
pub async fn generation(on: &impl ConnectionTrait, user: UserId) -> Result<Option<i64>, DbErr> {
    let sql = "SELECT token_generation FROM users WHERE id = $1 AND enabled";
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, [user.into()]);
    let row = on.query_one_raw(statement).await?;
    row.map(|row| row.try_get("", "token_generation")).transpose()
}

/// Gives a session whose second factor was outstanding another cookie and makes it active. Returns
/// whether it was still outstanding.
pub async fn complete(on: &impl ConnectionTrait, completed: Completed) -> Result<bool, DbErr> {
    let update = Entity::update_many()
        .col_expr(Column::CookieHash, Expr::value(completed.cookie))
        .col_expr(Column::State, Expr::value(SessionState::Active.as_str()))
        .col_expr(Column::MayEnrol, Expr::value(false))
        .col_expr(Column::Methods, Expr::value(completed.methods))
        .col_expr(Column::AuthenticatedAt, Expr::value(completed.at))
        .col_expr(Column::LastSeenAt, Expr::value(completed.at))
        .filter(Column::Id.eq(completed.id))
        .filter(Column::State.eq(SessionState::Mfa.as_str()));
    Ok(update.exec(on).await?.rows_affected == 1)
}

/// A session that its second factor completes.
pub struct Completed {
    pub id: SessionId,
    pub cookie: SecretHash,
    pub methods: String,
    pub at: Timestamp,
}

/// Notes that a session is used.
pub async fn touch(on: &impl ConnectionTrait, id: SessionId, at: Timestamp) -> Result<(), DbErr> {
    let update = Entity::update_many().col_expr(Column::LastSeenAt, Expr::value(at));
    let update = update.filter(Column::Id.eq(id)).filter(Column::LastSeenAt.lt(at));
    update.exec(on).await.map(drop)
}

/// Counts a wrong device code.
pub async fn count_wrong_code(on: &impl ConnectionTrait, id: SessionId) -> Result<(), DbErr> {
    let more = Expr::col(Column::WrongCodes).add(1);
    let update = Entity::update_many().col_expr(Column::WrongCodes, more);
    update.filter(Column::Id.eq(id)).exec(on).await.map(drop)
}

/// Deletes a session of that person. Returns whether there was one.
pub async fn delete(on: &impl ConnectionTrait, user: UserId, id: SessionId) -> Result<bool, DbErr> {
    let deleted = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::UserId.eq(user));
    Ok(deleted.exec(on).await?.rows_affected == 1)
}

/// Deletes all but the last used sessions of a person in that state.
pub async fn delete_surplus(
    on: &impl ConnectionTrait,
    user: UserId,
    state: SessionState,
    kept: u64,
) -> Result<(), DbErr> {
    let ids = Entity::find().select_only().column(Column::Id);
    let ids = ids.filter(Column::UserId.eq(user)).filter(Column::State.eq(state.as_str()));
    let ids = ids.order_by_desc(Column::LastSeenAt).order_by_desc(Column::CreatedAt);
    let ids: Vec<SessionId> = ids.into_tuple().all(on).await?;
    let kept = usize::try_from(kept).unwrap_or(usize::MAX);
    let Some(surplus) = ids.get(kept..).filter(|surplus| !surplus.is_empty()) else {
        return Ok(());
    };
    let surplus = Entity::delete_many().filter(Column::Id.is_in(surplus.iter().copied()));
    surplus.exec(on).await.map(drop)
}

/// Deletes sessions that are over.
pub async fn delete_expired(on: &impl ConnectionTrait, bounds: Bounds) -> Result<(), DbErr> {
    Entity::delete_many().filter(bounds.live().not()).exec(on).await.map(drop)
}
