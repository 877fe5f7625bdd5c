//! The client that brings traces to the collector of OpenTelemetry that the operator names.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::hyper_failure::chain;
use super::tls::client_config;
use crate::error::{Error, Result};

/// An answer says no more than how many spans were refused.
const ANSWER_MAX: usize = 64 * 1024;
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// A client for one collector. Its calls run on the runtime that it was made on, whatever thread
/// waits for them. It follows no redirect.
pub struct CollectorClient {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: Handle,
    timeout: Duration,
}

impl CollectorClient {
    /// A client whose requests end within `timeout`. It trusts the public authorities, or else those
    /// of the PEM certificates.
    ///
    /// # Errors
    /// If the certificates cannot be read.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn new(certificate: Option<&str>, timeout: Duration) -> Result<Self> {
        let config = client_config(certificate).map_err(Error::internal)?;
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let tls = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(tls);
        Ok(Self { client, runtime: Handle::current(), timeout })
    }
}

impl HttpClient for CollectorClient {
    fn send_bytes<'life, 'sent>(
        &'life self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'sent>>
    where
        'life: 'sent,
        Self: 'sent,
    {
        let client = self.client.clone();
        let limit = self.timeout;
        let sent = self.runtime.spawn(async move {
            let answered = timeout(limit, exchange(&client, request)).await;
            answered.map_err(|_| format!("no answer within {} ms", limit.as_millis()))?
        });
        Box::pin(async move { sent.await? })
    }
}

async fn exchange(
    client: &Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    let answer =
        client.request(request.map(Full::new)).await.map_err(|error| chain(&error).to_string())?;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER_MAX).collect().await?.to_bytes();
    Ok(Response::from_parts(head, body))
}

impl fmt::Debug for CollectorClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollectorClient").finish_non_exhaustive()
    }
}
