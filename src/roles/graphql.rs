//! Roles in the graph.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::Role;
use crate::auth::Held;
use crate::auth::graphql::request;
use crate::error::Result;
use crate::graph::graphql::TenantReference;

/// A fixed set of permissions that a client may hold in a tenant, and with it in all tenants below.
#[derive(SimpleObject)]
#[graphql(name = "Role")]
pub struct RoleObject {
    /// The role's UUID, as `createClient` and `appendClientRoles` take it.
    #[graphql(owned)]
    pub id: ID,
    /// The name that scripts know it by, such as `TenantAnalyst`.
    name: &'static str,
    /// The name for people.
    display_name: &'static str,
    /// What the role is for.
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

/// A role with which the caller stands in a tenant.
#[derive(SimpleObject)]
pub struct EffectiveRole {
    /// The role.
    role: RoleObject,
    /// The tenant in which it is held: the tenant itself, or one above it.
    via: ID,
    /// The tenant in which it is held; null where the caller may not enter it.
    via_tenant: Option<TenantReference>,
}

impl EffectiveRole {
    /// A role that the caller holds; `within_links` as in [`TenantReference`].
    pub fn new(held: &Held, within_links: bool) -> Self {
        let via = TenantReference { id: held.via, within_links };
        Self { role: held.role.into(), via: held.via.to_string().into(), via_tenant: Some(via) }
    }
}

#[derive(Default)]
pub struct RoleQuery;

#[Object]
impl RoleQuery {
    /// The roles that the caller may give to a client in the tenant in context: none that permits
    /// more than the caller may do there, and none at all without the right to manage clients.
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
