//! Registering and unregistering machines.

use serde_json::json;

use super::{AuditedChange, IntegrationServer, LinkedTenant};
use crate::auth::TenantScope;
use crate::error::{Error, Result};
use crate::integration_server::client::CallErrorKind;
use crate::integration_server::model::{BiosId, MachineKey, NewVirtualMachine, VirtualMachine};
use crate::outbound::Operation;

impl IntegrationServer {
    /// Registers a machine for the scope's tenant. If the answer is lost, the list of machines
    /// decides; the call is not sent again.
    ///
    /// # Errors
    /// `CONFLICT` if the BIOS identifier cannot be registered, `NOT_FOUND` if the tenant is no
    /// longer there.
    pub async fn register(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        new: NewVirtualMachine,
    ) -> Result<VirtualMachine> {
        let linked = self.linked_tenant(scope).await?;
        let wanted = json!({ "name": new.name.as_ref().map(|name| name.as_str()) });
        let change = AuditedChange {
            name: "registerVirtualMachine",
            subject: new.bios_id.to_string(),
            wanted,
        };
        self.change(scope, operation, change, linked.register(operation, &new), described).await
    }

    /// Unregisters a machine after checking that it belongs to the scope's tenant. If the answer is
    /// lost, the list of machines decides; the call is not sent again.
    ///
    /// # Errors
    /// `NOT_FOUND` for a machine that is not the tenant's, in the same words for foreign and
    /// unknown.
    pub async fn unregister(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        key: MachineKey,
    ) -> Result<VirtualMachine> {
        let linked = self.linked_tenant(scope).await?;
        let machines = linked.client.machines(operation, &linked.tenant).await?;
        let machine = machines.into_iter().find(|machine| is_it(machine, &key));
        let machine = machine.ok_or_else(|| Error::not_found("virtual machine"))?;
        let subject = machine.id.canonical();
        let wanted = described(&machine);
        let change = AuditedChange { name: "unregisterVirtualMachine", subject, wanted };
        self.change(scope, operation, change, linked.unregister(operation, machine), described)
            .await
    }
}

impl LinkedTenant {
    async fn register(
        &self,
        operation: &Operation,
        new: &NewVirtualMachine,
    ) -> Result<VirtualMachine> {
        let sent = self.client.register_machine(operation, &self.tenant, new).await;
        let unknown = match sent {
            Err(error) if error.kind() == CallErrorKind::OutcomeUnknown => Some(Error::from(error)),
            sent => sent.map(|()| None)?,
        };
        match (self.with_bios_id(operation, new.bios_id).await, unknown) {
            (Ok(Some(machine)), _) => Ok(machine),
            (_, Some(unknown)) => Err(unknown),
            (Err(error), None) => Err(error.with_unknown_outcome()),
            (Ok(None), None) => {
                let error = Error::conflict(
                    "the machine was registered but is not listed yet; list the machines again",
                );
                Err(error.with_unknown_outcome())
            }
        }
    }

    async fn unregister(
        &self,
        operation: &Operation,
        machine: VirtualMachine,
    ) -> Result<VirtualMachine> {
        let key = MachineKey::Id(machine.id.clone());
        match self.client.unregister_machine(operation, &self.tenant, &key).await {
            Err(error) if error.kind() == CallErrorKind::OutcomeUnknown => {
                let left = self.client.machines(operation, &self.tenant).await;
                let is_gone =
                    left.is_ok_and(|left| left.iter().all(|other| other.id != machine.id));
                if is_gone { Ok(machine) } else { Err(error.into()) }
            }
            done => Ok(done.map(|()| machine)?),
        }
    }

    async fn with_bios_id(
        &self,
        operation: &Operation,
        id: BiosId,
    ) -> Result<Option<VirtualMachine>> {
        let machines = self.client.machines(operation, &self.tenant).await?;
        Ok(machines.into_iter().find(|machine| machine.bios_id == Some(id)))
    }
}

/// The fields of a machine in the audit log.
fn described(machine: &VirtualMachine) -> serde_json::Value {
    json!({
        "id": machine.id.to_string(),
        "biosID": machine.bios_id.map(|id| id.to_string()),
        "name": machine.name,
    })
}

fn is_it(machine: &VirtualMachine, key: &MachineKey) -> bool {
    match key {
        MachineKey::Id(id) => machine.id == *id,
        MachineKey::Bios(id) => machine.bios_id == Some(*id),
    }
}
