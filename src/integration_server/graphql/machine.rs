//! Machines of tenants.

use async_graphql::{ID, Object};
use uuid::Uuid;

use super::dates::{date, moment};
use crate::global_id::{GlobalId, NodeKind};
use crate::graph::graphql::DateTime;
use crate::integration_server::model::VirtualMachine;

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
