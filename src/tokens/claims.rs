//! The claims of access tokens.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::{ClientId, TenantId, TokenId};

/// The `typ` of the header (RFC 9068, section 2.1).
pub(super) const TOKEN_TYPE: &str = "at+jwt";

/// The scope of a token that was not narrowed: use of the GraphQL endpoint with all that the
/// client's roles permit.
pub const SCOPE: &str = "graphql";

/// The claims of an access token (RFC 9068, section 2.2), and some of our own. There is no list of
/// roles: it would go stale, and what a client may do is looked up at each use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer: the public URL of the gateway.
    pub iss: String,
    /// The client's UUID.
    pub sub: ClientId,
    /// The audience: the setting `tokens.audience`.
    pub aud: String,
    /// When it ends, in seconds since 1970 UTC.
    pub exp: i64,
    /// When it was issued, in seconds since 1970 UTC.
    pub iat: i64,
    /// The token's own id.
    pub jti: TokenId,
    /// The client's OAuth `client_id`.
    pub client_id: String,
    /// The scopes, separated by spaces.
    pub scope: String,
    /// The tenant of requests without a tenant header: the client's own, or the one that the token
    /// is
    /// narrowed to.
    pub tenant_id: TenantId,
    /// `tenant_id` again, where the Taegis SDK reads it (`get_token_tenant_id`).
    #[serde(rename = "https://missione/octolabs/io/tenantIds")]
    pub tenant_ids: String,
    /// Whether the token is valid in `tenant_id` only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tenant_only: bool,
    /// The client's token generation. A forced rotation begins a new one, and tokens of older ones
    /// are refused.
    #[serde(rename = "gen")]
    pub generation: i64,
}

impl Claims {
    /// The only tenant in which the token is valid; absent if it is not narrowed.
    pub fn only_tenant(&self) -> Option<TenantId> {
        self.tenant_only.then_some(self.tenant_id)
    }

    /// When it ends.
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.exp.saturating_mul(1000))
    }
}
