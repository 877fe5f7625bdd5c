//! Queries of the authorizer over clients, tenants and role assignments.

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement, Value};

use crate::clock::Timestamp;
use crate::ids::{ClientId, RoleId, TenantId};

/// The state of a client that decides whether its tokens work.
#[derive(Clone, Debug, FromQueryResult)]
pub struct ClientState {
    /// The tenant that the client belongs to.
    pub home: TenantId,
    /// Whether the client is enabled, and its tenant and all above it are.
    pub live: bool,
    /// Tokens of an older generation are refused.
    pub token_generation: i64,
}

/// A role that a client holds in a tenant or above it; it may have expired.
#[derive(Clone, Debug, FromQueryResult)]
pub struct GrantRow {
    /// The role.
    pub role_id: RoleId,
    /// The tenant that the role is held in.
    pub via: TenantId,
    /// When the role ends.
    pub expires_at: Option<Timestamp>,
}

/// The client, if it exists.
pub async fn client(
    on: &impl ConnectionTrait,
    client: ClientId,
) -> Result<Option<ClientState>, DbErr> {
    let sql = "SELECT c.tenant_id AS home, c.token_generation,
            c.enabled AND NOT EXISTS (
                SELECT 1 FROM tenant_ancestors a JOIN tenants t ON t.id = a.ancestor_id
                WHERE a.tenant_id = c.tenant_id AND NOT t.enabled
            ) AS live
        FROM clients c WHERE c.id = $1";
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, [client.into()]);
    ClientState::find_by_statement(statement).one(on).await
}

/// Returns the roles that apply in the tenant: none if it does not exist, is not at or below the
/// other, or if it or a tenant above it is disabled.
pub async fn held(
    on: &impl ConnectionTrait,
    client: ClientId,
    tenant: TenantId,
    below: TenantId,
) -> Result<Vec<GrantRow>, DbErr> {
    let sql = "SELECT r.role_id, r.tenant_id AS via, r.expires_at
        FROM role_assignments r
        JOIN tenant_ancestors a ON a.ancestor_id = r.tenant_id AND a.tenant_id = $2
        WHERE r.client_id = $1 AND EXISTS (
            SELECT 1 FROM tenant_ancestors n WHERE n.tenant_id = $2 AND n.ancestor_id = $3
        ) AND NOT EXISTS (
            SELECT 1 FROM tenant_ancestors b JOIN tenants t ON t.id = b.ancestor_id
            WHERE b.tenant_id = $2 AND NOT t.enabled
        )
        ORDER BY a.distance, r.role_id";
    let values = [client.into(), tenant.into(), below.into()];
    GrantRow::find_by_statement(Statement::from_sql_and_values(
        on.get_database_backend(),
        sql,
        values,
    ))
    .all(on)
    .await
}

/// A role that reaches into one of several tenants.
#[derive(Clone, Debug, FromQueryResult)]
pub struct TenantGrantRow {
    /// The tenant that it reaches into.
    pub tenant_id: TenantId,
    /// The role.
    #[sea_orm(nested)]
    pub held: GrantRow,
}

/// As [`held`], for many tenants; `below` is the tenant at or below which each must stand, if there
/// is one.
pub async fn held_in_each(
    on: &impl ConnectionTrait,
    client: ClientId,
    tenants: &[TenantId],
    below: Option<TenantId>,
) -> Result<Vec<TenantGrantRow>, DbErr> {
    if tenants.is_empty() {
        return Ok(Vec::new());
    }
    let mut values: Vec<Value> = vec![client.into()];
    values.extend(tenants.iter().map(|tenant| Value::from(*tenant)));
    let among: Vec<_> = (2..=values.len()).map(|number| format!("${number}")).collect();
    let among = among.join(", ");
    let is_below = below.map_or_else(String::new, |below| {
        values.push(below.into());
        let number = values.len();
        format!(
            "AND EXISTS (
                SELECT 1 FROM tenant_ancestors n
                WHERE n.tenant_id = a.tenant_id AND n.ancestor_id = ${number}
            )"
        )
    });
    let sql = format!(
        "SELECT a.tenant_id, r.role_id, r.tenant_id AS via, r.expires_at
        FROM role_assignments r
        JOIN tenant_ancestors a ON a.ancestor_id = r.tenant_id
        WHERE r.client_id = $1 AND a.tenant_id IN ({among}) {is_below} AND NOT EXISTS (
            SELECT 1 FROM tenant_ancestors b JOIN tenants t ON t.id = b.ancestor_id
            WHERE b.tenant_id = a.tenant_id AND NOT t.enabled
        )
        ORDER BY a.distance, r.role_id"
    );
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    TenantGrantRow::find_by_statement(statement).all(on).await
}

/// Returns the roles of the client in all enabled tenants.
pub async fn held_anywhere(
    on: &impl ConnectionTrait,
    client: ClientId,
) -> Result<Vec<GrantRow>, DbErr> {
    let sql = "SELECT r.role_id, r.tenant_id AS via, r.expires_at
        FROM role_assignments r
        WHERE r.client_id = $1 AND NOT EXISTS (
            SELECT 1 FROM tenant_ancestors b JOIN tenants t ON t.id = b.ancestor_id
            WHERE b.tenant_id = r.tenant_id AND NOT t.enabled
        )";
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, [client.into()]);
    GrantRow::find_by_statement(statement).all(on).await
}

/// Whether `top` is the tenant or above it.
pub async fn is_at_or_below(
    on: &impl ConnectionTrait,
    tenant: TenantId,
    top: TenantId,
) -> Result<bool, DbErr> {
    let sql = "SELECT 1 AS found FROM tenant_ancestors WHERE tenant_id = $1 AND ancestor_id = $2";
    let statement =
        Statement::from_sql_and_values(on.get_database_backend(), sql, [tenant.into(), top.into()]);
    Ok(on.query_one_raw(statement).await?.is_some())
}

/// Whether an enabled client of an open tenant, with a secret or key that works now, holds the role
/// at the tenant or above it at least until that end.
pub async fn has_administrator(
    on: &impl ConnectionTrait,
    administrator: RoleId,
    tenant: TenantId,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let sql = "SELECT 1 AS found
        FROM role_assignments r
        JOIN tenant_ancestors a ON a.ancestor_id = r.tenant_id AND a.tenant_id = $1
        JOIN clients c ON c.id = r.client_id
        WHERE r.role_id = $2 AND (r.expires_at IS NULL OR (r.expires_at >= $3 AND r.expires_at > $4))
        AND c.enabled AND NOT EXISTS (
            SELECT 1 FROM tenant_ancestors b JOIN tenants t ON t.id = b.ancestor_id
            WHERE b.tenant_id = c.tenant_id AND NOT t.enabled
        ) AND (
            EXISTS (SELECT 1 FROM client_keys k WHERE k.client_id = c.id)
            OR EXISTS (
                SELECT 1 FROM client_secrets s WHERE s.client_id = c.id
                AND (s.retires_at IS NULL OR s.retires_at > $4) AND (s.expires_at IS NULL OR s.expires_at > $4)
            )
        )
        LIMIT 1";
    let until = until.map_or(i64::MAX, Timestamp::millis);
    let values = [tenant.into(), administrator.into(), until.into(), now.into()];
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    Ok(on.query_one_raw(statement).await?.is_some())
}
