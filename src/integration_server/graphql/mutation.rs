//! Mutations of an Integration Server.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use futures_util::FutureExt;

use super::inputs::{CreateIntegrationServerTenantInput, RegisterVirtualMachineInput, machine_key};
use super::machine::MachineObject;
use super::task::TaskObject;
use crate::auth::graphql::{operation, request, service};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::integration_server::IntegrationServer;
use crate::integration_server::model::ReportRange;
use crate::roles::Permission;

/// Mutations of the Integration Server.
#[derive(Default)]
pub struct IntegrationServerMutation;

#[Object]
impl IntegrationServerMutation {
    /// Creates a tenant at an Integration Server that the tenant in context owns. A taken name or a
    /// rejected password fails the task. If the server's response is lost, the gateway looks for
    /// the task and never sends the request again; if the task is not found immediately, the
    /// error's `outcome` is UNKNOWN, and the task is listed once it is found. Requires the
    /// permission to change legacy resources.
    async fn create_integration_server_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant to create.")] input: CreateIntegrationServerTenantInput,
    ) -> Result<Option<TaskObject>> {
        let scope = request(ctx)?.scope(Permission::WriteLegacy)?;
        let (upstream, new, link) = input.check()?;
        let server = service::<IntegrationServer>(ctx)?;
        let record = server.create_tenant(&scope, operation(ctx)?, &upstream, new, link).await?;
        TaskObject::of(&record, &scope).map(Some)
    }

    /// Activates the tenant in context at its Integration Server. Requires the permission to change
    /// legacy resources.
    async fn activate_integration_server_tenant(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<TaskObject>> {
        set_active(ctx, true).boxed().await.map(Some)
    }

    /// Deactivates the tenant in context at its Integration Server. Requires the permission to
    /// change legacy resources.
    async fn deactivate_integration_server_tenant(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<TaskObject>> {
        set_active(ctx, false).boxed().await.map(Some)
    }

    /// Deletes the tenant in context from its Integration Server. Its machines stay protected, and
    /// its link stays until `unlinkTenant`. Requires the permission to change legacy resources.
    async fn delete_integration_server_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Whether to delete the setup in Security Center as well. If it stays, no \
                COMPLETE tenant with the same name can be created again."
        )]
        remove_artifacts: bool,
    ) -> Result<Option<TaskObject>> {
        let scope = request(ctx)?.scope(Permission::WriteLegacy)?;
        let record = service::<IntegrationServer>(ctx)?
            .delete_tenant(&scope, operation(ctx)?, remove_artifacts)
            .await?;
        TaskObject::of(&record, &scope).map(Some)
    }

    /// Registers a virtual machine for the tenant in context. CONFLICT if the BIOS identifier is
    /// taken. Requires the permission to change legacy resources.
    async fn create_integration_server_virtual_machine(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The virtual machine to register.")] input: RegisterVirtualMachineInput,
    ) -> Result<Option<MachineObject>> {
        let scope = request(ctx)?.scope(Permission::WriteLegacy)?;
        let new = input.check()?;
        let server = service::<IntegrationServer>(ctx)?;
        let within = server.linked_tenant(&scope).await?.within();
        Ok(Some(MachineObject::new(within, server.register(&scope, operation(ctx)?, new).await?)))
    }

    /// Registers a virtual machine for the tenant in context. CONFLICT if the BIOS identifier is
    /// taken. Requires the permission to change legacy resources.
    #[graphql(deprecation = "use createIntegrationServerVirtualMachine; offered until 2027-12-31")]
    async fn register_virtual_machine(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The virtual machine to register.")] input: RegisterVirtualMachineInput,
    ) -> Result<Option<MachineObject>> {
        self.create_integration_server_virtual_machine(ctx, input).await
    }

    /// Unregisters a virtual machine of the tenant in context, given by exactly one of `id` and
    /// `biosID`. Its protection continues. NOT_FOUND for a machine of another tenant. Requires the
    /// permission to change legacy resources.
    async fn delete_integration_server_virtual_machine(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The machine's id: global or the vendor's.")] id: Option<ID>,
        #[graphql(desc = "The BIOS identifier.", name = "biosID")] bios_id: Option<ID>,
    ) -> Result<Option<MachineObject>> {
        let scope = request(ctx)?.scope(Permission::WriteLegacy)?;
        let server = service::<IntegrationServer>(ctx)?;
        let within = server.linked_tenant(&scope).await?.within();
        let key = machine_key(within, id, bios_id)?;
        Ok(Some(MachineObject::new(within, server.unregister(&scope, operation(ctx)?, key).await?)))
    }

    /// Unregisters a virtual machine of the tenant in context, given by exactly one of `id` and
    /// `biosID`. Its protection continues. NOT_FOUND for a machine of another tenant. Requires the
    /// permission to change legacy resources.
    #[graphql(deprecation = "use deleteIntegrationServerVirtualMachine; offered until 2027-12-31")]
    async fn unregister_virtual_machine(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The machine's id: global or the vendor's.")] id: Option<ID>,
        #[graphql(desc = "The BIOS identifier.", name = "biosID")] bios_id: Option<ID>,
    ) -> Result<Option<MachineObject>> {
        self.delete_integration_server_virtual_machine(ctx, id, bios_id).await
    }

    /// Cancels a task on the tenant in context or one below it. The task may still complete.
    /// CONFLICT if it has ended, or can only be canceled together with its parent task. Requires
    /// the permission to change legacy resources.
    async fn cancel_integration_server_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The task's id; the vendor's id is accepted as in `IntegrationServer.task`."
        )]
        id: ID,
    ) -> Result<Option<TaskObject>> {
        let scope = request(ctx)?.scope(Permission::WriteLegacy)?;
        let server = service::<IntegrationServer>(ctx)?;
        let (record, snapshot) = server.cancel(&scope, operation(ctx)?, &id).await?;
        Ok(Some(TaskObject::new(&record, Arc::new(snapshot), record.purpose()?, &scope)))
    }

    /// Creates a report on the protection periods of the machines of the tenant in context.
    /// Requires the permission to change legacy resources.
    async fn create_integration_server_report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The start of the period, in RFC 3339. Default: the earliest record.")]
        from: Option<String>,
        #[graphql(
            desc = "The end of the period, in RFC 3339, at least an hour ago. Default: an hour ago."
        )]
        to: Option<String>,
    ) -> Result<Option<TaskObject>> {
        let scope = request(ctx)?.scope(Permission::WriteLegacy)?;
        let moment = |argument, text: Option<String>| {
            text.map(|text| Timestamp::parse(argument, &text)).transpose()
        };
        let range = ReportRange::new(moment("from", from)?, moment("to", to)?, scope.now())?;
        let record = service::<IntegrationServer>(ctx)?
            .create_report(&scope, operation(ctx)?, range)
            .await?;
        TaskObject::of(&record, &scope).map(Some)
    }
}

async fn set_active(ctx: &Context<'_>, active: bool) -> Result<TaskObject> {
    let scope = request(ctx)?.scope(Permission::WriteLegacy)?;
    let record =
        service::<IntegrationServer>(ctx)?.set_active(&scope, operation(ctx)?, active).await?;
    TaskObject::of(&record, &scope)
}
