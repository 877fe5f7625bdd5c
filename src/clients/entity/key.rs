//! The tables of clients' public keys and of used assertions.

use sea_orm::entity::prelude::*;
use sea_orm::{FromQueryResult, QueryOrder, Statement};

use crate::clock::Timestamp;
use crate::ids::{ClientId, ClientKeyId, TenantId};

/// A public key of a client.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "client_keys")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ClientKeyId,
    /// The client.
    pub client_id: ClientId,
    /// The signature algorithm, as in `Algorithm::name`.
    pub algorithm: String,
    /// The public key as a JWK.
    pub public_jwk: String,
    /// The SHA-256 thumbprint in base64url (RFC 7638).
    pub thumbprint: String,
    /// When the row was created, by the database's time.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// The IP address that it was last used from.
    pub last_used_from: Option<String>,
}

/// No relations: statements join by ids.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The keys of clients that a scope has found, newest first.
    pub fn of_clients(clients: &[ClientId]) -> Select<Self> {
        let newest_first = Self::find().order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
        newest_first.filter(Column::ClientId.is_in(clients.iter().copied()))
    }
}

/// A client and one of its keys, as authentication by assertion needs them.
#[derive(Clone, Debug, FromQueryResult)]
pub struct KeyRow {
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
    /// A key of the client; `None` if it has none.
    pub key_id: Option<ClientKeyId>,
    /// The public key as a JWK.
    pub public_jwk: Option<String>,
}

/// Finds the client with that `client_id` in all tenants, one row for each key. The caller is not
/// authenticated yet, so the rows are used for the signature check only.
pub async fn keys_of(on: &impl ConnectionTrait, client_id: &str) -> Result<Vec<KeyRow>, DbErr> {
    let sql = "SELECT c.id, c.tenant_id, c.token_generation, c.enabled,
            NOT EXISTS (
                SELECT 1 FROM tenant_ancestors a JOIN tenants t ON t.id = a.ancestor_id
                WHERE a.tenant_id = c.tenant_id AND NOT t.enabled
            ) AS tenant_open,
            k.id AS key_id, k.public_jwk
        FROM clients c LEFT JOIN client_keys k ON k.client_id = c.id
        WHERE c.client_id = $1";
    let statement =
        Statement::from_sql_and_values(on.get_database_backend(), sql, [client_id.into()]);
    KeyRow::find_by_statement(statement).all(on).await
}

/// Used assertions.
pub mod used {
    use sea_orm::entity::prelude::*;
    use sea_orm::sea_query::OnConflict;
    use sea_orm::{IntoActiveModel, TryInsertResult};

    use crate::clock::Timestamp;
    use crate::ids::ClientId;

    /// An assertion.
    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "used_assertions")]
    pub struct Model {
        /// The client.
        #[sea_orm(primary_key, auto_increment = false)]
        pub client_id: ClientId,
        #[sea_orm(primary_key, auto_increment = false)]
        /// SHA-256.
        pub jti_hash: Vec<u8>,
        /// When the assertion expires.
        pub expires_at: Timestamp,
    }

    /// No relations: statements join by ids.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    /// Inserts an assertion. Returns whether no node has seen it before.
    pub async fn add(on: &impl ConnectionTrait, assertion: Model) -> Result<bool, DbErr> {
        let once = OnConflict::columns([Column::ClientId, Column::JtiHash]).do_nothing().to_owned();
        let insert = Entity::insert(assertion.into_active_model()).on_conflict(once).try_insert();
        Ok(
            matches!(insert.exec_without_returning(on).await?, TryInsertResult::Inserted(count) if count > 0),
        )
    }

    /// Deletes assertions that expired before that moment.
    pub async fn forget(on: &impl ConnectionTrait, before: Timestamp) -> Result<(), DbErr> {
        Entity::delete_many().filter(Column::ExpiresAt.lt(before)).exec(on).await?;
        Ok(())
    }
}
