//! Invites people.

use std::sync::Arc;

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
};

use super::{Users, WHAT, one, with_id};
use crate::audit::{self, Entry};
use crate::auth::{Caller, TenantScope};
use crate::database::{AdvisoryLock, Write};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::tenants::share_policies;
use crate::users::entity::{Column, Entity, Model};
use crate::users::model::{Invited, NewUser, Purpose};

impl Users {
    /// Creates a user in the tenant of the scope, and a link by which the person sets a password.
    ///
    /// # Errors
    /// `FORBIDDEN` for a role stronger than the caller's; `CONFLICT` for an address that the tenant
    /// has already, and for more users than a tenant may have.
    pub async fn invite(&self, scope: &TenantScope, new: &NewUser) -> Result<Invited> {
        self.database.transaction(|write| self.invite_once(write, scope, new)).await
    }

    async fn invite_once(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        new: &NewUser,
    ) -> Result<Invited> {
        let id = UserId::random(&*self.entropy);
        self.invite_in(&write, scope, id, new).await
    }

    /// Creates a user in the caller's own transaction.
    ///
    /// # Errors
    /// As [`Users::invite`].
    pub async fn invite_in(
        &self,
        write: &Write<'_>,
        scope: &TenantScope,
        id: UserId,
        new: &NewUser,
    ) -> Result<Invited> {
        share_policies(write.on(), scope.tenant()).await?;
        self.require_room(write, scope).await?;
        require_unused(write.on(), scope, &new.email.folded()).await?;
        self.insert(write.on(), scope, id, new).await?;
        for role in &new.roles {
            let tenant = scope.tenant();
            let expires_at = scope.permitted_end(super::BY, tenant, *role, None).await?;
            self.assign(write.on(), scope, id, tenant, *role, expires_at).await?;
        }
        let (token, expires_at) = self.new_link(write.on(), scope, id, Purpose::Invitation).await?;
        let row = with_id(Entity::of_tenant(scope), &id.to_string()).one(write.on()).await?;
        let row = row.ok_or_else(|| Error::not_found(WHAT))?;
        let user = one(write.on(), row, scope.now()).await?;
        let entry = Entry {
            operation: "inviteUser",
            tenant: scope.tenant(),
            subject: id.to_string(),
            before: None,
            after: Some(user.state()),
        };
        audit::record(write.on(), &*self.entropy, scope, entry).await?;
        Ok(Invited { user, token, expires_at })
    }

    /// Makes a new link for a user who has not set a password yet; the one before stops working.
    ///
    /// # Errors
    /// `NOT_FOUND` outside the scope, `FORBIDDEN` for a user whom the caller has no authority over,
    /// `CONFLICT` for one who has a password, which [`Users::reset_password`] takes away first.
    pub async fn invite_again(&self, scope: &TenantScope, id: &str) -> Result<Invited> {
        scope.change(&self.database, |write| self.invite_again_in(write, scope, id)).await
    }

    async fn invite_again_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: &str,
    ) -> Result<Invited> {
        let before = self.lock(&write, scope, id).await?;
        if before.row.password_hash.is_some() {
            return Err(Error::conflict(
                "the user has a password already: use resetUserPassword to replace it",
            ));
        }
        let (token, expires_at) =
            self.new_link(write.on(), scope, before.id(), Purpose::Invitation).await?;
        let user = self.finish(&write, scope, "inviteUserAgain", before).await?;
        Ok(Invited { user, token, expires_at })
    }

    /// Requires that the tenant of the scope has fewer users than it may. Creations in one tenant
    /// wait for each other, so that no two take one address. The local operator is not counted.
    async fn require_room(&self, write: &Write<'_>, scope: &TenantScope) -> Result<()> {
        write.lock(AdvisoryLock::UsersOf(scope.tenant())).await?;
        if *scope.caller() == Caller::Operator {
            return Ok(());
        }
        let most = self.limits.users_per_tenant;
        if Entity::at_home_in(scope).count(write.on()).await? >= most {
            return Err(Error::conflict(format!(
                "the tenant has {most} users, the most that it may have (quotas.users_per_tenant): \
                 delete some first"
            )));
        }
        Ok(())
    }

    async fn insert(
        &self,
        on: &impl ConnectionTrait,
        scope: &TenantScope,
        id: UserId,
        new: &NewUser,
    ) -> Result<()> {
        let now = scope.now();
        let by = scope.caller().name();
        let row = Model {
            id,
            tenant_id: scope.tenant(),
            email: new.email.as_str().to_owned(),
            email_folded: new.email.folded(),
            email_since: None,
            name: new.name.as_str().to_owned(),
            enabled: true,
            password_hash: None,
            token_generation: 0,
            last_sign_in_at: None,
            created_at: now,
            updated_at: now,
            created_by: by.clone(),
            updated_by: by,
        };
        Entity::insert(row.into_active_model()).exec_without_returning(on).await?;
        Ok(())
    }
}

/// Requires that no user of the tenant has the address: the caller holds the lock of its users.
pub(super) async fn require_unused(
    on: &impl ConnectionTrait,
    scope: &TenantScope,
    folded: &str,
) -> Result<()> {
    let taken = Entity::at_home_in(scope).filter(Column::EmailFolded.eq(folded));
    if taken.count(on).await? > 0 {
        return Err(Error::conflict("email: a user of this tenant has the address already"));
    }
    Ok(())
}
