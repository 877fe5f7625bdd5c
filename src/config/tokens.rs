use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// The access tokens that the gateway issues.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokensConfig {
    /// The lifetime of a token, from 1 minute to 24 hours.
    /// Variable `TENANT_GATEWAY__TOKENS__LIFETIME`, default `1h`.
    #[serde(with = "friendly_duration")]
    pub lifetime: Duration,

    /// The signature algorithm of new tokens: `EdDSA`, `Ed25519` (the same under its newer name),
    /// `ES256` or `RS256`. Variable `TENANT_GATEWAY__TOKENS__ALGORITHM`, default `EdDSA`.
    pub algorithm: TokenAlgorithm,

    /// How long a key signs before the next one takes over, from 1 day to 1000 days. Any node
    /// creates the next one in time. Variable `TENANT_GATEWAY__TOKENS__KEY_LIFETIME`, default
    /// `30d`.
    #[serde(with = "friendly_duration")]
    pub key_lifetime: Duration,

    /// How long the published key set may be cached, from 1 second to 12 hours: the `max-age` of
    /// `jwks.json`. A new key is published that long and 90 seconds before it signs.
    /// Variable `TENANT_GATEWAY__TOKENS__JWKS_MAX_AGE`, default `10m`.
    #[serde(with = "friendly_duration")]
    pub jwks_max_age: Duration,

    /// The `aud` claim of issued tokens, and the one that presented tokens must carry.
    /// Variable `TENANT_GATEWAY__TOKENS__AUDIENCE`, default `tenant-gateway`.
    pub audience: String,

    /// The number of verified tokens cached, from 1 to 10000000.
    /// Variable `TENANT_GATEWAY__TOKENS__CACHE_SIZE`, default `10000`.
    pub cache_size: usize,
}

const DAY: Duration = Duration::from_hours(24);

/// Signature algorithms, named as in JWT headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum TokenAlgorithm {
    /// Ed25519.
    #[default]
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// Ed25519 under its own name (RFC 9864).
    Ed25519,
    /// ECDSA over P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSA PKCS#1 v1.5 with SHA-256, for verifiers that support nothing newer.
    #[serde(rename = "RS256")]
    Rs256,
}

impl Default for TokensConfig {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_hours(1),
            algorithm: TokenAlgorithm::default(),
            key_lifetime: 30 * DAY,
            jwks_max_age: Duration::from_mins(10),
            audience: "tenant-gateway".into(),
            cache_size: 10_000,
        }
    }
}

impl TokensConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.audience.trim().is_empty() {
            return Err("must not be empty".into());
        }
        ranges::duration(self.lifetime, Duration::from_mins(1)..=DAY)?;
        ranges::duration(self.key_lifetime, DAY..=1000 * DAY)?;
        ranges::duration(self.jwks_max_age, Duration::from_secs(1)..=Duration::from_hours(12))?;
        ranges::number(self.cache_size, 1..=10_000_000)
    }
}
