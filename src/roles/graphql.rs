//! Roles in the graph.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::Role;
use crate::auth::RoleGrant;
use crate::auth::graphql::request;
use crate::error::Result;
use crate::graph::graphql::TenantReference;

/// A set of permissions that can be assigned to a client in a tenant and those below it.
#[derive(SimpleObject)]
#[graphql(name = "Role")]
pub struct RoleObject {
    /// The role's UUID, as taken by `createClient` and `appendClientRoles`.
    #[graphql(owned)]
    pub id: ID,
    /// The name, such as `TenantAnalyst`.
    name: &'static str,
    /// The display name.
    display_name: &'static str,
    /// The purpose of the role.
    description: &'static str,
}

impl From<Role> for RoleObject {
    fn from(role: Role) -> Self {
        Self {
            id: role.id().to_string().into(),
            name: role.name(),
            display_name: role.display_name(),
            description: role.description(),
        }
    }
}

/// A role that the caller has in a tenant.
#[derive(SimpleObject)]
pub struct EffectiveRole {
    /// The role.
    role: RoleObject,
    /// The tenant in which the role is assigned: the tenant itself, or one above it.
    via: ID,
    /// The tenant in which the role is assigned; null if the caller cannot enter it.
    via_tenant: Option<TenantReference>,
}

impl EffectiveRole {
    /// The role of the caller; `within_links` as in [`TenantReference`].
    pub fn new(held: &RoleGrant, within_links: bool) -> Self {
        let via = TenantReference { id: held.via, within_links };
        Self { role: held.role.into(), via: held.via.to_string().into(), via_tenant: Some(via) }
    }
}

/// Queries of roles.
#[derive(Default)]
pub struct RoleQuery;

#[Object]
impl RoleQuery {
    /// Lists the roles that the caller can assign to a client in the tenant in context: those with
    /// no more permissions than the caller has there. Empty without the permission to manage
    /// clients.
    async fn authz_assignable_roles(&self, ctx: &Context<'_>) -> Result<Option<Vec<RoleObject>>> {
        let context = request(ctx)?;
        Ok(Some(
            Role::ALL
                .into_iter()
                .filter(|role| context.may_grant(*role))
                .map(RoleObject::from)
                .collect(),
        ))
    }
}
