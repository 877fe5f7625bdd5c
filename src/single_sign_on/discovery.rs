//! The metadata and the keys of providers, kept for some minutes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, DiscoveryError, IssuerUrl, ProviderMetadata};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use super::entity::provider;
use super::fault::ProviderFault;
use super::http_client::ProviderClient;
use crate::clock::{Clock, MonotonicTime};
use crate::ids::{IdentityProviderId, TenantId};
use crate::outbound::{ScopedKey, SingleFlight};

/// How long metadata and keys are used before they are read again.
const MAX_AGE: Duration = Duration::from_mins(10);

/// The least age at which a token with an unknown key makes the gateway read the keys again: the
/// provider may have rotated them, but forged tokens must not make the gateway send requests.
const ROTATION_AGE: Duration = Duration::from_mins(1);

/// The number of providers whose metadata is kept.
const CAPACITY: usize = 1000;

/// Provider metadata beyond the fields of OpenID Connect Discovery.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Extension {
    /// Whether authorization responses name their issuer (RFC 9207, section 3).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Extension {}

/// The metadata of a provider, with its keys.
pub(super) type Metadata = ProviderMetadata<
    Extension,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// A provider as it was set; after a change it is discovered anew.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    tenant: TenantId,
    provider: IdentityProviderId,
    revision: i64,
}

impl ScopedKey for Key {}

#[derive(Clone)]
struct Known {
    revision: i64,
    read_at: MonotonicTime,
    metadata: Arc<Metadata>,
}

/// Reads and keeps metadata; concurrent sign-ins at one provider read it once.
pub(super) struct Discovery {
    clock: Arc<dyn Clock>,
    known: Arc<Cache<IdentityProviderId, Known>>,
    flights: SingleFlight<Key, Result<Arc<Metadata>, ProviderFault>>,
}

impl Discovery {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, known: Arc::new(Cache::new(CAPACITY)), flights: SingleFlight::default() }
    }

    /// The metadata of a provider, at most ten minutes old.
    pub(super) async fn metadata(
        &self,
        provider: &provider::Model,
        client: &ProviderClient,
    ) -> Result<Arc<Metadata>, ProviderFault> {
        self.not_older_than(MAX_AGE, provider, client).await
    }

    /// The metadata after the provider signed with a key that the known metadata has not.
    pub(super) async fn after_rotation(
        &self,
        provider: &provider::Model,
        client: &ProviderClient,
    ) -> Result<Arc<Metadata>, ProviderFault> {
        self.not_older_than(ROTATION_AGE, provider, client).await
    }

    /// The metadata as the provider publishes it now.
    pub(super) async fn fresh(
        &self,
        provider: &provider::Model,
        client: &ProviderClient,
    ) -> Result<Arc<Metadata>, ProviderFault> {
        self.not_older_than(Duration::ZERO, provider, client).await
    }

    async fn not_older_than(
        &self,
        max_age: Duration,
        provider: &provider::Model,
        client: &ProviderClient,
    ) -> Result<Arc<Metadata>, ProviderFault> {
        let now = self.clock.monotonic();
        let known = self.known.get(&provider.id).filter(|known| {
            known.revision == provider.revision && now.since(known.read_at) < max_age
        });
        if let Some(known) = known {
            return Ok(known.metadata);
        }
        let key =
            Key { tenant: provider.tenant_id, provider: provider.id, revision: provider.revision };
        let issuer = provider.issuer.clone();
        let client = client.clone();
        let known = self.known.clone();
        let id = provider.id;
        let revision = provider.revision;
        let start = || {
            async move {
                let metadata = Arc::new(discover(issuer, &client).await?);
                known.insert(id, Known { revision, read_at: now, metadata: metadata.clone() });
                Ok(metadata)
            }
            .boxed()
        };
        self.flights.join_or_start(key, start).flight.await
    }
}

async fn discover(issuer: String, client: &ProviderClient) -> Result<Metadata, ProviderFault> {
    let malformed = |what: &str| ProviderFault::Malformed(what.to_owned());
    let issuer = IssuerUrl::new(issuer).map_err(|_| malformed("the issuer is no URL"))?;
    let metadata = Metadata::discover_async(issuer, client).await.map_err(|error| match error {
        DiscoveryError::Request(fault) => fault,
        DiscoveryError::Parse(error) => {
            malformed(&format!("metadata or keys, at {}", error.path()))
        }
        DiscoveryError::Response(status, ..) => {
            malformed(&format!("metadata or keys, HTTP status {}", status.as_u16()))
        }
        DiscoveryError::Validation(_) => malformed("its metadata names another issuer"),
        _ => malformed("its metadata cannot be read"),
    })?;
    if metadata.token_endpoint().is_none() {
        return Err(malformed("its metadata names no token endpoint"));
    }
    Ok(metadata)
}
