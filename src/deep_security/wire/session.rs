//! Sessions, which create the first key (`docs/reference/deep-security-api.md`, section 3 C).

use serde::{Deserialize, Serialize};

/// The body of `POST /sessions`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignIn<'a> {
    pub user_name: &'a str,
    pub password: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa_code: Option<&'a str>,
}

/// The part of its response that later calls need.
#[derive(Deserialize)]
pub struct SignedIn {
    /// Sent as the header `rID`.
    #[serde(rename = "RID")]
    pub rid: String,
}
