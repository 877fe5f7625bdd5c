//! Creates clients.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::NotSet, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, Set, TryInsertResult,
};
use serde_json::json;

use super::{Clients, WHAT, one, with_id};
use crate::audit::{self, Entry};
use crate::auth::{Caller, TenantScope};
use crate::clients::entity::{ActiveModel, Entity, idempotency, secret};
use crate::clients::model::{Created, IdempotencyKey, NewClient, owner_forbidden};
use crate::clock::Timestamp;
use crate::database::{AdvisoryLock, Write};
use crate::entropy::{Entropy, base62};
use crate::error::{Error, Result};
use crate::ids::{ClientId, SecretId, TenantId};
use crate::roles::Permission;
use crate::secret::{PlainSecret, SecretHash};
use crate::tenants::{max_secret_age_seconds, share_policies};

const CLIENT_ID_CHARACTERS: usize = 32;

impl Clients {
    /// Creates a client with a first secret in the tenant of the scope.
    ///
    /// # Errors
    /// `FORBIDDEN` for a role stronger than the caller's, or an owner that the caller may not
    /// enter; `CONFLICT` for an idempotency key that was used with other arguments, or whose client
    /// is gone, and for more clients than a tenant may have.
    pub async fn create(&self, scope: &TenantScope, new: NewClient) -> Result<Created> {
        self.usage.flush().await?;
        self.database.transaction(|write| self.create_once(write, scope, &new)).await
    }

    async fn create_once(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        new: &NewClient,
    ) -> Result<Created> {
        let id = ClientId::random(&*self.entropy);
        if let Some(key) = &new.idempotency_key
            && let Some(first) = self.claim(write.on(), scope, key, new, id).await?
        {
            let found =
                with_id(Entity::of_tenant(scope), &first.to_string()).one(write.on()).await?;
            let row = found.ok_or_else(|| {
                Error::conflict("idempotencyKey: the client made under this key is gone")
            })?;
            let mut client = one(write.on(), row).await?;
            self.disclose(scope, std::slice::from_mut(&mut client)).await?;
            return Ok(Created { client, secret: None });
        }
        if let Some(owner) = new.owner {
            require_entry(scope, owner).await?;
        }
        self.create_in(&write, scope, id, new).await
    }

    /// Creates a client in the caller's own transaction.
    ///
    /// # Errors
    /// `FORBIDDEN` for a role stronger than the caller's, `CONFLICT` for more clients than a tenant
    /// may have.
    pub async fn create_in(
        &self,
        write: &Write<'_>,
        scope: &TenantScope,
        id: ClientId,
        new: &NewClient,
    ) -> Result<Created> {
        share_policies(write.on(), scope.tenant()).await?;
        self.require_room(write, scope).await?;
        self.insert(write.on(), scope, id, new).await?;
        for role in &new.roles {
            let expires_at =
                scope.permitted_end(Permission::ManageClients, scope.tenant(), *role, None).await?;
            self.assign(write.on(), scope, id, scope.tenant(), *role, expires_at).await?;
        }
        let secret = self.add_secret(write.on(), id, scope.tenant(), scope.now()).await?;
        let row = with_id(Entity::of_tenant(scope), &id.to_string()).one(write.on()).await?;
        let client = one(write.on(), row.ok_or_else(|| Error::not_found(WHAT))?).await?;
        let entry = Entry {
            operation: "createClient",
            tenant: scope.tenant(),
            subject: id.to_string(),
            before: None,
            after: Some(client.state(scope.now())),
        };
        audit::record(write.on(), &*self.entropy, scope, entry).await?;
        Ok(Created { client, secret: Some(secret) })
    }

    /// Requires that the tenant of the scope has fewer clients than it may. Creations in one tenant
    /// wait for each other. The local operator, who brings back an administrator that was lost, is
    /// not counted.
    async fn require_room(&self, write: &Write<'_>, scope: &TenantScope) -> Result<()> {
        if *scope.caller() == Caller::Operator {
            return Ok(());
        }
        write.lock(AdvisoryLock::ClientsOf(scope.tenant())).await?;
        let most = self.limits.clients_per_tenant;
        if Entity::at_home_in(scope).count(write.on()).await? >= most {
            let message = format!(
                "the tenant has {most} clients, the most that it may have \
                (quotas.clients_per_tenant): delete some first"
            );
            return Err(Error::conflict(message));
        }
        Ok(())
    }

    async fn insert(
        &self,
        on: &impl ConnectionTrait,
        scope: &TenantScope,
        id: ClientId,
        new: &NewClient,
    ) -> Result<()> {
        let now = scope.now();
        let by = scope.caller().name();
        let row = ActiveModel {
            seq: NotSet,
            id: Set(id),
            client_id: Set(random_client_id(&*self.entropy)),
            tenant_id: Set(scope.tenant()),
            owner_tenant_id: Set(new.owner),
            name: Set(new.name.as_str().to_owned()),
            name_folded: Set(new.name.folded()),
            enabled: Set(true),
            token_generation: Set(0),
            token_request_count: Set(0),
            token_request_time: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
            created_by: Set(by.clone()),
            updated_by: Set(by),
        };
        Entity::insert(row).exec_without_returning(on).await?;
        Ok(())
    }

    /// Adds a secret that the tenant's policy limits.
    pub(super) async fn add_secret(
        &self,
        on: &impl ConnectionTrait,
        client: ClientId,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<PlainSecret> {
        let secret = PlainSecret::generate(&*self.entropy);
        let age = max_secret_age_seconds(on, tenant)
            .await?
            .and_then(|seconds| u64::try_from(seconds).ok());
        let row = secret::Model {
            id: SecretId::random(&*self.entropy),
            client_id: client,
            hash: secret.hash(),
            last_four: secret.last_four().to_owned(),
            created_at: now,
            last_used_at: None,
            last_used_from: None,
            retires_at: None,
            expires_at: age.map(|seconds| now.plus(Duration::from_secs(seconds))),
        };
        secret::Entity::insert(row.into_active_model()).exec_without_returning(on).await?;
        Ok(secret)
    }

    /// Claims an idempotency key for a new client, or returns the client of an earlier request with
    /// the key. A concurrent request with the same key waits here for the first.
    async fn claim(
        &self,
        on: &impl ConnectionTrait,
        scope: &TenantScope,
        key: &IdempotencyKey,
        new: &NewClient,
        id: ClientId,
    ) -> Result<Option<ClientId>> {
        use idempotency::{Column, Entity, Model};
        let oldest = scope.now().millis()
            - i64::try_from(self.limits.idempotency_retention.as_millis()).unwrap_or(i64::MAX);
        Entity::delete_many().filter(Column::CreatedAt.lt(oldest)).exec(on).await?;
        let tenant_id = scope.tenant();
        let actor = scope.caller().name();
        let fingerprint = fingerprint(new);
        let row = Model {
            tenant_id,
            actor: actor.clone(),
            key: key.as_str().to_owned(),
            fingerprint: fingerprint.clone(),
            client_id: id,
            created_at: scope.now(),
        };
        let taken = OnConflict::columns([Column::TenantId, Column::Actor, Column::Key])
            .do_nothing()
            .to_owned();
        let insert = Entity::insert(row.into_active_model()).on_conflict(taken).try_insert();
        if let TryInsertResult::Inserted(1..) = insert.exec_without_returning(on).await? {
            return Ok(None);
        }
        let first = Entity::of_caller(scope, key.as_str()).one(on).await?;
        match first {
            Some(first) if first.fingerprint == fingerprint => Ok(Some(first.client_id)),
            _ => Err(Error::conflict("idempotencyKey: was used with other arguments")),
        }
    }
}

/// The fingerprint of the arguments of a request.
fn fingerprint(new: &NewClient) -> SecretHash {
    let mut roles: Vec<_> = new.roles.iter().map(|role| role.id()).collect();
    roles.sort_unstable();
    SecretHash::of(json!([new.name.as_str(), roles, new.owner]).to_string().as_bytes())
}

fn random_client_id(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 24];
    entropy.fill(&mut bytes);
    base62(&bytes, CLIENT_ID_CHARACTERS)
}

async fn require_entry(scope: &TenantScope, tenant: TenantId) -> Result<()> {
    match scope.access_in(tenant).await?.roles(scope.now()).next() {
        Some(_) => Ok(()),
        None => Err(owner_forbidden()),
    }
}
