//! The built-in roles and what each permits.

use std::fmt;

use uuid::{Uuid, uuid};

use crate::error::{Error, Result};
use crate::ids::RoleId;

pub mod graphql;
mod permissions;

pub use permissions::Permissions;

/// A permission that a role grants in a tenant and in all tenants below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Create, rename, enable and disable tenants below.
    ManageTenants,
    /// See clients and the state of their secrets.
    ReadClients,
    /// Create, change, rotate and delete clients that hold no more than the caller.
    ManageClients,
    /// See users, their roles and which second factors they have.
    ReadUsers,
    /// Invite, change and delete users that hold no more than the caller.
    ManageUsers,
    /// Read the audit log.
    ReadAuditLog,
    /// Create upstreams and link tenants to them.
    ManageUpstreams,
    /// Read resources of legacy systems.
    ReadLegacy,
    /// Change resources of legacy systems.
    WriteLegacy,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 9] = [
        Self::ManageTenants,
        Self::ReadClients,
        Self::ManageClients,
        Self::ReadUsers,
        Self::ManageUsers,
        Self::ReadAuditLog,
        Self::ManageUpstreams,
        Self::ReadLegacy,
        Self::WriteLegacy,
    ];

    /// The name of the permission in the scope of a token.
    pub const fn scope(self) -> &'static str {
        match self {
            Self::ManageTenants => "tenants:manage",
            Self::ReadClients => "clients:read",
            Self::ManageClients => "clients:manage",
            Self::ReadUsers => "users:read",
            Self::ManageUsers => "users:manage",
            Self::ReadAuditLog => "audit:read",
            Self::ManageUpstreams => "upstreams:manage",
            Self::ReadLegacy => "legacy:read",
            Self::WriteLegacy => "legacy:write",
        }
    }

    /// The words that complete "this needs the right to …".
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::ManageTenants => "manage tenants",
            Self::ReadClients => "read clients",
            Self::ManageClients => "manage clients",
            Self::ReadUsers => "read users",
            Self::ManageUsers => "manage users",
            Self::ReadAuditLog => "read the audit log",
            Self::ManageUpstreams => "manage upstreams",
            Self::ReadLegacy => "read legacy resources",
            Self::WriteLegacy => "change legacy resources",
        }
    }
}

/// A built-in role. Its UUID is that of the Taegis contract
/// (`docs/reference/taegis-client-contract.md`, section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// May do everything.
    Administrator,
    /// Manages clients up to its own strength; reads and writes legacy resources.
    Analyst,
    /// Reads and writes legacy resources.
    Responder,
    /// Reads clients, users and legacy resources.
    Auditor,
}

impl Role {
    /// All roles, strongest first.
    pub const ALL: [Self; 4] = [Self::Administrator, Self::Analyst, Self::Responder, Self::Auditor];

    /// The role's identifier.
    pub const fn id(self) -> RoleId {
        const fn id(uuid: Uuid) -> RoleId {
            RoleId(uuid)
        }
        match self {
            Self::Administrator => id(uuid!("ba0fdcbd-e87d-4bdd-ae7d-ca6118b25068")),
            Self::Analyst => id(uuid!("a4903f9f-465b-478f-a24e-82fa2e129d2e")),
            Self::Responder => id(uuid!("a72dace7-4536-4dbc-947d-015a8eb65f4d")),
            Self::Auditor => id(uuid!("ace1cae4-59fd-4fd1-9500-40077dc529a7")),
        }
    }

    /// The role with that identifier.
    pub fn from_id(id: RoleId) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.id() == id)
    }

    /// Parses a role's identifier from a caller.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument` if no role has it.
    pub fn parse(argument: &str, id: &str) -> Result<Self> {
        id.parse().ok().and_then(Self::from_id).ok_or_else(|| {
            Error::bad_input(
                argument,
                "no such role; `authzAssignableRoles` lists those that there are",
            )
        })
    }

    /// The stable name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Administrator => "TenantAdministrator",
            Self::Analyst => "TenantAnalyst",
            Self::Responder => "TenantResponder",
            Self::Auditor => "TenantAuditor",
        }
    }

    /// The display name.
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Administrator => "Tenant Administrator",
            Self::Analyst => "Tenant Analyst",
            Self::Responder => "Tenant Responder",
            Self::Auditor => "Tenant Auditor",
        }
    }

    /// The purpose of the role, in one sentence.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Administrator => "May do everything in the tenant and in all tenants below it.",
            Self::Analyst => {
                "Manages clients that are no stronger than itself; reads and writes legacy \
                resources."
            }
            Self::Responder => "Reads and writes legacy resources.",
            Self::Auditor => "Reads clients, users and legacy resources.",
        }
    }

    /// The permissions that it grants in its tenant and in all tenants below.
    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Administrator => &Permission::ALL,
            Self::Analyst => &[
                Permission::ReadClients,
                Permission::ManageClients,
                Permission::ReadUsers,
                Permission::ReadLegacy,
                Permission::WriteLegacy,
            ],
            Self::Responder => &[Permission::ReadLegacy, Permission::WriteLegacy],
            Self::Auditor => {
                &[Permission::ReadClients, Permission::ReadUsers, Permission::ReadLegacy]
            }
        }
    }

    /// Whether it grants the permission.
    pub fn permits(self, permission: Permission) -> bool {
        self.permissions().contains(&permission)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_is_found_by_its_id() {
        for role in Role::ALL {
            assert_eq!(Role::from_id(role.id()), Some(role));
        }
    }

    #[test]
    fn administrator_holds_every_permission() {
        assert!(Permission::ALL.iter().all(|permission| Role::Administrator.permits(*permission)));
    }
}
