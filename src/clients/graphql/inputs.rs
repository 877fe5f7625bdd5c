//! Input types, and their validation.

use async_graphql::{ID, InputObject};

use crate::clients::model::Grant;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::roles::Role;

/// A list of ids becomes a statement: it has a limit.
const LIST_MAX: usize = 1000;

/// Further input of `createClient`.
#[derive(Default, InputObject)]
pub struct CreateClientInput {
    /// The tenant that is responsible for the client. FORBIDDEN for a tenant that the caller cannot
    /// enter.
    #[graphql(name = "ownerTenantID")]
    pub owner_tenant_id: Option<ID>,
}

/// Changes of a client. Omitted fields stay unchanged.
#[derive(InputObject)]
pub struct UpdateClientInput {
    /// The new name, 1 to 255 characters without control characters; surrounding space is trimmed.
    pub name: Option<String>,
    /// Whether the client is enabled. Disabling it invalidates its tokens permanently, and it
    /// obtains no new ones.
    pub enabled: Option<bool>,
}

/// A role to assign to a client.
#[derive(InputObject)]
pub struct ClientRoleAssignmentInput {
    /// The tenant in which the role is assigned. Default: the tenant in context.
    #[graphql(name = "tenantID")]
    tenant_id: Option<ID>,
    /// The role's UUID.
    #[graphql(name = "roleID")]
    role_id: Option<ID>,
    /// When the assignment expires, in RFC 3339 and in the future. Default: never, but no later
    /// than the caller's own grant of the permissions of the role.
    expires_at: Option<String>,
    /// The tenant in which the role is assigned.
    #[graphql(name = "tenant_id", deprecation = "use tenantID")]
    tenant_id_twin: Option<ID>,
    /// The role's UUID.
    #[graphql(name = "role_id", deprecation = "use roleID")]
    role_id_twin: Option<ID>,
    /// When it expires.
    #[graphql(name = "expires_at", deprecation = "use expiresAt")]
    expires_at_twin: Option<String>,
}

impl ClientRoleAssignmentInput {
    /// Checks it. Both spellings of a field may be given if they agree.
    pub fn parse(self) -> Result<Grant> {
        let tenant =
            agreed("tenantID", self.tenant_id.map(|id| id.0), self.tenant_id_twin.map(|id| id.0))?;
        let role = agreed("roleID", self.role_id.map(|id| id.0), self.role_id_twin.map(|id| id.0))?;
        let expires_at = agreed("expiresAt", self.expires_at, self.expires_at_twin)?;
        Ok(Grant {
            tenant: tenant.map(|id| parse_tenant(&id)).transpose()?,
            role: Role::parse(
                "roleID",
                &role.ok_or_else(|| Error::bad_input("roleID", "is required"))?,
            )?,
            expires_at: expires_at.map(|text| Timestamp::parse("expiresAt", &text)).transpose()?,
        })
    }
}

fn agreed(argument: &str, present: Option<String>, twin: Option<String>) -> Result<Option<String>> {
    match (present, twin) {
        (Some(one), Some(two)) if one != two => {
            Err(Error::bad_input(argument, "is given twice and differently"))
        }
        (one, two) => Ok(one.or(two)),
    }
}

/// A tenant id from a caller. A malformed id is refused like a foreign tenant.
///
/// # Errors
/// `FORBIDDEN`.
pub fn parse_tenant(id: &str) -> Result<TenantId> {
    id.parse().map_err(|_| {
        Error::forbidden("this needs the right to manage clients in the tenant of the role")
    })
}

/// The roles with these ids, each once.
///
/// # Errors
/// `BAD_USER_INPUT` naming `argument` for an id that is no role's.
pub fn parse_roles(argument: &'static str, ids: &[ID]) -> Result<Vec<Role>> {
    let mut roles = Vec::new();
    for id in ids {
        let role = Role::parse(argument, id)?;
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    Ok(roles)
}

/// A list that is not too long.
///
/// # Errors
/// `BAD_USER_INPUT` naming `argument`.
pub fn limited<T>(argument: &'static str, list: Option<Vec<T>>) -> Result<Option<Vec<T>>> {
    match list {
        Some(list) if list.len() > LIST_MAX => {
            Err(Error::bad_input(argument, "must have at most 1000 entries"))
        }
        list => Ok(list),
    }
}
