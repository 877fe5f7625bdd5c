//! The first key of an installation, created with a user name and a password that are not stored.

use std::fmt;
use std::sync::Arc;

use super::client::{self, ApiRequest, AuthHeaders, CallError};
use super::model::reference;
use super::query::exact_name;
use super::wire::{self, KeyBody, KeyWithSecret, Page, Role, SignIn, SignedIn};
use crate::error::{Error, ErrorCode, Result};
use crate::ids::TenantId;
use crate::names::Name;
use crate::outbound::{Endpoint, Identity, Operation, Outbound, UpstreamRoute};
use crate::upstreams::{Authentication, Credential};

const FULL_ACCESS: &str = "Full Access";
const TEXT_MAX: usize = 1024;

/// An administrator's sign-in and the key to create. Dropped, with the password, once the key
/// exists.
pub struct Session {
    user_name: String,
    password: String,
    tenant_name: Option<String>,
    mfa_code: Option<String>,
    key_name: String,
    role_id: Option<i64>,
}

/// A session as the caller passes it.
#[derive(Default)]
pub struct SessionInput {
    /// The administrator's name.
    pub user_name: String,
    /// The administrator's password.
    pub password: String,
    /// The administrator's tenant, unless it is the primary tenant.
    pub tenant_name: Option<String>,
    /// The code of the second factor.
    pub mfa_code: Option<String>,
    /// The name of the key; by default `Tenant Gateway`.
    pub key_name: Option<String>,
    /// The role of the key; by default the one with full access.
    pub role_id: Option<String>,
}

impl fmt::Debug for SessionInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Session {
    /// Validates a caller's input.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field, without its content.
    pub fn parse(input: SessionInput) -> Result<Self> {
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

fn text(argument: &str, text: String) -> Result<String> {
    let is_valid =
        !text.is_empty() && text.len() <= TEXT_MAX && !text.chars().any(char::is_control);
    if is_valid {
        Ok(text)
    } else {
        Err(Error::bad_input(argument, "must have 1 to 1024 bytes and no control characters"))
    }
}

/// An open session of an administrator.
struct OpenSession<'a> {
    outbound: &'a Outbound,
    operation: &'a Operation,
    route: UpstreamRoute,
    auth: AuthHeaders,
}

/// Signs in and creates a key (`docs/reference/deep-security-api.md`, section 3 C). The session
/// expires by itself, because the API cannot end it.
///
/// # Errors
/// `UPSTREAM_UNAUTHORIZED` for a wrong name, password or code; `BAD_USER_INPUT` if no role is given
/// and none is called `Full Access`; as `client::send`. After a lost response the outcome is
/// unknown: the key may exist, but its secret is lost.
pub async fn create_installation_key(
    outbound: &Outbound,
    operation: &Operation,
    endpoint: &Arc<Endpoint>,
    tenant: TenantId,
    session: Session,
) -> Result<Credential> {
    let identity = Identity::new("session");
    let route = UpstreamRoute { tenant, endpoint: endpoint.clone(), identity };
    let auth = sign_in(outbound, operation, &route, &session).await?;
    let open = OpenSession { outbound, operation, route, auth };
    let role_id = match session.role_id {
        Some(role_id) => role_id,
        None => open.full_access_role().await?,
    };
    let body = KeyBody {
        key_name: Some(session.key_name),
        description: Some("Created by Tenant Gateway".to_owned()),
        role_id: Some(role_id),
        ..KeyBody::default()
    };
    let request = ApiRequest::post(["apikeys".into()], Some(wire::write(&body)?));
    let created: KeyWithSecret = open.send(&request).await?.read()?;
    Credential::key("secretKey", Authentication::SecretKey, created.secret.expose().to_owned())
}

impl OpenSession<'_> {
    async fn send(&self, request: &ApiRequest) -> Result<client::ApiResponse> {
        client::send(self.outbound, self.operation, &self.route, &self.auth, request)
            .await
            .map_err(|error| error.into_error(&self.route))
    }

    async fn full_access_role(&self) -> Result<i64> {
        let request = ApiRequest::search("roles", exact_name::<Role>(FULL_ACCESS)?);
        let Page(roles) = self.send(&request).await?.read::<Page<Role>>()?;
        let found = roles.into_iter().find(|role| role.name.as_deref() == Some(FULL_ACCESS));
        let missing = || Error::bad_input("roleID", "is required: no role is called Full Access");
        Ok(found.ok_or_else(missing)?.id)
    }
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
    let request = ApiRequest::post(["sessions".into()], Some(wire::write(&body)?));
    let response = client::send(outbound, operation, route, &AuthHeaders::none(), &request).await;
    let response = response.map_err(|error| match error {
        CallError::Credential(status) => {
            let message = "Deep Security refused the user name, the password or the MFA code";
            let error = Error::new(ErrorCode::UpstreamUnauthorized, message);
            client::with_upstream(error, route, Some(status))
        }
        CallError::Other(error) => error,
    })?;
    // A session is not a change of the caller: a malformed response leaves nothing unknown.
    let SignedIn { rid } = response.read().map_err(Error::with_known_outcome)?;
    let mut cookies = response.cookies().iter();
    let id = cookies.find_map(|cookie| cookie.strip_prefix("sID=")?.split(';').next());
    match id.filter(|id| is_token(id)) {
        Some(id) if is_token(&rid) => Ok(AuthHeaders::session(id, &rid)),
        _ => Err(client::malformed(route, "the session has no valid sID and RID".to_owned())),
    }
}

/// Whether a text can be sent in a header.
fn is_token(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
