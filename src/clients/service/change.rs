//! Renames, disables and deletes clients.

use std::sync::Arc;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set,
};

use super::{Clients, require_others};
use crate::audit::{self, Entry, RoleChange};
use crate::auth::TenantScope;
use crate::clients::entity::{Column, Entity, Model};
use crate::clients::model::{Client, ClientChange};
use crate::database::Write;
use crate::error::Result;

impl Clients {
    /// Changes a client. A disabled one gets no tokens, and those that it has are refused, also
    /// once it is enabled again.
    ///
    /// # Errors
    /// `NOT_FOUND` outside the scope, `FORBIDDEN` for a client that the caller has no authority
    /// over, `CONFLICT` for disabling the last administrator of a tenant.
    pub async fn update(
        &self,
        scope: &TenantScope,
        id: &str,
        change: ClientChange,
    ) -> Result<Client> {
        self.change(scope, |write| self.update_in(write, scope, id, &change)).await
    }

    async fn update_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: &str,
        change: &ClientChange,
    ) -> Result<Client> {
        let before = self.lock(&write, scope, id).await?;
        let mut row = before.row.clone().into_active_model();
        if let Some(name) = &change.name {
            row.name = Set(name.as_str().to_owned());
            row.name_folded = Set(name.folded());
        }
        if let Some(enabled) = change.enabled {
            row.enabled = Set(enabled);
            if before.row.enabled && !enabled {
                // Tokens that it has stay ended when it is enabled again.
                row.token_generation = Set(before.row.token_generation + 1);
            }
        }
        if row.is_changed() {
            row.update(write.on()).await?;
        }
        self.finish(&write, scope, "updateClient", before).await
    }

    /// Deletes a client with its secrets and roles. Tokens that it has are refused from now on.
    ///
    /// # Errors
    /// As [`Clients::update`].
    pub async fn delete(&self, scope: &TenantScope, id: &str) -> Result<Client> {
        self.change(scope, |write| self.delete_in(write, scope, id)).await
    }

    async fn delete_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: &str,
    ) -> Result<Client> {
        let mut client = self.lock(&write, scope, id).await?;
        Entity::delete_many().filter(Column::Id.eq(client.row.id)).exec(write.on()).await?;
        require_others(&write, scope, &client, None).await?;
        let entry = Entry {
            operation: "deleteClient",
            tenant: client.row.tenant_id,
            subject: client.row.id.to_string(),
            before: Some(client.state(scope.now())),
            after: None,
        };
        audit::record(write.on(), &*self.entropy, scope, entry).await?;
        let roles = RoleChange {
            operation: "deleteClient",
            home: client.row.tenant_id,
            subject: client.row.id.to_string(),
            before: client.holds(),
            after: Vec::new(),
        };
        audit::record_roles_elsewhere(&write, &*self.entropy, scope, roles).await?;
        self.disclose(scope, std::slice::from_mut(&mut client)).await?;
        Ok(client)
    }

    /// Sets the time and author of the last change.
    pub(super) async fn touch(
        &self,
        on: &impl ConnectionTrait,
        scope: &TenantScope,
        row: &Model,
    ) -> Result<Model> {
        let mut row = row.clone().into_active_model();
        row.updated_at = Set(scope.now());
        row.updated_by = Set(scope.caller().name());
        Ok(row.update(on).await?)
    }
}
