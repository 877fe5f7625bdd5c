//! Computers in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::choices::DeepSecurityStatus;
use super::module::{ComputerModule, date, moment, reference, text};
use super::policy::PolicyObject;
use super::reading::once;
use crate::deep_security::manager::Manager;
use crate::deep_security::wire::{Computer, ComputerStatus, Policy};
use crate::error::Result;
use crate::global_id::NodeKind;
use crate::graph::graphql::DateTime;

/// A computer in the graph.
pub struct ComputerObject {
    manager: Arc<Manager>,
    wire: Computer,
}

impl ComputerObject {
    /// A computer that was read.
    pub fn new(manager: &Arc<Manager>, wire: Computer) -> Self {
        Self { manager: manager.clone(), wire }
    }

    pub(super) fn wire(&self) -> &Computer {
        &self.wire
    }
}

/// A computer that the tenant protects. Only the parts that are selected are asked of the manager.
#[Object(name = "DeepSecurityComputer")]
impl ComputerObject {
    /// The global id: opaque, and unique over all types, tenants and installations.
    pub async fn id(&self) -> ID {
        ID(self.manager.ids().global(NodeKind::DeepSecurityComputer, self.wire.id))
    }

    /// The vendor's id, unique in its tenant only.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> ID {
        ID(self.wire.id.to_string())
    }

    /// The name or address by which the manager knows it.
    async fn host_name(&self) -> Option<&str> {
        self.wire.host_name.as_deref()
    }

    /// The name for people; often empty.
    async fn display_name(&self) -> Option<&str> {
        self.wire.display_name.as_deref()
    }

    /// What it is.
    async fn description(&self) -> Option<&str> {
        self.wire.description.as_deref()
    }

    /// The operating system; `Unknown` without an agent.
    async fn platform(&self) -> Option<&str> {
        self.wire.platform.as_deref()
    }

    /// The address that it last used; empty without an agent.
    #[graphql(name = "lastIPUsed")]
    async fn last_ip_used(&self) -> Option<&str> {
        self.wire.last_ip_used.as_deref()
    }

    /// The group of computers that it stands in; 0 outside all groups.
    #[graphql(name = "groupID")]
    async fn group_id(&self) -> Option<ID> {
        self.wire.group_id.map(|id| ID(id.to_string()))
    }

    /// The policy in use; absent without one.
    #[graphql(name = "policyID")]
    async fn policy_id(&self) -> Option<ID> {
        reference(self.wire.policy_id)
    }

    /// The policy in use. Each policy is asked for once an operation, however many computers use
    /// it.
    async fn policy(&self, ctx: &Context<'_>) -> Result<Option<PolicyObject>> {
        match self.wire.policy_id.filter(|id| *id != 0) {
            Some(id) => Ok(Some(PolicyObject::new(
                &self.manager,
                once::<Policy>(ctx, &self.manager, id).await?,
            ))),
            None => Ok(None),
        }
    }

    /// How important it is, by the id of an entry of the manager's own list.
    #[graphql(name = "assetImportanceID")]
    async fn asset_importance_id(&self) -> Option<ID> {
        reference(self.wire.asset_importance_id)
    }

    /// Where it gets its updates from, by the id of an entry of the manager's own list.
    #[graphql(name = "relayListID")]
    async fn relay_list_id(&self) -> Option<ID> {
        reference(self.wire.relay_list_id)
    }

    /// The version of the agent; `0.0.0.0` without one.
    async fn agent_version(&self) -> Option<&str> {
        self.wire.agent_version.as_deref()
    }

    /// When the agent last spoke to the manager.
    async fn last_agent_communication_at(&self) -> Option<DateTime> {
        moment(self.wire.last_agent_communication)
    }

    /// When the agent last spoke to the manager, in RFC 3339.
    #[graphql(deprecation = "use lastAgentCommunicationAt; offered until 2027-12-31")]
    async fn last_agent_communication(&self) -> Option<String> {
        date(self.wire.last_agent_communication)
    }

    /// When the policy was last to be sent.
    async fn last_send_policy_request_at(&self) -> Option<DateTime> {
        moment(self.wire.last_send_policy_request)
    }

    /// When the policy was last to be sent, in RFC 3339.
    #[graphql(deprecation = "use lastSendPolicyRequestAt; offered until 2027-12-31")]
    async fn last_send_policy_request(&self) -> Option<String> {
        date(self.wire.last_send_policy_request)
    }

    /// When the policy was last sent.
    async fn last_send_policy_success_at(&self) -> Option<DateTime> {
        moment(self.wire.last_send_policy_success)
    }

    /// When the policy was last sent, in RFC 3339.
    #[graphql(deprecation = "use lastSendPolicySuccessAt; offered until 2027-12-31")]
    async fn last_send_policy_success(&self) -> Option<String> {
        date(self.wire.last_send_policy_success)
    }

    /// The GUID by which the manager knows it.
    #[graphql(name = "hostGUID")]
    async fn host_guid(&self) -> Option<&str> {
        self.wire.host_guid.as_deref()
    }

    /// How it is doing.
    async fn computer_status(&self) -> Option<ComputerStatusObject<'_>> {
        self.wire.computer_status.as_deref().map(ComputerStatusObject)
    }

    /// Anti-malware.
    async fn anti_malware(&self) -> Option<ComputerModule<'_>> {
        self.wire.anti_malware.as_deref().map(ComputerModule)
    }

    /// Web reputation.
    async fn web_reputation(&self) -> Option<ComputerModule<'_>> {
        self.wire.web_reputation.as_deref().map(ComputerModule)
    }

    /// Activity monitoring.
    async fn activity_monitoring(&self) -> Option<ComputerModule<'_>> {
        self.wire.activity_monitoring.as_deref().map(ComputerModule)
    }

    /// Firewall.
    async fn firewall(&self) -> Option<ComputerModule<'_>> {
        self.wire.firewall.as_deref().map(ComputerModule)
    }

    /// Intrusion prevention.
    async fn intrusion_prevention(&self) -> Option<ComputerModule<'_>> {
        self.wire.intrusion_prevention.as_deref().map(ComputerModule)
    }

    /// Integrity monitoring.
    async fn integrity_monitoring(&self) -> Option<ComputerModule<'_>> {
        self.wire.integrity_monitoring.as_deref().map(ComputerModule)
    }

    /// Log inspection.
    async fn log_inspection(&self) -> Option<ComputerModule<'_>> {
        self.wire.log_inspection.as_deref().map(ComputerModule)
    }

    /// Application control.
    async fn application_control(&self) -> Option<ComputerModule<'_>> {
        self.wire.application_control.as_deref().map(ComputerModule)
    }

    /// Protection of SAP systems.
    async fn sap(&self) -> Option<ComputerModule<'_>> {
        self.wire.sap.as_deref().map(ComputerModule)
    }
}

/// How a computer is doing, in the graph.
pub struct ComputerStatusObject<'a>(&'a ComputerStatus);

/// How a computer is doing.
#[Object(name = "DeepSecurityComputerStatus")]
impl ComputerStatusObject<'_> {
    /// The agent.
    async fn agent_status(&self) -> Option<DeepSecurityStatus> {
        text(&self.0.agent_status).map(DeepSecurityStatus::read)
    }

    /// The vendor's own word for it.
    async fn agent_status_text(&self) -> Option<&str> {
        text(&self.0.agent_status)
    }

    /// What is to be said of the agent.
    async fn agent_status_messages(&self) -> Option<&[String]> {
        self.0.agent_status_messages.as_deref()
    }

    /// The appliance that protects it from outside.
    async fn appliance_status(&self) -> Option<DeepSecurityStatus> {
        text(&self.0.appliance_status).map(DeepSecurityStatus::read)
    }

    /// The vendor's own word for it.
    async fn appliance_status_text(&self) -> Option<&str> {
        text(&self.0.appliance_status)
    }

    /// What is to be said of the appliance.
    async fn appliance_status_messages(&self) -> Option<&[String]> {
        self.0.appliance_status_messages.as_deref()
    }
}
