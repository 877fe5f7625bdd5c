//! Inputs of queries and mutations, and their validation.

use async_graphql::{ID, InputObject};

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::names::{Name, NamePattern};
use crate::roles::Role;
use crate::users::email::EmailAddress;
use crate::users::model::{Grant, NewUser, UserChange, UserFilter};

/// There are four roles: a longer list repeats one.
const ROLES_MAX: usize = 16;

/// A person to invite.
#[derive(InputObject)]
pub struct InviteUserInput {
    /// The e-mail address by which the person signs in, in ASCII. Unique within the tenant; letter
    /// case is ignored.
    pub email: String,
    /// The person's name, 1 to 255 characters without control characters; surrounding space is
    /// trimmed.
    pub name: String,
    /// The UUIDs of the roles to assign in the tenant in context. Default: none. An assignment
    /// expires no later than the caller's own grant of its permissions.
    pub roles: Option<Vec<ID>>,
}

/// Changes of a user. Omitted fields stay unchanged.
#[derive(InputObject)]
pub struct UpdateUserInput {
    /// The new e-mail address.
    pub email: Option<String>,
    /// The new name.
    pub name: Option<String>,
}

/// A role to assign to a user.
#[derive(InputObject)]
pub struct UserRoleAssignmentInput {
    /// The role's UUID.
    #[graphql(name = "roleID")]
    pub role_id: ID,
    /// The tenant in which to assign the role. Default: the tenant in context.
    #[graphql(name = "tenantID")]
    pub tenant_id: Option<ID>,
    /// When the assignment expires, in RFC 3339. Default: never, or with the caller's own grant.
    pub expires_at: Option<String>,
}

/// A filter of users; all conditions must hold.
#[derive(Default, InputObject)]
pub struct UserFilterInput {
    /// Returns users whose e-mail address matches. `%` matches any text; case-insensitive.
    pub email: Option<String>,
    /// Returns users of this tenant.
    #[graphql(name = "tenantID")]
    pub tenant_id: Option<ID>,
    /// Returns users that are enabled, or that are not.
    pub enabled: Option<bool>,
}

impl InviteUserInput {
    pub fn parse(self) -> Result<NewUser> {
        let roles = self.roles.unwrap_or_default();
        if roles.len() > ROLES_MAX {
            return Err(Error::bad_input("roles", &format!("must have at most {ROLES_MAX} ids")));
        }
        Ok(NewUser {
            email: EmailAddress::parse("email", &self.email)?,
            name: Name::parse("name", &self.name)?,
            roles: roles.iter().map(|id| Role::parse("roles", id)).collect::<Result<_>>()?,
        })
    }
}

impl UpdateUserInput {
    pub fn parse(self) -> Result<UserChange> {
        let email = self.email.as_deref().map(|email| EmailAddress::parse("email", email));
        let name = self.name.as_deref().map(|name| Name::parse("name", name));
        Ok(UserChange { email: email.transpose()?, name: name.transpose()?, enabled: None })
    }
}

impl UserRoleAssignmentInput {
    pub fn parse(self) -> Result<Grant> {
        let foreign =
            || Error::forbidden("this needs the right to manage users in the tenant of the role");
        let tenant = self.tenant_id.map(|id| id.parse::<TenantId>().map_err(|_| foreign()));
        let expires_at = self.expires_at.map(|end| Timestamp::parse("expiresAt", &end));
        Ok(Grant {
            tenant: tenant.transpose()?,
            role: Role::parse("roleID", &self.role_id)?,
            expires_at: expires_at.transpose()?,
        })
    }
}

impl UserFilterInput {
    pub fn parse(self) -> Result<UserFilter> {
        let email = self.email.map(|email| NamePattern::parse("email", &email, '%'));
        let no_tenant = || Error::bad_input("tenantID", "must be the UUID of a tenant");
        let tenant = self.tenant_id.map(|id| id.parse().map_err(|_| no_tenant()));
        Ok(UserFilter {
            email: email.transpose()?,
            tenant: tenant.transpose()?,
            enabled: self.enabled,
        })
    }
}
