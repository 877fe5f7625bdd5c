//! API keys.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::lenient::optional;
use super::{EnumText, Resource};
use crate::deep_security::cache_ttl::CacheTtl;
use crate::global_id::NodeKind;

/// An API key, without its secret.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    #[serde(rename = "ID")]
    pub id: i64,
    pub key_name: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub locale: Option<EnumText>,
    #[serde(rename = "roleID", default, deserialize_with = "optional")]
    pub role_id: Option<i64>,
    #[serde(default, deserialize_with = "optional")]
    pub time_zone: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub active: Option<bool>,
    /// Milliseconds since 1970-01-01 UTC, like all dates.
    #[serde(default, deserialize_with = "optional")]
    pub created: Option<i64>,
    #[serde(default, deserialize_with = "optional")]
    pub last_sign_in: Option<i64>,
    #[serde(default, deserialize_with = "optional")]
    pub unlock_time: Option<i64>,
    #[serde(default, deserialize_with = "optional")]
    pub unsuccessful_sign_in_attempts: Option<i64>,
    #[serde(default, deserialize_with = "optional")]
    pub expiry_date: Option<i64>,
    #[serde(default, deserialize_with = "optional")]
    pub service_account: Option<bool>,
}

/// The response to a creation or rotation, the only one that contains the secret.
#[derive(Deserialize)]
pub struct KeyWithSecret {
    #[serde(flatten)]
    pub key: ApiKey,
    #[serde(rename = "secretKey")]
    pub secret: SecretKey,
}

/// The part of `GET /apikeys/current` that identifies the key's tenant and role.
#[derive(Debug, Deserialize)]
pub struct CurrentKey {
    #[serde(rename = "roleID")]
    pub role_id: Option<i64>,
    #[serde(rename = "tenantID")]
    pub tenant_id: Option<i64>,
}

/// The secret of an API key: 1 to 4096 printable ASCII characters without spaces, because it is
/// sent in a header.
#[derive(Clone)]
pub struct SecretKey(String);

impl SecretKey {
    /// Checks the format; `None` if a header could not carry the text.
    pub fn parse(text: String) -> Option<Self> {
        let fits =
            (1..=4096).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then_some(Self(text))
    }

    /// The secret itself: for the header, for sealing, and for the one response that shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for SecretKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(text).ok_or_else(|| serde::de::Error::custom("a malformed secret key"))
    }
}

/// The body that creates or changes a key. Absent members are not sent.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<&'static str>,
    #[serde(rename = "roleID", skip_serializing_if = "Option::is_none")]
    pub role_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Milliseconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_date: Option<i64>,
}

impl Resource for ApiKey {
    const COLLECTION: &'static str = "apikeys";
    const JSON_KEY: &'static str = "apiKeys";
    const NAME_FIELD: &'static str = "keyName";
    const KIND: &'static str = "API key";
    const NODE_KIND: NodeKind = NodeKind::DeepSecurityApiKey;

    fn id(&self) -> i64 {
        self.id
    }

    fn name(&self) -> &str {
        self.key_name.as_deref().unwrap_or_default()
    }

    fn cache_ttl(ttl: &CacheTtl) -> Duration {
        ttl.api_keys
    }

    fn audit_state(&self) -> serde_json::Value {
        json!({
            "id": self.id,
            "keyName": self.key_name,
            "description": self.description,
            "roleID": self.role_id,
            "active": self.active,
            "expiryDate": self.expiry_date,
        })
    }
}
