//! Grants roles to users and removes them, by the rule that holds for clients.

use std::sync::Arc;

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
};

use super::{BY, Users};
use crate::auth::TenantScope;
use crate::clock::Timestamp;
use crate::database::Write;
use crate::error::{Error, Result};
use crate::ids::{TenantId, UserAssignmentId, UserId};
use crate::roles::Role;
use crate::users::entity::assignment::{Column, Entity, Model};
use crate::users::model::{Grant, User};

impl Users {
    /// Grants a role to a user. Granting it again in the same tenant changes its end. It never
    /// lasts longer than the caller's own hold on its permissions.
    ///
    /// # Errors
    /// `NOT_FOUND` for a user outside the scope, `FORBIDDEN` for one whom the caller has no
    /// authority over, a tenant in which the caller may not manage users, or a role stronger than
    /// the caller's there; `BAD_USER_INPUT` for an end in the past, `CONFLICT` for more roles than
    /// a user may hold.
    pub async fn assign_role(&self, scope: &TenantScope, id: &str, grant: Grant) -> Result<User> {
        scope.change(&self.database, |write| self.assign_role_in(write, scope, id, grant)).await
    }

    async fn assign_role_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: &str,
        grant: Grant,
    ) -> Result<User> {
        let before = self.lock(&write, scope, id).await?;
        let tenant = grant.tenant.unwrap_or(scope.tenant());
        let expires_at = scope.permitted_end(BY, tenant, grant.role, grant.expires_at).await?;
        self.assign(write.on(), scope, before.id(), tenant, grant.role, expires_at).await?;
        let most = self.limits.roles_per_user;
        if Entity::of_users(&[before.id()]).count(write.on()).await? > most {
            return Err(Error::conflict(format!(
                "roles: a user holds {most} roles at most (quotas.roles_per_client): remove some \
                 first, or give one in a tenant above"
            )));
        }
        self.finish(&write, scope, "assignUserRole", before).await
    }

    /// Removes a role from a user: by the id of an assignment, or of a role, which is then removed
    /// in all tenants.
    ///
    /// # Errors
    /// `NOT_FOUND` for a user outside the scope, `FORBIDDEN` for one whom the caller has no
    /// authority over, `BAD_USER_INPUT` for an id that is neither, `CONFLICT` for the last
    /// administrator of a tenant.
    pub async fn remove_role(&self, scope: &TenantScope, id: &str, role: &str) -> Result<User> {
        scope.change(&self.database, |write| self.remove_role_in(write, scope, id, role)).await
    }

    async fn remove_role_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: &str,
        role: &str,
    ) -> Result<User> {
        let before = self.lock(&write, scope, id).await?;
        let mine = Column::UserId.eq(before.id());
        let chosen = match before.assignments.iter().find(|held| held.id.to_string() == role) {
            Some(held) => Column::Id.eq(held.id),
            None => Column::RoleId.eq(Role::parse("role", role)?.id()),
        };
        Entity::delete_many().filter(mine).filter(chosen).exec(write.on()).await?;
        self.finish(&write, scope, "removeUserRole", before).await
    }

    /// Stores a role assignment; the caller has checked the permission.
    pub(super) async fn assign(
        &self,
        on: &impl ConnectionTrait,
        scope: &TenantScope,
        user: UserId,
        tenant: TenantId,
        role: Role,
        expires_at: Option<Timestamp>,
    ) -> Result<()> {
        let row = Model {
            id: UserAssignmentId::random(&*self.entropy),
            user_id: user,
            tenant_id: tenant,
            role_id: role.id(),
            expires_at,
            created_at: scope.now(),
            created_by: scope.caller().name(),
        };
        let held_already = OnConflict::columns([Column::UserId, Column::TenantId, Column::RoleId])
            .update_column(Column::ExpiresAt)
            .to_owned();
        let insert = Entity::insert(row.into_active_model()).on_conflict(held_already);
        insert.exec_without_returning(on).await?;
        Ok(())
    }
}
