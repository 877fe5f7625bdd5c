//! The GraphQL type of computers.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::connection_node::ConnectionNode;
use super::convert::{date_text, date_time, reference, text};
use super::enums::DeepSecurityStatus;
use super::fetch::fetch_reference;
use super::module::ComputerModule;
use super::policy::PolicyObject;
use crate::deep_security::manager::Manager;
use crate::deep_security::wire::{Computer, ComputerStatus, Policy};
use crate::error::Result;
use crate::global_id::NodeKind;
use crate::graph::graphql::DateTime;

/// The GraphQL type of a computer.
pub struct ComputerObject {
    manager: Arc<Manager>,
    wire: Computer,
}

impl ComputerObject {
    /// A computer of this manager.
    pub fn new(manager: &Arc<Manager>, wire: Computer) -> Self {
        Self { manager: manager.clone(), wire }
    }
}

impl ConnectionNode for ComputerObject {
    type Resource = Computer;
    const CONNECTION: &'static str = "DeepSecurityComputerConnection";
    const EDGE: &'static str = "DeepSecurityComputerEdge";
}

/// A computer that Deep Security protects. The gateway requests only the selected parts from the
/// manager.
#[Object(name = "DeepSecurityComputer")]
impl ComputerObject {
    /// The global id. Opaque; unique across types, tenants and upstreams.
    pub async fn id(&self) -> ID {
        ID(self.manager.ids().global(NodeKind::DeepSecurityComputer, self.wire.id))
    }

    /// The vendor's id; unique only within the vendor's tenant.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> ID {
        ID(self.wire.id.to_string())
    }

    /// The host name or IP address by which the manager knows the computer.
    async fn host_name(&self) -> Option<&str> {
        self.wire.host_name.as_deref()
    }

    /// The display name; often empty.
    async fn display_name(&self) -> Option<&str> {
        self.wire.display_name.as_deref()
    }

    /// The description.
    async fn description(&self) -> Option<&str> {
        self.wire.description.as_deref()
    }

    /// The operating system; `Unknown` without an agent.
    async fn platform(&self) -> Option<&str> {
        self.wire.platform.as_deref()
    }

    /// The IP address that the computer last used; empty without an agent.
    #[graphql(name = "lastIPUsed")]
    async fn last_ip_used(&self) -> Option<&str> {
        self.wire.last_ip_used.as_deref()
    }

    /// The vendor's id of the computer's group; 0 without a group.
    #[graphql(name = "groupID")]
    async fn group_id(&self) -> Option<ID> {
        self.wire.group_id.map(|id| ID(id.to_string()))
    }

    /// The vendor's id of the computer's policy; null without a policy.
    #[graphql(name = "policyID")]
    async fn policy_id(&self) -> Option<ID> {
        reference(self.wire.policy_id)
    }

    /// The computer's policy. The gateway requests each policy at most once per operation.
    async fn policy(&self, ctx: &Context<'_>) -> Result<Option<PolicyObject>> {
        let policy = fetch_reference::<Policy>(ctx, &self.manager, self.wire.policy_id).await?;
        Ok(policy.map(|policy| PolicyObject::new(&self.manager, policy)))
    }

    /// The vendor's id of the computer's asset importance.
    #[graphql(name = "assetImportanceID")]
    async fn asset_importance_id(&self) -> Option<ID> {
        reference(self.wire.asset_importance_id)
    }

    /// The vendor's id of the relay list from which the computer gets its updates.
    #[graphql(name = "relayListID")]
    async fn relay_list_id(&self) -> Option<ID> {
        reference(self.wire.relay_list_id)
    }

    /// The version of the agent; `0.0.0.0` without an agent.
    async fn agent_version(&self) -> Option<&str> {
        self.wire.agent_version.as_deref()
    }

    /// When the agent last contacted the manager.
    async fn last_agent_communication_at(&self) -> Option<DateTime> {
        date_time(self.wire.last_agent_communication)
    }

    /// When the agent last contacted the manager, in RFC 3339.
    #[graphql(deprecation = "use lastAgentCommunicationAt; offered until 2027-12-31")]
    async fn last_agent_communication(&self) -> Option<String> {
        date_text(self.wire.last_agent_communication)
    }

    /// When sending the policy was last requested.
    async fn last_send_policy_request_at(&self) -> Option<DateTime> {
        date_time(self.wire.last_send_policy_request)
    }

    /// When sending the policy was last requested, in RFC 3339.
    #[graphql(deprecation = "use lastSendPolicyRequestAt; offered until 2027-12-31")]
    async fn last_send_policy_request(&self) -> Option<String> {
        date_text(self.wire.last_send_policy_request)
    }

    /// When the policy was last sent successfully.
    async fn last_send_policy_success_at(&self) -> Option<DateTime> {
        date_time(self.wire.last_send_policy_success)
    }

    /// When the policy was last sent successfully, in RFC 3339.
    #[graphql(deprecation = "use lastSendPolicySuccessAt; offered until 2027-12-31")]
    async fn last_send_policy_success(&self) -> Option<String> {
        date_text(self.wire.last_send_policy_success)
    }

    /// The manager's GUID of the computer.
    #[graphql(name = "hostGUID")]
    async fn host_guid(&self) -> Option<&str> {
        self.wire.host_guid.as_deref()
    }

    /// The status.
    async fn computer_status(&self) -> Option<ComputerStatusObject<'_>> {
        self.wire.computer_status.as_deref().map(ComputerStatusObject)
    }

    /// The anti-malware module.
    async fn anti_malware(&self) -> Option<ComputerModule<'_>> {
        self.wire.anti_malware.as_deref().map(ComputerModule)
    }

    /// The web reputation module.
    async fn web_reputation(&self) -> Option<ComputerModule<'_>> {
        self.wire.web_reputation.as_deref().map(ComputerModule)
    }

    /// The activity monitoring module.
    async fn activity_monitoring(&self) -> Option<ComputerModule<'_>> {
        self.wire.activity_monitoring.as_deref().map(ComputerModule)
    }

    /// The firewall module.
    async fn firewall(&self) -> Option<ComputerModule<'_>> {
        self.wire.firewall.as_deref().map(ComputerModule)
    }

    /// The intrusion prevention module.
    async fn intrusion_prevention(&self) -> Option<ComputerModule<'_>> {
        self.wire.intrusion_prevention.as_deref().map(ComputerModule)
    }

    /// The integrity monitoring module.
    async fn integrity_monitoring(&self) -> Option<ComputerModule<'_>> {
        self.wire.integrity_monitoring.as_deref().map(ComputerModule)
    }

    /// The log inspection module.
    async fn log_inspection(&self) -> Option<ComputerModule<'_>> {
        self.wire.log_inspection.as_deref().map(ComputerModule)
    }

    /// The application control module.
    async fn application_control(&self) -> Option<ComputerModule<'_>> {
        self.wire.application_control.as_deref().map(ComputerModule)
    }

    /// The module that protects SAP systems.
    async fn sap(&self) -> Option<ComputerModule<'_>> {
        self.wire.sap.as_deref().map(ComputerModule)
    }
}

/// The GraphQL type of a computer's status.
pub struct ComputerStatusObject<'a>(&'a ComputerStatus);

/// The status of a computer.
#[Object(name = "DeepSecurityComputerStatus")]
impl ComputerStatusObject<'_> {
    /// The agent's status.
    async fn agent_status(&self) -> Option<DeepSecurityStatus> {
        text(&self.0.agent_status).map(DeepSecurityStatus::from_vendor)
    }

    /// The value as the vendor spells it.
    async fn agent_status_text(&self) -> Option<&str> {
        text(&self.0.agent_status)
    }

    /// The agent's status messages.
    async fn agent_status_messages(&self) -> Option<&[String]> {
        self.0.agent_status_messages.as_deref()
    }

    /// The status of the appliance that protects the computer without an agent.
    async fn appliance_status(&self) -> Option<DeepSecurityStatus> {
        text(&self.0.appliance_status).map(DeepSecurityStatus::from_vendor)
    }

    /// The value as the vendor spells it.
    async fn appliance_status_text(&self) -> Option<&str> {
        text(&self.0.appliance_status)
    }

    /// The appliance's status messages.
    async fn appliance_status_messages(&self) -> Option<&[String]> {
        self.0.appliance_status_messages.as_deref()
    }
}
