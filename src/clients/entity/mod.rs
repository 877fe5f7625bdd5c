//! The tables of clients, their secrets, roles and idempotency keys.

pub mod key;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, SelectStatement};
use sea_orm::{FromQueryResult, Statement};

use crate::auth::{Caller, TenantScope};
use crate::clock::Timestamp;
use crate::ids::{ClientId, SecretId, TenantId};
use crate::secret::SecretHash;
use crate::tenants::entity::ScopeFilter;

/// A client.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "clients")]
pub struct Model {
    /// The row number of the name index.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// The id.
    pub id: ClientId,
    /// The OAuth `client_id`.
    pub client_id: String,
    /// The tenant that the client belongs to.
    pub tenant_id: TenantId,
    /// The tenant that is responsible for it, if named.
    pub owner_tenant_id: Option<TenantId>,
    /// The display name.
    pub name: String,
    /// The name as searches compare it.
    pub name_folded: String,
    /// Whether it may be used.
    pub enabled: bool,
    /// Tokens of an older generation are refused.
    pub token_generation: i64,
    /// The number of tokens issued to it.
    pub token_request_count: i64,
    /// When a token was last issued to it.
    pub token_request_time: Option<Timestamp>,
    /// When the row was created, by the database's time.
    pub created_at: Timestamp,
    /// When the row was last changed.
    pub updated_at: Timestamp,
    /// The subject that created it, as in audit records.
    pub created_by: String,
    /// The subject that last changed it, as in audit records.
    pub updated_by: String,
}

/// No relations: statements join by ids.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The clients of the tenant of the scope and of all open tenants below it.
    pub fn of_tenant(scope: &TenantScope) -> Select<Self> {
        Self::found(scope, ScopeFilter::EachRow)
    }

    /// The same for a list, found in that way.
    pub fn found(scope: &TenantScope, by: ScopeFilter) -> Select<Self> {
        Self::find().filter(by.open_below(&Expr::col((Entity, Column::TenantId)), scope.tenant()))
    }

    /// The clients whose ids a statement on those of a scope finds.
    pub fn of_ids(ids: SelectStatement) -> Select<Self> {
        Self::find().filter(Column::Id.in_subquery(ids))
    }

    /// The clients of the tenant of the scope alone.
    pub fn at_home_in(scope: &TenantScope) -> Select<Self> {
        Self::find().filter(Column::TenantId.eq(scope.tenant()))
    }

    /// The calling client, in whichever tenant it is.
    pub fn caller(scope: &TenantScope) -> Select<Self> {
        let id = match scope.caller() {
            Caller::Client { id, .. } => Some(*id),
            Caller::User { .. } | Caller::Operator | Caller::Gateway => None,
        };
        Self::find().filter(Column::Id.is_in(id))
    }
}

/// A secret, as a hash.
pub mod secret {
    use sea_orm::QueryOrder;
    use sea_orm::entity::prelude::*;

    use crate::clock::Timestamp;
    use crate::ids::{ClientId, SecretId};
    use crate::secret::SecretHash;

    /// A secret of a client.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "client_secrets")]
    pub struct Model {
        /// The id.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: SecretId,
        /// The client.
        pub client_id: ClientId,
        /// The SHA-256 of the secret.
        pub hash: SecretHash,
        /// The last four characters of the secret.
        pub last_four: String,
        /// When the row was created, by the database's time.
        pub created_at: Timestamp,
        /// When it was last used.
        pub last_used_at: Option<Timestamp>,
        /// The IP address that it was last used from.
        pub last_used_from: Option<String>,
        /// When its overlap with a newer secret ends.
        pub retires_at: Option<Timestamp>,
        /// When the tenant's policy ends it.
        pub expires_at: Option<Timestamp>,
    }

    /// No relations: statements join by ids.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Entity {
        /// The secrets of clients that were found in a scope before, newest first.
        pub fn of_clients(clients: &[ClientId]) -> Select<Self> {
            let newest_first =
                Self::find().order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
            newest_first.filter(Column::ClientId.is_in(clients.iter().copied()))
        }
    }
}

/// A role that a client holds in a tenant.
pub mod assignment {
    use sea_orm::QueryOrder;
    use sea_orm::entity::prelude::*;

    use crate::clock::Timestamp;
    use crate::ids::{AssignmentId, ClientId, RoleId, TenantId};

    /// One role given to one client in one tenant.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "role_assignments")]
    pub struct Model {
        /// The id.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: AssignmentId,
        /// The client.
        pub client_id: ClientId,
        /// The tenant that the client belongs to.
        pub tenant_id: TenantId,
        /// The role.
        pub role_id: RoleId,
        /// When it expires; `None` for never.
        pub expires_at: Option<Timestamp>,
        /// When the row was created, by the database's time.
        pub created_at: Timestamp,
        /// The subject that created it, as in audit records.
        pub created_by: String,
    }

    /// No relations: statements join by ids.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Entity {
        /// The roles of clients that were found in a scope before, oldest first.
        pub fn of_clients(clients: &[ClientId]) -> Select<Self> {
            let oldest_first =
                Self::find().order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
            oldest_first.filter(Column::ClientId.is_in(clients.iter().copied()))
        }
    }
}

/// Idempotency keys of `createClient`.
pub mod idempotency {
    use sea_orm::entity::prelude::*;

    use crate::auth::TenantScope;
    use crate::clock::Timestamp;
    use crate::ids::{ClientId, TenantId};
    use crate::secret::SecretHash;

    /// One key of one caller in one tenant.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "idempotency_keys")]
    pub struct Model {
        /// The tenant that the client belongs to.
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: TenantId,
        /// The subject that sent the request.
        #[sea_orm(primary_key, auto_increment = false)]
        pub actor: String,
        /// The idempotency key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        /// Hash of the arguments.
        pub fingerprint: SecretHash,
        /// The client.
        pub client_id: ClientId,
        /// When the row was created, by the database's time.
        pub created_at: Timestamp,
    }

    /// No relations: statements join by ids.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Entity {
        /// The request of the caller in the tenant of the scope with that key.
        pub fn of_caller(scope: &TenantScope, key: &str) -> Select<Self> {
            Self::find_by_id((scope.tenant(), scope.caller().name(), key.to_owned()))
        }
    }
}

/// A client and one of its secrets, as the token endpoint needs them.
#[derive(Clone, Debug, FromQueryResult)]
pub struct CredentialRow {
    /// The id.
    pub id: ClientId,
    /// The tenant that the client belongs to.
    pub tenant_id: TenantId,
    /// Tokens of an earlier generation are revoked.
    pub token_generation: i64,
    /// Whether it may be used.
    pub enabled: bool,
    /// Whether the client's tenant and all above it are enabled.
    pub tenant_open: bool,
    /// A secret of the client; `None` if it has none.
    pub secret_id: Option<SecretId>,
    /// The SHA-256 of the secret.
    pub hash: Option<SecretHash>,
    /// When a newer secret replaces it.
    pub retires_at: Option<Timestamp>,
    /// When it expires; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// Finds the client with that `client_id` in all tenants, one row for each secret. The caller is
/// not authenticated yet, so there is no scope, and the rows are used for the comparison of secrets
/// only.
pub async fn credential(
    on: &impl ConnectionTrait,
    client_id: &str,
) -> Result<Vec<CredentialRow>, DbErr> {
    let sql = "SELECT c.id, c.tenant_id, c.token_generation, c.enabled,
            NOT EXISTS (
                SELECT 1 FROM tenant_ancestors a JOIN tenants t ON t.id = a.ancestor_id
                WHERE a.tenant_id = c.tenant_id AND NOT t.enabled
            ) AS tenant_open,
            s.id AS secret_id, s.hash, s.retires_at, s.expires_at
        FROM clients c LEFT JOIN client_secrets s ON s.client_id = c.id
        WHERE c.client_id = $1";
    let statement =
        Statement::from_sql_and_values(on.get_database_backend(), sql, [client_id.into()]);
    CredentialRow::find_by_statement(statement).all(on).await
}
