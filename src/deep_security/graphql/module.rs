//! The security modules of computers and policies.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, ID, Object, OutputType, Positioned, ServerResult, Value};

use super::choices::{DeepSecurityMaintenanceMode, DeepSecurityModuleState, DeepSecurityStatus};
use crate::clock::Timestamp;
use crate::deep_security::wire::{Module, ModuleStatus, PolicyModule, PolicyModuleStatus, Word};
use crate::graph::graphql::DateTime;

/// A date of the vendor's in RFC 3339; absent if the number is no moment.
pub fn date(millis: Option<i64>) -> Option<String> {
    millis.and_then(Timestamp::checked_from_millis).map(|moment| moment.to_string())
}

/// A moment of the vendor's.
pub fn moment(millis: Option<i64>) -> Option<DateTime> {
    millis.and_then(Timestamp::checked_from_millis).map(DateTime)
}

/// A reference; 0 means none.
pub fn reference(id: Option<i64>) -> Option<ID> {
    id.filter(|id| *id != 0).map(|id| ID(id.to_string()))
}

/// A word of the vendor's.
pub fn text(word: &Option<Word>) -> Option<&str> {
    word.as_ref().map(Word::as_str)
}

/// Ids of the vendor's, of which a module may have thousands: written at once, since the library
/// resolves each value of a list in a future of its own.
pub struct Ids<'a>(&'a [i64]);

impl OutputType for Ids<'_> {
    fn type_name() -> Cow<'static, str> {
        <Vec<ID> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<ID> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<ID> as OutputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        Ok(Value::List(self.0.iter().map(|id| Value::String(id.to_string())).collect()))
    }
}

fn ids(ids: &Option<Vec<i64>>) -> Option<Ids<'_>> {
    ids.as_deref().map(Ids)
}

/// A security module of a computer in the graph.
pub struct ComputerModule<'a>(pub &'a Module);

/// A security module of a computer. Which of the members it has depends on the module.
#[Object(name = "DeepSecurityComputerModule")]
impl ComputerModule<'_> {
    /// Whether it is on, and how.
    async fn state(&self) -> Option<DeepSecurityModuleState> {
        text(&self.0.state).map(DeepSecurityModuleState::read)
    }

    /// The vendor's own word for the state.
    async fn state_text(&self) -> Option<&str> {
        text(&self.0.state)
    }

    /// How it is doing on the computer.
    async fn module_status(&self) -> Option<ComputerModuleStatus<'_>> {
        self.0.module_status.as_ref().map(ComputerModuleStatus)
    }

    /// The rules in use: firewall, intrusion prevention, integrity monitoring and log inspection.
    #[graphql(name = "ruleIDs")]
    async fn rule_ids(&self) -> Option<Ids<'_>> {
        ids(&self.0.rule_ids)
    }

    /// Anti-malware: the settings of the scan of what is opened.
    #[graphql(name = "realTimeScanConfigurationID")]
    async fn real_time_scan_configuration_id(&self) -> Option<ID> {
        reference(self.0.real_time_scan_configuration_id)
    }

    /// Anti-malware: the settings of scans that people start.
    #[graphql(name = "manualScanConfigurationID")]
    async fn manual_scan_configuration_id(&self) -> Option<ID> {
        reference(self.0.manual_scan_configuration_id)
    }

    /// Anti-malware: the settings of scans by the clock.
    #[graphql(name = "scheduledScanConfigurationID")]
    async fn scheduled_scan_configuration_id(&self) -> Option<ID> {
        reference(self.0.scheduled_scan_configuration_id)
    }

    /// Anti-malware: when somebody last started a scan.
    async fn last_manual_scan_at(&self) -> Option<DateTime> {
        moment(self.0.last_manual_scan)
    }

    /// Anti-malware: when somebody last started a scan, in RFC 3339.
    #[graphql(deprecation = "use lastManualScanAt; offered until 2027-12-31")]
    async fn last_manual_scan(&self) -> Option<String> {
        date(self.0.last_manual_scan)
    }

    /// Anti-malware: when a scan last ran by the clock.
    async fn last_scheduled_scan_at(&self) -> Option<DateTime> {
        moment(self.0.last_scheduled_scan)
    }

    /// Anti-malware: when a scan last ran by the clock, in RFC 3339.
    #[graphql(deprecation = "use lastScheduledScanAt; offered until 2027-12-31")]
    async fn last_scheduled_scan(&self) -> Option<String> {
        date(self.0.last_scheduled_scan)
    }

    /// Integrity monitoring: when the last scan was.
    async fn last_integrity_scan_at(&self) -> Option<DateTime> {
        moment(self.0.last_integrity_scan)
    }

    /// Integrity monitoring: when the last scan was, in RFC 3339.
    #[graphql(deprecation = "use lastIntegrityScanAt; offered until 2027-12-31")]
    async fn last_integrity_scan(&self) -> Option<String> {
        date(self.0.last_integrity_scan)
    }

    /// Integrity monitoring: when what is compared with was last taken.
    async fn last_baseline_created_at(&self) -> Option<DateTime> {
        moment(self.0.last_baseline_created)
    }

    /// Integrity monitoring: when what is compared with was last taken, in RFC 3339.
    #[graphql(deprecation = "use lastBaselineCreatedAt; offered until 2027-12-31")]
    async fn last_baseline_created(&self) -> Option<String> {
        date(self.0.last_baseline_created)
    }

    /// Application control: whether what it does not know is blocked.
    async fn block_unrecognized(&self) -> Option<bool> {
        self.0.block_unrecognized
    }

    /// Application control: whether every change is taken for allowed for a while.
    async fn maintenance_mode_status(&self) -> Option<DeepSecurityMaintenanceMode> {
        text(&self.0.maintenance_mode_status).map(DeepSecurityMaintenanceMode::read)
    }

    /// The vendor's own word for the maintenance mode.
    async fn maintenance_mode_status_text(&self) -> Option<&str> {
        text(&self.0.maintenance_mode_status)
    }

    /// Application control: how long the maintenance mode lasts, in minutes.
    async fn maintenance_mode_duration(&self) -> Option<i64> {
        self.0.maintenance_mode_duration
    }
}

/// How a module is doing on its computer, in the graph.
pub struct ComputerModuleStatus<'a>(&'a ModuleStatus);

/// How a module is doing on its computer.
#[Object(name = "DeepSecurityComputerModuleStatus")]
impl ComputerModuleStatus<'_> {
    /// In the agent.
    async fn agent_status(&self) -> Option<DeepSecurityStatus> {
        text(&self.0.agent_status).map(DeepSecurityStatus::read)
    }

    /// The vendor's own word for it.
    async fn agent_status_text(&self) -> Option<&str> {
        text(&self.0.agent_status)
    }

    /// What the agent says of it.
    async fn agent_status_message(&self) -> Option<&str> {
        self.0.agent_status_message.as_deref()
    }

    /// In the appliance that protects the computer from outside.
    async fn appliance_status(&self) -> Option<DeepSecurityStatus> {
        text(&self.0.appliance_status).map(DeepSecurityStatus::read)
    }

    /// The vendor's own word for it.
    async fn appliance_status_text(&self) -> Option<&str> {
        text(&self.0.appliance_status)
    }

    /// What the appliance says of it.
    async fn appliance_status_message(&self) -> Option<&str> {
        self.0.appliance_status_message.as_deref()
    }
}

/// A security module of a policy in the graph.
pub struct PolicyModuleObject<'a>(pub &'a PolicyModule);

/// A security module of a policy. Which of the members it has depends on the module.
#[Object(name = "DeepSecurityPolicyModule")]
impl PolicyModuleObject<'_> {
    /// Whether it is on, and how.
    async fn state(&self) -> Option<DeepSecurityModuleState> {
        text(&self.0.state).map(DeepSecurityModuleState::read)
    }

    /// The vendor's own word for the state.
    async fn state_text(&self) -> Option<&str> {
        text(&self.0.state)
    }

    /// How it is doing where the policy is used.
    async fn module_status(&self) -> Option<PolicyModuleStatusObject<'_>> {
        self.0.module_status.as_ref().map(PolicyModuleStatusObject)
    }

    /// The rules that it assigns: firewall, intrusion prevention, integrity monitoring and log
    /// inspection.
    #[graphql(name = "ruleIDs")]
    async fn rule_ids(&self) -> Option<Ids<'_>> {
        ids(&self.0.rule_ids)
    }

    /// Anti-malware: the settings of the scan of what is opened.
    #[graphql(name = "realTimeScanConfigurationID")]
    async fn real_time_scan_configuration_id(&self) -> Option<ID> {
        reference(self.0.real_time_scan_configuration_id)
    }

    /// Anti-malware: the settings of scans that people start.
    #[graphql(name = "manualScanConfigurationID")]
    async fn manual_scan_configuration_id(&self) -> Option<ID> {
        reference(self.0.manual_scan_configuration_id)
    }

    /// Anti-malware: the settings of scans by the clock.
    #[graphql(name = "scheduledScanConfigurationID")]
    async fn scheduled_scan_configuration_id(&self) -> Option<ID> {
        reference(self.0.scheduled_scan_configuration_id)
    }

    /// Application control: whether what it does not know is blocked.
    async fn block_unrecognized(&self) -> Option<bool> {
        self.0.block_unrecognized
    }
}

/// How a module of a policy is doing, in the graph.
pub struct PolicyModuleStatusObject<'a>(&'a PolicyModuleStatus);

/// How a module of a policy is doing.
#[Object(name = "DeepSecurityPolicyModuleStatus")]
impl PolicyModuleStatusObject<'_> {
    /// How it is doing.
    async fn status(&self) -> Option<DeepSecurityStatus> {
        text(&self.0.status).map(DeepSecurityStatus::read)
    }

    /// The vendor's own word for it.
    async fn status_text(&self) -> Option<&str> {
        text(&self.0.status)
    }

    /// What the manager says of it.
    async fn status_message(&self) -> Option<&str> {
        self.0.status_message.as_deref()
    }
}
