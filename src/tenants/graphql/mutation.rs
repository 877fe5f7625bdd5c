//! Mutations of tenants.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};

use super::object::TenantObject;
use crate::auth::graphql::{request, service};
use crate::error::{Error, Result};
use crate::names::Name;
use crate::patch::Patch;
use crate::roles::Permission;
use crate::tenants::Tenants;
use crate::tenants::model::{self, NewTenant, TenantChange};

/// A tenant to create.
#[derive(InputObject)]
pub struct TenantCreateInput {
    /// The name, 1 to 255 characters without control characters; surrounding space is trimmed.
    name: String,
    /// The id of the parent tenant. Default: the tenant in context.
    #[graphql(name = "parentTenantID")]
    parent_tenant_id: Option<ID>,
    /// Whether the tenant is a partner, which manages the tenants of customers. Default: false.
    is_partner: Option<bool>,
    /// Whether the tenant is an organization, which groups the tenants of a customer. Default:
    /// false.
    is_organization: Option<bool>,
}

/// Changes of a tenant. Omitted fields stay unchanged.
#[derive(InputObject)]
pub struct TenantUpdateInput {
    /// The new name, 1 to 255 characters.
    name: Option<String>,
    /// Whether the tenant and those below it can be entered.
    enabled: Option<bool>,
    /// The maximum age of secrets in the tenant and those below it, in seconds, 60 to 315360000;
    /// null removes the limit. It applies to existing and new secrets; a longer limit does not
    /// revive expired secrets. Existing secrets of a client with more permissions, or with
    /// permissions for longer, than the caller has are not affected; its next secret is.
    max_secret_age: MaybeUndefined<i32>,
}

/// Mutations of tenants.
#[derive(Default)]
pub struct TenantMutation;

#[Object]
impl TenantMutation {
    /// Creates a tenant below the tenant in context. NOT_FOUND for a parent outside the tenant in
    /// context. CONFLICT if a tenant above has as many tenants as the settings `quotas.*` allow.
    /// Requires the permission to manage tenants.
    async fn create_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant to create.")] new_tenant: TenantCreateInput,
    ) -> Result<Option<TenantObject>> {
        let scope = request(ctx)?.scope(Permission::ManageTenants)?;
        let parent = new_tenant
            .parent_tenant_id
            .map(|id| id.parse().map_err(|_| Error::not_found("tenant")));
        let new = NewTenant {
            name: Name::parse("name", &new_tenant.name)?,
            parent: parent.transpose()?,
            is_partner: new_tenant.is_partner.unwrap_or(false),
            is_organization: new_tenant.is_organization.unwrap_or(false),
        };
        Ok(Some(service::<Tenants>(ctx)?.create(&scope, new).await?.into()))
    }

    /// Renames, enables or disables a tenant, or limits the age of its secrets. CONFLICT for
    /// disabling the tenant in context, and for a change that would lock out the last administrator
    /// of a tenant. Requires the permission to manage tenants.
    async fn update_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant's id.", name = "tenantID")] tenant_id: ID,
        #[graphql(desc = "The changes.")] tenant_update: TenantUpdateInput,
    ) -> Result<Option<TenantObject>> {
        let scope = request(ctx)?.scope(Permission::ManageTenants)?;
        let max_secret_age = match tenant_update.max_secret_age {
            MaybeUndefined::Undefined => Patch::Keep,
            MaybeUndefined::Null => Patch::Clear,
            MaybeUndefined::Value(seconds) => Patch::Set(model::secret_age(seconds)?),
        };
        let name =
            tenant_update.name.as_deref().map(|name| Name::parse("name", name)).transpose()?;
        let change = TenantChange { name, enabled: tenant_update.enabled, max_secret_age };
        Ok(Some(service::<Tenants>(ctx)?.update(&scope, &tenant_id, change).await?.into()))
    }
}
