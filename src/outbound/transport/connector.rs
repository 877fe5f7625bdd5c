//! How connections to an installation are made.

use std::future::poll_fn;
use std::time::Duration;

use hyper::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use tokio::time::timeout;
use tower_service::Service;

use super::hyper_failure::chain;
use super::resolver::GuardedResolver;
use crate::outbound::failure::Failure;

/// Over TCP, with TLS if the URL says so.
type TcpOrTls = HttpsConnector<HttpConnector<GuardedResolver>>;

/// The stream of a connection.
pub(super) type Stream = <TcpOrTls as Service<Uri>>::Response;

/// Makes connections, with one time limit for name resolution, TCP and TLS together.
pub(super) struct Connector {
    connector: TcpOrTls,
    timeout: Duration,
}

impl Connector {
    /// Connects only to addresses that the resolver permits.
    pub fn new(resolver: GuardedResolver, tls: ClientConfig, timeout: Duration) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Self { connector, timeout }
    }

    /// Connects to the host of a URI.
    ///
    /// # Errors
    /// `Unreachable`.
    pub async fn connect(&self, uri: Uri) -> Result<Stream, Failure> {
        let mut connector = self.connector.clone();
        let connecting = async {
            poll_fn(|context| connector.poll_ready(context)).await?;
            connector.call(uri).await
        };
        match timeout(self.timeout, connecting).await {
            Ok(connected) => connected.map_err(|error| Failure::Unreachable(chain(&*error))),
            Err(_) => Err(Failure::Unreachable("connecting timed out".into())),
        }
    }
}
