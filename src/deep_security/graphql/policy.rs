//! The GraphQL type of policies.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::connection_node::ConnectionNode;
use super::convert::{reference, text};
use super::enums::{DeepSecurityScanMode, DeepSecuritySwitch};
use super::fetch::fetch_reference;
use super::module::PolicyModuleObject;
use crate::deep_security::manager::Manager;
use crate::deep_security::wire::Policy;
use crate::error::Result;
use crate::global_id::NodeKind;

/// The GraphQL type of a policy.
pub struct PolicyObject {
    manager: Arc<Manager>,
    wire: Arc<Policy>,
}

impl PolicyObject {
    /// A policy of this manager.
    pub fn new(manager: &Arc<Manager>, wire: impl Into<Arc<Policy>>) -> Self {
        Self { manager: manager.clone(), wire: wire.into() }
    }
}

impl ConnectionNode for PolicyObject {
    type Resource = Policy;
    const CONNECTION: &'static str = "DeepSecurityPolicyConnection";
    const EDGE: &'static str = "DeepSecurityPolicyEdge";
}

/// A policy, including the settings that it inherits.
#[Object(name = "DeepSecurityPolicy")]
impl PolicyObject {
    /// The global id. Opaque; unique across types, tenants and upstreams.
    pub async fn id(&self) -> ID {
        ID(self.manager.ids().global(NodeKind::DeepSecurityPolicy, self.wire.id))
    }

    /// The vendor's id; unique only within the vendor's tenant.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> ID {
        ID(self.wire.id.to_string())
    }

    /// The vendor's id of the parent policy; null at the top.
    #[graphql(name = "parentID")]
    async fn parent_id(&self) -> Option<ID> {
        reference(self.wire.parent_id)
    }

    /// The parent policy. The gateway requests each policy at most once per operation.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<Self>> {
        let parent = fetch_reference::<Policy>(ctx, &self.manager, self.wire.parent_id).await?;
        Ok(parent.map(|parent| Self::new(&self.manager, parent)))
    }

    /// The name.
    async fn name(&self) -> Option<&str> {
        self.wire.name.as_deref()
    }

    /// The description.
    async fn description(&self) -> Option<&str> {
        self.wire.description.as_deref()
    }

    /// Whether changes of the policy are sent to computers automatically.
    async fn auto_requires_update(&self) -> Option<DeepSecuritySwitch> {
        text(&self.wire.auto_requires_update).map(DeepSecuritySwitch::from_vendor)
    }

    /// The value as the vendor spells it.
    async fn auto_requires_update_text(&self) -> Option<&str> {
        text(&self.wire.auto_requires_update)
    }

    /// Whether recommendation scans run continuously.
    async fn recommendation_scan_mode(&self) -> Option<DeepSecurityScanMode> {
        text(&self.wire.recommendation_scan_mode).map(DeepSecurityScanMode::from_vendor)
    }

    /// The value as the vendor spells it.
    async fn recommendation_scan_mode_text(&self) -> Option<&str> {
        text(&self.wire.recommendation_scan_mode)
    }

    /// The anti-malware module.
    async fn anti_malware(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.anti_malware.as_deref().map(PolicyModuleObject)
    }

    /// The web reputation module.
    async fn web_reputation(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.web_reputation.as_deref().map(PolicyModuleObject)
    }

    /// The activity monitoring module.
    async fn activity_monitoring(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.activity_monitoring.as_deref().map(PolicyModuleObject)
    }

    /// The firewall module.
    async fn firewall(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.firewall.as_deref().map(PolicyModuleObject)
    }

    /// The intrusion prevention module.
    async fn intrusion_prevention(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.intrusion_prevention.as_deref().map(PolicyModuleObject)
    }

    /// The integrity monitoring module.
    async fn integrity_monitoring(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.integrity_monitoring.as_deref().map(PolicyModuleObject)
    }

    /// The log inspection module.
    async fn log_inspection(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.log_inspection.as_deref().map(PolicyModuleObject)
    }

    /// The application control module.
    async fn application_control(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.application_control.as_deref().map(PolicyModuleObject)
    }

    /// The module that protects SAP systems.
    async fn sap(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.sap.as_deref().map(PolicyModuleObject)
    }
}
