//! What a token says.

use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, TenantId};

/// The `typ` of the header (RFC 9068, section 2.1).
pub(super) const TOKEN_TYPE: &str = "at+jwt";

/// The one scope there is: use of the GraphQL endpoint with all that the client's roles permit.
pub const SCOPE: &str = "graphql";

/// The claims of an access token (RFC 9068, section 2.2), and three of our own. There is no list of roles: it would go
/// stale, and what a client may do is looked up at each use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it: the public URL of the gateway.
    pub iss: String,
    /// The client's UUID.
    pub sub: ClientId,
    /// Whom it is for: the setting `tokens.audience`.
    pub aud: String,
    /// When it ends, in seconds since 1970 UTC.
    pub exp: i64,
    /// When it was issued, in seconds since 1970 UTC.
    pub iat: i64,
    /// The token's own id.
    pub jti: String,
    /// The client's OAuth `client_id`.
    pub client_id: String,
    /// What it may be used for.
    pub scope: String,
    /// The client's own tenant.
    pub tenant_id: TenantId,
    /// The client's own tenant once more, where the Taegis SDK looks for it (`get_token_tenant_id`).
    #[serde(rename = "https://missione/octolabs/io/tenantIds")]
    pub tenant_ids: String,
    /// The client's token generation. A forced rotation begins a new one, and tokens of older ones are refused.
    #[serde(rename = "gen")]
    pub generation: i64,
}
