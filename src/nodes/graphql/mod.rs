//! `node(id)` and `nodes(ids)`, for caches that refetch an object which they know by its id.
//!
//! A global id opens nothing: each type is looked up as its own field does it, within the tenant in
//! context and those below, by what the caller may do there. Whatever is not found that way is
//! NOT_FOUND in the same words.

mod find;

use async_graphql::{Context, ID, Interface, Object};
use futures_util::FutureExt;
use futures_util::future::join_all;

use crate::audit::graphql::AuditRecord;
use crate::clients::graphql::Client;
use crate::deep_security::graphql as deep_security;
use crate::error::{Error, Result};
use crate::integration_server::graphql as integration_server;
use crate::roles::graphql::RoleObject;
use crate::tenants::graphql::TenantObject;
use crate::upstreams::graphql::{UpstreamLinkObject, UpstreamObject};

/// Each may cost a call of a legacy system.
const IDS_MAX: usize = 100;

/// An object that `node` finds by its `id`. Ids are opaque and unique over all types, tenants and
/// installations.
#[derive(Interface)]
#[graphql(
    name = "Node",
    field(name = "id", ty = "ID", desc = "The global id: opaque, and unique over all types.")
)]
#[allow(clippy::large_enum_variant, reason = "a handful of them lives for one operation")]
pub enum Node {
    Tenant(TenantObject),
    Client(Client),
    Role(RoleObject),
    Upstream(UpstreamObject),
    UpstreamLink(UpstreamLinkObject),
    AuditRecord(AuditRecord),
    DeepSecurity(deep_security::DeepSecurityObject),
    DeepSecurityTenant(deep_security::TenantObject),
    DeepSecurityComputer(deep_security::ComputerObject),
    DeepSecurityPolicy(deep_security::PolicyObject),
    DeepSecurityRole(deep_security::RoleObject),
    DeepSecurityApiKey(deep_security::ApiKeyObject),
    IntegrationServer(integration_server::IntegrationServerObject),
    IntegrationServerTenant(integration_server::TenantObject),
    IntegrationServerVirtualMachine(integration_server::MachineObject),
    IntegrationServerTask(integration_server::TaskObject),
    IntegrationServerReport(integration_server::ReportObject),
}

#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with that global id, if it belongs to the tenant in context or to one below it
    /// and the caller may read it. Any other is NOT_FOUND, whether it exists or not. BAD_USER_INPUT
    /// for a text that is no global id.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The `id` of an object.")] id: ID,
    ) -> Result<Option<Node>> {
        find::node(ctx, &id).boxed().await.map(Some)
    }

    /// The objects with those global ids, in the same order. One that is not found is null, with an
    /// error as of `node`.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100 ids of objects.")] ids: Vec<ID>,
    ) -> Result<Option<Vec<Option<Result<Node>>>>> {
        if ids.len() > IDS_MAX {
            return Err(Error::bad_input("ids", "must have at most 100 entries"));
        }
        let found = join_all(ids.iter().map(|id| find::node(ctx, id).boxed())).await;
        Ok(Some(found.into_iter().map(Some).collect()))
    }
}
