//! Reads and writes of client tables for the policy on the age of secrets.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, FromQueryResult, Statement};

use crate::clock::Timestamp;
use crate::ids::{ClientId, RoleId, TenantId};

/// A role that a client holds and that has not ended.
#[derive(Clone, Debug, FromQueryResult)]
pub struct LiveRole {
    /// The client that holds a role.
    pub client_id: ClientId,
    /// The tenant in which it holds the role.
    pub tenant_id: TenantId,
    /// The role.
    pub role_id: RoleId,
    /// When the assignment expires.
    pub expires_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Concerned {
    id: ClientId,
}

/// Some clients at or below the tenant with a secret that may become older than that many
/// milliseconds: those next behind `after`, by id. They are locked, in that order.
pub async fn clients_with_older_secrets(
    on: &impl ConnectionTrait,
    tenant: TenantId,
    millis: i64,
    after: ClientId,
    count: i64,
) -> Result<Vec<ClientId>, DbErr> {
    let backend = on.get_database_backend();
    let lock = if backend == DatabaseBackend::Sqlite { "" } else { "FOR NO KEY UPDATE OF c" };
    let sql = format!(
        "SELECT c.id FROM clients c JOIN tenant_ancestors a ON a.tenant_id = c.tenant_id
        WHERE a.ancestor_id = $1 AND c.id > $2 AND EXISTS (
            SELECT 1 FROM client_secrets s
            WHERE s.client_id = c.id AND (s.expires_at IS NULL OR s.expires_at > s.created_at + $3)
        )
        ORDER BY c.id LIMIT $4 {lock}"
    );
    let values = [tenant.into(), after.into(), millis.into(), count.into()];
    let statement = Statement::from_sql_and_values(backend, sql, values);
    let found = Concerned::find_by_statement(statement).all(on).await?;
    Ok(found.into_iter().map(|client| client.id).collect())
}

/// The roles of these clients that have not ended.
pub async fn live_roles(
    on: &impl ConnectionTrait,
    clients: &[ClientId],
    now: Timestamp,
) -> Result<Vec<LiveRole>, DbErr> {
    let expires_at = || Expr::col(Alias::new("expires_at"));
    let select = Query::select()
        .columns(["client_id", "tenant_id", "role_id", "expires_at"].map(Alias::new))
        .from(Alias::new("role_assignments"))
        .and_where(Expr::col(Alias::new("client_id")).is_in(clients.iter().copied()))
        .and_where(expires_at().is_null().or(expires_at().gt(now)))
        .to_owned();
    LiveRole::find_by_statement(on.get_database_backend().build(&select)).all(on).await
}

/// Ends the secrets of these clients at that age, unless they end before.
pub async fn end_older_secrets(
    on: &impl ConnectionTrait,
    clients: &[ClientId],
    millis: i64,
) -> Result<(), DbErr> {
    let expires_at = || Expr::col(Alias::new("expires_at"));
    let end = || Expr::col(Alias::new("created_at")).add(millis);
    let update = Query::update()
        .table(Alias::new("client_secrets"))
        .value(Alias::new("expires_at"), end())
        .and_where(Expr::col(Alias::new("client_id")).is_in(clients.iter().copied()))
        .and_where(expires_at().is_null().or(expires_at().gt(end())))
        .to_owned();
    on.execute_raw(on.get_database_backend().build(&update)).await?;
    Ok(())
}
