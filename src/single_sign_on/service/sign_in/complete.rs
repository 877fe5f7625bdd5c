//! Completes a sign-in when the provider sends the person back.

use std::sync::Arc;

use super::super::SingleSignOn;
use super::super::accounts::Match;
use super::super::tokens::Code;
use super::secrets::Secrets;
use crate::audit::FailedAuthentication;
use crate::auth::RequestId;
use crate::clock::Timestamp;
use crate::database::Write;
use crate::error::Error;
use crate::ids::{IdentityProviderId, UserId};
use crate::secret::{PlainSecret, SecretHash};
use crate::single_sign_on::discovery::Metadata;
use crate::single_sign_on::entity::{provider, request};
use crate::single_sign_on::fault::SignInFailure;

/// The longest parameters of a callback, in bytes. Codes of some providers are long.
const PARAMETER_MAX: usize = 4096;

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

impl SingleSignOn {
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
        let state = SecretHash::of(callback.state.as_bytes());
        let secrets = Secrets::open(&self.with.master, &state, &request.sealed)?;
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
