//! Problems of access tokens.

/// Why an access token was refused, in the detail that its holder may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenProblem {
    /// The request has no token.
    Missing,
    /// The token is malformed, or the request has two.
    Malformed,
    /// No key of this gateway signed it, or it is for another audience.
    Foreign,
    /// It is not valid yet.
    NotYetValid,
    /// It has expired.
    Expired,
    /// It was revoked, or its client or the client's tenant was disabled, deleted or rotated by
    /// force.
    Ended,
}

impl TokenProblem {
    /// The reason as log lines and audit records name it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Malformed => "token_malformed",
            Self::Foreign => "token_foreign",
            Self::NotYetValid => "token_not_yet_valid",
            Self::Expired => "token_expired",
            Self::Ended => "token_ended",
        }
    }

    /// The challenge for `WWW-Authenticate`: without an error code if the request has no token
    /// (RFC 6750, section 3.1).
    pub const fn challenge(self) -> &'static str {
        match self {
            Self::Missing => r#"Bearer realm="tenant-gateway""#,
            Self::Malformed => {
                r#"Bearer realm="tenant-gateway", error="invalid_token", error_description="the token is malformed""#
            }
            Self::Foreign => concat!(
                r#"Bearer realm="tenant-gateway", error="invalid_token", "#,
                r#"error_description="the token was not issued by this gateway""#
            ),
            Self::NotYetValid => concat!(
                r#"Bearer realm="tenant-gateway", error="invalid_token", "#,
                r#"error_description="the token is not valid yet""#
            ),
            Self::Expired => {
                r#"Bearer realm="tenant-gateway", error="invalid_token", error_description="the token has expired""#
            }
            Self::Ended => concat!(
                r#"Bearer realm="tenant-gateway", error="invalid_token", "#,
                r#"error_description="the token was ended: it was revoked, or its client may no longer use it""#
            ),
        }
    }
}
