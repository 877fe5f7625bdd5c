//! The claims of access tokens.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::ids::{ClientId, SubjectId, TenantId, TokenId, UserId};

/// The `typ` of the header (RFC 9068, section 2.1).
pub(super) const TOKEN_TYPE: &str = "at+jwt";

/// The scope of a token that was not narrowed: use of the GraphQL endpoint with all that the
/// client's roles permit.
pub const SCOPE: &str = "graphql";

/// The kind of the subject of a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectType {
    /// A client, also where the claim is absent.
    #[default]
    Client,
    /// A person.
    User,
}

/// The claims of an access token (RFC 9068, section 2.2), and some of our own. There is no list of
/// roles: it would go stale, and what a client may do is looked up at each use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer: the public URL of the gateway.
    pub iss: String,
    /// The UUID of the client or user; [`Claims::subject`] tells which it is.
    pub sub: Uuid,
    /// The kind of the subject; absent for a client.
    #[serde(default, skip_serializing_if = "SubjectType::is_client")]
    pub subject_type: SubjectType,
    /// The audience: the setting `tokens.audience`.
    pub aud: String,
    /// When it ends, in seconds since 1970 UTC.
    pub exp: i64,
    /// When it was issued, in seconds since 1970 UTC.
    pub iat: i64,
    /// The token's own id.
    pub jti: TokenId,
    /// The OAuth `client_id`: the client's own, or that of the program that a person signed in to.
    pub client_id: String,
    /// The scopes, separated by spaces.
    pub scope: String,
    /// The tenant of requests without a tenant header: the client's own, or the one that the token
    /// is narrowed to.
    pub tenant_id: TenantId,
    /// `tenant_id` again, where the Taegis SDK reads it (`get_token_tenant_id`).
    #[serde(rename = "https://missione/octolabs/io/tenantIds")]
    pub tenant_ids: String,
    /// Whether the token is valid in `tenant_id` only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tenant_only: bool,
    /// The subject's token generation. A forced rotation, or signing out everywhere, begins a new
    /// one, and tokens of older ones are refused.
    #[serde(rename = "gen")]
    pub generation: i64,
    /// When the person signed in, in seconds since 1970 UTC (RFC 9068, section 2.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// How the person signed in (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
}

impl SubjectType {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_client(&self) -> bool {
        *self == Self::Client
    }
}

impl From<SubjectId> for SubjectType {
    fn from(subject: SubjectId) -> Self {
        match subject {
            SubjectId::Client(_) => Self::Client,
            SubjectId::User(_) => Self::User,
        }
    }
}

impl Claims {
    /// The client or user that the token was issued to.
    pub fn subject(&self) -> SubjectId {
        match self.subject_type {
            SubjectType::Client => SubjectId::Client(ClientId(self.sub)),
            SubjectType::User => SubjectId::User(UserId(self.sub)),
        }
    }

    /// The only tenant in which the token is valid; absent if it is not narrowed.
    pub fn only_tenant(&self) -> Option<TenantId> {
        self.tenant_only.then_some(self.tenant_id)
    }

    /// When it ends.
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.exp.saturating_mul(1000))
    }
}
