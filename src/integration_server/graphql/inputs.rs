//! What callers give.

use std::net::IpAddr;

use async_graphql::{ID, InputObject};
use uuid::Uuid;

use super::objects::IntegrationServerTenantType;
use crate::error::{Error, Result};
use crate::global_id::{GlobalId, NodeKind};
use crate::ids::TenantId;
use crate::integration_server::model::{
    Administrator, AdministratorPassword, BiosId, MachineKey, NewTenant, NewTenantKind,
    NewVirtualMachine, RemoteId, WireText,
};

/// A tenant to be made.
#[derive(InputObject)]
pub struct CreateIntegrationServerTenantInput {
    /// The Integration Server; the tenant in context must own it.
    #[graphql(name = "upstreamID")]
    upstream_id: ID,
    /// 1 to 255 characters, space around it cut off, no control characters. It must be new to the
    /// whole server.
    name: String,
    /// What is to be set up for it: COMPLETE or SIMPLE.
    #[graphql(name = "type")]
    kind: IntegrationServerTenantType,
    /// What there is to say about it, up to 32000 characters.
    description: Option<String>,
    /// Free text to be kept with it, up to 32000 characters; it is passed on as it is.
    user_data: Option<String>,
    /// The IP address of the server for the agents on the tenant's machines. Without it the server
    /// takes the address at which the gateway called it, which is wrong behind a proxy.
    preferred_server_address: Option<String>,
    /// The account of its administrator: needed for a COMPLETE tenant, refused for a SIMPLE one.
    administrator: Option<IntegrationServerAdministratorInput>,
    /// A tenant of ours to link the new one to when it is made: the one in context, or one below
    /// it, not yet linked to an Integration Server. Needs the right to manage upstreams.
    #[graphql(name = "linkTenantID")]
    link_tenant_id: Option<ID>,
}

/// The account of a new tenant's administrator.
#[derive(InputObject)]
pub struct IntegrationServerAdministratorInput {
    /// 1 to 255 characters. It must be new to the whole Security Center.
    name: String,
    /// 1 to 256 printable ASCII characters. Security Center has a policy of its own, which the task
    /// tells. It is passed on once and never kept.
    password: String,
}

/// A machine to be registered.
#[derive(InputObject)]
pub struct RegisterVirtualMachineInput {
    /// The BIOS identifier, a UUID with hyphens.
    #[graphql(name = "biosID")]
    bios_id: ID,
    /// 1 to 255 characters.
    name: Option<String>,
    /// Free text to be kept with it, up to 32000 characters; it is passed on as it is.
    user_data: Option<String>,
}

impl CreateIntegrationServerTenantInput {
    /// The installation, the tenant, and the tenant of ours to link it to.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming what is not acceptable, `NOT_FOUND` for a tenant to link that is no
    /// id.
    pub fn check(self) -> Result<(ID, NewTenant, Option<TenantId>)> {
        let complete = match self.kind {
            IntegrationServerTenantType::Complete => true,
            IntegrationServerTenantType::Simple => false,
            IntegrationServerTenantType::Unknown => {
                return Err(Error::bad_input("type", "must be COMPLETE or SIMPLE"));
            }
        };
        let administrator =
            self.administrator.map(IntegrationServerAdministratorInput::check).transpose()?;
        let address = self.preferred_server_address.map(|text| {
            text.parse::<IpAddr>()
                .map_err(|_| Error::bad_input("preferredServerAddress", "must be an IP address"))
        });
        let link = self.link_tenant_id.map(|id| id.parse().map_err(|_| Error::not_found("tenant")));
        let new = NewTenant {
            name: WireText::name("name", &self.name)?,
            description: free_text("description", self.description)?,
            user_data: free_text("userData", self.user_data)?,
            preferred_address: address.transpose()?,
            kind: NewTenantKind::new(complete, administrator)?,
        };
        Ok((self.upstream_id, new, link.transpose()?))
    }
}

impl IntegrationServerAdministratorInput {
    fn check(self) -> Result<Administrator> {
        let password = AdministratorPassword::parse("administrator.password", self.password)?;
        Ok(Administrator { name: WireText::name("administrator.name", &self.name)?, password })
    }
}

impl RegisterVirtualMachineInput {
    /// The machine.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming what is not acceptable.
    pub fn check(self) -> Result<NewVirtualMachine> {
        Ok(NewVirtualMachine {
            bios_id: BiosId::parse("biosID", &self.bios_id)?,
            name: self.name.map(|name| WireText::name("name", &name)).transpose()?,
            user_data: free_text("userData", self.user_data)?,
        })
    }
}

/// The machine that is named in exactly one of two ways.
///
/// # Errors
/// `BAD_USER_INPUT` for both or neither, and for what could be no identifier.
/// `NOT_FOUND` for the global id of an object of another type, or within another place.
pub fn machine_key(within: Uuid, id: Option<ID>, bios_id: Option<ID>) -> Result<MachineKey> {
    match (id, bios_id) {
        (Some(id), None) => match GlobalId::read(&id) {
            Some(global) => {
                let remote = global.remote_of(NodeKind::IntegrationServerVirtualMachine, within);
                let remote = remote.as_deref().and_then(RemoteId::read);
                Ok(MachineKey::Id(remote.ok_or_else(|| Error::not_found("virtual machine"))?))
            }
            None => Ok(MachineKey::Id(RemoteId::parse("id", &id)?)),
        },
        (None, Some(id)) => Ok(MachineKey::Bios(BiosId::parse("biosID", &id)?)),
        _ => Err(Error::bad_input("id, biosID", "exactly one of them must be given")),
    }
}

fn free_text(argument: &str, text: Option<String>) -> Result<Option<WireText>> {
    text.map(|text| WireText::parse(argument, &text)).transpose()
}
