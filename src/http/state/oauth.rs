//! The state that the OAuth endpoints keep between requests.

use std::time::Duration;

use super::throttle::Throttle;
use crate::http::paths::{INTROSPECT, REVOKE, TAEGIS_TOKEN, TOKEN};

/// The issuer, and the throttle of failed client authentications.
pub struct OauthState {
    /// The issuer identifier (RFC 8414, section 2).
    pub issuer: String,
    /// The audiences that a client assertion may name (RFC 7523, section 3): the issuer, or an
    /// endpoint that assertions are sent to.
    pub audiences: Vec<String>,
    /// How long readers may cache the published keys.
    pub jwks_max_age: Duration,
    /// Slows down failed authentications.
    pub throttle: Throttle,
}

impl OauthState {
    /// The state of the endpoints of that issuer.
    pub fn new(issuer: String, jwks_max_age: Duration, throttle: Throttle) -> Self {
        let paths = ["", TOKEN, TAEGIS_TOKEN, INTROSPECT, REVOKE];
        let audiences = paths.map(|path| format!("{issuer}{path}")).into();
        Self { issuer, audiences, jwks_max_age, throttle }
    }
}
