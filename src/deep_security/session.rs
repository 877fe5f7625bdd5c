//! The first key of an installation, made with a user name and a password that are forgotten at
//! once (feature F7).

use std::fmt;
use std::sync::Arc;

use super::client::{self, AuthHeaders, CallError, Request};
use super::listing::exactly;
use super::model::reference;
use super::wire::{self, KeyBody, KeyWithSecret, Role, SignIn, SignedIn};
use crate::error::{Error, ErrorCode, Result};
use crate::ids::TenantId;
use crate::names::Name;
use crate::outbound::{Endpoint, Identity, Operation, Outbound, UpstreamRoute};
use crate::upstreams::{Authentication, Credential};

const FULL_ACCESS: &str = "Full Access";
const TEXT_MAX: usize = 1024;

/// Who signs in, and what key to make. The password lives no longer than this.
pub struct Session {
    user_name: String,
    password: String,
    tenant_name: Option<String>,
    mfa_code: Option<String>,
    key_name: String,
    role_id: Option<i64>,
}

/// A session as a caller gives it.
#[derive(Default)]
pub struct SessionInput {
    /// The administrator's name.
    pub user_name: String,
    /// The administrator's password.
    pub password: String,
    /// The tenant of the administrator, where it is not the primary.
    pub tenant_name: Option<String>,
    /// The code of a second factor.
    pub mfa_code: Option<String>,
    /// The name of the key; `Tenant Gateway` if absent.
    pub key_name: Option<String>,
    /// The role of the key; the one with full access if absent.
    pub role_id: Option<String>,
}

impl fmt::Debug for SessionInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Session {
    /// Checks a caller's input.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field, never repeating what it holds.
    pub fn parse(input: SessionInput) -> Result<Self> {
        let text = |argument: &str, text: String| {
            let fits =
                !text.is_empty() && text.len() <= TEXT_MAX && !text.chars().any(char::is_control);
            let must = "must have 1 to 1024 bytes, and no control characters";
            if fits { Ok(text) } else { Err(Error::bad_input(argument, must)) }
        };
        let key_name = input.key_name.unwrap_or_else(|| "Tenant Gateway".to_owned());
        Ok(Self {
            user_name: text("userName", input.user_name)?,
            password: text("password", input.password)?,
            tenant_name: input.tenant_name.map(|name| text("tenantName", name)).transpose()?,
            mfa_code: input.mfa_code.map(|code| text("mfaCode", code)).transpose()?,
            key_name: Name::parse("keyName", &key_name)?.as_str().to_owned(),
            role_id: input.role_id.map(|id| reference("roleID", &id)).transpose()?,
        })
    }
}

/// Signs in, makes a key and forgets the password: session, key, end
/// (`docs/reference/deep-security-api.md`, section 3 C). The session ends by itself, since the API
/// has no call that ends it.
///
/// # Errors
/// `UPSTREAM_UNAUTHORIZED` for a wrong name, password or code; `BAD_USER_INPUT` if no role is named
/// and none has full access; as every call. After a lost answer the outcome is unknown: the key may
/// be there, and its secret is lost.
pub async fn first_key(
    outbound: &Outbound,
    operation: &Operation,
    endpoint: &Arc<Endpoint>,
    tenant: TenantId,
    session: Session,
) -> Result<Credential> {
    let route = UpstreamRoute {
        tenant,
        endpoint: endpoint.clone(),
        identity: Identity("session".to_owned()),
    };
    let auth = sign_in(outbound, operation, &route, &session).await?;
    let into_error = |error: CallError| error.of_own_credential(&route);
    let role_id = match session.role_id {
        Some(role_id) => role_id,
        None => {
            let request = Request::search("roles", exactly::<Role>(FULL_ACCESS)?);
            let found = client::send(outbound, operation, &route, &auth, &request)
                .await
                .map_err(into_error)?;
            let found: wire::Page<Role> = found.read(&route, false)?;
            let found = found.0.into_iter().find(|role| role.name.as_deref() == Some(FULL_ACCESS));
            found
                .ok_or_else(|| {
                    Error::bad_input("roleID", "name a role: there is none called Full Access")
                })?
                .id
        }
    };
    let body = KeyBody {
        key_name: Some(session.key_name),
        description: Some("Made by Tenant Gateway".to_owned()),
        role_id: Some(role_id),
        ..KeyBody::default()
    };
    let request = Request::post(["apikeys".into()], Some(wire::write(&body)?));
    let made =
        client::send(outbound, operation, &route, &auth, &request).await.map_err(into_error)?;
    let made: KeyWithSecret = made.read(&route, true)?;
    Credential::key("secretKey", Authentication::SecretKey, made.secret.expose().to_owned())
}

async fn sign_in(
    outbound: &Outbound,
    operation: &Operation,
    route: &UpstreamRoute,
    session: &Session,
) -> Result<AuthHeaders> {
    let body = SignIn {
        user_name: &session.user_name,
        password: &session.password,
        tenant_name: session.tenant_name.as_deref(),
        mfa_code: session.mfa_code.as_deref(),
    };
    let request = Request::post(["sessions".into()], Some(wire::write(&body)?));
    let reply = client::send(outbound, operation, route, &AuthHeaders::none(), &request).await;
    let reply = reply.map_err(|error| match error {
        CallError::Credential(status) => {
            let message = "Deep Security refused the user name, the password or the code";
            client::with_upstream(
                Error::new(ErrorCode::UpstreamUnauthorized, message),
                route,
                Some(status),
            )
        }
        CallError::Other(error) => error,
    })?;
    let SignedIn { rid } = reply.read(route, false)?;
    let id = reply.cookies.iter().find_map(|cookie| cookie.strip_prefix("sID=")?.split(';').next());
    match id.filter(|id| is_token(id)) {
        Some(id) if is_token(&rid) => Ok(AuthHeaders::session(id, &rid)),
        _ => Err(client::malformed(route, "a session without a proper sID and RID".to_owned())),
    }
}

/// Both travel in headers.
fn is_token(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
