//! A tenant's connection to an installation: everything that a call of it needs.

use std::fmt;
use std::sync::Arc;

use super::link_check::LinkState;
use super::model::{Credential, System};
use crate::ids::{LinkId, TenantId};
use crate::outbound::{Endpoint, Identity, UpstreamRoute};

/// A tenant's connection to an installation. It is created from a scope only, so that holding one
/// proves the right to use it.
#[derive(Clone)]
pub struct Connection {
    /// The tenant of the gateway in whose name calls are made.
    pub tenant: TenantId,
    /// The link; `None` if the tenant owns the installation and is not linked to it.
    pub link: Option<LinkId>,
    /// The vendor's id of the tenant; `None` if the installation's own credential belongs to that
    /// tenant.
    pub remote_tenant_id: Option<String>,
    /// Whether the installation was seen to have that tenant.
    pub verification: LinkState,
    /// Whether the tenant owns the installation.
    pub owns: bool,
    /// The kind of system.
    pub system: System,
    /// Its base URL and the certificates that it is verified with.
    pub endpoint: Arc<Endpoint>,
    /// The installation's own credential.
    pub credential: Arc<Credential>,
    /// The IANA name of the time zone of dates that carry none.
    pub time_zone: Arc<str>,
}

impl Connection {
    /// The route on which the installation's own credential is used.
    pub fn installation_route(&self) -> UpstreamRoute {
        UpstreamRoute {
            tenant: self.tenant,
            endpoint: self.endpoint.clone(),
            identity: Identity::new("own"),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("tenant", &self.tenant)
            .field("upstream", &self.endpoint.upstream)
            .field("remote_tenant_id", &self.remote_tenant_id)
            .finish_non_exhaustive()
    }
}
