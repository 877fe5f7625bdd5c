//! What a call of a legacy system needs to know.

use std::fmt;
use std::sync::Arc;

use super::model::{Credential, System};
use crate::ids::{LinkId, TenantId};
use crate::outbound::{Endpoint, Identity, UpstreamRoute};

/// A tenant's way to an installation. It is made from a scope alone, so that whoever holds one may
/// go that way.
#[derive(Clone)]
pub struct Connection {
    /// The tenant of ours in whose name calls are made.
    pub tenant: TenantId,
    /// The link that leads there; none where the tenant owns the installation and is not linked to
    /// it itself.
    pub link: Option<LinkId>,
    /// Which tenant of the installation it is; none where the installation's own credential is the
    /// tenant's.
    pub remote_tenant_id: Option<String>,
    /// Whether the tenant owns the installation.
    pub owns: bool,
    /// What kind of system.
    pub system: System,
    /// Where it stands.
    pub endpoint: Arc<Endpoint>,
    /// The installation's own credential.
    pub credential: Arc<Credential>,
    /// The IANA name of the zone of dates that carry none.
    pub time_zone: Arc<str>,
}

impl Connection {
    /// The route on which the installation's own credential is used.
    pub fn own_route(&self) -> UpstreamRoute {
        UpstreamRoute {
            tenant: self.tenant,
            endpoint: self.endpoint.clone(),
            identity: Identity("own".to_owned()),
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
