//! Reports, and the results of tasks without an object.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use futures_util::FutureExt;

use super::dates::date;
use crate::auth::TenantScope;
use crate::auth::graphql::{operation, service};
use crate::error::Result;
use crate::global_id::{GlobalId, NodeKind};
use crate::ids::TaskId;
use crate::integration_server::IntegrationServer;
use crate::integration_server::model::{RemoteId, Report, ReportPeriod};

/// A report, in the graph.
pub struct ReportObject {
    /// The gateway's id of the task that made it.
    pub id: TaskId,
    /// The vendor's id.
    pub remote_id: String,
    /// The scope in which the task was found.
    pub scope: TenantScope,
}

impl ReportObject {
    /// Reads the report, once an operation.
    ///
    /// # Errors
    /// As [`IntegrationServer::report`].
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
        let period = |period: &ReportPeriod| IntegrationServerProtectionPeriod {
            virtual_machine_id: RemoteId::read(&period.machine_id)
                .map_or_else(|| period.machine_id.clone(), |id| id.canonical())
                .into(),
            virtual_machine_name: period.machine_name.clone(),
            protected_from: date(period.protected_from.as_ref()),
            protected_until: date(period.protected_until.as_ref()),
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
