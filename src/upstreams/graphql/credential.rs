//! Credentials from callers: given as they are, or created by a session.

use async_graphql::Context;

use super::inputs::{BasicCredentialInput, UpstreamCredentialInput};
use crate::auth::TenantScope;
use crate::auth::graphql::{operation, service};
use crate::deep_security::{Session, create_installation_key};
use crate::error::Result;
use crate::ids::{UpstreamId, random_uuid};
use crate::outbound::{BaseUrl, Endpoint, Outbound};
use crate::upstreams::Upstreams;
use crate::upstreams::model::{Authentication, Credential, System};

/// A credential that was checked, or a session that is to make one.
pub(super) enum Given {
    Ready(Credential),
    ToBeMade(Session),
}

impl UpstreamCredentialInput {
    pub(super) fn check(self, system: System) -> Result<Given> {
        let given = match self {
            Self::SecretKey(key) => {
                Given::Ready(Credential::key("secretKey", Authentication::SecretKey, key)?)
            }
            Self::CloudOneApiKey(key) => Given::Ready(Credential::key(
                "cloudOneApiKey",
                Authentication::CloudOneApiKey,
                key,
            )?),
            Self::Basic(BasicCredentialInput { user_name, password }) => {
                Given::Ready(Credential::basic(user_name, password)?)
            }
            Self::Session(session) => Given::ToBeMade(Session::parse(session.into())?),
        };
        let authentication = match &given {
            Given::Ready(credential) => credential.authentication(),
            Given::ToBeMade(_) => Authentication::SecretKey,
        };
        authentication.require_for(system)?;
        Ok(given)
    }
}

impl Given {
    pub(super) fn makes_key(&self) -> bool {
        matches!(self, Self::ToBeMade(_))
    }

    /// The credential; a session makes it now, at that place.
    pub(super) async fn credential(
        self,
        ctx: &Context<'_>,
        scope: &TenantScope,
        base_url: &BaseUrl,
        ca_certificate: Option<&str>,
    ) -> Result<Credential> {
        let session = match self {
            Self::Ready(credential) => return Ok(credential),
            Self::ToBeMade(session) => session,
        };
        let endpoint = Endpoint {
            // Nothing is stored under it; its connections are used for this alone.
            upstream: UpstreamId(random_uuid(service::<Upstreams>(ctx)?.entropy())),
            owner: scope.tenant(),
            system: System::DeepSecurity.as_str(),
            revision: 0,
            base_url: base_url.clone(),
            ca_certificate: ca_certificate.map(str::to_owned),
        };
        create_installation_key(
            service::<Outbound>(ctx)?,
            operation(ctx)?,
            &endpoint.into(),
            scope.tenant(),
            session,
        )
        .await
    }
}

/// A key created for a registration that failed stays at the manager; a retry would create another.
pub(super) fn kept<T>(made_key: bool, kept: Result<T>) -> Result<T> {
    kept.map_err(|error| if made_key { error.with_unknown_outcome() } else { error })
}
