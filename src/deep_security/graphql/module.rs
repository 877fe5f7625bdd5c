//! The GraphQL types of security modules of computers and policies.

use async_graphql::{ID, Object};

use super::convert::{IdList, date_text, date_time, id_list, reference, text};
use super::enums::{DeepSecurityMaintenanceMode, DeepSecurityModuleState, DeepSecurityStatus};
use crate::deep_security::wire::{Module, ModuleStatus, PolicyModule, PolicyModuleStatus};
use crate::graph::graphql::DateTime;

/// The GraphQL type of a computer's security module.
pub struct ComputerModule<'a>(pub &'a Module);

/// A security module of a computer. Fields that the module does not have are null.
#[Object(name = "DeepSecurityComputerModule")]
impl ComputerModule<'_> {
    /// The module's state.
    async fn state(&self) -> Option<DeepSecurityModuleState> {
        text(&self.0.state).map(DeepSecurityModuleState::from_vendor)
    }

    /// The state as the vendor spells it.
    async fn state_text(&self) -> Option<&str> {
        text(&self.0.state)
    }

    /// The module's status on the computer.
    async fn module_status(&self) -> Option<ComputerModuleStatus<'_>> {
        self.0.module_status.as_ref().map(ComputerModuleStatus)
    }

    /// The vendor's ids of the assigned rules: firewall, intrusion prevention, integrity monitoring
    /// and log inspection.
    #[graphql(name = "ruleIDs")]
    async fn rule_ids(&self) -> Option<IdList<'_>> {
        id_list(&self.0.rule_ids)
    }

    /// Anti-malware: the vendor's id of the configuration for real-time scans.
    #[graphql(name = "realTimeScanConfigurationID")]
    async fn real_time_scan_configuration_id(&self) -> Option<ID> {
        reference(self.0.real_time_scan_configuration_id)
    }

    /// Anti-malware: the vendor's id of the configuration for manual scans.
    #[graphql(name = "manualScanConfigurationID")]
    async fn manual_scan_configuration_id(&self) -> Option<ID> {
        reference(self.0.manual_scan_configuration_id)
    }

    /// Anti-malware: the vendor's id of the configuration for scheduled scans.
    #[graphql(name = "scheduledScanConfigurationID")]
    async fn scheduled_scan_configuration_id(&self) -> Option<ID> {
        reference(self.0.scheduled_scan_configuration_id)
    }

    /// Anti-malware: when the last manual scan ran.
    async fn last_manual_scan_at(&self) -> Option<DateTime> {
        date_time(self.0.last_manual_scan)
    }

    /// Anti-malware: when the last manual scan ran, in RFC 3339.
    #[graphql(deprecation = "use lastManualScanAt; offered until 2027-12-31")]
    async fn last_manual_scan(&self) -> Option<String> {
        date_text(self.0.last_manual_scan)
    }

    /// Anti-malware: when the last scheduled scan ran.
    async fn last_scheduled_scan_at(&self) -> Option<DateTime> {
        date_time(self.0.last_scheduled_scan)
    }

    /// Anti-malware: when the last scheduled scan ran, in RFC 3339.
    #[graphql(deprecation = "use lastScheduledScanAt; offered until 2027-12-31")]
    async fn last_scheduled_scan(&self) -> Option<String> {
        date_text(self.0.last_scheduled_scan)
    }

    /// Integrity monitoring: when the last scan ran.
    async fn last_integrity_scan_at(&self) -> Option<DateTime> {
        date_time(self.0.last_integrity_scan)
    }

    /// Integrity monitoring: when the last scan ran, in RFC 3339.
    #[graphql(deprecation = "use lastIntegrityScanAt; offered until 2027-12-31")]
    async fn last_integrity_scan(&self) -> Option<String> {
        date_text(self.0.last_integrity_scan)
    }

    /// Integrity monitoring: when the baseline was last created.
    async fn last_baseline_created_at(&self) -> Option<DateTime> {
        date_time(self.0.last_baseline_created)
    }

    /// Integrity monitoring: when the baseline was last created, in RFC 3339.
    #[graphql(deprecation = "use lastBaselineCreatedAt; offered until 2027-12-31")]
    async fn last_baseline_created(&self) -> Option<String> {
        date_text(self.0.last_baseline_created)
    }

    /// Application control: whether unrecognized software is blocked.
    async fn block_unrecognized(&self) -> Option<bool> {
        self.0.block_unrecognized
    }

    /// Application control: the state of the maintenance mode.
    async fn maintenance_mode_status(&self) -> Option<DeepSecurityMaintenanceMode> {
        text(&self.0.maintenance_mode_status).map(DeepSecurityMaintenanceMode::from_vendor)
    }

    /// The state of the maintenance mode as the vendor spells it.
    async fn maintenance_mode_status_text(&self) -> Option<&str> {
        text(&self.0.maintenance_mode_status)
    }

    /// Application control: the duration of the maintenance mode, in minutes.
    async fn maintenance_mode_duration(&self) -> Option<i64> {
        self.0.maintenance_mode_duration
    }
}

/// The GraphQL type of a module's status on a computer.
pub struct ComputerModuleStatus<'a>(&'a ModuleStatus);

/// The status of a security module on a computer.
#[Object(name = "DeepSecurityComputerModuleStatus")]
impl ComputerModuleStatus<'_> {
    /// The status in the agent.
    async fn agent_status(&self) -> Option<DeepSecurityStatus> {
        text(&self.0.agent_status).map(DeepSecurityStatus::from_vendor)
    }

    /// The value as the vendor spells it.
    async fn agent_status_text(&self) -> Option<&str> {
        text(&self.0.agent_status)
    }

    /// The agent's status message.
    async fn agent_status_message(&self) -> Option<&str> {
        self.0.agent_status_message.as_deref()
    }

    /// The status in the appliance that protects the computer without an agent.
    async fn appliance_status(&self) -> Option<DeepSecurityStatus> {
        text(&self.0.appliance_status).map(DeepSecurityStatus::from_vendor)
    }

    /// The value as the vendor spells it.
    async fn appliance_status_text(&self) -> Option<&str> {
        text(&self.0.appliance_status)
    }

    /// The appliance's status message.
    async fn appliance_status_message(&self) -> Option<&str> {
        self.0.appliance_status_message.as_deref()
    }
}

/// The GraphQL type of a policy's security module.
pub struct PolicyModuleObject<'a>(pub &'a PolicyModule);

/// A security module of a policy. Fields that the module does not have are null.
#[Object(name = "DeepSecurityPolicyModule")]
impl PolicyModuleObject<'_> {
    /// The module's state.
    async fn state(&self) -> Option<DeepSecurityModuleState> {
        text(&self.0.state).map(DeepSecurityModuleState::from_vendor)
    }

    /// The state as the vendor spells it.
    async fn state_text(&self) -> Option<&str> {
        text(&self.0.state)
    }

    /// The module's status on the computers that use the policy.
    async fn module_status(&self) -> Option<PolicyModuleStatusObject<'_>> {
        self.0.module_status.as_ref().map(PolicyModuleStatusObject)
    }

    /// The vendor's ids of the rules that the policy assigns: firewall, intrusion prevention,
    /// integrity monitoring and log inspection.
    #[graphql(name = "ruleIDs")]
    async fn rule_ids(&self) -> Option<IdList<'_>> {
        id_list(&self.0.rule_ids)
    }

    /// Anti-malware: the vendor's id of the configuration for real-time scans.
    #[graphql(name = "realTimeScanConfigurationID")]
    async fn real_time_scan_configuration_id(&self) -> Option<ID> {
        reference(self.0.real_time_scan_configuration_id)
    }

    /// Anti-malware: the vendor's id of the configuration for manual scans.
    #[graphql(name = "manualScanConfigurationID")]
    async fn manual_scan_configuration_id(&self) -> Option<ID> {
        reference(self.0.manual_scan_configuration_id)
    }

    /// Anti-malware: the vendor's id of the configuration for scheduled scans.
    #[graphql(name = "scheduledScanConfigurationID")]
    async fn scheduled_scan_configuration_id(&self) -> Option<ID> {
        reference(self.0.scheduled_scan_configuration_id)
    }

    /// Application control: whether unrecognized software is blocked.
    async fn block_unrecognized(&self) -> Option<bool> {
        self.0.block_unrecognized
    }
}

/// The GraphQL type of the status of a policy's module.
pub struct PolicyModuleStatusObject<'a>(&'a PolicyModuleStatus);

/// The status of a security module of a policy.
#[Object(name = "DeepSecurityPolicyModuleStatus")]
impl PolicyModuleStatusObject<'_> {
    /// The status.
    async fn status(&self) -> Option<DeepSecurityStatus> {
        text(&self.0.status).map(DeepSecurityStatus::from_vendor)
    }

    /// The value as the vendor spells it.
    async fn status_text(&self) -> Option<&str> {
        text(&self.0.status)
    }

    /// The manager's status message.
    async fn status_message(&self) -> Option<&str> {
        self.0.status_message.as_deref()
    }
}
