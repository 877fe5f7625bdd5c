//! Computers.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::{Listed, Word};
use crate::deep_security::remember::Remember;

/// A computer. What was not asked for by `expand` is absent, and so is what is null.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Computer {
    #[serde(rename = "ID")]
    pub id: i64,
    pub host_name: Option<String>,
    pub display_name: Option<String>,
    pub description: Option<String>,
    #[serde(rename = "lastIPUsed")]
    pub last_ip_used: Option<String>,
    pub platform: Option<String>,
    #[serde(rename = "groupID")]
    pub group_id: Option<i64>,
    #[serde(rename = "policyID")]
    pub policy_id: Option<i64>,
    #[serde(rename = "assetImportanceID")]
    pub asset_importance_id: Option<i64>,
    #[serde(rename = "relayListID")]
    pub relay_list_id: Option<i64>,
    pub agent_version: Option<String>,
    /// Milliseconds since 1970, like all dates.
    pub last_agent_communication: Option<i64>,
    pub last_send_policy_request: Option<i64>,
    pub last_send_policy_success: Option<i64>,
    #[serde(rename = "hostGUID")]
    pub host_guid: Option<String>,
    pub computer_status: Option<Box<ComputerStatus>>,
    pub anti_malware: Option<Box<Module>>,
    pub web_reputation: Option<Box<Module>>,
    pub activity_monitoring: Option<Box<Module>>,
    pub firewall: Option<Box<Module>>,
    pub intrusion_prevention: Option<Box<Module>>,
    pub integrity_monitoring: Option<Box<Module>>,
    pub log_inspection: Option<Box<Module>>,
    pub application_control: Option<Box<Module>>,
    #[serde(rename = "SAP")]
    pub sap: Option<Box<Module>>,
}

/// How the agent and the appliance of a computer are doing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComputerStatus {
    pub agent_status: Option<Word>,
    pub agent_status_messages: Option<Vec<String>>,
    pub appliance_status: Option<Word>,
    pub appliance_status_messages: Option<Vec<String>>,
}

/// One of the nine security modules of a computer; which members it has depends on which it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Module {
    pub state: Option<Word>,
    pub module_status: Option<ModuleStatus>,
    #[serde(rename = "ruleIDs")]
    pub rule_ids: Option<Vec<i64>>,
    #[serde(rename = "realTimeScanConfigurationID")]
    pub real_time_scan_configuration_id: Option<i64>,
    #[serde(rename = "manualScanConfigurationID")]
    pub manual_scan_configuration_id: Option<i64>,
    #[serde(rename = "scheduledScanConfigurationID")]
    pub scheduled_scan_configuration_id: Option<i64>,
    pub last_manual_scan: Option<i64>,
    pub last_scheduled_scan: Option<i64>,
    pub last_integrity_scan: Option<i64>,
    pub last_baseline_created: Option<i64>,
    pub block_unrecognized: Option<bool>,
    pub maintenance_mode_status: Option<Word>,
    /// Minutes.
    pub maintenance_mode_duration: Option<i64>,
}

/// How a module is doing on its computer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleStatus {
    pub agent_status: Option<Word>,
    pub agent_status_message: Option<String>,
    pub appliance_status: Option<Word>,
    pub appliance_status_message: Option<String>,
}

impl Listed for Computer {
    const COLLECTION: &'static str = "computers";
    const MEMBER: &'static str = "computers";
    const NAME: &'static str = "hostName";
    const WHAT: &'static str = "computer";

    fn id(&self) -> i64 {
        self.id
    }

    fn name(&self) -> &str {
        self.host_name.as_deref().unwrap_or_default()
    }

    fn forget_rules(&mut self) {
        let modules = [
            &mut self.firewall,
            &mut self.intrusion_prevention,
            &mut self.integrity_monitoring,
            &mut self.log_inspection,
        ];
        modules.into_iter().flatten().for_each(|module| module.rule_ids = None);
    }

    fn remembered(remember: &Remember) -> Duration {
        remember.computers
    }

    fn state(&self) -> serde_json::Value {
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
