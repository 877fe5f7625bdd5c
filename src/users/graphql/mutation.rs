//! Changing users through the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::inputs::{InviteUserInput, UpdateUserInput, UserRoleAssignmentInput};
use super::objects::{User, UserInvitation};
use crate::auth::TenantScope;
use crate::auth::graphql::{request, service};
use crate::error::Result;
use crate::roles::Permission;
use crate::users::model::{Invited, PublicUrl, UserChange};
use crate::users::service::Users;

/// Mutations of users.
#[derive(Default)]
pub struct UserMutation;

/// All require the permission to manage users in the tenant in context. NOT_FOUND for a user outside
/// it and the tenants below it, whether or not the user exists; FORBIDDEN for a user with a role that
/// permits more than the caller may do, or for longer.
#[Object]
impl UserMutation {
    /// Creates a user in the tenant in context, and a one-time link by which the person sets a
    /// password and a second factor. The link is never shown again. FORBIDDEN for a role with more
    /// permissions than the caller has. CONFLICT if a user of the tenant has the address, or if the
    /// tenant has as many users as the setting `quotas.users_per_tenant` allows.
    async fn invite_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person to invite.")] input: InviteUserInput,
    ) -> Result<Option<UserInvitation>> {
        let (scope, users) = managed(ctx)?;
        shown(ctx, users.invite(&scope, &input.parse()?).await?)
    }

    /// Creates a new one-time link for a user who has not set a password yet. The previous link
    /// stops working. CONFLICT for a user with a password; see `resetUserPassword`.
    async fn invite_user_again(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's UUID.")] id: ID,
    ) -> Result<Option<UserInvitation>> {
        let (scope, users) = managed(ctx)?;
        shown(ctx, users.invite_again(&scope, &id).await?)
    }

    /// Changes the name or the e-mail address of a user. A one-time link that was created before
    /// stops working if the address changes. CONFLICT if another user of the tenant has the
    /// address.
    async fn update_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's UUID.")] id: ID,
        #[graphql(desc = "The changes.")] input: UpdateUserInput,
    ) -> Result<Option<User>> {
        let (scope, users) = managed(ctx)?;
        let changed = users.update(&scope, &id, "updateUser", input.parse()?).await?;
        Ok(Some(changed.into()))
    }

    /// Assigns a role to a user, in a tenant and those below it. Assigning it again changes its
    /// expiry. FORBIDDEN for a role with more permissions than the caller has in that tenant.
    /// CONFLICT for an expiry that would leave a tenant without an administrator.
    async fn assign_user_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's UUID.")] id: ID,
        #[graphql(desc = "The role to assign.")] role: UserRoleAssignmentInput,
    ) -> Result<Option<User>> {
        let (scope, users) = managed(ctx)?;
        Ok(Some(users.assign_role(&scope, &id, role.parse()?).await?.into()))
    }

    /// Removes a role from a user. The id of a role removes it in every tenant, the id of an
    /// assignment removes only that one. A role that the user does not have is ignored. CONFLICT for
    /// the last administrator of a tenant.
    async fn remove_user_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's UUID.")] id: ID,
        #[graphql(name = "roleID", desc = "The UUID of a role or role assignment.")] role_id: ID,
    ) -> Result<Option<User>> {
        let (scope, users) = managed(ctx)?;
        Ok(Some(users.remove_role(&scope, &id, &role_id).await?.into()))
    }

    /// Disables a user: they cannot sign in, and their sessions, tokens and links stop working
    /// permanently. CONFLICT for the last administrator of a tenant.
    async fn disable_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's UUID.")] id: ID,
    ) -> Result<Option<User>> {
        let (scope, users) = managed(ctx)?;
        let change = UserChange { enabled: Some(false), ..UserChange::default() };
        Ok(Some(users.update(&scope, &id, "disableUser", change).await?.into()))
    }

    /// Enables a user: they can sign in again.
    async fn enable_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's UUID.")] id: ID,
    ) -> Result<Option<User>> {
        let (scope, users) = managed(ctx)?;
        let change = UserChange { enabled: Some(true), ..UserChange::default() };
        Ok(Some(users.update(&scope, &id, "enableUser", change).await?.into()))
    }

    /// Removes the second factors, the recovery codes and the password of a user, ends their
    /// sessions and tokens, and creates a one-time link by which the person sets all of them anew.
    /// CONFLICT for the last administrator of a tenant.
    async fn reset_user_mfa(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's UUID.")] id: ID,
    ) -> Result<Option<UserInvitation>> {
        let (scope, users) = managed(ctx)?;
        shown(ctx, users.reset_mfa(&scope, &id).await?)
    }

    /// Removes the password of a user, ends their sessions and tokens, and creates a one-time link
    /// by which the person sets a new one. Second factors stay. CONFLICT for the last administrator
    /// of a tenant.
    async fn reset_user_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's UUID.")] id: ID,
    ) -> Result<Option<UserInvitation>> {
        let (scope, users) = managed(ctx)?;
        shown(ctx, users.reset_password(&scope, &id).await?)
    }

    /// Ends all sessions and tokens of a user, who can sign in again.
    async fn sign_out_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's UUID.")] id: ID,
    ) -> Result<Option<User>> {
        let (scope, users) = managed(ctx)?;
        Ok(Some(users.sign_out(&scope, &id).await?.into()))
    }

    /// Deletes a user and ends their sessions and tokens. Returns the user as they were. CONFLICT
    /// for the last administrator of a tenant.
    async fn delete_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's UUID.")] id: ID,
    ) -> Result<Option<User>> {
        let (scope, users) = managed(ctx)?;
        Ok(Some(users.delete(&scope, &id).await?.into()))
    }
}

/// The scope that proves the right to manage users, and the users.
fn managed<'a>(ctx: &Context<'a>) -> Result<(TenantScope, &'a Arc<Users>)> {
    Ok((request(ctx)?.scope(Permission::ManageUsers)?, service::<Users>(ctx)?))
}

fn shown(ctx: &Context<'_>, invited: Invited) -> Result<Option<UserInvitation>> {
    Ok(Some(UserInvitation::new(service::<PublicUrl>(ctx)?, invited)))
}
