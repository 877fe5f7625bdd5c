//! Redeems authorization codes and verifies ID tokens.

use openidconnect::core::{
    CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim, CoreIdToken,
    CoreIdTokenClaims, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    AccessToken, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    EmptyAdditionalClaims, EndpointMaybeSet, EndpointNotSet, EndpointSet, Nonce,
    OAuth2TokenResponse, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    SignatureVerificationError, StandardErrorResponse, SubjectIdentifier, TokenResponse,
    UserInfoError,
};

use super::SingleSignOn;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::single_sign_on::discovery::Metadata;
use crate::single_sign_on::entity::provider;
use crate::single_sign_on::fault::{ProviderFault, SignInFailure};
use crate::single_sign_on::http_client::ProviderClient;

/// The algorithms of ID tokens: those with a public key. With a shared key, anybody who knows the
/// client's secret could impersonate the provider.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// The most authentication methods that are taken over, and the longest name of one.
const METHODS_MAX: usize = 10;
const METHOD_LENGTH_MAX: usize = 32;

/// The longest subject (OpenID Connect Core, section 2).
const SUBJECT_MAX: usize = 255;

/// The longest e-mail address (RFC 5321, section 4.5.3.1).
const EMAIL_MAX: usize = 254;

/// The library's client for one provider.
pub(super) type OidcClient = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// An authorization code with everything that redeeming it takes.
pub(super) struct Code {
    pub code: String,
    pub nonce: String,
    pub verifier: String,
    pub redirect_uri: String,
}

/// The account at a provider that an ID token is about.
pub(super) struct Account {
    pub subject: SubjectIdentifier,
    pub methods: Vec<String>,
    pub auth_time: Timestamp,
    person: Option<Person>,
    access_token: AccessToken,
}

/// The person behind an account, by an e-mail address that the provider verified.
pub(super) struct Person {
    pub email: String,
    pub name: Option<String>,
}

/// The library's client, which authenticates as the provider wants it.
pub(super) fn oidc_client(
    provider: &provider::Model,
    metadata: &Metadata,
    secret: String,
    redirect_uri: &str,
) -> Result<OidcClient, ProviderFault> {
    let redirect_uri = RedirectUrl::new(redirect_uri.to_owned())
        .map_err(|_| ProviderFault::Endpoint("gets no valid redirect URI".to_owned()))?;
    let id = ClientId::new(provider.client_id.clone());
    let secret = ClientSecret::new(secret);
    let client = CoreClient::from_provider_metadata(metadata.clone(), id, Some(secret));
    let methods = metadata.token_endpoint_auth_methods_supported();
    let takes_basic =
        methods.is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
    let auth_type = if takes_basic { AuthType::BasicAuth } else { AuthType::RequestBody };
    Ok(client.set_redirect_uri(redirect_uri).set_auth_type(auth_type))
}

impl SingleSignOn {
    /// Redeems a code and verifies the ID token.
    pub(super) async fn redeem(
        &self,
        provider: &provider::Model,
        http: &ProviderClient,
        metadata: &Metadata,
        code: Code,
    ) -> Result<Account, SignInFailure> {
        let secret = self.secret(provider)?;
        let client = oidc_client(provider, metadata, secret.clone(), &code.redirect_uri)?;
        let request = client
            .exchange_code(AuthorizationCode::new(code.code))
            .map_err(|_| ProviderFault::Malformed("it has no token endpoint".to_owned()))?
            .set_pkce_verifier(PkceCodeVerifier::new(code.verifier));
        let response = request.request_async(http).await.map_err(token_failure)?;
        let token = response.id_token().ok_or(SignInFailure::Refused("id_token_missing"))?;
        let nonce = Nonce::new(code.nonce);
        let claims = match self.verify(&client, token, &nonce) {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let metadata = self.discovery.after_rotation(provider, http).await?;
                let client = oidc_client(provider, &metadata, secret, &code.redirect_uri)?;
                self.verify(&client, token, &nonce)
            }
            verified => verified,
        };
        let claims = claims.map_err(|error| SignInFailure::Refused(reason(&error)))?;
        self.account(&claims, response.access_token().clone())
    }

    /// Verifies signature, issuer, audience, end and nonce, at the time that all nodes share.
    fn verify(
        &self,
        client: &OidcClient,
        token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let now = self.with.clock.now().to_string();
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || now.parse().expect("a timestamp is shown as RFC 3339"));
        token.claims(&verifier, nonce).cloned()
    }

    fn account(
        &self,
        claims: &CoreIdTokenClaims,
        access_token: AccessToken,
    ) -> Result<Account, SignInFailure> {
        let subject = claims.subject().clone();
        if !(1..=SUBJECT_MAX).contains(&subject.len()) {
            return Err(SignInFailure::Refused("subject_invalid"));
        }
        let methods =
            claims.auth_method_refs().into_iter().flatten().map(|method| method.to_string());
        let is_short = |method: &String| {
            (1..=METHOD_LENGTH_MAX).contains(&method.len())
                && method.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let now = self.with.clock.now();
        let auth_time = claims
            .auth_time()
            .and_then(|at| Timestamp::checked_from_millis(at.timestamp().checked_mul(1000)?));
        let name = claims.name().and_then(|name| name.get(None)).map(|name| name.to_string());
        let email = claims.email().map(|email| email.to_string());
        let person = email.filter(|_| claims.email_verified() == Some(true));
        Ok(Account {
            subject,
            methods: methods.filter(is_short).take(METHODS_MAX).collect(),
            auth_time: auth_time.unwrap_or(now).min(now),
            person: person.map(|email| Person { email, name }),
            access_token,
        })
    }

    /// The person of an account: by its ID token, else by the user information endpoint, where
    /// some providers tell the e-mail address alone.
    pub(super) async fn verified_person(
        &self,
        provider: &provider::Model,
        http: &ProviderClient,
        metadata: &Metadata,
        account: &Account,
    ) -> Result<Person, SignInFailure> {
        let person = match &account.person {
            Some(Person { email, name }) => Person { email: email.clone(), name: name.clone() },
            None => self.told_person(provider, http, metadata, account).await?,
        };
        if person.email.len() > EMAIL_MAX {
            return Err(SignInFailure::Refused("email_invalid"));
        }
        Ok(person)
    }

    async fn told_person(
        &self,
        provider: &provider::Model,
        http: &ProviderClient,
        metadata: &Metadata,
        account: &Account,
    ) -> Result<Person, SignInFailure> {
        const UNVERIFIED: SignInFailure = SignInFailure::Refused("email_not_verified");
        if metadata.userinfo_endpoint().is_none() {
            return Err(UNVERIFIED);
        }
        let secret = self.secret(provider)?;
        let client = oidc_client(provider, metadata, secret, &provider.issuer)?;
        let request = client
            .user_info(account.access_token.clone(), Some(account.subject.clone()))
            .map_err(|_| UNVERIFIED)?;
        let told = request.request_async::<EmptyAdditionalClaims, _, CoreGenderClaim>(http).await;
        let told = told.map_err(|error| match error {
            UserInfoError::Request(fault) => SignInFailure::from(fault),
            UserInfoError::ClaimsVerification(_) => SignInFailure::Refused("user_info_mismatch"),
            _ => ProviderFault::Malformed("its user information".to_owned()).into(),
        })?;
        let email = told.email().filter(|_| told.email_verified() == Some(true));
        let name = told.name().and_then(|name| name.get(None)).map(|name| name.to_string());
        email.map(|email| Person { email: email.to_string(), name }).ok_or(UNVERIFIED)
    }
}

/// Why a code was not redeemed.
fn token_failure(
    error: RequestTokenError<ProviderFault, StandardErrorResponse<CoreErrorResponseType>>,
) -> SignInFailure {
    match error {
        RequestTokenError::Request(fault) => fault.into(),
        RequestTokenError::ServerResponse(response) => match response.error() {
            CoreErrorResponseType::InvalidClient | CoreErrorResponseType::UnauthorizedClient => {
                ProviderFault::ClientRefused.into()
            }
            _ => SignInFailure::Refused("code_refused"),
        },
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            ProviderFault::Malformed("its token response".to_owned()).into()
        }
    }
}

/// Why an ID token was refused, as the audit log has it.
fn reason(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::Expired(_) => "id_token_expired",
        ClaimsVerificationError::InvalidAudience(_) => "id_token_audience",
        ClaimsVerificationError::InvalidIssuer(_) => "id_token_issuer",
        ClaimsVerificationError::InvalidNonce(_) => "id_token_nonce",
        ClaimsVerificationError::SignatureVerification(_) => "id_token_signature",
        _ => "id_token_invalid",
    }
}
