//! For whom a call goes where.

use std::fmt;
use std::sync::Arc;

use super::base_url::BaseUrl;
use crate::ids::{TenantId, UpstreamId};

/// An installation, as far as calls need to know it.
pub struct Endpoint {
    /// Which one.
    pub upstream: UpstreamId,
    /// The tenant that owns it, on whose account its answers take memory.
    pub owner: TenantId,
    /// What kind of system it is, as `LegacySystem` names it; it stands in errors and log routes.
    pub system: &'static str,
    /// Changes with every change of the row, so that connections made under older settings are not
    /// used on.
    pub revision: i64,
    /// Where it stands.
    pub base_url: BaseUrl,
    /// Certificates in PEM that are trusted for this installation alone, in place of the public
    /// authorities.
    pub ca_certificate: Option<String>,
}

/// As whom the gateway calls: the credential, by a name that tells nothing of it, and how much it
/// may. Two credentials of one installation never have the same name, since vendors count calls by
/// credential, and so does the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity(pub String);

/// A tenant's way to an installation under one identity. It stands whole in every key of what is
/// shared in flight, remembered, counted or limited, so that nothing of one tenant can reach
/// another.
#[derive(Clone)]
pub struct UpstreamRoute {
    /// On whose behalf.
    pub tenant: TenantId,
    /// Whereto.
    pub endpoint: Arc<Endpoint>,
    /// As whom.
    pub identity: Identity,
}

/// A route as a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RouteKey {
    /// On whose behalf.
    pub tenant: TenantId,
    /// Whereto.
    pub upstream: UpstreamId,
    /// As it is now.
    pub revision: i64,
    /// As whom.
    pub identity: Identity,
}

impl UpstreamRoute {
    /// The route as a key.
    pub fn key(&self) -> RouteKey {
        let Endpoint { upstream, revision, .. } = *self.endpoint;
        RouteKey { tenant: self.tenant, upstream, revision, identity: self.identity.clone() }
    }
}

impl fmt::Debug for UpstreamRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamRoute")
            .field("tenant", &self.tenant)
            .field("upstream", &self.endpoint.upstream)
            .field("identity", &self.identity)
            .finish()
    }
}
