//! Connection pools: one per installation and revision of its row.
//!
//! A `hyper` client rather than `reqwest`: name resolution must check every address at the time of
//! connecting, nothing may follow a redirect, use a proxy, keep a cookie or decompress, and the
//! read buffer of a connection must be small. `hyper` does none of these unless told to.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use quick_cache::sync::Cache;
use tower_service::Service;

use super::resolver::GuardedResolver;
use super::tls;
use crate::ids::UpstreamId;
use crate::outbound::failure::Failure;
use crate::outbound::route::{AddressPolicy, Endpoint};

/// The number of installations whose connections are kept.
const MAX_INSTALLATIONS: usize = 1000;
/// Shorter than the idle timeout of most servers, so that a request is seldom sent on a connection
/// that the server is closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
const MAX_IDLE_CONNECTIONS: usize = 64;
/// The default of `hyper` is more than 400 kB per connection.
const READ_BUFFER: usize = 64 * 1024;

/// The HTTP client of one installation.
pub(in crate::outbound) type Client =
    hyper_util::client::legacy::Client<TimedConnector, Full<Bytes>>;

/// The clients of all installations.
pub(in crate::outbound) struct Pool {
    policy: AddressPolicy,
    connect_timeout: Duration,
    clients: Cache<UpstreamId, (i64, Client)>,
}

impl Pool {
    pub(in crate::outbound) fn new(policy: AddressPolicy, connect_timeout: Duration) -> Self {
        Self { policy, connect_timeout, clients: Cache::new(MAX_INSTALLATIONS) }
    }

    /// The client of an installation. It does not reuse connections made under an older revision.
    ///
    /// # Errors
    /// `Unreachable` if the installation's certificates cannot be read.
    pub(in crate::outbound) fn client(&self, endpoint: &Endpoint) -> Result<Client, Failure> {
        if let Some((revision, client)) = self.clients.get(&endpoint.upstream)
            && revision == endpoint.revision
        {
            return Ok(client);
        }
        let client = self.connect(endpoint).map_err(|cause| Failure::Unreachable(cause.into()))?;
        // An operation that still holds an older revision must not evict the client of a newer one.
        if self
            .clients
            .get(&endpoint.upstream)
            .is_none_or(|(revision, _)| revision < endpoint.revision)
        {
            self.clients.insert(endpoint.upstream, (endpoint.revision, client.clone()));
        }
        Ok(client)
    }

    fn connect(&self, endpoint: &Endpoint) -> Result<Client, String> {
        let plain = endpoint.base_url.is_plain();
        let resolver = GuardedResolver { policy: self.policy, plain };
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let config = tls::client_config(endpoint.ca_certificate.as_deref())?;
        let tls = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(hyper_util::client::legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
            // Received bytes that no memory has been reserved for yet.
            .http1_max_buf_size(READ_BUFFER)
            .build(TimedConnector { tls, timeout: self.connect_timeout }))
    }
}

/// A connector with one time limit for name resolution, TCP and TLS together.
#[derive(Clone)]
pub(in crate::outbound) struct TimedConnector {
    tls: HttpsConnector<HttpConnector<GuardedResolver>>,
    timeout: Duration,
}

impl Service<Uri> for TimedConnector {
    type Response = <HttpsConnector<HttpConnector<GuardedResolver>> as Service<Uri>>::Response;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.tls.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.timeout, self.tls.call(uri));
        Box::pin(async move { connecting.await.map_err(|_| "connecting timed out")? })
    }
}
