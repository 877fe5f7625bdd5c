//! Input types.

use async_graphql::{ID, InputObject, MaybeUndefined, OneofObject};

use super::kinds::LegacySystem;
use crate::deep_security::SessionInput;

/// Input of `createUpstream`.
#[derive(InputObject)]
pub struct RegisterUpstreamInput {
    /// The name, 1 to 255 characters.
    pub(super) name: String,
    /// The kind of system.
    pub(super) system: LegacySystem,
    /// The base URL: for Deep Security including `/api`, for an Integration Server the root. HTTPS;
    /// plain HTTP, loopback and private networks only if the gateway's operator sets
    /// `upstream.allow_private_addresses`.
    #[graphql(name = "baseURL")]
    pub(super) base_url: String,
    /// The credential with which the gateway authenticates.
    pub(super) credential: UpstreamCredentialInput,
    /// Certificates in PEM that are trusted for this upstream in place of the public authorities.
    pub(super) ca_certificate: Option<String>,
    /// The IANA name of the time zone of dates without one. Default: UTC.
    pub(super) time_zone: Option<String>,
}

/// Changes of an upstream. Omitted fields stay unchanged.
#[derive(InputObject)]
pub struct UpdateUpstreamInput {
    /// The new name.
    pub(super) name: Option<String>,
    /// The new base URL. Another host, or plain HTTP, requires the credential in the same request,
    /// so that the stored one is never sent to another host.
    #[graphql(name = "baseURL")]
    pub(super) base_url: Option<String>,
    /// The new credential.
    pub(super) credential: Option<UpstreamCredentialInput>,
    /// Certificates in PEM that are trusted for this upstream; null restores the public
    /// authorities. Requires the credential in the same request, so that the stored one is never
    /// sent to a host that only the new certificates accept.
    pub(super) ca_certificate: MaybeUndefined<String>,
    /// The IANA name of the time zone of dates without one.
    pub(super) time_zone: Option<String>,
}

/// The credential of an upstream. Exactly one field is required.
#[derive(OneofObject)]
pub enum UpstreamCredentialInput {
    /// Deep Security: a secret key of the primary tenant, or of the only tenant to be linked.
    SecretKey(String),
    /// Workload Security: an API key of the Cloud One account.
    #[graphql(name = "cloudOneApiKey")]
    CloudOneApiKey(String),
    /// Deep Security: a user name and a password, used once to create the first key. The password
    /// is not stored.
    Session(SessionCredentialInput),
    /// Integration Server: the account.
    Basic(BasicCredentialInput),
}

/// The account of a Deep Security administrator, used once to create the first API key.
#[derive(InputObject)]
pub struct SessionCredentialInput {
    /// The administrator's user name.
    pub(super) user_name: String,
    /// The administrator's password.
    pub(super) password: String,
    /// The name of the administrator's tenant. Default: the primary tenant.
    pub(super) tenant_name: Option<String>,
    /// The code of the second factor, if the account has one.
    pub(super) mfa_code: Option<String>,
    /// The name of the key to create. Default: `Tenant Gateway`.
    pub(super) key_name: Option<String>,
    /// The vendor's id of the key's role. Default: the role named Full Access.
    #[graphql(name = "roleID")]
    pub(super) role_id: Option<ID>,
}

impl From<SessionCredentialInput> for SessionInput {
    fn from(input: SessionCredentialInput) -> Self {
        Self {
            user_name: input.user_name,
            password: input.password,
            tenant_name: input.tenant_name,
            mfa_code: input.mfa_code,
            key_name: input.key_name,
            role_id: input.role_id.map(|id| id.0),
        }
    }
}

/// An account of an Integration Server.
#[derive(InputObject)]
pub struct BasicCredentialInput {
    /// The account's name. Default: `multitenancy`.
    pub(super) user_name: Option<String>,
    /// The password.
    pub(super) password: String,
}

/// Input of `linkTenant`.
#[derive(InputObject)]
pub struct LinkTenantInput {
    /// The gateway tenant: the owner of the upstream, or a tenant below it.
    #[graphql(name = "tenantID")]
    pub(super) tenant_id: ID,
    /// The upstream.
    #[graphql(name = "upstreamID")]
    pub(super) upstream_id: ID,
    /// The id of the upstream's tenant: the vendor's id or the global id. Omitted if the upstream's
    /// own credential belongs to the tenant.
    #[graphql(name = "remoteTenantID")]
    pub(super) remote_tenant_id: Option<ID>,
}
