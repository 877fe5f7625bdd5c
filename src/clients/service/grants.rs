//! Grants and removes roles. No caller grants more than it holds, or changes clients that hold
//! more.

use std::collections::BTreeSet;
use std::sync::Arc;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::{Clients, NAMED_AT_ONCE, one, require_others};
use crate::audit::{self, Entry, RoleChange};
use crate::auth::TenantScope;
use crate::clients::entity::assignment;
use crate::clients::model::{Client, Grant};
use crate::database::Write;
use crate::error::{Error, Result};
use crate::ids::{AssignmentId, ClientId};
use crate::roles::{Permission, Role};

impl Clients {
    /// Grants roles to a client. Granting a role again in the same tenant changes its end. A role
    /// never lasts longer than the caller's own hold on its permissions.
    ///
    /// # Errors
    /// `NOT_FOUND` for a client outside the scope, `FORBIDDEN` for one that the caller has no
    /// authority over, a tenant in which the caller may not manage clients, or a role stronger than
    /// the caller's there; `BAD_USER_INPUT` for an end in the past, `CONFLICT` for more roles than
    /// a client may hold.
    pub async fn append_roles(
        &self,
        scope: &TenantScope,
        id: &str,
        grants: Vec<Grant>,
    ) -> Result<Client> {
        self.change(scope, |write| self.append_roles_in(write, scope, id, &grants)).await
    }

    async fn append_roles_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: &str,
        grants: &[Grant],
    ) -> Result<Client> {
        let before = self.lock(&write, scope, id).await?;
        for grant in grants {
            let tenant = grant.tenant.unwrap_or(scope.tenant());
            let by = Permission::ManageClients;
            let expires_at = scope.permitted_end(by, tenant, grant.role, grant.expires_at).await?;
            self.assign(write.on(), scope, before.row.id, tenant, grant.role, expires_at).await?;
        }
        self.require_room_for_roles(write.on(), before.row.id).await?;
        self.finish(&write, scope, "appendClientRoles", before).await
    }

    /// Removes roles from a client. Each id is that of an assignment, or of a role, which is then
    /// removed in all tenants.
    ///
    /// # Errors
    /// `NOT_FOUND` for a client outside the scope, `FORBIDDEN` for one that the caller has no
    /// authority over, `BAD_USER_INPUT` for an id that is neither, `CONFLICT` for the last
    /// administrator of a tenant.
    pub async fn remove_roles(
        &self,
        scope: &TenantScope,
        id: &str,
        roles: &[String],
    ) -> Result<Client> {
        self.change(scope, |write| self.remove_roles_in(write, scope, id, roles)).await
    }

    async fn remove_roles_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: &str,
        roles: &[String],
    ) -> Result<Client> {
        let before = self.lock(&write, scope, id).await?;
        let mut removed = BTreeSet::new();
        for role in roles {
            if let Some(held) = before.assignments.iter().find(|held| held.id.to_string() == *role)
            {
                removed.insert(held.id);
            } else {
                let role = Role::parse("roles", role)?.id();
                removed.extend(
                    before
                        .assignments
                        .iter()
                        .filter(|held| held.role_id == role)
                        .map(|held| held.id),
                );
            }
        }
        let removed: Vec<AssignmentId> = removed.into_iter().collect();
        for some in removed.chunks(NAMED_AT_ONCE) {
            let some = assignment::Column::Id.is_in(some.iter().copied());
            assignment::Entity::delete_many().filter(some).exec(write.on()).await?;
        }
        self.finish(&write, scope, "removeClientRoles", before).await
    }

    async fn require_room_for_roles(
        &self,
        on: &impl ConnectionTrait,
        client: ClientId,
    ) -> Result<()> {
        let held = assignment::Entity::of_clients(&[client]).count(on).await?;
        let most = self.limits.roles_per_client;
        if held > most {
            let message = format!(
                "roles: a client holds {most} roles at most (quotas.roles_per_client): remove some \
                first, or give one in a tenant above"
            );
            return Err(Error::conflict(message));
        }
        Ok(())
    }

    /// Finishes a change: updates its time and author, checks the invariants, and records it.
    pub(super) async fn finish(
        &self,
        write: &Write<'_>,
        scope: &TenantScope,
        operation: &'static str,
        before: Client,
    ) -> Result<Client> {
        let row = self.touch(write.on(), scope, &before.row).await?;
        let mut after = one(write.on(), row).await?;
        require_others(write, scope, &before, Some(&after)).await?;
        let entry = Entry {
            operation,
            tenant: after.row.tenant_id,
            subject: after.row.id.to_string(),
            before: Some(before.state(scope.now())),
            after: Some(after.state(scope.now())),
        };
        audit::record(write.on(), &*self.entropy, scope, entry).await?;
        let roles = RoleChange {
            operation,
            home: after.row.tenant_id,
            subject: after.row.id.to_string(),
            before: before.holds(),
            after: after.holds(),
        };
        audit::record_roles_elsewhere(write, &*self.entropy, scope, roles).await?;
        self.disclose(scope, std::slice::from_mut(&mut after)).await?;
        Ok(after)
    }
}
