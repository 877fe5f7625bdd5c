//! Changes, disables and deletes users.

use std::sync::Arc;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, Set,
};

use super::{Users, require_others};
use crate::audit::{self, Entry, RoleChange};
use crate::auth::TenantScope;
use crate::database::{AdvisoryLock, Write};
use crate::error::{Error, Result};
use crate::users::entity::{Column, Entity};
use crate::users::model::{User, UserChange};

impl Users {
    /// Changes a user. A disabled one cannot sign in, and their sessions, tokens and links stop
    /// working for good; links stop working too when the address changes.
    ///
    /// # Errors
    /// `NOT_FOUND` outside the scope, `FORBIDDEN` for a user whom the caller has no authority over,
    /// `CONFLICT` for an address that the tenant has already, and for disabling the last
    /// administrator of a tenant.
    pub async fn update(
        &self,
        scope: &TenantScope,
        id: &str,
        operation: &'static str,
        change: UserChange,
    ) -> Result<User> {
        scope
            .change(&self.database, |write| self.update_in(write, scope, id, operation, &change))
            .await
    }

    async fn update_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: &str,
        operation: &'static str,
        change: &UserChange,
    ) -> Result<User> {
        let before = self.lock(&write, scope, id).await?;
        let mut row = before.row.clone().into_active_model();
        if let Some(name) = &change.name {
            row.name = Set(name.as_str().to_owned());
        }
        if let Some(email) = &change.email {
            write.lock(AdvisoryLock::UsersOf(before.tenant())).await?;
            let folded = email.folded();
            let taken = Entity::of_tenant(scope)
                .filter(Column::TenantId.eq(before.tenant()))
                .filter(Column::EmailFolded.eq(folded.as_str()))
                .filter(Column::Id.ne(before.id()));
            if taken.count(write.on()).await? > 0 {
                return Err(Error::conflict(
                    "email: a user of this tenant has the address already",
                ));
            }
            if before.row.email != email.as_str() {
                // They were sent to the former address.
                self.end_links(write.on(), before.id()).await?;
            }
            if before.row.email_folded != folded {
                row.email_since = Set(Some(scope.now()));
            }
            row.email = Set(email.as_str().to_owned());
            row.email_folded = Set(folded);
        }
        if let Some(enabled) = change.enabled {
            row.enabled = Set(enabled);
            if before.row.enabled && !enabled {
                // Sessions, tokens and links stay ended when the user is enabled again.
                row.token_generation = Set(before.row.token_generation + 1);
                self.end_links(write.on(), before.id()).await?;
            }
        }
        if row.is_changed() {
            row.update(write.on()).await?;
        }
        self.finish(&write, scope, operation, before).await
    }

    /// Deletes a user with their roles, credentials and sessions. Tokens that they have are refused
    /// from now on.
    ///
    /// # Errors
    /// As [`Users::update`].
    pub async fn delete(&self, scope: &TenantScope, id: &str) -> Result<User> {
        scope.change(&self.database, |write| self.delete_in(write, scope, id)).await
    }

    async fn delete_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: &str,
    ) -> Result<User> {
        let mut user = self.lock(&write, scope, id).await?;
        Entity::delete_many().filter(Column::Id.eq(user.id())).exec(write.on()).await?;
        require_others(&write, scope, &user, None).await?;
        let entry = Entry {
            operation: "deleteUser",
            tenant: user.tenant(),
            subject: user.id().to_string(),
            before: Some(user.state()),
            after: None,
        };
        audit::record(write.on(), &*self.entropy, scope, entry).await?;
        let roles = RoleChange {
            operation: "deleteUser",
            home: user.tenant(),
            subject: user.id().to_string(),
            before: user.holds(),
            after: Vec::new(),
        };
        audit::record_roles_elsewhere(&write, &*self.entropy, scope, roles).await?;
        self.disclose(scope, std::slice::from_mut(&mut user)).await?;
        Ok(user)
    }
}
