//! Computers.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::lenient::{lenient_objects, optional};
use super::{EnumText, Resource};
use crate::deep_security::cache_ttl::CacheTtl;
use crate::global_id::NodeKind;

/// A computer. Parts that `expand` does not name are absent, like fields that are null.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Computer {
    #[serde(rename = "ID")]
    pub id: i64,
    pub host_name: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub display_name: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub description: Option<String>,
    #[serde(rename = "lastIPUsed", default, deserialize_with = "optional")]
    pub last_ip_used: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub platform: Option<String>,
    #[serde(rename = "groupID", default, deserialize_with = "optional")]
    pub group_id: Option<i64>,
    #[serde(rename = "policyID", default, deserialize_with = "optional")]
    pub policy_id: Option<i64>,
    #[serde(rename = "assetImportanceID", default, deserialize_with = "optional")]
    pub asset_importance_id: Option<i64>,
    #[serde(rename = "relayListID", default, deserialize_with = "optional")]
    pub relay_list_id: Option<i64>,
    #[serde(default, deserialize_with = "optional")]
    pub agent_version: Option<String>,
    /// Milliseconds since 1970-01-01 UTC, like all dates.
    #[serde(default, deserialize_with = "optional")]
    pub last_agent_communication: Option<i64>,
    #[serde(default, deserialize_with = "optional")]
    pub last_send_policy_request: Option<i64>,
    #[serde(default, deserialize_with = "optional")]
    pub last_send_policy_success: Option<i64>,
    #[serde(rename = "hostGUID", default, deserialize_with = "optional")]
    pub host_guid: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub computer_status: Option<Box<ComputerStatus>>,
    #[serde(default, deserialize_with = "optional")]
    pub anti_malware: Option<Box<Module>>,
    #[serde(default, deserialize_with = "optional")]
    pub web_reputation: Option<Box<Module>>,
    #[serde(default, deserialize_with = "optional")]
    pub activity_monitoring: Option<Box<Module>>,
    #[serde(default, deserialize_with = "optional")]
    pub firewall: Option<Box<Module>>,
    #[serde(default, deserialize_with = "optional")]
    pub intrusion_prevention: Option<Box<Module>>,
    #[serde(default, deserialize_with = "optional")]
    pub integrity_monitoring: Option<Box<Module>>,
    #[serde(default, deserialize_with = "optional")]
    pub log_inspection: Option<Box<Module>>,
    #[serde(default, deserialize_with = "optional")]
    pub application_control: Option<Box<Module>>,
    #[serde(rename = "SAP", default, deserialize_with = "optional")]
    pub sap: Option<Box<Module>>,
}

/// The status of a computer's agent and appliance.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComputerStatus {
    #[serde(default, deserialize_with = "optional")]
    pub agent_status: Option<EnumText>,
    #[serde(default, deserialize_with = "optional")]
    pub agent_status_messages: Option<Vec<String>>,
    #[serde(default, deserialize_with = "optional")]
    pub appliance_status: Option<EnumText>,
    #[serde(default, deserialize_with = "optional")]
    pub appliance_status_messages: Option<Vec<String>>,
}

/// One of the nine security modules of a computer. Its fields depend on the module.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Module {
    #[serde(default, deserialize_with = "optional")]
    pub state: Option<EnumText>,
    #[serde(default, deserialize_with = "optional")]
    pub module_status: Option<ModuleStatus>,
    #[serde(rename = "ruleIDs", default, deserialize_with = "optional")]
    pub rule_ids: Option<Vec<i64>>,
    #[serde(rename = "realTimeScanConfigurationID", default, deserialize_with = "optional")]
    pub real_time_scan_configuration_id: Option<i64>,
    #[serde(rename = "manualScanConfigurationID", default, deserialize_with = "optional")]
    pub manual_scan_configuration_id: Option<i64>,
    #[serde(rename = "scheduledScanConfigurationID", default, deserialize_with = "optional")]
    pub scheduled_scan_configuration_id: Option<i64>,
    #[serde(default, deserialize_with = "optional")]
    pub last_manual_scan: Option<i64>,
    #[serde(default, deserialize_with = "optional")]
    pub last_scheduled_scan: Option<i64>,
    #[serde(default, deserialize_with = "optional")]
    pub last_integrity_scan: Option<i64>,
    #[serde(default, deserialize_with = "optional")]
    pub last_baseline_created: Option<i64>,
    #[serde(default, deserialize_with = "optional")]
    pub block_unrecognized: Option<bool>,
    #[serde(default, deserialize_with = "optional")]
    pub maintenance_mode_status: Option<EnumText>,
    /// Minutes.
    #[serde(default, deserialize_with = "optional")]
    pub maintenance_mode_duration: Option<i64>,
}

/// The status of a module on its computer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleStatus {
    #[serde(default, deserialize_with = "optional")]
    pub agent_status: Option<EnumText>,
    #[serde(default, deserialize_with = "optional")]
    pub agent_status_message: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub appliance_status: Option<EnumText>,
    #[serde(default, deserialize_with = "optional")]
    pub appliance_status_message: Option<String>,
}

lenient_objects!(ComputerStatus, Module, ModuleStatus);

impl Resource for Computer {
    const COLLECTION: &'static str = "computers";
    const JSON_KEY: &'static str = "computers";
    const NAME_FIELD: &'static str = "hostName";
    const KIND: &'static str = "computer";
    const NODE_KIND: NodeKind = NodeKind::DeepSecurityComputer;

    fn id(&self) -> i64 {
        self.id
    }

    fn name(&self) -> &str {
        self.host_name.as_deref().unwrap_or_default()
    }

    fn cache_ttl(ttl: &CacheTtl) -> Duration {
        ttl.computers
    }

    fn audit_state(&self) -> serde_json::Value {
        json!({
            "id": self.id,
            "hostName": self.host_name,
            "displayName": self.display_name,
            "description": self.description,
            "groupID": self.group_id,
            "policyID": self.policy_id,
        })
    }
}
