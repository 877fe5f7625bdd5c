//! Resets passwords and second factors, and ends sign-ins, for administrators.

use std::sync::Arc;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set,
};

use super::Users;
use crate::auth::TenantScope;
use crate::database::Write;
use crate::error::Result;
use crate::ids::UserId;
use crate::users::entity::credential::{recovery, totp};
use crate::users::entity::{Model, passkey};
use crate::users::model::{Invited, Purpose, User};

impl Users {
    /// Takes a user's password away, ends their sessions and tokens, and makes a link by which they
    /// set a new one. Their second factors stay.
    ///
    /// # Errors
    /// `NOT_FOUND` outside the scope, `FORBIDDEN` for a user whom the caller has no authority over,
    /// `CONFLICT` for the last administrator of a tenant.
    pub async fn reset_password(&self, scope: &TenantScope, id: &str) -> Result<Invited> {
        let reset = |write| self.reset(write, scope, id, "resetUserPassword", Purpose::Password);
        scope.change(&self.database, reset).await
    }

    /// Removes a user's second factors and recovery codes, and their password with them: a thief of
    /// the password must not be able to set up the next second factor. Ends their sessions and
    /// tokens, and makes a link by which they set both anew.
    ///
    /// # Errors
    /// As [`Users::reset_password`].
    pub async fn reset_mfa(&self, scope: &TenantScope, id: &str) -> Result<Invited> {
        let reset = |write| self.reset(write, scope, id, "resetUserMfa", Purpose::Mfa);
        scope.change(&self.database, reset).await
    }

    async fn reset(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: &str,
        operation: &'static str,
        purpose: Purpose,
    ) -> Result<Invited> {
        let before = self.lock(&write, scope, id).await?;
        self.forget_password(&write, before.row.clone()).await?;
        if purpose == Purpose::Mfa {
            remove_factors(write.on(), before.id()).await?;
        }
        let (token, expires_at) = self.new_link(write.on(), scope, before.id(), purpose).await?;
        let user = self.finish(&write, scope, operation, before).await?;
        Ok(Invited { user, token, expires_at })
    }

    async fn forget_password(&self, write: &Write<'_>, row: Model) -> Result<()> {
        let mut row = self.end_sign_ins(write, row).await?.into_active_model();
        row.password_hash = Set(None);
        row.update(write.on()).await?;
        Ok(())
    }

    /// Ends all sessions and tokens of a user.
    ///
    /// # Errors
    /// `NOT_FOUND` outside the scope, `FORBIDDEN` for a user whom the caller has no authority over.
    pub async fn sign_out(&self, scope: &TenantScope, id: &str) -> Result<User> {
        scope.change(&self.database, |write| self.sign_out_in(write, scope, id)).await
    }

    async fn sign_out_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: &str,
    ) -> Result<User> {
        let before = self.lock(&write, scope, id).await?;
        self.end_sign_ins(&write, before.row.clone()).await?;
        self.finish(&write, scope, "signOutUser", before).await
    }
}

async fn remove_factors(on: &impl ConnectionTrait, user: UserId) -> Result<()> {
    totp::Entity::delete_many().filter(totp::Column::UserId.eq(user)).exec(on).await?;
    passkey::Entity::delete_many().filter(passkey::Column::UserId.eq(user)).exec(on).await?;
    recovery::Entity::delete_many().filter(recovery::Column::UserId.eq(user)).exec(on).await?;
    Ok(())
}
