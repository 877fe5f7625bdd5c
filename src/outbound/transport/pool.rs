//! The clients of all installations, each for one base URL and one revision of its row.
//!
//! They stand on `hyper` rather than `reqwest`: name resolution must check every address at the time of
//! connecting, nothing may follow a redirect, use a proxy, keep a cookie or decompress, and the
//! read buffer of a connection must be small. `hyper` does none of these unless told to.

use std::time::Duration;

use quick_cache::sync::Cache;

use super::client::Client;
use super::connector::Connector;
use super::resolver::GuardedResolver;
use super::tls;
use crate::ids::UpstreamId;
use crate::outbound::failure::Failure;
use crate::outbound::route::{AddressPolicy, BaseUrl, Endpoint};

/// The number of base URLs whose connections are kept.
const MAX_CLIENTS: usize = 1000;

/// The clients of all installations.
pub(in crate::outbound) struct Pool {
    policy: AddressPolicy,
    connect_timeout: Duration,
    /// By base URL as well: an identity provider may have its endpoints on several hosts.
    clients: Cache<(UpstreamId, BaseUrl), (i64, Client)>,
}

impl Pool {
    pub(in crate::outbound) fn new(policy: AddressPolicy, connect_timeout: Duration) -> Self {
        Self { policy, connect_timeout, clients: Cache::new(MAX_CLIENTS) }
    }

    /// The client for an endpoint. It does not reuse connections that were made to another base URL or
    /// under an older revision.
    ///
    /// # Errors
    /// `Unreachable` if the installation's certificates cannot be read.
    pub(in crate::outbound) fn client(&self, endpoint: &Endpoint) -> Result<Client, Failure> {
        let key = (endpoint.upstream, endpoint.base_url.clone());
        if let Some((revision, client)) = self.clients.get(&key)
            && revision == endpoint.revision
        {
            return Ok(client);
        }
        let client = self.connect(endpoint).map_err(|cause| Failure::Unreachable(cause.into()))?;
        // An operation that still holds an older revision must not evict the client of a newer one.
        let known = self.clients.get(&key);
        if known.is_none_or(|(revision, _)| revision < endpoint.revision) {
            self.clients.insert(key, (endpoint.revision, client.clone()));
        }
        Ok(client)
    }

    fn connect(&self, endpoint: &Endpoint) -> Result<Client, String> {
        let plain = endpoint.base_url.is_plain();
        let resolver = GuardedResolver { policy: self.policy, plain };
        let tls = tls::client_config(endpoint.ca_certificate.as_deref())?;
        Ok(Client::new(Connector::new(resolver, tls, self.connect_timeout)))
    }
}
