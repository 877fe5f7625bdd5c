//! Policies.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::lenient::{lenient_objects, optional};
use super::{EnumText, Resource};
use crate::deep_security::cache_ttl::CacheTtl;
use crate::global_id::NodeKind;

/// A policy, including inherited values.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    #[serde(rename = "ID")]
    pub id: i64,
    #[serde(rename = "parentID", default, deserialize_with = "optional")]
    pub parent_id: Option<i64>,
    pub name: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub recommendation_scan_mode: Option<EnumText>,
    #[serde(default, deserialize_with = "optional")]
    pub auto_requires_update: Option<EnumText>,
    #[serde(default, deserialize_with = "optional")]
    pub anti_malware: Option<Box<PolicyModule>>,
    #[serde(default, deserialize_with = "optional")]
    pub web_reputation: Option<Box<PolicyModule>>,
    #[serde(default, deserialize_with = "optional")]
    pub activity_monitoring: Option<Box<PolicyModule>>,
    #[serde(default, deserialize_with = "optional")]
    pub firewall: Option<Box<PolicyModule>>,
    #[serde(default, deserialize_with = "optional")]
    pub intrusion_prevention: Option<Box<PolicyModule>>,
    #[serde(default, deserialize_with = "optional")]
    pub integrity_monitoring: Option<Box<PolicyModule>>,
    #[serde(default, deserialize_with = "optional")]
    pub log_inspection: Option<Box<PolicyModule>>,
    #[serde(default, deserialize_with = "optional")]
    pub application_control: Option<Box<PolicyModule>>,
    #[serde(rename = "SAP", default, deserialize_with = "optional")]
    pub sap: Option<Box<PolicyModule>>,
}

/// One of the nine security modules of a policy.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyModule {
    #[serde(default, deserialize_with = "optional")]
    pub state: Option<EnumText>,
    #[serde(default, deserialize_with = "optional")]
    pub module_status: Option<PolicyModuleStatus>,
    #[serde(rename = "ruleIDs", default, deserialize_with = "optional")]
    pub rule_ids: Option<Vec<i64>>,
    #[serde(rename = "realTimeScanConfigurationID", default, deserialize_with = "optional")]
    pub real_time_scan_configuration_id: Option<i64>,
    #[serde(rename = "manualScanConfigurationID", default, deserialize_with = "optional")]
    pub manual_scan_configuration_id: Option<i64>,
    #[serde(rename = "scheduledScanConfigurationID", default, deserialize_with = "optional")]
    pub scheduled_scan_configuration_id: Option<i64>,
    #[serde(default, deserialize_with = "optional")]
    pub block_unrecognized: Option<bool>,
}

/// The status of a policy's module. Its shape differs from that of a computer's module.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyModuleStatus {
    #[serde(default, deserialize_with = "optional")]
    pub status: Option<EnumText>,
    #[serde(default, deserialize_with = "optional")]
    pub status_message: Option<String>,
}

lenient_objects!(PolicyModule, PolicyModuleStatus);

impl Resource for Policy {
    const COLLECTION: &'static str = "policies";
    const JSON_KEY: &'static str = "policies";
    const NAME_FIELD: &'static str = "name";
    const KIND: &'static str = "policy";
    const NODE_KIND: NodeKind = NodeKind::DeepSecurityPolicy;

    fn id(&self) -> i64 {
        self.id
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    fn cache_ttl(ttl: &CacheTtl) -> Duration {
        ttl.policies
    }

    fn audit_state(&self) -> serde_json::Value {
        json!({
            "id": self.id,
            "parentID": self.parent_id,
            "name": self.name,
            "description": self.description,
            "autoRequiresUpdate": self.auto_requires_update.as_ref().map(EnumText::as_str),
            "recommendationScanMode": self.recommendation_scan_mode.as_ref().map(EnumText::as_str),
        })
    }
}
