//! Objects by their ids, for `node`, `nodes` and other rooms.

use std::sync::Arc;

use async_graphql::Context;
use futures_util::FutureExt;

use super::computer::ComputerObject;
use super::fetch::{fetch, in_slot};
use super::key::ApiKeyObject;
use super::policy::PolicyObject;
use super::role::RoleObject;
use super::selection::selected_parts;
use super::tenant::TenantObject;
use crate::auth::TenantScope;
use crate::auth::graphql::{operation, service};
use crate::deep_security::DeepSecurity;
use crate::deep_security::manager::Manager;
use crate::deep_security::model::ObjectId;
use crate::deep_security::wire::{Policy, Resource, Role, Tenant};
use crate::error::{Error, Result};
use crate::ids::UpstreamId;

/// The manager of the scope's tenant.
///
/// # Errors
/// `UPSTREAM_NOT_LINKED` if the tenant has no manager.
pub async fn manager_of(ctx: &Context<'_>, scope: &TenantScope) -> Result<Arc<Manager>> {
    Ok(Arc::new(service::<DeepSecurity>(ctx)?.manager(scope).await?.cached()))
}

/// A computer, with the selected parts.
///
/// # Errors
/// `NOT_FOUND` if this manager has no such computer; as every call.
pub async fn computer(
    ctx: &Context<'_>,
    manager: &Arc<Manager>,
    id: &str,
) -> Result<ComputerObject> {
    let computer = fetch(ctx, manager, id, Some(&selected_parts(ctx))).await?;
    Ok(ComputerObject::new(manager, computer))
}

/// A policy.
///
/// # Errors
/// As [`computer`].
pub async fn policy(ctx: &Context<'_>, manager: &Arc<Manager>, id: &str) -> Result<PolicyObject> {
    Ok(PolicyObject::new(manager, fetch::<Policy>(ctx, manager, id, None).await?))
}

/// A role.
///
/// # Errors
/// As [`computer`].
pub async fn role(ctx: &Context<'_>, manager: &Arc<Manager>, id: &str) -> Result<RoleObject> {
    Ok(RoleObject::new(manager, fetch::<Role>(ctx, manager, id, None).await?))
}

/// An API key, without its secret.
///
/// # Errors
/// As [`computer`].
pub async fn api_key(ctx: &Context<'_>, manager: &Arc<Manager>, id: &str) -> Result<ApiKeyObject> {
    Ok(ApiKeyObject::new(manager, fetch(ctx, manager, id, None).await?))
}

/// A tenant of an installation. With `owned` it is any tenant of that installation, which the
/// scope's tenant owns; otherwise only the scope's tenant itself.
///
/// # Errors
/// `NOT_FOUND` if the scope's tenant is another one there; as every call.
pub async fn tenant(
    ctx: &Context<'_>,
    scope: &TenantScope,
    owned: Option<UpstreamId>,
    remote: &str,
) -> Result<TenantObject> {
    let id = ObjectId::parse(Tenant::KIND, remote)?;
    let service = service::<DeepSecurity>(ctx)?;
    let manager = match owned {
        Some(upstream) => service.owned(scope, Some(&upstream.to_string())).await?,
        None => service.manager(scope).await?.primary(),
    };
    if owned.is_none() && manager.remote_tenant()? != Some(id) {
        return Err(Error::not_found(Tenant::KIND));
    }
    let find = manager.find::<Tenant>(operation(ctx)?, id, None).boxed();
    let found = in_slot(ctx, manager.tenant(), find).await?;
    Ok(TenantObject::new(&Arc::new(manager), found))
}
