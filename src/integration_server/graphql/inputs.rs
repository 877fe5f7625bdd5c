//! Input types and their validation.

use std::net::IpAddr;

use async_graphql::{ID, InputObject};
use uuid::Uuid;

use super::tenant::IntegrationServerTenantType;
use crate::error::{Error, Result};
use crate::global_id::{GlobalId, NodeKind};
use crate::ids::TenantId;
use crate::integration_server::model::{
    Administrator, AdministratorPassword, BiosId, MachineKey, NewTenant, NewTenantKind,
    NewVirtualMachine, RemoteId, WireText,
};

/// A tenant to create.
#[derive(InputObject)]
pub struct CreateIntegrationServerTenantInput {
    /// The id of the Integration Server. The tenant in context must own it.
    #[graphql(name = "upstreamID")]
    upstream_id: ID,
    /// The name, 1 to 255 characters without control characters; surrounding space is trimmed. Must
    /// be unique on the server.
    name: String,
    /// The extent of the setup: COMPLETE or SIMPLE.
    #[graphql(name = "type")]
    kind: IntegrationServerTenantType,
    /// The description, up to 32000 characters.
    description: Option<String>,
    /// Free text to store with the object, up to 32000 characters.
    user_data: Option<String>,
    /// The server's IP address for the agents on the tenant's machines. Default: the address at
    /// which the gateway reached the server, which is wrong behind a proxy.
    preferred_server_address: Option<String>,
    /// The administrator's account. Required for a COMPLETE tenant, refused for a SIMPLE one. The
    /// account does not expire: FORBIDDEN for a caller whose permission to change legacy resources
    /// ends.
    administrator: Option<IntegrationServerAdministratorInput>,
    /// The gateway tenant to link to the new tenant once it exists: the tenant in context or one
    /// below it, without a link to an Integration Server. Requires the permission to manage
    /// upstreams.
    #[graphql(name = "linkTenantID")]
    link_tenant_id: Option<ID>,
}

/// The account of a new tenant's administrator.
#[derive(InputObject)]
pub struct IntegrationServerAdministratorInput {
    /// The account's name, 1 to 255 characters. Must be unique in Security Center.
    name: String,
    /// The account's password, 1 to 256 printable ASCII characters. A violation of Security
    /// Center's password policy fails the task. The gateway passes the password on once and never
    /// stores it.
    password: String,
}

/// A virtual machine to register.
#[derive(InputObject)]
pub struct RegisterVirtualMachineInput {
    /// The BIOS identifier, a UUID with hyphens.
    #[graphql(name = "biosID")]
    bios_id: ID,
    /// The name, 1 to 255 characters.
    name: Option<String>,
    /// Free text to store with the object, up to 32000 characters.
    user_data: Option<String>,
}

impl CreateIntegrationServerTenantInput {
    /// The installation, the new tenant, and the gateway tenant to link it to.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the invalid argument, `NOT_FOUND` for a malformed id of the tenant
    /// to link.
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
    /// `BAD_USER_INPUT` naming the invalid argument.
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
