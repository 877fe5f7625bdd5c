//! Giving roles and taking them away. Nobody gives, or takes from others, more than they hold.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::{Clients, one};
use crate::audit::{self, Entry};
use crate::auth::TenantScope;
use crate::clients::entity::assignment;
use crate::clients::model::{Client, Grant};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{AssignmentId, ClientId, TenantId};
use crate::roles::{Permission, Role};

impl Clients {
    /// Gives roles to a client. The same role in the same tenant is held once; giving it again changes its end. A role never
    /// lasts longer than the caller's own hold on what it permits.
    ///
    /// # Errors
    /// `NOT_FOUND` for a client outside the scope, `FORBIDDEN` for a tenant that the caller may not manage clients in or a
    /// role stronger than the caller's there, `BAD_USER_INPUT` for an end in the past.
    pub async fn append_roles(&self, scope: &TenantScope, id: &str, grants: Vec<Grant>) -> Result<Client> {
        let write = self.begin().await?;
        let before = self.take(&write, scope, id).await?;
        for grant in grants {
            let tenant = grant.tenant.unwrap_or(scope.tenant());
            let expires_at = permitted_end(scope, tenant, grant.role, grant.expires_at).await?;
            let held =
                before.assignments.iter().find(|held| (held.tenant_id, held.role_id) == (tenant, grant.role.id()));
            // Whose own hold ends sooner than was wished adds nothing to a role that another gave for longer.
            let cut = expires_at != grant.expires_at;
            if held.is_some_and(|held| cut && held.expires_at.is_none_or(|end| Some(end) > expires_at)) {
                continue;
            }
            self.assign(write.on(), scope, before.row.id, tenant, grant.role, expires_at).await?;
        }
        self.finish(write, scope, "appendClientRoles", before).await
    }

    /// Takes roles from a client: each id is a role's, which is taken wherever the client holds it, or an assignment's.
    ///
    /// # Errors
    /// `NOT_FOUND` for a client outside the scope, `BAD_USER_INPUT` for an id that is neither, `FORBIDDEN` for a role
    /// stronger than the caller's where it is held.
    pub async fn remove_roles(&self, scope: &TenantScope, id: &str, roles: &[String]) -> Result<Client> {
        let write = self.begin().await?;
        let before = self.take(&write, scope, id).await?;
        let mut gone = Vec::new();
        for role in roles {
            let assignment = before.assignments.iter().find(|held| held.id.to_string() == *role);
            match assignment {
                Some(held) => gone.push(held),
                None => {
                    let role = Role::parse("roles", role)?.id();
                    gone.extend(before.assignments.iter().filter(|held| held.role_id == role));
                }
            }
        }
        for held in &gone {
            require_authority(scope, held).await?;
        }
        let ids = gone.iter().map(|held| held.id);
        assignment::Entity::delete_many().filter(assignment::Column::Id.is_in(ids)).exec(write.on()).await?;
        self.finish(write, scope, "removeClientRoles", before).await
    }

    /// Stores a role whose right was checked before.
    pub(super) async fn assign(
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
        let held_already = OnConflict::columns([Column::ClientId, Column::TenantId, Column::RoleId])
            .update_column(Column::ExpiresAt)
            .to_owned();
        let insert = assignment::Entity::insert(row.into_active_model()).on_conflict(held_already);
        insert.exec_without_returning(on).await?;
        Ok(())
    }

    /// The end of a change: marks the client as changed, records it, commits, and makes what is remembered stale.
    pub(super) async fn finish(
        &self,
        write: crate::database::Write<'_>,
        scope: &TenantScope,
        operation: &'static str,
        before: Client,
    ) -> Result<Client> {
        let row = self.touch(write.on(), scope, &before.row).await?;
        let after = one(write.on(), row).await?;
        let entry = Entry {
            operation,
            tenant: after.row.tenant_id,
            subject: after.row.id.to_string(),
            before: Some(before.state(scope.now())),
            after: Some(after.state(scope.now())),
        };
        audit::record(write.on(), &*self.entropy, scope, entry).await?;
        write.commit().await?;
        scope.forget_access();
        Ok(after)
    }
}

/// The end that a role may be given with: the one wished for, or that of the caller's own hold if it comes first.
///
/// # Errors
/// `FORBIDDEN` if the caller may not give this role there, `BAD_USER_INPUT` for an end in the past.
pub(super) async fn permitted_end(
    scope: &TenantScope,
    tenant: TenantId,
    role: Role,
    wished: Option<Timestamp>,
) -> Result<Option<Timestamp>> {
    let now = scope.now();
    if wished.is_some_and(|end| end <= now) {
        return Err(Error::bad_input("expiresAt", "must lie in the future"));
    }
    let access = scope.access_in(tenant).await?;
    if !access.permits(Permission::ManageClients, now) {
        return Err(Error::forbidden("this needs the right to manage clients in the tenant of the role"));
    }
    let own_end = access.covers(role, now).ok_or_else(|| {
        Error::forbidden(format!("{role} permits more than the caller may do in the tenant of the role"))
    })?;
    Ok([wished, own_end].into_iter().flatten().min())
}

/// That the caller holds everything that this role permits, where it is held.
///
/// # Errors
/// `FORBIDDEN` if not.
pub(super) async fn require_authority(scope: &TenantScope, held: &assignment::Model) -> Result<()> {
    let now = scope.now();
    let Some(role) = Role::from_id(held.role_id).filter(|_| held.expires_at.is_none_or(|end| now < end)) else {
        return Ok(());
    };
    match scope.access_in(held.tenant_id).await?.covers(role, now) {
        Some(_) => Ok(()),
        None => Err(Error::forbidden("the client holds a role that permits more than the caller may do")),
    }
}
