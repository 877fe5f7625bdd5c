//! Installations of legacy systems.

use super::credential::Credential;
use super::system::System;
use crate::error::{Error, Result};
use crate::ids::{TenantId, UpstreamId};
use crate::names::Name;
use crate::outbound::{BaseUrl, check_certificates};
use crate::patch::Patch;
use crate::upstreams::entity;

/// The longest certificates that are accepted, in bytes.
const CERTIFICATE_MAX: usize = 64 * 1024;

/// An installation, without its credential.
pub type Upstream = entity::upstream::Model;

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
    pub ca_certificate: Patch<String>,
    /// A new time zone.
    pub time_zone: Option<String>,
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
pub(in crate::upstreams) fn state(upstream: &Upstream) -> serde_json::Value {
    serde_json::json!({
        "name": upstream.name,
        "system": upstream.system,
        "baseURL": upstream.base_url,
        "authentication": upstream.authentication,
        "ownerTenantID": upstream.owner_tenant_id,
        "timeZone": upstream.time_zone,
    })
}

/// The binding of a sealed credential: it opens only in its own row and for its owner.
pub(in crate::upstreams) fn binding(id: UpstreamId, owner: TenantId) -> String {
    format!("upstream:{owner}:{id}")
}
