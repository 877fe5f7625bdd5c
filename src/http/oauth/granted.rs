//! A successful answer with a token (RFC 6749, section 5.1).

use serde::Serialize;

use crate::tokens::IssuedToken;

/// The members of the answer.
#[derive(Serialize)]
pub struct Granted {
    access_token: String,
    token_type: &'static str,
    /// In seconds.
    expires_in: u64,
    scope: String,
}

impl Granted {
    /// The answer with that token of that scope.
    pub fn new(issued: IssuedToken, scope: String) -> Self {
        let IssuedToken { token, expires_in } = issued;
        Self { access_token: token, token_type: "Bearer", expires_in, scope }
    }
}
