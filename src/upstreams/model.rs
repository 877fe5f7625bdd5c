//! Installations and links, and the values that they are created from.

use std::fmt;

use super::entity;
use super::link_check::LinkCheck;
use crate::error::{Error, Result};
use crate::global_id::{GlobalId, NodeKind};
use crate::ids::{LinkId, TenantId, UpstreamId};
use crate::names::Name;
use crate::outbound::{BaseUrl, check_certificates};

/// An installation, without its credential.
pub type Upstream = entity::upstream::Model;

/// A link between a tenant of the gateway and a tenant of an installation.
pub type Link = entity::link::Model;

/// The longest credential, certificate and remote id that are accepted, in bytes.
const CREDENTIAL_MAX: usize = 4 * 1024;
const CERTIFICATE_MAX: usize = 64 * 1024;
const REMOTE_ID_MAX: usize = 200;

/// A kind of legacy system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum System {
    /// Trend Micro Deep Security Manager, or Workload Security.
    DeepSecurity,
    /// Kaspersky Integration Server.
    IntegrationServer,
}

impl System {
    /// All systems.
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
    /// `INTERNAL_SERVER_ERROR` for a name that only a newer version knows.
    pub fn from_name(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|system| system.as_str() == name);
        known.ok_or_else(|| Error::internal(format!("the legacy system `{name}` is not known")))
    }
}

/// How the gateway authenticates at an installation.
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

    /// The method of that name.
    ///
    /// # Errors
    /// `INTERNAL_SERVER_ERROR` for a name that only a newer version knows.
    pub fn from_name(name: &str) -> Result<Self> {
        let known = [Self::SecretKey, Self::CloudOneApiKey, Self::Basic];
        let known = known.into_iter().find(|known| known.as_str() == name);
        known.ok_or_else(|| Error::internal(format!("the authentication `{name}` is not known")))
    }

    /// Whether that kind of system accepts it.
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
        if let Some(problem) = key_problem(&text) {
            return Err(Error::bad_input(argument, problem));
        }
        match authentication {
            Authentication::SecretKey => Ok(Self::SecretKey(text)),
            Authentication::CloudOneApiKey => Ok(Self::CloudOneApiKey(text)),
            Authentication::Basic => {
                Err(Error::bad_input(argument, "must be a secret key or an API key"))
            }
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

    /// The authentication method that it is for.
    pub const fn authentication(&self) -> Authentication {
        match self {
            Self::SecretKey(_) => Authentication::SecretKey,
            Self::CloudOneApiKey(_) => Authentication::CloudOneApiKey,
            Self::Basic { .. } => Authentication::Basic,
        }
    }

    /// The bytes to seal.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::SecretKey(key) | Self::CloudOneApiKey(key) => key.clone().into_bytes(),
            Self::Basic { user_name, password } => format!("{user_name}:{password}").into_bytes(),
        }
    }

    /// Reads the bytes that were sealed.
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

/// Returns the reason why a key is invalid, without the key itself.
fn key_problem(text: &str) -> Option<&'static str> {
    if text.is_empty() || text.len() > CREDENTIAL_MAX {
        Some("must have 1 to 4096 characters")
    } else if text.trim().len() != text.len() {
        Some("must not begin or end with spaces or line breaks; was it copied with them?")
    } else if text.chars().any(char::is_whitespace) {
        Some("must not contain spaces or line breaks; was more than the key copied?")
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some("must contain printable ASCII characters only")
    } else {
        None
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// An installation to register.
#[derive(Debug)]
pub struct NewUpstream {
    /// The display name.
    pub name: Name,
    /// The kind of system.
    pub system: System,
    /// The base URL.
    pub base_url: BaseUrl,
    /// The credential; it fits the system.
    pub credential: Credential,
    /// Certificates in PEM.
    pub ca_certificate: Option<String>,
    /// The IANA name of the zone of dates that carry none.
    pub time_zone: String,
}

/// Changes to an installation; absent values stay as they are.
#[derive(Debug, Default)]
pub struct UpstreamChange {
    /// A new name.
    pub name: Option<Name>,
    /// A new base URL.
    pub base_url: Option<BaseUrl>,
    /// A new credential.
    pub credential: Option<Credential>,
    /// New certificates, or none any more.
    pub ca_certificate: Option<Option<String>>,
    /// A new time zone.
    pub time_zone: Option<String>,
}

/// A link to create.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// The tenant of the gateway.
    pub tenant: TenantId,
    /// The installation.
    pub upstream: UpstreamId,
    /// The vendor's id of the tenant; `None` if the installation's own credential belongs to that
    /// tenant.
    pub remote_tenant_id: Option<String>,
    /// The result of the last check whether the installation has that tenant.
    pub check: LinkCheck,
}

impl NewLink {
    /// Validates a link, without asking the installation whether its tenant exists.
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
            check: LinkCheck::PENDING,
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

/// Reads an id of a legacy system into its canonical form. It becomes one segment of a path, so
/// characters that could lead to another path are refused.
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
        return Err(Error::bad_input(
            argument,
            "must be an id of the legacy system: letters, digits and -_.{}: only",
        ));
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
/// `BAD_USER_INPUT` if it holds no valid certificate, a private key or control characters, or is
/// longer than 64 KiB.
pub fn certificate(text: String) -> Result<String> {
    if text.len() > CERTIFICATE_MAX {
        return Err(Error::bad_input("caCertificate", "must have at most 64 KiB"));
    }
    // Certificates are stored unsealed: a private key copied along would be readable.
    let is_odd = |c: char| c.is_control() && !c.is_ascii_whitespace();
    if text.contains("PRIVATE KEY") || text.chars().any(is_odd) {
        return Err(Error::bad_input(
            "caCertificate",
            "must contain only certificates in PEM, and no private key",
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

/// The state of an installation for the audit log, without credential and certificate.
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

/// The state of a link for the audit log.
pub(super) fn link_state(link: &Link) -> serde_json::Value {
    serde_json::json!({
        "tenantID": link.tenant_id,
        "upstreamID": link.upstream_id,
        "remoteTenantID": link.remote_tenant_id,
    })
}

/// The binding of a sealed credential: it opens only in its own row and for its owner.
pub(super) fn binding(id: UpstreamId, owner: TenantId) -> String {
    format!("upstream:{owner}:{id}")
}

/// The subject of a link in the audit log.
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
