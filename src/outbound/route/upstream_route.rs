//! The route of a call: on whose behalf, to which installation, under which identity.

use std::fmt;
use std::sync::Arc;

use super::base_url::BaseUrl;
use crate::ids::{TenantId, UpstreamId};

/// The address of an installation, with everything that a call to it depends on.
pub struct Endpoint {
    /// The installation's id.
    pub upstream: UpstreamId,
    /// The tenant that owns it and whose memory budget its answers count against.
    pub owner: TenantId,
    /// The kind of system in the spelling of `LegacySystem`, for errors and log lines.
    pub system: &'static str,
    /// Increases with every change of the row, so that connections made under older settings are
    /// not reused.
    pub revision: i64,
    /// The URL that paths are appended to.
    pub base_url: BaseUrl,
    /// PEM certificates trusted for this installation only, instead of the public authorities.
    pub ca_certificate: Option<String>,
}

/// The identity under which the gateway calls: a name for the credential and its rights that
/// reveals nothing of the secret. Two credentials of one installation never share a name, because
/// vendors rate-limit by credential, and so does the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity(Arc<str>);

impl Identity {
    /// The identity of that name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A tenant's route to an installation under one identity. Every key of a cache, of a shared read
/// and of a limit contains it, so that data of one tenant cannot reach another.
#[derive(Clone)]
pub struct UpstreamRoute {
    /// The tenant on whose behalf calls are made.
    pub tenant: TenantId,
    /// The installation that is called.
    pub endpoint: Arc<Endpoint>,
    /// The credential that is used.
    pub identity: Identity,
}

/// A route as a hash key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RouteKey {
    /// The tenant on whose behalf calls are made.
    pub tenant: TenantId,
    /// The installation that is called.
    pub upstream: UpstreamId,
    /// The revision of the installation's row.
    pub revision: i64,
    /// The credential that is used.
    pub identity: Identity,
}

impl UpstreamRoute {
    /// The route as a hash key.
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
