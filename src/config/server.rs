use std::{net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Networks, friendly_duration, public_url, ranges};

/// The public listener and its limits for one request.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port of the public listener; port 0 picks a free port.
    /// Variable `TENANT_GATEWAY__SERVER__LISTEN`, default `127.0.0.1:8080`.
    pub listen: SocketAddr,

    /// The `http` or `https` URL at which clients reach this gateway, without query, fragment or
    /// trailing slash. It is the issuer of the tokens. If absent, the listening address is the
    /// issuer and `iss` is not checked, because nodes that share a database have different
    /// addresses. Variable `TENANT_GATEWAY__SERVER__PUBLIC_URL`, default absent.
    #[serde(deserialize_with = "public_url::deserialize")]
    pub public_url: Option<String>,

    /// The networks of the proxies in front, such as `["10.0.0.0/8"]`. Only from these are
    /// `Forwarded` and `X-Forwarded-For` trusted to contain the caller's address. A variable may
    /// also contain them as one text separated by commas. Variable
    /// `TENANT_GATEWAY__SERVER__TRUSTED_PROXIES`, default `[]`.
    pub trusted_proxies: Networks,

    /// The maximum size of a request body in bytes, from 1024 to 67108864; a larger one is answered
    /// with 413. Variable `TENANT_GATEWAY__SERVER__BODY_LIMIT`, default `262144`.
    pub body_limit: usize,

    /// For how long after SIGTERM the gateway still accepts requests, while `/health/ready` answers
    /// 503, so that a load balancer sends no more before connections are refused; at most 5
    /// minutes. Variable `TENANT_GATEWAY__SERVER__SHUTDOWN_DELAY`, default `0s`.
    #[serde(with = "friendly_duration")]
    pub shutdown_delay: Duration,

    /// How long requests in flight may continue after SIGTERM, at most 10 minutes.
    /// Variable `TENANT_GATEWAY__SERVER__SHUTDOWN_GRACE`, default `25s`.
    #[serde(with = "friendly_duration")]
    pub shutdown_grace: Duration,

    /// The time limit for receiving the body of a request, from 1 second to 10 minutes.
    /// Variable `TENANT_GATEWAY__SERVER__REQUEST_TIMEOUT`, default `30s`.
    #[serde(with = "friendly_duration")]
    pub request_timeout: Duration,

    /// How long a caller may read nothing of a response before its connection is closed, from 1
    /// second to 10 minutes. Variable `TENANT_GATEWAY__SERVER__WRITE_TIMEOUT`, default `30s`.
    #[serde(with = "friendly_duration")]
    pub write_timeout: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            trusted_proxies: Networks::default(),
            body_limit: 256 * 1024,
            shutdown_delay: Duration::ZERO,
            shutdown_grace: Duration::from_secs(25),
            request_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
        }
    }
}

impl ServerConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::number(self.body_limit, 1024..=64 * 1024 * 1024)?;
        ranges::duration(self.shutdown_delay, Duration::ZERO..=Duration::from_mins(5))?;
        ranges::duration(self.shutdown_grace, Duration::ZERO..=Duration::from_mins(10))?;
        ranges::duration(self.request_timeout, Duration::from_secs(1)..=Duration::from_mins(10))?;
        ranges::duration(self.write_timeout, Duration::from_secs(1)..=Duration::from_mins(10))
    }
}
