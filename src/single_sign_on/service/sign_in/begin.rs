//! Begins a sign-in at a provider.

use std::sync::Arc;
use std::time::Duration;

use openidconnect::core::CoreAuthenticationFlow;
use openidconnect::{CsrfToken, LoginHint, Nonce, PkceCodeChallenge, PkceCodeVerifier, Scope};
use sea_orm::{EntityTrait, IntoActiveModel};

use super::super::tokens::{OidcClient, oidc_client};
use super::super::{CALLBACK_PATH, SingleSignOn};
use super::secrets::Secrets;
use crate::auth::RequestId;
use crate::database::Write;
use crate::entropy::base62;
use crate::error::Result;
use crate::secret::{PlainSecret, SecretHash};
use crate::single_sign_on::discovery::Metadata;
use crate::single_sign_on::entity::{provider, request};
use crate::single_sign_on::fault::{ProviderFault, SignInFailure};
use crate::single_sign_on::model::Provider;

/// How long a person may take at the provider.
const LIFETIME: Duration = Duration::from_mins(10);

/// The start of a sign-in.
pub struct Departure<'a> {
    /// The URL at which the browser reaches the gateway.
    pub base: &'a str,
    /// The cookie that the browser must bring back: only there the sign-in can end.
    pub browser: &'a PlainSecret,
    /// The page to return to afterwards.
    pub return_to: Option<String>,
    /// The address that the person entered, which spares them entering it once more.
    pub login_hint: Option<&'a str>,
}

impl SingleSignOn {
    /// Begins a sign-in at a provider and returns the URL to send the browser to.
    ///
    /// # Errors
    /// `Unavailable` if the provider's metadata cannot be read.
    pub async fn begin(
        &self,
        provider: &Provider,
        from: &Departure<'_>,
        request_id: &RequestId,
    ) -> Result<String, SignInFailure> {
        let row = &provider.row;
        let metadata = self.discovery.metadata(row, &self.client(row, request_id)).await?;
        let redirect_uri = redirect_uri(from.base, row, &metadata);
        let [state, nonce, verifier] = [(); 3].map(|()| self.random());
        let secrets = Secrets { nonce, verifier };
        let client = oidc_client(row, &metadata, self.secret(row)?, &redirect_uri)?;
        let url = authorization_url(row, &client, &state, &secrets, from.login_hint)?;
        let hash = SecretHash::of(state.as_bytes());
        let request = request::Model {
            state_hash: hash.as_bytes().to_vec(),
            provider_id: row.id,
            provider_revision: row.revision,
            browser_hash: from.browser.hash(),
            sealed: secrets.seal(&self.with.master, &*self.with.entropy, &hash)?,
            redirect_uri,
            return_to: from.return_to.clone(),
            expires_at: self.with.clock.now().plus(LIFETIME),
        };
        let work = async |write: Arc<Write<'_>>| {
            let insert = request::Entity::insert(request.clone().into_active_model());
            Ok(insert.exec_without_returning(write.on()).await.map(drop)?)
        };
        self.with.database.transaction(work).await?;
        Ok(url)
    }

    /// 256 random bits in 43 characters, which every parameter and a PKCE verifier may have.
    fn random(&self) -> String {
        let mut bytes = [0; 32];
        self.with.entropy.fill(&mut bytes);
        base62(&bytes, 43)
    }

    /// Deletes sign-ins that nobody can finish any more.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn forget_expired(&self, write: &Write<'_>) -> Result<()> {
        let expired = request::Entity::forget_expired(self.with.clock.now());
        Ok(expired.exec(write.on()).await.map(drop)?)
    }
}

/// The URL of the provider's page, with the request.
fn authorization_url(
    provider: &provider::Model,
    client: &OidcClient,
    state: &str,
    secrets: &Secrets,
    login_hint: Option<&str>,
) -> Result<String, ProviderFault> {
    let state = CsrfToken::new(state.to_owned());
    let nonce = Nonce::new(secrets.nonce.clone());
    let verifier = PkceCodeVerifier::new(secrets.verifier.clone());
    let mut request = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce)
        .add_scope(Scope::new("email".to_owned()))
        .add_scope(Scope::new("profile".to_owned()))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    if let Some(hint) = login_hint {
        request = request.set_login_hint(LoginHint::new(hint.to_owned()));
    }
    let (url, ..) = request.url();
    if provider.issuer.split(':').next() != Some(url.scheme()) {
        return Err(ProviderFault::Endpoint("has another scheme than the issuer".to_owned()));
    }
    Ok(url.into())
}

/// A provider that names itself in its answers may share the redirect URI with others. One that
/// does not has its own, which tells its answers from those of others (RFC 9700, section 4.4.2).
fn redirect_uri(base: &str, provider: &provider::Model, metadata: &Metadata) -> String {
    let shared = format!("{}{CALLBACK_PATH}", base.trim_end_matches('/'));
    if metadata.additional_metadata().authorization_response_iss_parameter_supported {
        shared
    } else {
        format!("{shared}/{}", provider.id)
    }
}
