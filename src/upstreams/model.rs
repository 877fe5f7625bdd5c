//! What an installation and a link are.

use std::fmt;

use super::entity;
use crate::error::{Error, Result};
use crate::global_id::{GlobalId, NodeKind};
use crate::ids::{LinkId, TenantId, UpstreamId};
use crate::names::Name;
use crate::outbound::{BaseUrl, check_certificates};

/// An installation, without its credential.
pub type Upstream = entity::upstream::Model;

/// That a tenant of ours is a tenant of an installation.
pub type Link = entity::link::Model;

/// The longest credential, certificate or remote id that is taken.
const CREDENTIAL_MAX: usize = 4 * 1024;
const CERTIFICATE_MAX: usize = 64 * 1024;
const REMOTE_ID_MAX: usize = 200;

/// What kind of legacy system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum System {
    /// Trend Micro Deep Security Manager, or Workload Security.
    DeepSecurity,
    /// Kaspersky Integration Server.
    IntegrationServer,
}

impl System {
    /// Both.
    pub const ALL: [Self; 2] = [Self::DeepSecurity, Self::IntegrationServer];

    /// The name, as `LegacySystem` in the graph, the database and errors have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeepSecurity => "DEEP_SECURITY",
            Self::IntegrationServer => "INTEGRATION_SERVER",
        }
    }

    /// The system of that name.
    ///
    /// # Errors
    /// If there is none: the database holds a name that this version does not know.
    pub fn from_name(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|system| system.as_str() == name);
        known.ok_or_else(|| Error::internal(format!("the legacy system `{name}` is not known")))
    }
}

/// How the gateway shows an installation who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// Deep Security: the header `api-secret-key`.
    SecretKey,
    /// Workload Security: `Authorization: ApiKey`.
    CloudOneApiKey,
    /// Integration Server: HTTP Basic.
    Basic,
}

impl Authentication {
    /// The name, as `UpstreamAuthentication` in the graph and the database have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecretKey => "SECRET_KEY",
            Self::CloudOneApiKey => "CLOUD_ONE_API_KEY",
            Self::Basic => "BASIC",
        }
    }

    /// The way of that name.
    ///
    /// # Errors
    /// If there is none: the database holds a name that this version does not know.
    pub fn from_name(name: &str) -> Result<Self> {
        let known = [Self::SecretKey, Self::CloudOneApiKey, Self::Basic];
        let known = known.into_iter().find(|known| known.as_str() == name);
        known.ok_or_else(|| Error::internal(format!("the authentication `{name}` is not known")))
    }

    /// Whether that kind of system takes it.
    pub const fn fits(self, system: System) -> bool {
        match self {
            Self::SecretKey | Self::CloudOneApiKey => matches!(system, System::DeepSecurity),
            Self::Basic => matches!(system, System::IntegrationServer),
        }
    }
}

/// A credential of an installation, in the clear. It is sealed at rest and never shown again.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// The secret key of a Deep Security manager.
    SecretKey(String),
    /// The API key of a Cloud One account.
    CloudOneApiKey(String),
    /// An account of an Integration Server.
    Basic {
        /// The name; it has no colon.
        user_name: String,
        /// The password.
        password: String,
    },
}

impl Credential {
    /// A secret key or an API key: printable ASCII without spaces.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument`, without the text.
    pub fn key(argument: &str, authentication: Authentication, text: String) -> Result<Self> {
        let fits = !text.is_empty()
            && text.len() <= CREDENTIAL_MAX
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        match (fits, authentication) {
            (true, Authentication::SecretKey) => Ok(Self::SecretKey(text)),
            (true, Authentication::CloudOneApiKey) => Ok(Self::CloudOneApiKey(text)),
            _ => Err(Error::bad_input(argument, "must have 1 to 4096 printable ASCII characters")),
        }
    }

    /// An account. The name is `multitenancy` if absent.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a name with a colon, and for control characters.
    pub fn basic(user_name: Option<String>, password: String) -> Result<Self> {
        let user_name = user_name.unwrap_or_else(|| "multitenancy".to_owned());
        let fits = |text: &str| {
            !text.is_empty() && text.len() <= CREDENTIAL_MAX && !text.chars().any(char::is_control)
        };
        if !fits(&user_name) || user_name.contains(':') {
            return Err(Error::bad_input(
                "userName",
                "must have 1 to 4096 characters, none of them a colon",
            ));
        }
        if !fits(&password) {
            return Err(Error::bad_input(
                "password",
                "must have 1 to 4096 characters, none of them a control character",
            ));
        }
        Ok(Self::Basic { user_name, password })
    }

    /// How it is shown to the installation.
    pub const fn authentication(&self) -> Authentication {
        match self {
            Self::SecretKey(_) => Authentication::SecretKey,
            Self::CloudOneApiKey(_) => Authentication::CloudOneApiKey,
            Self::Basic { .. } => Authentication::Basic,
        }
    }

    /// What is sealed.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::SecretKey(key) | Self::CloudOneApiKey(key) => key.clone().into_bytes(),
            Self::Basic { user_name, password } => format!("{user_name}:{password}").into_bytes(),
        }
    }

    /// Reads what was sealed.
    pub(super) fn from_bytes(authentication: Authentication, bytes: Vec<u8>) -> Result<Self> {
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::internal("a sealed credential is no text"))?;
        Ok(match authentication {
            Authentication::SecretKey => Self::SecretKey(text),
            Authentication::CloudOneApiKey => Self::CloudOneApiKey(text),
            Authentication::Basic => {
                let (user_name, password) = text.split_once(':').unwrap_or((&text, ""));
                Self::Basic { user_name: user_name.to_owned(), password: password.to_owned() }
            }
        })
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// An installation to be registered.
#[derive(Debug)]
pub struct NewUpstream {
    /// The name for people.
    pub name: Name,
    /// What kind of system.
    pub system: System,
    /// Where it stands.
    pub base_url: BaseUrl,
    /// How the gateway shows who it is; it fits the system.
    pub credential: Credential,
    /// Certificates in PEM.
    pub ca_certificate: Option<String>,
    /// The IANA name of the zone of dates that carry none.
    pub time_zone: String,
}

/// What to change of an installation; what is absent stays.
#[derive(Debug, Default)]
pub struct UpstreamChange {
    /// A new name.
    pub name: Option<Name>,
    /// A new place.
    pub base_url: Option<BaseUrl>,
    /// A new credential.
    pub credential: Option<Credential>,
    /// Other certificates, or none.
    pub ca_certificate: Option<Option<String>>,
    /// Another zone.
    pub time_zone: Option<String>,
}

/// A link to be made.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// The tenant of ours.
    pub tenant: TenantId,
    /// The installation.
    pub upstream: UpstreamId,
    /// The tenant of the installation; absent where the installation's own credential is the
    /// tenant's.
    pub remote_tenant_id: Option<String>,
}

impl NewLink {
    /// A link, checked as far as it can be without asking anyone.
    ///
    /// # Errors
    /// `NOT_FOUND` for ids that are none and for a global id of another upstream's tenant,
    /// `BAD_USER_INPUT` for a remote id that could not be one.
    pub fn parse(tenant: &str, upstream: &str, remote_tenant_id: Option<String>) -> Result<Self> {
        let upstream = upstream.parse().map_err(|_| Error::not_found("upstream"))?;
        Ok(Self {
            tenant: tenant.parse().map_err(|_| Error::not_found("tenant"))?,
            upstream,
            remote_tenant_id: remote_tenant_id.map(|id| remote_tenant(upstream, id)).transpose()?,
        })
    }
}

/// The vendor's id of a tenant of an installation, given as such or as a global id.
fn remote_tenant(upstream: UpstreamId, id: String) -> Result<String> {
    let remote = match GlobalId::read(&id) {
        Some(global) => [NodeKind::DeepSecurityTenant, NodeKind::IntegrationServerTenant]
            .into_iter()
            .find_map(|kind| global.clone().remote_of(kind, upstream.0))
            .ok_or_else(|| Error::not_found("tenant of the upstream"))?,
        None => id,
    };
    remote_id("remoteTenantID", remote)
}

/// An id of a legacy system's own, in its canonical form: it becomes one segment of a path, so
/// nothing that could mean another path is taken.
///
/// # Errors
/// `BAD_USER_INPUT` naming `argument`.
pub fn remote_id(argument: &str, id: String) -> Result<String> {
    let safe = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'{' | b'}' | b':')
    };
    if id.is_empty()
        || id.len() > REMOTE_ID_MAX
        || !id.bytes().all(safe)
        || id.contains("..")
        || id == "."
    {
        return Err(Error::bad_input(argument, "is no id of a legacy system"));
    }
    Ok(canonical_remote_id(&id))
}

/// The one spelling of a legacy system's id in which it is stored, sent and compared, so that the
/// database can tell that two links mean the same tenant there: a number without leading zeros, a
/// UUID with hyphens in lower case, any other text as it is.
pub fn canonical_remote_id(id: &str) -> String {
    if let Ok(uuid) = uuid::Uuid::try_parse(id) {
        return uuid.to_string();
    }
    let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    match id.trim_start_matches('0') {
        "" if is_number => "0".to_owned(),
        digits if is_number => digits.to_owned(),
        _ => id.to_owned(),
    }
}

/// Certificates in PEM.
///
/// # Errors
/// `BAD_USER_INPUT` if there is none in it that can be trusted, a private key, or a control
/// character that no text has, or if it is longer than 64 KiB.
pub fn certificate(text: String) -> Result<String> {
    if text.len() > CERTIFICATE_MAX {
        return Err(Error::bad_input("caCertificate", "must have at most 64 KiB"));
    }
    // It is not sealed: a key that was copied along would lie open.
    let is_odd = |c: char| c.is_control() && !c.is_ascii_whitespace();
    if text.contains("PRIVATE KEY") || text.chars().any(is_odd) {
        return Err(Error::bad_input(
            "caCertificate",
            "must be certificates in PEM and nothing else, least of all a key",
        ));
    }
    check_certificates("caCertificate", &text)?;
    Ok(text)
}

/// The name of a time zone.
///
/// # Errors
/// `BAD_USER_INPUT` if it is not in the IANA database.
pub fn time_zone(name: Option<String>) -> Result<String> {
    let name = name.unwrap_or_else(|| "UTC".to_owned());
    match jiff::tz::TimeZone::get(&name) {
        Ok(_) => Ok(name),
        Err(_) => Err(Error::bad_input(
            "timeZone",
            "must be the IANA name of a time zone, such as Europe/Berlin",
        )),
    }
}

/// What the audit log keeps of an installation: no credential, and no certificate.
pub(super) fn state(upstream: &Upstream) -> serde_json::Value {
    serde_json::json!({
        "name": upstream.name,
        "system": upstream.system,
        "baseURL": upstream.base_url,
        "authentication": upstream.authentication,
        "ownerTenantID": upstream.owner_tenant_id,
        "timeZone": upstream.time_zone,
    })
}

/// What the audit log keeps of a link.
pub(super) fn link_state(link: &Link) -> serde_json::Value {
    serde_json::json!({
        "tenantID": link.tenant_id,
        "upstreamID": link.upstream_id,
        "remoteTenantID": link.remote_tenant_id,
    })
}

/// The place of an installation's credential, to which its seal is bound: the row and the tenant
/// that owns it.
pub(super) fn binding(id: UpstreamId, owner: TenantId) -> String {
    format!("upstream:{owner}:{id}")
}

/// The name of a link in the audit log.
pub(super) fn subject(id: LinkId) -> String {
    id.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_id_has_one_canonical_spelling() {
        let uuid = "345ae5d6-eeb7-4635-884a-01ac1781deeb";
        for (spelling, canonical) in [
            ("7", "7"),
            ("07", "7"),
            ("0007", "7"),
            ("70", "70"),
            ("0", "0"),
            ("000", "0"),
            (uuid, uuid),
            ("345AE5D6-EEB7-4635-884A-01AC1781DEEB", uuid),
            ("345ae5d6eeb74635884a01ac1781deeb", uuid),
            ("{345ae5d6-eeb7-4635-884a-01ac1781deeb}", uuid),
            ("urn:uuid:345AE5D6-EEB7-4635-884A-01AC1781DEEB", uuid),
            ("Tenant", "Tenant"),
            ("07a", "07a"),
        ] {
            assert_eq!(
                remote_id("remoteTenantID", spelling.to_owned()).unwrap(),
                canonical,
                "{spelling}"
            );
            assert_eq!(canonical_remote_id(canonical), canonical);
        }
    }
}
