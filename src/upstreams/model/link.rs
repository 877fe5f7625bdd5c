//! Links between tenants of the gateway and tenants of installations.

use crate::error::{Error, Result};
use crate::global_id::{GlobalId, NodeKind};
use crate::ids::{LinkId, TenantId, UpstreamId};
use crate::upstreams::entity;
use crate::upstreams::link_check::LinkCheck;

/// The longest vendor's id that is accepted, in bytes.
const REMOTE_ID_MAX: usize = 200;

/// A link between a tenant of the gateway and a tenant of an installation.
pub type Link = entity::link::Model;

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

/// The state of a link for the audit log.
pub(in crate::upstreams) fn link_state(link: &Link) -> serde_json::Value {
    serde_json::json!({
        "tenantID": link.tenant_id,
        "upstreamID": link.upstream_id,
        "remoteTenantID": link.remote_tenant_id,
    })
}

/// The subject of a link in the audit log.
pub(in crate::upstreams) fn subject(id: LinkId) -> String {
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
