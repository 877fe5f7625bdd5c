//! Queries of the authorizer over subjects, tenants and role assignments. They read the views
//! `subjects` and `subject_roles`, which unite clients and users.

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement, Value};

use crate::clock::Timestamp;
use crate::ids::{RoleId, SubjectId, TenantId};

/// The state of a subject that decides whether its tokens work.
#[derive(Clone, Debug, FromQueryResult)]
pub struct SubjectState {
    /// The tenant that the subject belongs to.
    pub home: TenantId,
    /// Whether the subject is enabled, and its tenant and all above it are.
    pub live: bool,
    /// Tokens of an older generation are refused.
    pub token_generation: i64,
}

/// A role that a subject holds in a tenant or above it; it may have expired.
#[derive(Clone, Debug, FromQueryResult)]
pub struct GrantRow {
    /// The role.
    pub role_id: RoleId,
    /// The tenant that the role is held in.
    pub via: TenantId,
    /// When the role ends.
    pub expires_at: Option<Timestamp>,
}

/// The subject, if it exists.
pub async fn subject(
    on: &impl ConnectionTrait,
    subject: SubjectId,
) -> Result<Option<SubjectState>, DbErr> {
    let sql = "SELECT c.tenant_id AS home, c.token_generation,
            c.enabled AND NOT EXISTS (
                SELECT 1 FROM tenant_ancestors a JOIN tenants t ON t.id = a.ancestor_id
                WHERE a.tenant_id = c.tenant_id AND NOT t.enabled
            ) AS live
        FROM subjects c WHERE c.id = $1 AND c.kind = $2";
    let values = [subject.uuid().into(), subject.kind().into()];
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    SubjectState::find_by_statement(statement).one(on).await
}

/// Returns the roles that apply in the tenant: none if it does not exist, is not at or below the
/// other, or if it or a tenant above it is disabled.
pub async fn held(
    on: &impl ConnectionTrait,
    subject: SubjectId,
    tenant: TenantId,
    below: TenantId,
) -> Result<Vec<GrantRow>, DbErr> {
    let sql = "SELECT r.role_id, r.tenant_id AS via, r.expires_at
        FROM subject_roles r
        JOIN tenant_ancestors a ON a.ancestor_id = r.tenant_id AND a.tenant_id = $2
        WHERE r.subject_id = $1 AND r.kind = $4 AND EXISTS (
            SELECT 1 FROM tenant_ancestors n WHERE n.tenant_id = $2 AND n.ancestor_id = $3
        ) AND NOT EXISTS (
            SELECT 1 FROM tenant_ancestors b JOIN tenants t ON t.id = b.ancestor_id
            WHERE b.tenant_id = $2 AND NOT t.enabled
        )
        ORDER BY a.distance, r.role_id";
    let values = [subject.uuid().into(), tenant.into(), below.into(), subject.kind().into()];
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
    subject: SubjectId,
    tenants: &[TenantId],
    below: Option<TenantId>,
) -> Result<Vec<TenantGrantRow>, DbErr> {
    if tenants.is_empty() {
        return Ok(Vec::new());
    }
    let mut values: Vec<Value> = vec![subject.uuid().into(), subject.kind().into()];
    values.extend(tenants.iter().map(|tenant| Value::from(*tenant)));
    let among: Vec<_> = (3..=values.len()).map(|number| format!("${number}")).collect();
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
        FROM subject_roles r
        JOIN tenant_ancestors a ON a.ancestor_id = r.tenant_id
        WHERE r.subject_id = $1 AND r.kind = $2 AND a.tenant_id IN ({among}) {is_below} AND NOT EXISTS (
            SELECT 1 FROM tenant_ancestors b JOIN tenants t ON t.id = b.ancestor_id
            WHERE b.tenant_id = a.tenant_id AND NOT t.enabled
        )
        ORDER BY a.distance, r.role_id"
    );
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    TenantGrantRow::find_by_statement(statement).all(on).await
}

/// Returns the roles of the subject in all enabled tenants.
pub async fn held_anywhere(
    on: &impl ConnectionTrait,
    subject: SubjectId,
) -> Result<Vec<GrantRow>, DbErr> {
    let sql = "SELECT r.role_id, r.tenant_id AS via, r.expires_at
        FROM subject_roles r
        WHERE r.subject_id = $1 AND r.kind = $2 AND NOT EXISTS (
            SELECT 1 FROM tenant_ancestors b JOIN tenants t ON t.id = b.ancestor_id
            WHERE b.tenant_id = r.tenant_id AND NOT t.enabled
        )";
    let values = [subject.uuid().into(), subject.kind().into()];
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
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

/// Whether a subject of an open tenant that can sign in holds the role at the tenant or above it at
/// least until that end: an enabled client with a secret or key that works now, an enabled user with
/// a password and a second factor where single sign-on does not rule passwords out, or one who is
/// linked to an account of the tenant's provider.
pub async fn has_administrator(
    on: &impl ConnectionTrait,
    administrator: RoleId,
    tenant: TenantId,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let sql = "SELECT 1 AS found
        FROM subject_roles r
        JOIN tenant_ancestors a ON a.ancestor_id = r.tenant_id AND a.tenant_id = $1
        JOIN subjects s ON s.id = r.subject_id AND s.kind = r.kind
        WHERE r.role_id = $2 AND (r.expires_at IS NULL OR (r.expires_at >= $3 AND r.expires_at > $4))
        AND s.enabled AND NOT EXISTS (
            SELECT 1 FROM tenant_ancestors b JOIN tenants t ON t.id = b.ancestor_id
            WHERE b.tenant_id = s.tenant_id AND NOT t.enabled
        ) AND (
            EXISTS (SELECT 1 FROM client_keys k WHERE k.client_id = s.id)
            OR EXISTS (
                SELECT 1 FROM client_secrets c WHERE c.client_id = s.id
                AND (c.retires_at IS NULL OR c.retires_at > $4) AND (c.expires_at IS NULL OR c.expires_at > $4)
            )
            OR EXISTS (
                SELECT 1 FROM users u WHERE u.id = s.id AND u.password_hash IS NOT NULL
                AND (
                    EXISTS (SELECT 1 FROM user_passkeys k WHERE k.user_id = u.id)
                    OR EXISTS (
                        SELECT 1 FROM user_totp o
                        WHERE o.user_id = u.id AND o.confirmed_at IS NOT NULL
                    )
                ) AND NOT EXISTS (
                    SELECT 1 FROM identity_providers p WHERE p.tenant_id = u.tenant_id AND p.enabled
                    AND (p.emergency_user_id IS NULL OR p.emergency_user_id <> u.id)
                )
            )
            OR EXISTS (
                SELECT 1 FROM user_identities i JOIN identity_providers p
                ON p.tenant_id = i.tenant_id AND p.issuer = i.issuer AND p.enabled
                WHERE i.user_id = s.id
            )
        )
        LIMIT 1";
    let until = until.map_or(i64::MAX, Timestamp::millis);
    let values = [tenant.into(), administrator.into(), until.into(), now.into()];
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    Ok(on.query_one_raw(statement).await?.is_some())
}
