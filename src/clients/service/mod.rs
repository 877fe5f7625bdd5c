//! The operations on clients, one file for each concern.

mod authenticate;
mod change;
mod create;
mod disclosure;
mod grants;
mod keys;
mod read;
mod secrets;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, Select,
};

pub use authenticate::{AuthenticationFailure, Authenticator, Refused};
pub use usage::{Purpose, Usage};

use super::entity::{Column, Entity, Model, assignment, key, secret};
use super::model::Client;
use crate::auth::{TenantScope, require_administrators, taken_holds};
use crate::clock::Timestamp;
use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::ids::{AssignmentId, ClientId, TenantId};
use crate::roles::Role;
use crate::tenants::share_policies;

const WHAT: &str = "client";

/// Ids in one statement: SQLite allows 32,766 parameters.
const NAMED_AT_ONCE: usize = 500;

/// The limits that a deployment sets.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest overlap of two secrets.
    pub grace_period_max: Duration,
    /// How long an idempotency key is remembered.
    pub idempotency_retention: Duration,
    /// How long a token lives.
    pub token_lifetime: Duration,
    /// How many clients a tenant may have.
    pub clients_per_tenant: u64,
    /// How many roles a client may hold, each in a tenant.
    pub roles_per_client: u64,
}

/// The clients in a database.
pub struct Clients {
    database: Arc<Database>,
    entropy: Arc<dyn Entropy>,
    usage: Arc<Usage>,
    limits: Limits,
}

impl Clients {
    /// The clients in that database.
    pub fn new(
        database: Arc<Database>,
        entropy: Arc<dyn Entropy>,
        usage: Arc<Usage>,
        limits: Limits,
    ) -> Self {
        Self { database, entropy, usage, limits }
    }

    /// The limits in force.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Runs a change as [`TenantScope::change`] does. Usage is flushed first, so that the response
    /// shows it.
    async fn change<'a, T, W>(
        &'a self,
        scope: &TenantScope,
        work: impl Fn(Arc<Write<'a>>) -> W,
    ) -> Result<T>
    where
        W: Future<Output = Result<T>>,
    {
        self.usage.flush().await?;
        scope.change(&self.database, work).await
    }

    /// Finds the client with that id in the scope for a change; every change of a client begins
    /// here. The row is locked against other writers until the transaction ends. The caller must
    /// have authority over the client, since by changing it the caller could act as it or revoke
    /// its permissions.
    ///
    /// All transactions lock in one order, so that no two wait for each other: tenants by id,
    /// clients by id, then what belongs to a client.
    async fn lock(&self, write: &Write<'_>, scope: &TenantScope, id: &str) -> Result<Client> {
        let found = with_id(Entity::of_tenant(scope), id).one(write.on()).await?;
        let found = found.ok_or_else(|| Error::not_found(WHAT))?;
        share_policies(write.on(), found.tenant_id).await?;
        // Read again: the client may have been deleted, or its tenant disabled, while this
        // transaction waited for the locks.
        let locked = Entity::of_tenant(scope).filter(Column::Id.eq(found.id)).lock_exclusive();
        let row = locked.one(write.on()).await?.ok_or_else(|| Error::not_found(WHAT))?;
        let client = one(write.on(), row).await?;
        scope.require_authority_over("client", &client.holds()).await?;
        Ok(client)
    }

    /// Stores a role assignment; the caller has checked the permission.
    async fn assign(
        &self,
        on: &impl ConnectionTrait,
        scope: &TenantScope,
        client: ClientId,
        tenant: TenantId,
        role: Role,
        expires_at: Option<Timestamp>,
    ) -> Result<()> {
        use assignment::Column;
        let row = assignment::Model {
            id: AssignmentId::random(&*self.entropy),
            client_id: client,
            tenant_id: tenant,
            role_id: role.id(),
            expires_at,
            created_at: scope.now(),
            created_by: scope.caller().name(),
        };
        let held_already =
            OnConflict::columns([Column::ClientId, Column::TenantId, Column::RoleId])
                .update_column(Column::ExpiresAt)
                .to_owned();
        let insert = assignment::Entity::insert(row.into_active_model()).on_conflict(held_already);
        insert.exec_without_returning(on).await?;
        Ok(())
    }
}

/// Requires that each tenant in which the change took administration from the client keeps another
/// administrator; `after` is the client after the change, or nothing if it is gone. See
/// [`require_administrators`].
///
/// # Errors
/// `CONFLICT` for the last administrator of a tenant.
async fn require_others(
    write: &Write<'_>,
    scope: &TenantScope,
    before: &Client,
    after: Option<&Client>,
) -> Result<()> {
    let holds = |client: &Client| if client.row.enabled { client.holds() } else { Vec::new() };
    let left = after.map(holds).unwrap_or_default();
    let taken = taken_holds(&holds(before), &left, scope.now());
    require_administrators(write, scope, &taken).await
}

/// Finds a client by UUID or `client_id`. PostgreSQL accepts no NUL in a text, so an id with one is
/// replaced by the empty text, which finds nothing.
fn with_id(select: Select<Entity>, id: &str) -> Select<Entity> {
    let id = if id.contains('\0') { "" } else { id };
    let by_client_id = Condition::any().add(Column::ClientId.eq(id));
    select.filter(match id.parse::<ClientId>() {
        Ok(uuid) => by_client_id.add(Column::Id.eq(uuid)),
        Err(_) => by_client_id,
    })
}

/// Adds roles, secrets and keys to one client.
async fn one(on: &impl ConnectionTrait, client: Model) -> Result<Client> {
    let mut clients = complete(on, vec![client]).await?;
    clients.pop().ok_or_else(|| Error::internal("a client was lost on the way"))
}

/// Adds roles, secrets and keys to clients, with one statement each.
async fn complete(on: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<Client>> {
    let ids: Vec<ClientId> = rows.iter().map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut assignments =
        by_client(assignment::Entity::of_clients(&ids).all(on).await?, |held| held.client_id);
    let mut secrets =
        by_client(secret::Entity::of_clients(&ids).all(on).await?, |secret| secret.client_id);
    let mut keys = by_client(key::Entity::of_clients(&ids).all(on).await?, |key| key.client_id);
    let clients = rows.into_iter().map(|row| Client {
        keys: keys.remove(&row.id).unwrap_or_default(),
        assignments: assignments.remove(&row.id).unwrap_or_default(),
        secrets: secrets.remove(&row.id).unwrap_or_default(),
        row,
    });
    Ok(clients.collect())
}

fn by_client<T>(
    rows: Vec<T>,
    client: impl Fn(&T) -> ClientId,
) -> std::collections::HashMap<ClientId, Vec<T>> {
    let mut by_client = std::collections::HashMap::<_, Vec<T>>::new();
    for row in rows {
        by_client.entry(client(&row)).or_default().push(row);
    }
    by_client
}
