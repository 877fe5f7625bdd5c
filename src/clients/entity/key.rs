//! The table of the public keys of clients, and that of the assertions that were used.

use sea_orm::entity::prelude::*;
use sea_orm::{FromQueryResult, QueryOrder, Statement};

use crate::clock::Timestamp;
use crate::ids::{ClientId, ClientKeyId, TenantId};

/// A public key of a client.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "client_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ClientKeyId,
    pub client_id: ClientId,
    pub algorithm: String,
    pub public_jwk: String,
    pub thumbprint: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub last_used_from: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The keys of clients that were found in a scope before, newest first.
    pub fn of_clients(clients: &[ClientId]) -> Select<Self> {
        let newest_first = Self::find().order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
        newest_first.filter(Column::ClientId.is_in(clients.iter().copied()))
    }
}

/// What an authentication by assertion needs to know of a client and one of its keys.
#[derive(Clone, Debug, FromQueryResult)]
pub struct KeyRow {
    pub id: ClientId,
    pub tenant_id: TenantId,
    pub token_generation: i64,
    pub enabled: bool,
    /// Whether the client's tenant and all above it are enabled.
    pub tenant_open: bool,
    pub key_id: Option<ClientKeyId>,
    pub public_jwk: Option<String>,
}

/// The client with that `client_id` in every tenant, once for each of its keys. As with secrets,
/// nobody is authenticated yet, and what it finds goes to nobody but the check of the signature.
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

/// Assertions that were used.
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
        #[sea_orm(primary_key, auto_increment = false)]
        pub client_id: ClientId,
        #[sea_orm(primary_key, auto_increment = false)]
        /// SHA-256.
        pub jti_hash: Vec<u8>,
        /// When it is refused for its age anyway.
        pub expires_at: Timestamp,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    /// Takes note of an assertion; says whether it was not used before, on whichever node.
    pub async fn add(on: &impl ConnectionTrait, assertion: Model) -> Result<bool, DbErr> {
        let once = OnConflict::columns([Column::ClientId, Column::JtiHash]).do_nothing().to_owned();
        let insert = Entity::insert(assertion.into_active_model()).on_conflict(once).try_insert();
        Ok(
            matches!(insert.exec_without_returning(on).await?, TryInsertResult::Inserted(count) if count > 0),
        )
    }

    /// Drops assertions that ended before that moment.
    pub async fn forget(on: &impl ConnectionTrait, before: Timestamp) -> Result<(), DbErr> {
        Entity::delete_many().filter(Column::ExpiresAt.lt(before)).exec(on).await?;
        Ok(())
    }
}
