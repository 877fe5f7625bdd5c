//! Whether an installation can be reached from this machine, without a request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::Url;
use x509_parser::parse_x509_certificate;

use super::resolver::GuardedResolver;
use super::tls::client_config;
use crate::clock::Timestamp;
use crate::outbound::route::{AddressPolicy, BaseUrl};

/// How long each stage may take.
const STAGE_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that was made.
pub struct Reached {
    /// The address of the installation.
    pub address: SocketAddr,
    /// When its certificate ends; absent without TLS.
    pub certificate_end: Option<Timestamp>,
}

/// The stage at which a connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The host name has no address that may be called.
    Name,
    /// No address answers.
    Connection,
    /// The certificate is not accepted, or TLS is not spoken.
    Tls,
}

/// A connection that could not be made.
pub struct Unreachable {
    /// The stage that failed.
    pub stage: Stage,
    /// The cause of the failure.
    pub cause: String,
}

impl Stage {
    /// The next step for an operator.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Name => "check the host name of the base URL and the DNS of this machine",
            Self::Connection => "check that the system runs, and the firewalls on the way to it",
            Self::Tls => {
                "renew the certificate of the installation, or set its caCertificate to that of \
                 the authority that signed it"
            }
        }
    }

    fn failed(self, cause: impl ToString) -> Unreachable {
        Unreachable { stage: self, cause: cause.to_string() }
    }
}

/// Connects to an installation and, with TLS, verifies its certificate; then closes the connection.
///
/// # Errors
/// If name, connection or certificate fail.
pub async fn reach(
    url: &BaseUrl,
    ca_certificate: Option<&str>,
    policy: AddressPolicy,
) -> Result<Reached, Unreachable> {
    let parsed = Url::parse(url.as_str()).map_err(|error| Stage::Name.failed(error))?;
    let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = parsed.port_or_known_default().unwrap_or(443);
    let addresses = addresses(&host, port, policy, url.is_plain()).await?;
    let stream = connect(&addresses).await?;
    let address = stream.peer_addr().map_err(|error| Stage::Connection.failed(error))?;
    let certificate_end = if url.is_plain() {
        None
    } else {
        Some(certificate_end(&host, stream, ca_certificate).await?)
    };
    Ok(Reached { address, certificate_end })
}

async fn addresses(
    host: &str,
    port: u16,
    policy: AddressPolicy,
    plain: bool,
) -> Result<Vec<SocketAddr>, Unreachable> {
    let found = timeout(STAGE_TIMEOUT, tokio::net::lookup_host((host, port))).await;
    let found = found.map_err(|_| Stage::Name.failed("the name does not resolve within 5 s"))?;
    let found = found.map_err(|error| Stage::Name.failed(error))?;
    let permitted = GuardedResolver { policy, plain }.permitted(found);
    Ok(permitted.map_err(|error| Stage::Name.failed(error))?.collect())
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Unreachable> {
    // Each address gets its part of the time, as in the HTTP client: an address that does not answer
    // must not use up the time of another that does.
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut failure = Stage::Connection.failed("the name has no address");
    for address in addresses {
        match timeout(STAGE_TIMEOUT / count, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failure = Stage::Connection.failed(format!("{address}: {error}")),
            Err(_) => failure = Stage::Connection.failed(format!("{address} does not answer")),
        }
    }
    Err(failure)
}

async fn certificate_end(
    host: &str,
    stream: TcpStream,
    ca_certificate: Option<&str>,
) -> Result<Timestamp, Unreachable> {
    let failed = |cause: String| Stage::Tls.failed(cause);
    let config = client_config(ca_certificate).map_err(failed)?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| Stage::Tls.failed(error))?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let stream = timeout(STAGE_TIMEOUT, handshake).await;
    let stream = stream.map_err(|_| Stage::Tls.failed("no TLS handshake within 5 s"))?;
    let stream = stream.map_err(|error| Stage::Tls.failed(error))?;
    let (_, session) = stream.get_ref();
    let certificate = session.peer_certificates().and_then(|chain| chain.first());
    let certificate = certificate.ok_or_else(|| Stage::Tls.failed("no certificate was shown"))?;
    let (_, parsed) =
        parse_x509_certificate(certificate).map_err(|error| Stage::Tls.failed(error))?;
    let seconds = parsed.validity().not_after.timestamp();
    Ok(Timestamp::from_millis(seconds.saturating_mul(1000)))
}
