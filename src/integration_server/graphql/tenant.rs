//! Tenants of the server.

use async_graphql::{Enum, ID, Object, SimpleObject};

use super::dates::{date, moment};
use crate::global_id::{GlobalId, NodeKind};
use crate::graph::graphql::DateTime;
use crate::ids::UpstreamId;
use crate::integration_server::model::{RemoteTenant, TenantKind, TenantStatus};

/// The status of a tenant of the server.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum IntegrationServerTenantStatus {
    /// Active.
    Active,
    /// Not yet activated, or deactivated.
    Inactive,
    /// A status that this version of the gateway does not know; `statusText` has it.
    Unknown,
}

/// The extent of the setup of a tenant.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum IntegrationServerTenantType {
    /// An entry in the server's database, and the protection infrastructure in Security Center.
    Complete,
    /// An entry in the server's database only.
    Simple,
    /// A type that this version of the gateway does not know; `typeText` has it.
    Unknown,
}

/// A tenant of the server, in the graph.
pub struct TenantObject {
    upstream: UpstreamId,
    tenant: RemoteTenant,
}

impl TenantObject {
    /// A tenant of that installation.
    pub fn new(upstream: UpstreamId, tenant: RemoteTenant) -> Self {
        Self { upstream, tenant }
    }
}

/// A tenant in the database of an Integration Server.
#[Object(name = "IntegrationServerTenant")]
impl TenantObject {
    /// The global id. Opaque; unique across types, tenants and upstreams.
    pub async fn id(&self) -> ID {
        ID(GlobalId::write(
            NodeKind::IntegrationServerTenant,
            self.upstream.0,
            &self.tenant.id.canonical(),
        ))
    }

    /// The vendor's id; unique only on its server.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> ID {
        self.tenant.id.canonical().into()
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.tenant.name
    }

    /// The description.
    async fn description(&self) -> Option<&str> {
        self.tenant.description.as_deref()
    }

    /// Free text that is stored with the object.
    async fn user_data(&self) -> Option<&str> {
        self.tenant.user_data.as_deref()
    }

    /// The status.
    async fn status(&self) -> Option<IntegrationServerTenantStatus> {
        self.tenant.status.as_ref().map(|status| match status {
            TenantStatus::Active => IntegrationServerTenantStatus::Active,
            TenantStatus::Inactive => IntegrationServerTenantStatus::Inactive,
            TenantStatus::Unknown(_) => IntegrationServerTenantStatus::Unknown,
        })
    }

    /// The status as the server spells it.
    async fn status_text(&self) -> Option<&str> {
        self.tenant.status.as_ref().map(TenantStatus::as_str)
    }

    /// The extent of the setup.
    #[graphql(name = "type")]
    async fn kind(&self) -> Option<IntegrationServerTenantType> {
        self.tenant.kind.as_ref().map(|kind| match kind {
            TenantKind::Complete => IntegrationServerTenantType::Complete,
            TenantKind::Simple => IntegrationServerTenantType::Simple,
            TenantKind::Unknown(_) => IntegrationServerTenantType::Unknown,
        })
    }

    /// The type as the server spells it.
    async fn type_text(&self) -> Option<&str> {
        self.tenant.kind.as_ref().map(TenantKind::as_str)
    }

    /// The tenant's virtual Administration Server; null unless the tenant is COMPLETE.
    async fn administration_server(&self) -> Option<IntegrationServerAdministrationServer> {
        self.tenant.administration_server.clone().map(|server| {
            IntegrationServerAdministrationServer {
                id: server.id.as_deref().map(|id| {
                    ID(GlobalId::write(
                        NodeKind::IntegrationServerAdministrationServer,
                        self.upstream.0,
                        id,
                    ))
                }),
                remote_id: server.id.map(ID),
                administrator: server.administrator,
            }
        })
    }

    /// When the object was registered.
    async fn created_at(&self) -> Option<DateTime> {
        moment(self.tenant.created.as_ref())
    }

    /// When the object was registered, in RFC 3339.
    #[graphql(deprecation = "use createdAt; offered until 2027-12-31")]
    async fn created(&self) -> Option<String> {
        date(self.tenant.created.as_ref())
    }

    /// When the object last changed.
    async fn updated_at(&self) -> Option<DateTime> {
        moment(self.tenant.updated.as_ref())
    }

    /// When the object last changed, in RFC 3339.
    #[graphql(deprecation = "use updatedAt; offered until 2027-12-31")]
    async fn updated(&self) -> Option<String> {
        date(self.tenant.updated.as_ref())
    }
}

/// A virtual Administration Server in Security Center.
#[derive(SimpleObject)]
pub struct IntegrationServerAdministrationServer {
    /// The global id. Opaque; unique across types, tenants and upstreams.
    id: Option<ID>,
    /// Its identifier in Security Center.
    #[graphql(name = "remoteID")]
    remote_id: Option<ID>,
    /// The name of its administrator's account.
    administrator: Option<String>,
}
