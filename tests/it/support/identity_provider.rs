//! An OpenID Connect provider on loopback, whose answers a test scripts: metadata, keys, the
//! authorization of a person, tokens and user information.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use url::Url;

use super::notes;

pub const CLIENT_ID: &str = "tenant-gateway";

/// The next answers of the provider.
#[derive(Clone)]
pub struct Script {
    pub subject: String,
    pub email: Option<String>,
    pub email_verified: bool,
    /// Only the user information endpoint returns the e-mail address.
    pub email_in_user_info: bool,
    pub methods: Vec<String>,
    /// Claims that replace those of an honest ID token.
    pub forged: Value,
    /// Whether metadata and answers name the issuer (RFC 9207).
    pub names_itself: bool,
    /// The `iss` of the next callback, in place of the provider's own.
    pub callback_issuer: Option<String>,
    /// Every request is answered with 503.
    pub is_down: bool,
    /// Signs with a key that it does not publish.
    pub signs_with_unknown_key: bool,
}

struct Grant {
    nonce: String,
    challenge: String,
    redirect_uri: String,
}

struct State {
    script: Script,
    key: Key,
    grants: HashMap<String, Grant>,
    codes: usize,
    calls: Vec<String>,
}

struct Key {
    pair: EcdsaKeyPair,
    id: usize,
}

impl Key {
    fn generate(id: usize) -> Self {
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let pair = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            pkcs8.expect("a key").as_ref(),
        );
        Self { pair: pair.expect("the key that was just made"), id }
    }

    fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256",
            "kid": format!("key-{}", self.id),
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]),
            "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        })
    }

    fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": format!("key-{}", self.id) });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes());
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.expect("signed")));
        notes::note(&token);
        token
    }
}

struct Inner {
    url: String,
    secret: String,
    state: Mutex<State>,
    now: Box<dyn Fn() -> i64 + Send + Sync>,
}

/// The provider. It stops with its last handle.
pub struct IdentityProvider {
    inner: Arc<Inner>,
    served: JoinHandle<()>,
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        self.served.abort();
    }
}

impl IdentityProvider {
    /// Starts a provider whose clock is `now`, in seconds since 1970 UTC.
    pub async fn start(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let secret =
            tenant_gateway::secret::PlainSecret::generate(&tenant_gateway::entropy::SystemEntropy);
        let secret = secret.expose().to_owned();
        notes::note(&secret);
        notes::note(&STANDARD.encode(format!("{CLIENT_ID}:{secret}")));
        let script = Script {
            subject: "subject-1".to_owned(),
            email: Some("ann@north.example".to_owned()),
            email_verified: true,
            email_in_user_info: false,
            methods: vec!["pwd".to_owned(), "otp".to_owned()],
            forged: json!({}),
            names_itself: true,
            callback_issuer: None,
            is_down: false,
            signs_with_unknown_key: false,
        };
        let state = State {
            script,
            key: Key::generate(1),
            grants: HashMap::new(),
            codes: 0,
            calls: Vec::new(),
        };
        let state = Mutex::new(state);
        let inner = Arc::new(Inner { url, secret, state, now: Box::new(now) });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .route("/userinfo", get(user_info))
            .with_state(inner.clone());
        let served = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self { inner, served }
    }

    pub fn issuer(&self) -> &str {
        &self.inner.url
    }

    pub fn secret(&self) -> &str {
        &self.inner.secret
    }

    /// Changes what it says next.
    pub fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.inner.state().script);
    }

    /// Replaces the key that it publishes and signs with.
    pub fn rotate_key(&self) {
        let mut state = self.inner.state();
        state.key = Key::generate(state.key.id + 1);
    }

    /// The paths that were called since the last time.
    pub fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.inner.state().calls)
    }

    /// The person signs in at the page that the gateway sent them to: the path at the gateway that
    /// their browser comes back to.
    pub fn approve(&self, location: &str) -> String {
        let url = Url::parse(location).expect("a URL");
        assert!(location.starts_with(&format!("{}/authorize?", self.inner.url)), "{location}");
        let parameters: HashMap<_, _> = url.query_pairs().into_owned().collect();
        let of = |name: &str| parameters.get(name).cloned().unwrap_or_default();
        assert_eq!(of("response_type"), "code");
        assert_eq!(of("client_id"), CLIENT_ID);
        assert_eq!(of("code_challenge_method"), "S256");
        assert!(of("scope").split(' ').any(|scope| scope == "openid"), "{location}");
        let mut state = self.inner.state();
        state.codes += 1;
        let code = format!("code-{}-{}", state.codes, of("state"));
        for secret in [&code, &of("state"), &of("nonce")] {
            notes::note(secret);
        }
        let grant = Grant {
            nonce: of("nonce"),
            challenge: of("code_challenge"),
            redirect_uri: of("redirect_uri"),
        };
        state.grants.insert(code.clone(), grant);
        let mut back = Url::parse(&of("redirect_uri")).expect("a redirect URI");
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", &of("state"));
        let named = state.script.names_itself.then(|| self.inner.url.clone());
        if let Some(issuer) = state.script.callback_issuer.take().or(named) {
            back.query_pairs_mut().append_pair("iss", &issuer);
        }
        format!("{}?{}", back.path(), back.query().unwrap_or_default())
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Notes a call; the answer of a provider that is down.
    fn called(&self, path: &str) -> Option<Response> {
        let mut state = self.state();
        state.calls.push(path.to_owned());
        state.script.is_down.then(|| StatusCode::SERVICE_UNAVAILABLE.into_response())
    }
}

fn reply(status: StatusCode, body: &Value) -> Response {
    (status, [("content-type", "application/json")], body.to_string()).into_response()
}

async fn metadata(Shared(inner): Shared<Arc<Inner>>) -> Response {
    if let Some(down) = inner.called("metadata") {
        return down;
    }
    let url = &inner.url;
    let names_itself = inner.state().script.names_itself;
    reply(
        StatusCode::OK,
        &json!({
            "issuer": url,
            "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"),
            "jwks_uri": format!("{url}/jwks"),
            "userinfo_endpoint": format!("{url}/userinfo"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "authorization_response_iss_parameter_supported": names_itself,
        }),
    )
}

async fn jwks(Shared(inner): Shared<Arc<Inner>>) -> Response {
    if let Some(down) = inner.called("jwks") {
        return down;
    }
    let key = inner.state().key.jwk();
    reply(StatusCode::OK, &json!({ "keys": [key] }))
}

async fn token(Shared(inner): Shared<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(down) = inner.called("token") {
        return down;
    }
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{}", inner.secret)));
    if headers.get("authorization").is_none_or(|sent| sent != basic.as_str()) {
        return reply(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_client" }));
    }
    let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let refused = || reply(StatusCode::BAD_REQUEST, &json!({ "error": "invalid_grant" }));
    let of = |name: &str| form.get(name).cloned().unwrap_or_default();
    let mut state = inner.state();
    let Some(grant) = state.grants.remove(&of("code")) else { return refused() };
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, of("code_verifier").as_bytes()));
    if grant.challenge != challenge || grant.redirect_uri != of("redirect_uri") {
        return refused();
    }
    let claims = claims(&inner, &state, &grant);
    let token = if state.script.signs_with_unknown_key {
        Key::generate(state.key.id).sign(&claims)
    } else {
        state.key.sign(&claims)
    };
    let access_token = format!("access-token-{}-of-the-provider", of("code"));
    notes::note(&access_token);
    let body = json!({
        "access_token": access_token, "token_type": "Bearer", "expires_in": 300, "id_token": token,
    });
    reply(StatusCode::OK, &body)
}

fn claims(inner: &Inner, state: &State, grant: &Grant) -> Value {
    let script = &state.script;
    let now = (inner.now)();
    let mut claims = json!({
        "iss": inner.url,
        "sub": script.subject,
        "aud": CLIENT_ID,
        "exp": now + 300,
        "iat": now,
        "auth_time": now - 60,
        "nonce": grant.nonce,
        "amr": script.methods,
    });
    if !script.email_in_user_info {
        add_email(&mut claims, script);
    }
    for (name, value) in script.forged.as_object().expect("claims") {
        claims[name] = value.clone();
    }
    claims
}

fn add_email(claims: &mut Value, script: &Script) {
    if let Some(email) = &script.email {
        claims["email"] = json!(email);
        claims["email_verified"] = json!(script.email_verified);
        claims["name"] = json!("Ann North");
    }
}

async fn user_info(Shared(inner): Shared<Arc<Inner>>, headers: HeaderMap) -> Response {
    if let Some(down) = inner.called("userinfo") {
        return down;
    }
    let sent = headers.get("authorization").and_then(|sent| sent.to_str().ok());
    if sent.is_none_or(|sent| !sent.starts_with("Bearer access-token-")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let script = inner.state().script.clone();
    let mut claims = json!({ "sub": script.subject });
    add_email(&mut claims, &script);
    reply(StatusCode::OK, &claims)
}
