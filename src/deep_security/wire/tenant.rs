//! Tenants of a primary manager.

use serde::Deserialize;
use serde_json::json;

use super::lenient::optional;
use super::{EnumText, Resource};
use crate::global_id::NodeKind;

/// A tenant. Its `agentInitiatedActivationPassword` and `activationCodes` are secrets and therefore
/// not deserialized.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    #[serde(rename = "ID")]
    pub id: i64,
    pub name: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub guid: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub locale: Option<EnumText>,
    #[serde(default, deserialize_with = "optional")]
    pub time_zone: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub tenant_state: Option<EnumText>,
    #[serde(default, deserialize_with = "optional")]
    pub modules_visible: Option<Vec<EnumText>>,
    /// Milliseconds since 1970-01-01 UTC. An API key spells this field `lastSignIn`.
    #[serde(rename = "lastSigninTime", default, deserialize_with = "optional")]
    pub last_sign_in: Option<i64>,
}

impl Resource for Tenant {
    const COLLECTION: &'static str = "tenants";
    const JSON_KEY: &'static str = "tenants";
    const NAME_FIELD: &'static str = "name";
    const KIND: &'static str = "tenant of the installation";
    const NODE_KIND: NodeKind = NodeKind::DeepSecurityTenant;

    fn id(&self) -> i64 {
        self.id
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    fn audit_state(&self) -> serde_json::Value {
        json!({ "id": self.id, "name": self.name })
    }
}
