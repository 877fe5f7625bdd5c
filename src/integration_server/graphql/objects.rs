//! Tenants, machines and reports of the server.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use futures_util::FutureExt;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::auth::graphql::{operation, service};
use crate::error::Result;
use crate::global_id::{GlobalId, NodeKind};
use crate::graph::graphql::DateTime;
use crate::ids::{TaskId, UpstreamId};
use crate::integration_server::IntegrationServer;
use crate::integration_server::model::{
    Moment, RemoteId, RemoteTenant, Report, TenantKind, TenantStatus, VirtualMachine,
};

/// A date of the server in RFC 3339; null if it is malformed.
fn date(moment: Option<&Moment>) -> Option<String> {
    moment.and_then(Moment::at).map(|at| at.to_string())
}

/// A time of the server in RFC 3339; null if it is malformed.
fn moment(moment: Option<&Moment>) -> Option<DateTime> {
    moment.and_then(Moment::at).map(DateTime)
}

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

/// A machine, in the graph.
pub struct MachineObject {
    place: Uuid,
    machine: VirtualMachine,
}

impl MachineObject {
    /// A machine of the tenant behind a link.
    pub fn new(place: Uuid, machine: VirtualMachine) -> Self {
        Self { place, machine }
    }
}

/// A virtual machine that is registered for a tenant.
#[Object(name = "IntegrationServerVirtualMachine")]
impl MachineObject {
    /// The global id. Opaque; unique across types, tenants and upstreams.
    pub async fn id(&self) -> ID {
        ID(GlobalId::write(
            NodeKind::IntegrationServerVirtualMachine,
            self.place,
            &self.machine.id.canonical(),
        ))
    }

    /// The vendor's id; unique only on its server.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> ID {
        self.machine.id.canonical().into()
    }

    /// The BIOS identifier, a UUID in lower case.
    #[graphql(name = "biosID")]
    async fn bios_id(&self) -> Option<ID> {
        self.machine.bios_id.map(|id| id.to_string().into())
    }

    /// The name; null without one.
    async fn name(&self) -> Option<&str> {
        self.machine.name.as_deref()
    }

    /// Free text that is stored with the object.
    async fn user_data(&self) -> Option<&str> {
        self.machine.user_data.as_deref()
    }

    /// When the object was registered.
    async fn created_at(&self) -> Option<DateTime> {
        moment(self.machine.created.as_ref())
    }

    /// When the object was registered, in RFC 3339.
    #[graphql(deprecation = "use createdAt; offered until 2027-12-31")]
    async fn created(&self) -> Option<String> {
        date(self.machine.created.as_ref())
    }

    /// When the object last changed.
    async fn updated_at(&self) -> Option<DateTime> {
        moment(self.machine.updated.as_ref())
    }

    /// When the object last changed, in RFC 3339.
    #[graphql(deprecation = "use updatedAt; offered until 2027-12-31")]
    async fn updated(&self) -> Option<String> {
        date(self.machine.updated.as_ref())
    }
}

/// A report, in the graph.
pub struct ReportObject {
    /// The gateway's id of the task that made it.
    pub id: TaskId,
    pub remote_id: String,
    pub scope: TenantScope,
}

impl ReportObject {
    /// Reads it, once an operation.
    pub async fn read(&self, ctx: &Context<'_>) -> Result<Arc<Report>> {
        service::<IntegrationServer>(ctx)?.report(&self.scope, operation(ctx)?, self.id).await
    }
}

/// A report on the protection periods of a tenant's machines. The server keeps it for about a day.
#[Object(name = "IntegrationServerReport")]
impl ReportObject {
    /// The global id. Opaque; unique across types, tenants and upstreams.
    pub async fn id(&self) -> ID {
        // The task that made it has the bare UUID.
        ID(GlobalId::write(NodeKind::IntegrationServerReport, self.id.0, ""))
    }

    /// The vendor's id of the report; unique only on its server.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> ID {
        self.remote_id.as_str().into()
    }

    /// The protection periods of the tenant's machines, in the server's order. Ambiguous lines of
    /// the report are omitted.
    async fn periods(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<Vec<IntegrationServerProtectionPeriod>>> {
        let report = self.read(ctx).boxed().await?;
        let period = |period: &crate::integration_server::model::ReportPeriod| {
            IntegrationServerProtectionPeriod {
                virtual_machine_id: RemoteId::read(&period.machine_id)
                    .map_or_else(|| period.machine_id.clone(), |id| id.canonical())
                    .into(),
                virtual_machine_name: period.machine_name.clone(),
                protected_from: date(period.protected_from.as_ref()),
                protected_until: date(period.protected_until.as_ref()),
            }
        };
        Ok(Some(report.periods.iter().map(period).collect()))
    }
}

/// A period during which a virtual machine was protected.
#[derive(SimpleObject)]
pub struct IntegrationServerProtectionPeriod {
    /// The machine's identifier in the report.
    #[graphql(name = "virtualMachineID")]
    virtual_machine_id: ID,
    /// The machine's name.
    virtual_machine_name: String,
    /// When protection began, in RFC 3339.
    protected_from: Option<String>,
    /// When protection ended, in RFC 3339; null while it lasts.
    protected_until: Option<String>,
}

/// The result of a task that creates nothing.
#[derive(SimpleObject)]
pub struct IntegrationServerConfirmation {
    /// Always true.
    pub confirmed: bool,
}
