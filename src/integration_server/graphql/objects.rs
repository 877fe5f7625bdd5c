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

/// A date of the server in RFC 3339; null if what it wrote is none.
fn date(moment: Option<&Moment>) -> Option<String> {
    moment.and_then(Moment::at).map(|at| at.to_string())
}

/// A moment of the server; null if what it wrote is none.
fn moment(moment: Option<&Moment>) -> Option<DateTime> {
    moment.and_then(Moment::at).map(DateTime)
}

/// Whether a tenant of the server is active.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum IntegrationServerTenantStatus {
    /// Activated.
    Active,
    /// Made and not activated, or deactivated.
    Inactive,
    /// Something else; `statusText` says what.
    Unknown,
}

/// What the server sets up for a tenant.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum IntegrationServerTenantType {
    /// A row in its database, and the whole protection infrastructure in Security Center.
    Complete,
    /// A row in its database alone.
    Simple,
    /// Something else; `typeText` says what.
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
    /// The global id: opaque, and unique over all types, tenants and installations.
    pub async fn id(&self) -> ID {
        ID(GlobalId::write(
            NodeKind::IntegrationServerTenant,
            self.upstream.0,
            &self.tenant.id.canonical(),
        ))
    }

    /// The server's identifier, unique on its server only.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> ID {
        self.tenant.id.canonical().into()
    }

    /// The name, as given at creation.
    async fn name(&self) -> &str {
        &self.tenant.name
    }

    /// What somebody wrote about it.
    async fn description(&self) -> Option<&str> {
        self.tenant.description.as_deref()
    }

    /// Free text that was given with it, as it was given.
    async fn user_data(&self) -> Option<&str> {
        self.tenant.user_data.as_deref()
    }

    /// Whether it is active.
    async fn status(&self) -> Option<IntegrationServerTenantStatus> {
        self.tenant.status.as_ref().map(|status| match status {
            TenantStatus::Active => IntegrationServerTenantStatus::Active,
            TenantStatus::Inactive => IntegrationServerTenantStatus::Inactive,
            TenantStatus::Unknown(_) => IntegrationServerTenantStatus::Unknown,
        })
    }

    /// The status in the server's word.
    async fn status_text(&self) -> Option<&str> {
        self.tenant.status.as_ref().map(TenantStatus::as_str)
    }

    /// What was set up for it.
    #[graphql(name = "type")]
    async fn kind(&self) -> Option<IntegrationServerTenantType> {
        self.tenant.kind.as_ref().map(|kind| match kind {
            TenantKind::Complete => IntegrationServerTenantType::Complete,
            TenantKind::Simple => IntegrationServerTenantType::Simple,
            TenantKind::Unknown(_) => IntegrationServerTenantType::Unknown,
        })
    }

    /// The type in the server's word.
    async fn type_text(&self) -> Option<&str> {
        self.tenant.kind.as_ref().map(TenantKind::as_str)
    }

    /// Its virtual Administration Server; only a COMPLETE tenant has one.
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

    /// When it was registered.
    async fn created_at(&self) -> Option<DateTime> {
        moment(self.tenant.created.as_ref())
    }

    /// When it was registered, in RFC 3339.
    #[graphql(deprecation = "use createdAt; offered until 2027-12-31")]
    async fn created(&self) -> Option<String> {
        date(self.tenant.created.as_ref())
    }

    /// When its data last changed.
    async fn updated_at(&self) -> Option<DateTime> {
        moment(self.tenant.updated.as_ref())
    }

    /// When its data last changed, in RFC 3339.
    #[graphql(deprecation = "use updatedAt; offered until 2027-12-31")]
    async fn updated(&self) -> Option<String> {
        date(self.tenant.updated.as_ref())
    }
}

/// A virtual Administration Server in Security Center.
#[derive(SimpleObject)]
pub struct IntegrationServerAdministrationServer {
    /// The global id: opaque, and unique over all types, tenants and installations.
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
    /// A machine of a tenant, which its link stands for.
    pub fn new(place: Uuid, machine: VirtualMachine) -> Self {
        Self { place, machine }
    }
}

/// A virtual machine that is registered for a tenant.
#[Object(name = "IntegrationServerVirtualMachine")]
impl MachineObject {
    /// The global id: opaque, and unique over all types, tenants and installations.
    pub async fn id(&self) -> ID {
        ID(GlobalId::write(
            NodeKind::IntegrationServerVirtualMachine,
            self.place,
            &self.machine.id.canonical(),
        ))
    }

    /// The server's identifier, unique on its server only.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> ID {
        self.machine.id.canonical().into()
    }

    /// The BIOS identifier, a UUID in lower case.
    #[graphql(name = "biosID")]
    async fn bios_id(&self) -> Option<ID> {
        self.machine.bios_id.map(|id| id.to_string().into())
    }

    /// The name, if it was given one.
    async fn name(&self) -> Option<&str> {
        self.machine.name.as_deref()
    }

    /// Free text that was given with it, as it was given.
    async fn user_data(&self) -> Option<&str> {
        self.machine.user_data.as_deref()
    }

    /// When it was registered.
    async fn created_at(&self) -> Option<DateTime> {
        moment(self.machine.created.as_ref())
    }

    /// When it was registered, in RFC 3339.
    #[graphql(deprecation = "use createdAt; offered until 2027-12-31")]
    async fn created(&self) -> Option<String> {
        date(self.machine.created.as_ref())
    }

    /// When its data last changed.
    async fn updated_at(&self) -> Option<DateTime> {
        moment(self.machine.updated.as_ref())
    }

    /// When its data last changed, in RFC 3339.
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

/// A report on how long the machines of a tenant were protected. The server keeps it for about a
/// day.
#[Object(name = "IntegrationServerReport")]
impl ReportObject {
    /// The global id: opaque, and unique over all types, tenants and installations.
    pub async fn id(&self) -> ID {
        // The task that made it has the bare UUID.
        ID(GlobalId::write(NodeKind::IntegrationServerReport, self.id.0, ""))
    }

    /// The vendor's id of the report, which other servers may use for reports of their own.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> ID {
        self.remote_id.as_str().into()
    }

    /// The periods of protection of the tenant's machines, in the server's order; several for a
    /// machine that was protected several times. Lines that cannot be read without guessing are
    /// left out.
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

/// One period in which one machine was protected.
#[derive(SimpleObject)]
pub struct IntegrationServerProtectionPeriod {
    /// The machine's identifier, as the report has it.
    #[graphql(name = "virtualMachineID")]
    virtual_machine_id: ID,
    /// The machine's name.
    virtual_machine_name: String,
    /// When protection began, in RFC 3339.
    protected_from: Option<String>,
    /// When it ended, in RFC 3339; absent while it lasts.
    protected_until: Option<String>,
}

/// That what was asked for is so.
#[derive(SimpleObject)]
pub struct IntegrationServerConfirmation {
    /// True.
    pub confirmed: bool,
}
