//! Connections: one pool an installation, as its row is now.

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

use super::base_url::AddressPolicy;
use super::failure::Failure;
use super::resolver::Guard;
use super::route::Endpoint;
use super::tls;
use crate::ids::UpstreamId;

/// The most installations whose connections are kept.
const INSTALLATIONS: usize = 1000;
/// Shorter than servers usually wait, so that a call is seldom sent into a connection that is just
/// being closed.
const IDLE: Duration = Duration::from_secs(15);
const IDLE_CONNECTIONS: usize = 64;
/// The library's own is more than 400 kB for each connection.
const READ_BUFFER: usize = 64 * 1024;

/// What calls of one installation are made with.
pub(super) type Client = hyper_util::client::legacy::Client<Patient, Full<Bytes>>;

/// The pools of all installations.
pub(super) struct Pool {
    policy: AddressPolicy,
    connect_timeout: Duration,
    clients: Cache<UpstreamId, (i64, Client)>,
}

impl Pool {
    pub(super) fn new(policy: AddressPolicy, connect_timeout: Duration) -> Self {
        Self { policy, connect_timeout, clients: Cache::new(INSTALLATIONS) }
    }

    /// The client of an installation. Connections that were made under an older revision of it are
    /// not used.
    ///
    /// # Errors
    /// `Unreachable` if its certificates cannot be read.
    pub(super) fn client(&self, endpoint: &Endpoint) -> Result<Client, Failure> {
        if let Some((revision, client)) = self.clients.get(&endpoint.upstream)
            && revision == endpoint.revision
        {
            return Ok(client);
        }
        let client = self.connect(endpoint).map_err(|cause| Failure::Unreachable(cause.into()))?;
        // An operation that still holds the row as it was must not push out the connections of what
        // it is now.
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
        let mut tcp = HttpConnector::new_with_resolver(Guard { policy: self.policy, plain });
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
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            // What has come of an answer and found no room yet.
            .http1_max_buf_size(READ_BUFFER)
            .build(Patient { tls, patience: self.connect_timeout }))
    }
}

/// A connector that gives up after a while, whether it waits for a name, for the far side, or for
/// its certificate.
#[derive(Clone)]
pub(super) struct Patient {
    tls: HttpsConnector<HttpConnector<Guard>>,
    patience: Duration,
}

impl Service<Uri> for Patient {
    type Response = <HttpsConnector<HttpConnector<Guard>> as Service<Uri>>::Response;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.tls.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.patience, self.tls.call(uri));
        Box::pin(async move { connecting.await.map_err(|_| "connecting took too long")? })
    }
}
