//! The baseline of a token: an axum handler that compares a SHA-256 and signs. It runs in its own
//! process, so that its CPU time is measured apart from the caller's.

use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::Ed25519KeyPair;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::serve::ListenerExt;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;
use tenant_gateway::ids::{ClientId, TenantId, TokenId};
use tenant_gateway::tokens::{Claims, SCOPE, Subject, SubjectType};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::gateway::Server;

/// The handler's input; set only in the process that runs the baseline.
const ROLE: &str = "TENANT_GATEWAY_FLOOR";

struct Bare {
    known: Vec<u8>,
    client: ClientId,
    tenant: TenantId,
    client_id: String,
    key: EncodingKey,
    kid: String,
    issued: AtomicU64,
}

#[derive(Serialize)]
struct Answer<'a> {
    access_token: String,
    token_type: &'a str,
    expires_in: u64,
    scope: &'a str,
}

pub fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// Starts the baseline for a caller that sends this header.
pub fn start(authorization: &str, subject: &Subject) -> Server {
    let known = STANDARD.encode(digest(&SHA256, authorization.as_bytes()));
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command
        .env(ROLE, format!("{known} {} {} {}", subject.client, subject.tenant, subject.client_id));
    command.stdout(Stdio::piped()).stderr(Stdio::inherit());
    Server::spawn_and_read(command)
}

/// Serves until killed; prints its address first.
#[tokio::main]
pub async fn serve(role: &str) -> ExitCode {
    let [known, client, tenant, client_id] =
        role.split(' ').collect::<Vec<_>>().try_into().expect("four words");
    let key =
        Ed25519KeyPair::generate().and_then(|key| key.to_pkcs8v1()).expect("a key can be made");
    let client = client.parse().expect("a UUID");
    let bare = Bare {
        known: STANDARD.decode(known).expect("base 64"),
        client,
        tenant: tenant.parse().expect("a UUID"),
        client_id: client_id.to_owned(),
        key: EncodingKey::from_ed_der(key.as_ref()),
        kid: client.to_string(),
        issued: AtomicU64::new(0),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("an address"));
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("it is open"));
    let router = Router::new().route("/oauth2/token", post(token)).with_state(Arc::new(bare));
    axum::serve(listener, router).await.expect("it serves until killed");
    ExitCode::SUCCESS
}

async fn token(
    State(bare): State<Arc<Bare>>,
    headers: HeaderMap,
    _form: Bytes,
) -> Result<([(axum::http::HeaderName, &'static str); 1], Vec<u8>), StatusCode> {
    let presented = headers.get(AUTHORIZATION).ok_or(StatusCode::UNAUTHORIZED)?;
    let hash = digest(&SHA256, presented.as_bytes());
    verify_slices_are_equal(hash.as_ref(), &bare.known).map_err(|_| StatusCode::UNAUTHORIZED)?;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("a time after 1970")
        .as_secs();
    let now = i64::try_from(now).expect("a time before the end");
    let claims = Claims {
        iss: "http://127.0.0.1:8080".to_owned(),
        sub: bare.client.0,
        subject_type: SubjectType::Client,
        aud: "tenant-gateway".to_owned(),
        exp: now + 3600,
        iat: now,
        // Unique, without the cost of a random value.
        jti: TokenId(Uuid::from_u128(bare.issued.fetch_add(1, Ordering::Relaxed).into())),
        client_id: bare.client_id.clone(),
        scope: SCOPE.to_owned(),
        tenant_id: bare.tenant,
        tenant_only: false,
        tenant_ids: bare.tenant.to_string(),
        generation: 0,
        auth_time: None,
        amr: Vec::new(),
    };
    let header = Header {
        typ: Some("at+jwt".to_owned()),
        kid: Some(bare.kid.clone()),
        ..Header::new(jsonwebtoken::Algorithm::EdDSA)
    };
    let access_token = jsonwebtoken::encode(&header, &claims, &bare.key)
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let answer = Answer { access_token, token_type: "Bearer", expires_in: 3600, scope: SCOPE };
    let body = serde_json::to_vec(&answer).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([(CONTENT_TYPE, "application/json")], body))
}
