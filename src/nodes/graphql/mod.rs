//! `node(id)` and `nodes(ids)`, with which caches refetch an object by its id.
//!
//! A global id grants no access: each type is looked up like its own field, within the tenant in
//! context and those below, by the caller's permissions there. Everything else is NOT_FOUND with
//! the same message.

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
use crate::users::graphql::User;

/// Each id may cost a call of a legacy system.
const IDS_MAX: usize = 100;

/// An object with a global id. Ids are opaque, and unique across types, tenants and upstreams.
#[derive(Interface)]
#[graphql(
    name = "Node",
    field(
        name = "id",
        ty = "ID",
        desc = "The global id. Opaque; unique across types, tenants and upstreams."
    )
)]
#[allow(clippy::large_enum_variant, reason = "a handful of them lives for one operation")]
pub enum Node {
    /// A tenant.
    Tenant(TenantObject),
    /// A client.
    Client(Client),
    /// A user.
    User(User),
    /// A role.
    Role(RoleObject),
    /// An upstream.
    Upstream(UpstreamObject),
    /// A link of a tenant to an upstream.
    UpstreamLink(UpstreamLinkObject),
    /// A record of the audit log.
    AuditRecord(AuditRecord),
    /// Deep Security of a tenant.
    DeepSecurity(deep_security::DeepSecurityObject),
    /// A tenant of a Deep Security installation.
    DeepSecurityTenant(deep_security::TenantObject),
    /// A computer.
    DeepSecurityComputer(deep_security::ComputerObject),
    /// A policy.
    DeepSecurityPolicy(deep_security::PolicyObject),
    /// A role of Deep Security.
    DeepSecurityRole(deep_security::RoleObject),
    /// An API key of Deep Security.
    DeepSecurityApiKey(deep_security::ApiKeyObject),
    /// The Integration Server of a tenant.
    IntegrationServer(integration_server::IntegrationServerObject),
    /// A tenant of an Integration Server.
    IntegrationServerTenant(integration_server::TenantObject),
    /// A virtual machine.
    IntegrationServerVirtualMachine(integration_server::MachineObject),
    /// A task.
    IntegrationServerTask(integration_server::TaskObject),
    /// A report.
    IntegrationServerReport(integration_server::ReportObject),
}

/// Lookup of objects by their global ids.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Returns the object with a global id, if it belongs to the tenant in context or one below it
    /// and the caller can read it. NOT_FOUND for any other. BAD_USER_INPUT if the id is malformed.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's global id.")] id: ID,
    ) -> Result<Option<Node>> {
        find::node(ctx, &id).boxed().await.map(Some)
    }

    /// Returns the objects with global ids, in the same order. An object that is not found is null,
    /// with an error as in `node`.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The objects' global ids, at most 100.")] ids: Vec<ID>,
    ) -> Result<Option<Vec<Option<Result<Node>>>>> {
        if ids.len() > IDS_MAX {
            return Err(Error::bad_input("ids", "must have at most 100 entries"));
        }
        let found = join_all(ids.iter().map(|id| find::node(ctx, id).boxed())).await;
        Ok(Some(found.into_iter().map(Some).collect()))
    }
}
