//! The GraphQL types of users.

use async_graphql::{ID, SimpleObject};

use crate::clock::Timestamp;
use crate::roles::Role;
use crate::users::entity::assignment;
use crate::users::model::{self, Invited, PublicUrl};

/// A person who signs in. Passwords, keys and codes are never shown.
#[derive(Clone, SimpleObject)]
pub struct User {
    /// The user's UUID.
    #[graphql(owned)]
    pub id: ID,
    /// The tenant that the user belongs to.
    #[graphql(name = "tenantID")]
    tenant_id: ID,
    /// The e-mail address by which the person signs in.
    email: String,
    /// The person's name.
    name: String,
    /// Whether the user can sign in, and whether their sessions and tokens work.
    enabled: bool,
    /// Whether a password is set. False until an invitation is accepted, and after a reset.
    has_password: bool,
    /// Whether an authenticator app is set up.
    has_totp: bool,
    /// The number of passkeys.
    passkey_count: i32,
    /// When the latest one-time link expires, in RFC 3339; null if none is open.
    invited_until: Option<String>,
    /// When the person last signed in, in RFC 3339; null if never.
    last_sign_in_at: Option<String>,
    /// The user's role assignments, including expired ones.
    role_assignments: Vec<UserRoleAssignment>,
    /// When the object was created, in RFC 3339.
    created_at: String,
    /// When the user was last changed, in RFC 3339. Signing in is not a change.
    updated_at: String,
    /// The creator: the UUID of a client or user, or `operator` for the command line.
    created_by: String,
    /// The author of the last change, in the form of `createdBy`.
    updated_by: String,
}

/// A role that a user holds in a tenant and in all tenants below it.
#[derive(Clone, SimpleObject)]
pub struct UserRoleAssignment {
    /// The assignment's UUID.
    id: ID,
    /// The tenant in which the role is held.
    #[graphql(name = "tenantID")]
    tenant_id: ID,
    /// The role's UUID.
    #[graphql(name = "roleID")]
    role_id: ID,
    /// The role's name, such as `TenantAnalyst`.
    role_name: Option<&'static str>,
    /// When the assignment expires, in RFC 3339; null if it does not.
    expires_at: Option<String>,
}

/// A user and a one-time link by which the person sets a password.
#[derive(SimpleObject)]
pub struct UserInvitation {
    /// The user.
    user: User,
    /// The link, shown only once. Send it to the person over a channel that you trust: the first
    /// person to open it sets the password.
    #[graphql(name = "inviteURL")]
    invite_url: String,
    /// When the link expires, in RFC 3339.
    expires_at: String,
}

fn text(moment: Timestamp) -> String {
    moment.to_string()
}

impl From<model::User> for User {
    fn from(user: model::User) -> Self {
        let row = user.row;
        Self {
            id: row.id.to_string().into(),
            tenant_id: row.tenant_id.to_string().into(),
            email: row.email,
            name: row.name,
            enabled: row.enabled,
            has_password: row.password_hash.is_some(),
            has_totp: user.factors.totp,
            passkey_count: i32::try_from(user.factors.passkeys).unwrap_or(i32::MAX),
            invited_until: user.invited_until.map(text),
            last_sign_in_at: row.last_sign_in_at.map(text),
            role_assignments: user.assignments.iter().map(UserRoleAssignment::from).collect(),
            created_at: text(row.created_at),
            updated_at: text(row.updated_at),
            created_by: row.created_by,
            updated_by: row.updated_by,
        }
    }
}

impl From<&assignment::Model> for UserRoleAssignment {
    fn from(held: &assignment::Model) -> Self {
        Self {
            id: held.id.to_string().into(),
            tenant_id: held.tenant_id.to_string().into(),
            role_id: held.role_id.to_string().into(),
            role_name: Role::from_id(held.role_id).map(Role::name),
            expires_at: held.expires_at.map(text),
        }
    }
}

impl UserInvitation {
    /// The answer that shows a link.
    pub fn new(url: &PublicUrl, invited: Invited) -> Self {
        Self {
            invite_url: url.invitation(&invited.token),
            expires_at: text(invited.expires_at),
            user: invited.user.into(),
        }
    }
}
