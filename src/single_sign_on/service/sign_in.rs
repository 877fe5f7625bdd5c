//! Sends people to their provider, and takes them back.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::CoreAuthenticationFlow;
use openidconnect::{CsrfToken, LoginHint, Nonce, PkceCodeChallenge, PkceCodeVerifier, Scope};
use sea_orm::{EntityTrait, IntoActiveModel};
use serde::{Deserialize, Serialize};

use super::accounts::Match;
use super::tokens::{Code, OidcClient, oidc_client};
use super::{CALLBACK_PATH, SingleSignOn};
use crate::audit::FailedAuthentication;
use crate::auth::RequestId;
use crate::clock::Timestamp;
use crate::database::Write;
use crate::entropy::base62;
use crate::error::{Error, Result};
use crate::ids::{IdentityProviderId, UserId};
use crate::secret::{PlainSecret, SecretHash};
use crate::single_sign_on::discovery::Metadata;
use crate::single_sign_on::entity::{provider, request};
use crate::single_sign_on::fault::{ProviderFault, SignInFailure};
use crate::single_sign_on::model::Provider;

/// How long a person may take at the provider.
const LIFETIME: Duration = Duration::from_mins(10);

/// The longest parameters of a callback, in bytes. Codes of some providers are long.
const PARAMETER_MAX: usize = 4096;

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

/// The parameters of a callback from a provider.
#[derive(Clone, Default)]
pub struct Callback {
    /// The provider in the path, if the redirect URI was its own.
    pub provider: Option<IdentityProviderId>,
    /// The parameter `state`.
    pub state: String,
    /// The parameter `code`.
    pub code: Option<String>,
    /// The parameter `iss` (RFC 9207).
    pub issuer: Option<String>,
    /// Whether there is a parameter `error`.
    pub has_error: bool,
}

/// A person whom their provider vouched for.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The person: an enabled user of the provider's tenant.
    pub user: UserId,
    /// Their token generation.
    pub generation: i64,
    /// The methods that the provider names (RFC 8176); it need not name any.
    pub methods: Vec<String>,
    /// When they authenticated at the provider, as far as it tells.
    pub auth_time: Timestamp,
    /// The page to return to.
    pub return_to: Option<String>,
}

/// The secrets of a sign-in that the gateway needs when the person comes back.
#[derive(Deserialize, Serialize)]
struct Secrets {
    nonce: String,
    verifier: String,
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
        let opened = serde_json::to_vec(&secrets).map_err(Error::internal)?;
        let request = request::Model {
            state_hash: hash.as_bytes().to_vec(),
            provider_id: row.id,
            provider_revision: row.revision,
            browser_hash: from.browser.hash(),
            sealed: self.with.master.seal(&*self.with.entropy, &binding(&hash), &opened),
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

    /// Finishes a sign-in: checks that it began in this browser and ends at the provider that it
    /// began with, redeems the code, verifies the ID token, and finds the account. Refusals are
    /// recorded in the log of the provider's tenant.
    ///
    /// # Errors
    /// [`SignInFailure`].
    pub async fn complete(
        &self,
        callback: Callback,
        browser: &PlainSecret,
        request_id: &RequestId,
    ) -> Result<SignedIn, SignInFailure> {
        let request = self.take(&callback, browser).await?;
        let provider = provider::Entity::of_sign_in(request.provider_id);
        let provider = provider.one(self.with.database.reader()).await.map_err(Error::from)?;
        let provider = provider.filter(|row| row.revision == request.provider_revision);
        let provider = provider.ok_or(SignInFailure::Expired)?;
        let outcome = self.complete_at(&provider, request, callback, request_id).await;
        if let Err(failure) = &outcome
            && let Some(reason) = failure.reason()
        {
            self.with.audit.authentication_failed(FailedAuthentication {
                actor: format!("identity provider {}", provider.id),
                tenant: Some(provider.tenant_id),
                operation: "singleSignOn",
                code: "access_denied",
                reason,
                request_id: request_id.clone(),
            });
        }
        outcome
    }

    /// Takes the sign-in that a callback ends: it exists once, and only for the browser that it
    /// began in.
    async fn take(
        &self,
        callback: &Callback,
        browser: &PlainSecret,
    ) -> Result<request::Model, SignInFailure> {
        let is_short =
            |text: &Option<String>| text.as_ref().is_none_or(|text| text.len() <= PARAMETER_MAX);
        if !is_short(&callback.code) || !is_short(&callback.issuer) {
            return Err(SignInFailure::Expired);
        }
        let browser = browser.hash();
        let hash = SecretHash::of(callback.state.as_bytes());
        let work = async |write: Arc<Write<'_>>| {
            let found = request::Entity::with_state(&hash).one(write.on()).await?;
            let Some(found) = found.filter(|row| row.browser_hash.matches(&browser)) else {
                return Ok(None);
            };
            let taken = request::Entity::take(&hash).exec(write.on()).await?;
            Ok(Some(found).filter(|_| taken.rows_affected == 1))
        };
        let taken = self.with.database.transaction(work).await?;
        let live = taken.filter(|row| self.with.clock.now() < row.expires_at);
        live.ok_or(SignInFailure::Expired)
    }

    async fn complete_at(
        &self,
        provider: &provider::Model,
        request: request::Model,
        callback: Callback,
        request_id: &RequestId,
    ) -> Result<SignedIn, SignInFailure> {
        let client = self.client(provider, request_id);
        let metadata = self.discovery.metadata(provider, &client).await?;
        require_same_provider(provider, &metadata, &callback)?;
        if callback.has_error {
            return Err(SignInFailure::Declined);
        }
        let code = callback.code.ok_or(SignInFailure::Declined)?;
        let secrets = self.secrets(&callback.state, &request)?;
        let code = Code {
            code,
            nonce: secrets.nonce,
            verifier: secrets.verifier,
            redirect_uri: request.redirect_uri,
        };
        let account = self.redeem(provider, &client, &metadata, code).await?;
        let user = match self.linked(provider, &account).await? {
            Some(user) => user,
            None => {
                let person = self.verified_person(provider, &client, &metadata, &account).await?;
                match self.link(provider, &account, &person, request_id).await? {
                    Match::User(user) => *user,
                    Match::Refused(reason) => return Err(SignInFailure::Refused(reason)),
                }
            }
        };
        if !user.enabled {
            return Err(SignInFailure::Refused("user_disabled"));
        }
        Ok(SignedIn {
            user: user.id,
            generation: user.token_generation,
            methods: account.methods,
            auth_time: account.auth_time,
            return_to: request.return_to,
        })
    }

    fn secrets(&self, state: &str, request: &request::Model) -> Result<Secrets> {
        let hash = SecretHash::of(state.as_bytes());
        let opened = self.with.master.open(&binding(&hash), &request.sealed)?;
        serde_json::from_slice(&opened).map_err(Error::internal)
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

/// Refuses an answer of another provider than the one that the sign-in began with (RFC 9207,
/// section 2.4).
fn require_same_provider(
    provider: &provider::Model,
    metadata: &Metadata,
    callback: &Callback,
) -> Result<(), SignInFailure> {
    let names_itself =
        metadata.additional_metadata().authorization_response_iss_parameter_supported;
    let is_named = match &callback.issuer {
        Some(issuer) => *issuer == provider.issuer,
        None => !names_itself,
    };
    let is_at_its_path = match callback.provider {
        Some(id) => id == provider.id,
        None => names_itself,
    };
    if is_named && is_at_its_path { Ok(()) } else { Err(SignInFailure::Refused("another_issuer")) }
}

fn binding(state: &SecretHash) -> String {
    format!("sign_in:{}", URL_SAFE_NO_PAD.encode(state.as_bytes()))
}
