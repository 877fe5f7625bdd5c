//! Tenants of a primary manager.

use serde::Deserialize;
use serde_json::json;

use super::{Listed, Word};

/// A tenant. Its `agentInitiatedActivationPassword` and `activationCodes` are secrets, and so are not even read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    #[serde(rename = "ID")]
    pub id: i64,
    pub name: Option<String>,
    pub description: Option<String>,
    pub guid: Option<String>,
    pub locale: Option<Word>,
    pub time_zone: Option<String>,
    pub tenant_state: Option<Word>,
    pub modules_visible: Option<Vec<Word>>,
    /// Milliseconds since 1970. The vendor's spelling differs from that of the same thing in an API key.
    #[serde(rename = "lastSigninTime")]
    pub last_sign_in: Option<i64>,
}

impl Listed for Tenant {
    const COLLECTION: &'static str = "tenants";
    const MEMBER: &'static str = "tenants";
    const NAME: &'static str = "name";
    const WHAT: &'static str = "tenant of the installation";

    fn id(&self) -> i64 {
        self.id
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    fn state(&self) -> serde_json::Value {
        json!({ "id": self.id, "name": self.name })
    }
}
