//! What can be changed at an Integration Server.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::inputs::{CreateIntegrationServerTenantInput, RegisterVirtualMachineInput, machine_key};
use super::objects::MachineObject;
use super::task::TaskObject;
use crate::auth::graphql::{operation, request, service};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::integration_server::IntegrationServer;
use crate::integration_server::model::ReportRange;
use crate::integration_server::tasks::model::Purpose;
use crate::roles::Permission;

#[derive(Default)]
pub struct IntegrationServerMutation;

#[Object]
impl IntegrationServerMutation {
    /// Makes a tenant at an Integration Server that the tenant in context owns. Needs the right to
    /// change legacy resources. A name that is taken, or a password that does not please, shows in
    /// the task. Where the server's answer is lost, the task is looked for; if it is not found at
    /// once the error has `outcome: UNKNOWN`, and the task is listed when it is found. It is never
    /// sent again.
    async fn create_integration_server_tenant(
        &self,
        ctx: &Context<'_>,
        input: CreateIntegrationServerTenantInput,
    ) -> Result<Option<TaskObject>> {
        let scope = request(ctx)?.scope(Permission::WriteLegacy)?;
        let (upstream, new, link) = input.check()?;
        let server = service::<IntegrationServer>(ctx)?;
        let record = server.create_tenant(&scope, operation(ctx)?, &upstream, new, link).await?;
        TaskObject::of(&record, &scope).map(Some)
    }

    /// Activates the tenant in context at its Integration Server. Needs the right to change legacy
    /// resources.
    async fn activate_integration_server_tenant(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<TaskObject>> {
        set_active(ctx, true).await.map(Some)
    }

    /// Deactivates the tenant in context at its Integration Server. Needs the right to change
    /// legacy resources.
    async fn deactivate_integration_server_tenant(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<TaskObject>> {
        set_active(ctx, false).await.map(Some)
    }

    /// Removes the tenant in context from its Integration Server; its link stays until
    /// `unlinkTenant`. Needs the right to change legacy resources. Machines stay protected.
    async fn delete_integration_server_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Whether what was set up in Security Center is removed too. If not, no COMPLETE tenant of the name can be \
            made again."
        )]
        remove_artifacts: bool,
    ) -> Result<Option<TaskObject>> {
        let scope = request(ctx)?.scope(Permission::WriteLegacy)?;
        let record = service::<IntegrationServer>(ctx)?
            .delete_tenant(&scope, operation(ctx)?, remove_artifacts)
            .await?;
        TaskObject::of(&record, &scope).map(Some)
    }

    /// Registers a virtual machine for the tenant in context. Needs the right to change legacy
    /// resources. CONFLICT if no machine can be registered under the BIOS identifier.
    async fn create_integration_server_virtual_machine(
        &self,
        ctx: &Context<'_>,
        input: RegisterVirtualMachineInput,
    ) -> Result<Option<MachineObject>> {
        let scope = request(ctx)?.scope(Permission::WriteLegacy)?;
        let new = input.check()?;
        let server = service::<IntegrationServer>(ctx)?;
        let within = server.linked_tenant(&scope).await?.within();
        Ok(Some(MachineObject::new(within, server.register(&scope, operation(ctx)?, new).await?)))
    }

    /// Registers a virtual machine for the tenant in context. Needs the right to change legacy
    /// resources. CONFLICT if no machine can be registered under the BIOS identifier.
    #[graphql(deprecation = "use createIntegrationServerVirtualMachine; offered until 2027-12-31")]
    async fn register_virtual_machine(
        &self,
        ctx: &Context<'_>,
        input: RegisterVirtualMachineInput,
    ) -> Result<Option<MachineObject>> {
        self.create_integration_server_virtual_machine(ctx, input).await
    }

    /// Unregisters a virtual machine of the tenant in context, named in exactly one of two ways.
    /// Needs the right to change legacy resources. Its protection goes on. A machine of another
    /// tenant is NOT_FOUND.
    async fn delete_integration_server_virtual_machine(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The machine's id, or the server's identifier.")] id: Option<ID>,
        #[graphql(desc = "The BIOS identifier.", name = "biosID")] bios_id: Option<ID>,
    ) -> Result<Option<MachineObject>> {
        let scope = request(ctx)?.scope(Permission::WriteLegacy)?;
        let server = service::<IntegrationServer>(ctx)?;
        let within = server.linked_tenant(&scope).await?.within();
        let key = machine_key(within, id, bios_id)?;
        Ok(Some(MachineObject::new(within, server.unregister(&scope, operation(ctx)?, key).await?)))
    }

    /// Unregisters a virtual machine of the tenant in context, named in exactly one of two ways.
    /// Needs the right to change legacy resources. Its protection goes on. A machine of another
    /// tenant is NOT_FOUND.
    #[graphql(deprecation = "use deleteIntegrationServerVirtualMachine; offered until 2027-12-31")]
    async fn unregister_virtual_machine(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The machine's id, or the server's identifier.")] id: Option<ID>,
        #[graphql(desc = "The BIOS identifier.", name = "biosID")] bios_id: Option<ID>,
    ) -> Result<Option<MachineObject>> {
        self.delete_integration_server_virtual_machine(ctx, id, bios_id).await
    }

    /// Cancels a task about the tenant in context or one below it, by its id; the vendor's id is
    /// taken as in `IntegrationServer.task`. Needs the right to change legacy resources. The task
    /// may still end as COMPLETED. CONFLICT if it has ended, or can only be canceled with the task
    /// that it is part of.
    async fn cancel_integration_server_task(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> Result<Option<TaskObject>> {
        let scope = request(ctx)?.scope(Permission::WriteLegacy)?;
        let server = service::<IntegrationServer>(ctx)?;
        let (record, snapshot) = server.cancel(&scope, operation(ctx)?, &id).await?;
        Ok(Some(TaskObject::new(&record, Arc::new(snapshot), Purpose::of(&record)?, &scope)))
    }

    /// Makes a report on how long the machines of the tenant in context were protected. Needs the
    /// right to change legacy resources.
    async fn create_integration_server_report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where it begins, in RFC 3339: at the earliest record if absent.")]
        from: Option<String>,
        #[graphql(desc = "Where it ends, in RFC 3339: an hour ago if absent, and at the latest.")]
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
